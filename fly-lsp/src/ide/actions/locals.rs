//! A value gets a name: a local of its file, or of the Nest. Never here: how a name gives way to its value.

use std::collections::BTreeSet;

use flyc::{
    model::definitions::NEST_FILE,
    syntax::{Expr, NodeKind, Parse, comment_block},
    text::{TextRange, TextSize},
};

use super::{
    ActionKind, Candidate,
    draft::{Draft, insert, replace},
    missing,
    site::{Asked, Place},
};

pub(super) fn candidates(asked: &Asked<'_>, found: &mut Vec<Candidate>) {
    let Some((value, name)) = chosen(asked) else { return };
    let mut taken = names(asked.parse);
    if let Some(nest) = asked.compiler.parse(NEST_FILE) {
        taken.extend(names(nest));
    }
    let name = free(&name, &taken);
    let use_it = replace(value.range(), format!("local.{name}"));
    let definition = format!("{name} = {}", value.text());
    let own = own_definition(asked, &definition);
    let draft = Draft::of(asked.compiler, asked.path, &[vec![use_it.clone()], own].concat());
    let extract = |title: String, draft| Candidate::rewrite(ActionKind::Extract, title, draft);
    found.extend(draft.map(|draft| extract(format!("turn it into `local.{name}` of this file"), draft)));
    if asked.path == NEST_FILE {
        return;
    }
    let Some(nest) = asked.compiler.parse(NEST_FILE) else { return };
    let edits = definition_in(nest, &definition).unwrap_or_else(|| {
        let text = nest.text();
        let gap = if text.is_empty() || text.ends_with('\n') { "\n" } else { "\n\n" };
        vec![insert(TextSize::of(&**text), format!("{gap}locals {{\n  {definition}\n}}\n"))]
    });
    let draft = Draft::of(asked.compiler, asked.path, &[use_it])
        .and_then(|draft| draft.with(asked.compiler, NEST_FILE, &edits));
    found.extend(draft.map(|draft| extract(format!("turn it into `local.{name}` of the Nest"), draft)));
}

/// The expression that is meant, and what it could be called: the one that is selected, or the whole value at the cursor.
fn chosen<'a>(asked: &Asked<'a>) -> Option<(Expr<'a>, String)> {
    let text = asked.text();
    let selected = &text[asked.range];
    let start = asked.range.start() + TextSize::of(&selected[..selected.len() - selected.trim_start().len()]);
    let range = TextRange::at(start, TextSize::of(selected.trim()));
    let site = asked.site(if selected.trim().is_empty() { asked.range } else { range })?;
    let value = if selected.trim().is_empty() {
        site.value
    } else {
        let all = site.value.node().descendants().filter_map(Expr::cast);
        all.into_iter().find(|expr| expr.range() == range)?
    };
    let is_name = matches!(value.node().kind(), NodeKind::Field | NodeKind::Name | NodeKind::Missing(_));
    let is_local = site.place.schema.name == "locals";
    // A name for a name says nothing more, nor does a second one for the whole of a local.
    if is_name || is_local && value == site.value {
        return None;
    }
    Some((value, site.attribute.name()?.text().to_owned()))
}

/// The edits that give a local in the file: in its `locals`, or in new ones above the first block.
fn own_definition(asked: &Asked<'_>, definition: &str) -> Vec<flyc::diag::Edit> {
    definition_in(asked.parse, definition).unwrap_or_else(|| {
        let first = asked.parse.items().next();
        let tokens = asked.parse.tree().tokens();
        let at = first.map_or(TextSize::new(0), |item| {
            let text = asked.text();
            let mut start = item.node().range().start();
            for comment in comment_block(item.node()) {
                let above = TextSize::new(tokens[comment].start);
                if text[TextRange::new(above, start)].trim_end_matches(' ').ends_with("\n\n") {
                    break;
                }
                start = above;
            }
            start
        });
        vec![insert(at, format!("locals {{\n  {definition}\n}}\n\n"))]
    })
}

fn definition_in(parse: &Parse, definition: &str) -> Option<Vec<flyc::diag::Edit>> {
    let block = parse.blocks().find(|block| block.is("locals"))?;
    missing::edits(Place { block, schema: &fly_std::schema::LOCALS }, &[definition.to_owned()], &[])
}

/// The names of the locals that a file gives or uses.
fn names(parse: &Parse) -> BTreeSet<String> {
    let all = crate::ide::locate::occurrences(parse).into_iter();
    let locals = all.filter(|found| found.named.space == crate::ide::locate::Space::Local);
    locals.map(|found| found.named.name).collect()
}

/// A name that is not taken.
pub(super) fn free(name: &str, taken: &BTreeSet<String>) -> String {
    let letters = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    let mut name: String = letters.collect();
    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        name.insert(0, '_');
    }
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    std::iter::once(name.clone()).chain(numbered).find(|name| !taken.contains(name)).unwrap_or(name)
}
