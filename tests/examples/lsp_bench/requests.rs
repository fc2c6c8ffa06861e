//! How long the questions take that an editor asks of its own accord, at every move of the cursor or after every edit, and
//! those that a person asks about the whole workspace.
//!
//! What never lives here: completion, and what an edit takes.

#![allow(clippy::needless_pass_by_value, reason = "the `json!` macro makes values, which are given away")]

use std::time::Duration;

use serde_json::{Value, json};

use crate::{Document, Options, distribution, lines, server::Server};

/// A question is only asked when the server says that it answers it.
struct Question {
    /// What it is called in the list.
    name: &'static str,
    method: &'static str,
    capability: &'static str,
    /// How often, as a part of `--requests`.
    parts: usize,
    params: fn(&Document, Value, &str) -> Value,
}

/// Asked at each word of the file in turn.
const AT_WORDS: &[Question] = &[
    Question {
        name: "hover",
        method: "textDocument/hover",
        capability: "hoverProvider",
        parts: 1,
        params: at_position,
    },
    Question {
        name: "highlights",
        method: "textDocument/documentHighlight",
        capability: "documentHighlightProvider",
        parts: 1,
        params: at_position,
    },
    Question {
        name: "definition",
        method: "textDocument/definition",
        capability: "definitionProvider",
        parts: 1,
        params: at_position,
    },
    Question {
        name: "signature",
        method: "textDocument/signatureHelp",
        capability: "signatureHelpProvider",
        parts: 1,
        params: at_position,
    },
    Question {
        name: "code actions",
        method: "textDocument/codeAction",
        capability: "codeActionProvider",
        parts: 1,
        params: actions,
    },
];

/// Asked about the file.
const ABOUT_FILE: &[Question] = &[
    Question {
        name: "inlay hints",
        method: "textDocument/inlayHint",
        capability: "inlayHintProvider",
        parts: 1,
        params: |document, _, _| json!({ "textDocument": { "uri": document.uri }, "range": document.whole() }),
    },
    Question {
        name: "code lenses",
        method: "textDocument/codeLens",
        capability: "codeLensProvider",
        parts: 1,
        params: whole,
    },
    Question {
        name: "semantic tokens",
        method: "textDocument/semanticTokens/full",
        capability: "semanticTokensProvider",
        parts: 1,
        params: whole,
    },
    Question {
        name: "symbols of the file",
        method: "textDocument/documentSymbol",
        capability: "documentSymbolProvider",
        parts: 1,
        params: whole,
    },
    Question {
        name: "folds",
        method: "textDocument/foldingRange",
        capability: "foldingRangeProvider",
        parts: 1,
        params: whole,
    },
    Question {
        name: "format",
        method: "textDocument/formatting",
        capability: "documentFormattingProvider",
        parts: 1,
        params: |document, _, _| json!({ "textDocument": { "uri": document.uri }, "options": { "tabSize": 2, "insertSpaces": true } }),
    },
    Question {
        name: "diagnostics asked for",
        method: "textDocument/diagnostic",
        capability: "diagnosticProvider",
        parts: 1,
        params: whole,
    },
];

/// Asked about the name that `--name` gives, of the whole workspace.
const ABOUT_NAME: &[Question] = &[
    Question {
        name: "references",
        method: "textDocument/references",
        capability: "referencesProvider",
        parts: 10,
        params: |document, at, _| {
            let mut params = at_position(document, at, "");
            params["context"] = json!({ "includeDeclaration": true });
            params
        },
    },
    Question {
        name: "rename",
        method: "textDocument/rename",
        capability: "renameProvider",
        parts: 10,
        params: |document, at, name| {
            let mut params = at_position(document, at, "");
            params["newName"] = json!(format!("{name}-anew"));
            params
        },
    },
    Question {
        name: "symbols of the workspace",
        method: "workspace/symbol",
        capability: "workspaceSymbolProvider",
        parts: 10,
        params: |_, _, name| json!({ "query": name }),
    },
    Question {
        name: "every symbol of the workspace",
        method: "workspace/symbol",
        capability: "workspaceSymbolProvider",
        parts: 20,
        params: |_, _, _| json!({ "query": "" }),
    },
];

fn at_position(document: &Document, at: Value, _: &str) -> Value {
    json!({ "textDocument": { "uri": document.uri }, "position": at })
}

fn whole(document: &Document, _: Value, _: &str) -> Value {
    json!({ "textDocument": { "uri": document.uri } })
}

fn actions(document: &Document, at: Value, _: &str) -> Value {
    let range = json!({ "start": at, "end": at });
    json!({ "textDocument": { "uri": document.uri }, "range": range, "context": { "diagnostics": [], "triggerKind": 2 } })
}

/// Asks everything that the server answers.
pub(crate) fn measure(options: &Options, server: &mut Server, document: &mut Document, capabilities: &Value) {
    let has =
        |question: &Question| !matches!(capabilities[question.capability], Value::Null | Value::Bool(false));
    let words: Vec<usize> = lines(&document.text)
        .flat_map(|(start, line)| {
            let starts = line
                .char_indices()
                .zip(line.chars().skip(1))
                .map(|((at, before), after)| (at, before, after));
            starts
                .filter(|(_, before, after)| !before.is_alphanumeric() && after.is_alphanumeric())
                .map(move |(at, ..)| start + at + 1)
        })
        .collect();
    for question in AT_WORDS.iter().filter(|question| has(question)) {
        let places = (0..options.requests).map(|at| words[at % words.len()]);
        ask(options, server, document, question, question.name, places);
    }
    if capabilities["codeActionProvider"].is_object() || capabilities["codeActionProvider"] == true {
        mistakes(options, server, document);
    }
    for question in ABOUT_FILE.iter().filter(|question| has(question)) {
        ask(options, server, document, question, question.name, std::iter::repeat_n(0, options.requests));
    }
    if capabilities["codeLensProvider"]["resolveProvider"] == true {
        lenses(options, server, document);
    }
    if let Some(at) = document.text.find(&options.name) {
        for question in ABOUT_NAME.iter().filter(|question| has(question)) {
            let times = options.requests.div_ceil(question.parts);
            ask(options, server, document, question, question.name, std::iter::repeat_n(at, times));
        }
    }
}

/// Asks at places, and tells how long the answers took and how large they were.
fn ask(
    options: &Options,
    server: &mut Server,
    document: &Document,
    question: &Question,
    name: &str,
    places: impl Iterator<Item = usize>,
) {
    let (mut times, mut refused, mut found) = (Vec::new(), 0, 0);
    for at in places {
        let params = (question.params)(document, document.position(at), &options.name);
        let (time, answer) = timed(server, question.method, params);
        times.push(time);
        refused += usize::from(answer["error"].is_object());
        found += size(&answer["result"]);
    }
    tell(name, times, found, refused);
}

/// Code actions while the edit's mistake stands there, at the mistake: asked when its diagnostics have come, and asked at once,
/// while they are still being made.
fn mistakes(options: &Options, server: &mut Server, document: &mut Document) {
    for waits in [true, false] {
        let (mut times, mut refused, mut found) = (Vec::new(), 0, 0);
        for _ in 0..options.requests {
            let at = document.text.find(&options.edit.0).expect("the text to replace stands in the file");
            document.replace(server, &options.edit.0, &options.edit.1);
            if waits {
                server.diagnostics_of(&document.uri, document.version);
            }
            // In the last word: what is wrong may be behind the name.
            let word = options.edit.1.rfind('"').unwrap_or(options.edit.1.len()).saturating_sub(1);
            let params = actions(document, document.position(at + word), "");
            let (time, answer) = timed(server, "textDocument/codeAction", params);
            times.push(time);
            refused += usize::from(answer["error"].is_object());
            found += size(&answer["result"]);
            document.replace(server, &options.edit.1, &options.edit.0);
            server.diagnostics_of(&document.uri, document.version);
        }
        let name = if waits { "code actions at a mistake" } else { "code actions right after the mistake" };
        tell(name, times, found, refused);
    }
}

/// What the lenses of the file say, each asked for by itself.
fn lenses(options: &Options, server: &mut Server, document: &Document) {
    let (_, answer) = timed(server, "textDocument/codeLens", whole(document, Value::Null, ""));
    let lenses = answer["result"].as_array().cloned().unwrap_or_default();
    if lenses.is_empty() {
        return;
    }
    let (mut times, mut refused) = (Vec::new(), 0);
    for at in 0..options.requests {
        let (time, answer) = timed(server, "codeLens/resolve", lenses[at % lenses.len()].clone());
        times.push(time);
        refused += usize::from(answer["error"].is_object());
    }
    tell("a code lens in whole", times, options.requests, refused);
}

fn timed(server: &mut Server, method: &str, params: Value) -> (Duration, Value) {
    let begin = std::time::Instant::now();
    let (answer, end) = server.request(method, params);
    (end - begin, answer)
}

/// How many things an answer holds.
fn size(result: &Value) -> usize {
    match result {
        Value::Null => 0,
        Value::Array(all) => all.len(),
        _ => ["data", "items", "documentChanges", "changes"]
            .iter()
            .find_map(|name| result[name].as_array().map(Vec::len))
            .unwrap_or(1),
    }
}

fn tell(name: &str, times: Vec<Duration>, found: usize, refused: usize) {
    let each = found / times.len().max(1);
    println!("{name}: {}, {each} found a time, {refused} refused", distribution(times));
}
