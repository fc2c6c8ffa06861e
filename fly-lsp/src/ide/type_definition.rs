//! Type definition: what a thing is made after. The type of a variable, the profile of an egg, the profile of a profile.
//!
//! The words of the language have no file, so there is nowhere to go from them. What never lives here: where things are
//! defined (`names`), which is also the answer for what is made after nothing.

use std::sync::Arc;

use flyc::{
    compiler::Compiler,
    diag::Span,
    syntax::{Attribute, Block},
    text::TextSize,
};

use super::{
    locate::{self, Space},
    names,
};

/// What the thing at an offset is made after; where it is defined when that is nothing.
pub fn type_definition(compiler: &Compiler, path: &str, offset: TextSize) -> Vec<Span> {
    let Some(at) = compiler.parse(path).and_then(|parse| locate::at(parse, offset)) else {
        return names::definition(compiler, path, offset);
    };
    let defined = names::definition(compiler, path, offset);
    let made_after = |defined: &Span| made_after(compiler, at.named.space, defined);
    let found: Vec<Span> = defined.iter().flat_map(made_after).collect();
    if found.is_empty() { defined } else { found }
}

fn made_after(compiler: &Compiler, space: Space, defined: &Span) -> Vec<Span> {
    let Some(parse) = compiler.parse(&defined.file) else { return Vec::new() };
    let around = |block: &Block<'_>| block.node().range().contains_range(defined.range);
    let Some(block) = parse.blocks().find(around) else { return Vec::new() };
    let attribute = |name: &str| block.attributes().find(|attribute| attribute.is(name));
    match space {
        Space::Variable => {
            let ty = attribute("type").and_then(Attribute::value);
            ty.into_iter().map(|ty| Span::new(Arc::clone(&defined.file), ty.range())).collect()
        }
        // The name is the last word of `profile.NAME`.
        Space::Egg | Space::Profile => {
            let extends = attribute("extends").and_then(Attribute::value);
            extends.map_or_else(Vec::new, |extends| {
                names::definition(compiler, &defined.file, extends.range().end())
            })
        }
        _ => Vec::new(),
    }
}
