//! Durations: `30s`, `10m`, `1h30m`, `7d`. Units `w d h m s`, each at most once, the larger first; whole seconds.

use super::FormatError;

const UNITS: [(char, u64, &str); 5] = [
    ('w', 7 * 24 * 3600, "weeks"),
    ('d', 24 * 3600, "days"),
    ('h', 3600, "hours"),
    ('m', 60, "minutes"),
    ('s', 1, "seconds"),
];

/// The number of seconds.
pub fn parse(text: &str) -> Result<u64, FormatError> {
    strict(text).map_err(|error| error.suggest_maybe(lenient(text).map(print)))
}

fn strict(text: &str) -> Result<u64, FormatError> {
    if text.is_empty() {
        return Err(FormatError::new("a duration is missing here", 0..0));
    }
    let mut total: u64 = 0;
    let mut rest = text;
    let mut last_unit: Option<usize> = None;
    while !rest.is_empty() {
        let start = text.len() - rest.len();
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits == 0 {
            return Err(if start == 0 {
                FormatError::whole("not a duration", text)
            } else {
                FormatError::new("a number is missing here", start..text.len())
            });
        }
        let after = &rest[digits..];
        let word = after.len() - after.trim_start_matches(char::is_alphabetic).len();
        let range = start..start + digits + word;
        let unit_range = start + digits..range.end;
        if after.is_empty() {
            return Err(FormatError::new("the unit is missing: one of w, d, h, m, s", start..range.end));
        }
        if word == 0 {
            return Err(FormatError::new(
                "a duration is whole numbers with units, such as `1h30m`",
                start..text.len(),
            ));
        }
        let unit = &after[..word];
        let Some(index) = UNITS.iter().position(|(name, ..)| unit.len() == 1 && unit.starts_with(*name))
        else {
            return Err(FormatError::new(
                if unit == "ms" {
                    "a duration is counted in whole seconds".to_owned()
                } else {
                    format!("`{unit}` is not a unit of time: w, d, h, m, s")
                },
                unit_range,
            ));
        };
        if let Some(last) = last_unit {
            if index == last {
                return Err(FormatError::new(format!("the {} stand here twice", UNITS[index].2), range));
            }
            if index < last {
                return Err(FormatError::new(
                    format!("the {} stand before the {}", UNITS[index].2, UNITS[last].2),
                    range,
                ));
            }
        }
        last_unit = Some(index);
        total = rest[..digits]
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(UNITS[index].1))
            .and_then(|seconds| total.checked_add(seconds))
            .ok_or_else(|| FormatError::new("longer than can be counted", range.clone()))?;
        rest = &after[word..];
    }
    Ok(total)
}

/// The duration in its canonical form: days, hours, minutes and seconds, `1h30m`.
pub fn print(seconds: u64) -> String {
    if seconds == 0 {
        return "0s".to_owned();
    }
    let mut rest = seconds;
    let mut text = String::new();
    for (name, length, _) in &UNITS[1..] {
        let count = rest / length;
        rest %= length;
        if count > 0 {
            text.push_str(&count.to_string());
            text.push(*name);
        }
    }
    text
}

/// What someone may have meant: other spellings of units, spaces, capitals, `1.5h`, units in any order.
fn lenient(text: &str) -> Option<u64> {
    let folded: String = text.to_lowercase().chars().filter(|c| !c.is_whitespace() && *c != ',').collect();
    let mut rest = folded.as_str();
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let number = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
        let after = &rest[number..];
        let word = after.len() - after.trim_start_matches(char::is_alphabetic).len();
        let length = match &after[..word] {
            "s" | "sec" | "secs" | "second" | "seconds" => 1,
            "m" | "min" | "mins" | "minute" | "minutes" => 60,
            "h" | "hr" | "hrs" | "hour" | "hours" => 3600,
            "d" | "day" | "days" => 24 * 3600,
            "w" | "wk" | "week" | "weeks" => 7 * 24 * 3600,
            // A bare number alone is taken for seconds, as elsewhere in the language.
            "" if rest.len() == folded.len() && after.is_empty() => 1,
            _ => return None,
        };
        total = total.checked_add(super::size::scaled(&rest[..number], length)?)?;
        rest = &after[word..];
    }
    (!folded.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_durations() {
        for (text, seconds) in [
            ("30s", 30),
            ("10m", 600),
            ("1h30m", 5400),
            ("7d", 604_800),
            ("2w", 1_209_600),
            ("0s", 0),
            ("1w2d3h4m5s", 788_645),
        ] {
            assert_eq!(parse(text), Ok(seconds), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (text, message, range, suggestion) in [
            ("", "a duration is missing here", 0..0, None),
            ("10", "the unit is missing: one of w, d, h, m, s", 0..2, Some("10s")),
            ("10min", "`min` is not a unit of time: w, d, h, m, s", 2..5, Some("10m")),
            ("10 m", "a duration is whole numbers with units, such as `1h30m`", 0..4, Some("10m")),
            ("1.5h", "a duration is whole numbers with units, such as `1h30m`", 0..4, Some("1h30m")),
            ("500ms", "a duration is counted in whole seconds", 3..5, None),
            ("1h2h", "the hours stand here twice", 2..4, Some("3h")),
            ("30m1h", "the hours stand before the minutes", 3..5, Some("1h30m")),
            ("1hm", "`hm` is not a unit of time: w, d, h, m, s", 1..3, None),
            ("soon", "not a duration", 0..4, None),
            ("-5m", "not a duration", 0..3, None),
            ("99999999999999999999s", "longer than can be counted", 0..21, None),
            ("18446744073709551615w", "longer than can be counted", 0..21, None),
            ("5м", "`м` is not a unit of time: w, d, h, m, s", 1..3, None),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.message, message, "{text}");
            assert_eq!(error.range, range, "{text}");
            assert_eq!(error.suggestion.as_deref(), suggestion, "{text}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(seconds: u64) {
            prop_assert_eq!(parse(&print(seconds)), Ok(seconds));
        }

        #[test]
        fn never_panics_and_ranges_are_slices(text: String) {
            if let Err(error) = parse(&text) {
                prop_assert!(text.get(error.range).is_some());
                if let Some(suggestion) = error.suggestion {
                    prop_assert!(parse(&suggestion).is_ok());
                }
            }
        }

        #[test]
        fn near_misses_never_panic(text in "[0-9.]{0,3}[wdhms ]{0,2}[0-9]{0,21}[a-zé]{0,4}") {
            if let Err(error) = parse(&text) {
                prop_assert!(text.get(error.range).is_some());
            }
        }
    }
}
