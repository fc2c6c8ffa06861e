//! `docs/src/properties.md` and the tests it lists: each has the other.

use std::{collections::BTreeSet, path::Path};

/// The names of the property tests in the sources of the workspace.
fn written() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut folders: Vec<_> =
        ["fly-std", "flyc", "fly-lsp", "orchestrator", "tests"].map(|name| root.join(name)).to_vec();
    let mut found = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                if !path.ends_with("target") && !path.ends_with("node_modules") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.extend(text.lines().filter_map(|line| {
                    let line = line.trim();
                    let name = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn property_")?;
                    Some(format!("property_{}", name.split('(').next()?))
                }));
            }
        }
    }
    found
}

/// The names of the property tests in the table of the documentation.
fn listed() -> Vec<String> {
    let text = include_str!("../../docs/src/properties.md");
    let cells = text.lines().filter(|line| line.starts_with('|')).flat_map(|line| line.split('`'));
    cells.filter(|word| word.starts_with("property_")).map(str::to_owned).collect()
}

#[test]
fn every_property_is_listed_and_tested() {
    let listed = listed();
    let once: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(once.len(), listed.len(), "a test is listed twice");
    assert_eq!(
        once,
        written(),
        "docs/src/properties.md lists the left ones, the sources have the right ones"
    );
}
