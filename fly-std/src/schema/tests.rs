//! The tables are whole, and every example, default and literal in them is what the tables themselves allow.

use std::{collections::BTreeSet, ops::RangeInclusive};

use super::*;
use crate::formats::{cron, duration, email, fqdn, image, name, percent, secret_uri, size, timezone, url};

/// Visits every block that can be reached from the roots, with its path.
fn walk(visit: &mut impl FnMut(&str, &'static Block)) {
    fn step(path: &str, block: &'static Block, visit: &mut impl FnMut(&str, &'static Block)) {
        visit(path, block);
        for child in block.blocks {
            step(&format!("{path}.{}", child.block.name), child.block, visit);
        }
        if let Some(free) = block.free_blocks {
            step(&format!("{path}.{}", free.name), free, visit);
        }
    }
    for root in ROOTS {
        step(root.block.name, root.block, visit);
    }
}

fn is_snake_case(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[test]
fn every_block_and_attribute_is_documented() {
    walk(&mut |path, block| {
        assert!(!block.doc.is_empty() && block.doc.ends_with('.'), "{path}: the doc is a sentence");
        assert!(!block.example.is_empty(), "{path}: an example");
        assert!(is_snake_case(block.name), "{path}");
        let mut names = BTreeSet::new();
        for child in block.blocks {
            for name in std::iter::once(&child.block.name).chain(child.aliases) {
                assert!(names.insert(*name), "{path}: `{name}` stands twice");
            }
        }
        for attribute in block.attributes {
            let path = format!("{path}.{}", attribute.name);
            assert!(names.insert(attribute.name), "{path}: stands twice");
            assert!(is_snake_case(attribute.name), "{path}");
        }
        for attribute in block.attributes.iter().chain(&block.free_attributes) {
            let path = format!("{path}.{}", attribute.name);
            assert!(
                !attribute.doc.is_empty() && !attribute.doc.ends_with('.'),
                "{path}: the doc is a phrase"
            );
            assert!(!attribute.example.is_empty(), "{path}: an example");
        }
        assert!(block.free_attributes.is_none() || block.free_blocks.is_none(), "{path}");
    });
}

#[test]
fn constraints_name_attributes_that_are_there() {
    walk(&mut |path, block| {
        for constraint in block.constraints {
            let names = match constraint {
                Constraint::ExactlyOneOf(names) => names.to_vec(),
                Constraint::NotAbove(low, high) => vec![*low, *high],
            };
            assert!(names.len() > 1, "{path}");
            for name in names {
                assert!(block.attribute(name).is_some(), "{path}: `{name}`");
            }
        }
    });
}

#[test]
fn defaults_and_examples_of_attributes_fit_their_types() {
    fn fits(path: &str, attribute: &Attribute) {
        let path = format!("{path}.{}", attribute.name);
        let mut texts = vec![attribute.example];
        if let Presence::Default(text) = attribute.presence {
            texts.push(text);
        }
        for text in texts {
            let value = Reader::new(text).value();
            check_value(&value, &attribute.ty).unwrap_or_else(|why| panic!("{path}: `{text}`: {why}"));
        }
        if let Type::List(&Type::Object(fields)) | Type::Object(fields) = attribute.ty {
            for field in fields {
                fits(&path, field);
            }
        }
    }
    walk(&mut |path, block| {
        block.attributes.iter().chain(&block.free_attributes).for_each(|attribute| fits(path, attribute));
    });
}

#[test]
fn examples_of_blocks_are_whole_and_valid() {
    walk(&mut |path, block| {
        let mut reader = Reader::new(block.example);
        let keyword = reader.word();
        let free = [
            "tables.table",
            "triggers.trigger",
            "upstreams.upstream",
            "lifecycle_rules.lifecycle_rule",
            "service_accounts.service_account",
        ];
        if !free.iter().any(|free| path.ends_with(free)) {
            assert_eq!(keyword, block.name, "{path}");
        }
        let mut errors = Vec::new();
        reader.block(block, &mut errors);
        assert_eq!(errors, Vec::<String>::new(), "{path}");
        assert!(reader.at_end(), "{path}: more than one block");
    });
}

#[test]
fn every_block_of_the_seeds_is_accepted() {
    let text = include_str!("tests/seeds.fly");
    let mut reader = Reader::new(text);
    let mut errors = Vec::new();
    while !reader.at_end() {
        let keyword = reader.word();
        reader.block(root(&keyword).unwrap().block, &mut errors);
    }
    assert_eq!(errors, Vec::<String>::new());
}

#[test]
fn the_reader_of_these_tests_sees_mistakes() {
    for (text, wanted) in [
        ("egg \"a\" { type = \"vm\" gitlab { } }", "exactly one"),
        ("egg \"a\" { type = \"vm\" gitlab { project_id = 0 } }", "project_id"),
        ("egg \"a\" { type = \"bare\" gitlab { project_id = 1 } }", "type"),
        ("egg \"a\" { gitlab { project_id = 1 } }", "`type` is missing"),
        ("egg \"a\" { type = \"vm\" }", "`gitlab` is missing"),
        ("egg \"a\" { type = \"vm\" gitlab { project_id = 1 } colour = 1 }", "colour"),
        ("job \"a\" { schedule = \"* * * * *\" script = \"x\" rift { } }", "no access to Rift"),
    ] {
        let mut reader = Reader::new(text);
        let keyword = reader.word();
        let mut errors = Vec::new();
        reader.block(root(&keyword).unwrap().block, &mut errors);
        assert!(errors.iter().any(|error| error.contains(wanted)), "{text}: {errors:?}");
    }
}

#[test]
fn places_are_told_from_paths() {
    for place in Place::ALL {
        assert_eq!(Place::of(&place.pattern().replace("<name>", "x")), Some(place));
    }
    assert_eq!(Place::of("Jobs/.fly"), None);
    assert_eq!(Place::of("Jobs/nightly.test.fly"), Some(Place::Test));
    assert_eq!(Place::of(".test.fly"), None);
    assert_eq!(Place::of("Eggs/a/b/config.fly"), None);
    assert!(root("egg").is_some() && root("hen").is_none());
    assert!(MOTHERGOOSE.child("api").is_some_and(|child| child.block.name == "fastapi_app"));
}

/// A literal as these tests read it.
#[derive(Debug)]
enum Literal {
    Text(String),
    /// Numbers, units, `true` and `false`, as written.
    Bare(String),
    List(Vec<Literal>),
    Map(Vec<(String, Literal)>),
}

/// Reads just enough of Fly for the examples in the tables; the language's own parser is the compiler's.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    const fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    fn skip(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.starts_with('#') || self.rest.starts_with("//") {
                self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
            } else {
                return;
            }
        }
    }

    fn at_end(&mut self) -> bool {
        self.skip();
        self.rest.is_empty()
    }

    fn eat(&mut self, mark: char) -> bool {
        self.skip();
        self.rest.strip_prefix(mark).inspect(|rest| self.rest = rest).is_some()
    }

    fn word(&mut self) -> String {
        self.skip();
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '.' | '%' | '-'))
            .unwrap_or(self.rest.len());
        assert!(end > 0, "a word at {:?}", &self.rest);
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word.to_owned()
    }

    fn value(&mut self) -> Literal {
        if self.eat('[') {
            let mut items = Vec::new();
            while !self.eat(']') {
                items.push(self.value());
                self.eat(',');
            }
            Literal::List(items)
        } else if self.eat('{') {
            let mut entries = Vec::new();
            while !self.eat('}') {
                let name = self.word();
                assert!(self.eat('='));
                entries.push((name, self.value()));
                self.eat(',');
            }
            Literal::Map(entries)
        } else if self.rest.starts_with("<<") {
            let (head, body) = self.rest.split_once('\n').unwrap();
            let end = head.trim_start_matches("<<").trim_start_matches('-').trim();
            let (text, rest) = body.split_once(&format!("{end}\n")).unwrap();
            self.rest = rest;
            Literal::Text(text.to_owned())
        } else if self.eat('"') {
            let (text, rest) = self.rest.split_once('"').unwrap();
            self.rest = rest;
            Literal::Text(text.to_owned())
        } else {
            let word = self.word();
            // The rest of an expression, or of the name of a type.
            let expression = self.rest.trim_start_matches(' ').starts_with(['<', '>', '=', '!', '(', '&']);
            let (tail, rest) = if expression {
                self.rest.split_once('\n').unwrap_or((self.rest, ""))
            } else {
                ("", self.rest)
            };
            self.rest = rest;
            Literal::Bare(format!("{word}{tail}"))
        }
    }

    /// Reads a block after its keyword and checks it against its table.
    fn block(&mut self, block: &Block, errors: &mut Vec<String>) {
        let label = self.eat('"').then(|| {
            let (label, rest) = self.rest.split_once('"').unwrap();
            self.rest = rest;
            name::parse(label).unwrap()
        });
        if label.is_some() == (block.label == Label::None) {
            errors.push(format!("the label of `{}`", block.name));
        }
        assert!(self.eat('{'), "`{{` of `{}` at {:?}", block.name, self.rest);
        let mut attributes = Vec::new();
        let mut children = Vec::new();
        while !self.eat('}') {
            let name = self.word();
            if self.eat('=') {
                let value = self.value();
                match block.attribute(&name).or(block.free_attributes.as_ref()) {
                    Some(attribute) => {
                        if let Err(why) = check_value(&value, &attribute.ty) {
                            errors.push(format!("`{name}`: {why}"));
                        }
                    }
                    None => errors.push(format!("`{}` has no attribute `{name}`", block.name)),
                }
                attributes.push((name, value));
            } else {
                let found = block.child(&name);
                if let Some(Child { times: Times::Never(why), .. }) = found {
                    errors.push((*why).to_owned());
                }
                let Some(inner) = found.map(|child| child.block).or(block.free_blocks) else {
                    panic!("`{}` has no block `{name}`", block.name)
                };
                children.push(inner.name);
                self.block(inner, errors);
            }
        }
        for attribute in block.attributes {
            if attribute.presence == Presence::Required
                && !attributes.iter().any(|(name, _)| name == attribute.name)
            {
                errors.push(format!("`{}` is missing", attribute.name));
            }
        }
        for child in block.blocks {
            let count = children.iter().filter(|name| **name == child.block.name).count();
            match child.times {
                Times::Once if count == 0 => errors.push(format!("`{}` is missing", child.block.name)),
                Times::Once | Times::AtMostOnce if count > 1 => {
                    errors.push(format!("`{}` twice", child.block.name));
                }
                Times::Once | Times::AtMostOnce | Times::Many | Times::Never(_) => {}
            }
        }
        for constraint in block.constraints {
            let number = |wanted: &str| {
                attributes.iter().find(|(name, _)| name == wanted).and_then(|(_, value)| match value {
                    Literal::Bare(text) => text.parse::<i64>().ok(),
                    _ => None,
                })
            };
            match constraint {
                Constraint::ExactlyOneOf(names) => {
                    if attributes.iter().filter(|(name, _)| names.contains(&name.as_str())).count() != 1 {
                        errors.push(format!("exactly one of {names:?}"));
                    }
                }
                Constraint::NotAbove(low, high) => {
                    if number(low).zip(number(high)).is_some_and(|(low, high)| low > high) {
                        errors.push(format!("`{low}` is above `{high}`"));
                    }
                }
            }
        }
    }
}

/// Whether a literal is of a type, within its limits.
fn check_value(value: &Literal, ty: &Type) -> Result<(), String> {
    fn within<T: PartialOrd + Copy + std::fmt::Debug>(
        found: T,
        limits: &RangeInclusive<T>,
    ) -> Result<(), String> {
        if limits.contains(&found) { Ok(()) } else { Err(format!("{found:?} is not within {limits:?}")) }
    }
    let said = |error: crate::formats::FormatError| error.message;
    match (value, ty) {
        (_, Type::Any | Type::Predicate)
        | (
            Literal::Text(_),
            Type::String | Type::Script | Type::EnvValue | Type::Condition | Type::Entity(_),
        ) => Ok(()),
        (Literal::Bare(text), Type::Keyword(variants)) if variants.iter().any(|v| v.name == text) => Ok(()),
        (Literal::Bare(text), Type::TypeName) if Type::parse(text).is_some() => Ok(()),
        (Literal::Bare(text), Type::Profile) if text.starts_with("profile.") => Ok(()),
        (Literal::Bare(text), Type::Bool) => text.parse::<bool>().map(drop).map_err(|e| e.to_string()),
        (Literal::Bare(text), Type::Float) => text.parse::<f64>().map(drop).map_err(|e| e.to_string()),
        (Literal::Bare(text), Type::Int { min, max }) => {
            within(text.parse::<i64>().map_err(|e| e.to_string())?, &(*min..=*max))
        }
        (Literal::Bare(text) | Literal::Text(text), Type::Duration { min, max, bare }) => {
            let seconds = match text.parse::<u64>() {
                Ok(number) if *bare => number,
                _ => duration::parse(text).map_err(said)?,
            };
            within(seconds, &(*min..=*max))
        }
        (Literal::Bare(text) | Literal::Text(text), Type::Size { min, max, bare }) => {
            let bytes = match text.parse::<u64>() {
                Ok(number) => number * bare.bytes(),
                Err(_) => size::parse(text).map_err(said)?,
            };
            within(bytes, &(*min..=*max))
        }
        (Literal::Bare(text) | Literal::Text(text), Type::Percent) => match text.parse::<f64>() {
            Ok(number) => within(number, &(0.0..=100.0)),
            Err(_) => percent::parse(text).map(drop).map_err(said),
        },
        (Literal::Text(text), Type::Cron) => cron::parse(text).map(drop).map_err(said),
        (Literal::Text(text), Type::Timezone) => timezone::parse(text).map(drop).map_err(said),
        (Literal::Text(text), Type::Fqdn) => fqdn::parse(text).map(drop).map_err(said),
        (Literal::Text(text), Type::Url) => url::parse(text).map(drop).map_err(said),
        (Literal::Text(text), Type::Email) => email::parse(text).map(drop).map_err(said),
        (Literal::Text(text), Type::Image) => image::parse(text).map(drop).map_err(said),
        (Literal::Text(text), Type::Name) => name::parse(text).map(drop).map_err(said),
        (Literal::Text(text), Type::Secret) => secret_uri::parse(text).map(drop).map_err(said),
        (Literal::Text(text), Type::Enum(variants)) => variants
            .iter()
            .any(|v| v.name == text)
            .then_some(())
            .ok_or_else(|| format!("{text} is not {}", ty.noun())),
        (Literal::List(items), Type::List(item)) => {
            items.iter().try_for_each(|value| check_value(value, item))
        }
        (Literal::Map(entries), Type::Map(item)) => {
            entries.iter().try_for_each(|(_, value)| check_value(value, item))
        }
        (Literal::Map(entries), Type::Object(fields)) => entries.iter().try_for_each(|(name, value)| {
            let field =
                fields.iter().find(|field| field.name == name).ok_or_else(|| format!("no key `{name}`"))?;
            check_value(value, &field.ty)
        }),
        _ => Err(format!("{value:?} is not {}", ty.noun())),
    }
}

/// Every attribute of a block and of the blocks within, each with its block.
fn every_attribute(block: &'static Block, found: &mut Vec<(&'static Block, &'static Attribute)>) {
    found.extend(block.attributes.iter().map(|attribute| (block, attribute)));
    for child in block.blocks.iter().filter(|child| !matches!(child.times, Times::Never(_))) {
        every_attribute(child.block, found);
    }
    if let Some(free) = block.free_blocks {
        every_attribute(free, found);
    }
}

/// What is wrong with a deprecation, in a few words.
fn wrong_deprecation(block: &'static Block, attribute: &Attribute) -> Option<&'static str> {
    let deprecated = attribute.deprecated?;
    let replaced = match deprecated.replacement {
        Replacement::Renamed(name) => match block.attribute(name) {
            None => Some("its new name is no attribute of the block"),
            Some(new) if new.deprecated.is_some() => Some("its new name is deprecated as well"),
            Some(new) if new.ty != attribute.ty => Some("its new name has another type"),
            Some(_) => None,
        },
        Replacement::Removed | Replacement::Rewritten(_) => None,
    };
    if !crate::EDITIONS.contains(&deprecated.since) {
        Some("no such edition")
    } else if attribute.presence == Presence::Required {
        Some("nobody could leave it out")
    } else if deprecated.reason.ends_with('.') || deprecated.reason.is_empty() {
        Some("its reason is no phrase")
    } else {
        replaced
    }
}

const OLD: Attribute = Attribute::optional("old", Type::Bool, "what was", "true");
static TABLE: Block = Block {
    attributes: &[
        OLD,
        Attribute::optional("new", Type::Bool, "what is", "true"),
        Attribute::optional("text", Type::String, "text", "\"\""),
    ],
    ..Block::new("table", "A table.")
};

#[test]
fn deprecations_lead_somewhere() {
    let mut all = Vec::new();
    for root in ROOTS {
        every_attribute(root.block, &mut all);
    }
    for (block, attribute) in all {
        assert_eq!(wrong_deprecation(block, attribute), None, "{}.{}", block.name, attribute.name);
    }
    // The tables hold none at present, so the rule is tried on one of its own.
    let wrong = |attribute: Attribute| wrong_deprecation(&TABLE, &attribute);
    assert_eq!(wrong(OLD.deprecated(2026, "a better name", Replacement::Renamed("new"))), None);
    assert_eq!(wrong(OLD.deprecated(2026, "nothing reads it", Replacement::Removed)), None);
    for broken in [
        OLD.deprecated(1999, "a better name", Replacement::Renamed("new")),
        OLD.deprecated(2026, "a better name", Replacement::Renamed("nowhere")),
        OLD.deprecated(2026, "a better name", Replacement::Renamed("text")),
        OLD.deprecated(2026, "It ends.", Replacement::Removed),
    ] {
        assert!(wrong(broken).is_some(), "{broken:?}");
    }
    assert_eq!(OLD.deprecated(2026, "a better name", Replacement::Renamed("new")).stands_for("old"), "new");
    assert_eq!(OLD.stands_for("old"), "old");
}

#[test]
fn the_editions_are_told_where_one_is_asked_for() {
    let edition = NEST.attribute("edition").unwrap();
    for known in crate::EDITIONS {
        assert!(edition.doc.contains(&known.to_string()), "{}", edition.doc);
    }
    let (first, last) = (crate::EDITIONS.first().unwrap(), crate::EDITIONS.last().unwrap());
    assert_eq!(edition.ty, Type::int(i64::from(*first), i64::from(*last)));
    assert!(crate::EDITIONS.contains(&crate::DEFAULT_EDITION) && crate::EDITIONS.is_sorted());
}
