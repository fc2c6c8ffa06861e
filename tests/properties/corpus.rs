//! Files that people wrote: the examples of the seeds, and whatever Nests stand beside the workspace.

use std::{path::Path, sync::Arc};

use flyc::syntax::parse;

/// A file of the corpus as a Nest of its own.
#[derive(Debug, Clone)]
pub(crate) struct Example {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The examples of the seeds, one a block, with the comments above it.
pub(crate) fn seeds() -> Vec<Example> {
    let all = include_str!("../../fly-std/src/schema/tests/seeds.fly");
    let mut found = Vec::new();
    for part in all.split("# --- ").skip(1) {
        let (name, text) = part.split_once('\n').unwrap();
        let path = name.split_once('/').unwrap().1.trim();
        assert_eq!(parse(Arc::from(text)).errors(), &[], "{name}");
        found.push(Example { path: path.to_owned(), text: text.to_owned() });
    }
    assert!(found.len() >= 19, "{}", found.len());
    found
}

/// The Nest around an example: what it names is there.
pub(crate) fn nest(path: &str, text: &str) -> Vec<(String, String)> {
    let mut files = vec![(path.to_owned(), text.to_owned())];
    if path.starts_with("UF/") {
        let others = seeds().into_iter().filter(|other| other.path.starts_with("Eggs/"));
        let mut seen = std::collections::BTreeSet::new();
        files.extend(others.filter(|o| seen.insert(o.path.clone())).map(|other| (other.path, other.text)));
    }
    files
}

/// Files of every syntax the language has.
pub(crate) fn tricky() -> Vec<Example> {
    let texts = [include_str!("corpus/everything.fly"), include_str!("corpus/comments.fly")];
    texts.map(|text| Example { path: "nest.fly".to_owned(), text: text.to_owned() }).to_vec()
}

/// Everything there is: the examples, the tricky ones, and the Nests in `tests/nests` and beside the workspace.
pub(crate) fn everything() -> Vec<Example> {
    let mut all = seeds();
    all.extend(tricky());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("nests"), root.join("../../shared/nests")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "fly")
                && let Ok(text) = std::fs::read_to_string(&path)
                && all.iter().all(|known| known.text != text)
            {
                all.push(Example { path: "Eggs/found/config.fly".to_owned(), text });
            }
        }
    }
    all
}
