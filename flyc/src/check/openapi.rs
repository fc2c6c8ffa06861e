//! The author's own description of the API, as far as a gateway refuses it, or lets nothing or too much in with it.
//!
//! What never lives here: the rest of `OpenAPI`, which the gateway itself reads.

use std::{collections::HashMap, rc::Rc};

use saphyr_parser::{Event, Parser, ScalarStyle};

use super::{FileScope, shown};
use crate::{
    artifact::Provider,
    config,
    diag::{Diagnostic, declare_diagnostic},
    model::{TypedBlock, installation_asset},
};

declare_diagnostic! { pub BAD_OPENAPI = "bad-openapi", Error, "an OpenAPI description that no gateway takes" }
declare_diagnostic! { pub UNANSWERED_API = "unanswered-api", Warning, "an OpenAPI description with requests that nothing answers" }

/// How deeply collections may nest.
const DEPTH_LIMIT: usize = 100;
/// The paths that only the system's own clocks and queues call.
const INTERNAL: &str = "/internal";
/// What says where Yandex Cloud's gateway sends a request.
const INTEGRATION: &str = "x-yc-apigateway-integration";

pub(super) fn check(scope: &FileScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for root in scope.blocks.iter().filter(|block| block.name == "mothergoose") {
        description(scope, root, diagnostics);
    }
}

fn description(scope: &FileScope<'_>, root: &TypedBlock, diagnostics: &mut Vec<Diagnostic>) {
    let Some(attribute) = root.block("api_gateway").and_then(|gateway| gateway.attribute("openapi_spec"))
    else {
        return;
    };
    let Some(path) = attribute.value.as_ref().and_then(|value| value.as_str()) else { return };
    let Some(text) = installation_asset(scope.db, path) else { return };
    let file = shown(path);
    let span = scope.span(attribute.range);
    let (faults, integrated) = match read(&text) {
        Err(fault) => (vec![fault], false),
        Ok(document) => (faults(document.root.as_deref()), document.integrated),
    };
    let broken = !faults.is_empty();
    let provider = config::installation_provider(root);
    diagnostics.extend(faults.into_iter().map(|fault| {
        // On AWS such a path is left out; elsewhere it would be a door.
        let left_out = fault.internal && provider == Some(Provider::Aws);
        let kind = if left_out { &UNANSWERED_API } else { &BAD_OPENAPI };
        let at = format!("`{file}`, line {}: ", fault.line);
        Diagnostic::new(kind, span.clone(), at + &fault.message, "describes the API")
            .help(fault.help.to_owned())
    }));
    if !broken && !integrated && provider == Some(Provider::Yandex) {
        diagnostics.push(
            Diagnostic::new(
                &UNANSWERED_API,
                span,
                format!("`{file}` has no `{INTEGRATION}`, so the gateway answers no request"),
                "describes the API",
            )
            .help(format!(
                "write an `{INTEGRATION}` for each operation, with `type: serverless_containers` and `container_id: GOSLING_API_CONTAINER_ID`"
            )),
        );
    }
}

/// What is wrong, and on which line.
struct Fault {
    line: usize,
    message: String,
    help: &'static str,
    /// Whether it is of a path below `/internal/`.
    internal: bool,
}

/// A node, and the line it begins on.
struct Node {
    line: usize,
    data: Data,
}

struct Entry {
    key: String,
    /// The line of the key.
    line: usize,
    value: Rc<Node>,
}

enum Data {
    Null,
    Scalar(String),
    List,
    Map(Vec<Entry>),
}

impl Data {
    const fn what(&self) -> &'static str {
        match self {
            Self::Null => "empty",
            Self::Scalar(_) => "a single value",
            Self::List => "a list",
            Self::Map(_) => "a map",
        }
    }
}

fn faults(root: Option<&Node>) -> Vec<Fault> {
    const WRITE: &str = "write `paths:`, and below it each path with its operations";
    let Some(root) = root else {
        return vec![Fault {
            line: 1,
            message: "the description is empty".to_owned(),
            help: WRITE,
            internal: false,
        }];
    };
    let Data::Map(entries) = &root.data else {
        let message = format!("a description is a map, and this is {}", root.data.what());
        return vec![Fault { line: root.line, message, help: WRITE, internal: false }];
    };
    let Some(paths) = entries.iter().find(|entry| entry.key == "paths") else {
        let message = "the description has no `paths`".to_owned();
        return vec![Fault { line: root.line, message, help: WRITE, internal: false }];
    };
    let Data::Map(items) = &paths.value.data else {
        let message = format!("`paths` is a map, and this is {}", paths.value.data.what());
        return vec![Fault { line: paths.line, message, help: WRITE, internal: false }];
    };
    // What begins with `x-` is an extension; `<<` brings in paths that stand elsewhere.
    items.iter().filter(|item| item.key != "<<" && !item.key.starts_with("x-")).filter_map(fault).collect()
}

fn fault(item: &Entry) -> Option<Fault> {
    let path = item.key.as_str();
    let name = shown(path);
    let (message, help) = if !path.starts_with('/') {
        (format!("the path `{name}` does not begin with `/`"), "put a `/` before it")
    } else if path.contains(char::is_whitespace) {
        (format!("the path `{name}` has a space in it"), "write it without spaces, or as `%20`")
    } else if path.strip_prefix(INTERNAL).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
        (
            format!(
                "the path `{name}` has no way in: only the system's own clocks and queues call what is below `{INTERNAL}`"
            ),
            "remove it",
        )
    } else if matches!(item.value.data, Data::Map(_)) {
        return None;
    } else {
        (
            format!("a path holds a map of its operations, and `{name}` is {}", item.value.data.what()),
            "write its operations below it, such as `get:`, or remove it",
        )
    };
    Some(Fault { line: item.line, message, help, internal: path.starts_with("/internal/") })
}

struct Document {
    root: Option<Rc<Node>>,
    /// Whether anything says where requests are sent.
    integrated: bool,
}

/// A collection that is being read.
struct Open {
    anchor: usize,
    line: usize,
    data: Data,
    /// The key whose value comes next.
    key: Option<(String, usize)>,
}

/// The first document of a text.
fn read(text: &str) -> Result<Document, Fault> {
    const HELP: &str = "write it as YAML or JSON";
    let mut document = Document { root: None, integrated: false };
    let mut open: Vec<Open> = Vec::new();
    let mut anchors: HashMap<usize, Rc<Node>> = HashMap::new();
    for event in Parser::new_from_str(text) {
        let (event, marks) = event.map_err(|error| Fault {
            line: error.marker().line(),
            message: format!("this is no YAML: {}", error.info()),
            help: HELP,
            internal: false,
        })?;
        let line = marks.start.line();
        let fault = |message: &str| Fault { line, message: message.to_owned(), help: HELP, internal: false };
        let (node, anchor) = match event {
            Event::DocumentEnd => break,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => continue,
            Event::Alias(anchor) => {
                let node = anchors.get(&anchor).ok_or_else(|| fault("an anchor can't hold itself"))?;
                (Rc::clone(node), 0)
            }
            Event::Scalar(text, style, anchor, _) => {
                document.integrated |= text == INTEGRATION;
                let plain = style == ScalarStyle::Plain;
                let data = match &*text {
                    "" | "~" | "null" if plain => Data::Null,
                    text => Data::Scalar(text.to_owned()),
                };
                (Rc::new(Node { line, data }), anchor)
            }
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() >= DEPTH_LIMIT => {
                return Err(fault("this nests too deeply"));
            }
            Event::SequenceStart(anchor, _) => {
                open.push(Open { anchor, line, data: Data::List, key: None });
                continue;
            }
            Event::MappingStart(anchor, _) => {
                open.push(Open { anchor, line, data: Data::Map(Vec::new()), key: None });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(Open { anchor, line, data, .. }) = open.pop() else { continue };
                (Rc::new(Node { line, data }), anchor)
            }
        };
        if anchor > 0 {
            anchors.insert(anchor, Rc::clone(&node));
        }
        match open.last_mut() {
            None => document.root = Some(node),
            Some(Open { data: Data::Map(entries), key, .. }) => match key.take() {
                Some((key, line)) => entries.push(Entry { key, line, value: node }),
                None => {
                    let text = match &node.data {
                        Data::Scalar(text) => text.clone(),
                        _ => String::new(),
                    };
                    *key = Some((text, line));
                }
            },
            Some(_) => {}
        }
    }
    Ok(document)
}
