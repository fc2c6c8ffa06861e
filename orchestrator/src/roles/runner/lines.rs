//! What the agent says in its log: a line in, what it means out. Lines are JSON as `config.toml` asks for, and text as long as
//! the agent has not read it.

use serde::Deserialize;

/// What a line means for the runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// The agent has set itself up and asks for jobs. It says earlier that it has read its configuration, but signals would
    /// still end it then.
    Ready,
    /// It has read its configuration: at its start, or because it is another one.
    Loaded,
    /// It has heard that it is to end.
    Stopping,
    /// It works on a job. One that was received and can't be worked on is not told of again, and is none.
    Took(u64),
    /// A job came to its end, of which GitLab has yet to be told.
    Ended(u64, Outcome),
    /// GitLab was told, and nothing is left to do for the job, however it ended.
    Left(u64),
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It ran to its end, well or not: that is its author's business.
    Ran,
    /// It came to grief by the runner's fault.
    SystemFailure,
}

/// A line, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) level: Level,
    pub(super) message: String,
    pub(super) job: Option<u64>,
}

/// How loud a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Quiet,
    Info,
    Warning,
    Error,
}

#[derive(Deserialize)]
struct Json {
    #[serde(default)]
    level: String,
    msg: String,
    #[serde(default)]
    job: Option<Number>,
}

/// Numbers stand in some lines as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Number(u64),
    Text(String),
}

impl Number {
    fn get(self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(number),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

impl Line {
    /// Takes a line apart; an empty one is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.starts_with('{')
            && let Ok(json) = serde_json::from_str::<Json>(text)
        {
            let level = match json.level.as_str() {
                "trace" | "debug" => Level::Quiet,
                "warning" | "warn" => Level::Warning,
                "error" | "fatal" | "panic" => Level::Error,
                _ => Level::Info,
            };
            let message = json.msg.trim().to_owned();
            if message.is_empty() {
                return None;
            }
            return Some(Self { level, message, job: json.job.and_then(Number::get) });
        }
        let plain = without_colour(text);
        let plain = plain.trim();
        if plain.is_empty() {
            return None;
        }
        let levels = [
            ("WARNING: ", Level::Warning),
            ("ERROR: ", Level::Error),
            ("FATAL: ", Level::Error),
            ("PANIC: ", Level::Error),
            ("DEBUG: ", Level::Quiet),
        ];
        let found = levels.iter().find_map(|(word, level)| Some((plain.strip_prefix(word)?, *level)));
        let (rest, level) = found.unwrap_or((plain, Level::Info));
        let job = rest.split_whitespace().find_map(|word| word.strip_prefix("job=")?.parse().ok());
        // Fields stand behind the message, aligned.
        let message = rest.split_once("  ").map_or(rest, |(message, _)| message).trim().to_owned();
        Some(Self { level, message, job })
    }

    /// What it means; most lines mean nothing.
    pub(super) fn event(&self) -> Option<Event> {
        let begins = |words: &str| self.message.starts_with(words);
        if begins("Initializing executor providers") {
            return Some(Event::Ready);
        }
        if begins("Configuration loaded") {
            return Some(Event::Loaded);
        }
        if self.message.ends_with("received stop signal") || begins("Starting graceful shutdown") {
            return Some(Event::Stopping);
        }
        let job = self.job?;
        if begins("Added job to processing list") {
            Some(Event::Took(job))
        } else if begins("Job succeeded") {
            Some(Event::Ended(job, Outcome::Ran))
        } else if begins("Job failed (system failure)") {
            Some(Event::Ended(job, Outcome::SystemFailure))
        } else if begins("Job failed") {
            Some(Event::Ended(job, Outcome::Ran))
        } else if begins("Removed job from processing list") {
            Some(Event::Left(job))
        } else {
            None
        }
    }
}

/// The text without the escapes that colour it.
fn without_colour(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        out.push_str(&rest[..at]);
        let tail = &rest[at + 2..];
        rest = tail.find(|c: char| c.is_ascii_alphabetic()).map_or("", |end| &tail[end + 1..]);
    }
    out + rest
}

#[cfg(test)]
mod tests;
