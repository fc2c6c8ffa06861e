//! The `sarif` format: SARIF 2.1.0. What never lives here: parts of SARIF that flyc has nothing to say in.

use std::{collections::BTreeMap, fmt::Write as _, io};

use serde::Serialize;

use crate::diag::{Declaration, Severity, Span};

use super::{Report, advised, fingerprint::Fingerprints, mask::mask, place::Places};

/// The schema of the version.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'a str,
    version: &'a str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool<'a>,
    column_kind: &'a str,
    results: Vec<Finding<'a>>,
}

#[derive(Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'a> {
    name: &'a str,
    version: &'a str,
    information_uri: &'a str,
    rules: Vec<Rule<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule<'a> {
    id: &'a str,
    short_description: Message<'a>,
    help_uri: String,
    help: Help<'a>,
    default_configuration: Configuration<'a>,
}

#[derive(Serialize)]
struct Help<'a> {
    text: &'a str,
    markdown: &'a str,
}

#[derive(Serialize)]
struct Configuration<'a> {
    level: &'a str,
}

#[derive(Serialize)]
struct Message<'a> {
    text: std::borrow::Cow<'a, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding<'a> {
    rule_id: &'a str,
    rule_index: usize,
    level: &'a str,
    message: Message<'a>,
    locations: [Location<'a>; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location<'a>>,
    partial_fingerprints: BTreeMap<&'a str, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::struct_field_names, reason = "SARIF's names")]
struct Location<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
struct ArtifactLocation {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
    byte_offset: u32,
    byte_length: u32,
}

/// Writes the log.
pub(super) fn write(report: &Report<'_>, places: &Places<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let kinds: BTreeMap<&str, &'static Declaration> =
        report.diagnostics.iter().map(|diagnostic| (diagnostic.kind.id, diagnostic.kind)).collect();
    let index: BTreeMap<&str, usize> = kinds.keys().enumerate().map(|(index, id)| (*id, index)).collect();
    let mut fingerprints = Fingerprints::default();
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "flyc",
                    version: env!("CARGO_PKG_VERSION"),
                    information_uri: "https://polar-gosling.gitlab.io",
                    rules: kinds.into_values().map(rule).collect(),
                },
            },
            column_kind: "unicodeCodePoints",
            results: report
                .diagnostics
                .iter()
                .map(|diagnostic| Finding {
                    rule_id: diagnostic.kind.id,
                    rule_index: index.get(diagnostic.kind.id).copied().unwrap_or_default(),
                    level: level(diagnostic.severity()),
                    message: Message { text: advised(diagnostic).into() },
                    locations: [location(&diagnostic.span, places)],
                    related_locations: diagnostic
                        .related
                        .iter()
                        .enumerate()
                        .map(|(id, related)| Location {
                            id: Some(id),
                            message: Some(Message { text: mask(&related.message) }),
                            ..location(&related.span, places)
                        })
                        .collect(),
                    partial_fingerprints: [("flyc/v1", fingerprints.next(diagnostic, places))].into(),
                })
                .collect(),
        }],
    };
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

/// The rule of a kind.
fn rule(kind: &'static Declaration) -> Rule<'static> {
    Rule {
        id: kind.id,
        short_description: Message { text: kind.summary.into() },
        help_uri: kind.url(),
        help: Help { text: kind.summary, markdown: kind.page },
        default_configuration: Configuration { level: level(kind.severity) },
    }
}

/// SARIF's word for a severity.
const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// A span; without a region when nobody has the text.
fn location<'a>(span: &Span, places: &Places<'_>) -> Location<'a> {
    let region = places.source(&span.file).map(|_| {
        let place = places.place(span);
        Region {
            start_line: place.start.line,
            start_column: place.start.column,
            end_line: place.end.line,
            end_column: place.end.column,
            byte_offset: place.start.offset,
            byte_length: place.end.offset - place.start.offset,
        }
    });
    Location {
        id: None,
        physical_location: PhysicalLocation {
            artifact_location: ArtifactLocation { uri: uri(&span.file) },
            region,
        },
        message: None,
    }
}

/// A path as a relative URI.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            byte => {
                // Writing to a String can't fail.
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}
