//! A build that goes on from the last one: what it writes, what it leaves alone, and what it looks at again.

use std::{collections::BTreeMap, fs, os::unix::fs::MetadataExt, path::Path, process::Command};

use flyc::host;
use polar_gosling_tests::tools;

use crate::{copy_nest, example, tree};

/// What tells a file from one that was written anew, by its path.
fn identities(folder: &Path) -> BTreeMap<String, (u64, i64, i64, i64, i64)> {
    let identity = |path: String| {
        let found = fs::symlink_metadata(folder.join(&path)).unwrap();
        (path, (found.ino(), found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec()))
    };
    tree(folder).into_keys().map(identity).collect()
}

#[test]
fn a_changed_egg_touches_its_own_files_and_the_manifest_only() {
    let nest = copy_nest(&example());
    let root = nest.path().join("platform");
    let out = root.join(".fly/build");
    host::build_nest(&root, &out, None).1.unwrap();
    let before = identities(&out);

    let config = root.join("Eggs/web/config.fly");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("disk   = 40GiB", "disk   = 50GiB")).unwrap();
    host::build_nest(&root, &out, None).1.unwrap();
    let after = identities(&out);
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    let touched: Vec<&str> = before
        .iter()
        .filter(|(path, identity)| after[*path] != **identity)
        .map(|(path, _)| path.as_str())
        .collect();
    assert_eq!(touched, ["eggs/web/config.json", "eggs/web/resources.tf", "manifest.json"]);
}

#[test]
fn what_somebody_changed_in_a_build_is_put_right() {
    let nest = copy_nest(&example());
    let root = nest.path().join("platform");
    let out = root.join(".fly/build");
    let build = || host::build_nest(&root, &out, None).1.unwrap();
    build();
    let whole = tree(&out);
    build();
    for path in
        ["eggs/web/resources.tf", "eggs/web/source-map.json", "compute-module/aws/main.tf", "uglyfox.json"]
    {
        let place = out.join(path);
        // As long as it was.
        fs::write(&place, whole[path].replacen('e', "E", 1)).unwrap();
        assert_eq!(build().written.written, 2, "{path}");
        fs::write(&place, "").unwrap();
        assert_eq!(build().written.written, 2, "{path}");
        fs::remove_file(&place).unwrap();
        assert_eq!(build().written.written, 2, "{path}");
        assert_eq!(tree(&out), whole);
    }
    // A copy is as good as the build itself, and is looked through.
    let copy = nest.path().join("copy");
    assert!(Command::new("cp").arg("-r").args([&out, &copy]).status().unwrap().success());
    fs::write(copy.join("eggs/web/resources.tf"), whole["eggs/web/resources.tf"].replacen('e', "E", 1))
        .unwrap();
    host::build_nest(&root, &copy, None).1.unwrap();
    assert_eq!(tree(&copy), whole);
}

#[test]
fn an_egg_that_is_gone_but_has_a_state_is_told() {
    is_told_when_gone("terraform.tfstate");
    // What `tofu init` leaves when the state is in a bucket.
    is_told_when_gone(".terraform/terraform.tfstate");
}

fn is_told_when_gone(state: &str) {
    let nest = copy_nest(&example());
    let root = nest.path().join("platform");
    let flyc = || Command::new(tools::flyc()).arg("build").arg(&root).output().unwrap();
    assert!(flyc().status.success());
    let folder = root.join(".fly/build/eggs/docs");
    let state = folder.join(state);
    fs::create_dir_all(state.parent().unwrap()).unwrap();
    fs::write(&state, "{}").unwrap();

    fs::remove_dir_all(root.join("Eggs/docs")).unwrap();
    let uglyfox = root.join("UF/config.fly");
    let text = fs::read_to_string(&uglyfox).unwrap();
    fs::write(&uglyfox, text.replace("[\"docs\"]", "[\"lint\"]").replace("('docs')", "('lint')")).unwrap();
    let output = flyc();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let warning = "warning: `eggs/docs` is no longer in the Nest, but OpenTofu has a state of it, and what was made may \
                   still exist\nhelp: build the Nest as it was, run `tofu destroy` in that folder, and build again\n";
    assert!(said.contains(warning), "{said}");
    assert!(state.exists(), "it is all that is known of what was made");
    assert!(!folder.join("resources.tf").exists());
}
