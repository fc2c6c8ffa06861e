//! Inlay hints: what a number counts, when a schedule runs, what is sold for a size, and what a profile gives.
//!
//! What never lives here: which of them an editor wants to see.

use std::fmt::Write as _;

use fly_std::{
    Type, Value,
    formats::{duration, percent, size},
};
use flyc::{
    compiler::Compiler,
    model::{TypedAttribute, TypedBlock},
    text::{TextRange, TextSize},
};

use super::{
    inherited,
    schedule::{self, Moment},
    sizing,
};

/// How many inherited values a hint tells; its tooltip tells all.
const TOLD: usize = 3;

/// Which hints are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HintOptions {
    /// What numbers count, and what is sold for sizes.
    pub units: bool,
    /// The next runs of schedules.
    pub runs: bool,
    /// What profiles give.
    pub inherited: bool,
}

impl Default for HintOptions {
    fn default() -> Self {
        Self { units: true, runs: true, inherited: true }
    }
}

/// What a hint is about, in the order of hints at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HintKind {
    /// What a bare number counts.
    Unit,
    /// What is sold for a size.
    Machine,
    /// When a schedule runs.
    Runs,
    /// What a profile gives.
    Inherited,
}

/// A few words beside the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// Behind what.
    pub at: TextSize,
    /// What it is about.
    pub kind: HintKind,
    /// The words.
    pub label: String,
    /// The whole of it, in Markdown.
    pub tooltip: String,
}

/// The hints of a part of a file, by position.
pub fn hints(
    compiler: &Compiler,
    path: &str,
    range: TextRange,
    now: Moment,
    options: HintOptions,
) -> Vec<Hint> {
    let (Some(typed), Some(text)) = (compiler.typed(path), compiler.text(path)) else { return Vec::new() };
    let mut found = Vec::new();
    for owner in &typed.blocks {
        if options.inherited {
            found.extend(from_profile(owner));
        }
        if options.units {
            machine(owner, &mut found);
        }
        for block in owner.walk() {
            if options.units {
                let units = block.attributes.iter().filter_map(|attribute| unit(block, attribute, &text));
                found.extend(units);
            }
            if options.runs {
                let schedules = schedule::schedules(block).filter(|attribute| is_own(attribute));
                found.extend(schedules.filter_map(|attribute| next_runs(block, attribute, now)));
            }
        }
    }
    found.retain(|hint| range.contains_inclusive(hint.at));
    found.sort_by_key(|hint| (hint.at, hint.kind));
    found
}

/// Whether an attribute is written where it holds; one from a profile stands at `extends` as a whole.
fn is_own(attribute: &TypedAttribute) -> bool {
    attribute.name_range != attribute.range
}

/// What a bare number counts.
fn unit(block: &TypedBlock, attribute: &TypedAttribute, text: &str) -> Option<Hint> {
    let written = text.get(std::ops::Range::<usize>::from(attribute.range))?;
    let ty = block.schema.attribute(&attribute.name)?.ty;
    let is_number = |byte: u8| byte.is_ascii_digit() || ty == Type::Percent && byte == b'.';
    if !is_own(attribute) || written.is_empty() || !written.bytes().all(is_number) {
        return None;
    }
    let (word, plain, whole) = match (ty, attribute.value.as_ref()?) {
        (Type::Duration { .. }, Value::Duration(seconds)) => {
            ("seconds", format!("{seconds}s"), duration::print(*seconds))
        }
        (Type::Size { bare, .. }, Value::Size(bytes)) => {
            let unit = if bare.word() == "MB" { "MiB" } else { "GiB" };
            (bare.word(), format!("{written}{unit}"), size::print(*bytes))
        }
        (Type::Percent, Value::Percent(percent)) => ("%", format!("{written}%"), percent::print(*percent)),
        _ => return None,
    };
    // A larger unit tells more only where it is a whole number of it; and so does no other way to write a percentage.
    let is_plain = whole == plain || ty == Type::Percent || whole.contains('.');
    let label = if is_plain { word.to_owned() } else { format!("{word} = {whole}") };
    let tooltip = format!("A bare number here counts {word}. With its unit: `{} = {whole}`", attribute.name);
    Some(Hint { at: attribute.range.end(), kind: HintKind::Unit, label, tooltip })
}

/// What is sold for resources, when it is not what was asked for.
fn machine(owner: &TypedBlock, found: &mut Vec<Hint>) {
    let Some(block) = owner.block("resources") else { return };
    let [sold] = sizing::sold(owner)[..] else { return };
    let (asked, shape) = (sold.asked, sold.shape);
    let more_memory = shape.memory_mib != asked.memory_mib;
    let more_cpus = shape.whole_cpus() != asked.cpu;
    let tooltip = format!(
        "Sizes are sold in steps. The nearest on {} is {}, and it is paid for as a whole.",
        sold.provider.name(),
        sold.words(),
    );
    let mut add = |name: &str, label: String| {
        if let Some(attribute) = block.attribute(name).filter(|attribute| is_own(attribute)) {
            let at = attribute.range.end();
            found.push(Hint { at, kind: HintKind::Machine, label, tooltip: tooltip.clone() });
        }
    };
    if more_cpus {
        let cpus = shape.whole_cpus();
        add("cpu", format!("→ {cpus} ({})", shape.name));
    }
    if more_memory {
        add("memory", format!("→ {} ({})", sizing::memory(shape.memory_mib), shape.name));
    }
}

fn next_runs(block: &TypedBlock, attribute: &TypedAttribute, now: Moment) -> Option<Hint> {
    let runs = schedule::runs(block, attribute, now).filter(|runs| !runs.next.is_empty())?;
    let label = format!("→ {}", runs.line());
    Some(Hint { at: attribute.range.end(), kind: HintKind::Runs, label, tooltip: runs.markdown() })
}

/// What a profile gives, behind `extends`.
fn from_profile(owner: &TypedBlock) -> Option<Hint> {
    let extends = owner.attribute("extends")?;
    let given = inherited::inherited(owner);
    if given.is_empty() {
        return None;
    }
    let told: Vec<String> =
        given.iter().take(TOLD).map(|given| format!("{} = {}", given.path, given.value)).collect();
    let mut label = format!("→ {}", told.join(", "));
    if given.len() > TOLD {
        let _ = write!(label, ", {} more", given.len() - TOLD);
    }
    let mut tooltip = "From the profile:\n".to_owned();
    for given in &given {
        let _ = write!(tooltip, "\n- `{} = {}`, from `profile.{}`", given.path, given.value, given.profile);
    }
    Some(Hint { at: extends.range.end(), kind: HintKind::Inherited, label, tooltip })
}
