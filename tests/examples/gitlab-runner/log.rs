//! Its log, as the real one writes it: text, or JSON when the command line or the config file say so.

use std::sync::Mutex;

use serde_json::{Map, Value};

/// How loud a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Info,
    Warning,
    Error,
    Fatal,
}

/// How lines are written. What the command line says holds.
struct Manner {
    json: bool,
    least: Level,
    told: bool,
}

static MANNER: Mutex<Manner> = Mutex::new(Manner { json: false, least: Level::Info, told: false });

/// Takes what the command line says.
pub(crate) fn begin(format: Option<&str>, level: Option<&str>) -> Result<(), String> {
    let mut manner = manner();
    manner.told = format.is_some();
    manner.json = is_json(format.unwrap_or("runner"))?;
    manner.least = match level.unwrap_or("info") {
        "trace" | "debug" | "info" => Level::Info,
        "warn" | "warning" => Level::Warning,
        "error" => Level::Error,
        "fatal" | "panic" => Level::Fatal,
        other => return Err(format!("failed to parse log level: not a valid logrus Level: {other:?}")),
    };
    Ok(())
}

/// Takes what the config file says.
pub(crate) fn configure(format: Option<&str>) -> Result<(), String> {
    let mut manner = manner();
    if !manner.told {
        manner.json = is_json(format.unwrap_or("runner"))?;
    }
    Ok(())
}

fn is_json(format: &str) -> Result<bool, String> {
    match format {
        "json" => Ok(true),
        "runner" | "text" => Ok(false),
        other => Err(format!("unknown log format {other:?}")),
    }
}

fn manner() -> std::sync::MutexGuard<'static, Manner> {
    MANNER.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Writes a line.
pub(crate) fn log(level: Level, message: &str, fields: &[(&str, Value)]) {
    let manner = manner();
    if level < manner.least {
        return;
    }
    if manner.json {
        let word = match level {
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
            Level::Fatal => "fatal",
        };
        let mut line: Map<String, Value> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        line.extend([("level", word), ("msg", message)].map(|(name, value)| (name.to_owned(), value.into())));
        eprintln!("{}", Value::Object(line));
        return;
    }
    let before = match level {
        Level::Info => "",
        Level::Warning => "WARNING: ",
        Level::Error => "ERROR: ",
        Level::Fatal => "FATAL: ",
    };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!(" {name}={}", text(value))).collect();
    eprintln!("{before}{message:<width$} {}", fields.concat(), width = 50 - before.len());
}
