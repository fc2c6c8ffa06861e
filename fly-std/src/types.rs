//! The static types of Fly. Limits are part of the type, so that one place tells what a value may be.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

/// A type an attribute can have.
///
/// Matched without a wildcard everywhere: a new variant makes the compiler list each place that must learn it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Any text; `${…}` is interpolated.
    String,
    /// A whole number within the limits, both included.
    Int {
        /// The smallest allowed value.
        min: i64,
        /// The largest allowed value.
        max: i64,
    },
    /// A number with or without a fraction.
    Float,
    /// `true` or `false`.
    Bool,
    /// A span of time in whole seconds, written `10m` or `"10m"`.
    Duration {
        /// The shortest allowed span, in seconds.
        min: u64,
        /// The longest allowed span, in seconds.
        max: u64,
        /// Whether a bare whole number is accepted and means seconds.
        bare: bool,
    },
    /// An amount of memory or storage in bytes, written `4GiB`, or as a bare whole number of `bare` units.
    Size {
        /// The smallest allowed amount, in bytes.
        min: u64,
        /// The largest allowed amount, in bytes.
        max: u64,
        /// What a bare whole number counts.
        bare: SizeUnit,
    },
    /// A percentage from 0 to 100, written `80%` or as a bare number.
    Percent,
    /// A cron expression of five fields, as a string.
    Cron,
    /// An IANA time zone name such as `Europe/Berlin`.
    Timezone,
    /// A fully qualified domain name, optionally with a port.
    Fqdn,
    /// An absolute `http` or `https` URL.
    Url,
    /// An e-mail address.
    Email,
    /// A container image reference.
    Image,
    /// A name: letters, digits, `-` and `_`, beginning with a letter or digit, at most 63 characters.
    Name,
    /// The URI of a secret (`yc-lockbox://id/key`); the value itself never enters the compiler.
    Secret,
    /// Text for a shell: verbatim, `${…}` in it belongs to the shell.
    Script,
    /// A policy condition such as `failed_count >= 3 AND age > 1h`; its fields stand in [`crate::policy`].
    Condition,
    /// One of a closed set of strings.
    Enum(&'static [Variant]),
    /// A list of values of one type.
    List(&'static Type),
    /// A map from names to values of one type.
    Map(&'static Type),
    /// A map with a fixed set of keys, each with its own type.
    Object(&'static [crate::schema::Attribute]),
    /// The name of an entity that must exist in the Nest.
    Entity(Entities),
    /// A value that may hold text or the URI of a secret (an environment variable).
    EnvValue,
    /// Any value at all; its type follows from the value (a local).
    Any,
    /// One of a closed set of words of the language, written without quotes.
    Keyword(&'static [Variant]),
    /// The name of a type, such as `size` or `list<string>`; see [`Type::parse`].
    TypeName,
    /// A profile of the Nest, written `profile.NAME`.
    Profile,
    /// An expression that is evaluated for each block an assert is about, and gives `true` or `false`.
    Predicate,
}

/// What a bare whole number counts in an attribute of type size.
///
/// The units are binary (1 MB = 1 MiB = 2^20 bytes), as in both clouds' own consoles and APIs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeUnit {
    /// 2^20 bytes.
    Mebibytes,
    /// 2^30 bytes.
    Gibibytes,
}

impl SizeUnit {
    /// How many bytes one unit is.
    pub const fn bytes(self) -> u64 {
        match self {
            Self::Mebibytes => 1 << 20,
            Self::Gibibytes => 1 << 30,
        }
    }

    /// What users call it: `MB` or `GB`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Mebibytes => "MB",
            Self::Gibibytes => "GB",
        }
    }
}

/// Which entities of the Nest an attribute of type [`Type::Entity`] may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entities {
    /// An egg or an eggsbucket.
    EggOrBucket,
}

/// One allowed value of a closed set, with its documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant {
    /// The value as written between quotes.
    pub name: &'static str,
    /// One sentence for hover and completion.
    pub doc: &'static str,
}

impl Variant {
    /// A variant and its documentation.
    pub const fn new(name: &'static str, doc: &'static str) -> Self {
        Self { name, doc }
    }
}

impl Type {
    /// A whole number from `min` to `max`.
    pub const fn int(min: i64, max: i64) -> Self {
        Self::Int { min, max }
    }

    /// A span of time from `min` to `max` seconds.
    pub const fn duration(min: u64, max: u64) -> Self {
        Self::Duration { min, max, bare: false }
    }

    /// A span of time from `min` to `max` seconds, where a bare number means seconds.
    pub const fn seconds(min: u64, max: u64) -> Self {
        Self::Duration { min, max, bare: true }
    }

    /// A size from `min` to `max` bytes where a bare number means MB.
    pub const fn megabytes(min: u64, max: u64) -> Self {
        Self::Size { min, max, bare: SizeUnit::Mebibytes }
    }

    /// A size from `min` to `max` bytes where a bare number means GB.
    pub const fn gigabytes(min: u64, max: u64) -> Self {
        Self::Size { min, max, bare: SizeUnit::Gibibytes }
    }

    /// The type in a sentence, with its article: `a size`, `a list of strings`.
    pub fn noun(&self) -> String {
        self.words().0.to_owned_with_items(self)
    }

    /// The keyword of the type as reference pages show it: `size`, `list<string>`.
    pub fn keyword(&self) -> String {
        match self {
            Self::List(item) => format!("list<{}>", item.keyword()),
            Self::Map(item) => format!("map<{}>", item.keyword()),
            Self::Enum(variants) => {
                let names: Vec<_> = variants.iter().map(|v| format!("\"{}\"", v.name)).collect();
                names.join(" | ")
            }
            Self::Keyword(variants) => {
                variants.iter().map(|variant| variant.name).collect::<Vec<_>>().join(" | ")
            }
            Self::Object(fields) => {
                let fields: Vec<_> =
                    fields.iter().map(|f| format!("{} = {}", f.name, f.ty.keyword())).collect();
                format!("{{ {} }}", fields.join(", "))
            }
            other => other.words().1.to_owned(),
        }
    }

    /// The noun with its article, and the keyword.
    const fn words(&self) -> (Noun, &'static str) {
        match self {
            Self::String => (Noun("a string"), "string"),
            Self::Int { .. } => (Noun("a whole number"), "int"),
            Self::Float => (Noun("a number"), "float"),
            Self::Bool => (Noun("`true` or `false`"), "bool"),
            Self::Duration { .. } => (Noun("a duration"), "duration"),
            Self::Size { .. } => (Noun("a size"), "size"),
            Self::Percent => (Noun("a percentage"), "percent"),
            Self::Cron => (Noun("a cron expression"), "cron"),
            Self::Timezone => (Noun("a time zone"), "timezone"),
            Self::Fqdn => (Noun("a host name"), "fqdn"),
            Self::Url => (Noun("a URL"), "url"),
            Self::Email => (Noun("an e-mail address"), "email"),
            Self::Image => (Noun("a container image"), "image"),
            Self::Name => (Noun("a name"), "name"),
            Self::Secret => (Noun("a secret URI"), "secret"),
            Self::Script => (Noun("a script"), "script"),
            Self::Condition => (Noun("a condition"), "condition"),
            Self::Enum(_) => (Noun("one of"), "enum"),
            Self::List(_) => (Noun("a list of"), "list"),
            Self::Map(_) => (Noun("a map"), "map"),
            Self::Object(_) => (Noun("a map"), "object"),
            Self::Entity(Entities::EggOrBucket) => (Noun("the name of an egg or bucket"), "egg-name"),
            Self::EnvValue => (Noun("a string or a secret URI"), "string | secret"),
            Self::Any => (Noun("any value"), "any"),
            Self::Keyword(_) => (Noun("one of"), "keyword"),
            Self::TypeName => (Noun("the name of a type"), "type"),
            Self::Profile => (Noun("a profile"), "profile"),
            Self::Predicate => (Noun("a condition that is `true` or `false`"), "bool expression"),
        }
    }
}

struct Noun(&'static str);

impl Noun {
    fn to_owned_with_items(&self, ty: &Type) -> String {
        match ty {
            Type::List(item) => format!("a list of {}", plural(item)),
            Type::Enum(variants) => {
                let names: Vec<_> = variants.iter().map(|v| format!("\"{}\"", v.name)).collect();
                crate::words::list(&names, "or").unwrap_or_else(|| "nothing".to_owned())
            }
            Type::Keyword(variants) => {
                let names: Vec<_> = variants.iter().map(|v| format!("`{}`", v.name)).collect();
                crate::words::list(&names, "or").unwrap_or_else(|| "nothing".to_owned())
            }
            _ => self.0.to_owned(),
        }
    }
}

/// The names of the types that hold no others, for declarations of variables.
pub const TYPE_NAMES: &[(&str, Type)] = &[
    ("string", Type::String),
    ("int", Type::Int { min: i64::MIN, max: i64::MAX }),
    ("float", Type::Float),
    ("bool", Type::Bool),
    ("duration", Type::Duration { min: 0, max: u64::MAX, bare: false }),
    ("size", Type::Size { min: 0, max: u64::MAX, bare: SizeUnit::Mebibytes }),
    ("percent", Type::Percent),
    ("cron", Type::Cron),
    ("timezone", Type::Timezone),
    ("fqdn", Type::Fqdn),
    ("url", Type::Url),
    ("email", Type::Email),
    ("image", Type::Image),
    ("name", Type::Name),
    ("secret", Type::Secret),
    ("any", Type::Any),
];

/// How deeply types may hold others: `list<map<string>>` is two.
const TYPE_DEPTH: usize = 4;

impl Type {
    /// A list of values of this type.
    #[must_use]
    pub fn list_of(self) -> Self {
        Self::List(interned(self))
    }

    /// The type with this name, as a variable declares it: one of [`TYPE_NAMES`], or `list<…>` and `map<…>` of one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut inner = text.trim();
        let mut around = Vec::new();
        while let Some((kind, rest)) = inner.split_once('<') {
            let kind = kind.trim();
            inner = rest.trim().strip_suffix('>')?.trim();
            if !matches!(kind, "list" | "map") || around.len() == TYPE_DEPTH {
                return None;
            }
            around.push(kind == "list");
        }
        let ty = TYPE_NAMES.iter().find(|(name, _)| *name == inner)?.1;
        Some(around.into_iter().rev().fold(ty, |ty, list| {
            let ty = interned(ty);
            if list { Self::List(ty) } else { Self::Map(ty) }
        }))
    }
}

/// The one copy of a type that lives as long as the program: there are few, because their depth is bounded.
fn interned(ty: Type) -> &'static Type {
    static TYPES: Mutex<Vec<&'static Type>> = Mutex::new(Vec::new());
    let mut types = TYPES.lock().unwrap_or_else(PoisonError::into_inner);
    match types.iter().find(|known| ***known == ty) {
        Some(known) => known,
        None => {
            let ty: &'static Type = Box::leak(Box::new(ty));
            types.push(ty);
            ty
        }
    }
}

fn plural(ty: &Type) -> String {
    match ty {
        Type::String => "strings".into(),
        Type::Int { .. } => "whole numbers".into(),
        Type::Float => "numbers".into(),
        Type::Name => "names".into(),
        Type::Email => "e-mail addresses".into(),
        Type::Object(_) | Type::Map(_) => "maps".into(),
        Type::Entity(Entities::EggOrBucket) => "egg or bucket names".into(),
        Type::Any => "values".into(),
        other => format!("values, each {}", other.noun()),
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.keyword())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_types_are_read() {
        assert_eq!(Type::parse("string"), Some(Type::String));
        assert_eq!(Type::parse("list<string>"), Some(Type::List(&Type::String)));
        assert_eq!(Type::parse("map< list<int> >").map(|ty| ty.keyword()).as_deref(), Some("map<list<int>>"));
        for wrong in ["", "text", "list", "list<>", "list<text>", "set<string>", "list<string", "string>"] {
            assert_eq!(Type::parse(wrong), None, "{wrong}");
        }
        let deep = format!("{}int{}", "list<".repeat(1000), ">".repeat(1000));
        assert_eq!(Type::parse(&deep), None);
    }
}
