//! The files of a CI configuration, put together: what is included comes first, and what includes it wins.

use std::{collections::HashMap, rc::Rc, sync::Arc};

use globset::GlobBuilder;

use super::{
    CI_UNREADABLE, Files,
    yaml::{self, Data, Entry, Map, Node},
};
use crate::{
    diag::{Diagnostic, Span},
    text::{Source, TextRange, TextSize},
};

/// How many files a configuration may have; GitLab's own limit.
const MOST_FILES: usize = 150;

/// The configuration as far as it has been read.
pub(super) struct Reading<'a> {
    files: &'a dyn Files,
    /// The files that are being read, outermost first.
    open: Vec<String>,
    read: usize,
    pub(super) config: Map,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) elsewhere: Vec<String>,
    pub(super) sources: HashMap<String, Source>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(files: &'a dyn Files) -> Self {
        Self {
            files,
            open: Vec::new(),
            read: 0,
            config: Map::new(),
            diagnostics: Vec::new(),
            elsewhere: Vec::new(),
            sources: HashMap::new(),
        }
    }

    fn problem(&mut self, span: Span, message: String, label: &str, help: &str) {
        self.diagnostics.push(Diagnostic::new(&CI_UNREADABLE, span, message, label).help(help));
    }

    /// Reads a file and what it includes; `from` is where its name stands. Whether all of it could be read.
    pub(super) fn file(&mut self, path: &str, from: Option<&Span>) -> bool {
        let shown: Arc<str> = self.files.shown(path).into();
        let at = from
            .cloned()
            .unwrap_or_else(|| Span::new(Arc::clone(&shown), TextRange::empty(TextSize::new(0))));
        if self.open.iter().any(|open| open == path) {
            self.problem(at, format!("`{path}` includes itself"), "leads back", "remove one of the includes");
            return false;
        }
        if self.read >= MOST_FILES {
            let message = format!("this configuration has more than {MOST_FILES} files");
            self.problem(at, message, "one too many", "GitLab reads no more; include fewer");
            return false;
        }
        self.read += 1;
        let text = match self.files.read(path) {
            Ok(Some(text)) => text,
            Ok(None) => {
                let help = "write the path from the project's root on";
                self.problem(at, format!("there is no file `{shown}`"), "not there", help);
                return false;
            }
            Err(reason) => {
                self.problem(at, reason, "can't be read", "see that it is a file of YAML text");
                return false;
            }
        };
        self.sources.insert(shown.to_string(), Source::new(Arc::clone(&shown), Arc::clone(&text)));
        let root = match yaml::load(&shown, &text) {
            Ok(root) => root,
            Err(error) => {
                let message = format!("`{shown}` is not YAML: {}", error.message);
                self.problem(error.span, message, "from here on", "mend it; GitLab can't read it either");
                return false;
            }
        };
        let Some(root) = root.filter(|root| root.data != Data::Null) else { return true };
        let Data::Map(own) = &root.data else {
            let message = format!("`{shown}` holds no jobs: it is not a map");
            let help = "write jobs by their names, such as `test: { script: make test }`";
            self.problem(root.span.clone(), message, "not a map", help);
            return false;
        };
        self.open.push(path.to_owned());
        let mut whole = true;
        if let Some(include) = root.get("include") {
            let items: &[Rc<Node>] = match &include.data {
                Data::List(items) => items,
                _ => std::slice::from_ref(include),
            };
            for item in items {
                whole &= self.include(item);
            }
        }
        self.open.pop();
        merge_into(&mut self.config, own, 0);
        whole
    }

    fn include(&mut self, item: &Node) -> bool {
        let local = match &item.data {
            Data::Scalar(text) if !text.contains("://") => Some((text.as_str(), &item.span)),
            Data::Map(_) => item.get("local").and_then(|local| Some((local.text()?, &local.span))),
            _ => None,
        };
        let Some((written, span)) = local.filter(|(path, _)| !path.contains('$')) else {
            let kind = match &item.data {
                Data::Map(map) => map
                    .iter()
                    .find(|entry| {
                        ["local", "remote", "template", "project", "component"].contains(&&*entry.key)
                    })
                    .map(|entry| format!("{}: {}", entry.key, entry.value.text().unwrap_or("…"))),
                _ => item.text().map(str::to_owned),
            };
            self.elsewhere.push(kind.unwrap_or_else(|| "an include".to_owned()));
            return true;
        };
        let path = written.trim_start_matches('/').trim_start_matches("./");
        if path.split('/').any(|part| part == "..") {
            let message = format!("`{written}` leads out of the project");
            self.problem(span.clone(), message, "outside", "write the path from the project's root on");
            return false;
        }
        if !path.contains('*') {
            return self.file(path, Some(span));
        }
        let Ok(glob) = GlobBuilder::new(path).literal_separator(true).build() else {
            self.problem(
                span.clone(),
                format!("`{written}` is no pattern"),
                "",
                "write a path, or `dir/*.yml`",
            );
            return false;
        };
        let matcher = glob.compile_matcher();
        let found: Vec<String> =
            self.files.list().into_iter().filter(|path| matcher.is_match(path)).collect();
        if found.is_empty() {
            let message = format!("no file matches `{written}`");
            self.problem(
                span.clone(),
                message,
                "matches nothing",
                "`*` stays in one folder, `**` goes deeper",
            );
            return false;
        }
        // Each is read, also after one that could not be.
        let mut whole = true;
        for path in &found {
            whole &= self.file(path, Some(span));
        }
        whole
    }
}

/// How deeply maps are merged into each other.
const MERGE_DEPTH: usize = 100;

/// Puts `over` onto `under` as GitLab does: maps are merged, everything else is replaced.
pub(super) fn merge_into(under: &mut Map, over: &Map, depth: usize) {
    let mut known: HashMap<String, usize> =
        under.iter().enumerate().map(|(at, entry)| (entry.key.clone(), at)).collect();
    for entry in over {
        let Some(&at) = known.get(&entry.key) else {
            known.insert(entry.key.clone(), under.len());
            under.push(entry.clone());
            continue;
        };
        let value = match (under[at].value.map(), entry.value.map()) {
            (Some(below), Some(above)) if depth < MERGE_DEPTH => {
                let mut both = below.clone();
                merge_into(&mut both, above, depth + 1);
                Rc::new(Node { span: entry.value.span.clone(), data: Data::Map(both) })
            }
            _ => Rc::clone(&entry.value),
        };
        under[at] = Entry { value, ..entry.clone() };
    }
}
