//! Asserts: an organisation's own rules, as expressions over whole blocks.
//!
//! A condition is typed once, where it stands, by evaluating it over a witness that has an example for every attribute
//! of the schema; so what is wrong with it is told once and not for every egg. What never lives here: which blocks
//! there are, and how a failure is told.

use std::sync::Arc;

use fly_std::{Type, Value, credentials, schema};
use smol_str::SmolStr;

use super::{
    blocks::Checker,
    definitions::NEST_FILE,
    flow::{Flow, holds_secret},
    messages,
    operators::BAD_OPERAND,
    references::UNKNOWN_NAME,
    typed,
    values::{TYPE_MISMATCH, Want},
};
use crate::{
    db::{Db, Nest},
    diag::Diagnostic,
    syntax::{Expr, NodeKind, Parse, literal, parse_expression},
    text::TextRange,
};

/// What an assert is about: the word its condition calls it by, and its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// `egg`, `job` or `nest`.
    pub word: &'static str,
    /// Its attributes and blocks, each block a map.
    pub value: Value,
    /// What it may hold, so that what is left out is told from what does not exist.
    pub schema: Option<&'static SubjectSchema>,
    /// It stands for all of its kind: its values are examples.
    witness: bool,
}

/// What a kind of subject may hold.
#[derive(Debug)]
pub struct SubjectSchema {
    /// The block.
    pub block: &'static schema::Block,
    /// What it has besides, with examples.
    pub extra: &'static [(&'static str, &'static str)],
}

impl PartialEq for SubjectSchema {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.block, other.block)
    }
}

impl Eq for SubjectSchema {}

/// Eggs and buckets.
pub static EGG_SUBJECT: SubjectSchema =
    SubjectSchema { block: &schema::EGG, extra: &[("name", "my-app"), ("kind", "egg")] };
/// Jobs.
pub static JOB_SUBJECT: SubjectSchema = SubjectSchema { block: &schema::JOB, extra: &[("name", "nightly")] };

impl Subject {
    /// A block of the Nest.
    pub fn new(word: &'static str, schema: Option<&'static SubjectSchema>, value: Value) -> Self {
        Self { word, value, schema, witness: false }
    }

    /// What stands in for a subject that nobody knows: `over` is missing or wrong, which is told.
    fn unknown() -> Self {
        Self { word: "", value: Value::Map(Vec::new()), schema: None, witness: true }
    }

    /// The subject that a condition is typed with.
    fn witness(over: &str) -> Option<Self> {
        let (word, schema) = match over {
            "egg" => ("egg", Some(&EGG_SUBJECT)),
            "job" => ("job", Some(&JOB_SUBJECT)),
            "nest" => ("nest", None),
            _ => return None,
        };
        let value = match schema {
            Some(schema) => {
                let mut value = example(schema.block);
                if let Value::Map(entries) = &mut value {
                    let extra = schema.extra.iter();
                    entries.extend(extra.map(|(name, text)| ((*name).into(), Value::String((*text).into()))));
                }
                value
            }
            None => nest_value("platform", 2026, &["my-app"], &["team"], &["nightly"]),
        };
        Some(Self { word, value, schema, witness: true })
    }
}

/// The words that subjects are called by.
const SUBJECTS: [&str; 3] = ["egg", "job", "nest"];

/// The Nest as a subject.
pub fn nest_value(name: &str, edition: i64, eggs: &[&str], buckets: &[&str], jobs: &[&str]) -> Value {
    let list = |names: &[&str]| Value::List(names.iter().map(|name| Value::String((*name).into())).collect());
    let entries = [
        ("name", Value::String(name.into())),
        ("edition", Value::Int(edition)),
        ("eggs", list(eggs)),
        ("buckets", list(buckets)),
        ("jobs", list(jobs)),
    ];
    Value::Map(entries.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// A block of which everything is there.
fn example(block: &'static schema::Block) -> Value {
    let attributes = block.attributes.iter().chain(&block.free_attributes);
    let attributes = attributes.filter_map(|attribute| {
        let parse = parse_expression(attribute.example.into());
        let database = crate::db::Database::default();
        let mut checker = Checker::new(&database, "".into(), &parse);
        let want = Want { attribute, name: attribute.name, ty: attribute.ty, inner: false };
        let value = checker.value(Expr::of(&parse)?, want)?;
        Some((attribute.name.into(), value))
    });
    let blocks = block.blocks.iter().filter(|child| !matches!(child.times, schema::Times::Never(_)));
    let blocks = blocks.map(|child| (child.block.name.into(), example(child.block)));
    Value::Map(attributes.chain(blocks).collect())
}

/// An assert whose condition can be evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// Its name.
    pub name: SmolStr,
    /// What it is about.
    pub over: SmolStr,
    /// Whether it only warns.
    pub warning: bool,
    condition: Parse,
    message: Parse,
}

/// The asserts of the Nest that nothing is wrong with.
#[salsa::tracked(returns(ref))]
pub fn assertions(db: &dyn Db, nest: Nest) -> Arc<[Assertion]> {
    let Some(file) = nest.find(db, NEST_FILE) else { return Arc::default() };
    let blocks = typed(db, file).blocks.iter().filter(|block| block.name == "assert");
    let text = file.text(db);
    let assertion = |block: &super::TypedBlock| {
        let tree = |name: &str| {
            let attribute = block.attribute(name)?;
            attribute.value.as_ref()?;
            Some(parse_expression(text[attribute.range].into()))
        };
        Some(Assertion {
            name: block.label.clone()?,
            over: block.value("over")?.as_str()?.into(),
            warning: block.value("severity").and_then(Value::as_str) == Some("warning"),
            condition: tree("condition")?,
            message: tree("message")?,
        })
    };
    blocks.filter_map(assertion).collect()
}

/// How an assert came out that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Its message.
    pub message: String,
    /// What it is made of, as written, and the value of each.
    pub operands: Vec<(String, String)>,
    /// The attributes of the subject that it asks for, as paths without the subject's word.
    pub paths: Vec<String>,
    /// Why the condition has no value for this subject, when it has none.
    pub obstacle: Option<String>,
}

impl Assertion {
    /// Whether the assert holds for a subject that stands in the file at `path`.
    pub fn check(&self, db: &dyn Db, path: &Arc<str>, subject: &Arc<Subject>) -> Result<(), Verdict> {
        let mut checker = Checker::new(db, path.clone(), &self.condition);
        checker.subject = Some(Arc::clone(subject));
        let expr = Expr::of(&self.condition);
        let value = expr.and_then(|expr| checker.eval(expr));
        if value == Some(Value::Bool(true)) {
            return Ok(());
        }
        let obstacle = value.is_none().then(|| {
            let told = checker.diagnostics.first();
            told.map_or_else(|| "it has no value".to_owned(), |told| told.message.clone())
        });
        checker.diagnostics.clear();
        let (mut operands, mut paths) = (Vec::new(), Vec::new());
        let mut found = Vec::new();
        if let Some(expr) = expr {
            operands_of(expr, &mut found);
        }
        for operand in found {
            let written = operand.text().split_whitespace().collect::<Vec<_>>().join(" ");
            if let Some(path) = written.strip_prefix(subject.word).and_then(|rest| rest.strip_prefix('.')) {
                paths.push(path.to_owned());
            }
            checker.flow = Flow::default();
            let value = checker.eval(operand);
            let shown = match value {
                None => "not given".to_owned(),
                Some(_) if checker.flow.sensitive.is_some() => "a secret".to_owned(),
                Some(value) => {
                    let name = written.rsplit(['.', '[']).next().unwrap_or_default();
                    show_named(name.trim_matches([']', '"']), &value)
                }
            };
            if !operands.iter().any(|(known, _)| *known == written) {
                operands.push((written, shown));
            }
        }
        Err(Verdict { message: self.told(db, path, subject), operands, paths, obstacle })
    }

    fn told(&self, db: &dyn Db, path: &Arc<str>, subject: &Arc<Subject>) -> String {
        let mut checker = Checker::new(db, path.clone(), &self.message);
        checker.subject = Some(Arc::clone(subject));
        let value = Expr::of(&self.message).and_then(|expr| checker.eval(expr));
        match value.as_ref().and_then(Value::to_text) {
            Some(text) if checker.flow.sensitive.is_none() => text.to_string(),
            _ => format!("`{}` does not hold", self.name),
        }
    }
}

/// The text of a condition, however it was spaced.
fn canonical(expr: Expr<'_>) -> Value {
    let tokens = expr.node().parse().tree().tokens();
    let words = expr.node().token_range().filter(|at| !tokens[*at].kind.is_trivia());
    let text = expr.node().parse().text();
    let words = words.map(|at| {
        let end = tokens.get(at + 1).map_or(text.len(), |next| next.start as usize);
        &text[tokens[at].start as usize..end]
    });
    Value::String(words.collect::<Vec<_>>().join(" ").into())
}

/// A value as it is written, secrets hidden.
fn show(value: &Value) -> String {
    match value {
        Value::String(text) => format!("\"{}\"", credentials::mask(text)),
        Value::List(values) => format!("[{}]", values.iter().map(show).collect::<Vec<_>>().join(", ")),
        Value::Map(entries) => {
            let entries = entries.iter().map(|(name, value)| format!("{name} = {}", show_named(name, value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        value if holds_secret(value) => "a secret".to_owned(),
        value => value.to_text().map_or_else(|| value.noun().to_owned(), |text| text.to_string()),
    }
}

/// A value as it is written under a name, which may tell that it is a credential.
pub fn show_named(name: &str, value: &Value) -> String {
    match value {
        Value::String(text) if credentials::is_secret_value(name, text) => "a secret".to_owned(),
        value => show(value),
    }
}

/// What a condition is made of: references and calls, the outermost of each.
fn operands_of<'p>(expr: Expr<'p>, found: &mut Vec<Expr<'p>>) {
    match expr.node().kind() {
        NodeKind::Field | NodeKind::Index => found.push(expr),
        NodeKind::Call => {
            found.push(expr);
            for argument in expr.operands() {
                if argument.node().kind() != NodeKind::Literal {
                    operands_of(argument, found);
                }
            }
        }
        _ => expr.operands().for_each(|operand| operands_of(operand, found)),
    }
}

/// The names after the subject's word.
fn path_of<'p>(subject: &Subject, expr: Expr<'p>) -> Option<Vec<Expr<'p>>> {
    let mut path = Vec::new();
    let mut at = expr;
    loop {
        match at.node().kind() {
            NodeKind::Field => {
                let mut operands = at.operands();
                let base = operands.next()?;
                path.push(operands.next()?);
                at = base;
            }
            // A name in quotes; `egg["2fa"]` alone is an egg of that name.
            NodeKind::Index => {
                let mut operands = at.operands();
                let base = operands.next().filter(|base| base.node().kind() != NodeKind::Name)?;
                let name = operands.next()?;
                name.literal().and_then(|token| literal::simple_string(token.kind(), token.text()))?;
                path.push(name);
                at = base;
            }
            NodeKind::Name if at.text() == subject.word => break,
            _ => return None,
        }
    }
    path.reverse();
    Some(path)
}

/// Whether the schema has a name that this subject lacks.
fn knows(subject: &Subject, block: Option<&'static schema::Block>, depth: usize, name: &str) -> bool {
    let extra = depth == 0
        && subject.schema.is_some_and(|schema| schema.extra.iter().any(|(extra, _)| *extra == name));
    extra || block.is_some_and(|block| block.attribute(name).is_some() || block.child(name).is_some())
}

impl Checker<'_> {
    /// Whether what decides alone is not followed by what it was to decide about: `&&`, `||` and `?:` over a subject.
    pub(super) fn is_lazy(&self) -> bool {
        self.subject.as_ref().is_some_and(|subject| !subject.witness)
    }

    /// Whether the values are examples.
    pub(super) fn is_witness(&self) -> bool {
        self.subject.as_ref().is_some_and(|subject| subject.witness)
    }

    /// Whether nobody knows what the assert is about.
    pub(super) fn is_subject_unknown(&self) -> bool {
        self.subject.as_ref().is_none_or(|subject| subject.word.is_empty())
    }

    /// Whether a word is that of another subject than the assert's; then so much is told, unless the assert has none.
    pub(super) fn other_subject(&mut self, word: &str, name: &str, range: TextRange) -> bool {
        let Some(subject) = self.subject.clone().filter(|subject| subject.witness) else { return false };
        if subject.word == word || !SUBJECTS.contains(&word) {
            return false;
        }
        if !subject.word.is_empty() {
            self.diagnostics.push(
                Diagnostic::new(
                    &UNKNOWN_NAME,
                    self.span(range),
                    format!("this rule is over `{}`, so it has no `{word}.{name}`", subject.word),
                    "about something else",
                )
                .help(format!("write `{}.NAME`, or `over = {word}`", subject.word)),
            );
        }
        true
    }

    /// Sets the subject that an attribute of an `assert` is typed with.
    pub(super) fn set_witness(&mut self, over: Option<&str>) {
        self.subject = Some(Arc::new(over.and_then(Subject::witness).unwrap_or_else(Subject::unknown)));
    }

    /// The condition of an assert, as text when it is right.
    pub(super) fn predicate(&mut self, expr: Expr<'_>, want: Want<'_>) -> Option<Value> {
        // Without one, `over` is missing or wrong, which is told.
        if self.is_subject_unknown() {
            return None;
        }
        let told = self.diagnostics.len();
        match self.eval(expr) {
            Some(Value::Bool(_)) => Some(canonical(expr)),
            None if self.diagnostics.len() == told => Some(canonical(expr)),
            None => None,
            Some(other) => {
                self.diagnostics.push(
                    Diagnostic::new(
                        &TYPE_MISMATCH,
                        self.span(expr.range()),
                        format!(
                            "{} wants {}, found {}",
                            want.subject(),
                            Type::Predicate.noun(),
                            other.noun()
                        ),
                        "neither `true` nor `false`",
                    )
                    .note(want.note())
                    .help(format!("write a comparison, such as `{}`", want.attribute.example)),
                );
                None
            }
        }
    }

    /// Whether the expression is `egg.a.b` over the subject `egg`.
    pub(super) fn is_subject_path(&self, expr: Expr<'_>) -> bool {
        self.subject.as_ref().is_some_and(|subject| path_of(subject, expr).is_some())
    }

    /// The value of `egg.a.b` over the subject `egg`.
    pub(super) fn subject_path(&mut self, expr: Expr<'_>) -> Option<Value> {
        let subject = self.subject.clone()?;
        let path = path_of(&subject, expr)?;
        self.follow(&subject, &path)
    }

    fn follow(&mut self, subject: &Subject, path: &[Expr<'_>]) -> Option<Value> {
        let mut value = &subject.value;
        let mut block = subject.schema.map(|schema| schema.block);
        let mut walked = subject.word.to_owned();
        for (depth, step) in path.iter().enumerate() {
            let name = step.text().trim_matches('"');
            let Value::Map(entries) = value else {
                let message = format!("`{walked}` is {}, which has no `{name}`", value.noun());
                self.problem(&BAD_OPERAND, step.range(), &message, "nothing to ask for");
                return None;
            };
            let free = block.is_some_and(|block| block.free_attributes.is_some());
            let key = if free && subject.witness { "NAME" } else { name };
            let found = entries.iter().find(|(known, _)| known == key);
            match found {
                Some((_, next)) => value = next,
                None => {
                    let known = free || knows(subject, block, depth, name);
                    self.absent(&walked, name, step.range(), entries, known);
                    return None;
                }
            }
            block = block.and_then(|block| block.child(name)).map(|child| child.block);
            walked = format!("{walked}.{name}");
        }
        Some(value.clone())
    }

    fn absent(
        &mut self,
        walked: &str,
        name: &str,
        range: TextRange,
        entries: &[(SmolStr, Value)],
        known: bool,
    ) {
        if known {
            self.problem(&BAD_OPERAND, range, &format!("`{walked}.{name}` is not given"), "not given");
            return;
        }
        let names = entries.iter().map(|(name, _)| name.as_str());
        let diagnostic = Diagnostic::new(
            &UNKNOWN_NAME,
            self.span(range),
            format!("`{walked}` has no `{name}`"),
            "not known here",
        );
        self.diagnostics.push(match messages::nearest(name, names.clone()) {
            Some(nearest) => diagnostic.fix(format!("did you mean `{nearest}`?"), range, nearest),
            None => diagnostic.help(format!("it has {}", messages::list(names, "and"))),
        });
    }
}
