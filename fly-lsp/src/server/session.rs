//! The session: the one thread that owns the Nests and takes every change in order.
//!
//! What is read is read elsewhere, on snapshots. An edit cancels what is being read; whoever asked is told that the
//! content was modified, and no snapshot outlives the question. What never lives here: what a question is answered with.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
};

use flyc::{
    compiler::Compiler,
    diag::Diagnostic,
    host::{self, Live, Loaded},
};
use tokio::sync::oneshot;
use tower_lsp_server::{
    jsonrpc::{Error, ErrorCode},
    ls_types::{self as lsp, Uri},
};

use super::{
    convert::{Encoding, Lines, path_of},
    publish::Publisher,
};

/// What changes what is known.
#[derive(Debug)]
pub(crate) enum Change {
    /// An editor shows a file.
    Opened(lsp::DidOpenTextDocumentParams),
    /// Its text is another.
    Edited(lsp::DidChangeTextDocumentParams),
    /// An editor shows it no longer.
    Closed(lsp::DidCloseTextDocumentParams),
    /// Files on disk are others.
    Watched(lsp::DidChangeWatchedFilesParams),
    /// The window has other folders.
    Folders(lsp::DidChangeWorkspaceFoldersParams),
}

/// A question about a file, asked on a thread of its own.
type Question = Box<dyn FnOnce(Option<View>) + Send>;

enum Message {
    /// The session begins: the folders of the window and how its editor counts.
    Begin(Vec<PathBuf>, Encoding),
    /// The number of a change, and what it is.
    Change(u64, Change),
    /// The change it was asked after, the file, and the question.
    Ask(u64, Uri, Question),
    /// About every Nest.
    AskAll(Box<dyn FnOnce(Vec<View>) + Send>),
    /// What was found in a Nest as it stood after this many changes.
    Found(u64, PathBuf, Vec<Diagnostic>),
}

/// One moment of a Nest, for reading.
pub(crate) struct View {
    /// The Nest.
    pub(crate) compiler: Compiler,
    /// Its root.
    pub(crate) root: Arc<Path>,
    /// The path of the file that is asked about, relative to the root; empty when the question is about all.
    pub(crate) path: String,
    /// How the editor counts columns.
    pub(crate) encoding: Encoding,
    /// The versions of the documents that are open, by path.
    pub(crate) versions: Arc<BTreeMap<String, i32>>,
    /// What could not be read.
    pub(crate) unreadable: Arc<[Diagnostic]>,
}

/// The way to the session.
#[derive(Debug, Clone)]
pub(crate) struct Inbox(mpsc::Sender<Message>);

impl Inbox {
    /// Starts a session, which lasts as long as the program.
    pub(crate) fn start(publisher: Publisher) -> Self {
        let (sender, receiver) = mpsc::channel();
        let own = Returns(sender.clone());
        thread::spawn(move || Session::new(publisher, own).run(&receiver));
        Self(sender)
    }

    pub(crate) fn begin(&self, folders: Vec<PathBuf>, encoding: Encoding) {
        let _ = self.0.send(Message::Begin(folders, encoding));
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
fn caught<T>(read: impl FnOnce() -> T) -> Result<T, Error> {
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

/// The way back of what is found.
struct Returns(mpsc::Sender<Message>);

struct NestState {
    root: Arc<Path>,
    loaded: Loaded,
    live: Live,
}

struct Document {
    root: PathBuf,
    path: String,
    text: String,
    version: i32,
}

struct Session {
    nests: BTreeMap<PathBuf, NestState>,
    documents: HashMap<Uri, Document>,
    encoding: Encoding,
    /// The number of the last change.
    changes: u64,
    /// The Nests that have changed since they were last checked.
    stale: HashSet<PathBuf>,
    publisher: Publisher,
    returns: Returns,
}

impl Session {
    fn new(publisher: Publisher, returns: Returns) -> Self {
        Self {
            nests: BTreeMap::new(),
            documents: HashMap::new(),
            encoding: Encoding::default(),
            changes: 0,
            stale: HashSet::new(),
            publisher,
            returns,
        }
    }

    fn run(mut self, inbox: &mpsc::Receiver<Message>) {
        while let Ok(message) = inbox.recv() {
            self.take(message);
            // What waits already is taken before anything is checked: a fast typist is checked once.
            while let Ok(message) = inbox.try_recv() {
                self.take(message);
            }
            self.check();
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Begin(folders, encoding) => {
                self.encoding = encoding;
                for folder in folders {
                    self.open_folder(&folder);
                }
            }
            Message::Change(number, change) => {
                self.changes = number;
                self.change(change);
            }
            Message::Ask(seen, uri, question) => self.ask(seen, &uri, question),
            Message::AskAll(question) => {
                let views = self.nests.values().map(|nest| self.view(nest, String::new())).collect();
                rayon::spawn(move || question(views));
            }
            Message::Found(number, root, found) => {
                // Found in an older text: what is found in the newer one is on its way.
                if number == self.changes
                    && let Some(nest) = self.nests.get(&root)
                {
                    self.publisher.publish(&self.view(nest, String::new()), found);
                }
            }
        }
    }

    fn view(&self, nest: &NestState, path: String) -> View {
        let versions = self.documents.values().filter(|document| *document.root == *nest.root);
        View {
            compiler: nest.loaded.compiler.clone(),
            root: Arc::clone(&nest.root),
            path,
            encoding: self.encoding,
            versions: Arc::new(versions.map(|document| (document.path.clone(), document.version)).collect()),
            unreadable: nest.loaded.diagnostics.clone().into(),
        }
    }

    fn ask(&self, seen: u64, uri: &Uri, question: Question) {
        if seen != self.changes {
            // Asked about a text that is another by now.
            rayon::spawn(move || question(None));
            return;
        }
        let found = self.documents.get(uri).map(|document| (&document.root, document.path.clone()));
        let nest = found.and_then(|(root, path)| Some((self.nests.get(root)?, path)));
        match nest {
            Some((nest, path)) => {
                let view = self.view(nest, path);
                rayon::spawn(move || question(Some(view)));
            }
            None => {
                let empty = View {
                    compiler: Compiler::new::<String, String>([]),
                    root: Path::new("").into(),
                    path: String::new(),
                    encoding: self.encoding,
                    versions: Arc::default(),
                    unreadable: Arc::default(),
                };
                rayon::spawn(move || question(Some(empty)));
            }
        }
    }

    fn change(&mut self, change: Change) {
        match change {
            Change::Opened(params) => {
                let document = params.text_document;
                self.open(document.uri, document.text, document.version);
            }
            Change::Edited(params) => self.edit(&params),
            Change::Closed(params) => self.close(&params.text_document.uri),
            Change::Watched(params) => {
                let touched: Vec<PathBuf> =
                    params.changes.iter().filter_map(|event| path_of(&event.uri)).collect();
                let roots: Vec<PathBuf> = self.nests.keys().cloned().collect();
                for root in roots {
                    if touched.iter().any(|path| path.starts_with(&root)) {
                        self.refresh(&root, &touched);
                    }
                }
            }
            Change::Folders(params) => {
                for folder in params.event.removed.iter().filter_map(|folder| path_of(&folder.uri)) {
                    self.close_folder(&folder);
                }
                for folder in params.event.added.iter().filter_map(|folder| path_of(&folder.uri)) {
                    self.open_folder(&folder);
                }
            }
        }
    }

    /// Takes the Nest a folder lies in, or is.
    fn open_folder(&mut self, folder: &Path) {
        if let Some(root) = host::find_root(folder) {
            self.load(root);
        }
    }

    fn close_folder(&mut self, folder: &Path) {
        let used: HashSet<PathBuf> = self.documents.values().map(|document| document.root.clone()).collect();
        let gone: Vec<PathBuf> = self
            .nests
            .keys()
            .filter(|root| root.starts_with(folder) && !used.contains(*root))
            .cloned()
            .collect();
        for root in gone {
            if let Some(nest) = self.nests.remove(&root) {
                self.publisher.forget(&nest.root);
            }
        }
    }

    fn load(&mut self, root: PathBuf) {
        if self.nests.contains_key(&root) {
            return;
        }
        let loaded = host::load(&root);
        let live = Live::new(root.clone());
        self.nests.insert(root.clone(), NestState { root: root.as_path().into(), loaded, live });
        self.stale.insert(root);
    }

    /// Brings a Nest to what is on disk; what is open in an editor counts more.
    fn refresh(&mut self, root: &Path, touched: &[PathBuf]) {
        let Some(nest) = self.nests.get_mut(root) else { return };
        nest.live.refresh(&mut nest.loaded, touched);
        for document in self.documents.values().filter(|document| document.root == root) {
            nest.loaded.compiler.set(&document.path, document.text.as_str());
        }
        self.stale.insert(root.to_owned());
    }

    fn open(&mut self, uri: Uri, text: String, version: i32) {
        let Some(full) = path_of(&uri) else { return };
        let Some(root) = host::find_root(&full) else { return };
        let Ok(relative) = full.strip_prefix(&root) else { return };
        let parts: Option<Vec<&str>> = relative.iter().map(|part| part.to_str()).collect();
        let Some(path) = parts.map(|parts| parts.join("/")).filter(|path| !path.is_empty()) else { return };
        self.load(root.clone());
        if let Some(nest) = self.nests.get_mut(&root) {
            nest.loaded.compiler.set(&path, text.as_str());
            self.stale.insert(root.clone());
        }
        self.documents.insert(uri, Document { root, path, text, version });
    }

    fn edit(&mut self, params: &lsp::DidChangeTextDocumentParams) {
        let Some(document) = self.documents.get_mut(&params.text_document.uri) else { return };
        for change in &params.content_changes {
            match change.range {
                None => document.text.clone_from(&change.text),
                Some(range) => {
                    let range = Lines::new(&document.text, self.encoding).text_range(range);
                    document.text.replace_range(std::ops::Range::<usize>::from(range), &change.text);
                }
            }
        }
        document.version = params.text_document.version;
        if let Some(nest) = self.nests.get_mut(&document.root) {
            nest.loaded.compiler.set(&document.path, document.text.as_str());
            self.stale.insert(document.root.clone());
        }
    }

    /// What is on disk counts again.
    fn close(&mut self, uri: &Uri) {
        let Some(document) = self.documents.remove(uri) else { return };
        let full = document.root.join(&document.path);
        if let Some(nest) = self.nests.get_mut(&document.root) {
            match host::read_file(&document.root, &document.path) {
                Ok(text) => nest.loaded.compiler.set(&document.path, text),
                Err(_) => nest.loaded.compiler.remove(&document.path),
            }
        }
        self.refresh(&document.root, &[full]);
    }

    /// Checks what has changed, on another thread; the next change cancels it.
    fn check(&mut self) {
        for root in std::mem::take(&mut self.stale) {
            let Some(nest) = self.nests.get(&root) else { continue };
            let view = self.view(nest, String::new());
            let (number, returns) = (self.changes, self.returns.0.clone());
            rayon::spawn(move || {
                let found = caught(|| {
                    let mut found = view.compiler.check();
                    found.extend(view.unreadable.iter().cloned());
                    found
                });
                drop(view);
                if let Ok(found) = found {
                    let _ = returns.send(Message::Found(number, root, found));
                }
            });
        }
    }
}
