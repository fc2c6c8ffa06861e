//! How things are shown to people: columns, ages, colours.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

use crate::wire::Moment;

/// A colour, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    Bold,
    Dim,
    Good,
    Busy,
    Bad,
}

impl Paint {
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Good => "32",
            Self::Busy => "33",
            Self::Bad => "31",
        }
    }

    /// The text in this colour.
    pub(super) fn on(self, text: &str, colour: bool) -> String {
        if colour && self != Self::Plain {
            format!("\u{1b}[{}m{text}\u{1b}[0m", self.code())
        } else {
            text.to_owned()
        }
    }
}

/// Rows under a heading, each column as wide as what is in it.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Vec<(String, Paint)>>,
}

impl Table {
    pub(super) fn new(heading: &[&str]) -> Self {
        Self { rows: vec![heading.iter().map(|text| ((*text).to_owned(), Paint::Dim)).collect()] }
    }

    pub(super) fn row<const N: usize>(&mut self, cells: [(String, Paint); N]) {
        self.rows.push(cells.into_iter().map(|(text, paint)| (clean(&text), paint)).collect());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.len() < 2
    }

    pub(super) fn render(&self, colour: bool) -> String {
        let columns = self.rows.first().map_or(0, Vec::len);
        let width = |column: usize| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|(text, _)| text.width()).max()
        };
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
        let mut out = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (at, (text, paint)) in row.iter().enumerate() {
                if text.is_empty() && row[at..].iter().all(|(text, _)| text.is_empty()) {
                    break;
                }
                if at > 0 {
                    line.push_str("  ");
                }
                line.push_str(&paint.on(text, colour));
                if row[at + 1..].iter().any(|(text, _)| !text.is_empty()) {
                    let pad = widths.get(at).copied().unwrap_or_default() - text.width();
                    line.extend(std::iter::repeat_n(' ', pad));
                }
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

/// A text that does nothing to a terminal: control characters are shown as what they are.
pub(super) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            let _ = write!(out, "{}", c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// How long ago something was: `12 s`, `3 min`, `5 h`, `9 d`.
pub(super) fn age(then: Moment, now: Moment) -> String {
    length(now.0.as_millis().saturating_sub(then.0.as_millis()))
}

/// A length of time, by its largest unit.
pub(super) fn length(millis: u64) -> String {
    let seconds = millis / 1000;
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// The line of an error that says most, where there is room for one: what `OpenTofu failed:` stands above.
pub(super) fn headline(error: &str) -> &str {
    let mut lines = error.lines().map(str::trim);
    let first = lines.next().unwrap_or_default();
    if first.ends_with(':') { lines.next().unwrap_or(first) } else { first }
}

/// A commit as people know it.
pub(super) fn short(commit: &str) -> String {
    clean(commit).chars().take(8).collect()
}

/// `1 busy, 2 idle`.
pub(super) fn counts<'a>(counts: impl IntoIterator<Item = (&'a String, &'a u64)>) -> String {
    let parts: Vec<String> = counts
        .into_iter()
        .filter(|(_, number)| **number > 0)
        .map(|(state, number)| format!("{number} {state}"))
        .collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}
