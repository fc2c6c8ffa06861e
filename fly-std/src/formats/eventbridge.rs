//! Cron expressions as Amazon `EventBridge` Scheduler reads them: `cron(0/5 * * * ? *)`.
//!
//! They have a year, number the days of the week from Sunday as 1, and allow one of the two day fields only: the other
//! is `?`. Steps end at the field's end and stand in no day of the week, so every other step is written out.
//!
//! What never lives here: reading cron expressions; that is `cron`'s.

use super::{FormatError, cron};

/// croner's marks of a value: it matches by itself, as the nth of its weekday, as the last one, or as the nearest
/// working day.
const PLAIN: u8 = 1;
const LAST: u8 = 1 << 6;
const NEAREST: u8 = 1 << 7;

/// The expressions that together fire when the schedule does.
///
/// There are several when both days of the month and days of the week are written, of which either is enough; at a
/// moment that both match, each of them fires.
pub fn expressions(text: &str) -> Result<Vec<String>, FormatError> {
    let schedule = cron::parse(text)?;
    let pattern = schedule.pattern();
    let unsayable = |what: &str| {
        FormatError::whole(
            format!("EventBridge can't say {what}; write it as two triggers, or in another way"),
            text,
        )
    };
    let (any_day, any_weekday) = (pattern.is_dom_wildcard(), pattern.is_dow_wildcard());
    if pattern.matches_dom_and_dow() && !any_day && !any_weekday {
        return Err(unsayable("that a day must match both day fields"));
    }
    let days =
        if any_day { Vec::new() } else { days_of_month(&pattern.days).ok_or_else(|| unsayable("`LW`"))? };
    let weekdays = if any_weekday { Vec::new() } else { days_of_week(&pattern.days_of_week) };
    let fields: Vec<_> = if (any_day && any_weekday) || days.iter().chain(&weekdays).any(|day| day == "*") {
        vec![("*".to_owned(), "?".to_owned())]
    } else {
        let days = days.into_iter().map(|day| (day, "?".to_owned()));
        days.chain(weekdays.into_iter().map(|day| ("?".to_owned(), day))).collect()
    };
    let minutes = list(&pattern.minutes.values(), 0, 59, true);
    let hours = list(&pattern.hours.values(), 0, 23, true);
    let months = list(&pattern.months.values(), 1, 12, true);
    Ok(fields
        .into_iter()
        .map(|(day, weekday)| format!("cron({minutes} {hours} {day} {months} {weekday} *)"))
        .collect())
}

/// The day-of-month fields that together say this one; none for the last working day of a month.
fn days_of_month(field: &croner::CronComponent) -> Option<Vec<String>> {
    let mut said = plain(&field.values(), 1, 31, true);
    if field.is_feature_enabled(LAST) {
        if field.is_feature_enabled(NEAREST) {
            return None;
        }
        said.push("L".to_owned());
    }
    said.extend(field.get_set_values(NEAREST).into_iter().map(|day| format!("{day}W")));
    Some(said)
}

/// The day-of-week fields that together say this one.
fn days_of_week(field: &croner::CronComponent) -> Vec<String> {
    // Sunday is 0 here, and 1 there.
    let numbers = |mark| field.get_set_values(mark).into_iter().map(|day| day % 7 + 1).collect::<Vec<_>>();
    let mut said = plain(&numbers(PLAIN), 1, 7, false);
    for nth in 1..=5 {
        said.extend(numbers(1 << nth).into_iter().map(|day| format!("{day}#{nth}")));
    }
    said.extend(numbers(LAST).into_iter().map(|day| format!("{day}L")));
    said
}

/// The field of plain values, when there are any.
fn plain(values: &[u16], min: u16, max: u16, steps: bool) -> Vec<String> {
    if values.is_empty() { Vec::new() } else { vec![list(values, min, max, steps)] }
}

/// Ascending values in the shortest usual form: `*`, `0/5`, `2-6`, `1,15`.
fn list(values: &[u16], min: u16, max: u16, steps: bool) -> String {
    if values.len() == usize::from(max - min) + 1 {
        return "*".to_owned();
    }
    if let [first, second, _, ..] = values
        && let step = second - first
        && steps
        && step > 1
        && values.windows(2).all(|pair| pair[1] - pair[0] == step)
        && values.last().is_some_and(|last| last + step > max)
    {
        return format!("{first}/{step}");
    }
    let mut runs: Vec<(u16, u16)> = Vec::new();
    for value in values {
        match runs.last_mut() {
            Some((_, end)) if *end + 1 == *value => *end = *value,
            _ => runs.push((*value, *value)),
        }
    }
    let said = runs.iter().map(|(start, end)| match end - start {
        0 => start.to_string(),
        1 => format!("{start},{end}"),
        _ => format!("{start}-{end}"),
    });
    said.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use croner::parser::{CronParser, Year};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn schedules_are_said_in_six_fields() {
        for (text, said) in [
            ("* * * * *", &["* * * * ? *"][..]),
            ("*/5 * * * *", &["0/5 * * * ? *"]),
            ("1-59/20 * * * *", &["1/20 * * * ? *"]),
            ("1-30/10 * * * *", &["1,11,21 * * * ? *"]),
            ("0 2 * * *", &["0 2 * * ? *"]),
            ("0 2 1 * *", &["0 2 1 * ? *"]),
            ("0 2 */10 * *", &["0 2 1/10 * ? *"]),
            ("30 9-17 * * MON-FRI", &["30 9-17 ? * 2-6 *"]),
            ("0 0 * * 0", &["0 0 ? * 1 *"]),
            ("0 0 * * 7", &["0 0 ? * 1 *"]),
            ("0 0 * * 0,7", &["0 0 ? * 1 *"]),
            ("0 0 * * */2", &["0 0 ? * 1,3,5,7 *"]),
            ("0 0 * * 1-7", &["0 0 * * ? *"]),
            ("0 0 * JAN-MAR,12 *", &["0 0 * 1-3,12 ? *"]),
            ("0 0 L * *", &["0 0 L * ? *"]),
            ("0 0 15W * *", &["0 0 15W * ? *"]),
            ("0 0 1,15,L * *", &["0 0 1,15 * ? *", "0 0 L * ? *"]),
            ("0 0 * * MON#1", &["0 0 ? * 2#1 *"]),
            ("0 0 * * 5L", &["0 0 ? * 6L *"]),
            ("0 0 ? * MON", &["0 0 ? * 2 *"]),
            // Either day is enough.
            ("0 0 1 * MON", &["0 0 1 * ? *", "0 0 ? * 2 *"]),
            ("0 0 13 * 5L", &["0 0 13 * ? *", "0 0 ? * 6L *"]),
            // One of them is every day.
            ("0 0 */1 * MON", &["0 0 * * ? *"]),
        ] {
            let expected: Vec<_> = said.iter().map(|said| format!("cron({said})")).collect();
            assert_eq!(expressions(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_can_not_be_said_is_told() {
        for (text, part) in [
            ("0 0 LW * *", "`LW`"),
            ("0 0 1-7 * +MON", "match both day fields"),
            ("0 25 * * *", "`25` is not an hour"),
        ] {
            let error = expressions(text).unwrap_err();
            assert!(error.message.contains(part), "{text}: {}", error.message);
        }
    }

    /// When expressions fire, as a reader of their own form understands them.
    fn fires(expressions: &[String], count: usize) -> Vec<i64> {
        // Its weekdays are numbered from Sunday as 1, its year is the seventh field, and its first the seconds.
        let parser = CronParser::builder()
            .alternative_weekdays(true)
            .sloppy_ranges(true)
            .year(Year::Required)
            .seconds(croner::parser::Seconds::Required)
            .build();
        let from = chrono::DateTime::from_timestamp(START, 0).unwrap().naive_utc();
        let mut runs: Vec<i64> = expressions
            .iter()
            .flat_map(|expression| {
                let fields = expression.strip_prefix("cron(").unwrap().strip_suffix(')').unwrap();
                let parts: Vec<_> = fields.split(' ').collect();
                assert_eq!(parts.len(), 6, "{expression}");
                assert_ne!(parts[2] == "?", parts[4] == "?", "{expression}");
                assert!(!parts[4].contains('/'), "{expression}");
                let cron = parser.parse(&format!("0 {fields}")).unwrap();
                cron.iter_after(from).take(count).map(|run| run.and_utc().timestamp()).collect::<Vec<_>>()
            })
            .collect();
        runs.sort_unstable();
        runs.dedup();
        runs.truncate(count);
        runs
    }

    const START: i64 = 1_767_225_599;

    fn field(min: u16, max: u16) -> impl Strategy<Value = String> {
        let number = min..=max;
        let part = prop_oneof![
            number.clone().prop_map(|value| value.to_string()),
            (number.clone(), number.clone()).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
            (number.clone(), number, 1..9u16).prop_map(|(a, b, step)| format!(
                "{}-{}/{step}",
                a.min(b),
                a.max(b)
            )),
            (2..9u16).prop_map(|step| format!("*/{step}")),
        ];
        prop_oneof![
            2 => Just("*".to_owned()),
            3 => prop::collection::vec(part, 1..4).prop_map(|parts| parts.join(",")),
        ]
    }

    fn day() -> impl Strategy<Value = String> {
        prop_oneof![
            4 => field(1, 31),
            1 => Just("L".to_owned()),
            1 => (1..29u16).prop_map(|day| format!("{day}W")),
            1 => (1..29u16).prop_map(|day| format!("{day},L")),
        ]
    }

    fn weekday() -> impl Strategy<Value = String> {
        prop_oneof![
            4 => field(0, 7),
            1 => (0..8u16, 1..6u16).prop_map(|(day, nth)| format!("{day}#{nth}")),
            1 => (0..7u16).prop_map(|day| format!("{day}L")),
            1 => Just("MON-WED,SAT".to_owned()),
        ]
    }

    proptest! {
        #[test]
        fn both_forms_fire_alike(
            minute in field(0, 59),
            hour in field(0, 23),
            day in day(),
            month in field(1, 12),
            weekday in weekday(),
        ) {
            let text = format!("{minute} {hour} {day} {month} {weekday}");
            let Ok(schedule) = cron::parse(&text) else { return Ok(()) };
            let runs: Vec<_> = schedule.runs_after(START).take(200).collect();
            let said = expressions(&text).unwrap();
            prop_assert_eq!(fires(&said, 200), runs, "{} is {:?}", text, said);
        }
    }
}
