//! The functions of expressions: pure and total, so that evaluation always ends and always gives the same.
//!
//! `file` and `secret` are not among them: the first needs the Nest's files, the second makes a taint that the checker
//! follows; the compiler calls both by itself, and only their descriptions are here.

mod collection;
mod compiled;
mod number;
mod string;
#[cfg(test)]
mod tests;

use crate::value::Value;

/// The most bytes of text one call may give.
pub const MAX_TEXT: usize = 1 << 20;

/// The most values, counted with all that is inside them, one call may give.
pub const MAX_ITEMS: usize = 1 << 16;

/// How deep lists and maps may be nested in what one call takes or gives.
pub const MAX_DEPTH: usize = 64;

/// One function.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// The name before `(`.
    pub name: &'static str,
    /// The arguments that must be there.
    pub params: &'static [Param],
    /// What any further arguments are; `None` when there may be none.
    pub rest: Option<Param>,
    /// What it gives, as a phrase that can follow "`upper(…)` is" (no full stop).
    pub doc: &'static str,
    /// A call and what it comes to, as Fly text: `upper("a")` and `"A"`.
    pub example: (&'static str, &'static str),
    /// What kind of value it gives.
    pub result: Returns,
    /// The function itself; reach it through [`Function::evaluate`], which checks the arguments first.
    pub call: fn(&[Value]) -> Result<Value, CallError>,
}

/// One parameter of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param {
    /// What it is called in signature help.
    pub name: &'static str,
    /// The kinds of value it takes.
    pub accepts: &'static [Kind],
}

impl Param {
    /// A parameter that takes values of these kinds.
    pub const fn new(name: &'static str, accepts: &'static [Kind]) -> Self {
        Self { name, accepts }
    }

    /// Whether a value of this kind may stand here.
    pub fn takes(&self, kind: Kind) -> bool {
        self.accepts.contains(&kind)
    }
}

/// The kinds of value, one for each variant of [`Value`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Text.
    String,
    /// A whole number.
    Int,
    /// A number with a fraction.
    Float,
    /// `true` or `false`.
    Bool,
    /// A span of time.
    Duration,
    /// An amount of memory or storage.
    Size,
    /// A percentage.
    Percent,
    /// A reference to a secret.
    Secret,
    /// Values in order.
    List,
    /// Named values.
    Map,
}

impl Kind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::String,
        Self::Int,
        Self::Float,
        Self::Bool,
        Self::Duration,
        Self::Size,
        Self::Percent,
        Self::Secret,
        Self::List,
        Self::Map,
    ];

    /// The kinds that can be written as text: what `${…}` takes.
    pub const SCALARS: &'static [Self] =
        &[Self::String, Self::Int, Self::Float, Self::Bool, Self::Duration, Self::Size, Self::Percent];

    /// The kinds that have an order by amount.
    pub const AMOUNTS: &'static [Self] = &[Self::Int, Self::Float, Self::Duration, Self::Size, Self::Percent];

    /// Plain numbers.
    pub const NUMBERS: &'static [Self] = &[Self::Int, Self::Float];

    /// The kind of this value.
    pub const fn of(value: &Value) -> Self {
        match value {
            Value::String(_) | Value::Condition(_) => Self::String,
            Value::Int(_) => Self::Int,
            Value::Float(_) => Self::Float,
            Value::Bool(_) => Self::Bool,
            Value::Duration(_) => Self::Duration,
            Value::Size(_) => Self::Size,
            Value::Percent(_) => Self::Percent,
            Value::Secret(_) => Self::Secret,
            Value::List(_) => Self::List,
            Value::Map(_) => Self::Map,
        }
    }

    /// What it is called in a sentence, with its article.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::String => "a string",
            Self::Int => "a whole number",
            Self::Float => "a number with a fraction",
            Self::Bool => "`true` or `false`",
            Self::Duration => "a duration",
            Self::Size => "a size",
            Self::Percent => "a percentage",
            Self::Secret => "a secret",
            Self::List => "a list",
            Self::Map => "a map",
        }
    }

    /// What it is called in a signature.
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Duration => "duration",
            Self::Size => "size",
            Self::Percent => "percent",
            Self::Secret => "secret",
            Self::List => "list",
            Self::Map => "map",
        }
    }
}

/// What a function gives, as far as it is known before the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// A value of this kind.
    Kind(Kind),
    /// A list of strings.
    Strings,
    /// A value of the same type as the first argument.
    SameAsFirst,
    /// A list of the first argument's values (those of a map).
    ValuesOfFirst,
}

impl Returns {
    /// What it is called in a signature.
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Kind(kind) => kind.keyword(),
            Self::Strings => "list<string>",
            Self::SameAsFirst => "as the first argument",
            Self::ValuesOfFirst => "list",
        }
    }
}

/// Why a call gives no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallError {
    /// Which argument is wrong, counted from 0; `None` when it is the call as a whole.
    pub argument: Option<usize>,
    /// What is wrong, as a short label without a full stop.
    pub message: String,
}

impl CallError {
    /// An error about one argument.
    pub fn argument(index: usize, message: impl Into<String>) -> Self {
        Self { argument: Some(index), message: message.into() }
    }

    /// An error about the call as a whole.
    pub fn whole(message: impl Into<String>) -> Self {
        Self { argument: None, message: message.into() }
    }
}

impl std::fmt::Display for CallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CallError {}

impl Function {
    /// The parameter an argument at this place belongs to.
    pub fn param(&self, index: usize) -> Option<&Param> {
        self.params.get(index).or(self.rest.as_ref())
    }

    /// The signature as signature help shows it: `join(separator: string, list: list) -> string`.
    pub fn signature(&self) -> String {
        let mut params: Vec<_> =
            self.params.iter().map(|param| format!("{}: {}", param.name, accepted(param.accepts))).collect();
        if let Some(rest) = &self.rest {
            params.push(format!("…{}: {}", rest.name, accepted(rest.accepts)));
        }
        format!("{}({}) -> {}", self.name, params.join(", "), self.result.keyword())
    }

    /// Checks the arguments, calls the function, and checks that what it gives is not too large.
    pub fn evaluate(&self, arguments: &[Value]) -> Result<Value, CallError> {
        self.check_count(arguments.len())?;
        for (index, argument) in arguments.iter().enumerate() {
            if let Some(param) = self.param(index)
                && !param.takes(Kind::of(argument))
            {
                return Err(CallError::argument(
                    index,
                    format!("`{}` wants {}, found {}", param.name, wanted(param.accepts), argument.noun()),
                ));
            }
            let mut items = usize::MAX;
            measure(argument, 0, &mut items).map_err(|message| CallError::argument(index, message))?;
        }
        let value = (self.call)(arguments)?;
        let mut items = MAX_ITEMS;
        measure(&value, 0, &mut items).map_err(CallError::whole)?;
        Ok(value)
    }

    /// Whether a call may have this many arguments.
    pub fn check_count(&self, count: usize) -> Result<(), CallError> {
        let wanted = self.params.len();
        if count < wanted || (count > wanted && self.rest.is_none()) {
            let least = if self.rest.is_some() { "at least " } else { "" };
            let plural = if wanted == 1 { "" } else { "s" };
            return Err(CallError::whole(format!(
                "`{}` wants {least}{wanted} argument{plural}, found {count}",
                self.name
            )));
        }
        Ok(())
    }
}

/// Counts a value's items down, and says when it is too large or too deep.
fn measure(value: &Value, depth: usize, items: &mut usize) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(format!("nested more than {MAX_DEPTH} deep"));
    }
    *items = items.checked_sub(1).ok_or_else(|| format!("more than {MAX_ITEMS} values"))?;
    match value {
        Value::String(text) if text.len() > MAX_TEXT => Err("more than 1 MiB of text".to_owned()),
        Value::List(values) => values.iter().try_for_each(|value| measure(value, depth + 1, items)),
        Value::Map(entries) => entries.iter().try_for_each(|(_, value)| measure(value, depth + 1, items)),
        Value::String(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Bool(_)
        | Value::Duration(_)
        | Value::Size(_)
        | Value::Percent(_)
        | Value::Condition(_)
        | Value::Secret(_) => Ok(()),
    }
}

/// Text that grows only up to [`MAX_TEXT`].
#[derive(Default)]
struct Text(String);

impl Text {
    fn push(&mut self, part: &str) -> Result<(), CallError> {
        if self.0.len().saturating_add(part.len()) > MAX_TEXT {
            return Err(CallError::whole("this comes to more than 1 MiB of text"));
        }
        self.0.push_str(part);
        Ok(())
    }

    fn into_value(self) -> Value {
        Value::String(self.0.into())
    }
}

fn accepted(kinds: &[Kind]) -> String {
    if kinds.len() == Kind::ALL.len() {
        return "any".to_owned();
    }
    kinds.iter().map(|kind| kind.keyword()).collect::<Vec<_>>().join(" | ")
}

fn wanted(kinds: &[Kind]) -> String {
    let nouns: Vec<_> = kinds.iter().map(|kind| kind.noun()).collect();
    crate::words::list(&nouns, "or").unwrap_or_else(|| "nothing".to_owned())
}

/// An argument whose kind [`Function::evaluate`] has checked, seen as that kind; total even when it has not.
fn mismatch(index: usize) -> CallError {
    CallError::argument(index, "not a value this function takes")
}

fn text(arguments: &[Value], index: usize) -> Result<&str, CallError> {
    arguments.get(index).and_then(Value::as_str).ok_or_else(|| mismatch(index))
}

fn list(arguments: &[Value], index: usize) -> Result<&[Value], CallError> {
    match arguments.get(index) {
        Some(Value::List(values)) => Ok(values),
        _ => Err(mismatch(index)),
    }
}

fn map(arguments: &[Value], index: usize) -> Result<&[(smol_str::SmolStr, Value)], CallError> {
    match arguments.get(index) {
        Some(Value::Map(entries)) => Ok(entries),
        _ => Err(mismatch(index)),
    }
}

fn int(arguments: &[Value], index: usize) -> Result<i64, CallError> {
    arguments.get(index).and_then(Value::as_int).ok_or_else(|| mismatch(index))
}

fn count(length: usize) -> Value {
    Value::Int(i64::try_from(length).unwrap_or(i64::MAX))
}

/// Every function, in the order the reference shows them.
pub static FUNCTIONS: &[Function] = &[
    string::UPPER,
    string::LOWER,
    string::TRIM,
    string::JOIN,
    string::SPLIT,
    string::REPLACE,
    string::FORMAT,
    string::STARTSWITH,
    string::ENDSWITH,
    string::BASE64ENCODE,
    string::JSONENCODE,
    collection::CONCAT,
    collection::LENGTH,
    collection::CONTAINS,
    collection::KEYS,
    collection::VALUES,
    collection::MERGE,
    collection::COALESCE,
    collection::DISTINCT,
    collection::SORT,
    collection::SLICE,
    number::MIN,
    number::MAX,
    number::ABS,
    number::CEIL,
    number::FLOOR,
];

/// The function with this name.
pub fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// The functions that the compiler calls by itself; here they are only described.
pub static COMPILED: &[Function] = &[compiled::FILE, compiled::SECRET];

/// Every function that can be written, those that the compiler calls by itself last.
pub fn described() -> impl Iterator<Item = &'static Function> + Clone {
    FUNCTIONS.iter().chain(COMPILED)
}

/// The description of the function with this name.
pub fn describe(name: &str) -> Option<&'static Function> {
    described().find(|function| function.name == name)
}
