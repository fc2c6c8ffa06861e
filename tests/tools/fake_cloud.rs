//! The folder of a fake cloud, as a test sees it: what is there, what was done, and what shall go wrong.
//!
//! `fake-cloud/README.md` tells the form of the files. Never here: what the cloud does; that is the provider's.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// One operation of the log.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Operation {
    /// `create`, `read`, `update`, `delete`, `data`, `power` or `throttled`.
    pub operation: String,
    /// The resource's type.
    pub kind: String,
    /// The resource's id.
    pub id: String,
}

/// A folder with a cloud in it.
pub struct FakeCloud {
    folder: PathBuf,
}

#[allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "only tests use it")]
impl FakeCloud {
    /// The cloud in this folder; it need not be there yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// For `FAKE_CLOUD_DIR`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Everything there is, by type and key.
    pub fn things(&self) -> BTreeMap<(String, String), Value> {
        let mut things = BTreeMap::new();
        for kind in entries(&self.folder).into_iter().filter(|path| path.is_dir()) {
            for file in
                entries(&kind).into_iter().filter(|path| path.extension().is_some_and(|e| e == "json"))
            {
                // What has gone meanwhile is not there.
                let Ok(text) = fs::read_to_string(&file) else { continue };
                let thing = serde_json::from_str(&text).unwrap();
                things.insert((name(&kind), unescaped(name(&file).trim_end_matches(".json"))), thing);
            }
        }
        things
    }

    /// What there is of one type, by key.
    pub fn of(&self, kind: &str) -> BTreeMap<String, Value> {
        let things = self.things().into_iter();
        things.filter(|((of, _), _)| of == kind).map(|((_, key), thing)| (key, thing)).collect()
    }

    /// Makes a thing behind the provider's back.
    pub fn put(&self, kind: &str, key: &str, thing: &Value) {
        let file = self.file(kind, key);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, serde_json::to_string_pretty(thing).unwrap()).unwrap();
    }

    /// Changes a thing behind the provider's back.
    pub fn change(&self, kind: &str, key: &str, change: impl FnOnce(&mut Value)) {
        let file = self.file(kind, key);
        let mut thing = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        change(&mut thing);
        fs::write(file, serde_json::to_string_pretty(&thing).unwrap()).unwrap();
    }

    /// Deletes a thing behind the provider's back.
    pub fn delete(&self, kind: &str, key: &str) {
        fs::remove_file(self.file(kind, key)).unwrap();
    }

    /// What was done, in order.
    pub fn log(&self) -> Vec<Operation> {
        let text = fs::read_to_string(self.folder.join("log.jsonl")).unwrap_or_default();
        let word = |line: &Value, key: &str| line[key].as_str().unwrap().to_owned();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines
            .map(|line| Operation {
                operation: word(&line, "operation"),
                kind: word(&line, "type"),
                id: word(&line, "id"),
            })
            .collect()
    }

    /// What was changed since the log had `seen` lines: operations that only look are left out.
    pub fn changed_since(&self, seen: usize) -> BTreeSet<Operation> {
        let looks = ["read", "data", "throttled"];
        let log = self.log().into_iter().skip(seen);
        log.filter(|one| !looks.contains(&one.operation.as_str())).collect()
    }

    /// What shall go wrong from now on; `[]` for nothing. Counting begins anew.
    pub fn faults(&self, faults: &Value) {
        fs::create_dir_all(&self.folder).unwrap();
        let _ = fs::remove_file(self.folder.join("counters.json"));
        fs::write(self.folder.join("faults.json"), faults.to_string()).unwrap();
    }

    fn file(&self, kind: &str, key: &str) -> PathBuf {
        let is_it = |file: &PathBuf| unescaped(name(file).trim_end_matches(".json")) == key;
        let mut files = entries(&self.folder.join(kind)).into_iter();
        files.find(is_it).unwrap_or_else(|| self.folder.join(kind).join(format!("{key}.json")))
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The key that a file's name was made of.
fn unescaped(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        let hex = after.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match hex {
            Some(byte) if first == b'%' => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => bytes.push(first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
