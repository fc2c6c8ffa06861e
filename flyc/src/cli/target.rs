//! What a command works on: the Nest that the given paths lie in, and which of its files are meant.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::Failure;
use crate::{
    check,
    compiler::{Compiler, Fixed},
    diag::{Applicability, Diagnostic, Span, files::NO_NEST},
    host,
    render::Sources,
    text::{Source, TextRange, TextSize},
};

/// The Nests that the paths of a command lie in.
#[derive(Debug, Default)]
pub(super) struct Target {
    nests: Vec<Selected>,
    /// Paths that lie in no Nest.
    pub(super) diagnostics: Vec<Diagnostic>,
}

#[derive(Debug)]
struct Selected {
    /// The Nest's folder; none for a text by itself.
    root: Option<PathBuf>,
    /// What stands before the paths of this Nest in reports: nothing, unless there are several.
    prefix: String,
    /// The files and folders that are meant, relative to the root; empty for the whole Nest.
    only: Vec<Arc<str>>,
    /// A text by itself, which stands nowhere.
    alone: bool,
    loaded: host::Loaded,
}

/// What was fixed in a Nest.
pub(super) struct FixedNest {
    /// The Nest's folder; none for a text by itself.
    pub(super) root: Option<PathBuf>,
    /// What stands before its paths in reports.
    pub(super) prefix: String,
    /// What was fixed.
    pub(super) fixed: Fixed,
}

impl Target {
    /// Finds the Nests of some paths and reads them.
    pub(super) fn open(paths: &[PathBuf]) -> Result<Self, Failure> {
        let mut target = Self::default();
        let mut roots: Vec<(PathBuf, Vec<Arc<str>>)> = Vec::new();
        let here = [PathBuf::from(".")];
        for path in if paths.is_empty() { &here } else { paths } {
            let absolute = std::path::absolute(path).map_err(|error| Failure::io(shown(path), error))?;
            let absolute = clean(&absolute);
            if !absolute.exists() {
                return Err(Failure::usage(
                    format!("there is no file or folder `{}`", shown(path)),
                    "give the folder of a Nest, or files in one",
                ));
            }
            if !absolute.is_dir() && absolute.extension().is_none_or(|extension| extension != "fly") {
                return Err(Failure::usage(
                    format!("`{}` is not a .fly file", shown(path)),
                    "give the folder of a Nest, or .fly files in one",
                ));
            }
            let from =
                if absolute.is_dir() { absolute.as_path() } else { absolute.parent().unwrap_or(&absolute) };
            let Some(root) = host::find_root(from) else {
                target.diagnostics.push(no_nest(path));
                continue;
            };
            let inside = relative(&root, &absolute);
            match roots.iter_mut().find(|(known, ..)| *known == root) {
                // The whole Nest holds every part of it.
                Some((.., only)) if inside.is_empty() || only.is_empty() => only.clear(),
                Some((.., only)) => only.push(inside),
                None => {
                    let only = if inside.is_empty() { Vec::new() } else { vec![inside] };
                    roots.push((root, only));
                }
            }
        }
        let several = roots.len() > 1;
        let folder = std::env::current_dir().unwrap_or_default();
        for (root, only) in roots {
            // With several Nests, each file is named from the working folder on.
            let below = shown(root.strip_prefix(&folder).unwrap_or(&root));
            let prefix = if several && !below.is_empty() { format!("{below}/") } else { String::new() };
            let loaded = host::load(&root);
            target.nests.push(Selected { root: Some(root), prefix, only, alone: false, loaded });
        }
        Ok(target)
    }

    /// The root of the Nest that a folder lies in.
    pub(super) fn root_of(path: &Path) -> Result<Option<PathBuf>, Failure> {
        let absolute = std::path::absolute(path).map_err(|error| Failure::io(shown(path), error))?;
        let absolute = clean(&absolute);
        if !absolute.is_dir() {
            return Err(Failure::usage(
                format!("there is no folder `{}`", shown(path)),
                "give the folder of a Nest",
            ));
        }
        Ok(host::find_root(&absolute))
    }

    /// A text that belongs to no Nest.
    pub(super) fn of_text_alone(text: Arc<str>) -> Self {
        let path: Arc<str> = "stdin.fly".into();
        let compiler = Compiler::new([(path, text)]);
        let loaded = host::Loaded { compiler, diagnostics: Vec::new(), files: 1 };
        let nest = Selected { root: None, prefix: String::new(), only: Vec::new(), alone: true, loaded };
        Self { nests: vec![nest], diagnostics: Vec::new() }
    }

    /// The Nest that the working folder lies in with a text in place of one of its files, or the text alone.
    pub(super) fn of_text(name: &Path, text: Arc<str>) -> Result<Self, Failure> {
        let absolute = std::path::absolute(name).map_err(|error| Failure::io(shown(name), error))?;
        let absolute = clean(&absolute);
        let parent = absolute.parent().unwrap_or(&absolute);
        let (loaded, path, root) = match host::find_root(parent) {
            Some(root) => {
                let path = relative(&root, &absolute);
                let mut loaded = host::load(&root);
                loaded.compiler.set(&path, text);
                loaded.diagnostics.retain(|diagnostic| diagnostic.span.file != path);
                (loaded, path, Some(root))
            }
            None => {
                let path: Arc<str> = shown(name).into();
                let compiler = Compiler::new([(path.clone(), text)]);
                (host::Loaded { compiler, diagnostics: Vec::new(), files: 1 }, path, None)
            }
        };
        let nest = Selected { root, prefix: String::new(), only: vec![path], alone: false, loaded };
        Ok(Self { nests: vec![nest], diagnostics: Vec::new() })
    }

    /// The Nests.
    pub(super) fn compilers(&mut self) -> impl Iterator<Item = &mut Compiler> {
        self.nests.iter_mut().map(|nest| &mut nest.loaded.compiler)
    }

    /// Carries out what the findings about what is meant offer; nothing is written.
    pub(super) fn fix(&mut self, least: Applicability) -> Vec<FixedNest> {
        let fix = |nest: &mut Selected| {
            let mut compiler = std::mem::replace(&mut nest.loaded.compiler, Compiler::new([("", ""); 0]));
            let fixed = compiler.fix(least, &|found| nest.wants(found));
            nest.loaded.compiler = compiler;
            FixedNest { root: nest.root.clone(), prefix: nest.prefix.clone(), fixed }
        };
        self.nests.iter_mut().map(fix).collect()
    }

    /// The text of a single file that is meant, as it is now.
    pub(super) fn only_text(&self) -> Option<Arc<str>> {
        let [nest] = self.nests.as_slice() else { return None };
        let path = nest.only.first().or_else(|| nest.loaded.compiler.paths().next())?;
        nest.loaded.compiler.text(path)
    }

    /// The folders of the Nests.
    pub(super) fn roots(&self) -> Vec<PathBuf> {
        self.nests.iter().filter_map(|nest| nest.root.clone()).collect()
    }

    /// Reads anew what has changed on disk; whether anything has.
    pub(super) fn refresh(&mut self, live: &mut [host::Live], touched: &[PathBuf]) -> bool {
        let nests = self.nests.iter_mut().filter(|nest| nest.root.is_some());
        let changed = nests.zip(live).map(|(nest, live)| live.refresh(&mut nest.loaded, touched));
        // Each has its turn, whatever the others say.
        changed.fold(false, |any, changed| any | changed)
    }

    /// The one Nest that is meant; none when there are several.
    pub(super) fn compiler(&self) -> Option<&Compiler> {
        match self.nests.as_slice() {
            [nest] => Some(&nest.loaded.compiler),
            _ => None,
        }
    }

    /// How many files are meant.
    pub(super) fn count(&self) -> usize {
        self.nests
            .iter()
            .map(|nest| {
                if nest.only.is_empty() {
                    nest.loaded.files
                } else {
                    nest.loaded.compiler.paths().filter(|path| nest.holds(path)).count()
                }
            })
            .sum()
    }

    /// Everything that is wrong with what is meant.
    pub(super) fn check(&self) -> Vec<Diagnostic> {
        let mut all = self.diagnostics.clone();
        for nest in &self.nests {
            let found = nest.loaded.compiler.check();
            let found = found.into_iter().chain(nest.loaded.diagnostics.iter().cloned());
            all.extend(found.filter(|found| nest.wants(found)).map(|found| nest.prefixed(found)));
        }
        all
    }
}

impl Selected {
    fn wants(&self, found: &Diagnostic) -> bool {
        self.holds(&found.span.file) && !(self.alone && *found.kind == check::UNPLACED_FILE)
    }

    fn holds(&self, path: &str) -> bool {
        self.only.is_empty()
            || self.only.iter().any(|only| {
                path.strip_prefix(&**only).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
    }

    fn prefixed(&self, mut diagnostic: Diagnostic) -> Diagnostic {
        if !self.prefix.is_empty() {
            let prefixed = |span: &mut Span| span.file = format!("{}{}", self.prefix, span.file).into();
            prefixed(&mut diagnostic.span);
            diagnostic.related.iter_mut().for_each(|related| prefixed(&mut related.span));
        }
        diagnostic
    }
}

impl Sources for Target {
    fn source(&self, path: &str) -> Option<Source> {
        self.nests.iter().find_map(|nest| {
            let inside = path.strip_prefix(nest.prefix.as_str())?;
            let source = nest.loaded.compiler.source(inside)?;
            Some(Source { path: path.into(), ..source })
        })
    }
}

/// A path without `.` and `..`, as the user means it.
fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}

fn relative(root: &Path, path: &Path) -> Arc<str> {
    let inside = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = inside.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/").into()
}

/// A path as the user wrote it.
pub(super) fn shown(path: &Path) -> String {
    path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
}

pub(super) fn no_nest(path: &Path) -> Diagnostic {
    let at = Span::new(shown(path).into(), TextRange::empty(TextSize::new(0)));
    Diagnostic::new(&NO_NEST, at, format!("`{}` is not in a Nest", shown(path)), "")
        .note("a Nest is a folder that holds `nest.fly`, or one of the folders Eggs, Jobs, UF and MG")
        .help("go to the folder of a Nest, or begin one: make `Eggs/<name>/config.fly`")
}
