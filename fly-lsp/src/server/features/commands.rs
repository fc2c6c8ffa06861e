//! Commands as the protocol has them: names, arguments and answers. Never here: what an answer says, which is `ide`'s.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tower_lsp_server::{
    jsonrpc::{Error, ErrorCode},
    ls_types::{self as lsp, Uri},
};

use super::lens::REFERENCES;
use crate::{
    ide::{self, CommandError, GeneratedFile},
    server::{convert::path_of, session::View},
};

/// `[id]` → `{ markdown }`: the page of a diagnostic.
pub(in crate::server) const EXPLAIN: &str = "fly.explain";
/// `[uri]` → `{ files: [{ path, text }] }`: what is built of a file.
pub(in crate::server) const GENERATED: &str = "fly.generated";
/// `[uri, event?]` → `{ markdown }`: what an egg would deploy.
pub(in crate::server) const SIMULATE: &str = "fly.simulate";

/// The commands that the server carries out.
pub(in crate::server) const ALL: [&str; 3] = [EXPLAIN, GENERATED, SIMULATE];

/// The commands that the editor shows the answers of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::server) struct Handled {
    generated: bool,
    simulate: bool,
    pub(in crate::server) references: bool,
}

impl Handled {
    /// As the editor says at the beginning: `capabilities.experimental.commands.commands`, as other servers have it, or
    /// `initializationOptions.commands`.
    pub(in crate::server) fn of(params: &lsp::InitializeParams) -> Self {
        let experimental = params.capabilities.experimental.as_ref();
        let given = experimental.and_then(|all| all.pointer("/commands/commands"));
        let given = given.or_else(|| params.initialization_options.as_ref()?.get("commands"));
        let named =
            |name: &str| given.and_then(Value::as_array).is_some_and(|all| all.contains(&json!(name)));
        Self { generated: named(GENERATED), simulate: named(SIMULATE), references: named(REFERENCES) }
    }

    /// Whether the editor shows the answer of a command itself.
    fn shows(self, command: &str) -> bool {
        match command {
            GENERATED => self.generated,
            SIMULATE => self.simulate,
            _ => true,
        }
    }
}

/// What is to be done.
#[derive(Debug, Clone)]
pub(in crate::server) enum Command {
    Explain(String),
    Generated(PathBuf),
    Simulate(PathBuf, Option<String>),
}

impl Command {
    /// The command that an editor sent; an error when there is none, or its arguments are others.
    pub(in crate::server) fn of(params: &lsp::ExecuteCommandParams) -> Result<Self, Error> {
        let argument = |at: usize| params.arguments.get(at).filter(|argument| !argument.is_null());
        let wrong = |wanted: &str| {
            Error::invalid_params(format!("`{}` wants the arguments {wanted}", params.command))
        };
        let file = |wanted: &str| {
            let uri = argument(0).and_then(Value::as_str).and_then(|uri| uri.parse::<Uri>().ok());
            uri.as_ref().and_then(path_of).ok_or_else(|| wrong(wanted))
        };
        match params.command.as_str() {
            EXPLAIN => {
                let id = argument(0).and_then(Value::as_str);
                id.map(|id| Self::Explain(id.to_owned())).ok_or_else(|| wrong("[id], such as \"unclosed\""))
            }
            GENERATED => file("[uri] with the URI of a file").map(Self::Generated),
            SIMULATE => {
                let file = file("[uri, event] with the URI of an egg's file; the event may be left out")?;
                let event = argument(1).map(|event| match event {
                    Value::String(text) => text.clone(),
                    object => object.to_string(),
                });
                Ok(Self::Simulate(file, event))
            }
            other => {
                let known = ALL.join("`, `");
                Err(Error::invalid_params(format!("there is no command `{other}`; there are `{known}`")))
            }
        }
    }

    /// The file that it is about.
    pub(in crate::server) fn file(&self) -> Option<&Path> {
        match self {
            Self::Explain(_) => None,
            Self::Generated(file) | Self::Simulate(file, _) => Some(file),
        }
    }
}

/// The answer to a command.
#[derive(Debug)]
pub(in crate::server) enum Answer {
    Page(String),
    Files(Vec<GeneratedFile>),
}

impl Answer {
    /// The result, as programs read it.
    pub(in crate::server) fn json(&self) -> Value {
        match self {
            Self::Page(markdown) => json!({ "markdown": markdown }),
            Self::Files(files) => {
                let file = |file: &GeneratedFile| json!({ "path": file.path, "text": file.text });
                json!({ "files": files.iter().map(file).collect::<Vec<_>>() })
            }
        }
    }

    /// What to tell whoever uses an editor that would show nothing of the result.
    pub(in crate::server) fn message(&self, command: &str, handled: Handled) -> Option<String> {
        if handled.shows(command) {
            return None;
        }
        Some(match self {
            Self::Page(markdown) => {
                markdown.lines().filter(|line| !line.starts_with("```")).fold(String::new(), |text, line| {
                    if text.is_empty() { line.to_owned() } else { text + "\n" + line }
                })
            }
            Self::Files(files) => {
                let paths: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
                format!("`flyc build` would write {}", paths.join(", "))
            }
        })
    }
}

/// Carries out a command that needs no Nest.
pub(in crate::server) fn explain(id: &str) -> Result<Answer, Error> {
    ide::explain(id).map(Answer::Page).map_err(|error| failed(&error))
}

/// Carries out a command about a file, when that is one of this Nest. Of Nests within each other the inner one counts,
/// which the length of its root tells.
pub(in crate::server) fn about(view: &View, command: &Command) -> Option<(usize, Result<Answer, Error>)> {
    let relative = command.file()?.strip_prefix(&view.root).ok()?;
    let parts: Option<Vec<&str>> = relative.iter().map(|part| part.to_str()).collect();
    let path = parts?.join("/");
    view.compiler.file(&path)?;
    let answer = match command {
        Command::Explain(id) => return Some((0, explain(id))),
        Command::Generated(_) => ide::generated(&view.compiler, &path).map(Answer::Files),
        Command::Simulate(_, event) => {
            ide::simulate(&view.compiler, &path, event.as_deref()).map(Answer::Page)
        }
    };
    Some((view.root.as_os_str().len(), answer.map_err(|error| failed(&error))))
}

/// The answer when the file is in no Nest.
pub(in crate::server) fn elsewhere(file: &Path) -> Error {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    refused(format!("`{name}` is a file of no Nest that is open here; open the Nest's folder"))
}

fn failed(error: &CommandError) -> Error {
    refused(error.to_string())
}

/// `RequestFailed`: the request was right, and could not be answered.
fn refused(message: String) -> Error {
    Error { code: ErrorCode::ServerError(-32803), message: message.into(), data: None }
}
