//! Five cron fields as the clocks of the clouds read them: six fields, a `?` in one of the two fields for days, and
//! days of the week by name, since the clouds count them from another day.

const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// The expressions that together go off when the five fields do. Cron's days of the month and of the week are one *or*
/// the other; the clouds take only one of them, so a schedule with both becomes two.
pub(super) fn clock_expressions(cron: &str) -> Vec<String> {
    let fields: Vec<&str> = cron.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields.as_slice() else { return vec![cron.to_owned()] };
    let any = |field: &str| matches!(field, "*" | "?");
    let by_day = |day: &str| format!("{minute} {hour} {day} {month} ? *");
    let by_weekday = || format!("{minute} {hour} ? {month} {} *", weekdays(weekday));
    match (any(day), any(weekday)) {
        (_, true) => vec![by_day(if any(day) { "*" } else { day })],
        (true, false) => vec![by_weekday()],
        (false, false) => vec![by_day(day), by_weekday()],
    }
}

/// Days of the week by name; a field that is more than a list of days, ranges and steps stays as it is.
fn weekdays(field: &str) -> String {
    let mut chosen = [false; 7];
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => match step.parse::<usize>() {
                Ok(step) if step > 0 => (range, step),
                _ => return field.to_owned(),
            },
            None => (part, 1),
        };
        let ends = match range.split_once('-') {
            Some((first, last)) => weekday(first).zip(weekday(last)),
            None if range == "*" => Some((0, 6)),
            None if step > 1 => weekday(range).map(|first| (first, 6)),
            None => weekday(range).map(|day| (day, day)),
        };
        let Some((first, last)) = ends else { return field.to_owned() };
        // `FRI-MON` goes over the end of the week.
        let last = if last < first { last + 7 } else { last };
        for day in (first..=last).step_by(step) {
            chosen[day % 7] = true;
        }
    }
    let names: Vec<&str> =
        DAYS.iter().zip(chosen).filter_map(|(name, chosen)| chosen.then_some(*name)).collect();
    names.join(",")
}

/// A day by number, where 0 and 7 are Sunday, or by name.
fn weekday(text: &str) -> Option<usize> {
    match text.parse::<usize>() {
        Ok(number) => (number <= 7).then_some(number),
        Err(_) => DAYS.iter().position(|name| name.eq_ignore_ascii_case(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_named_and_one_of_the_two_fields_is_open() {
        for (cron, wanted) in [
            ("*/5 * * * *", &["*/5 * * * ? *"][..]),
            ("0 3 1 * *", &["0 3 1 * ? *"]),
            ("0 3 * * 1-5", &["0 3 ? * MON,TUE,WED,THU,FRI *"]),
            ("0 3 * * 5-7", &["0 3 ? * SUN,FRI,SAT *"]),
            ("0 3 * * 0,7", &["0 3 ? * SUN *"]),
            ("0 3 * * */2", &["0 3 ? * SUN,TUE,THU,SAT *"]),
            ("0 3 * * fri-mon", &["0 3 ? * SUN,MON,FRI,SAT *"]),
            ("0 3 13 * FRI", &["0 3 13 * ? *", "0 3 ? * FRI *"]),
            ("0 3 * * 5L", &["0 3 ? * 5L *"]),
        ] {
            assert_eq!(clock_expressions(cron), wanted, "{cron}");
        }
    }
}
