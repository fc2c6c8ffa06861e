//! The smaller homes of Fly: Helix, Zed, Emacs and `JetBrains`, and the pages about all of them.
//!
//! What can be made of the grammar's queries or of fly-std's tables is made of them, here: there is no second list to keep.
//! What never lives here: the grammars themselves, and editors that are driven for real (`neovim`, `emacs`).

#[path = "homes/pages.rs"]
mod pages;
#[path = "homes/queries.rs"]
mod queries;
#[path = "homes/settings.rs"]
mod settings;
#[path = "homes/zed.rs"]
mod zed;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// The folder of the editors' packages.
fn editors() -> PathBuf {
    root().join("editors")
}

/// The workspace's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A file that is made of something else is as it is made; `UPDATE_EXPECT=1` makes it so.
fn current(path: &Path, made: &str) {
    if fs::read_to_string(path).is_ok_and(|kept| kept == made) {
        return;
    }
    let name = path.strip_prefix(root()).unwrap().display();
    assert!(
        env::var_os("UPDATE_EXPECT").is_some(),
        "{name} is not current: run UPDATE_EXPECT=1 cargo test --test editors homes"
    );
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, made).unwrap();
}

/// The words that stand in a text of Emacs Lisp come from fly-std's tables: between `;; words: LIST` and `;; end`.
#[test]
fn the_words_of_emacs_are_those_of_the_tables() {
    let path = editors().join("emacs/fly-mode.el");
    let lisp = read(&path);
    let marked = lisp.replace(";; words: ", "; words: ").replace(";; end\n", "; end\n");
    let mut used = std::collections::BTreeSet::new();
    let filled = crate::treesitter::words::Words::of_the_language().fill(&marked, &mut used);
    assert!(used.len() > 2, "{used:?}");
    current(&path, &filled.replace("; words: ", ";; words: ").replace("; end\n", ";; end\n"));
}
