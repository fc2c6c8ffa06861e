//! Conditions of rules: what they come to for a runner, what is told of wrong ones and where, and what is proven of
//! right ones, each against a second way to know it (see [`super::condition_trees`]).

use std::{collections::HashMap, ops::Range};

use fly_std::{
    Value,
    policy::{Facts, FieldId, FieldType, Predicate},
};
use flyc::{
    build::Options,
    compiler::Compiler,
    diag::Diagnostic,
    model::{compile_condition, condition_parts, condition_texts},
    text::{TextRange, TextSize},
};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
};

use crate::{
    cases,
    condition_trees::{Plain, Token, Tree, all_fields, candidates, facts, text, token, tree},
    told,
};

/// Few fields, so that rules meet: one of every type, two of some, some that may be unknown.
const FEW: &[FieldId] = &[FieldId::Age, FieldId::CpuUsage, FieldId::RunnerType, FieldId::AgentVersion];
const WITH_PAIRS: &[FieldId] = &[FieldId::Age, FieldId::IdleTime, FieldId::HeartbeatAge, FieldId::RunnerType];

const PATH: &str = "UF/config.fly";

/// A Nest with these conditions, as they stand behind `condition =`, each of a rule `r0`, `r1`, …
fn nest(conditions: &[String], more: &str) -> (Compiler, String) {
    let rule = |(at, source): (usize, &String)| {
        format!("rule \"r{at}\" {{\ncondition = {source}\naction = \"terminate\"\n}}\n")
    };
    let rules: String = conditions.iter().enumerate().map(rule).collect();
    let text = format!("uglyfox {{\npolicies {{\n{rules}}}\n}}\n{more}");
    (Compiler::new([(PATH, text.as_str())]), text)
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// The predicate of the rule at this place, as the compiler has it.
fn predicate(compiler: &Compiler, at: usize) -> Option<Predicate> {
    let rules = &compiler.typed(PATH)?.blocks[0].block("policies")?.blocks;
    match rules[at].value("condition")? {
        Value::Condition(condition) => Some(condition.predicate.clone()),
        _ => None,
    }
}

/// Runners of every kind the conditions tell apart, and whether these are all kinds there are; else `most` of them.
fn runners(trees: &[&Tree], fields: &'static [FieldId], most: usize, seed: u64) -> (Vec<Facts>, bool) {
    let values: HashMap<FieldId, Vec<Option<Plain>>> =
        all_fields().iter().map(|field| (*field, candidates(trees, *field))).collect();
    let sizes: Vec<usize> = fields.iter().map(|field| values[field].len()).collect();
    let all: usize = sizes.iter().product();
    let mut chance = seed | 1;
    let count = all.min(most);
    let made = (0..count).map(|at| {
        let mut rest = at;
        let mut picks: HashMap<FieldId, usize> = HashMap::new();
        for (field, size) in fields.iter().zip(&sizes) {
            if all <= most {
                picks.insert(*field, rest % size);
                rest /= size;
            } else {
                // The generator of Knuth's MMIX; its high bits are good enough.
                chance =
                    chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                picks.insert(*field, (chance >> 33) as usize % size);
            }
        }
        facts(|field| values[&field][picks.get(&field).copied().unwrap_or(0)].clone())
    });
    (made.collect(), all <= most)
}

/// The warning about a rule, if there is one.
fn warning<'d>(found: &'d [Diagnostic], id: &str, rule: usize) -> Option<&'d Diagnostic> {
    found.iter().find(|d| d.kind.id == id && d.message.contains(&format!("`r{rule}`")))
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn property_conditions_evaluate_as_written(
        tree in tree(all_fields(), true, 12),
        spaces in vec(0..4_u8, 1..12),
        seed in any::<u64>(),
    ) {
        let (text, _) = text(&tree.tokens(), &spaces);
        let (compiler, _) = nest(&[quoted(&text)], "");
        let Some(predicate) = predicate(&compiler, 0) else {
            return Err(TestCaseError::fail(format!("{text}\n{}", told(&compiler.check()))));
        };
        for facts in &runners(&[&tree], all_fields(), 60, seed).0 {
            let truth = predicate.truth(facts).map_or(1, |truth| if truth { 2 } else { 0 });
            prop_assert_eq!(truth, tree.truth(facts), "{} of {:?}", text, facts);
            prop_assert_eq!(predicate.holds(facts), truth == 2);
        }
    }

    #[test]
    fn property_conditions_round_trip(tree in tree(all_fields(), true, 20), spaces in vec(0..4_u8, 1..12)) {
        let (text, _) = text(&tree.tokens(), &spaces);
        let compiled = compile_condition(&text).unwrap().predicate;
        let printed = compiled.to_string();
        let again = compile_condition(&printed).map(|condition| condition.predicate);
        prop_assert_eq!(again.as_ref(), Some(&compiled), "{} is printed as {}", text, printed);
        let json = serde_json::to_string(&compiled).unwrap();
        prop_assert_eq!(serde_json::from_str::<Predicate>(&json).unwrap(), compiled, "{}", json);
    }

    #[test]
    fn property_2_type_errors_in_conditions(
        tree in tree(all_fields(), true, 8),
        how in select(&Damage::ALL[..]),
        at in any::<Index>(),
        which in any::<usize>(),
        spaces in vec(0..4_u8, 1..8),
        form in select(&Form::ALL[..]),
    ) {
        let Some(tokens) = how.damage(&tree, at, which) else {
            return Err(TestCaseError::reject("nothing of that kind to break"));
        };
        let (condition, marked) = text(&tokens, &spaces);
        let (source, more, place) = form.write(&condition, &marked);
        let (compiler, file) = nest(std::slice::from_ref(&source), &more);
        let found = compiler.check();
        let context = format!("{how:?} {condition}\n{}\nin\n{file}", told(&found));
        prop_assert_eq!(found.len(), 1, "{}", context);
        prop_assert!(found[0].kind.id.starts_with("condition-"), "{}", context);
        let start = file.find(&source).unwrap();
        let expected = TextRange::new(offset(start + place.start), offset(start + place.end));
        prop_assert_eq!(found[0].span.range, expected, "{}", context);
        // What it proposes mends it or says why not, and never makes the file unreadable.
        if let Some(help) = found[0].help.as_ref().filter(|help| !help.edits.is_empty()) {
            let mut mended = file.clone();
            for edit in &help.edits {
                mended.replace_range(Range::<usize>::from(edit.range), &edit.text);
            }
            let left = Compiler::new([(PATH, mended.as_str())]).check();
            prop_assert!(left.iter().all(|d| d.span.range != expected || d.kind.id != found[0].kind.id),
                "{}\nbecame\n{}\n{}", context, mended, told(&left));
        }
    }

    #[test]
    fn property_rules_are_judged_exactly(trees in vec(tree(FEW, false, 6), 1..5), seed in any::<u64>()) {
        judge(&trees, FEW, seed)?;
    }

    #[test]
    fn property_rules_are_judged_soundly(trees in vec(tree(WITH_PAIRS, true, 6), 1..5), seed in any::<u64>()) {
        judge(&trees, WITH_PAIRS, seed)?;
    }

    #[test]
    fn property_rules_that_are_lost_by_construction(
        first in tree(FEW, true, 4),
        second in tree(WITH_PAIRS, true, 4),
        either in any::<bool>(),
    ) {
        let (one, two) = (first.text(), second.text());
        let never = format!("({one}) AND (({two}) AND NOT ({one}))");
        let always = format!("({two}) OR NOT ({two}) OR ({one})");
        let narrower = if either { format!("({two}) AND ({one})") } else { format!("({one}) AND NOT NOT ({one})") };
        let (compiler, _) = nest(&[never, one, narrower, always].map(|text| quoted(&text)), "");
        let found = compiler.check();
        let told = told(&found);
        prop_assert!(warning(&found, "condition-always-false", 0).is_some(), "{}", told);
        prop_assert!(warning(&found, "condition-always-true", 3).is_some(), "{}", told);
        let about = |rule| found.iter().any(|d| d.message.contains(&format!("`r{rule}`")));
        // Of a first rule that never or always holds that much is told, and nothing is held against it.
        prop_assert!(about(1) || about(2), "{}", told);
    }

    #[test]
    fn property_no_panic_any_condition(text in any::<String>()) {
        survives(&text)?;
    }

    #[test]
    fn property_no_panic_condition_tokens(
        tokens in vec(select(vec![
            "AND", "OR", "NOT", "IN", "(", ")", ",", "==", "<", ">=", "=", "&&", "age", "state", "egg", "colour",
            "1h", "80%", "3", "-1", "1.5h", "'apex'", "'", "\"x\"", "%", "true", "m", "é", "\n",
        ]), 0..12),
        spaced in any::<bool>(),
    ) {
        survives(&tokens.join(if spaced { " " } else { "" }))?;
    }
}

/// A word that stands in no condition.
const HOLE: &str = "HOLE";

fn escape(c: char) -> String {
    format!("\\u{{{:x}}}", u32::from(c))
}

fn offset(at: usize) -> TextSize {
    TextSize::try_from(at).unwrap()
}

/// Compiles a text, and holds that everything told of it is inside it.
fn survives(text: &str) -> Result<(), TestCaseError> {
    if let Some(condition) = compile_condition(text) {
        prop_assert_eq!(
            compile_condition(&condition.predicate.to_string()).unwrap().predicate,
            condition.predicate
        );
    }
    for part in condition_parts(text).1 {
        prop_assert!(text.get(part.range).is_some());
    }
    for (inside, range) in condition_texts(text, FieldId::Egg) {
        let written = format!("'{inside}'");
        prop_assert_eq!(text.get(range), Some(written.as_str()));
    }
    let escaped = text.chars().map(escape).collect::<Vec<_>>().concat();
    let (compiler, file) = nest(&[quoted(&escaped)], "");
    let start = file.find("condition = ").unwrap() + "condition = ".len();
    let value = TextRange::new(offset(start), offset(start + escaped.len() + 2));
    for found in compiler.check() {
        prop_assert!(value.contains_range(found.span.range), "{:?}", found);
    }
    Ok(())
}

/// Holds what is told of rules against every kind of runner, or some of them.
fn judge(trees: &[Tree], fields: &'static [FieldId], seed: u64) -> Result<(), TestCaseError> {
    let (compiler, file) = nest(&trees.iter().map(|tree| quoted(&tree.text())).collect::<Vec<_>>(), "");
    let found = compiler.check();
    let context = format!("{}\nin\n{file}", told(&found));
    let (runners, whole) = runners(&trees.iter().collect::<Vec<_>>(), fields, 1500, seed);
    // Whether silence means that there is nothing to tell.
    let exact = whole && fields == FEW;
    let mut earlier: Vec<&Tree> = Vec::new();
    for (at, tree) in trees.iter().enumerate() {
        let holds: Vec<&Facts> = runners.iter().filter(|facts| tree.truth(facts) == 2).collect();
        let never = warning(&found, "condition-always-false", at);
        prop_assert!(
            never.is_none() || holds.is_empty(),
            "r{} holds of {:?}\n{}",
            at,
            holds.first(),
            context
        );
        if exact {
            prop_assert_eq!(never.is_some(), holds.is_empty(), "r{} never holds\n{}", at, context);
        }
        // A runner of which everything is known and of which it is not true speaks against it.
        let known = |facts: &&Facts| all_fields().iter().all(|field| facts.get(*field).is_some());
        let against = runners.iter().filter(known).find(|facts| tree.truth(facts) != 2);
        let always = warning(&found, "condition-always-true", at);
        prop_assert!(
            always.is_none() || against.is_none(),
            "r{} is not true of {:?}\n{}",
            at,
            against,
            context
        );
        if let Some(always) = always.filter(|d| d.message.contains("always holds")) {
            let against = runners.iter().find(|facts| tree.truth(facts) != 2);
            prop_assert!(against.is_none(), "{} but not of {:?}", always.message, against);
        }
        if exact && never.is_none() {
            prop_assert_eq!(always.is_some(), against.is_none(), "r{} always holds\n{}", at, context);
        }
        if never.is_some() || always.is_some() {
            continue;
        }
        let alone = holds.iter().find(|facts| earlier.iter().all(|tree| tree.truth(facts) != 2));
        let shadowed = found
            .iter()
            .find(|d| d.kind.id == "shadowed-rule" && d.message.starts_with(&format!("`r{at}` ")));
        prop_assert!(
            shadowed.is_none() || alone.is_none(),
            "r{} alone holds of {:?}\n{}",
            at,
            alone,
            context
        );
        if exact {
            prop_assert_eq!(shadowed.is_some(), alone.is_none(), "r{} is shadowed\n{}", at, context);
        }
        if let Some(shadowed) = shadowed {
            // The rules it names are enough.
            let named: Vec<&Tree> = trees[..at]
                .iter()
                .enumerate()
                .filter(|(rule, _)| shadowed.label.contains(&format!("`r{rule}`")))
                .map(|(_, tree)| tree)
                .collect();
            prop_assert_eq!(named.len(), shadowed.related.len(), "{}", context);
            let alone = holds.iter().find(|facts| named.iter().all(|tree| tree.truth(facts) != 2));
            prop_assert!(alone.is_none(), "r{} alone holds of {:?}\n{}", at, alone, context);
        } else {
            earlier.push(tree);
        }
    }
    Ok(())
}

/// How the text of a condition stands in a file.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    String,
    Escaped,
    Heredoc,
    Indented,
    Parentheses,
    PutTogether,
}

impl Form {
    const ALL: [Self; 6] =
        [Self::String, Self::Escaped, Self::Heredoc, Self::Indented, Self::Parentheses, Self::PutTogether];

    /// The value, what else the file needs, and where in the value the marked part of the condition stands.
    fn write(self, condition: &str, marked: &Range<usize>) -> (String, String, Range<usize>) {
        let behind = |start: &str, end: &str| {
            let by = start.len();
            (format!("{start}{condition}{end}"), String::new(), marked.start + by..marked.end + by)
        };
        match self {
            Self::String => behind("\"", "\""),
            Self::Parentheses => behind("(\"", "\")"),
            Self::Heredoc => behind("<<EOT\n\n  ", "\nEOT"),
            Self::Indented => behind("<<-EOT\n      ", "\n    EOT"),
            Self::Escaped => {
                // Every third character, and each that is not ASCII.
                let (mut source, mut places) = (String::from("\""), HashMap::new());
                for (count, (at, c)) in condition.char_indices().enumerate() {
                    places.insert(at, source.len());
                    if count % 3 == 0 || !c.is_ascii() {
                        source.push_str(&escape(c));
                    } else {
                        source.push(c);
                    }
                }
                places.insert(condition.len(), source.len());
                source.push('"');
                let place = places[&marked.start]..places[&marked.end];
                (source, String::new(), place)
            }
            Self::PutTogether => {
                let source = "\"${local.text} \"".to_owned();
                let place = 0..source.len();
                (source, format!("locals {{\ntext = \"{condition}\"\n}}\n"), place)
            }
        }
    }
}

/// A type error.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Damage {
    /// A value of another type.
    Value,
    /// An order of what has none.
    Order,
    /// A field that there is not.
    Field,
    /// A field of another type in the place of the value.
    OtherField,
    /// A field compared with itself.
    Itself,
    /// Nothing but a field.
    Bare,
}

impl Damage {
    const ALL: [Self; 6] =
        [Self::Value, Self::Order, Self::Field, Self::OtherField, Self::Itself, Self::Bare];

    /// The tokens of the tree with one comparison damaged, and what is wrong marked.
    fn damage(self, tree: &Tree, at: Index, which: usize) -> Option<Vec<Token>> {
        let mut tree = tree.clone();
        let mut leaves = Vec::new();
        collect(&mut tree, &mut leaves);
        let count = leaves.len();
        let leaf = leaves.swap_remove(at.index(count));
        let (field, flipped) = match &*leaf {
            Tree::Compare(field, _, _, flipped) => (*field, *flipped),
            Tree::Fields(field, ..) | Tree::In(field, _) => (*field, false),
            _ => return None,
        };
        let mark = |text: &str| Token { text: text.to_owned(), marked: true };
        let wrong = match field.field().ty {
            FieldType::Duration => &["80%", "'x'", "5", "1.5h", "-5m", "9999999999999999999w", "true"][..],
            FieldType::Percent => &["30m", "'x'", "101", "100.1%", "-1", "half_"],
            FieldType::Int => &["1h", "'x'", "1.5", "-1", "99999999999999999999", "50%"],
            FieldType::Enum(_) => &["3", "'none of these'", "nothing_", "false"],
            FieldType::String => &["3", "1h", "80%", "true"],
        };
        let wrong = wrong[which % wrong.len()];
        let damaged = match self {
            Self::Value => match &*leaf {
                Tree::In(_, list) => {
                    let mut tokens = leaf.tokens();
                    tokens[3 + 2 * (which % list.len())] = mark(wrong);
                    tokens
                }
                // A word on the left would be taken for the field.
                _ if flipped && !wrong.ends_with('_') => vec![mark(wrong), token("=="), token(field.name())],
                _ => vec![token(field.name()), token("!="), mark(wrong)],
            },
            Self::Order if !field.field().ty.ordered() => {
                vec![token(field.name()), mark(["<", "<=", ">", ">="][which % 4]), token("'a'")]
            }
            Self::Order => return None,
            Self::Field => {
                let mut tokens = leaf.tokens();
                let place = tokens.iter().position(|token| token.text == field.name())?;
                if matches!(leaf, Tree::Fields(..)) {
                    return None;
                }
                tokens[place] = mark(&format!("{}_x", field.name()));
                tokens
            }
            Self::OtherField => {
                let others: Vec<_> =
                    all_fields().iter().filter(|other| other.field().ty != field.field().ty).collect();
                vec![token(field.name()), token("=="), mark(others[which % others.len()].name())]
            }
            Self::Itself => vec![mark(field.name()), mark("=="), mark(field.name())],
            Self::Bare => vec![mark(field.name())],
        };
        // A word that nothing else is holds the leaf's place.
        *leaf = Tree::Compare(
            field,
            fly_std::policy::Comparison::Equal,
            super::condition_trees::Literal { value: Plain::Number(0), written: HOLE.to_owned() },
            false,
        );
        let mut tokens = tree.tokens();
        let hole = tokens.iter().position(|token| token.text == HOLE)?;
        tokens.splice(hole - 2..=hole, damaged);
        Some(tokens)
    }
}

fn collect<'t>(tree: &'t mut Tree, leaves: &mut Vec<&'t mut Tree>) {
    match tree {
        Tree::And(parts) | Tree::Or(parts) => parts.iter_mut().for_each(|part| collect(part, leaves)),
        Tree::Not(inner) | Tree::Group(inner) => collect(inner, leaves),
        leaf => leaves.push(leaf),
    }
}

#[test]
fn property_the_deepest_condition_is_read_back() {
    // Every parenthesis as deep as it goes: the reader of the artifact has a limit as well.
    let mut text = String::from("age > 1h");
    for _ in 0..16 {
        text = format!("failed_count > 3 OR state == 'apex' AND NOT ({text})");
    }
    let (compiler, _) = nest(&[quoted(&text)], "");
    assert!(compiler.check().is_empty(), "{}", told(&compiler.check()));
    let build = compiler.build(&Options::default()).unwrap();
    let (_, json) = build.files.iter().find(|(path, _)| path.ends_with("uglyfox.json")).unwrap();
    let value: flyc::artifact::BlockConfig = flyc::artifact::Artifact::from_json(json).unwrap();
    let rule = &value.block.block("policies").unwrap().blocks[0];
    let flyc::artifact::BlockValue::Condition(condition) = &rule.attributes["condition"] else {
        panic!("{rule:?}")
    };
    assert_eq!(condition.text, text);
    assert_eq!(Some(&condition.predicate), predicate(&compiler, 0).as_ref());
}
