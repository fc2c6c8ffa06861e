//! The pages about the editors: what they lead to is there.
//!
//! What never lives here: what the pages say, which is `settings`'s where it can be checked.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::{editors, read, root};

/// The pages about the editors, in the book and beside the packages.
fn pages() -> Vec<PathBuf> {
    let mut found = vec![root().join("docs/src/editors.md"), editors().join("README.md")];
    let mut add = |folder: PathBuf| {
        let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
        found.extend(entries.filter(|path| path.extension().is_some_and(|ending| ending == "md")));
    };
    add(root().join("docs/src/editors"));
    for entry in fs::read_dir(editors()).unwrap() {
        add(entry.unwrap().path());
    }
    add(editors().join("jetbrains/fly-lsp"));
    found
}

/// The text without code, in which nothing is a link.
fn prose(page: &str) -> String {
    let mut code = false;
    let lines = page.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !fence && !code
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    text.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

/// What the headings of a page are called in addresses.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut code = false;
    let lines = page.lines().filter(|line| {
        code ^= line.starts_with("```");
        !code
    });
    let headings = lines.filter_map(|line| Some(line.strip_prefix('#')?.trim_start_matches('#').trim()));
    let slug = |heading: &str| -> String {
        let kept = heading.to_lowercase();
        kept.chars()
            .filter_map(|c| {
                if c == ' ' { Some('-') } else { (c.is_alphanumeric() || "-_".contains(c)).then_some(c) }
            })
            .collect()
    };
    headings.map(slug).collect()
}

/// What is wrong with the links of a page.
fn broken(path: &Path, page: &str) -> Vec<String> {
    let text = prose(page);
    let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let leads_nowhere = |link: &&str| {
        if link.contains("://") {
            return false;
        }
        let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
        let target = if file.is_empty() { path.to_owned() } else { path.parent().unwrap().join(file) };
        if anchor.is_empty() {
            return !target.exists();
        }
        let text = if file.is_empty() { Ok(page.to_owned()) } else { fs::read_to_string(&target) };
        text.map_or(true, |text| !anchors(&text).contains(anchor))
    };
    links.filter(leads_nowhere).map(|link| format!("{}: {link}", path.display())).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    assert!(pages.len() > 12, "{pages:?}");
    let wrong: Vec<String> = pages.iter().flat_map(|path| broken(path, &read(path))).collect();
    assert_eq!(wrong, Vec::<String>::new());
    let here = editors().join("README.md");
    assert_eq!(broken(&here, "# A b\n[x](#a-b) [y](#a-c) [z](none.md) `[w](none)`").len(), 2);
}

/// Every package has a row in the overview and a page in the book, which names it.
#[test]
fn every_package_has_a_page() {
    let overview = read(&editors().join("README.md"));
    let index = read(&root().join("docs/src/editors.md"));
    let summary = read(&root().join("docs/src/SUMMARY.md"));
    for entry in fs::read_dir(editors()).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_dir() {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(
            overview.contains(&format!("| [`{name}/`]({name}/")),
            "editors/README.md has no row for {name}"
        );
    }
    for entry in fs::read_dir(root().join("docs/src/editors")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let link = format!("(editors/{name})");
        assert!(
            index.contains(&link) && summary.contains(&link),
            "{name} is not in the index and the summary"
        );
    }
}

/// What the pages say which version was driven is what the tests drive.
#[test]
fn the_pages_name_the_versions_that_are_driven() {
    let tool = read(&root().join("tests/tools/neovim.rs"));
    let (_, version) = tool.split_once("const NEWER: &str = \"").unwrap();
    let version = version.split('"').next().unwrap();
    for page in ["docs/src/editors/neovim.md", "editors/neovim/README.md"] {
        assert!(read(&root().join(page)).contains(version), "{page} names not {version}");
    }
    let zed = read(&editors().join("zed/Cargo.toml"));
    let (_, version) = zed.split_once("zed_extension_api = \"").unwrap();
    let version = version.split('"').next().unwrap();
    assert!(read(&root().join("docs/src/editors/zed.md")).contains(version), "zed_extension_api {version}");
}
