//! Cron schedules in words, and when they run next.
//!
//! The clock is whoever asks: a moment goes in. Time zones are those of the bundled database, so that every machine says the
//! same. What never lives here: a clock.

use std::{
    fmt::{self, Write as _},
    sync::LazyLock,
};

use super::facts::sentence;
use fly_std::{Type, Value, formats::cron, schema::Presence};
use flyc::model::{TypedAttribute, TypedBlock};
use jiff::{
    Timestamp,
    civil::DateTime,
    tz::{TimeZone, TimeZoneDatabase},
};

/// How many runs are told.
const TOLD: usize = 3;

/// The time zone of schedules whose block has no attribute for one.
const UTC: &str = "UTC";

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A moment, in seconds since 1970 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub i64);

/// A run, as people write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    /// The day, with its year when that is another than now.
    day: String,
    /// The time.
    time: String,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.day, self.time)
    }
}

/// When a schedule runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Runs {
    /// The schedule in words.
    /// None when that would read badly.
    pub(super) words: Option<String>,
    /// The next runs, on the clock of the time zone.
    pub(super) next: Vec<Run>,
    /// The time zone.
    pub(super) zone: String,
}

impl Runs {
    /// The next runs in a line; each day is told once.
    pub(super) fn line(&self) -> String {
        let mut line = String::new();
        let mut last = None;
        for run in &self.next {
            line.push_str(if line.is_empty() { "" } else { ", " });
            let same_day = last == Some(&run.day);
            line.push_str(&if same_day { run.time.clone() } else { run.to_string() });
            last = Some(&run.day);
        }
        line
    }

    /// What hovers and tooltips say.
    pub(super) fn markdown(&self) -> String {
        let mut text = match &self.words {
            Some(words) => format!("{words} ({})", self.zone),
            None => format!("Times are in {}.", self.zone),
        };
        if !self.next.is_empty() {
            text.push_str("\n\nNext runs:\n");
        }
        for run in &self.next {
            let _ = write!(text, "\n- {run}");
        }
        text
    }
}

/// The schedules of a block itself.
pub(super) fn schedules(block: &TypedBlock) -> impl Iterator<Item = &TypedAttribute> {
    let is_cron = |attribute: &&TypedAttribute| {
        block.schema.attribute(&attribute.name).is_some_and(|known| known.ty == Type::Cron)
    };
    block.attributes.iter().filter(is_cron)
}

/// When a schedule of a block runs after a moment; none when it is none, or its time zone is not known.
pub(super) fn runs(block: &TypedBlock, schedule: &TypedAttribute, now: Moment) -> Option<Runs> {
    let text = schedule.value.as_ref().and_then(Value::as_str)?;
    let cron = cron::parse(text).ok()?;
    let zone = zone(block)?;
    let clock = ZONES.get(&zone).ok()?;
    let here = Timestamp::from_second(now.0).ok()?.to_zoned(clock).datetime();
    let seconds = TimeZone::UTC.to_timestamp(here).ok()?.as_second();
    let next = cron.runs_after(seconds).take(TOLD).filter_map(|run| shown(run, here)).collect();
    Some(Runs { words: words(text), next, zone })
}

/// A usual schedule in words; none of one that would be hard to read in words.
fn words(text: &str) -> Option<String> {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [minute, hour, day, "*", weekday] = fields[..] else { return None };
    let number = |text: &str, most: u32| text.parse::<u32>().ok().filter(|number| *number <= most);
    let every = match minute {
        "*" => Some((1, "every minute".to_owned())),
        _ => minute
            .strip_prefix("*/")
            .and_then(|step| number(step, 30).filter(|step| *step > 1 && 60 % step == 0))
            .map(|step| (step, format!("every {step} minutes"))),
    };
    let span = hour.split_once('-').and_then(|(from, to)| Some((number(from, 23)?, number(to, 23)?)));
    let span = span.or_else(|| number(hour, 23).filter(|_| every.is_some()).map(|hour| (hour, hour)));
    let days = match (day, weekday) {
        ("*", "*") => String::new(),
        ("*", days) => format!(", {}", weekdays(days)?),
        (day, "*") => format!(", on day {} of the month", number(day, 31)?),
        _ => return None,
    };
    let time = match (every, number(minute, 59), span) {
        (Some((_, every)), _, None) if hour == "*" => every,
        (Some((step, every)), _, Some((from, to))) => {
            format!("{every} from {from:02}:00 to {to:02}:{:02}", 60 - step)
        }
        (None, Some(0), None) if hour == "*" => "every hour".to_owned(),
        (None, Some(minute), None) if hour == "*" => format!("every hour at {minute} minutes past"),
        (None, Some(minute), Some((from, to))) => {
            format!("every hour from {from:02}:{minute:02} to {to:02}:{minute:02}")
        }
        (None, Some(minute), None) => {
            let times: Option<Vec<String>> =
                hour.split(',').map(|hour| Some(format!("{:02}:{minute:02}", number(hour, 23)?))).collect();
            let each = if days.is_empty() { "every day " } else { "" };
            format!("{each}at {}", listed(&times?))
        }
        _ => return None,
    };
    Some(sentence(&format!("{time}{days}")).trim_end_matches('.').to_owned())
}

/// The days of a week in words.
fn weekdays(text: &str) -> Option<String> {
    const NAMES: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
    let name = |day: &str| {
        let named = NAMES.iter().find(|name| name[..3].eq_ignore_ascii_case(day));
        named.or_else(|| NAMES.get(day.parse::<usize>().ok().filter(|day| *day <= 7)? % 7)).copied()
    };
    if let Some((from, to)) = text.split_once('-') {
        return Some(format!("{} to {}", name(from)?, name(to)?));
    }
    let days: Option<Vec<String>> = text.split(',').map(|day| Some(name(day)?.to_owned())).collect();
    Some(format!("on {}", listed(&days?)))
}

/// Some things in a sentence.
fn listed(things: &[String]) -> String {
    match things {
        [others @ .., last] if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => things.concat(),
    }
}

/// The time zone that a block's schedule is read in.
fn zone(block: &TypedBlock) -> Option<String> {
    let Some(known) = block.schema.attributes.iter().find(|known| known.ty == Type::Timezone) else {
        return Some(UTC.to_owned());
    };
    match (block.attribute(known.name), known.presence) {
        (Some(written), _) => written.value.as_ref()?.as_str().map(str::to_owned),
        (None, Presence::Default(default)) => Some(default.trim_matches('"').to_owned()),
        (None, _) => Some(UTC.to_owned()),
    }
}

fn shown(run: i64, now: DateTime) -> Option<Run> {
    let run = Timestamp::from_second(run).ok()?.to_zoned(TimeZone::UTC).datetime();
    let format = if run.year() == now.year() { "%a %-d %b" } else { "%a %-d %b %Y" };
    Some(Run { day: run.strftime(format).to_string(), time: run.strftime("%H:%M").to_string() })
}

#[cfg(test)]
mod tests {
    use flyc::compiler::Compiler;

    use super::*;

    fn next(body: &str, now: i64) -> Option<Runs> {
        let compiler = Compiler::new([("Jobs/a.fly", format!("job \"a\" {{\n{body}\n}}\n"))]);
        let block = &compiler.typed("Jobs/a.fly")?.blocks[0];
        runs(block, schedules(block).next()?, Moment(now))
    }

    #[test]
    fn runs_are_told_on_the_clock_of_the_time_zone() {
        // 2026-01-01 00:30 in UTC, which is half past three in Moscow and the year before in New York.
        let now = 1_767_227_400;
        let told = |body| next(body, now).unwrap().line();
        assert_eq!(told("schedule = \"0 2 * * *\""), "Thu 1 Jan 02:00, Fri 2 Jan 02:00, Sat 3 Jan 02:00");
        assert_eq!(told("schedule = \"0 1,2,3 * * *\""), "Thu 1 Jan 01:00, 02:00, 03:00");
        // Two o'clock is over there.
        assert_eq!(
            told("schedule = \"0 2 * * *\"\ntimezone = \"Europe/Moscow\""),
            "Fri 2 Jan 02:00, Sat 3 Jan 02:00, Sun 4 Jan 02:00",
        );
        assert_eq!(
            told("schedule = \"0 20 * * *\"\ntimezone = \"America/New_York\""),
            "Wed 31 Dec 20:00, Thu 1 Jan 2026 20:00, Fri 2 Jan 2026 20:00"
        );
    }

    #[test]
    fn usual_schedules_are_told_in_words() {
        for (text, expected) in [
            ("0 2 * * *", Some("Every day at 02:00")),
            ("*/15 9-17 * * 1-5", Some("Every 15 minutes from 09:00 to 17:45, Monday to Friday")),
            ("* 3 * * *", Some("Every minute from 03:00 to 03:59")),
            ("0 * * * *", Some("Every hour")),
            ("5 8-10 * * SUN", Some("Every hour from 08:05 to 10:05, on Sunday")),
            ("30 1,2,3 * * 1,7", Some("At 01:30, 02:30 and 03:30, on Monday and Sunday")),
            ("0 0 1 * *", Some("At 00:00, on day 1 of the month")),
            ("*/7 * * * *", None),
            ("0 0 1 * 1", None),
            ("0 0 1 1 *", None),
            ("0 */6 * * *", None),
        ] {
            assert_eq!(words(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_schedule_never_runs() {
        assert_eq!(next("schedule = \"soon\"", 0), None);
        assert_eq!(next("schedule = \"0 2 * * *\"\ntimezone = \"Nowhere\"", 0), None);
    }
}
