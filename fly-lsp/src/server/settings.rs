//! What the user wants, from `initializationOptions`, `workspace/configuration` and `workspace/didChangeConfiguration`.
//!
//! A setting of the wrong type, or of a name that is none, is told and counts as not given. Never here: what the editor
//! can do, and what is done with a setting.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Where the settings stand in an editor's configuration.
pub(crate) const SECTION: &str = "fly";

/// What editors keep in the section for themselves: where the server is and how it is started, what they log of what is
/// said, and which commands they show.
const OF_THE_EDITOR: [&str; 3] = ["server", "trace", "commands"];

/// The settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Settings {
    /// What is shown between the letters of a text.
    pub(crate) inlay_hints: InlayHints,
    /// Whether something is shown above blocks.
    pub(crate) code_lens: bool,
    /// What is told to be wrong.
    pub(crate) diagnostics: Diagnostics,
    /// What the server tells of its own work.
    pub(crate) log_level: LogLevel,
}

/// What is shown between the letters of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InlayHints {
    /// The units of bare numbers.
    pub(crate) units: bool,
    /// When a schedule runs next.
    pub(crate) runs: bool,
    /// What comes from a profile or the Nest.
    pub(crate) inherited: bool,
}

/// What is told to be wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Diagnostics {
    /// Also in files that are not open.
    pub(crate) workspace: bool,
}

/// How much the server tells of its own work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum LogLevel {
    /// Nothing.
    Off,
    /// What it could not do.
    Error,
    /// What it did otherwise than one may expect.
    Warning,
    /// What it does.
    Info,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            inlay_hints: InlayHints { units: true, runs: true, inherited: true },
            code_lens: true,
            diagnostics: Diagnostics { workspace: true },
            log_level: LogLevel::Warning,
        }
    }
}

impl Settings {
    /// The settings that a configuration gives, and what is wrong with it, a sentence each. `null` gives the defaults.
    pub(crate) fn read(given: &Value) -> (Self, Vec<String>) {
        // Some editors send the section alone, some the whole that it stands in.
        let given = given.get(SECTION).unwrap_or(given);
        let mut wrong = Vec::new();
        let Ok(mut known) = serde_json::to_value(Self::default()) else { return (Self::default(), wrong) };
        match given {
            Value::Null => {}
            Value::Object(given) => {
                let mut own = given.clone();
                own.retain(|name, _| !OF_THE_EDITOR.contains(&name.as_str()));
                let mut read = Reading { whole: known.clone(), wrong };
                read.overlay(&mut Vec::new(), &own);
                (known, wrong) = (read.whole, read.wrong);
            }
            other => {
                wrong.push(format!("the settings of `{SECTION}` are {}, and not an object", kind(other)));
            }
        }
        (serde_json::from_value(known).unwrap_or_default(), wrong)
    }
}

struct Reading {
    whole: Value,
    wrong: Vec<String>,
}

impl Reading {
    /// Puts what is given over what is known below a path, one value at a time.
    fn overlay(&mut self, path: &mut Vec<String>, given: &Map<String, Value>) {
        for (name, value) in given {
            path.push(name.clone());
            let pointer = format!("/{}", path.join("/"));
            let shown = format!("{SECTION}.{}", path.join("."));
            let known = self.whole.pointer(&pointer).cloned();
            match (known, value) {
                (None, _) => self.wrong.push(format!("there is no setting `{shown}`; it is left out")),
                // Not set.
                (Some(_), Value::Null) => {}
                (Some(Value::Object(_)), Value::Object(given)) => self.overlay(path, given),
                (Some(known), value) => {
                    let mut whole = self.whole.clone();
                    if let Some(place) = whole.pointer_mut(&pointer) {
                        *place = value.clone();
                    }
                    if serde_json::from_value::<Settings>(whole.clone()).is_ok() {
                        self.whole = whole;
                    } else {
                        self.wrong.push(format!("`{shown}` can't be `{value}`; `{known}` is used instead"));
                    }
                }
            }
            path.pop();
        }
    }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_given_counts_and_the_rest_is_as_by_default() {
        let (settings, wrong) = Settings::read(&json!({
            "inlayHints": { "runs": false, "units": null },
            "codeLens": false,
            "logLevel": "info",
            "trace": { "server": "verbose" },
            "server": { "path": "/usr/bin/fly-lsp" },
        }));
        assert_eq!(wrong, Vec::<String>::new());
        let defaults = Settings::default();
        let inlay_hints = InlayHints { runs: false, ..defaults.inlay_hints };
        assert_eq!(
            settings,
            Settings { inlay_hints, code_lens: false, log_level: LogLevel::Info, ..defaults }
        );
        assert_eq!(Settings::read(&Value::Null), (Settings::default(), Vec::new()));
        let (settings, _) = Settings::read(&json!({ "fly": { "codeLens": false } }));
        assert!(!settings.code_lens, "the whole configuration");
    }

    #[test]
    fn what_is_wrong_is_told_and_left_out() {
        let (settings, wrong) = Settings::read(&json!({
            "inlayHints": { "runs": 3, "colour": "red" },
            "codelens": false,
            "logLevel": "loud",
            "diagnostics": true,
        }));
        assert_eq!(settings, Settings::default());
        expect![[r#"
            there is no setting `fly.codelens`; it is left out
            `fly.diagnostics` can't be `true`; `{"workspace":true}` is used instead
            there is no setting `fly.inlayHints.colour`; it is left out
            `fly.inlayHints.runs` can't be `3`; `true` is used instead
            `fly.logLevel` can't be `"loud"`; `"warning"` is used instead
        "#]]
        .assert_eq(&(wrong.join("\n") + "\n"));
        assert_eq!(Settings::read(&json!([])).1, ["the settings of `fly` are a list, and not an object"]);
    }
}
