//! Builds are written whole or not at all, and only as far as they changed.

use std::{collections::BTreeMap, os::unix::fs::MetadataExt};

use tempfile::TempDir;

use super::*;
use crate::artifact::{Entry, EntryKind};

/// A build of eggs, each with these texts.
fn build(eggs: &[(&str, &[(&str, &str)])]) -> Build {
    let mut files = BTreeMap::new();
    let mut manifest = Manifest::new("2026", "0.0.0", format!("{eggs:?}"));
    for (name, texts) in eggs {
        let folder = format!("eggs/{name}");
        let own: Vec<(String, String)> =
            texts.iter().map(|(path, text)| (format!("{folder}/{path}"), (*text).to_owned())).collect();
        manifest.add(Entry {
            kind: EntryKind::Egg,
            name: (*name).to_owned(),
            digest: String::new(),
            folder,
            source_file: String::new(),
            source_digest: String::new(),
            input_digest: String::new(),
            modules: Vec::new(),
            files: own.iter().map(|(path, _)| path.clone()).collect(),
        });
        files.extend(own);
    }
    files.insert(MANIFEST.to_owned(), manifest.to_json().unwrap());
    Build { files, manifest, kept: None }
}

fn first() -> Build {
    build(&[
        ("a", &[("x.tf", "1"), ("sub/y.tf", "1")]),
        ("b", &[("x.tf", "1")]),
        ("gone", &[("sub/x.tf", "1")]),
    ])
}

fn second() -> Build {
    build(&[("a", &[("x.tf", "2"), ("z/z.tf", "2")]), ("b", &[("x.tf", "1")]), ("new", &[("x.tf", "2")])])
}

/// Every file below a folder, with its text.
fn tree(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("deep/out");
    (folder, out)
}

#[test]
fn what_did_not_change_is_left_alone() {
    let (_folder, out) = place();
    assert_eq!(write(&first(), &out).unwrap(), Written { written: 5, unchanged: 0, removed: 0 });
    assert_eq!(tree(&out), first().files);
    assert_eq!(tree(out.parent().unwrap()).len(), 5, "nothing stands beside it");
    assert_eq!(write(&first(), &out).unwrap(), Written { written: 0, unchanged: 5, removed: 0 });

    let identity = |path: &str| {
        let found = fs::metadata(out.join(path)).unwrap();
        (found.ino(), found.mtime(), found.mtime_nsec())
    };
    let before = identity("eggs/b/x.tf");
    assert_eq!(write(&second(), &out).unwrap(), Written { written: 4, unchanged: 1, removed: 2 });
    assert_eq!(tree(&out), second().files);
    assert_eq!(identity("eggs/b/x.tf"), before);
    assert!(!out.join("eggs/gone").exists() && !out.join("eggs/a/sub").exists(), "no empty folder stays");
}

#[test]
fn what_others_put_there_stays() {
    let (_folder, out) = place();
    write(&first(), &out).unwrap();
    for path in ["eggs/a/terraform.tfstate", "eggs/gone/.terraform/lock", "notes.txt"] {
        fs::create_dir_all(out.join(path).parent().unwrap()).unwrap();
        fs::write(out.join(path), "mine").unwrap();
    }
    write(&second(), &out).unwrap();
    let mut expected = second().files;
    for path in ["eggs/a/terraform.tfstate", "eggs/gone/.terraform/lock", "notes.txt"] {
        expected.insert(path.to_owned(), "mine".to_owned());
    }
    assert_eq!(tree(&out), expected);
}

#[test]
fn a_foreign_folder_is_refused() {
    let (_folder, out) = place();
    for (file, text, why) in [
        ("precious.txt", "", "`flyc build` did not make it"),
        ("manifest.json", "{}", "not one of `flyc build`"),
        ("manifest.json", "{ \"format_version\": 99 }", "another version of `flyc`"),
        ("nest.fly", "", "a Nest stands in it"),
        ("Eggs/a/config.fly", "", "a Nest stands in it"),
    ] {
        fs::create_dir_all(out.join(file).parent().unwrap()).unwrap();
        fs::write(out.join(file), text).unwrap();
        let error = write(&first(), &out).unwrap_err().to_string();
        assert!(error.contains(why), "{file}: {error}");
        assert_eq!(tree(&out), BTreeMap::from([(file.to_owned(), text.to_owned())]));
        fs::remove_dir_all(&out).unwrap();
    }
    fs::create_dir_all(&out).unwrap();
    assert_eq!(write(&first(), &out).unwrap().written, 5, "an empty folder is fine");
}

#[test]
fn nothing_is_written_or_removed_elsewhere() {
    let (folder, out) = place();
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir_all(&elsewhere).unwrap();
    fs::write(elsewhere.join("x.tf"), "mine").unwrap();

    let mut wrong = first();
    wrong.files.insert("../elsewhere/x.tf".into(), "theirs".into());
    assert!(write(&wrong, &out).is_err());
    for path in ["/etc/x", "", "a/../b", ".flyc-stage/x", "a\\b"] {
        assert!(!is_plain(path), "{path}");
    }

    // A manifest that names foreign files removes none of them.
    let mut lying = first();
    lying.manifest.entries[0].files.extend(["../elsewhere/x.tf".into(), "eggs/link/x.tf".into()]);
    lying.files.insert(MANIFEST.into(), lying.manifest.to_json().unwrap());
    write(&lying, &out).unwrap();
    std::os::unix::fs::symlink(&elsewhere, out.join("eggs/link")).unwrap();
    write(&second(), &out).unwrap();
    assert_eq!(fs::read_to_string(elsewhere.join("x.tf")).unwrap(), "mine");

    // A link where a folder is needed is not followed.
    let linked = build(&[("link", &[("x.tf", "theirs")])]);
    assert!(write(&linked, &out).is_err());
    assert_eq!(fs::read_to_string(elsewhere.join("x.tf")).unwrap(), "mine");
    fs::remove_file(out.join("eggs/link")).unwrap();
    assert_eq!(tree(&out), second().files, "and the last build is whole");
}

/// Stops a writing at each of its steps, one after the other.
fn stopped_at_each_step(then: impl Fn(&Path, Option<io::Error>)) {
    for stop in 0.. {
        let (_folder, out) = place();
        write(&first(), &out).unwrap();
        let mut count = 0;
        let result = write_watched(&second(), &out, &Previous::default(), &mut |_| {
            count += 1;
            if count > stop { Err(io::Error::other("the disk is gone")) } else { Ok(()) }
        });
        let finished = result.is_ok();
        then(&out, result.err());
        if finished {
            assert!(stop > 8, "there were steps to stop at");
            break;
        }
    }
}

/// The files of whatever build the manifest describes.
fn is_whole(out: &Path) -> Manifest {
    let manifest = Manifest::from_json(&fs::read_to_string(out.join(MANIFEST)).unwrap()).unwrap();
    let build = if manifest == first().manifest { first() } else { second() };
    for (path, text) in &build.files {
        assert_eq!(&fs::read_to_string(out.join(path)).unwrap(), text, "{path}");
    }
    manifest
}

#[test]
fn an_interruption_leaves_one_build_whole() {
    stopped_at_each_step(|out, error| {
        let manifest = is_whole(out);
        if error.is_some() && manifest == first().manifest {
            assert_eq!(tree(out), first().files, "no trace of the other one");
        }
        write(&second(), out).unwrap();
        assert_eq!(tree(out), second().files);
    });
}

/// What a crash leaves is the state at any step, with nothing tidied up.
#[test]
fn a_crash_is_put_right_by_the_next_build() {
    for stop in 0..=9 {
        for recovery in [true, false] {
            let (_folder, out) = place();
            write(&first(), &out).unwrap();
            let copy = out.with_file_name("crashed");
            let mut count = 0;
            write_watched(&second(), &out, &Previous::default(), &mut |_| {
                if count == stop {
                    copy_tree(&out, &copy);
                }
                count += 1;
                Ok(())
            })
            .unwrap();
            assert_eq!(count, 6 + 4, "the steps of this build");
            if recovery {
                assert!(recover(&copy).unwrap());
                assert!(!recover(&copy).unwrap());
                is_whole(&copy);
                assert!(!copy.join(STAGE).exists());
            }
            write(&second(), &copy).unwrap();
            assert_eq!(tree(&copy), second().files);
        }
    }
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let copy = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_tree(&path, &copy);
        } else {
            fs::copy(&path, &copy).unwrap();
        }
    }
}

#[test]
fn a_first_build_that_fails_leaves_nothing() {
    let (_folder, out) = place();
    let error = write_watched(&first(), &out, &Previous::default(), &mut |step| {
        if step == Step::Commit { Err(io::Error::other("no")) } else { Ok(()) }
    });
    assert!(error.is_err());
    assert_eq!(fs::read_dir(out.parent().unwrap()).unwrap().count(), 0);
}

#[test]
fn a_folder_in_the_place_of_a_file_stops_it_before_anything_is_written() {
    let (_folder, out) = place();
    write(&first(), &out).unwrap();
    fs::create_dir_all(out.join("eggs/a/z/z.tf/folder")).unwrap();
    assert!(write(&second(), &out).is_err());
    fs::remove_dir_all(out.join("eggs/a/z")).unwrap();
    assert_eq!(tree(&out), first().files);
}

#[test]
fn two_builds_do_not_write_at_one_time() {
    let (_folder, out) = place();
    write(&first(), &out).unwrap();
    let mut told = None;
    write_watched(&second(), &out, &Previous::default(), &mut |_| {
        told.get_or_insert_with(|| write(&first(), &out).unwrap_err().to_string());
        Ok(())
    })
    .unwrap();
    assert!(told.unwrap().starts_with("another build is being written to"));
}
