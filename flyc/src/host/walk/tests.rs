//! The walk against that of the `ignore` crate, which finds what git does not ignore, on folders nobody would make.

#![allow(clippy::unwrap_used, reason = "folders that can't be made fail the test")]

use std::{fs, os::unix::ffi::OsStrExt, path::PathBuf, sync::Mutex};

use ignore::{WalkBuilder, WalkState};
use proptest::{prelude::*, sample::select};

use super::*;
use crate::host::walk as found_by_walk;

/// What a random Nest is made of.
#[derive(Debug, Clone)]
enum Made {
    File,
    Ignoring(Vec<&'static str>),
    Link(&'static str),
    Folder(Vec<(&'static [u8], Made)>),
}

const NAMES: [&[u8]; 14] = [
    b"a",
    b"b",
    b"ab",
    b".h",
    b".fly",
    b"x.fly",
    b"config.fly",
    b"nest.fly",
    b".h.fly",
    b"a b.fly",
    "\u{e9}.fly".as_bytes(),
    b"\xff",
    b"\xff.fly",
    b"notes.txt",
];

const PATTERNS: [&str; 26] = [
    "*.fly",
    "!*.fly",
    "x.fly",
    "!x.fly",
    "/x.fly",
    "a/",
    "!a/",
    "/a",
    "a/b",
    "a/**",
    "**/b",
    "**/a/x.fly",
    "b/*.fly",
    "!config.fly",
    "*",
    "!*",
    "!.h",
    "!.h/",
    ".h.fly",
    "!.h.fly",
    "# a",
    "[",
    "\\",
    "[a-b]",
    "?",
    "a b.fly ",
];

const TARGETS: [&str; 9] = [".", "..", "../..", "a", "b", "../a", "../a/b", "x.fly", "nothing"];

fn made() -> impl Strategy<Value = Made> {
    let leaf = prop_oneof![4 => Just(Made::File), 1 => select(&TARGETS[..]).prop_map(Made::Link)];
    leaf.prop_recursive(4, 40, 6, |inner| folder(inner).prop_map(Made::Folder))
}

fn folder(inner: impl Strategy<Value = Made>) -> impl Strategy<Value = Vec<(&'static [u8], Made)>> {
    let ignoring = || {
        let patterns = prop::collection::vec(select(&PATTERNS[..]), 0..4).prop_map(Made::Ignoring);
        prop_oneof![6 => patterns, 1 => Just(Made::Folder(Vec::new())), 1 => Just(Made::Link("../.gitignore"))]
    };
    let entries = prop::collection::btree_map(select(&NAMES[..]), inner, 0..6);
    let ignoring = (prop::option::weighted(0.3, ignoring()), prop::option::weighted(0.3, ignoring()));
    (entries, ignoring).prop_map(|(entries, (git, fly))| {
        let git = git.map(|made| (&b".gitignore"[..], made));
        let fly = fly.map(|made| (&b".flyignore"[..], made));
        entries.into_iter().chain(git).chain(fly).collect()
    })
}

fn make(at: &Path, entries: &[(&'static [u8], Made)]) {
    fs::create_dir_all(at).unwrap();
    for (name, made) in entries {
        let path = at.join(std::ffi::OsStr::from_bytes(name));
        match made {
            Made::File => fs::write(path, "").unwrap(),
            Made::Ignoring(lines) => fs::write(path, lines.join("\n")).unwrap(),
            Made::Link(target) => std::os::unix::fs::symlink(target, path).unwrap(),
            Made::Folder(entries) => make(&path, entries),
        }
    }
}

/// What `ignore`'s own walk finds: the files, and the paths of what went wrong.
fn found_by_ignore(root: &Path) -> (Vec<String>, Vec<String>) {
    let found = Mutex::new((Vec::new(), Vec::new()));
    let walker = WalkBuilder::new(root)
        .follow_links(true)
        .require_git(false)
        .git_exclude(false)
        .git_global(false)
        .ignore(false)
        .parents(false)
        .add_custom_ignore_filename(".flyignore")
        .threads(2)
        .build_parallel();
    walker.run(|| {
        Box::new(|entry| {
            let mut found = found.lock().unwrap();
            match entry {
                Ok(entry) => {
                    let is_fly = entry.path().extension().is_some_and(|extension| extension == "fly");
                    if is_fly && let Some(path) = relative(root, entry.path()) {
                        let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
                        if is_file { found.0.push(path) } else { found.1.push(path) }
                    }
                }
                Err(error) => found.1.extend(place(&error).and_then(|path| relative(root, &path))),
            }
            WalkState::Continue
        })
    });
    let (mut files, mut wrong) = found.into_inner().unwrap();
    let inner: Vec<String> =
        files.iter().filter_map(|path| Some(format!("{}/", path.strip_suffix("/nest.fly")?))).collect();
    let inside = |path: &String| inner.iter().any(|folder| path.starts_with(folder));
    files.retain(|path| !inside(path));
    wrong.retain(|path| !inside(path));
    files.sort();
    wrong.sort();
    wrong.dedup();
    (files, wrong)
}

fn relative(root: &Path, path: &Path) -> Option<String> {
    Some(path.strip_prefix(root).ok()?.to_str()?.to_owned())
}

fn place(error: &ignore::Error) -> Option<PathBuf> {
    match error {
        ignore::Error::Loop { child, .. } => Some(child.clone()),
        ignore::Error::WithPath { path, .. } => Some(path.clone()),
        ignore::Error::WithDepth { err, .. } => place(err),
        _ => None,
    }
}

proptest! {
    /// The same files as `ignore`'s own walk. What went wrong is the same too, but that nothing is said of a link that
    /// an ignore file names or that is hidden: `ignore` looks where it leads before it asks whether it is meant.
    #[test]
    fn property_walk_finds_what_ignore_finds(entries in folder(made())) {
        let folder = tempfile::tempdir().unwrap();
        // So deep that no link leads out of it, to where others make and remove files.
        let root = folder.path().join("a/b/nest");
        make(&root, &entries);
        let (files, wrong) = found_by_ignore(&root);
        let found = found_by_walk(&root);
        prop_assert_eq!(found.files.iter().map(|path| path.to_string()).collect::<Vec<_>>(), files);
        let told: Vec<String> = found.diagnostics.iter().map(|it| it.span.file.to_string()).collect();
        for path in &told {
            prop_assert!(wrong.contains(path), "{path} is told, and nothing is wrong with it");
        }
        for path in &wrong {
            prop_assert!(told.contains(path) || root.join(path).is_symlink(), "{path} is not told");
        }
    }
}

/// A Nest of empty files and of links.
fn nest(files: &[&str], links: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    for (link, target) in links {
        std::os::unix::fs::symlink(target, folder.path().join(link)).unwrap();
    }
    folder
}

fn told(root: &Path) -> Vec<String> {
    found_by_walk(root).diagnostics.into_iter().map(|it| it.message).collect()
}

#[test]
fn a_link_that_is_left_out_is_not_asked_where_it_leads() {
    let links = [("Eggs/.#config.fly", "me@host.1"), ("Eggs/gone", "nowhere"), ("Eggs/back", "..")];
    let nest = nest(&["Eggs/a/config.fly"], &links);
    let gone = "the folder `Eggs/gone` can't be read: it isn't there";
    assert_eq!(told(nest.path()), ["the link `Eggs/back` leads back to a folder above it", gone]);
    fs::write(nest.path().join(".flyignore"), "Eggs/gone\nEggs/back/\n").unwrap();
    assert_eq!(told(nest.path()), Vec::<String>::new());
    assert_eq!(found_by_walk(nest.path()).files, ["Eggs/a/config.fly".into()]);
}

#[test]
fn what_is_wrong_in_a_nest_within_the_nest_is_its_own_matter() {
    let nest = nest(&["Eggs/a/config.fly", "Eggs/b/nest.fly"], &[("Eggs/b/gone", "nowhere")]);
    assert_eq!(told(nest.path()), Vec::<String>::new());
    assert_eq!(found_by_walk(nest.path()).files, ["Eggs/a/config.fly".into()]);
}

#[test]
fn a_root_that_is_not_there_is_told() {
    let nest = nest(&[], &[]);
    let gone = nest.path().join("gone");
    assert_eq!(told(&gone), ["the folder `.` can't be read: it isn't there"]);
}

#[test]
fn folders_deeper_than_any_stack_are_walked() {
    let deep = "d/".repeat(1500);
    let nest = nest(&[], &[]);
    fs::create_dir_all(nest.path().join(&deep)).unwrap();
    fs::write(nest.path().join(&deep).join("config.fly"), "").unwrap();
    assert_eq!(found_by_walk(nest.path()).files, [format!("{deep}config.fly").into()]);
}
