//! Measures any language server as an editor sees it: how long until everything is told that is wrong with a workspace, how
//! long from an edit to its diagnostics, how long a completion takes, and how much memory it holds.
//!
//! `cargo run --release -p polar-gosling-tests --example lsp_bench -- --help` says how. What never lives here: anything
//! about one server or language; the languages' edits are options. No test runs it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that can't go on says why and ends"
)]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is a program of its own"
)]

mod requests;
mod server;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use server::Server;

const HELP: &str = "\
lsp_bench [OPTIONS] WORKSPACE -- SERVER [ARGUMENT…]

  --file PATH         the file that is edited, relative to the workspace (default: Eggs/egg-5/config.fly)
  --language ID       its language (default: fly)
  --edit BEFORE=>AFTER each edit replaces the first BEFORE by AFTER, and the next puts it back;
                      choose one that changes the diagnostics, since not every server tells what is as it was
                      (default: `cpu    ==>cpu    = \"x\" #`)
  --edits N           how many (default: 1000)
  --completions N     how many at each kind of place (default: 500)
  --requests N        how many of each other question that the server answers (default: 0)
  --name NAME         the name that is looked for and renamed, where it first stands in the file (default: egg-5)
  --expect N          the first diagnostics are whole when N files have been told to have some
                      (default: when the edited file has been told of, as by servers that tell of open files alone)
  --settings JSON     what the server is told when it asks for its configuration, and at the beginning
  --turns             an edit is told of once the file has diagnostics where it had none, or none where it had some:
                      for servers that tell of an edit several times, the first time before they know
  --plain             the edited file is not opened until the first diagnostics are there
";

/// What is measured.
struct Options {
    workspace: PathBuf,
    server: Vec<String>,
    file: String,
    language: String,
    edit: (String, String),
    edits: usize,
    completions: usize,
    requests: usize,
    name: String,
    expect: Option<usize>,
    settings: Value,
    plain: bool,
    turns: bool,
}

fn options() -> Option<Options> {
    let mut all: Vec<String> = std::env::args().skip(1).collect();
    let split = all.iter().position(|argument| argument == "--")?;
    let server = all.split_off(split + 1);
    all.pop();
    let mut options = Options {
        workspace: PathBuf::new(),
        server,
        file: "Eggs/egg-5/config.fly".to_owned(),
        language: "fly".to_owned(),
        edit: ("cpu    =".to_owned(), "cpu    = \"x\" #".to_owned()),
        edits: 1000,
        completions: 500,
        requests: 0,
        name: "egg-5".to_owned(),
        expect: None,
        settings: Value::Null,
        plain: false,
        turns: false,
    };
    let mut arguments = all.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--file" => options.file = arguments.next()?,
            "--language" => options.language = arguments.next()?,
            "--edit" => {
                let edit = arguments.next()?;
                // `a ==>b` is `a =` and `b`.
                let (before, after) = edit.rsplit_once("=>")?;
                options.edit = (before.to_owned(), after.to_owned());
            }
            "--edits" => options.edits = arguments.next()?.parse().ok()?,
            "--completions" => options.completions = arguments.next()?.parse().ok()?,
            "--requests" => options.requests = arguments.next()?.parse().ok()?,
            "--name" => options.name = arguments.next()?,
            "--expect" => options.expect = Some(arguments.next()?.parse().ok()?),
            "--settings" => options.settings = serde_json::from_str(&arguments.next()?).ok()?,
            "--plain" => options.plain = true,
            "--turns" => options.turns = true,
            other if !other.starts_with('-') => options.workspace = fs::canonicalize(other).ok()?,
            _ => return None,
        }
    }
    (options.workspace.is_dir() && !options.server.is_empty()).then_some(options)
}

fn main() {
    let Some(options) = options() else {
        eprint!("{HELP}");
        std::process::exit(2);
    };
    let path = options.workspace.join(&options.file);
    let text = fs::read_to_string(&path).expect("the file to edit can be read");
    let uri = uri(&path);
    let mut server = Server::start(&options.server, options.settings.clone());

    let begin = Instant::now();
    let hello = server.request("initialize", hello(&options.workspace));
    assert!(hello.0["result"]["capabilities"].is_object(), "{}", hello.0);
    println!("initialize answered after {}", shown(hello.1 - begin));
    server.notify("initialized", json!({}));
    if !options.settings.is_null() {
        server.notify("workspace/didChangeConfiguration", json!({ "settings": options.settings }));
    }
    let sync = &hello.0["result"]["capabilities"]["textDocumentSync"];
    let in_whole = sync.as_i64().or(sync["change"].as_i64()) == Some(1);
    let mut document = Document { uri, version: 1, text, in_whole };
    if !options.plain {
        document.open(&mut server, &options.language);
    }
    let told = server.first_diagnostics(options.expect, &document.uri);
    println!(
        "initialize to first diagnostics: {} ({} files with some)",
        shown(told - begin),
        server.with_some()
    );
    if options.plain {
        document.open(&mut server, &options.language);
    }
    memory(&server, "with everything read");
    let before = server.worked();

    let mut times = Vec::new();
    for at in 0..options.edits {
        let (from, to) =
            if at % 2 == 0 { (&options.edit.0, &options.edit.1) } else { (&options.edit.1, &options.edit.0) };
        let begin = document.replace(&mut server, from, to);
        let told = if options.turns {
            server.turn_of(&document.uri)
        } else {
            server.diagnostics_of(&document.uri, document.version)
        };
        times.push(told - begin);
    }
    println!("didChange to publishDiagnostics: {}", distribution(times));
    // What passes on a busy machine says little; what the server works says more.
    if let (Some(before), Some(after)) = (before, server.worked()) {
        let edits = u32::try_from(options.edits.max(1)).unwrap_or(u32::MAX);
        println!(
            "  processor time: {} until then, {} an edit",
            shown(before),
            shown(after.saturating_sub(before) / edits)
        );
    }

    if hello.0["result"]["capabilities"]["completionProvider"].is_object() && options.completions > 0 {
        completions(&options, &mut server, &mut document);
    }
    if options.requests > 0 {
        requests::measure(&options, &mut server, &mut document, &hello.0["result"]["capabilities"]);
    }
    memory(&server, "at the end");
    server.stop();
}

/// Completion behind what begins a line, in texts that stand and right after it was typed.
fn completions(options: &Options, server: &mut Server, document: &mut Document) {
    let places: Vec<(usize, usize)> = lines(&document.text)
        .filter_map(|(start, line)| {
            let indent = line.len() - line.trim_start().len();
            let word = line[indent..].find(|c: char| !c.is_alphanumeric()).unwrap_or(line.len() - indent);
            (word > 0).then_some((start + indent, start + indent + word))
        })
        .collect();
    let (mut still, mut typed, mut items, mut refused) = (Vec::new(), Vec::new(), 0, 0);
    for at in 0..options.completions {
        let (start, end) = places[at % places.len()];
        let mut ask = |server: &mut Server, at: Value, times: &mut Vec<Duration>| {
            let begin = Instant::now();
            let (answer, end) = server.request("textDocument/completion", at);
            let found = &answer["result"];
            refused += usize::from(answer["error"].is_object());
            items += found["items"].as_array().or(found.as_array()).map_or(0, Vec::len);
            times.push(end - begin);
        };
        // Behind the word that stands there.
        ask(server, document.at(end), &mut still);
        // The same word typed anew on a line of its own: its first letter, and at once the question.
        let line = document.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let begun =
            format!("{}{}\n", &document.text[line..start], document.text[start..].chars().next().unwrap());
        document.insert(server, line, &begun);
        ask(server, document.at(line + begun.len() - 1), &mut typed);
        document.remove(server, line, begun.len());
    }
    println!("completion in a text that stands: {}", distribution(still));
    println!("completion right after typing: {}", distribution(typed));
    println!("  {} items a completion, {refused} refused", items / (2 * options.completions));
}

/// An open document.
struct Document {
    uri: String,
    version: i64,
    text: String,
    /// Whether the server wants it sent in whole with each change.
    in_whole: bool,
}

impl Document {
    fn open(&self, server: &mut Server, language: &str) {
        let document =
            json!({ "uri": self.uri, "languageId": language, "version": self.version, "text": self.text });
        server.notify("textDocument/didOpen", json!({ "textDocument": document }));
    }

    /// Replaces the first of a text; when it was sent.
    fn replace(&mut self, server: &mut Server, from: &str, to: &str) -> Instant {
        let at = self.text.find(from).expect("the text to replace stands in the file");
        self.change(server, at, from.len(), to)
    }

    fn insert(&mut self, server: &mut Server, at: usize, text: &str) {
        self.change(server, at, 0, text);
    }

    fn remove(&mut self, server: &mut Server, at: usize, length: usize) {
        self.change(server, at, length, "");
    }

    fn change(&mut self, server: &mut Server, at: usize, length: usize, text: &str) -> Instant {
        let range = json!({ "start": self.position(at), "end": self.position(at + length) });
        self.text.replace_range(at..at + length, text);
        self.version += 1;
        let document = json!({ "uri": self.uri, "version": self.version });
        let change = if self.in_whole {
            json!({ "text": self.text })
        } else {
            json!({ "range": range, "text": text })
        };
        let params = json!({ "textDocument": document, "contentChanges": [change] });
        let begin = Instant::now();
        server.notify("textDocument/didChange", params);
        begin
    }

    fn position(&self, at: usize) -> Value {
        let before = &self.text[..at];
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        json!({ "line": before.matches('\n').count(), "character": before[start..].encode_utf16().count() })
    }

    /// From its beginning to its end.
    fn whole(&self) -> Value {
        json!({ "start": self.position(0), "end": self.position(self.text.len()) })
    }

    fn at(&self, at: usize) -> Value {
        json!({ "textDocument": { "uri": self.uri }, "position": self.position(at) })
    }
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |start, line| {
        let at = *start;
        *start += line.len();
        Some((at, line.trim_end()))
    })
}

fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

fn hello(workspace: &Path) -> Value {
    json!({
        "processId": std::process::id(),
        "rootUri": uri(workspace),
        "workspaceFolders": [{ "uri": uri(workspace), "name": "workspace" }],
        "capabilities": {
            "general": { "positionEncodings": ["utf-16"] },
            "textDocument": {
                "synchronization": { "didSave": true },
                "completion": { "completionItem": { "snippetSupport": true } },
                "inlayHint": {},
                "codeLens": {},
                "codeAction": {
                    "dataSupport": true,
                    "resolveSupport": { "properties": ["edit"] },
                    "codeActionLiteralSupport": { "codeActionKind": { "valueSet": ["", "quickfix", "refactor", "source"] } },
                },
                "semanticTokens": {
                    "requests": { "full": true },
                    "tokenTypes": [], "tokenModifiers": [], "formats": ["relative"],
                },
                "publishDiagnostics": { "versionSupport": true, "relatedInformation": true },
            },
            "workspace": { "configuration": true, "workspaceFolders": true },
        },
    })
}

fn distribution(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |part: usize| shown(times[(times.len() * part / 1000).min(times.len() - 1)]);
    format!(
        "median {}, p95 {}, p99 {}, max {} ({} times)",
        at(500),
        at(950),
        at(990),
        shown(times[times.len() - 1]),
        times.len()
    )
}

fn shown(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}

fn memory(server: &Server, when: &str) {
    // Where the system tells no such thing, nothing is printed.
    if let Some((now, most)) = server.memory() {
        println!("memory {when}: {now} MiB, {most} MiB at most");
    }
}
