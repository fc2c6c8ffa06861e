//! Cron expressions of five fields: minute, hour, day of the month, month, day of the week.

use std::{ops::Range, str::FromStr};

use chrono::DateTime;

use super::{FormatError, short};

/// A schedule that was read and can fire.
#[derive(Debug, Clone)]
pub struct Schedule(croner::Cron);

impl Schedule {
    /// The moments it fires after this one, as seconds since 1970 on the clock of its own time zone.
    pub fn runs_after(&self, seconds: i64) -> impl Iterator<Item = i64> + use<> {
        let start = DateTime::from_timestamp(seconds, 0).map(|moment| moment.naive_utc());
        let schedule = self.0.clone();
        start
            .into_iter()
            .flat_map(move |start| schedule.iter_after(start))
            .map(|run| run.and_utc().timestamp())
    }

    /// What each field matches.
    pub(super) const fn pattern(&self) -> &croner::CronPattern {
        &self.0.pattern
    }

    /// What it says, in English: `At 02:00`.
    pub fn describe(&self) -> String {
        self.0.describe()
    }
}

/// The shortest time between two runs on one day or around midnight, in seconds; none when it runs once a day at most.
///
/// The days it runs on are not looked at: two runs of one day are as near to each other on any day.
pub fn shortest_gap(text: &str) -> Option<u64> {
    let fields = fields(text);
    let [minute, hour, _, _, _] = fields.as_slice() else { return None };
    let daily = format!("{} {} * * *", &text[minute.clone()], &text[hour.clone()]);
    let schedule = parse(&daily).ok()?;
    let runs: Vec<i64> =
        schedule.runs_after(TRIED_FROM - 1).take_while(|run| *run < TRIED_FROM + 2 * DAY).collect();
    if runs.len() <= 2 {
        return None;
    }
    runs.windows(2).filter_map(|pair| u64::try_from(pair[1] - pair[0]).ok()).min()
}

const DAY: i64 = 24 * 3600;

struct Field {
    noun: &'static str,
    article: &'static str,
    min: u32,
    max: u32,
}

const FIELDS: [Field; 5] = [
    Field { noun: "minute", article: "a", min: 0, max: 59 },
    Field { noun: "hour", article: "an", min: 0, max: 23 },
    Field { noun: "day of the month", article: "a", min: 1, max: 31 },
    Field { noun: "month", article: "a", min: 1, max: 12 },
    Field { noun: "day of the week", article: "a", min: 0, max: 7 },
];

const NICKNAMES: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// 2026-01-01, from where it is tried whether a schedule ever fires; any day would do.
const TRIED_FROM: i64 = 1_767_225_600;

/// The schedule.
pub fn parse(text: &str) -> Result<Schedule, FormatError> {
    let fields = fields(text);
    if fields.is_empty() {
        return Err(FormatError::whole("a cron expression is missing here", text));
    }
    if let Some((_, meant)) = NICKNAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim())) {
        return Err(FormatError::whole("a cron expression has five fields", text).suggest(*meant));
    }
    if fields.len() != FIELDS.len() {
        return Err(wrong_count(text, &fields));
    }
    for (index, range) in fields.iter().enumerate() {
        check_field(text, index, range)?;
    }
    let cron = croner::Cron::from_str(text).map_err(|_| FormatError::whole("not a cron expression", text))?;
    let fires = DateTime::from_timestamp(TRIED_FROM, 0)
        .is_some_and(|from| cron.find_next_occurrence(&from.naive_utc(), true).is_ok());
    if !fires {
        let days = fields[2].start..fields[3].end;
        return Err(FormatError::new("this never fires: no month here has such a day", days));
    }
    Ok(Schedule(cron))
}

/// Where the fields stand.
fn fields(text: &str) -> Vec<Range<usize>> {
    text.split_whitespace()
        .map(|field| {
            let start = field.as_ptr().addr() - text.as_ptr().addr();
            start..start + field.len()
        })
        .collect()
}

fn wrong_count(text: &str, fields: &[Range<usize>]) -> FormatError {
    let count = fields.len();
    let plural = if count == 1 { "" } else { "s" };
    let message = format!("a cron expression has five fields; this has {count} field{plural}");
    let error = FormatError::whole(message, text);
    if count == 6 {
        // Six fields begin with seconds in most dialects that have them.
        let rest = &text[fields[1].start..];
        return error.suggest_maybe(parse(rest).is_ok().then(|| rest.trim_end().to_owned()));
    }
    error
}

/// Asks croner about one field alone, so that the error can point at it.
fn check_field(text: &str, index: usize, range: &Range<usize>) -> Result<(), FormatError> {
    let field = &text[range.clone()];
    let mut alone = ["*"; 5];
    alone[index] = field;
    if !field.contains('@') && croner::Cron::from_str(&alone.join(" ")).is_ok() {
        return Ok(());
    }
    let about = &FIELDS[index];
    // A number out of its range is the usual slip; the number after `/` is a step and has no such range.
    let mut start = range.start;
    for part in field.split_inclusive([',', '-', '/', '#']) {
        let word = part.trim_end_matches([',', '-', '/', '#']);
        let is_step = text[range.start..start].ends_with(['/', '#']);
        if !word.is_empty() && !is_step && word.bytes().all(|b| b.is_ascii_digit()) {
            let inside = word.parse::<u32>().is_ok_and(|number| (about.min..=about.max).contains(&number));
            if !inside {
                return Err(FormatError::new(
                    format!(
                        "`{}` is not {} {} ({} to {})",
                        short(word),
                        about.article,
                        about.noun,
                        about.min,
                        about.max
                    ),
                    start..start + word.len(),
                ));
            }
        }
        start += part.len();
    }
    Err(FormatError::new(
        format!(
            "`{}` is not {} {} ({} to {}), a range, a list or `*`",
            short(field),
            about.article,
            about.noun,
            about.min,
            about.max
        ),
        range.clone(),
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_schedules() {
        for text in [
            "* * * * *",
            "*/5 * * * *",
            "0 2 * * *",
            "0 0 1 * *",
            "30 9-17 * * MON-FRI",
            "0 0 29 2 *",
            "0 0 1,15 JAN 0",
        ] {
            assert!(parse(text).is_ok(), "{text}: {:?}", parse(text).err());
        }
    }

    #[test]
    fn tells_the_next_runs() {
        let schedule = parse("0 2 * * *").unwrap();
        let runs: Vec<_> = schedule.runs_after(TRIED_FROM).take(2).collect();
        assert_eq!(runs, [TRIED_FROM + 2 * 3600, TRIED_FROM + 26 * 3600]);
        assert!(!schedule.describe().is_empty());
    }

    #[test]
    fn days_of_the_month_and_of_the_week_are_either_enough() {
        // The thirtieth of February never comes, Mondays in February do.
        assert!(parse("0 0 30 2 *").is_err());
        assert!(parse("0 0 30 2 1").is_ok());
        assert!(parse("0 0 31 2,4,6,9,11 *").is_err());
        assert!(parse("0 0 31 2,4,6,9,12 *").is_ok());
        assert!(parse("0 0 29 2 *").is_ok());
        assert!(parse("0 0 30-31 FEB *").is_err());
    }

    #[test]
    fn tells_how_near_two_runs_come() {
        for (text, gap) in [
            ("* * * * *", Some(60)),
            ("*/5 * * * *", Some(300)),
            ("*/7 * * * *", Some(240)),
            ("0,58 1,2 * * *", Some(120)),
            ("58 23,0 * * *", Some(3600)),
            ("58 * 1 1 *", Some(3600)),
            ("0 2 * * *", None),
            ("0,3 2 1 * MON", Some(180)),
            ("nothing", None),
        ] {
            assert_eq!(shortest_gap(text), gap, "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (text, message, range, suggestion) in [
            ("", "a cron expression is missing here", 0..0, None),
            ("0 25 * * *", "`25` is not an hour (0 to 23)", 2..4, None),
            ("61 * * * *", "`61` is not a minute (0 to 59)", 0..2, None),
            ("0 0 0 * *", "`0` is not a day of the month (1 to 31)", 4..5, None),
            ("0 0 1-32 * *", "`32` is not a day of the month (1 to 31)", 6..8, None),
            ("0 0 * 13 *", "`13` is not a month (1 to 12)", 6..8, None),
            ("0 0 * * 8", "`8` is not a day of the week (0 to 7)", 8..9, None),
            ("0 x * * *", "`x` is not an hour (0 to 23), a range, a list or `*`", 2..3, None),
            ("0 2 * *", "a cron expression has five fields; this has 4 fields", 0..7, None),
            ("0 0 2 * * *", "a cron expression has five fields; this has 6 fields", 0..11, Some("0 2 * * *")),
            ("@daily", "a cron expression has five fields", 0..6, Some("0 0 * * *")),
            ("0 0 30 2 *", "this never fires: no month here has such a day", 4..8, None),
            ("0 0 31 4,6 *", "this never fires: no month here has such a day", 4..10, None),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!((error.message.as_str(), error.range), (message, range), "{text}");
            assert_eq!(error.suggestion.as_deref(), suggestion, "{text}");
        }
    }

    proptest! {
        #[test]
        fn ranges_are_slices(text in "[0-9*/,é@A-Z -]{0,16}") {
            if let Err(error) = parse(&text) {
                prop_assert!(text.get(error.range).is_some());
            }
        }
    }
}
