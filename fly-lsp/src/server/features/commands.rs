//! Commands as the protocol has them: names, arguments and answers. Never here: what an answer says, which is `ide`'s.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use flyc::{
    build::{Options, Snapshot},
    host::{self, HistoryError},
    plan::Against,
};
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

/// `[uri, revision]` → `{ markdown }`: what changes for the fleet since a revision of git.
pub(in crate::server) const PLAN: &str = "fly.plan";

/// The commands that the server carries out.
pub(in crate::server) const ALL: [&str; 4] = [EXPLAIN, GENERATED, SIMULATE, PLAN];

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
            // These no lens sends: whoever asks wants the answer.
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
    Plan(PathBuf, String),
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
            PLAN => {
                let wanted = "[uri, revision] with the URI of a file and a branch, tag or commit";
                let revision = argument(1).and_then(Value::as_str).ok_or_else(|| wrong(wanted))?;
                Ok(Self::Plan(file(wanted)?, revision.to_owned()))
            }
            other => {
                let known = ALL.join("`, `");
                Err(Error::invalid_params(format!("there is no command `{other}`; there are `{known}`")))
            }
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

/// The path of a file within this Nest, when it is one of it.
fn path_in(view: &View, file: &Path) -> Option<String> {
    let relative = file.strip_prefix(&view.root).ok()?;
    let parts: Option<Vec<&str>> = relative.iter().map(|part| part.to_str()).collect();
    let path = parts?.join("/");
    view.compiler.file(&path).map(|_| path)
}

/// The root of this Nest, when the file is one of it.
pub(in crate::server) fn root(view: &View, file: &Path) -> Option<Arc<Path>> {
    path_in(view, file).map(|_| Arc::clone(&view.root))
}

/// What is built of a file, when it is one of this Nest.
pub(in crate::server) fn generated(view: &View, file: &Path) -> Option<Result<Answer, Error>> {
    let path = path_in(view, file)?;
    Some(ide::generated(&view.compiler, &path).map(Answer::Files).map_err(|error| failed(&error)))
}

/// What the eggs of a file would deploy, when it is one of this Nest.
pub(in crate::server) fn simulate(
    view: &View,
    file: &Path,
    event: Option<&str>,
) -> Option<Result<Answer, Error>> {
    let path = path_in(view, file)?;
    Some(ide::simulate(&view.compiler, &path, event).map(Answer::Page).map_err(|error| failed(&error)))
}

/// A Nest as it was.
pub(in crate::server) struct Earlier {
    root: Arc<Path>,
    snapshot: Snapshot,
    against: Against,
}

impl Earlier {
    /// Reads it. This takes a while, in which nobody may hold the Nest as it is.
    pub(in crate::server) fn read(root: Arc<Path>, revision: &str) -> Result<Self, Error> {
        let past = host::read_at(&root, revision).map_err(|error| refused(said(&error)))?;
        let commit = past.commit.clone();
        let (compiler, notes) = past.restore(revision, BTreeMap::new());
        let snapshot = compiler.snapshot(&Options::default()).map_err(|found| {
            let first = found.first().map_or("it can't be built", |found| &found.message);
            refused(format!("there is no plan: the Nest at `{revision}` can't be read: {first}"))
        })?;
        Ok(Self { root, snapshot, against: Against { revision: revision.to_owned(), commit, notes } })
    }

    /// What has changed since, when this is the Nest.
    pub(in crate::server) fn plan(&self, view: &View) -> Option<Result<Answer, Error>> {
        (view.root == self.root).then(|| {
            let plan = ide::plan(&view.compiler, &self.snapshot, &self.against);
            plan.map(Answer::Page).map_err(|error| failed(&error))
        })
    }
}

/// Why a past can't be read, without the paths of this machine.
fn said(error: &HistoryError) -> String {
    match error {
        HistoryError::NoRepository { .. } => {
            "there is no plan: the Nest is not in a git repository, whose history it could be compared with"
                .to_owned()
        }
        HistoryError::Bare { .. } => "there is no plan: the git repository has no working folder".to_owned(),
        HistoryError::UnknownRevision { nearest: Some(nearest), .. } => {
            format!("{error}; did you mean `{nearest}`?")
        }
        HistoryError::UnknownRevision { .. } | HistoryError::Unreadable { .. } => {
            format!("{error}; name a branch, a tag or a commit that is fetched")
        }
    }
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
