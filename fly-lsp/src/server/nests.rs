//! The Nests of the window: which there are, which file belongs to which, and what of them is read again.
//!
//! A Nest is there once, whatever links lead to it, and knows nothing of another. A document that is in no Nest, or has
//! not been saved, is one by itself: its form is checked and nothing else. What never lives here: what is wrong.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering, mpsc::Sender},
};

use flyc::{
    compiler::Compiler,
    host::{self, Live, Loaded},
    model::may_read,
};
use tower_lsp_server::ls_types::{self as lsp, Uri};

use super::{
    checker::{self, Job},
    convert::path_of,
    documents::Document,
    session::Session,
    settings::LogLevel,
};

/// More files than this are not looked at one by one: everything is.
const MOST_TOUCHED: usize = 64;

/// A Nest, or a document by itself.
pub(crate) struct NestState {
    /// Its root as the editor calls it.
    pub(super) root: Arc<Path>,
    pub(super) is_lone: bool,
    pub(super) loaded: Loaded,
    live: Live,
    /// The files other than Fly that it reads, relative to its root.
    reads: BTreeSet<String>,
    /// What may be another on disk.
    touched: BTreeSet<PathBuf>,
    /// Whether it is to be checked.
    pub(super) is_stale: bool,
    /// The files whose text is another since it was last checked.
    pub(super) rewritten: BTreeSet<String>,
    pub(super) jobs: Sender<Job>,
}

impl Session {
    /// Takes the Nest a folder lies in, or is, or the Nests that lie below it.
    pub(super) fn open_folder(&mut self, folder: &Path) {
        for root in host::find_nests(folder) {
            self.load(&root);
        }
    }

    /// Lets go of the Nests that are in no folder of the window and of which no document is open.
    pub(super) fn close_folders(&mut self) {
        let used: HashSet<&PathBuf> =
            self.documents.values().filter_map(|document| document.root.as_ref()).collect();
        let folders: Vec<PathBuf> =
            self.folders.iter().flat_map(|folder| [folder.clone(), host::real_path(folder)]).collect();
        let in_window = |key: &PathBuf, nest: &NestState| {
            folders.iter().any(|folder| {
                key.starts_with(folder) || folder.starts_with(&nest.root) || folder.starts_with(key)
            })
        };
        let is_kept = |key: &PathBuf, nest: &NestState| {
            used.contains(key)
                || in_window(key, nest) && host::find_root(&nest.root).as_deref() == Some(&*nest.root)
        };
        let gone: Vec<PathBuf> =
            self.nests.iter().filter(|(key, nest)| !is_kept(key, nest)).map(|(key, _)| key.clone()).collect();
        // Its checker takes back what it has told.
        for key in gone {
            self.nests.remove(&key);
        }
    }

    /// Takes a Nest; the name it is kept under.
    fn load(&mut self, root: &Path) -> PathBuf {
        let key = host::real_path(root);
        if self.nests.contains_key(&key) {
            return key;
        }
        if let Some(progress) = &self.progress {
            progress.step(format!("reading {}", root.file_name().unwrap_or_default().to_string_lossy()));
        }
        let loaded = host::load(root);
        self.log(LogLevel::Info, || format!("read the Nest {}: {} files", root.display(), loaded.files));
        let mut nest = self.state(root.into(), loaded);
        nest.reads = nest.loaded.compiler.reads().into_iter().map(String::from).collect();
        self.nests.insert(key.clone(), nest);
        self.watch_reads();
        key
    }

    fn state(&self, root: Arc<Path>, loaded: Loaded) -> NestState {
        let jobs = checker::start(self.publisher.clone(), self.outbox.clone(), Arc::clone(&self.changes));
        NestState {
            live: Live::new(root.to_path_buf()),
            root,
            is_lone: false,
            loaded,
            reads: BTreeSet::new(),
            touched: BTreeSet::new(),
            is_stale: true,
            rewritten: BTreeSet::new(),
            jobs,
        }
    }

    /// Has everything watched that the Nests read.
    pub(super) fn watch_reads(&mut self) {
        if self.abilities.watches_files {
            let all: Vec<String> = self.nests.values().flat_map(|nest| nest.reads.iter().cloned()).collect();
            self.watching.read(&self.outbox, all);
        }
    }

    /// The Nest that a file belongs to, and its path there. A file that is there but left out by an ignore file belongs
    /// to none.
    fn home(&mut self, file: &Path) -> Option<(PathBuf, String)> {
        let root = host::find_root(file)?;
        let path = relative(&root, file)?;
        let key = self.load(&root);
        let is_part = |session: &Self| {
            let nest = session.nests.get(&key)?;
            let is_told = nest.loaded.diagnostics.iter().any(|told| *told.span.file == *path);
            Some(is_told || nest.loaded.compiler.text(&path).is_some())
        };
        // Either it is new, and the news are on their way, or it is left out.
        if !is_part(self)? && host::is_file(file) {
            self.refresh(&key, &[file.to_owned()]);
            if !is_part(self)? {
                return None;
            }
        }
        Some((key, path))
    }

    pub(super) fn open(&mut self, uri: Uri, text: String, version: i32) {
        let file = if uri.scheme().as_str() == "file" { path_of(&uri) } else { None };
        let home = file.as_deref().and_then(|file| self.home(file));
        // A document that is opened twice is as it is told last.
        if let Some(known) = self.documents.get(&uri)
            && known.root != home.as_ref().map(|(key, _)| key.clone())
        {
            self.close(&uri);
        }
        let changed = self.changes.load(Ordering::SeqCst);
        let (root, path) = if let Some((key, path)) = home {
            (key, path)
        } else {
            // By itself, under a name that no folder has.
            let key = PathBuf::from(format!("{}\0", uri.as_str()));
            let name = file
                .as_deref()
                .and_then(Path::file_name)
                .map_or_else(|| "untitled.fly".to_owned(), |name| name.to_string_lossy().into_owned());
            let folder: Arc<Path> = file.as_deref().and_then(Path::parent).unwrap_or(Path::new("")).into();
            if !self.nests.contains_key(&key) {
                let compiler = Compiler::new([(name.as_str(), text.as_str())]);
                let loaded = Loaded { compiler, diagnostics: Vec::new(), files: 1 };
                let nest = NestState { is_lone: true, ..self.state(folder, loaded) };
                self.nests.insert(key.clone(), nest);
            }
            (key, name)
        };
        let document = Document {
            uri: uri.clone(),
            file,
            root: Some(root.clone()),
            path: path.clone(),
            text,
            version,
            changed,
        };
        self.documents.insert(uri, document);
        self.write(&root, &path);
        if let Some(nest) = self.nests.get_mut(&root) {
            nest.loaded.compiler.expect_edits(&path);
        }
    }

    pub(super) fn edit(&mut self, params: &lsp::DidChangeTextDocumentParams) {
        let number = self.changes.load(Ordering::SeqCst);
        let Some(document) = self.documents.get_mut(&params.text_document.uri) else { return };
        document.edit(&params.content_changes, self.encoding);
        (document.version, document.changed) = (params.text_document.version, number);
        let (root, path) = (document.root.clone(), document.path.clone());
        if let Some(root) = root {
            self.write(&root, &path);
        }
    }

    /// What is on disk counts again.
    pub(super) fn close(&mut self, uri: &Uri) {
        let Some(document) = self.documents.remove(uri) else { return };
        let Some(key) = document.root else { return };
        let Some(nest) = self.nests.get_mut(&key) else { return };
        if nest.is_lone {
            self.nests.remove(&key);
            return;
        }
        let is_open = self
            .documents
            .values()
            .any(|other| other.root.as_ref() == Some(&key) && other.path == document.path);
        if is_open {
            self.write(&key, &document.path);
            return;
        }
        let read = host::read_file(&nest.root, &document.path);
        if let Ok(text) = read {
            set(nest, &document.path, &text);
        } else {
            nest.loaded.compiler.remove(&document.path);
            nest.touched.insert(nest.root.join(&document.path));
        }
        nest.is_stale = true;
        nest.rewritten.insert(document.path);
        self.close_folders();
    }

    /// Gives a Nest the newest of a file's open documents.
    fn write(&mut self, key: &Path, path: &str) {
        let Some(nest) = self.nests.get_mut(key) else { return };
        let of = |document: &&Document| document.root.as_deref() == Some(key) && document.path == path;
        let Some(newest) = self.documents.values().filter(of).max_by_key(|document| document.changed) else {
            return;
        };
        let reads = set(nest, path, &newest.text);
        nest.is_stale = true;
        nest.rewritten.insert(path.to_owned());
        if reads {
            self.supply(key);
        }
    }

    /// Reads again what the files of a Nest read.
    fn supply(&mut self, key: &Path) {
        let Some(nest) = self.nests.get_mut(key).filter(|nest| !nest.is_lone) else { return };
        nest.is_stale |= host::supply(&nest.root, &mut nest.loaded.compiler);
        let reads: BTreeSet<String> = nest.loaded.compiler.reads().into_iter().map(String::from).collect();
        if reads != nest.reads {
            nest.reads = reads;
            self.watch_reads();
        }
    }

    /// Notes that files may be others on disk; with each, whether it may be new or gone.
    pub(super) fn touched(&mut self, files: impl IntoIterator<Item = (PathBuf, bool)>) {
        let mut is_other = false;
        for (file, other) in files {
            is_other |= other;
            for (key, nest) in self.nests.iter_mut().filter(|(_, nest)| !nest.is_lone) {
                if file.starts_with(&nest.root) || file.starts_with(key) || nest.root.starts_with(&file) {
                    // It is kept by one name, so that a burst is not kept as a whole.
                    if nest.touched.len() > MOST_TOUCHED {
                        nest.touched = BTreeSet::from([nest.root.to_path_buf()]);
                    } else if !nest.touched.contains(&*nest.root) {
                        nest.touched.insert(file.clone());
                    }
                }
            }
        }
        self.watching.may_be_new |= is_other;
    }

    /// Whether there are news of files that have not been looked at.
    pub(super) fn has_news(&self) -> bool {
        self.watching.may_be_new || self.nests.values().any(|nest| !nest.touched.is_empty())
    }

    /// Looks at the news.
    pub(super) fn settle(&mut self) {
        if !self.has_news() {
            return;
        }
        let keys: Vec<PathBuf> = self
            .nests
            .iter()
            .filter(|(_, nest)| !nest.touched.is_empty())
            .map(|(key, _)| key.clone())
            .collect();
        for key in keys {
            let Some(nest) = self.nests.get_mut(&key) else { continue };
            let touched: Vec<PathBuf> = std::mem::take(&mut nest.touched).into_iter().collect();
            if !self.read_again(&key, &touched) {
                self.refresh(&key, &touched);
            }
        }
        if std::mem::take(&mut self.watching.may_be_new) {
            self.find_again();
        }
    }

    /// Reads files again that a Nest is known to have; false when more may have changed than their texts.
    fn read_again(&mut self, key: &Path, touched: &[PathBuf]) -> bool {
        let Some(nest) = self.nests.get_mut(key) else { return true };
        let root = Arc::clone(&nest.root);
        let mut is_read = false;
        for file in touched {
            let path = relative(&root, file).or_else(|| relative(key, file));
            let Some(path) = path.filter(|path| !path.is_empty()) else { return false };
            if path
                .split('/')
                .any(|part| part.starts_with('.') && part != ".gitignore" && part != ".flyignore")
            {
                // What git and editors write for themselves.
                continue;
            }
            let is_open =
                self.documents.values().any(|it| it.root.as_deref() == Some(key) && it.path == path);
            if nest.loaded.compiler.text(&path).is_some() && host::is_file(file) {
                match host::read_file(&root, &path) {
                    // What is open in an editor counts more.
                    Ok(_) if is_open => {}
                    Ok(text) => {
                        is_read |= set(nest, &path, &text);
                        nest.is_stale = true;
                        nest.rewritten.insert(path);
                    }
                    Err(_) => return false,
                }
            } else if nest.reads.contains(&path) {
                is_read = true;
            } else {
                let is_fly = Path::new(&path).extension().is_some_and(|end| end == "fly");
                let is_above = format!("{path}/");
                let was_folder = nest.loaded.compiler.paths().any(|known| known.starts_with(&is_above))
                    || nest.reads.iter().any(|known| known.starts_with(&is_above));
                if is_fly || path.ends_with("ignore") || was_folder || host::is_folder(file) {
                    return false;
                }
            }
        }
        if is_read {
            self.supply(key);
        }
        true
    }

    /// Brings a Nest to what is on disk; what is open in an editor counts more.
    fn refresh(&mut self, key: &Path, touched: &[PathBuf]) {
        let Some(nest) = self.nests.get_mut(key) else { return };
        let texts = |nest: &NestState| -> BTreeMap<Arc<str>, Arc<str>> {
            let paths = nest.loaded.compiler.paths();
            paths.filter_map(|path| Some((Arc::clone(path), nest.loaded.compiler.text(path)?))).collect()
        };
        let before = texts(nest);
        nest.live.refresh(&mut nest.loaded, touched);
        for document in self.documents.values().filter(|document| document.root.as_deref() == Some(key)) {
            nest.loaded.compiler.set(&document.path, document.text.as_str());
        }
        let after = texts(nest);
        let others = after.iter().filter(|(path, text)| before.get(*path) != Some(*text));
        nest.rewritten.extend(others.map(|(path, _)| path.to_string()));
        nest.is_stale = true;
        let reads: BTreeSet<String> = nest.loaded.compiler.reads().into_iter().map(String::from).collect();
        nest.reads = reads;
        let (root, files) = (Arc::clone(&nest.root), nest.loaded.files);
        self.watch_reads();
        self.log(LogLevel::Info, || format!("read the Nest {} again: {files} files", root.display()));
    }

    /// Finds Nests that are new or gone, and the Nest of each document, which may be another now.
    fn find_again(&mut self) {
        for folder in self.folders.clone() {
            self.open_folder(&folder);
        }
        let moved: Vec<(Uri, PathBuf)> = self
            .documents
            .values()
            .filter_map(|document| {
                let root = host::find_root(document.file.as_ref()?)?;
                let key = host::real_path(&root);
                // A Nest that is deleted stays as long as its documents are open.
                (document.root.as_ref() != Some(&key)).then(|| (document.uri.clone(), root))
            })
            .collect();
        for (uri, _) in moved {
            let Some(document) = self.documents.get(&uri) else { continue };
            let (text, version) = (document.text.clone(), document.version);
            self.open(uri, text, version);
        }
        self.close_folders();
    }
}

/// Sets the text of a file; whether it reads others, or did.
fn set(nest: &mut NestState, path: &str, text: &str) -> bool {
    let before = nest.loaded.compiler.text(path).is_some_and(|text| may_read(&text));
    nest.loaded.compiler.set(path, text);
    before || may_read(text)
}

/// A path below a root, with `/` between folders; none for one that is not below it or is no text.
fn relative(root: &Path, file: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = file.strip_prefix(root).ok()?.iter().map(|part| part.to_str()).collect();
    Some(parts?.join("/"))
}
