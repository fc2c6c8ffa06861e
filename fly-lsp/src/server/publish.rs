//! What was found, told to the editor: for each file the newest, in the order the files became others.
//!
//! An editor that does not read gets, when it reads again, the newest of each file and nothing in between: what waits is
//! never more than one message a file.
//!
//! Who is told. An editor that asks for diagnostics itself (`textDocument.diagnostic`) is not told of the documents it has
//! open, as rust-analyzer, ruff and ty do: it would show everything twice. Of the files that it does not have open it is
//! told until it asks for those of the whole workspace; from then on it is told nothing. Not every editor that asks for its
//! documents asks for the workspace, and what is wrong in closed files would be seen nowhere.
//!
//! Never here: what is wrong.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use flyc::{compiler::Compiler, diag::Diagnostic};
use tower_lsp_server::ls_types::{self as lsp, Uri};

use super::{
    abilities::Abilities,
    convert::{self, Encoding, Lines},
    output::Output,
    session::View,
};

/// What an editor is told of one document.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) uri: Uri,
    pub(crate) diagnostics: Vec<lsp::Diagnostic>,
    /// The version of the document it is about, when it is open.
    pub(crate) version: Option<i32>,
}

/// How many diagnostics an editor is shown of one file: nobody reads more, and editors grow slow with them.
const MOST: usize = 500;

const METHOD: &str = "textDocument/publishDiagnostics";

fn params(told: Told) -> lsp::PublishDiagnosticsParams {
    lsp::PublishDiagnosticsParams::new(told.uri, told.diagnostics, told.version)
}

#[derive(Default)]
struct State {
    output: Output,
    /// Whether a message was taken out that has not gone yet.
    is_writing: bool,
    /// Whether the editor listens.
    listens: bool,
    abilities: Abilities,
    /// Whether the editor has asked for the diagnostics of the workspace.
    asks_all: bool,
    waiting: HashMap<Uri, Told>,
    order: VecDeque<Uri>,
    /// The files that have diagnostics as far as the editor knows from us.
    /// With who has told so.
    shown: HashMap<Uri, u64>,
    tellers: u64,
}

/// The way to the editor.
#[derive(Clone, Default)]
pub(crate) struct Publisher(Arc<(Mutex<State>, Condvar)>);

impl Publisher {
    /// Messages to this output.
    pub(crate) fn new(output: Output) -> Self {
        let publisher = Self::default();
        let own = publisher.clone();
        publisher.lock().output = output.clone();
        thread::spawn(move || {
            loop {
                let told = own.next();
                output.notify(METHOD, params(told));
                own.lock().is_writing = false;
            }
        });
        publisher
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Told {
        let mut state = self.lock();
        loop {
            if state.listens {
                let uri = state.order.pop_front();
                if let Some(told) = uri.and_then(|uri| state.waiting.remove(&uri)) {
                    state.is_writing = true;
                    return told;
                }
            }
            state = self.0.1.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn begin(&self, abilities: Abilities) {
        self.lock().abilities = abilities;
    }

    /// The editor listens from now on.
    pub(crate) fn open(&self) {
        self.lock().listens = true;
        self.0.1.notify_all();
    }

    /// The editor asks for the diagnostics of the workspace itself.
    pub(crate) fn workspace_is_pulled(&self) {
        let mut state = self.lock();
        if !state.asks_all {
            let shown: Vec<Uri> = state.shown.drain().map(|(uri, _)| uri).collect();
            for uri in shown {
                state.queue(Told { uri, diagnostics: Vec::new(), version: None });
            }
            state.asks_all = true;
            self.0.1.notify_all();
        }
    }

    /// A number for one who tells.
    pub(crate) fn teller(&self) -> u64 {
        let mut state = self.lock();
        state.tellers += 1;
        state.tellers
    }

    /// Takes back what one has told, where nobody else has told something since.
    pub(crate) fn forget(&self, teller: u64) {
        let mut state = self.lock();
        let own = state.shown.extract_if(|_, by| *by == teller);
        let gone: Vec<Uri> = own.map(|(uri, _)| uri).collect();
        for uri in gone {
            state.queue(Told { uri, diagnostics: Vec::new(), version: None });
        }
        self.0.1.notify_all();
    }

    /// Tells of documents.
    pub(crate) fn tell(&self, teller: u64, all: Vec<Told>) {
        if all.is_empty() {
            return;
        }
        let mut state = self.lock();
        for mut told in all {
            let is_pulled = state.asks_all || state.abilities.pulls && told.version.is_some();
            if is_pulled {
                // What was told of it while it was closed is taken back.
                if !state.shown.contains_key(&told.uri) {
                    continue;
                }
                told.diagnostics.clear();
            }
            if told.diagnostics.is_empty() {
                let was_shown = state.shown.remove(&told.uri).is_some();
                // Of an open document every version is told, so that the editor knows what is up to date.
                if !was_shown && told.version.is_none() {
                    continue;
                }
            } else {
                state.shown.insert(told.uri.clone(), teller);
            }
            if !state.abilities.diagnostic_versions {
                told.version = None;
            }
            state.queue(told);
        }
        self.0.1.notify_all();
    }
}

impl State {
    fn queue(&mut self, told: Told) {
        // Where nothing waits, it need not wait for the other thread either.
        if self.listens && self.order.is_empty() && !self.is_writing && self.output.has_room() {
            self.output.notify(METHOD, params(told));
            return;
        }
        if !self.waiting.contains_key(&told.uri) {
            self.order.push_back(told.uri.clone());
        }
        self.waiting.insert(told.uri.clone(), told);
    }
}

/// How diagnostics become what editors show.
#[derive(Debug, Clone)]
pub(crate) struct Shower {
    pub(crate) root: Arc<Path>,
    pub(crate) encoding: Encoding,
    pub(crate) abilities: Abilities,
}

impl Shower {
    /// The diagnostics of a file as editors show them.
    pub(crate) fn show(&self, compiler: &Compiler, path: &str, found: &[Diagnostic]) -> Vec<lsp::Diagnostic> {
        let text = compiler.text(path).unwrap_or_default();
        let lines = Lines::new(&text, self.encoding);
        let uri = convert::uri_of(&self.root, path);
        let related = |span: &flyc::diag::Span| match &uri {
            // Most stand in the file itself, of which the lines are counted.
            Some(uri) if *span.file == *path => {
                Some(lsp::Location::new(uri.clone(), lines.range(span.range)))
            }
            _ => convert::location(compiler, &self.root, self.encoding, span),
        };
        let told = found.iter().take(MOST);
        let mut told: Vec<_> =
            told.map(|found| convert::diagnostic(found, &lines, self.abilities, related)).collect();
        if let (Some(more @ 1..), Some(last)) = (found.len().checked_sub(MOST), told.last()) {
            told.push(lsp::Diagnostic {
                range: last.range,
                severity: last.severity,
                source: last.source.clone(),
                message: format!("{more} more in this file are not shown; `flyc check` tells all of them"),
                ..lsp::Diagnostic::default()
            });
        }
        told
    }
}

/// The diagnostics of a file as editors show them.
pub(crate) fn diagnostics(view: &View, path: &str, found: &[Diagnostic]) -> Vec<lsp::Diagnostic> {
    view.shower().show(&view.compiler, path, found)
}

/// What could not be read, by file.
pub(crate) fn by_file(found: &[Diagnostic]) -> BTreeMap<Arc<str>, Vec<Diagnostic>> {
    let mut all: BTreeMap<Arc<str>, Vec<Diagnostic>> = BTreeMap::new();
    for diagnostic in found {
        all.entry(Arc::clone(&diagnostic.span.file)).or_default().push(diagnostic.clone());
    }
    all
}
