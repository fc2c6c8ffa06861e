//! Typed values: what an expression comes to after checking.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use smol_str::SmolStr;

use crate::{
    formats::{SecretUri, duration, percent, size},
    policy::Condition,
};

/// A value of the Fly language. Equality is by meaning: `4GiB` and `4096` in an attribute of type size are equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value {
    /// Text of any string-like type (string, name, fqdn, url, cron, script, an enum's variant, …).
    String(SmolStr),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(Float),
    /// `true` or `false`.
    Bool(bool),
    /// A span of time, in seconds.
    Duration(u64),
    /// An amount of memory or storage, in bytes.
    Size(u64),
    /// A percentage, 0 to 100.
    Percent(Float),
    /// A reference to a secret; its value is never known to the compiler.
    Secret(Box<SecretUri>),
    /// A condition on a runner: its text and what it was compiled to.
    Condition(Box<Condition>),
    /// Values in order.
    List(Vec<Value>),
    /// Named values in the order they were written.
    Map(Vec<(SmolStr, Value)>),
}

/// A finite floating-point number, comparable by its bits (`-0.0` is stored as `0.0`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Float(u64);

impl Float {
    /// The number, or `None` when it is not finite.
    pub fn new(value: f64) -> Option<Self> {
        value.is_finite().then(|| Self(if value == 0.0 { 0.0_f64 } else { value }.to_bits()))
    }

    /// The number.
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl Serialize for Float {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.get())
    }
}

impl<'de> Deserialize<'de> for Float {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        Self::new(number).ok_or_else(|| de::Error::custom("not a finite number"))
    }
}

impl Value {
    /// What the value is, in a sentence with its article: `a string`, `a list`.
    pub const fn noun(&self) -> &'static str {
        match self {
            Self::String(_) => "a string",
            Self::Int(_) => "a whole number",
            Self::Float(_) => "a number with a fraction",
            Self::Bool(true) => "`true`",
            Self::Bool(false) => "`false`",
            Self::Duration(_) => "a duration",
            Self::Size(_) => "a size",
            Self::Percent(_) => "a percentage",
            Self::Secret(_) => "a secret",
            Self::Condition(_) => "a condition",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    /// The text, when the value is text or a condition.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            Self::Condition(condition) => Some(&condition.text),
            _ => None,
        }
    }

    /// The condition, when the value is one.
    pub fn as_condition(&self) -> Option<&Condition> {
        match self {
            Self::Condition(condition) => Some(condition),
            _ => None,
        }
    }

    /// The value as `${…}` puts it into a string: units in their canonical form. Lists, maps and secrets have none.
    pub fn to_text(&self) -> Option<SmolStr> {
        Some(match self {
            Self::String(text) => text.clone(),
            Self::Condition(condition) => condition.text.clone(),
            Self::Int(number) => SmolStr::from(number.to_string()),
            Self::Float(number) => SmolStr::from(number.get().to_string()),
            Self::Bool(truth) => SmolStr::new_static(if *truth { "true" } else { "false" }),
            Self::Duration(seconds) => SmolStr::from(duration::print(*seconds)),
            Self::Size(bytes) => SmolStr::from(size::print(*bytes)),
            Self::Percent(number) => SmolStr::from(percent::print(*number)),
            Self::Secret(_) | Self::List(_) | Self::Map(_) => return None,
        })
    }

    /// The whole number, when the value is one.
    pub const fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }
}
