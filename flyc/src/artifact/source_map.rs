//! `source-map.json`: from a place in a generated file back to the `.fly` text that caused it.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::{Deserialize, Serialize};

use super::{Artifact, ArtifactError, FORMAT_VERSION};

/// Where the parts of generated files come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct SourceMap {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// By generated file (relative to the folder of the map): its blocks and attributes, in the order of the file.
    pub files: BTreeMap<String, Vec<Mapping>>,
}

/// One generated block or attribute, and the text that caused it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Its address: `module.runner`, `module.runner.cores`, `write_files./etc/gosling/egg.json`.
    pub address: String,
    /// The line of the generated file where it begins, from 1.
    pub generated_line: u32,
    /// The line it ends on, from 1.
    pub generated_end: u32,
    /// The `.fly` file, relative to the Nest.
    pub file: String,
    /// The line in it, from 1.
    pub line: u32,
    /// The column in it, from 1, in Unicode scalar values.
    pub column: u32,
    /// The line its cause ends on, from 1.
    pub end_line: u32,
    /// The column behind the last character of its cause, from 1, in Unicode scalar values.
    pub end_column: u32,
}

/// The map as it stands in the file, which is large enough without what goes without saying.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format_version: u32,
    /// The file of the mappings that name none.
    source_file: String,
    files: BTreeMap<String, Vec<WrittenMapping>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenMapping {
    address: String,
    generated_line: u32,
    /// None for the same line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    generated_end: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    line: u32,
    column: u32,
    /// None for the same line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end_line: Option<u32>,
    end_column: u32,
}

impl From<SourceMap> for Written {
    fn from(map: SourceMap) -> Self {
        let source_file = map.source_file().to_owned();
        let written = |mapping: Mapping| WrittenMapping {
            address: mapping.address,
            generated_line: mapping.generated_line,
            generated_end: (mapping.generated_end != mapping.generated_line).then_some(mapping.generated_end),
            file: (mapping.file != source_file).then_some(mapping.file),
            line: mapping.line,
            column: mapping.column,
            end_line: (mapping.end_line != mapping.line).then_some(mapping.end_line),
            end_column: mapping.end_column,
        };
        let files = map
            .files
            .into_iter()
            .map(|(file, mappings)| (file, mappings.into_iter().map(&written).collect()))
            .collect();
        Self { format_version: map.format_version, source_file, files }
    }
}

impl From<Written> for SourceMap {
    fn from(written: Written) -> Self {
        let Written { format_version, source_file, files } = written;
        let mapping = |written: WrittenMapping| Mapping {
            address: written.address,
            generated_line: written.generated_line,
            generated_end: written.generated_end.unwrap_or(written.generated_line),
            file: written.file.unwrap_or_else(|| source_file.clone()),
            line: written.line,
            column: written.column,
            end_line: written.end_line.unwrap_or(written.line),
            end_column: written.end_column,
        };
        let files = files
            .into_iter()
            .map(|(file, mappings)| (file, mappings.into_iter().map(&mapping).collect()))
            .collect();
        Self { format_version, files }
    }
}

impl SourceMap {
    /// A map of nothing.
    pub fn new() -> Self {
        Self { format_version: FORMAT_VERSION, files: BTreeMap::new() }
    }

    /// The file that the first mapping comes from, and nearly always the others with it.
    fn source_file(&self) -> &str {
        self.files.values().flatten().next().map_or("", |mapping| &mapping.file)
    }

    /// The attribute or block that a line of a generated file belongs to, the innermost one; for a line between them,
    /// what stands last before it.
    pub fn at_line(&self, generated_file: &str, line: u32) -> Option<&Mapping> {
        let mappings = self.files.get(generated_file)?;
        let after = mappings.partition_point(|mapping| mapping.generated_line <= line);
        let before = &mappings[..after];
        before.iter().rev().find(|mapping| line <= mapping.generated_end).or_else(|| before.last())
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

    /// One line a mapping: there are many, and a person who looks for one looks for a line.
    fn to_json(&self) -> Result<String, ArtifactError> {
        let mappings: usize = self.files.values().map(Vec::len).sum();
        let mut text = String::with_capacity(256 + mappings * 120);
        let quote = |value: &str| {
            serde_json::to_string(value).map_err(|source| ArtifactError::Json { what: Self::WHAT, source })
        };
        let source_file = self.source_file();
        // Writing to a string can't fail.
        let _ = write!(
            text,
            "{{\n  \"format_version\": {},\n  \"source_file\": {},\n  \"files\": {{",
            self.format_version,
            quote(source_file)?
        );
        let mut file_gap = "\n";
        for (file, mappings) in &self.files {
            let _ = write!(text, "{file_gap}    {}: [", quote(file)?);
            file_gap = ",\n";
            let mut gap = "\n";
            for mapping in mappings {
                let Mapping { address, generated_line, line, column, end_column, .. } = mapping;
                let _ = write!(
                    text,
                    "{gap}      {{ \"address\": {}, \"generated_line\": {generated_line}, ",
                    quote(address)?
                );
                gap = ",\n";
                if mapping.generated_end != *generated_line {
                    let _ = write!(text, "\"generated_end\": {}, ", mapping.generated_end);
                }
                if mapping.file != source_file {
                    let _ = write!(text, "\"file\": {}, ", quote(&mapping.file)?);
                }
                let _ = write!(text, "\"line\": {line}, \"column\": {column}, ");
                if mapping.end_line != *line {
                    let _ = write!(text, "\"end_line\": {}, ", mapping.end_line);
                }
                let _ = write!(text, "\"end_column\": {end_column} }}");
            }
            text.push_str(if mappings.is_empty() { "]" } else { "\n    ]" });
        }
        text.push_str(if self.files.is_empty() { "}\n}\n" } else { "\n  }\n}\n" });
        Ok(text)
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
    root: Stretch,
    paths: BTreeMap<String, Stretch>,
}

/// Where a part begins, and the line and column behind its end.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stretch {
    origin: Origin,
    end: (u32, u32),
}

impl Stretch {
    fn at(origin: Origin, end: Option<(u32, u32)>) -> Self {
        let end = end.unwrap_or((origin.line, origin.column));
        Self { origin, end }
    }
}

impl Origins {
    /// Origins of a configuration whose own block stands at `root`.
    pub fn new(root: Origin) -> Self {
        Self { root: Stretch::at(root, None), paths: BTreeMap::new() }
    }

    /// The same with the line and column behind the end of the configuration's own block.
    #[must_use]
    pub fn ending(mut self, end: (u32, u32)) -> Self {
        self.root.end = end;
        self
    }

    /// Records where a path was written.
    pub fn insert(&mut self, path: impl Into<String>, origin: Origin) {
        self.paths.insert(path.into(), Stretch::at(origin, None));
    }

    /// Records where a path was written, and the line and column behind its end.
    pub fn insert_stretch(&mut self, path: impl Into<String>, origin: Origin, end: (u32, u32)) {
        self.paths.insert(path.into(), Stretch::at(origin, Some(end)));
    }

    /// Where the path, or the nearest block around it, was written.
    pub fn get(&self, path: &str) -> &Origin {
        &self.stretch(path).origin
    }

    /// The line and column behind the end of what [`Self::get`] answers.
    pub fn end(&self, path: &str) -> (u32, u32) {
        self.stretch(path).end
    }

    fn stretch(&self, path: &str) -> &Stretch {
        let mut path = path;
        loop {
            if let Some(stretch) = self.paths.get(path) {
                return stretch;
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
        let mut origins = Origins::new(origin(1)).ending((1, 8));
        origins.insert("resources", origin(4));
        origins.insert_stretch("resources.cpu", origin(5), (5, 9));
        assert_eq!((origins.get("resources.cpu").line, origins.end("resources.cpu")), (5, (5, 9)));
        assert_eq!((origins.get("resources.memory").line, origins.end("resources.memory")), (4, (4, 1)));
        assert_eq!((origins.get("cloud.region").line, origins.end("cloud.region")), (1, (1, 8)));
    }

    fn map(mappings: &[(&str, u32, u32)]) -> SourceMap {
        let mapping = |(address, generated_line, generated_end): &(&str, u32, u32)| Mapping {
            address: (*address).into(),
            generated_line: *generated_line,
            generated_end: *generated_end,
            file: "f \"quoted\".fly".into(),
            line: generated_line * 10,
            column: 1,
            end_line: generated_line * 10,
            end_column: 7,
        };
        let mut map = SourceMap::new();
        map.files.insert("resources.tf".into(), mappings.iter().map(mapping).collect());
        map
    }

    #[test]
    fn an_address_finds_the_nearest_block() {
        let map =
            map(&[("module.runner", 1, 6), ("module.runner.cores", 3, 3), ("module.runners_other", 9, 9)]);
        assert_eq!(
            map.at_address("module.runner[\"a]b\\\"c\"].yandex_compute_instance.runner").unwrap().line,
            10
        );
        assert_eq!(map.at_address("module.runner.cores").unwrap().line, 30);
        assert_eq!(map.at_address("module.runner[0].var.cores").unwrap().line, 30);
        assert_eq!(map.at_address("data.x.y"), None);
    }

    #[test]
    fn a_line_finds_the_innermost_part_that_holds_it() {
        let map = map(&[
            ("module.runner", 2, 9),
            ("module.runner.labels", 3, 5),
            ("module.runner.block", 6, 8),
            ("module.runner.block.a", 7, 7),
            ("b", 12, 12),
        ]);
        let at = |line| map.at_line("resources.tf", line).map(|mapping| mapping.address.as_str());
        assert_eq!(at(1), None);
        assert_eq!(at(2), Some("module.runner"));
        assert_eq!(at(4), Some("module.runner.labels"), "within a value of several lines");
        assert_eq!(at(7), Some("module.runner.block.a"));
        assert_eq!(at(8), Some("module.runner.block"), "its closing brace");
        assert_eq!(at(9), Some("module.runner"), "not what stands last before it");
        assert_eq!(at(11), Some("module.runner.block.a"), "between two blocks");
        assert_eq!(at(13), Some("b"));
        assert_eq!(map.at_line("other.tf", 2), None);
    }

    #[test]
    fn the_text_has_a_line_for_each_mapping_and_reads_back() {
        let mut other = map(&[("a", 1, 1), ("b", 2, 2)]);
        let mapping = &mut other.files.get_mut("resources.tf").unwrap()[1];
        (mapping.file, mapping.end_line) = ("other.fly".into(), 90);
        for map in [SourceMap::new(), map(&[]), map(&[("a", 1, 1), ("a.\"b\"", 2, 4)]), other] {
            let text = map.to_json().unwrap();
            assert_eq!(SourceMap::from_json(&text).unwrap(), map, "{text}");
            let derived: serde_json::Value = serde_json::to_value(&map).unwrap();
            assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), derived);
            let count = map.files.values().flatten().count();
            assert_eq!(text.lines().filter(|line| line.contains("\"address\"")).count(), count);
        }
    }
}
