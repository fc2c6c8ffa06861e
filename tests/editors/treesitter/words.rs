//! The words of the language in the grammar's queries. A query marks a place with `; words: LIST`; what stands between
//! that line and `; end` is written here.
//!
//! What never lives here: a word.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
};

use fly_std::{
    TYPE_NAMES, Type,
    functions::FUNCTIONS,
    schema::{Attribute, Block, ROOTS},
};

/// The lists by name.
#[derive(Default)]
pub(crate) struct Words(BTreeMap<&'static str, BTreeSet<&'static str>>);

impl Words {
    pub(crate) fn of_the_language() -> Self {
        let mut words = Self::default();
        for root in ROOTS {
            words.add("root blocks", root.block.name);
            words.block(root.block);
        }
        for function in FUNCTIONS {
            words.add("functions", function.name);
        }
        for (name, _) in TYPE_NAMES {
            words.add("types", name);
        }
        words
    }

    fn add(&mut self, list: &'static str, word: &'static str) {
        self.0.entry(list).or_default().insert(word);
    }

    fn block(&mut self, block: &'static Block) {
        block.attributes.iter().for_each(|attribute| self.attribute(attribute));
        for child in block.blocks {
            self.add("inner blocks", child.block.name);
            child.aliases.iter().for_each(|alias| self.add("inner blocks", alias));
            self.block(child.block);
        }
        if let Some(free) = block.free_blocks {
            self.block(free);
        }
    }

    fn attribute(&mut self, attribute: &'static Attribute) {
        self.add("attributes", attribute.name);
        match attribute.ty {
            Type::Script => self.add("scripts", attribute.name),
            Type::TypeName => self.add("type attributes", attribute.name),
            Type::Keyword(variants) => variants.iter().for_each(|variant| self.add("keywords", variant.name)),
            _ => {}
        }
    }

    /// The query with its lists as they must be.
    pub(crate) fn fill(&self, query: &str, used: &mut BTreeSet<String>) -> String {
        let mut filled = String::new();
        let mut lines = query.lines();
        while let Some(line) = lines.next() {
            filled.push_str(line);
            filled.push('\n');
            let Some((indent, list)) = line.split_once("; words: ") else { continue };
            let words = self.0.get(list).unwrap_or_else(|| panic!("no list is called {list:?}"));
            used.insert(list.to_owned());
            let mut row = String::new();
            for word in words {
                if row.len() + word.len() > 100 {
                    filled += indent;
                    filled += row.trim_end();
                    filled.push('\n');
                    row.clear();
                }
                row.extend(["\"", word, "\" "]);
            }
            filled.extend([indent, row.trim_end(), "\n", indent, "; end\n"]);
            assert!(lines.any(|line| line.trim() == "; end"), "the list {list:?} has no end");
        }
        filled
    }
}

#[test]
fn the_queries_have_the_words_of_the_tables() {
    let words = Words::of_the_language();
    let mut used = BTreeSet::new();
    for entry in fs::read_dir(super::folder().join("queries")).unwrap() {
        let path = entry.unwrap().path();
        let query = fs::read_to_string(&path).unwrap();
        let filled = words.fill(&query, &mut used);
        if filled != query {
            let name = path.file_name().unwrap().display().to_string();
            assert!(
                env::var_os("UPDATE_EXPECT").is_some(),
                "editors/tree-sitter-fly/queries/{name} is not current: run UPDATE_EXPECT=1 cargo test --test editors"
            );
            fs::write(&path, filled).unwrap();
        }
    }
    let all: BTreeSet<String> = words.0.keys().map(|list| (*list).to_owned()).collect();
    assert_eq!(used, all, "every list is in a query");
}
