//! Cron schedules in words, and when they run next.
//!
//! The clock is whoever asks: a moment goes in. Time zones are those of the bundled database, so that every machine says the
//! same. What never lives here: a clock.

use std::{
    fmt::{self, Write as _},
    sync::LazyLock,
};

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
    pub(super) words: String,
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
        let mut text = format!("{} ({})", self.words.trim_end_matches('.'), self.zone);
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
    Some(Runs { words: cron.describe(), next, zone })
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
    fn what_is_no_schedule_never_runs() {
        assert_eq!(next("schedule = \"soon\"", 0), None);
        assert_eq!(next("schedule = \"0 2 * * *\"\ntimezone = \"Nowhere\"", 0), None);
    }
}
