//! Where the parts of a configuration stand in its `.fly` file.

use std::collections::BTreeMap;

use crate::{
    artifact::{Origin, Origins},
    model::TypedBlock,
    text::{Source, TextRange},
};

/// By configuration path (`resources.memory`, `environment.API_KEY`): what was written where. A path nobody wrote is
/// answered by the block around it, at last by the egg itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    root: TextRange,
    paths: BTreeMap<String, Place>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    /// The keyword or attribute name.
    name: TextRange,
    /// What a diagnostic underlines.
    shown: TextRange,
}

impl Places {
    /// The places of a block and of all within it.
    pub(super) fn of(block: &TypedBlock) -> Self {
        let mut places = Self { root: block.header, paths: BTreeMap::new() };
        if let Some(label) = block.label_range {
            places.paths.insert("name".to_owned(), Place { name: label, shown: label });
        }
        places.add(block, &mut String::new());
        places
    }

    fn add(&mut self, block: &TypedBlock, path: &mut String) {
        let length = path.len();
        for attribute in &block.attributes {
            path.push_str(&attribute.name);
            let place = Place { name: attribute.name_range, shown: attribute.range };
            self.paths.entry(path.clone()).or_insert(place);
            path.truncate(length);
        }
        for inner in &block.blocks {
            path.push_str(inner.label.as_ref().unwrap_or(&inner.name));
            let place = Place { name: inner.header, shown: inner.header };
            self.paths.entry(path.clone()).or_insert(place);
            path.push('.');
            self.add(inner, path);
            path.truncate(length);
        }
    }

    /// What a diagnostic about the path underlines.
    pub fn range(&self, path: &str) -> TextRange {
        let mut path = path;
        loop {
            if let Some(place) = self.paths.get(path) {
                return place.shown;
            }
            match path.rfind('.') {
                Some(dot) => path = &path[..dot],
                None => return self.root,
            }
        }
    }

    /// The same as files, lines and columns.
    pub fn origins(&self, source: &Source) -> Origins {
        let origin = |range: TextRange| {
            let position = source.position(range.start());
            Origin { file: source.path.to_string(), line: position.line, column: position.column }
        };
        let end = |range: TextRange| {
            let position = source.position(range.end());
            (position.line, position.column)
        };
        let mut origins = Origins::new(origin(self.root)).ending(end(self.root));
        for (path, place) in &self.paths {
            // From the name to the end of the value.
            origins.insert_stretch(path.clone(), origin(place.name), end(place.shown));
        }
        origins
    }
}
