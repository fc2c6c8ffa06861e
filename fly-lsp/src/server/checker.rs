//! The checks: one thread a Nest looks at it after each change, and tells what has become other.
//!
//! A change ends the check that is under way; what it had found so far is remembered, so the next goes on from there.
//! Never here: what is wrong, and to whom it is told.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use flyc::{compiler::Findings, diag::Diagnostic};
use rayon::prelude::*;
use tower_lsp_server::ls_types::Uri;

use super::{
    convert::uri_of,
    outbox::{Outbox, Progress},
    publish::{Publisher, Told, by_file},
    session::{View, caught, is_form},
};

/// A Nest that is to be checked.
pub(crate) struct Job {
    /// How many changes there were.
    pub(crate) number: u64,
    pub(crate) view: View,
    /// The files whose text is another than at the last check, as far as known.
    pub(crate) rewritten: BTreeSet<String>,
    /// What shows the work until the Nest was checked once.
    pub(crate) progress: Option<Arc<Progress>>,
}

/// What is known of a Nest from its checks.
struct Checker {
    findings: Findings,
    /// The files that are to be told of.
    pending: BTreeSet<Arc<str>>,
    /// Whether some of them are others although nobody edited them.
    others: bool,
    rewritten: BTreeSet<String>,
    unreadable: BTreeMap<Arc<str>, Vec<Diagnostic>>,
    /// The documents that were open, and their versions, when they were last told of.
    open: Arc<BTreeMap<String, Vec<(Uri, i32)>>>,
    workspace: bool,
    progress: Option<Arc<Progress>>,
    publisher: Publisher,
    /// What it is called by there.
    teller: u64,
    outbox: Outbox,
    changes: Arc<AtomicU64>,
}

/// Begins to check a Nest; it ends, and takes back what it has told, when the way to it is dropped.
pub(crate) fn start(publisher: Publisher, outbox: Outbox, changes: Arc<AtomicU64>) -> Sender<Job> {
    let (sender, jobs) = channel();
    let checker = Checker {
        findings: Findings::default(),
        pending: BTreeSet::new(),
        others: false,
        rewritten: BTreeSet::new(),
        unreadable: BTreeMap::new(),
        open: Arc::default(),
        workspace: true,
        progress: None,
        teller: publisher.teller(),
        publisher,
        outbox,
        changes,
    };
    thread::spawn(move || checker.run(&jobs));
    sender
}

impl Checker {
    fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(mut job) = jobs.recv() {
            self.begin(&mut job);
            // The newest is enough; the older would only keep it waiting.
            while let Ok(mut newer) = jobs.try_recv() {
                self.begin(&mut newer);
                job = newer;
            }
            self.check(job);
        }
        self.publisher.forget(self.teller);
    }

    fn begin(&mut self, job: &mut Job) {
        self.rewritten.append(&mut job.rewritten);
        if let Some(progress) = job.progress.take() {
            self.progress = Some(progress);
        }
    }

    fn check(&mut self, job: Job) {
        let Job { number, view, .. } = job;
        let told = caught(|| {
            for path in view.compiler.check_again(&mut self.findings) {
                // Of what the user types, the editor asks anyway.
                self.others |= !(self.rewritten.contains(&*path) && view.open.contains_key(&*path));
                self.pending.insert(path);
            }
            self.look_beside(&view);
            self.told(&view)
        });
        let (versions, workspace) = (Arc::clone(&view.open), view.settings.diagnostics.workspace);
        let refreshes = view.abilities.refreshes();
        // Whoever writes waits until this is gone.
        drop(view);
        let Ok(told) = told else { return };
        // Told about an older text, it would be in the wrong places; the next check tells it.
        if self.changes.load(Ordering::SeqCst) != number {
            return;
        }
        self.publisher.tell(self.teller, told);
        if std::mem::take(&mut self.others) {
            refreshes.for_each(|shown| self.outbox.refresh(shown));
        }
        self.pending.clear();
        self.rewritten.clear();
        (self.open, self.workspace) = (versions, workspace);
        self.progress = None;
    }

    /// What else is to be told of: documents with a new version, files that can be read no more or again, and everything
    /// when the user wants more or less.
    fn look_beside(&mut self, view: &View) {
        // The same findings may stand in other lines now.
        let rewritten = self.rewritten.iter().map(|path| Arc::from(path.as_str()));
        self.pending.extend(rewritten);
        let of = |open: &BTreeMap<String, Vec<(Uri, i32)>>, path: &str| open.get(path).cloned();
        let paths = self.open.keys().chain(view.open.keys());
        let others = paths.filter(|path| of(&self.open, path) != of(&view.open, path));
        self.pending.extend(others.map(|path| Arc::from(path.as_str())));
        let unreadable = by_file(&view.unreadable);
        if unreadable != self.unreadable {
            self.pending.extend(self.unreadable.keys().chain(unreadable.keys()).cloned());
            self.unreadable = unreadable;
        }
        if self.workspace != view.settings.diagnostics.workspace {
            self.pending.extend(self.findings.by_file().keys().chain(self.unreadable.keys()).cloned());
        }
    }

    fn told(&self, view: &View) -> Vec<Told> {
        let (shower, open) = (view.shower(), Arc::clone(&view.open));
        let paths: Vec<&Arc<str>> = self.pending.iter().collect();
        let (before, is_lone) = (&self.open, view.is_lone);
        let wants_all = view.settings.diagnostics.workspace;
        let (findings, unreadable) = (self.findings.by_file(), &self.unreadable);
        let tell = |compiler: &mut flyc::compiler::Compiler, path: &Arc<str>| {
            let documents = open.get(&**path).map_or(&[][..], Vec::as_slice);
            let is_open = !documents.is_empty();
            let mut found = findings.get(path).cloned().unwrap_or_default();
            found.extend(unreadable.get(path).into_iter().flatten().cloned());
            found.retain(|found| !is_lone || is_form(found));
            let shown = if is_open || wants_all { shower.show(compiler, path, &found) } else { Vec::new() };
            let mut told: Vec<Told> = documents
                .iter()
                .map(|(uri, version)| Told {
                    uri: uri.clone(),
                    diagnostics: shown.clone(),
                    version: Some(*version),
                })
                .collect();
            let own = uri_of(&shower.root, path);
            // The editor may call it otherwise than we do, and did or does not: what was told under one name and holds
            // under another is taken back, or it would stand there twice.
            let gone = before.get(&**path).into_iter().flatten().map(|(uri, _)| uri);
            let gone = gone.chain(own.as_ref().filter(|_| is_open));
            let gone = gone.filter(|&uri| {
                (is_open || Some(uri) != own.as_ref()) && documents.iter().all(|(open, _)| open != uri)
            });
            told.extend(gone.map(|uri| Told { uri: uri.clone(), diagnostics: Vec::new(), version: None }));
            told.extend(own.filter(|_| !is_open).map(|uri| Told { uri, diagnostics: shown, version: None }));
            told
        };
        if paths.len() < 64 {
            let mut compiler = view.compiler.clone();
            return paths.into_iter().flat_map(|path| tell(&mut compiler, path)).collect();
        }
        paths.into_par_iter().map_with(view.compiler.clone(), tell).flatten_iter().collect()
    }
}
