//! `source-map.json`: from a place in a generated file back to the `.fly` line that caused it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Artifact, FORMAT_VERSION};

/// Where the parts of generated files come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceMap {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// By generated file (relative to the egg's folder): its blocks and attributes, in the order of the file.
    pub files: BTreeMap<String, Vec<Mapping>>,
}

/// One generated block or attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Its address: `module.runner`, `module.runner.cores`, `write_files./etc/gosling/egg.json`.
    pub address: String,
    /// The line of the generated file where it begins, from 1.
    pub generated_line: u32,
    /// The `.fly` file, relative to the Nest.
    pub file: String,
    /// The line in it, from 1.
    pub line: u32,
    /// The column in it, from 1, in Unicode scalar values.
    pub column: u32,
}

impl SourceMap {
    /// A map of nothing.
    pub fn new() -> Self {
        Self { format_version: FORMAT_VERSION, files: BTreeMap::new() }
    }

    /// What begins at the line of a generated file, or last before it.
    pub fn at_line(&self, generated_file: &str, line: u32) -> Option<&Mapping> {
        let mappings = self.files.get(generated_file)?;
        let after = mappings.partition_point(|mapping| mapping.generated_line <= line);
        mappings.get(after.checked_sub(1)?)
    }

    /// What has the address, or else the nearest block that encloses it: `module.runner["a"].aws_instance.runner` is
    /// found by `module.runner`, and `module.runner.var.cores` by the attribute that sets it, `module.runner.cores`.
    pub fn at_address(&self, address: &str) -> Option<&Mapping> {
        let plain = without_keys(address).replacen(".var.", ".", 1);
        self.files
            .values()
            .flatten()
            .filter(|mapping| {
                plain
                    .strip_prefix(&mapping.address)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
            .max_by_key(|mapping| mapping.address.len())
    }
}

impl Default for SourceMap {
    fn default() -> Self {
        Self::new()
    }
}

impl Artifact for SourceMap {
    const WHAT: &'static str = "source map";

    fn format_version(&self) -> u32 {
        self.format_version
    }
}

/// An address without its instance keys: `a["b"].c[0]` is `a.c`. A bracket within a quoted key closes nothing.
fn without_keys(address: &str) -> String {
    let mut plain = String::with_capacity(address.len());
    let (mut within, mut quoted, mut escaped) = (false, false, false);
    for c in address.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' if within => quoted = !quoted,
            '[' if !within => within = true,
            ']' if within && !quoted => within = false,
            _ if within => {}
            _ => plain.push(c),
        }
    }
    plain
}

/// A place in a `.fly` file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// The file, relative to the Nest, with `/`.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in Unicode scalar values.
    pub column: u32,
}

/// Where each part of a configuration stands in the sources; filled by whoever resolved the configuration.
///
/// Paths are the dotted names of `.fly`: `resources`, `resources.memory`, `environment.API_KEY`. A path that nobody
/// wrote (a default) is answered by the block around it, and at last by the egg itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origins {
    root: Origin,
    paths: BTreeMap<String, Origin>,
}

impl Origins {
    /// Origins of a configuration whose own block stands at `root`.
    pub fn new(root: Origin) -> Self {
        Self { root, paths: BTreeMap::new() }
    }

    /// Records where a path was written.
    pub fn insert(&mut self, path: impl Into<String>, origin: Origin) {
        self.paths.insert(path.into(), origin);
    }

    /// Where the path, or the nearest block around it, was written.
    pub fn get(&self, path: &str) -> &Origin {
        let mut path = path;
        loop {
            if let Some(origin) = self.paths.get(path) {
                return origin;
            }
            match path.rfind('.') {
                Some(dot) => path = &path[..dot],
                None => return &self.root,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(line: u32) -> Origin {
        Origin { file: "Eggs/a/config.fly".into(), line, column: 1 }
    }

    #[test]
    fn a_default_comes_from_the_block_around_it() {
        let mut origins = Origins::new(origin(1));
        origins.insert("resources", origin(4));
        origins.insert("resources.cpu", origin(5));
        assert_eq!(origins.get("resources.cpu").line, 5);
        assert_eq!(origins.get("resources.memory").line, 4);
        assert_eq!(origins.get("cloud.region").line, 1);
    }

    #[test]
    fn an_address_finds_the_nearest_block() {
        let mapping = |address: &str, generated_line| Mapping {
            address: address.into(),
            generated_line,
            file: "f".into(),
            line: generated_line * 10,
            column: 1,
        };
        let mut map = SourceMap::new();
        map.files.insert(
            "resources.tf".into(),
            vec![
                mapping("module.runner", 1),
                mapping("module.runner.cores", 3),
                mapping("module.runners_other", 9),
            ],
        );
        assert_eq!(
            map.at_address("module.runner[\"a]b\\\"c\"].yandex_compute_instance.runner").unwrap().line,
            10
        );
        assert_eq!(map.at_address("module.runner.cores").unwrap().line, 30);
        assert_eq!(map.at_address("module.runner[0].var.cores").unwrap().line, 30);
        assert_eq!(map.at_address("data.x.y"), None);
        assert_eq!(map.at_line("resources.tf", 5).unwrap().line, 30);
        assert_eq!(map.at_line("resources.tf", 0), None);
    }
}
