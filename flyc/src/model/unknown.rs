//! Names a block does not have: what was probably meant, or where such a thing belongs.

use fly_std::schema::{self, Times};

use super::{
    blocks::{Checker, UNKNOWN_ATTRIBUTE, UNKNOWN_BLOCK},
    ir::TypedBlock,
    messages,
};
use crate::{diag::Diagnostic, syntax::Attribute, text::TextRange};

impl Checker<'_> {
    pub(super) fn unknown_attribute(
        &mut self,
        attribute: Attribute<'_>,
        name: &str,
        range: TextRange,
        schema: &'static schema::Block,
        typed: &mut TypedBlock,
    ) {
        if let Some(child) = schema.child(name) {
            typed.meant.push(child.block.name);
            // `gitlab =` without a value has been told as such.
            if attribute.value().is_some() && !attribute.is_damaged() {
                self.report(
                    Diagnostic::new(
                        &UNKNOWN_ATTRIBUTE,
                        self.span(range),
                        format!("`{name}` is a block, not an attribute"),
                        "written as an attribute",
                    )
                    .note(child.block.doc)
                    .help(format!("write `{name} {{ … }}` without `=`")),
                );
            }
            return;
        }
        let attributes = schema.attributes.iter().map(|attribute| attribute.name);
        let absent = attributes.clone().filter(|known| typed.attribute(known).is_none());
        let nearest: Option<&'static str> = messages::nearest(name, absent);
        typed.meant.extend(nearest);
        if attribute.is_damaged() && attribute.value().is_none() {
            return;
        }
        let mut diagnostic = Diagnostic::new(
            &UNKNOWN_ATTRIBUTE,
            self.span(range),
            format!("`{}` has no attribute `{name}`", typed.name),
            "not known here",
        );
        if let Some(nearest) = nearest {
            diagnostic = diagnostic.fix(format!("did you mean `{nearest}`?"), range, nearest);
        } else if let Some((parent, meant)) = home(schema, name) {
            diagnostic = diagnostic.help(belongs(name, parent, meant));
        } else if schema.attributes.is_empty() {
            diagnostic = diagnostic.help(format!(
                "it holds blocks: {}",
                messages::list(schema.blocks.iter().map(|c| c.block.name), "and")
            ));
        } else {
            diagnostic =
                diagnostic.help(format!("remove it, or use one of {}", messages::list(attributes, "and")));
        }
        self.report(diagnostic);
    }

    pub(super) fn unknown_block(
        &mut self,
        name: &str,
        range: TextRange,
        schema: &'static schema::Block,
        typed: &mut TypedBlock,
    ) {
        let names = schema.blocks.iter().filter(|child| !matches!(child.times, Times::Never(_)));
        let names: Vec<&'static str> = names.map(|child| child.block.name).collect();
        let absent = names.iter().copied().filter(|known| {
            typed.block(known).is_none()
                || schema.child(known).is_some_and(|child| child.times == Times::Many)
        });
        let nearest: Option<&'static str> = messages::nearest(name, absent);
        typed.meant.extend(nearest);
        let of = messages::block_words(schema, typed.label.as_deref());
        let mut diagnostic = if let Some(attribute) = schema.attribute(name) {
            typed.meant.push(attribute.name);
            Diagnostic::new(
                &UNKNOWN_BLOCK,
                self.span(range),
                format!("`{name}` is an attribute, not a block"),
                "written as a block",
            )
            .note(messages::attribute_note(name, attribute))
            .help(format!("write `{name} = {}`", attribute.example))
        } else {
            Diagnostic::new(
                &UNKNOWN_BLOCK,
                self.span(range),
                format!("{of} has no block `{name}`"),
                "not known here",
            )
        };
        if let Some(nearest) = nearest.filter(|_| schema.attribute(name).is_none()) {
            diagnostic = diagnostic.fix(format!("did you mean `{nearest}`?"), range, nearest);
        } else if schema.attribute(name).is_none() {
            diagnostic = match (home(schema, name), names.is_empty()) {
                (Some((parent, meant)), _) => diagnostic.help(belongs(name, parent, meant)),
                (None, true) => diagnostic.help("remove it: there are no blocks in here"),
                (None, false) => diagnostic.help(format!(
                    "remove it, or use one of {}",
                    messages::list(names.iter().copied(), "and")
                )),
            };
        }
        self.report(diagnostic);
    }
}

/// The block within `schema` that has something of this name, or nearly so, and its name there.
fn home(schema: &'static schema::Block, name: &str) -> Option<(&'static str, &'static str)> {
    let names = |block: &'static schema::Block| {
        let attributes = block.attributes.iter().map(|attribute| attribute.name);
        attributes.chain(block.blocks.iter().map(|child| child.block.name))
    };
    let exact = schema.blocks.iter().find_map(|child| {
        names(child.block).find(|known| *known == name).map(|known| (child.block.name, known))
    });
    exact.or_else(|| {
        schema.blocks.iter().find_map(|child| {
            messages::nearest(name, names(child.block)).map(|known| (child.block.name, known))
        })
    })
}

fn belongs(name: &str, parent: &str, meant: &str) -> String {
    if name == meant {
        format!("`{name}` belongs in the block `{parent}`")
    } else {
        format!("did you mean `{meant}` in the block `{parent}`?")
    }
}
