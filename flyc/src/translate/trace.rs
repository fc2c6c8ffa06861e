//! From a place in a module that others call to the inputs that its caller gives it.

use std::collections::BTreeSet;

use super::{
    Generated,
    said::{Complaint, Stretch},
};
use crate::{
    artifact::Manifest,
    lower::outline::{self, Part},
};

/// The `.tf` files of a folder of a build, taken apart.
pub(super) struct Folder {
    files: Vec<File>,
}

struct File {
    path: String,
    text: String,
    parts: Vec<Part>,
}

impl Folder {
    /// The files that the manifest names in a folder.
    pub(super) fn read(folder: &str, manifest: &Manifest, build: &dyn Generated) -> Self {
        let entry = manifest.entries.iter().find(|entry| entry.folder == folder);
        let paths = entry.into_iter().flat_map(|entry| &entry.files);
        let files = paths
            .filter(|path| path.rsplit_once('.').is_some_and(|(_, kind)| kind == "tf"))
            .filter_map(|path| {
                let text = build.text(path)?;
                Some(File { path: path.clone(), parts: outline::hcl(&text), text })
            })
            .collect();
        Self { files }
    }

    /// The modules this folder calls that are made of another folder, by name.
    pub(super) fn calls(&self, own: &str, other: &str) -> Vec<&str> {
        let mut calls = Vec::new();
        for file in &self.files {
            for part in file.parts.iter().filter(|part| !part.is_block) {
                let name = part.address.strip_prefix("module.").and_then(|rest| rest.strip_suffix(".source"));
                let source = file.lines(part.first, part.first).split('"').nth(1);
                if let (Some(name), Some(source)) = (name, source)
                    && within(own, source).as_deref() == Some(other)
                {
                    calls.push(name);
                }
            }
        }
        calls
    }

    /// The inputs of the module that a place in it depends on, in the order they are named there.
    pub(super) fn inputs(&self, path: &str, stretch: &Stretch) -> Vec<String> {
        let Some(file) = self.files.iter().find(|file| file.path == path) else { return Vec::new() };
        let line = stretch.start.line;
        let holds = |part: &&Part| part.first <= line && line <= part.last;
        let Some(part) = file.parts.iter().filter(holds).max_by_key(|part| (part.first, !part.is_block))
        else {
            return Vec::new();
        };
        let text = match part.parent {
            // The block of a variable is the input itself; of another it is not clear what in it is meant.
            None => {
                return part.address.strip_prefix("var.").map(str::to_owned).into_iter().collect();
            }
            Some(parent) => match file.parts.get(parent).map(|parent| parent.address.as_str()) {
                Some(address) if address.starts_with("var.") => {
                    return address.split('.').nth(1).map(str::to_owned).into_iter().collect();
                }
                _ => file.lines(part.first, part.last),
            },
        };
        let mut found = Vec::new();
        let exact = file.lines(line, stretch.end.line.clamp(line, part.last.max(line)));
        self.follow(exact, &mut found, &mut BTreeSet::new());
        if found.is_empty() {
            self.follow(text, &mut found, &mut BTreeSet::new());
        }
        found
    }

    /// Adds the inputs that a text names, be it by way of local values.
    fn follow(&self, text: &str, found: &mut Vec<String>, seen: &mut BTreeSet<String>) {
        for (kind, name) in references(text) {
            if kind == "var" {
                if !found.iter().any(|known| known == name) {
                    found.push(name.to_owned());
                }
                continue;
            }
            if !seen.insert(name.to_owned()) {
                continue;
            }
            let address = format!("local.{name}");
            for file in &self.files {
                for part in file.parts.iter().filter(|part| part.address == address) {
                    self.follow(file.lines(part.first, part.last), found, seen);
                }
            }
        }
    }
}

impl File {
    /// The text from one line to another, both from 1.
    fn lines(&self, first: u32, last: u32) -> &str {
        let mut at = 0;
        let (mut begin, mut end) = (self.text.len(), self.text.len());
        for (number, line) in (1_u32..).zip(self.text.split_inclusive('\n')) {
            if number == first {
                begin = at;
            }
            at += line.len();
            if number == last {
                end = at;
                break;
            }
        }
        self.text.get(begin..end.max(begin)).unwrap_or_default()
    }
}

/// The references to variables and local values in a text; what only looks like one, in a string, does no harm.
fn references(text: &str) -> Vec<(&'static str, &str)> {
    let mut found = Vec::new();
    for kind in ["var", "local"] {
        for (at, _) in text.match_indices(kind) {
            let before = text[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.')) {
                continue;
            }
            let Some(rest) = text[at + kind.len()..].strip_prefix('.') else { continue };
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').unwrap_or(rest.len());
            if end > 0 {
                found.push((at, (kind, &rest[..end])));
            }
        }
    }
    found.sort_unstable_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, reference)| reference).collect()
}

/// The input of a module that a complaint names: `module.runner.var.disk_size`.
pub(super) fn named(complaint: &Complaint) -> Option<&str> {
    let words = complaint.detail.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '`' | '\''));
    let address = complaint.address.as_deref().into_iter();
    address.chain(words.filter(|word| word.starts_with("module.") && word.contains(".var."))).next()
}

/// A path relative to a folder of the build, as one relative to the build; none for one that leads out of it.
pub(super) fn within(folder: &str, path: &str) -> Option<String> {
    let path = path.replace('\\', "/");
    let mut parts: Vec<&str> = Vec::new();
    let inner = match path.strip_prefix('/') {
        None => {
            parts.extend(folder.split('/').filter(|part| !part.is_empty()));
            path.as_str()
        }
        // An absolute path can be understood when it names the folder.
        Some(absolute) => {
            let at = format!("/{absolute}").find(&format!("/{folder}/"))?;
            absolute.get(at..)?
        }
    };
    for part in inner.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::translate::said::Point;

    #[test]
    fn paths_stay_within_the_build() {
        for (path, expected) in [
            ("resources.tf", Some("eggs/a/resources.tf")),
            ("./resources.tf", Some("eggs/a/resources.tf")),
            ("../../compute-module/aws/main.tf", Some("compute-module/aws/main.tf")),
            ("../../../x.tf", None),
            ("/home/me/.fly/build/eggs/a/x.tf", Some("eggs/a/x.tf")),
            ("/etc/passwd", None),
        ] {
            assert_eq!(within("eggs/a", path).as_deref(), expected, "{path}");
        }
    }

    const MODULE: &str = r#"locals {
  power = var.pool == "nadir" ? "stopped" : "running"
  both  = [local.power, local.both, var.egg]
}

variable "size" {
  type = number

  validation {
    condition = var.size > 1
  }
}

resource "a" "b" {
  one  = var.size
  text = "${var.egg}-${local.power}"
  deep = {
    a = local.both
    b = my_var.size
  }

  disk {
    kind = "x"
    size = var.size
  }
}
"#;

    #[test]
    fn a_place_depends_on_the_inputs_it_names() {
        let text = MODULE.to_owned();
        let file = File { path: "m/main.tf".into(), parts: outline::hcl(&text), text };
        let folder = Folder { files: vec![file] };
        let at = |first: u32, last: u32| {
            let point = |line| Point { line, column: 1 };
            let stretch = Stretch { filename: String::new(), start: point(first), end: point(last) };
            folder.inputs("m/main.tf", &stretch)
        };
        assert_eq!(at(15, 15), ["size"]);
        assert_eq!(at(16, 16), ["egg", "pool"]);
        assert_eq!(at(18, 18), ["pool", "egg"], "by way of local values, and of one that names itself");
        assert_eq!(at(19, 19), ["pool", "egg"], "nothing there, so the whole attribute");
        assert_eq!(at(22, 22), ["size"], "the head of a block within one");
        assert_eq!(at(23, 23), Vec::<String>::new());
        assert_eq!(at(14, 14), Vec::<String>::new(), "the head of a resource can mean anything");
        assert_eq!([at(6, 6), at(7, 7), at(10, 10)], [["size"], ["size"], ["size"]]);
        assert_eq!(at(99, 99), Vec::<String>::new());
    }
}
