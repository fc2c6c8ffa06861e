//! When pipeline schedules fire: minute by minute, field by field, with nothing of the service's own.

use super::state::World;

/// Seconds of a day, and of a minute.
const DAY: i64 = 24 * 3600;
const MINUTE: i64 = 60;

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A minute of the calendar.
struct Minute {
    of_hour: u32,
    hour: u32,
    day: u32,
    month: u32,
    weekday: u32,
    last_day: u32,
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn length(year: i64, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

impl Minute {
    /// The minute in which a moment is, in seconds since 1970 on the clock of the schedule's zone; nothing before that.
    fn of(seconds: i64) -> Self {
        let (mut days, rest) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        let number = |number: i64| u32::try_from(number).unwrap_or_default();
        let weekday = number((days + 4).rem_euclid(7));
        let (mut year, mut month) = (1970, 1);
        loop {
            let of_year = if is_leap(year) { 366 } else { 365 };
            if days < of_year {
                break;
            }
            days -= of_year;
            year += 1;
        }
        while days >= i64::from(length(year, month)) {
            days -= i64::from(length(year, month));
            month += 1;
        }
        Self {
            of_hour: number(rest / MINUTE % 60),
            hour: number(rest / 3600),
            day: number(days) + 1,
            month,
            weekday,
            last_day: length(year, month),
        }
    }
}

/// The number that a word of a field is.
fn number(word: &str, names: &[&str], first: u32) -> Option<u32> {
    let listed = names.iter().position(|name| name.eq_ignore_ascii_case(word));
    listed.and_then(|at| u32::try_from(at).ok()).map(|at| at + first).or_else(|| word.parse().ok())
}

/// Whether a field has this value: a list of `*`, numbers, names and ranges, each with a step or without.
fn has(field: &str, value: u32, (least, most): (u32, u32), names: &[&str]) -> bool {
    field.split(',').any(|part| {
        let (range, step) = part.split_once('/').unwrap_or((part, "1"));
        let Ok(step) = step.parse::<u32>() else { return false };
        let first = u32::from(names.len() == 12);
        let (from, to) = if range == "*" {
            (Some(least), Some(most))
        } else if let Some((from, to)) = range.split_once('-') {
            (number(from, names, first), number(to, names, first))
        } else {
            (number(range, names, first), number(range, names, first))
        };
        let (Some(from), Some(to)) = (from, to) else { return false };
        (from..=to).contains(&value) && (value - from).is_multiple_of(step.max(1))
    })
}

fn has_day(field: &str, now: &Minute) -> bool {
    field.split(',').any(|part| match part {
        "L" => now.day == now.last_day,
        _ => has(part, now.day, (1, 31), &[]),
    })
}

fn has_weekday(field: &str, now: &Minute) -> bool {
    field.split(',').any(|part| match part.split_once('#') {
        Some((day, nth)) => {
            let wanted = number(day, &WEEKDAYS, 0).map(|day| day % 7);
            wanted == Some(now.weekday) && nth.parse() == Ok((now.day - 1) / 7 + 1)
        }
        // Sunday is 0 and 7.
        None => {
            has(part, now.weekday, (0, 6), &WEEKDAYS)
                || now.weekday == 0 && part != "*" && has(part, 7, (0, 7), &WEEKDAYS)
        }
    })
}

/// Whether a cron expression fires in the minute of a moment.
pub fn fires(cron: &str, seconds: i64) -> bool {
    let fields: Vec<&str> = cron.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields[..] else { return false };
    let now = Minute::of(seconds);
    let of_day = has_day(day, &now);
    let of_week = has_weekday(weekday, &now);
    let is_day = match (day == "*", weekday == "*") {
        // Where both are told, either will do.
        (false, false) => of_day || of_week,
        _ => of_day && of_week,
    };
    is_day
        && has(month, now.month, (1, 12), &MONTHS)
        && has(hour, now.hour, (0, 23), &[])
        && has(minute, now.of_hour, (0, 59), &[])
}

impl World {
    /// A minute has come: every schedule of which it is the time starts its pipeline. Which did: project and schedule.
    pub fn minute(&mut self, seconds: i64) -> Vec<(u64, u64)> {
        let due: Vec<(u64, u64)> = self
            .projects
            .iter()
            .flat_map(|(project, of)| {
                of.schedules.iter().map(move |(id, schedule)| (*project, *id, schedule))
            })
            .filter(|(_, _, schedule)| schedule.active && fires(&schedule.cron, seconds))
            .map(|(project, id, _)| (project, id))
            .collect();
        for (project, id) in &due {
            self.play(*project, *id);
        }
        due
    }
}
