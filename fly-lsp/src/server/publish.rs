//! What was found, told to the editor: for each file what has changed since it was last told, and nothing twice.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use flyc::diag::Diagnostic;
use tokio::sync::mpsc;
use tower_lsp_server::{
    Client,
    ls_types::{self as lsp, Uri},
};

use super::{
    convert::{self, Lines, uri_of},
    session::View,
};

/// One message to the editor.
type Told = (Uri, Vec<lsp::Diagnostic>, Option<i32>);

/// What was last told of a Nest: the findings of each file, and the version of each open document they were about.
#[derive(Debug, Default)]
struct Last {
    found: BTreeMap<Arc<str>, Vec<Diagnostic>>,
    versions: Arc<BTreeMap<String, i32>>,
}

/// The way to the editor. Messages leave in the order they were given.
#[derive(Debug, Clone)]
pub(crate) struct Publisher {
    queue: mpsc::UnboundedSender<Told>,
    /// By the root of each Nest.
    last: Arc<Mutex<HashMap<PathBuf, Last>>>,
}

impl Publisher {
    /// Messages for this client.
    pub(crate) fn new(client: Client) -> Self {
        let (queue, mut waiting) = mpsc::unbounded_channel::<Told>();
        tokio::spawn(async move {
            while let Some((uri, diagnostics, version)) = waiting.recv().await {
                client.publish_diagnostics(uri, diagnostics, version).await;
            }
        });
        Self { queue, last: Arc::default() }
    }

    /// Tells what was found in a Nest.
    pub(crate) fn publish(&self, view: &View, found: Vec<Diagnostic>) {
        let mut by_file: BTreeMap<Arc<str>, Vec<Diagnostic>> = BTreeMap::new();
        for diagnostic in found {
            by_file.entry(Arc::clone(&diagnostic.span.file)).or_default().push(diagnostic);
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let last = last.entry(view.root.to_path_buf()).or_default();
        // An open document is told of with each version, so that the editor knows what the findings are about.
        let is_new =
            |path: &str| view.versions.get(path).is_some_and(|now| last.versions.get(path) != Some(now));
        for path in last.found.keys().filter(|path| !by_file.contains_key(*path) && !is_new(path)) {
            self.tell(view, path, &[]);
        }
        for path in view.versions.keys().filter(|path| is_new(path)) {
            self.tell(view, path, by_file.get(path.as_str()).map_or(&[], Vec::as_slice));
        }
        for (path, found) in by_file.iter().filter(|(path, _)| !is_new(path)) {
            if last.found.get(path) != Some(found) {
                self.tell(view, path, found);
            }
        }
        *last = Last { found: by_file, versions: Arc::clone(&view.versions) };
    }

    /// A Nest is no longer in the window.
    pub(crate) fn forget(&self, root: &Path) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        for path in last.remove(root).unwrap_or_default().found.into_keys() {
            if let Some(uri) = uri_of(root, &path) {
                let _ = self.queue.send((uri, Vec::new(), None));
            }
        }
    }

    fn tell(&self, view: &View, path: &str, found: &[Diagnostic]) {
        let Some(uri) = uri_of(&view.root, path) else { return };
        let version = view.versions.get(path).copied();
        let _ = self.queue.send((uri, diagnostics(view, path, found), version));
    }
}

/// The diagnostics of a file as editors show them.
pub(crate) fn diagnostics(view: &View, path: &str, found: &[Diagnostic]) -> Vec<lsp::Diagnostic> {
    let text = view.compiler.text(path).unwrap_or_default();
    let lines = Lines::new(&text, view.encoding);
    let related =
        |span: &flyc::diag::Span| convert::location(&view.compiler, &view.root, view.encoding, span);
    found.iter().map(|found| convert::diagnostic(found, &lines, related)).collect()
}
