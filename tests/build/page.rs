//! The page that shows what is built of an egg is true. `UPDATE_EXPECT=1` brings it up to date.

use std::{fs, path::Path};

use flyc::{build::Options, compiler::Compiler};

/// Each block of code with the line before it that names its file: the range of the code, and the name.
fn blocks(page: &str) -> Vec<(std::ops::Range<usize>, &str)> {
    let mut found = Vec::new();
    let mut name = "";
    let mut open = None;
    let mut at = 0;
    for line in page.split_inclusive('\n') {
        match open {
            None if line.starts_with("```") => open = Some(at + line.len()),
            Some(begin) if line.starts_with("```") => {
                found.push((begin..at, name));
                open = None;
            }
            None if line.starts_with('`') => name = line.trim_end(),
            _ => {}
        }
        at += line.len();
    }
    found
}

fn is_source(file: &str) -> bool {
    file.rsplit_once('.').is_some_and(|(_, kind)| kind == "fly")
}

#[test]
fn the_page_shows_what_is_built() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/generated-module.md");
    let page = fs::read_to_string(&path).unwrap();
    let blocks = blocks(&page);
    let sources: Vec<(&str, &str)> = blocks
        .iter()
        .filter_map(|(range, name)| {
            let file = name.strip_prefix('`')?.strip_suffix("`:")?;
            is_source(file).then(|| (file, &page[range.clone()]))
        })
        .collect();
    let compiler = Compiler::new(sources.iter().copied());
    assert_eq!(compiler.check(), []);
    let build = compiler.build(&Options::default()).unwrap();
    let mut current = String::new();
    let mut at = 0;
    for (range, name) in &blocks {
        let (file, only) = match name.trim_start_matches('`').split_once("`, the line with `") {
            Some((file, only)) => (file, Some(only.trim_end_matches("`:"))),
            None => (name.trim_matches(|c| c == '`' || c == ':'), None),
        };
        current.push_str(&page[at..range.start]);
        match (build.files.get(file), only) {
            (Some(text), None) => current.push_str(text),
            (Some(text), Some(only)) => {
                let line = text.lines().find(|line| line.contains(&format!("\"{only}\""))).unwrap();
                current.push_str(line.trim().trim_end_matches(','));
                current.push('\n');
            }
            (None, _) => {
                assert!(is_source(file), "{file} is not built");
                current.push_str(&page[range.clone()]);
            }
        }
        at = range.end;
    }
    current.push_str(&page[at..]);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, current).unwrap();
    } else {
        assert!(
            current == page,
            "docs/src/generated-module.md is not current; run UPDATE_EXPECT=1 cargo test -p polar-gosling-tests --test build page"
        );
    }
}
