//! Conditions as trees of the tests' own: made by chance, written in many ways, and evaluated in the plainest way
//! there is. Nothing here asks the compiler.

use fly_std::{
    Float,
    policy::{Comparison, FIELDS, Facts, Field, FieldId, FieldType},
};
use proptest::{collection::vec, prelude::*, sample::select};

/// A value as the tests see it: seconds and counts are numbers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Plain {
    Text(String),
    Number(u64),
    Percent(f64),
}

/// A value and how it is written.
#[derive(Debug, Clone)]
pub(crate) struct Literal {
    pub(crate) value: Plain,
    pub(crate) written: String,
}

#[derive(Debug, Clone)]
pub(crate) enum Tree {
    /// A field, an operator and a value, written the other way round or not.
    Compare(FieldId, Comparison, Literal, bool),
    Fields(FieldId, Comparison, FieldId),
    In(FieldId, Vec<Literal>),
    And(Vec<Tree>),
    Or(Vec<Tree>),
    Not(Box<Tree>),
    /// In parentheses that change nothing.
    Group(Box<Tree>),
}

fn literal(field: &Field) -> BoxedStrategy<Literal> {
    let text = |text: &str| Literal { value: Plain::Text(text.to_owned()), written: format!("'{text}'") };
    match field.ty {
        FieldType::Duration => {
            let units = vec![("s", 1), ("m", 60), ("h", 3600), ("d", 86400), ("w", 604_800)];
            (0..4_u64, select(units), 0..3_u64)
                .prop_map(|(n, (unit, length), more)| match (more, unit) {
                    (1.., "h" | "d" | "m") => Literal {
                        value: Plain::Number(n * length + more),
                        written: format!("{n}{unit}{more}s"),
                    },
                    _ => Literal { value: Plain::Number(n * length), written: format!("{n}{unit}") },
                })
                .boxed()
        }
        FieldType::Int => prop_oneof![
            4 => (0..6_u64).prop_map(|n| Literal { value: Plain::Number(n), written: n.to_string() }),
            1 => Just(Literal { value: Plain::Number(1000), written: "1_000".to_owned() }),
            1 => Just(Literal { value: Plain::Number(u64::MAX), written: u64::MAX.to_string() }),
        ]
        .boxed(),
        FieldType::Percent => (select(vec!["0", "25", "50", "50.5", "99.9", "100"]), any::<bool>())
            .prop_map(|(number, sign)| Literal {
                value: Plain::Percent(number.parse().unwrap()),
                written: format!("{number}{}", if sign { "%" } else { "" }),
            })
            .boxed(),
        FieldType::Enum(variants) => {
            let names: Vec<_> = variants.iter().map(|variant| variant.name).collect();
            select(names).prop_map(text).boxed()
        }
        FieldType::String => select(vec!["a", "b", "my-app", "é (AND"]).prop_map(text).boxed(),
    }
}

fn leaf(fields: &'static [FieldId], pairs: bool) -> BoxedStrategy<Tree> {
    let field = select(fields.to_vec());
    let compared = field.clone().prop_flat_map(|id| {
        let operators: Vec<_> =
            Comparison::ALL.into_iter().filter(|op| id.field().ty.ordered() || !op.is_order()).collect();
        (Just(id), select(operators), literal(id.field()), any::<bool>())
    });
    let compared = compared.prop_map(|(id, op, literal, flipped)| Tree::Compare(id, op, literal, flipped));
    let listed = field.prop_flat_map(|id| (Just(id), vec(literal(id.field()), 1..4)));
    let listed = listed.prop_map(|(id, list)| Tree::In(id, list));
    let partners: Vec<(FieldId, FieldId)> = fields
        .iter()
        .flat_map(|left| fields.iter().map(move |right| (*left, *right)))
        .filter(|(left, right)| left != right && left.field().ty == right.field().ty)
        .collect();
    if !pairs || partners.is_empty() {
        return prop_oneof![3 => compared, 1 => listed].boxed();
    }
    let both = (select(partners), select(Comparison::ALL.to_vec()))
        .prop_filter("an order", |((left, _), op)| left.field().ty.ordered() || !op.is_order())
        .prop_map(|((left, right), op)| Tree::Fields(left, op, right));
    prop_oneof![4 => compared, 2 => listed, 1 => both].boxed()
}

/// A condition over some of the fields, with comparisons of two fields or not.
pub(crate) fn tree(fields: &'static [FieldId], pairs: bool, size: u32) -> BoxedStrategy<Tree> {
    leaf(fields, pairs)
        .prop_recursive(3, size, 3, |inner| {
            prop_oneof![
                3 => vec(inner.clone(), 2..4).prop_map(Tree::And),
                3 => vec(inner.clone(), 2..4).prop_map(Tree::Or),
                2 => inner.clone().prop_map(|inner| Tree::Not(Box::new(inner))),
                1 => inner.prop_map(|inner| Tree::Group(Box::new(inner))),
            ]
        })
        .boxed()
}

/// Every field.
pub(crate) fn all_fields() -> &'static [FieldId] {
    static ALL: std::sync::LazyLock<Vec<FieldId>> =
        std::sync::LazyLock::new(|| FIELDS.iter().map(|field| field.id).collect());
    &ALL
}

/// A token of a condition, and whether a diagnostic is expected at it.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) marked: bool,
}

pub(crate) fn token(text: impl Into<String>) -> Token {
    Token { text: text.into(), marked: false }
}

impl Tree {
    /// Its tokens, with parentheses where the precedence wants them.
    pub(crate) fn tokens(&self) -> Vec<Token> {
        match self {
            Self::Compare(field, op, literal, false) => {
                vec![token(field.name()), token(op.as_str()), token(&literal.written)]
            }
            Self::Compare(field, op, literal, true) => {
                vec![token(&literal.written), token(op.flipped().as_str()), token(field.name())]
            }
            Self::Fields(left, op, right) => {
                vec![token(left.name()), token(op.as_str()), token(right.name())]
            }
            Self::In(field, list) => {
                let mut tokens = vec![token(field.name()), token("IN"), token("(")];
                for (at, literal) in list.iter().enumerate() {
                    if at > 0 {
                        tokens.push(token(","));
                    }
                    tokens.push(token(&literal.written));
                }
                tokens.push(token(")"));
                tokens
            }
            Self::And(parts) => joined(parts, "AND", |part| matches!(part, Self::Or(_))),
            Self::Or(parts) => joined(parts, "OR", |_| false),
            Self::Not(inner) => {
                let grouped = matches!(**inner, Self::And(_) | Self::Or(_));
                let mut tokens = vec![token("NOT")];
                tokens.extend(if grouped { group(inner.tokens()) } else { inner.tokens() });
                tokens
            }
            Self::Group(inner) => group(inner.tokens()),
        }
    }

    /// Its text on one line.
    pub(crate) fn text(&self) -> String {
        text(&self.tokens(), &[1]).0
    }

    /// 2 when it is true, 0 when it is false, 1 when that is not known.
    pub(crate) fn truth(&self, facts: &Facts) -> u8 {
        let not_known = |truth: Option<bool>| truth.map_or(1, |truth| if truth { 2 } else { 0 });
        match self {
            Self::Compare(field, op, literal, _) => {
                not_known(plain(facts, *field).map(|fact| compared(&fact, *op, &literal.value)))
            }
            Self::Fields(left, op, right) => not_known(
                plain(facts, *left)
                    .zip(plain(facts, *right))
                    .map(|(left, right)| compared(&left, *op, &right)),
            ),
            Self::In(field, list) => {
                not_known(plain(facts, *field).map(|fact| list.iter().any(|literal| literal.value == fact)))
            }
            Self::And(parts) => parts.iter().map(|part| part.truth(facts)).min().unwrap(),
            Self::Or(parts) => parts.iter().map(|part| part.truth(facts)).max().unwrap(),
            Self::Not(inner) => 2 - inner.truth(facts),
            Self::Group(inner) => inner.truth(facts),
        }
    }

    /// The values that a field is compared with.
    fn constants(&self, wanted: FieldId) -> Vec<Plain> {
        match self {
            Self::Compare(field, _, literal, _) if *field == wanted => vec![literal.value.clone()],
            Self::In(field, list) if *field == wanted => list.iter().map(|l| l.value.clone()).collect(),
            Self::Compare(..) | Self::In(..) | Self::Fields(..) => Vec::new(),
            Self::And(parts) | Self::Or(parts) => {
                parts.iter().flat_map(|part| part.constants(wanted)).collect()
            }
            Self::Not(inner) | Self::Group(inner) => inner.constants(wanted),
        }
    }
}

fn group(tokens: Vec<Token>) -> Vec<Token> {
    std::iter::once(token("(")).chain(tokens).chain([token(")")]).collect()
}

fn joined(parts: &[Tree], word: &str, grouped: fn(&Tree) -> bool) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            tokens.push(token(word));
        }
        tokens.extend(if grouped(part) { group(part.tokens()) } else { part.tokens() });
    }
    tokens
}

/// Writes tokens with as many spaces between them as the numbers say, at least where words would run together; and
/// tells where the marked ones stand.
pub(crate) fn text(tokens: &[Token], spaces: &[u8]) -> (String, std::ops::Range<usize>) {
    let wordy = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '%' | '\'' | '-');
    let sign = |c: char| matches!(c, '=' | '<' | '>' | '!');
    let (mut text, mut marked) = (String::new(), None::<std::ops::Range<usize>>);
    let mut spaces = spaces.iter().cycle();
    for token in tokens {
        let (last, first) = (text.chars().next_back(), token.text.chars().next().unwrap());
        let together = last.is_some_and(|last| wordy(last) && wordy(first) || sign(last) && sign(first));
        let space = match spaces.next() {
            None | Some(0) => "",
            Some(1) => " ",
            Some(2) => "\t",
            Some(_) => "   ",
        };
        text.push_str(if together && space.is_empty() { " " } else { space });
        let start = text.len();
        text.push_str(&token.text);
        if token.marked {
            let from = marked.as_ref().map_or(start, |range| range.start);
            marked = Some(from..text.len());
        }
    }
    (text, marked.unwrap_or(0..0))
}

/// The value of a field, read off by hand.
pub(crate) fn plain(facts: &Facts, field: FieldId) -> Option<Plain> {
    let text = |text: &str| Some(Plain::Text(text.to_owned()));
    let number = |number: u64| Some(Plain::Number(number));
    let percent = |number: Option<Float>| number.map(|number| Plain::Percent(number.get()));
    match field.name() {
        "state" => text(&facts.state),
        "runner_type" => text(&facts.runner_type),
        "egg" => text(&facts.egg),
        "cloud" => text(&facts.cloud),
        "region" => text(&facts.region),
        "age" => number(facts.age),
        "idle_time" => number(facts.idle_time),
        "heartbeat_age" => facts.heartbeat_age.and_then(number),
        "failed_count" => number(facts.failed_count),
        "job_count" => number(facts.job_count),
        "cpu_usage" => percent(facts.cpu_usage),
        "memory_usage" => percent(facts.memory_usage),
        "disk_usage" => percent(facts.disk_usage),
        "agent_version" => facts.agent_version.as_deref().and_then(text),
        "pool_size" => number(facts.pool_size),
        "pool_idle" => number(facts.pool_idle),
        other => panic!("`{other}` is new; read it here"),
    }
}

fn compared(left: &Plain, op: Comparison, right: &Plain) -> bool {
    let order = match (left, right) {
        (Plain::Text(left), Plain::Text(right)) => left.cmp(right),
        (Plain::Number(left), Plain::Number(right)) => left.cmp(right),
        (Plain::Percent(left), Plain::Percent(right)) => left.partial_cmp(right).unwrap(),
        _ => panic!("{left:?} and {right:?}"),
    };
    match op.as_str() {
        "==" => order.is_eq(),
        "!=" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        _ => order.is_ge(),
    }
}

/// The values of a field among which there is one of every kind that the conditions tell apart: each constant and its
/// neighbours, and the ends. `None` is "not known".
pub(crate) fn candidates(trees: &[&Tree], field: FieldId) -> Vec<Option<Plain>> {
    let constants: Vec<_> = trees.iter().flat_map(|tree| tree.constants(field)).collect();
    let mut found: Vec<Plain> = Vec::new();
    match field.field().ty {
        FieldType::Duration | FieldType::Int => {
            found.extend([0, u64::MAX].map(Plain::Number));
            for constant in constants {
                let Plain::Number(n) = constant else { panic!("{constant:?}") };
                found.extend([n.saturating_sub(1), n, n.saturating_add(1)].map(Plain::Number));
            }
        }
        FieldType::Percent => {
            found.extend([0.0, 100.0].map(Plain::Percent));
            for constant in constants {
                let Plain::Percent(n) = constant else { panic!("{constant:?}") };
                found.extend([n.next_down().max(0.0), n, n.next_up().min(100.0)].map(Plain::Percent));
            }
        }
        FieldType::Enum(variants) => {
            found.extend(variants.iter().map(|variant| Plain::Text(variant.name.to_owned())));
        }
        FieldType::String => {
            found.push(Plain::Text("something else".to_owned()));
            found.extend(constants);
        }
    }
    let mut distinct: Vec<Option<Plain>> = Vec::new();
    let unknown = field.field().may_be_unknown.then_some(None);
    for value in found.into_iter().map(Some).chain(unknown) {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    distinct
}

/// The facts of a runner with these values.
pub(crate) fn facts(value: impl Fn(FieldId) -> Option<Plain>) -> Facts {
    let text = |field| match value(field) {
        Some(Plain::Text(text)) => Some(text.into()),
        _ => None,
    };
    let number = |field| match value(field) {
        Some(Plain::Number(number)) => Some(number),
        _ => None,
    };
    let percent = |field| match value(field) {
        Some(Plain::Percent(number)) => Float::new(number),
        _ => None,
    };
    Facts {
        state: text(FieldId::State).unwrap(),
        runner_type: text(FieldId::RunnerType).unwrap(),
        egg: text(FieldId::Egg).unwrap(),
        cloud: text(FieldId::Cloud).unwrap(),
        region: text(FieldId::Region).unwrap(),
        age: number(FieldId::Age).unwrap(),
        idle_time: number(FieldId::IdleTime).unwrap(),
        heartbeat_age: number(FieldId::HeartbeatAge),
        failed_count: number(FieldId::FailedCount).unwrap(),
        job_count: number(FieldId::JobCount).unwrap(),
        cpu_usage: percent(FieldId::CpuUsage),
        memory_usage: percent(FieldId::MemoryUsage),
        disk_usage: percent(FieldId::DiskUsage),
        agent_version: text(FieldId::AgentVersion),
        pool_size: number(FieldId::PoolSize).unwrap(),
        pool_idle: number(FieldId::PoolIdle).unwrap(),
    }
}
