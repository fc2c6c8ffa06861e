//! The schema of every block: which attributes and blocks it may hold, their types, limits, defaults and docs.
//!
//! One file a block kind. To add an attribute, add one line to the table of its block and a case to the markdown
//! tests; checker, completion, hover, reference pages and JSON Schema read it from here.

mod assert;
mod bucket;
mod egg;
mod gitlab;
mod job;
mod mothergoose;
mod nest;
mod profile;
mod rift;
mod test;
#[cfg(test)]
mod tests;
mod uglyfox;

pub use assert::{ASSERT, OVER};
pub use bucket::EGGSBUCKET;
pub use egg::EGG;
pub use job::JOB;
pub use mothergoose::MOTHERGOOSE;
pub use nest::{LOCALS, NEST, VARIABLE, VARIABLES};
pub use profile::PROFILE;
pub use rift::RIFT;
pub use test::TEST;
pub use uglyfox::UGLYFOX;

use crate::types::Type;

/// What a block may hold.
#[derive(Debug)]
pub struct Block {
    /// The keyword, such as `egg`.
    pub name: &'static str,
    /// What it is for; the first sentence stands alone in completion.
    pub doc: &'static str,
    /// Whether a label follows the keyword.
    pub label: Label,
    /// The attributes, in the order reference pages and completion show them.
    pub attributes: &'static [Attribute],
    /// The type of attributes with names of the user's own (`environment`).
    pub free_attributes: Option<Attribute>,
    /// The blocks within.
    pub blocks: &'static [Child],
    /// Blocks with names of the user's own (the tables of a `tables` block).
    pub free_blocks: Option<&'static Block>,
    /// What must hold between attributes.
    pub constraints: &'static [Constraint],
    /// A whole valid block as Fly text.
    pub example: &'static str,
}

impl Block {
    /// A block with nothing in it yet; the tables fill the rest with `..Block::new(…)`.
    pub const fn new(name: &'static str, doc: &'static str) -> Self {
        Self {
            name,
            doc,
            label: Label::None,
            attributes: &[],
            free_attributes: None,
            blocks: &[],
            free_blocks: None,
            constraints: &[],
            example: "",
        }
    }

    /// The attribute with this name.
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        // Nearly all differ in length or in the first letter, which is quicker to see than to compare.
        let (length, first) = (name.len(), name.as_bytes().first());
        let alike = |known: &str| known.len() == length && known.as_bytes().first() == first;
        self.attributes.iter().find(|attribute| alike(attribute.name) && attribute.name == name)
    }

    /// The block within with this name or alias.
    pub fn child(&self, name: &str) -> Option<&'static Child> {
        self.blocks.iter().find(|child| child.block.name == name || child.aliases.contains(&name))
    }
}

/// Whether a label stands between a block's keyword and its `{`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// No label.
    None,
    /// One label of type name; the text says what it names (`the egg's name`).
    Name(&'static str),
    /// One label that is any text, since nothing refers to it; the text says what it tells.
    Text(&'static str),
    /// One label that is an identifier (letters, digits and `_`); the text says what it names.
    Identifier(&'static str),
}

/// One attribute of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// The name on the left of `=`.
    pub name: &'static str,
    /// The type, with its limits.
    pub ty: Type,
    /// Whether it must be there, and what holds when it is not.
    pub presence: Presence,
    /// What it is, as a phrase that can follow "`memory` is" (no full stop): shown in hover and in diagnostics.
    pub doc: &'static str,
    /// A valid value as Fly text.
    pub example: &'static str,
    /// Why it should no longer be used, and what to write instead.
    pub deprecated: Option<Deprecation>,
}

/// That an attribute should no longer be used. It works as before until an edition takes it away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deprecation {
    /// The edition from which on it should not be used, one of [`EDITIONS`](crate::EDITIONS).
    pub since: u16,
    /// Why, as a sentence without a full stop.
    pub reason: &'static str,
    /// What to do instead.
    pub replacement: Replacement,
}

/// What takes the place of a deprecated attribute.
///
/// Matched without a wildcard: a new kind makes the compiler list the checker and the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replacement {
    /// Another attribute of the same block with the same type: the value counts as that one's.
    Renamed(&'static str),
    /// Nothing: it no longer has a meaning and is left out.
    Removed,
    /// Something that takes a person; the text says what to write.
    Rewritten(&'static str),
}

impl Deprecation {
    /// The reason and what to do, in one sentence: `the name was too long; write `cpu` instead`.
    pub fn advice(&self) -> String {
        match self.replacement {
            Replacement::Renamed(name) => format!("{}; write `{name}` instead", self.reason),
            Replacement::Removed => format!("{}; leave it out", self.reason),
            Replacement::Rewritten(how) => format!("{}; {how}", self.reason),
        }
    }
}

/// Whether an attribute must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// An error when missing.
    Required,
    /// Absent means absent.
    Optional,
    /// Absent means this value, as Fly text.
    Default(&'static str),
    /// Absent means a value that depends on the rest; the text says which.
    Derived(&'static str),
}

impl Attribute {
    /// An attribute that must be there.
    pub const fn required(name: &'static str, ty: Type, doc: &'static str, example: &'static str) -> Self {
        Self { name, ty, presence: Presence::Required, doc, example, deprecated: None }
    }

    /// An attribute that may be left out.
    pub const fn optional(name: &'static str, ty: Type, doc: &'static str, example: &'static str) -> Self {
        Self { name, ty, presence: Presence::Optional, doc, example, deprecated: None }
    }

    /// The same attribute with a default, as Fly text.
    #[must_use]
    pub const fn default(mut self, value: &'static str) -> Self {
        self.presence = Presence::Default(value);
        self
    }

    /// The same attribute with a default that depends on the rest.
    #[must_use]
    pub const fn derived(mut self, how: &'static str) -> Self {
        self.presence = Presence::Derived(how);
        self
    }

    /// The same attribute, deprecated since an edition.
    #[must_use]
    pub const fn deprecated(mut self, since: u16, reason: &'static str, replacement: Replacement) -> Self {
        self.deprecated = Some(Deprecation { since, reason, replacement });
        self
    }

    /// The attribute that something written under this name is: the new name of a renamed one.
    pub const fn stands_for<'a>(&self, written: &'a str) -> &'a str {
        match self.deprecated {
            Some(Deprecation { replacement: Replacement::Renamed(name), .. }) => name,
            _ => written,
        }
    }
}

/// A block within a block.
#[derive(Debug, Clone, Copy)]
pub struct Child {
    /// What it is.
    pub block: &'static Block,
    /// How often it may stand.
    pub times: Times,
    /// Other names it is known by.
    pub aliases: &'static [&'static str],
}

/// How often a block may stand within its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// Exactly once.
    Once,
    /// Once or not at all.
    AtMostOnce,
    /// Any number of times.
    Many,
    /// Never, although users may expect it; the text says why.
    Never(&'static str),
}

impl Child {
    /// A block that must be there.
    pub const fn once(block: &'static Block) -> Self {
        Self { block, times: Times::Once, aliases: &[] }
    }

    /// A block that may be there.
    pub const fn optional(block: &'static Block) -> Self {
        Self { block, times: Times::AtMostOnce, aliases: &[] }
    }

    /// A block that may stand any number of times.
    pub const fn many(block: &'static Block) -> Self {
        Self { block, times: Times::Many, aliases: &[] }
    }

    /// A block that users may expect here but that has no place, and why.
    pub const fn never(block: &'static Block, why: &'static str) -> Self {
        Self { block, times: Times::Never(why), aliases: &[] }
    }

    /// The same with other names it is known by.
    #[must_use]
    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }
}

/// What must hold between the attributes of one block.
///
/// Matched without a wildcard: a new kind makes the compiler list the checker, the docs and the JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constraint {
    /// Exactly one of these attributes.
    ExactlyOneOf(&'static [&'static str]),
    /// The first attribute's value is not above the second's (whole numbers).
    NotAbove(&'static str, &'static str),
}

/// A block kind that may stand at the top of a file, and where.
#[derive(Debug)]
pub struct Root {
    /// The block.
    pub block: &'static Block,
    /// The files it may stand in.
    pub places: &'static [Place],
    /// How often it may stand in one file.
    pub times: Times,
}

/// The kinds of file in a Nest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// `nest.fly`
    Nest,
    /// `Eggs/<name>/config.fly`
    Egg,
    /// `Jobs/<name>.fly`
    Job,
    /// `UF/config.fly`
    UglyFox,
    /// `MG/config.fly`
    MotherGoose,
    /// `*.test.fly`, in any folder
    Test,
}

impl Place {
    /// Every place.
    pub const ALL: [Self; 6] =
        [Self::Nest, Self::Egg, Self::Job, Self::UglyFox, Self::MotherGoose, Self::Test];

    /// The path within the Nest as users know it.
    pub const fn pattern(self) -> &'static str {
        match self {
            Self::Nest => "nest.fly",
            Self::Egg => "Eggs/<name>/config.fly",
            Self::Job => "Jobs/<name>.fly",
            Self::UglyFox => "UF/config.fly",
            Self::MotherGoose => "MG/config.fly",
            Self::Test => "*.test.fly",
        }
    }

    /// The place of a file by its path relative to the Nest's root, with `/` between folders.
    pub fn of(path: &str) -> Option<Self> {
        let file = path.rsplit('/').next()?;
        if file.strip_suffix(".test.fly").is_some_and(|name| !name.is_empty()) {
            return Some(Self::Test);
        }
        let mut parts = path.split('/');
        let found = match (parts.next()?, parts.next(), parts.next(), parts.next()) {
            ("nest.fly", None, ..) => Self::Nest,
            ("Eggs", Some(_), Some("config.fly"), None) => Self::Egg,
            ("Jobs", Some(file), None, None)
                if file.strip_suffix(".fly").is_some_and(|name| !name.is_empty()) =>
            {
                Self::Job
            }
            ("UF", Some("config.fly"), None, None) => Self::UglyFox,
            ("MG", Some("config.fly"), None, None) => Self::MotherGoose,
            _ => return None,
        };
        Some(found)
    }
}

/// Every block kind that may stand at the top of a file.
pub static ROOTS: &[Root] = &[
    Root { block: &EGG, places: &[Place::Egg], times: Times::Many },
    Root { block: &EGGSBUCKET, places: &[Place::Egg], times: Times::Many },
    Root { block: &JOB, places: &[Place::Job], times: Times::Many },
    Root { block: &UGLYFOX, places: &[Place::UglyFox], times: Times::AtMostOnce },
    Root { block: &MOTHERGOOSE, places: &[Place::MotherGoose], times: Times::AtMostOnce },
    Root { block: &RIFT, places: &[Place::MotherGoose], times: Times::Many },
    Root { block: &NEST, places: &[Place::Nest], times: Times::AtMostOnce },
    Root { block: &VARIABLE, places: &[Place::Nest], times: Times::Many },
    Root { block: &PROFILE, places: &[Place::Nest], times: Times::Many },
    Root { block: &ASSERT, places: &[Place::Nest], times: Times::Many },
    Root { block: &TEST, places: &[Place::Test, Place::Nest], times: Times::Many },
    Root { block: &LOCALS, places: &Place::ALL, times: Times::Many },
];

/// The root block with this keyword.
pub fn root(name: &str) -> Option<&'static Root> {
    ROOTS.iter().find(|root| root.block.name == name)
}
