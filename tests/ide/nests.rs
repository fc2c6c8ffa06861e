//! The Nests that are asked about, and what is wrong with a text in one of them.
//!
//! What never lives here: any question.

use std::{collections::BTreeMap, fs, path::Path};

use flyc::{
    compiler::Compiler,
    diag::Severity,
    syntax::{Kind, parse},
};

use crate::corpus;

/// The files of a Nest.
#[derive(Debug, Clone)]
pub(crate) struct Nest {
    pub(crate) files: Vec<(String, String)>,
}

impl Nest {
    pub(crate) fn compiler(&self) -> Compiler {
        Compiler::new(self.files.iter().map(|(path, text)| (path.as_str(), text.as_str())))
    }

    pub(crate) fn text(&self, path: &str) -> &str {
        &self.files.iter().find(|(known, _)| known == path).unwrap().1
    }
}

/// A Nest in which one file is written over and over.
pub(crate) struct Desk<'a> {
    pub(crate) compiler: Compiler,
    pub(crate) path: &'a str,
}

impl<'a> Desk<'a> {
    pub(crate) fn new(nest: &Nest, path: &'a str) -> Self {
        Self { compiler: nest.compiler(), path }
    }

    /// The errors with this text, closed where it is open.
    pub(crate) fn errors(&mut self, text: &str) -> Errors {
        self.compiler.set(self.path, format!("{text}{}", closing(text)));
        errors(&self.compiler)
    }
}

/// A file to ask about, and the Nest it is in.
pub(crate) struct Example {
    pub(crate) nest: Nest,
    pub(crate) path: String,
}

impl Example {
    pub(crate) fn text(&self) -> &str {
        self.nest.text(&self.path)
    }
}

/// Every example of the seeds, each with what it names around it, and the files of the example Nest.
pub(crate) fn examples() -> Vec<Example> {
    let seed = |seed: corpus::Example| {
        let nest = Nest { files: corpus::nest(&seed.path, &seed.text) };
        Example { nest, path: seed.path }
    };
    let mut all: Vec<_> = corpus::seeds().into_iter().map(seed).collect();
    let nest = example_nest();
    let paths: Vec<String> = nest.files.iter().map(|(path, _)| path.clone()).collect();
    all.extend(paths.into_iter().map(|path| Example { nest: nest.clone(), path }));
    all
}

/// The Nest of `tests/nests/example`.
pub(crate) fn example_nest() -> Nest {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("nests/example");
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "fly") {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                files.push((name, fs::read_to_string(path).unwrap()));
            }
        }
    }
    files.sort();
    assert!(files.len() >= 9, "{files:?}");
    Nest { files }
}

/// What is only not there yet, and what a text that is being written is bound to have.
const UNFINISHED: &[&str] = &["missing-attribute", "missing-block", "unclosed"];

/// What is known of a whole machine or table only, not of any one value: what the clouds sell, and what the orchestrator
/// keeps in its own tables, and the rules that an organisation makes for itself.
const AS_A_WHOLE: &[&str] = &["not-deployable", "bad-table", "assert-failed"];

/// Errors by their kind.
pub(crate) type Errors = BTreeMap<&'static str, Vec<String>>;

/// The errors of a Nest, without what is only unfinished.
pub(crate) fn errors(compiler: &Compiler) -> Errors {
    let mut found = Errors::new();
    for diagnostic in compiler.check() {
        let id = diagnostic.kind.id;
        if diagnostic.severity() == Severity::Error && !UNFINISHED.contains(&id) && !AS_A_WHOLE.contains(&id)
        {
            found.entry(diagnostic.kind.id).or_default().push(diagnostic.message);
        }
    }
    found
}

/// For each kind the more of two.
pub(crate) fn most(mut one: Errors, other: &Errors) -> Errors {
    for (id, all) in other {
        let known = one.entry(id).or_default();
        if known.len() < all.len() {
            known.clone_from(all);
        }
    }
    one
}

/// The errors that are there after, and were not before.
pub(crate) fn new_errors(before: &Errors, after: &Errors) -> Vec<String> {
    let more = after.iter().filter(|(id, all)| all.len() > before.get(*id).map_or(0, Vec::len));
    more.map(|(id, all)| format!("{id}: {}", all.join(" · "))).collect()
}

/// What closes everything that is open at the end of a text: strings, heredocs, comments and brackets.
pub(crate) fn closing(text: &str) -> String {
    let parsed = parse(text.into());
    let tokens = parsed.tree().tokens();
    let mut end = String::new();
    if let Some(last) = tokens.last() {
        let written = &text[last.start as usize..];
        let open = written.rfind("${").is_some_and(|at| !written[at..].contains('}'));
        if open && matches!(last.kind, Kind::UnclosedString | Kind::UnclosedHeredoc) {
            end.push('}');
        }
        match last.kind {
            Kind::UnclosedString => end.push('"'),
            Kind::UnclosedComment => end.push_str("*/"),
            Kind::UnclosedHeredoc => {
                let marker = written.trim_start_matches(['<', '-']);
                let marker: String =
                    marker.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                end = format!("{end}\n{marker}");
            }
            _ => {}
        }
    }
    let mut open = Vec::new();
    for token in tokens {
        match token.kind {
            Kind::OpenBrace => open.push("\n}"),
            Kind::OpenBracket => open.push("]"),
            Kind::OpenParen => open.push(")"),
            Kind::CloseBrace | Kind::CloseBracket | Kind::CloseParen => drop(open.pop()),
            _ => {}
        }
    }
    open.reverse();
    if end.contains('\n') {
        end.push('\n');
    }
    format!("{end}{}\n", open.concat())
}
