//! Fixes among which an author chooses: which of two goes, whether something unknown goes, what is put together. Never
//! here: what the compiler offers by itself.

use fly_std::{
    Type, formats,
    schema::{Constraint, Presence},
};
use flyc::{
    check::{EXACTLY_ONE_OF, MIN_ABOVE_MAX},
    diag::{Diagnostic, Edit},
    model::{
        DUPLICATE_ATTRIBUTE, DUPLICATE_BLOCK, MISPLACED_BLOCK, OUT_OF_RANGE, UNKNOWN_ATTRIBUTE,
        UNKNOWN_BLOCK, UNKNOWN_NAME, definitions::NEST_FILE,
    },
    syntax::{Attribute, Block, lines_of},
    text::{TextRange, TextSize},
};

use super::{
    Candidate,
    draft::{Draft, insert, replace},
    missing,
    site::Asked,
};

pub(super) fn candidates(asked: &Asked<'_>, finding: &Diagnostic, found: &mut Vec<Candidate>) {
    let kind = finding.kind;
    let at = finding.span.range;
    let other = finding.related.first().filter(|other| *other.span.file == *asked.path);
    if *kind == DUPLICATE_ATTRIBUTE || *kind == EXACTLY_ONE_OF {
        remove_attribute(asked, finding, at, "remove this `{}`", found);
        if let Some(other) = other {
            remove_attribute(asked, finding, other.span.range, "remove the other `{}`", found);
        }
    }
    if *kind == DUPLICATE_BLOCK
        && let Some(other) = other
    {
        put_together(asked, finding, other.span.range, found);
    }
    if *kind == MISPLACED_BLOCK || *kind == UNKNOWN_BLOCK {
        remove_block(asked, finding, found);
    }
    if *kind == UNKNOWN_ATTRIBUTE {
        let from = found.len();
        remove_attribute(asked, finding, at, "remove `{}`", found);
        // Like one that is known, it was meant to be that.
        let is_like_none = finding.help.as_ref().is_none_or(|help| help.edits.is_empty());
        found[from..].iter_mut().for_each(|candidate| candidate.is_general = is_like_none);
    }
    if *kind == MIN_ABOVE_MAX {
        limits(asked, finding, found);
    }
    if *kind == OUT_OF_RANGE {
        bound(asked, finding, found);
    }
    if *kind == UNKNOWN_NAME {
        new_profile(asked, finding, found);
    }
}

fn fix(asked: &Asked<'_>, finding: &Diagnostic, title: String, edits: &[Edit], found: &mut Vec<Candidate>) {
    if let Some(draft) = Draft::of(asked.compiler, asked.path, edits) {
        found.push(Candidate::fix(title, finding, draft));
    }
}

fn remove_attribute(
    asked: &Asked<'_>,
    finding: &Diagnostic,
    name: TextRange,
    title: &str,
    found: &mut Vec<Candidate>,
) {
    let attributes = asked.parse.root().descendants().filter_map(Attribute::cast);
    let named = |attribute: &Attribute<'_>| attribute.name().is_some_and(|known| known.range() == name);
    let Some(attribute) = attributes.filter(|attribute| !attribute.is_damaged()).find(named) else { return };
    let lines = lines_of(attribute.node());
    fix(asked, finding, title.replace("{}", &asked.text()[name]), &[replace(lines, "")], found);
}

/// The block whose keyword or header stands here, known or not.
fn block_at<'a>(asked: &Asked<'a>, range: TextRange) -> Option<Block<'a>> {
    let mut blocks: Vec<Block<'a>> = asked.parse.blocks().collect();
    while let Some(block) = blocks.pop() {
        if block.header() == range || block.keyword().is_some_and(|keyword| keyword.range() == range) {
            return Some(block);
        }
        blocks.extend(block.blocks());
    }
    None
}

fn remove_block(asked: &Asked<'_>, finding: &Diagnostic, found: &mut Vec<Candidate>) {
    let Some(block) = block_at(asked, finding.span.range).filter(|block| !block.is_damaged()) else { return };
    // A block that belongs into another file is moved by its author.
    if *finding.kind == MISPLACED_BLOCK && asked.parse.blocks().any(|root| root == block) {
        return;
    }
    let keyword = block.keyword().map_or("", |keyword| keyword.text());
    let lines = lines_of(block.node());
    fix(asked, finding, format!("remove `{keyword}`"), &[replace(lines, "")], found);
}

/// What stands in the second block goes to the end of the first.
fn put_together(asked: &Asked<'_>, finding: &Diagnostic, first: TextRange, found: &mut Vec<Candidate>) {
    let (Some(first), Some(second)) = (asked.header(first), asked.header(finding.span.range)) else { return };
    if first.block.labels().next().is_some() {
        return;
    }
    let (Some(into), Some(from)) = (first.inside(), second.inside()) else { return };
    let text = asked.text();
    let inner = text[from].trim_matches(['\n', '\r']).trim_end();
    let lead = text[into].trim_end();
    let edits = [
        replace(
            TextRange::new(into.start() + TextSize::of(lead), into.end()),
            format!("\n{inner}\n{}", first.indent()),
        ),
        replace(lines_of(second.block.node()), ""),
    ];
    fix(asked, finding, "put both into one block".to_owned(), &edits, found);
}

/// One of two numbers becomes the other.
fn limits(asked: &Asked<'_>, finding: &Diagnostic, found: &mut Vec<Candidate>) {
    let Some(site) = asked.site(finding.span.range) else { return };
    for constraint in site.place.schema.constraints {
        let Constraint::NotAbove(low, high) = constraint else { continue };
        // What is not written has its default.
        let place = site.place;
        let number = |name: &str| {
            let site = site.place.attributes().find(|site| site.attribute.is(name));
            let text = match (site, place.schema.attribute(name)?.presence) {
                (Some(site), _) => site.value.text(),
                (None, Presence::Default(text)) => text,
                (None, _) => return None,
            };
            text.parse::<i64>().ok().map(|number| (site.map(|site| site.value.range()), number))
        };
        let (Some((low_at, least)), Some((high_at, most))) = (number(low), number(high)) else { continue };
        for (name, at, value) in [(low, low_at, most), (high, high_at, least)] {
            let edit = match at {
                Some(at) => vec![replace(at, value.to_string())],
                None => missing::edits(site.place, &[format!("{name} = {value}")], &[]).unwrap_or_default(),
            };
            if least > most {
                fix(asked, finding, format!("write `{name} = {value}`"), &edit, found);
            }
        }
    }
}

/// The nearest value that is allowed.
fn bound(asked: &Asked<'_>, finding: &Diagnostic, found: &mut Vec<Candidate>) {
    let Some(site) = asked.site(finding.span.range).filter(|site| site.value.range() == finding.span.range)
    else {
        return;
    };
    let written = site.value.text().trim_matches('"');
    let nearest = match site.ty {
        // What is counted from 1 without an end is an id: none is better than another.
        Type::Int { min: 1, max: i64::MAX } => None,
        Type::Int { min, max } => {
            written.parse::<i64>().ok().map(|number| number.clamp(min, max).to_string())
        }
        Type::Duration { min, max, .. } => {
            let seconds = formats::duration::parse(written).ok().or_else(|| written.parse().ok());
            seconds.map(|seconds| formats::duration::print(seconds.clamp(min, max)))
        }
        Type::Size { min, max, bare } => {
            let number = || written.parse::<u64>().ok()?.checked_mul(bare.bytes());
            let bytes = formats::size::parse(written).ok().or_else(number);
            bytes.map(|bytes| formats::size::print(bytes.clamp(min, max)))
        }
        Type::Percent => Some("100%".to_owned()),
        _ => None,
    };
    if let Some(nearest) = nearest {
        fix(asked, finding, format!("write `{nearest}`"), &[replace(finding.span.range, &nearest)], found);
    }
}

/// A profile that is used and not there yet.
fn new_profile(asked: &Asked<'_>, finding: &Diagnostic, found: &mut Vec<Candidate>) {
    let Some(name) = asked.text()[finding.span.range].strip_prefix("profile.") else { return };
    let Some(nest) = asked.compiler.text(NEST_FILE) else { return };
    let gap = if nest.trim().is_empty() { "" } else { "\n" };
    let end = TextSize::of(&*nest);
    let lead = if nest.is_empty() || nest.ends_with('\n') { "" } else { "\n" };
    let edit = insert(end, format!("{lead}{gap}profile \"{name}\" {{}}\n"));
    if let Some(draft) = Draft::of(asked.compiler, NEST_FILE, &[edit]) {
        found.push(Candidate::fix(format!("add `profile \"{name}\"` to `nest.fly`"), finding, draft));
    }
}
