//! What `tofu … -json` says: one object from `validate`, a line each from `plan` and `apply`.

use serde::Deserialize;

use crate::diag::Severity;

/// Something `OpenTofu` complains of.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Complaint {
    /// How grave it is.
    #[serde(deserialize_with = "severity")]
    pub severity: Severity,
    /// Its headline.
    #[serde(default)]
    pub summary: String,
    /// What it says beside, in paragraphs.
    #[serde(default)]
    pub detail: String,
    /// The resource it is about.
    #[serde(default)]
    pub address: Option<String>,
    /// Where in the generated files.
    #[serde(default)]
    pub range: Option<Stretch>,
    /// The text there.
    #[serde(default)]
    pub snippet: Option<Snippet>,
}

/// A part of a file that `OpenTofu` read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Stretch {
    /// The file, relative to the folder that `OpenTofu` ran in.
    pub filename: String,
    /// Its beginning.
    pub start: Point,
    /// Behind its end.
    pub end: Point,
}

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Point {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

/// The generated text a complaint is about.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Snippet {
    /// The block around it, `resource "aws_instance" "runner"`.
    #[serde(default)]
    pub context: Option<String>,
    /// The lines.
    #[serde(default)]
    pub code: String,
    /// What the references in it are.
    #[serde(default)]
    pub values: Vec<KnownValue>,
}

/// A reference and what `OpenTofu` tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct KnownValue {
    /// `var.cores`
    pub traversal: String,
    /// `is 3`
    pub statement: String,
}

fn severity<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Severity, D::Error> {
    // What is neither must not be taken lightly.
    Ok(if String::deserialize(deserializer)? == "warning" { Severity::Warning } else { Severity::Error })
}

/// What a line of the output was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A complaint, or a part of an answer.
    Taken,
    /// News of what `OpenTofu` does.
    Progress(String),
    /// Not of `tofu … -json`.
    Foreign,
}

/// Why an output can't be translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSaid {
    /// It has no JSON of `OpenTofu`.
    #[error("this is not what `tofu … -json` says")]
    Nothing,
    /// An object is not complete.
    #[error("what `tofu … -json` says ends in the middle")]
    Unfinished,
}

/// Reads an output as it comes, line by line.
#[derive(Debug, Default)]
pub struct Reader {
    /// An object of several lines that is not complete yet.
    open: String,
    complaints: Vec<Complaint>,
    heard: bool,
}

/// A message of `plan -json`, or the answer of `validate -json`.
#[derive(Deserialize)]
struct Message {
    #[serde(rename = "@message")]
    text: Option<String>,
    diagnostic: Option<Complaint>,
    diagnostics: Option<Vec<Complaint>>,
}

impl Reader {
    /// Takes the next line.
    pub fn line(&mut self, line: &str) -> Heard {
        let line = line.trim_end();
        if self.open.is_empty() {
            if !line.starts_with('{') {
                return if line.is_empty() { Heard::Taken } else { Heard::Foreign };
            }
            if let Some(heard) = self.message(line) {
                return heard;
            }
            // A line that closes what it opens is whole, and then it is not for us.
            if line.ends_with('}') {
                return Heard::Foreign;
            }
        }
        self.open.push_str(line);
        self.open.push('\n');
        if line == "}" {
            let whole = std::mem::take(&mut self.open);
            return self.message(&whole).unwrap_or(Heard::Foreign);
        }
        Heard::Taken
    }

    fn message(&mut self, text: &str) -> Option<Heard> {
        let Message { text: news, diagnostic, diagnostics } = serde_json::from_str(text).ok()?;
        match (news, diagnostic, diagnostics) {
            (_, Some(complaint), _) => self.complaints.push(complaint),
            (_, None, Some(complaints)) => self.complaints.extend(complaints),
            (Some(news), None, None) => {
                self.heard = true;
                return Some(Heard::Progress(news));
            }
            (None, None, None) => return None,
        }
        self.heard = true;
        Some(Heard::Taken)
    }

    /// Every complaint, in the order they came.
    pub fn finish(self) -> Result<Vec<Complaint>, NotSaid> {
        match (self.open.is_empty(), self.heard) {
            (false, _) => Err(NotSaid::Unfinished),
            (true, false) => Err(NotSaid::Nothing),
            (true, true) => Ok(self.complaints),
        }
    }
}

/// Every complaint of an output.
pub fn read(output: &str) -> Result<Vec<Complaint>, NotSaid> {
    let mut reader = Reader::default();
    for line in output.lines() {
        reader.line(line);
    }
    reader.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = r#"{"@level":"info","@message":"OpenTofu 1.12.6","type":"version"}
{"@level":"error","@message":"Error: A","diagnostic":{"severity":"error","summary":"A","detail":"a"},"type":"diagnostic"}
{"@level":"warn","@message":"Warning: B","diagnostic":{"severity":"warning","summary":"B","detail":"","new":1},"type":"diagnostic"}
"#;

    #[test]
    fn lines_and_one_object_are_read() {
        let complaints = read(PLAN).unwrap();
        let told: Vec<_> = complaints.iter().map(|one| (one.severity, one.summary.as_str())).collect();
        assert_eq!(told, [(Severity::Error, "A"), (Severity::Warning, "B")]);

        let object = "{\n  \"valid\": false,\n  \"diagnostics\": [\n    {\n      \"severity\": \"odd\",\n      \"summary\": \"A\"\n    }\n  ]\n}\n";
        assert_eq!(read(object).unwrap()[0].severity, Severity::Error);
        assert_eq!(read("{\n  \"valid\": true,\n  \"diagnostics\": []\n}\n"), Ok(Vec::new()));
    }

    #[test]
    fn what_is_not_of_opentofu_is_told_apart() {
        let mut reader = Reader::default();
        assert_eq!(reader.line("panic: oh"), Heard::Foreign);
        assert_eq!(reader.line("{\"a\": 1}"), Heard::Foreign);
        assert_eq!(reader.line("{ not json }"), Heard::Foreign);
        assert_eq!(reader.line(""), Heard::Taken);
        assert_eq!(reader.line(PLAN.lines().next().unwrap()), Heard::Progress("OpenTofu 1.12.6".into()));
        assert_eq!(reader.finish(), Ok(Vec::new()));
        assert_eq!(read(""), Err(NotSaid::Nothing));
        assert_eq!(read("tofu: command not found\n"), Err(NotSaid::Nothing));
        assert_eq!(read("{\n  \"diagnostics\": [\n"), Err(NotSaid::Unfinished));
    }
}
