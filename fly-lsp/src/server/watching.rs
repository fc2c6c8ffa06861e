//! Which files the editor watches for us: those that a Nest is made of, and those that its files read.
//!
//! Never here: what is done when one has changed.

use std::collections::BTreeSet;

use serde_json::json;
use tower_lsp_server::ls_types::Registration;

use super::outbox::Outbox;

const METHOD: &str = "workspace/didChangeWatchedFiles";

/// What makes a Nest: its files, what leaves some of them out, and its folders, of which an editor tells only
/// themselves when they are moved or deleted as a whole.
const OF_A_NEST: [&str; 4] =
    ["**/*.fly", "**/{.gitignore,.flyignore}", "**/{Eggs,Jobs,MG,UF}", "**/{Eggs,Jobs,MG,UF}/**"];

/// What is watched.
#[derive(Debug, Default)]
pub(crate) struct Watching {
    has_begun: bool,
    /// Whether Nests may be new or gone, as far as what has been told of files goes.
    pub(super) may_be_new: bool,
    /// What the files of the Nests read elsewhere.
    reads: BTreeSet<String>,
    /// How often that has changed: each time is a registration of its own.
    times: usize,
}

impl Watching {
    /// Has the files of Nests watched.
    pub(crate) fn begin(&mut self, outbox: &Outbox) {
        self.has_begun = true;
        outbox.register(registration("fly-nest".to_owned(), OF_A_NEST.iter().copied()));
    }

    /// Has these files watched, and no others but those of Nests.
    pub(crate) fn read(&mut self, outbox: &Outbox, paths: impl IntoIterator<Item = String>) {
        // What lies in a Nest's folders is watched already.
        let is_elsewhere =
            |path: &String| !["Eggs/", "Jobs/", "MG/", "UF/"].iter().any(|folder| path.starts_with(folder));
        let paths: BTreeSet<String> = paths.into_iter().filter(is_elsewhere).collect();
        if !self.has_begun || paths == self.reads {
            return;
        }
        if !self.reads.is_empty() {
            outbox.unregister(&id(self.times), METHOD);
        }
        self.times += 1;
        if !paths.is_empty() {
            let globs: Vec<String> = paths.iter().map(|path| format!("**/{}", escaped(path))).collect();
            outbox.register(registration(id(self.times), globs.iter().map(String::as_str)));
        }
        self.reads = paths;
    }
}

fn id(time: usize) -> String {
    format!("fly-reads-{time}")
}

fn registration<'a>(id: String, globs: impl Iterator<Item = &'a str>) -> Registration {
    let watchers: Vec<_> = globs.map(|glob| json!({ "globPattern": glob })).collect();
    Registration { id, method: METHOD.to_owned(), register_options: Some(json!({ "watchers": watchers })) }
}

/// A path as a pattern of itself: what would stand for others stands for one letter.
fn escaped(path: &str) -> String {
    path.chars().map(|c| if "*?[]{}!,".contains(c) { '?' } else { c }).collect()
}
