//! Finding the Nests below a folder that is none, and telling one folder from another.
//!
//! What never lives here: reading them.

use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use super::discover::{find_root, is_root};

/// How far below a folder its Nests are looked for.
const DEEPEST: usize = 6;

/// How many folders are looked at; a folder of more is no repository.
const MOST: usize = 20_000;

/// The Nest that a folder lies in, or the Nests below it, in order. Nests within a Nest are not among them, and neither
/// is what `.gitignore` and `.flyignore` name, hidden folders, and what lies behind links.
pub fn find_nests(folder: &Path) -> Vec<PathBuf> {
    if let Some(root) = find_root(folder) {
        return vec![root];
    }
    let (mut found, mut looked_at) = (Vec::<PathBuf>::new(), 0);
    let mut builder = WalkBuilder::new(folder);
    builder.max_depth(Some(DEEPEST)).require_git(false).git_global(false).follow_links(false);
    builder.add_custom_ignore_filename(".flyignore").sort_by_file_name(std::ffi::OsStr::cmp);
    builder.filter_entry(|entry| {
        let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
        // What package managers put there is large and nobody's own.
        is_folder && !["node_modules", "target", "vendor"].iter().any(|name| entry.file_name() == *name)
    });
    for entry in builder.build().flatten() {
        looked_at += 1;
        if looked_at > MOST {
            break;
        }
        if !found.iter().any(|root| entry.path().starts_with(root)) && is_root(entry.path()) {
            found.push(entry.into_path());
        }
    }
    found
}

/// The one name of a file or folder that links may give several; the name itself when it is not there.
pub fn real_path(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

/// Whether there is a file of this name.
pub fn is_file(path: &Path) -> bool {
    path.is_file()
}

/// Whether there is a folder of this name.
pub fn is_folder(path: &Path) -> bool {
    path.is_dir()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "this is a test")]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn nests_below_a_folder_are_found_and_those_within_them_are_not() {
        let folder = tempfile::tempdir().unwrap();
        for path in [
            "teams/a/Eggs",
            "teams/b/Jobs",
            "teams/a/Eggs/x/Eggs",
            "node_modules/p/Eggs",
            ".hidden/Eggs",
            "ignored/Eggs",
            "1/2/3/4/5/6/7/Eggs",
        ] {
            fs::create_dir_all(folder.path().join(path)).unwrap();
        }
        fs::write(folder.path().join(".gitignore"), "ignored/\n").unwrap();
        let found = find_nests(folder.path());
        let found: Vec<_> = found.iter().map(|root| root.strip_prefix(folder.path()).unwrap()).collect();
        assert_eq!(found, [Path::new("teams/a"), Path::new("teams/b")]);
        let inside = folder.path().join("teams/a/Eggs/y");
        assert_eq!(find_nests(&inside), [folder.path().join("teams/a")]);
    }
}
