//! GitLab's way to write a span of time: `3h 30m`, `90 minutes`, `1 day and 2 hours`.

/// Seconds; none for what GitLab would not read, and for variables.
pub(super) fn parse(text: &str) -> Option<u64> {
    let text = text.trim().to_lowercase().replace(',', " ");
    if let Some((hours, rest)) = text.split_once(':') {
        return clock(hours, rest);
    }
    let mut rest = text.as_str();
    let (mut total, mut any) = (0_u64, false);
    loop {
        rest = rest.trim_start();
        rest = rest.strip_prefix("and ").unwrap_or(rest).trim_start();
        if rest.is_empty() {
            return any.then_some(total);
        }
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: u64 = rest[..digits].parse().ok()?;
        rest = rest[digits..].trim_start();
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let unit = seconds(&rest[..letters])?;
        rest = &rest[letters..];
        total = total.checked_add(number.checked_mul(unit)?)?;
        any = true;
    }
}

/// The seconds of a unit; a number without one counts seconds.
fn seconds(unit: &str) -> Option<u64> {
    Some(match unit {
        "" | "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3600,
        "d" | "day" | "days" => 24 * 3600,
        "w" | "wk" | "wks" | "week" | "weeks" => 7 * 24 * 3600,
        "mo" | "mos" | "month" | "months" => 30 * 24 * 3600,
        "y" | "yr" | "yrs" | "year" | "years" => 31_557_600,
        _ => return None,
    })
}

/// `hours:minutes:seconds`, or `minutes:seconds`.
fn clock(first: &str, rest: &str) -> Option<u64> {
    let mut parts = vec![first];
    parts.extend(rest.split(':'));
    let numbers: Vec<u64> = parts.iter().map(|part| part.trim().parse().ok()).collect::<Option<_>>()?;
    match numbers.as_slice() {
        [minutes, seconds] => minutes.checked_mul(60)?.checked_add(*seconds),
        [hours, minutes, seconds] => {
            hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?.checked_add(*seconds)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn spans_as_gitlab_reads_them() {
        for (text, seconds) in [
            ("3h 30m", 12_600),
            ("3h30m", 12_600),
            ("90 minutes", 5_400),
            ("3600 seconds", 3_600),
            ("1 hour and 10 minutes", 4_200),
            ("1 day, 2 hours", 93_600),
            ("10", 10),
            ("1:30:00", 5_400),
        ] {
            assert_eq!(parse(text), Some(seconds), "{text}");
        }
        for text in ["", "soon", "$TIMEOUT", "1.5h", "h", "99999999999999999999h", "and"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
