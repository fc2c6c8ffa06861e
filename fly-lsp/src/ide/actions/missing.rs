//! Writing what a block lacks: required attributes, and required blocks with all that must be in them. Never here: what
//! is required, which the schema says.

use fly_std::{
    Type,
    schema::{Attribute, Constraint, Label, Place as File, Presence, Times},
};
use flyc::{
    diag::{Diagnostic, Edit},
    model::{MISSING_ATTRIBUTE, MISSING_BLOCK, TypedBlock, WRONG_LABEL},
    syntax::{Expr, NodeKind},
    text::{TextRange, TextSize},
};

use super::{
    Candidate,
    draft::{Draft, insert, replace},
    site::{Asked, Place, is_comment},
};
use crate::ide::snippet::{self, Snippet};

/// Whether the finding is about something missing that is written here.
pub(super) fn knows(finding: &Diagnostic) -> bool {
    *finding.kind == MISSING_ATTRIBUTE || *finding.kind == MISSING_BLOCK
}

/// One missing thing, and a missing label.
pub(super) fn candidates(asked: &Asked<'_>, finding: &Diagnostic, found: &mut Vec<Candidate>) {
    if *finding.kind == WRONG_LABEL {
        label(asked, finding, found);
        return;
    }
    key(asked, finding, found);
    let Some(place) = asked.header(finding.span.range) else { return };
    let Some(typed) = asked.typed_block(finding.span.range) else { return };
    if *finding.kind == MISSING_ATTRIBUTE {
        for attribute in attributes(place, typed) {
            if finding.message.ends_with(&format!("lacks `{}`", attribute.name)) {
                entities(asked, place, attribute, finding, found);
                line(asked, place, &written(attribute), finding, found);
            }
        }
    }
    if *finding.kind == MISSING_BLOCK {
        for (name, text) in blocks(place, typed) {
            if finding.message.ends_with(&format!("lacks the block `{name}`")) {
                add(asked, place, &[], &[text], finding, &format!("add `{name} {{ … }}`"), found);
            }
        }
    }
    if *finding.kind == flyc::check::EXACTLY_ONE_OF {
        for constraint in place.schema.constraints {
            let Constraint::ExactlyOneOf(names) = constraint else { continue };
            if names.iter().any(|name| typed.attribute(name).is_some()) {
                continue;
            }
            for attribute in names.iter().filter_map(|name| place.schema.attribute(name)) {
                line(asked, place, &written(attribute), finding, found);
            }
        }
    }
}

/// How many eggs are tried where one must be named.
const MOST_TRIED: usize = 3;

/// An attribute that names eggs names some that are there.
fn entities(
    asked: &Asked<'_>,
    place: Place<'_>,
    attribute: &Attribute,
    finding: &Diagnostic,
    found: &mut Vec<Candidate>,
) {
    let (before, after) = match attribute.ty {
        Type::Entity(_) => ("\"", "\""),
        Type::List(Type::Entity(_)) => ("[\"", "\"]"),
        _ => return,
    };
    let paths = asked.compiler.paths().filter(|path| File::of(path) == Some(File::Egg));
    let mut names: Vec<&str> = paths.filter_map(|path| path.split('/').nth(1)).collect();
    // One that is named nowhere here is more likely meant.
    names.sort_by_key(|name| asked.text().contains(&format!("\"{name}\"")));
    for name in names.into_iter().take(MOST_TRIED) {
        let written = format!("{} = {before}{name}{after}", attribute.name);
        line(asked, place, &written, finding, found);
    }
}

/// A key that an element of a list lacks.
fn key(asked: &Asked<'_>, finding: &Diagnostic, found: &mut Vec<Candidate>) {
    let at = finding.span.range;
    if *finding.kind != MISSING_ATTRIBUTE {
        return;
    }
    let Some(site) = asked.site(at) else { return };
    let fields = match site.ty {
        Type::Object(fields) => fields,
        Type::List(Type::Object(fields)) => *fields,
        _ => return,
    };
    let maps = site.value.node().descendants().filter_map(Expr::cast);
    let Some(map) = maps.into_iter().find(|map| map.range() == at && map.node().kind() == NodeKind::Map)
    else {
        return;
    };
    let named = |field: &&Attribute| finding.message.ends_with(&format!("lacks `{}`", field.name));
    let Some(field) = fields.iter().find(named) else { return };
    let written = format!("{} = {}", field.name, snippet::example(field));
    let last = map.node().children().last().map(flyc::syntax::NodeRef::range);
    let (at, text) = match last {
        Some(last) if map.text().contains('\n') => (last.end(), format!("\n{written}")),
        Some(last) => (last.end(), format!(", {written}")),
        None => (at.start() + TextSize::of("{"), format!(" {written} ")),
    };
    if let Some(draft) = Draft::of(asked.compiler, asked.path, &[insert(at, text)]) {
        found.push(Candidate::fix(format!("add `{written}`"), finding, draft));
    }
}

/// All that a block lacks, when it lacks more than one thing.
pub(super) fn everything(asked: &Asked<'_>, found: &mut Vec<Candidate>) {
    let is_about = |finding: &&Diagnostic| knows(finding) || *finding.kind == flyc::check::EXACTLY_ONE_OF;
    let mut done: Vec<TextRange> = Vec::new();
    for first in asked.findings.iter().filter(is_about) {
        let header = first.span.range;
        let about: Vec<_> =
            asked.findings.iter().filter(is_about).filter(|one| one.span.range == header).collect();
        if about.len() < 2 || done.contains(&header) {
            continue;
        }
        done.push(header);
        let (Some(place), Some(typed)) = (asked.header(header), asked.typed_block(header)) else { continue };
        let mut lines: Vec<String> = attributes(place, typed).map(written).collect();
        for constraint in place.schema.constraints {
            if let Constraint::ExactlyOneOf(names) = constraint
                && names.iter().all(|name| typed.attribute(name).is_none())
            {
                lines.extend(names.first().and_then(|name| place.schema.attribute(name)).map(written));
            }
        }
        let blocks: Vec<String> = blocks(place, typed).map(|(_, text)| text).collect();
        let name = place.schema.name;
        let before = found.len();
        let title = format!("add everything that `{name}` lacks");
        add(asked, place, &lines, &blocks, first, &title, found);
        if let Some(candidate) = found.get_mut(before) {
            candidate.findings = about.into_iter().cloned().collect();
        }
    }
}

fn attributes<'t>(
    place: Place<'_>,
    typed: &'t TypedBlock,
) -> impl Iterator<Item = &'static Attribute> + use<'t> {
    let required = |attribute: &&Attribute| attribute.presence == Presence::Required;
    place.schema.attributes.iter().filter(required).filter(|attribute| {
        typed.attribute(attribute.name).is_none() && !typed.meant.contains(&attribute.name)
    })
}

fn blocks<'t>(
    place: Place<'_>,
    typed: &'t TypedBlock,
) -> impl Iterator<Item = (&'static str, String)> + use<'t> {
    let lacks = |name: &'static str| typed.block(name).is_none() && !typed.meant.contains(&name);
    let children =
        place.schema.blocks.iter().filter(move |child| child.times == Times::Once && lacks(child.block.name));
    children.map(|child| {
        let mut snippet = Snippet::default();
        snippet.block((child.block, child.block.name), 0, true, &snippet::Ordinary);
        (child.block.name, format!("{} {}", child.block.name, snippet::plain(&snippet.finish())))
    })
}

fn written(attribute: &Attribute) -> String {
    let mut snippet = Snippet::default();
    snippet.attribute(attribute, snippet::example(attribute));
    snippet::plain(&snippet.finish())
}

/// Adds one attribute.
fn line(
    asked: &Asked<'_>,
    place: Place<'_>,
    written: &str,
    finding: &Diagnostic,
    found: &mut Vec<Candidate>,
) {
    add(asked, place, &[written.to_owned()], &[], finding, &format!("add `{written}`"), found);
}

fn add(
    asked: &Asked<'_>,
    place: Place<'_>,
    attributes: &[String],
    blocks: &[String],
    finding: &Diagnostic,
    title: &str,
    found: &mut Vec<Candidate>,
) {
    let Some(edits) = edits(place, attributes, blocks) else { return };
    if let Some(draft) = Draft::of(asked.compiler, asked.path, &edits) {
        found.push(Candidate { may_bring: true, is_general: true, ..Candidate::fix(title, finding, draft) });
    }
}

/// The edits that put attributes behind those that are there, and blocks at the end.
pub(super) fn edits(place: Place<'_>, attributes: &[String], blocks: &[String]) -> Option<Vec<Edit>> {
    let inside = place.inside()?;
    let text = place.block.node().parse().text();
    let outer = place.indent();
    let indent = format!("{outer}  ");
    let lines = |items: &[String]| -> String {
        let indented = items.iter().map(|item| item.replace('\n', &format!("\n{indent}")));
        indented.flat_map(|item| [indent.clone(), item, "\n".to_owned()]).collect()
    };
    // Where a line ends behind something, so that what comes next has lines of its own.
    let line_end = |at: TextSize| {
        let rest = &text[TextRange::new(at, inside.end())];
        let end = rest.find('\n')?;
        let is_free = rest[..end].trim().is_empty() || is_comment(&rest[..end]);
        is_free.then(|| at + TextSize::of(&rest[..=end]))
    };
    let after_attributes =
        place.block.attributes().last().map_or(inside.start(), |last| last.node().range().end());
    let close_line = text[inside].rfind('\n').map(|at| inside.start() + TextSize::of(&text[inside][..=at]));
    let close_is_alone =
        close_line.is_some_and(|start| text[TextRange::new(start, inside.end())].trim().is_empty());
    match (line_end(after_attributes), close_line.filter(|_| close_is_alone)) {
        (Some(first), Some(last)) => {
            let mut edits = Vec::new();
            if !attributes.is_empty() {
                edits.push(insert(first, lines(attributes)));
            }
            if !blocks.is_empty() {
                let gap = if text[TextRange::new(inside.start(), last)].trim().is_empty()
                    && attributes.is_empty()
                {
                    ""
                } else {
                    "\n"
                };
                edits.push(insert(last, format!("{gap}{}", lines(blocks))));
            }
            // Two at one place are one.
            if edits.len() == 2 && first == last {
                edits = vec![insert(first, format!("{}\n{}", lines(attributes), lines(blocks)))];
            }
            Some(edits)
        }
        _ => {
            let here = text[inside].trim_end();
            let lead = if here.is_empty() { String::new() } else { format!("{here}\n") };
            let lead = lead.replacen(' ', "", usize::from(lead.starts_with(' ')));
            let first = if lead.is_empty() { String::new() } else { format!("{indent}{lead}") };
            let written = format!("\n{first}{}{}{outer}", lines(attributes), lines(blocks));
            Some(vec![replace(inside, written)])
        }
    }
}

/// A label where one must stand: the name of the file or its folder when that is what it names.
fn label(asked: &Asked<'_>, finding: &Diagnostic, found: &mut Vec<Candidate>) {
    let Some(place) = asked.header(finding.span.range) else { return };
    let Some(keyword) = place.block.keyword() else { return };
    if place.block.labels().next().is_some() || place.schema.label == Label::None {
        return;
    }
    // What eggs call their Rift server is for its author to know.
    if place.schema.name == "rift" {
        return;
    }
    let named = match (File::of(asked.path), place.schema.name) {
        (Some(File::Egg), "egg" | "eggsbucket") => asked.path.split('/').nth(1),
        (Some(File::Job), "job") => asked.path.rsplit('/').next().and_then(|file| file.strip_suffix(".fly")),
        _ => None,
    };
    let Some(name) = named.or_else(|| snippet::label_example(place.schema)) else { return };
    let edit = insert(keyword.range().end(), format!(" \"{name}\""));
    if let Some(draft) = Draft::of(asked.compiler, asked.path, &[edit]) {
        found.push(Candidate::fix(format!("name it `\"{name}\"`"), finding, draft));
    }
}
