//! The session: the one thread that owns the Nests and takes every change in order.
//!
//! What is read is read elsewhere, on snapshots. An edit cancels what is being read; whoever asked is told that the
//! content was modified, and no snapshot outlives the question. What never lives here: what a question is answered with,
//! and which Nests there are (`nests`).

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use flyc::{
    compiler::Compiler,
    diag::{Declaration, Diagnostic},
    model,
};
use rayon::ThreadPool;
use serde_json::Value;
use tokio::sync::oneshot;
use tower_lsp_server::{
    jsonrpc::{Error, ErrorCode},
    ls_types::{self as lsp, MessageType, Uri},
};

use super::{
    abilities::Abilities,
    checker::Job,
    convert::{Encoding, path_of},
    documents::Document,
    nests::NestState,
    outbox::{Outbox, Progress, Shown},
    publish::{Publisher, Shower},
    settings::{LogLevel, Settings},
    watching::Watching,
};

/// A burst of news about files ends when nothing has come for this long.
const QUIET: Duration = Duration::from_millis(15);

/// After so many pauses a burst is taken for what it is so far.
const MOST_NEWS: usize = 4096;

/// What changes what is known.
#[derive(Debug)]
pub(crate) enum Change {
    /// An editor shows a file.
    Opened(lsp::DidOpenTextDocumentParams),
    /// Its text is another.
    Edited(lsp::DidChangeTextDocumentParams),
    /// It was written to disk.
    Saved(lsp::DidSaveTextDocumentParams),
    /// An editor shows it no longer.
    Closed(lsp::DidCloseTextDocumentParams),
    /// Files on disk are others.
    Watched(lsp::DidChangeWatchedFilesParams),
    /// The window has other folders.
    Folders(lsp::DidChangeWorkspaceFoldersParams),
}

/// A question about a file, asked on a thread of its own.
type Question = Box<dyn FnOnce(Option<View>) + Send>;

/// What the editor said at the beginning.
#[derive(Debug, Default)]
pub(crate) struct Hello {
    pub(crate) folders: Vec<PathBuf>,
    pub(crate) encoding: Encoding,
    pub(crate) abilities: Abilities,
    pub(crate) settings: Value,
}

enum Message {
    /// The session begins.
    Begin(Hello),
    /// The editor has its answer and listens.
    Listens,
    /// What the user wants.
    Configured(Value),
    /// The user wants something else; what, is to be asked if the editor tells it.
    Configuration(Value),
    /// The number of a change, and what it is.
    Change(u64, Change),
    /// The change it was asked after, the file, and the question.
    Ask(u64, Uri, Question),
    /// About every Nest.
    AskAll(Box<dyn FnOnce(Vec<View>) + Send>),
}

/// One moment of a Nest, for reading.
pub(crate) struct View {
    /// The Nest.
    pub(crate) compiler: Compiler,
    /// Its root.
    pub(crate) root: Arc<Path>,
    /// The path of the file that is asked about, relative to the root; empty when the question is about all.
    pub(crate) path: String,
    /// Whether it is a file by itself, which is in no Nest: only its form means anything.
    pub(crate) is_lone: bool,
    /// How the editor counts columns.
    pub(crate) encoding: Encoding,
    /// The versions of the documents that are open, by path.
    pub(crate) versions: Arc<BTreeMap<String, i32>>,
    /// The documents that are open, by path, as the editor calls them: links may give one file several names.
    pub(crate) open: Arc<BTreeMap<String, Vec<(Uri, i32)>>>,
    /// What could not be read.
    pub(crate) unreadable: Arc<[Diagnostic]>,
    /// What the editor can do.
    pub(crate) abilities: Abilities,
    /// What the user wants.
    pub(crate) settings: Arc<Settings>,
}

/// What is told of a file by itself.
const FORM: [&Declaration; 6] = [
    &model::BAD_ESCAPE,
    &model::BAD_NUMBER,
    &model::STRAY_BRACE,
    &model::SYNTAX_ERROR,
    &model::TOO_DEEP,
    &model::UNCLOSED,
];

/// Whether a finding is about the form of a file.
pub(crate) fn is_form(found: &Diagnostic) -> bool {
    FORM.contains(&found.kind)
}

impl View {
    /// Whether a finding means anything here: of a file that is in no Nest, its form alone does.
    pub(crate) fn counts(&self, found: &Diagnostic) -> bool {
        !self.is_lone || is_form(found)
    }

    /// How diagnostics become what this editor shows.
    pub(crate) fn shower(&self) -> Shower {
        Shower { root: Arc::clone(&self.root), encoding: self.encoding, abilities: self.abilities }
    }
}

/// The way to the session.
#[derive(Debug, Clone)]
pub(crate) struct Inbox(mpsc::Sender<Message>);

impl Inbox {
    /// Starts a session, which lasts as long as the program.
    pub(crate) fn start(publisher: Publisher, outbox: Outbox) -> Self {
        let (sender, receiver) = mpsc::channel();
        let own = Self(sender);
        let inbox = own.clone();
        thread::spawn(move || Session::new(publisher, outbox, inbox).run(&receiver));
        own
    }

    pub(crate) fn begin(&self, hello: Hello) {
        let _ = self.0.send(Message::Begin(hello));
    }

    pub(crate) fn listens(&self) {
        let _ = self.0.send(Message::Listens);
    }

    pub(crate) fn configuration(&self, given: Value) {
        let _ = self.0.send(Message::Configuration(given));
    }

    fn configured(&self, given: Value) {
        let _ = self.0.send(Message::Configured(given));
    }

    pub(crate) fn change(&self, number: u64, change: Change) {
        let _ = self.0.send(Message::Change(number, change));
    }

    /// Asks about a file as it was when `seen` changes had come; an error when it is another by now, or becomes another
    /// while it is being read. A file of no Nest has no answer.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        seen: u64,
        uri: &Uri,
        question: impl FnOnce(&View) -> T + Send + 'static,
    ) -> Result<Option<T>, Error> {
        let in_nest = move |view: &View| (!view.is_lone).then(|| question(view));
        Ok(self.ask_text(seen, uri, in_nest).await?.flatten())
    }

    /// Asks about the form of a file, which is the same in a Nest and out of it.
    pub(crate) async fn ask_text<T: Send + 'static>(
        &self,
        seen: u64,
        uri: &Uri,
        question: impl FnOnce(&View) -> T + Send + 'static,
    ) -> Result<Option<T>, Error> {
        let (sender, answer) = oneshot::channel();
        let question: Question = Box::new(move |view| {
            // Without a view the sender is dropped, which tells that the question came too late.
            let Some(view) = view else { return };
            let answer = if view.path.is_empty() { Ok(None) } else { caught(|| question(&view)).map(Some) };
            drop(view);
            let _ = sender.send(answer);
        });
        let _ = self.0.send(Message::Ask(seen, uri.clone(), question));
        answer.await.unwrap_or_else(|_| Err(modified()))
    }

    /// Asks about every Nest of the window as it is now.
    pub(crate) async fn ask_all<T: Send + 'static>(
        &self,
        question: impl Fn(&View) -> T + Send + 'static,
    ) -> Result<Vec<T>, Error> {
        let in_nests = move |view: &View| (!view.is_lone).then(|| question(view));
        Ok(self.ask_every(in_nests).await?.into_iter().flatten().collect())
    }

    /// Asks about every Nest and every document that is in none.
    pub(crate) async fn ask_every<T: Send + 'static>(
        &self,
        question: impl Fn(&View) -> T + Send + 'static,
    ) -> Result<Vec<T>, Error> {
        let (sender, answer) = oneshot::channel();
        let all = Box::new(move |views: Vec<View>| {
            let answers: Result<Vec<T>, Error> =
                views.into_iter().map(|view| caught(|| question(&view))).collect();
            let _ = sender.send(answers);
        });
        let _ = self.0.send(Message::AskAll(all));
        answer.await.unwrap_or_else(|_| Err(modified()))
    }
}

/// Reads; an edit that comes meanwhile ends it, and a defect of the server ends this answer alone.
pub(crate) fn caught<T>(read: impl FnOnce() -> T) -> Result<T, Error> {
    let read = AssertUnwindSafe(|| salsa::Cancelled::catch(AssertUnwindSafe(read)));
    match catch_unwind(read) {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) => Err(modified()),
        Err(_) => Err(Error::internal_error()),
    }
}

/// The answer to a question about a text that is another by now.
pub(crate) fn modified() -> Error {
    Error { code: ErrorCode::ContentModified, message: "the text has changed".into(), data: None }
}

/// What the session knows; the Nests and documents are kept by `nests`.
pub(crate) struct Session {
    /// By the root as the file system calls it, so that a Nest is there once whatever links lead to it.
    pub(super) nests: BTreeMap<PathBuf, NestState>,
    pub(super) documents: HashMap<Uri, Document>,
    /// The folders of the window.
    pub(super) folders: Vec<PathBuf>,
    pub(super) encoding: Encoding,
    pub(super) abilities: Abilities,
    pub(super) settings: Arc<Settings>,
    /// The number of the last change.
    pub(super) changes: Arc<AtomicU64>,
    pub(super) watching: Watching,
    pub(super) publisher: Publisher,
    pub(super) outbox: Outbox,
    inbox: Inbox,
    /// Where questions are answered: not among the checks, which keep their threads busy.
    pool: Option<ThreadPool>,
    /// What shows that the Nests of the window are being read, until they have been checked.
    pub(super) progress: Option<Arc<Progress>>,
}

impl Session {
    fn new(publisher: Publisher, outbox: Outbox, inbox: Inbox) -> Self {
        Self {
            nests: BTreeMap::new(),
            documents: HashMap::new(),
            folders: Vec::new(),
            encoding: Encoding::default(),
            abilities: Abilities::default(),
            settings: Arc::default(),
            changes: Arc::default(),
            watching: Watching::default(),
            publisher,
            outbox,
            inbox,
            pool: rayon::ThreadPoolBuilder::new().thread_name(|_| "questions".to_owned()).build().ok(),
            progress: None,
        }
    }

    fn run(mut self, inbox: &mpsc::Receiver<Message>) {
        while let Ok(message) = inbox.recv() {
            self.take(message);
            // What waits already is taken before anything is checked: a fast typist is checked once.
            while let Ok(message) = inbox.try_recv() {
                self.take(message);
            }
            // News of files comes in bursts: a checkout is one of them.
            let mut news = 0;
            while self.has_news() && news < MOST_NEWS {
                let Ok(message) = inbox.recv_timeout(QUIET) else { break };
                self.take(message);
                news += 1;
            }
            self.settle();
            self.check();
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Begin(hello) => {
                self.encoding = hello.encoding;
                self.abilities = hello.abilities;
                self.publisher.begin(hello.abilities);
                self.configure(&hello.settings);
                self.folders.clone_from(&hello.folders);
                self.progress =
                    if self.abilities.progress { self.outbox.progress("Fly") } else { None }.map(Arc::new);
                for folder in hello.folders {
                    self.open_folder(&folder);
                }
            }
            Message::Listens => {
                self.publisher.open();
                self.outbox.open();
                if self.abilities.watches_files {
                    self.watching.begin(&self.outbox);
                    self.watch_reads();
                }
                self.ask_configuration();
            }
            Message::Configured(given) => self.configure(&given),
            Message::Configuration(given) => {
                if self.abilities.configuration {
                    self.ask_configuration();
                } else {
                    self.configure(&given);
                }
            }
            Message::Change(number, change) => {
                self.changes.store(number, Ordering::SeqCst);
                self.change(change);
            }
            Message::Ask(seen, uri, question) => self.ask(seen, &uri, question),
            Message::AskAll(question) => {
                self.settle();
                let views =
                    self.nests.iter().map(|(key, nest)| self.view(key, nest, String::new())).collect();
                self.answer(move || question(views));
            }
        }
    }

    fn ask_configuration(&self) {
        if self.abilities.configuration {
            let inbox = self.inbox.clone();
            self.outbox.ask_configuration(move |given| inbox.configured(given));
        }
    }

    fn configure(&mut self, given: &Value) {
        let (settings, wrong) = Settings::read(given);
        for message in wrong {
            self.outbox.show_once(format!("{message}."));
        }
        if *self.settings != settings {
            self.settings = Arc::new(settings);
            self.nests.values_mut().for_each(|nest| nest.is_stale = true);
            let of_settings = self.abilities.refreshes().filter(|shown| *shown != Shown::Diagnostics);
            of_settings.for_each(|shown| self.outbox.refresh(shown));
        }
    }

    /// Writes into the editor's log, if the user wants so much.
    pub(super) fn log(&self, level: LogLevel, message: impl FnOnce() -> String) {
        let kind = match level {
            LogLevel::Off => return,
            LogLevel::Error => MessageType::ERROR,
            LogLevel::Warning => MessageType::WARNING,
            LogLevel::Info => MessageType::INFO,
        };
        if level <= self.settings.log_level {
            self.outbox.log(kind, message());
        }
    }

    pub(super) fn view(&self, key: &Path, nest: &NestState, path: String) -> View {
        let mut open: BTreeMap<String, Vec<(Uri, i32)>> = BTreeMap::new();
        for document in self.documents.values().filter(|document| document.root.as_deref() == Some(key)) {
            open.entry(document.path.clone()).or_default().push((document.uri.clone(), document.version));
        }
        for documents in open.values_mut() {
            documents.sort();
        }
        let newest = |documents: &Vec<(Uri, i32)>| documents.iter().map(|(_, version)| *version).max();
        let versions = open.iter().filter_map(|(path, of)| Some((path.clone(), newest(of)?))).collect();
        View {
            compiler: nest.loaded.compiler.clone(),
            root: Arc::clone(&nest.root),
            path,
            is_lone: nest.is_lone,
            encoding: self.encoding,
            versions: Arc::new(versions),
            open: Arc::new(open),
            unreadable: nest.loaded.diagnostics.clone().into(),
            abilities: self.abilities,
            settings: Arc::clone(&self.settings),
        }
    }

    /// Runs what reads on a thread for it.
    fn answer(&self, read: impl FnOnce() + Send + 'static) {
        match &self.pool {
            Some(pool) => pool.spawn(read),
            None => rayon::spawn(read),
        }
    }

    fn ask(&mut self, seen: u64, uri: &Uri, question: Question) {
        if seen != self.changes.load(Ordering::SeqCst) {
            // Asked about a text that is another by now.
            self.answer(move || question(None));
            return;
        }
        self.settle();
        let found = self
            .documents
            .get(uri)
            .and_then(|document| Some((document.root.as_ref()?, document.path.clone())));
        let view = match found.and_then(|(key, path)| Some((key, self.nests.get(key)?, path))) {
            Some((key, nest, path)) => self.view(key, nest, path),
            None => self.nothing(),
        };
        self.answer(move || question(Some(view)));
    }

    /// What there is to say of a file that is in no Nest and not open.
    fn nothing(&self) -> View {
        View {
            compiler: Compiler::new::<String, String>([]),
            root: Path::new("").into(),
            path: String::new(),
            is_lone: true,
            encoding: self.encoding,
            versions: Arc::default(),
            open: Arc::default(),
            unreadable: Arc::default(),
            abilities: self.abilities,
            settings: Arc::clone(&self.settings),
        }
    }

    fn change(&mut self, change: Change) {
        match change {
            Change::Opened(params) => {
                let document = params.text_document;
                self.open(document.uri, document.text, document.version);
            }
            Change::Edited(params) => self.edit(&params),
            Change::Saved(params) => {
                // An editor that watches files tells of it anyway.
                if !self.abilities.watches_files
                    && let Some(file) = path_of(&params.text_document.uri)
                {
                    self.touched([(file, true)]);
                }
            }
            Change::Closed(params) => self.close(&params.text_document.uri),
            Change::Watched(params) => {
                let is_other = |kind| kind != lsp::FileChangeType::CHANGED;
                let files = params.changes.iter();
                self.touched(files.filter_map(|event| Some((path_of(&event.uri)?, is_other(event.typ)))));
            }
            Change::Folders(params) => {
                let of = |folders: &[lsp::WorkspaceFolder]| -> HashSet<PathBuf> {
                    folders.iter().filter_map(|folder| path_of(&folder.uri)).collect()
                };
                let (added, removed) = (of(&params.event.added), of(&params.event.removed));
                self.folders.retain(|folder| !removed.contains(folder));
                self.folders.extend(added.iter().cloned());
                self.close_folders();
                for folder in added {
                    self.open_folder(&folder);
                }
            }
        }
    }

    /// Has the Nests checked that have changed, each by its own thread; the next change ends it.
    fn check(&mut self) {
        let stale: Vec<PathBuf> =
            self.nests.iter().filter(|(_, nest)| nest.is_stale).map(|(key, _)| key.clone()).collect();
        let progress = self.progress.take();
        for key in stale {
            let Some(nest) = self.nests.get(&key) else { continue };
            let (view, jobs) = (self.view(&key, nest, String::new()), nest.jobs.clone());
            let Some(nest) = self.nests.get_mut(&key) else { continue };
            nest.is_stale = false;
            let number = self.changes.load(Ordering::SeqCst);
            if let Some(progress) = &progress {
                progress.step(format!("checking {} files", nest.loaded.files));
            }
            let rewritten = std::mem::take(&mut nest.rewritten);
            let _ = jobs.send(Job { number, view, rewritten, progress: progress.clone() });
        }
    }
}
