//! Code lenses: what can be done with a block, and who uses it.
//!
//! What must be counted is counted when a lens comes into sight; the list has only those that will have something to say.
//! What never lives here: which commands an editor has.

use std::sync::Arc;

use fly_std::schema::Place;
use flyc::{
    compiler::Compiler,
    diag::Span,
    syntax::{Attribute, Block, Parse},
    text::{TextRange, TextSize},
};

use super::{
    names,
    schedule::{self, Moment},
};

/// What a lens is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LensKind {
    /// What an egg would deploy.
    Simulate,
    /// What is built of the file.
    Generated,
    /// The conditions of `UglyFox` that name an egg.
    Conditions,
    /// Who uses a profile, local or variable.
    Users,
    /// When a job runs next.
    NextRun,
}

/// A lens above a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lens {
    /// Above what.
    pub range: TextRange,
    /// What it is about.
    pub kind: LensKind,
}

/// What a lens says, once somebody looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LensText {
    /// The words.
    pub title: String,
    /// The places that it leads to.
    pub places: Vec<Span>,
}

/// The lenses of a file, by position; `now` is when schedules are asked whether they ever run.
pub fn lenses(compiler: &Compiler, path: &str, now: Moment) -> Vec<Lens> {
    let (Some(parse), Some(place)) = (compiler.parse(path), Place::of(path)) else { return Vec::new() };
    let mut found = Vec::new();
    for block in parse.blocks() {
        let kinds: &[LensKind] = match (place, block.keyword().map_or("", |keyword| keyword.text())) {
            (Place::Egg, "egg" | "eggsbucket") => {
                &[LensKind::Simulate, LensKind::Generated, LensKind::Conditions]
            }
            (Place::Job, "job") => &[LensKind::Generated, LensKind::NextRun],
            (Place::MotherGoose, "mothergoose") => &[LensKind::Generated],
            (Place::Nest, "profile" | "variable") => &[LensKind::Users],
            (Place::Nest, "locals") => {
                let names = block.attributes().filter_map(Attribute::name);
                found.extend(names.map(|name| Lens { range: name.range(), kind: LensKind::Users }));
                &[]
            }
            _ => &[],
        };
        // Of what has no name yet nothing can be told.
        let named = block.labels().next().is_some_and(|label| !label.name.is_empty());
        if named || block.is("mothergoose") {
            let lenses = kinds.iter().map(|&kind| Lens { range: block.header(), kind });
            found.extend(lenses.filter(|lens| {
                lens.kind != LensKind::NextRun || next_run(compiler, path, lens.range, now).is_some()
            }));
        }
    }
    found
}

/// What a lens of a file says; none when what it was above is no longer there.
pub fn lens_text(compiler: &Compiler, path: &str, lens: &Lens, now: Moment) -> Option<LensText> {
    let parse = compiler.parse(path)?;
    let plain = |title: &str| Some(LensText { title: title.to_owned(), places: Vec::new() });
    match lens.kind {
        LensKind::Simulate => plain("▶ what would this deploy?"),
        LensKind::Generated => plain("generated OpenTofu"),
        LensKind::Conditions => {
            let places = used(compiler, path, name_at(parse, lens.range)?)
                .into_iter()
                .filter(|span| Place::of(&span.file) == Some(Place::UglyFox))
                .collect::<Vec<_>>();
            let title = match attributes_around(compiler, &places) {
                0 => "used by no conditions".to_owned(),
                1 => "used by 1 condition".to_owned(),
                count => format!("used by {count} conditions"),
            };
            Some(LensText { title, places })
        }
        LensKind::Users => {
            let mut places = used(compiler, path, name_at(parse, lens.range)?);
            // Where a variable is given its value it is not used.
            places.retain(|span| !is_given(compiler, span));
            let title = match places.len() {
                0 => "no users".to_owned(),
                1 => "1 user".to_owned(),
                count => format!("{count} users"),
            };
            Some(LensText { title, places })
        }
        LensKind::NextRun => {
            Some(LensText { title: next_run(compiler, path, lens.range, now)?, places: Vec::new() })
        }
    }
}

/// When the schedule of the block with this header runs next; none when it never does, or nobody can tell.
fn next_run(compiler: &Compiler, path: &str, header: TextRange, now: Moment) -> Option<String> {
    let block = compiler.typed(path)?.blocks.iter().find(|block| block.header == header)?;
    let runs = schedule::runs(block, schedule::schedules(block).next()?, now)?;
    Some(format!("next run {} ({})", runs.next.first()?, runs.zone))
}

/// The offset of the name that a lens is above: a label, or the word itself.
fn name_at(parse: &Parse, range: TextRange) -> Option<TextSize> {
    let block = parse.blocks().find(|block| block.header() == range);
    match block.and_then(|block| block.labels().next()) {
        Some(label) => Some(label.range.start() + TextSize::from(u32::from(label.quoted))),
        None => parse.blocks().flat_map(Block::attributes).find_map(|attribute| {
            let name = attribute.name()?.range();
            (name == range).then(|| name.start())
        }),
    }
}

fn used(compiler: &Compiler, path: &str, offset: TextSize) -> Vec<Span> {
    names::references(compiler, path, offset, false)
}

/// How many attributes the places stand in: a condition that names an egg twice is one.
fn attributes_around(compiler: &Compiler, places: &[Span]) -> usize {
    let around = |span: &Span| {
        let parse = compiler.parse(&span.file)?;
        let attributes = parse.root().descendants().filter_map(Attribute::cast);
        let mut ranges = attributes.map(|attribute| attribute.node().range());
        ranges.find(|range| range.contains_range(span.range)).map(|range| (Arc::clone(&span.file), range))
    };
    let mut found: Vec<_> = places.iter().filter_map(around).collect();
    found.dedup();
    found.len()
}

/// Whether a place is the name of an attribute, which gives a value to what is called so.
fn is_given(compiler: &Compiler, span: &Span) -> bool {
    let Some(parse) = compiler.parse(&span.file) else { return false };
    let mut names = parse.root().descendants().filter_map(|node| Attribute::cast(node)?.name());
    names.any(|name| name.range() == span.range)
}
