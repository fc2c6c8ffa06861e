//! Where the shared names of `nest.fly` are defined. Asked for diagnostics and by editors only: what depends on these
//! depends on every position in `nest.fly`.

use crate::{
    db::{Db, Nest, SourceFile, parse},
    diag::Span,
    syntax::Block,
    text::TextRange,
};

/// The path of the file whose names all files see.
pub const NEST_FILE: &str = "nest.fly";

/// The value of a local of `nest.fly`.
pub fn local(db: &dyn Db, name: &str) -> Option<Span> {
    let (file, blocks) = blocks(db, "locals")?;
    let attribute = blocks.into_iter().flat_map(Block::attributes).find(|attribute| attribute.is(name))?;
    let range = attribute.value().map_or(attribute.node().range(), |value| value.range());
    Some(span(db, file, range))
}

/// The value a variable has: in `nest { variables { … } }`, else its default, else its header.
pub fn variable(db: &dyn Db, name: &str) -> Option<Span> {
    let (file, nests) = blocks(db, "nest")?;
    let mut variables = nests.into_iter().flat_map(Block::blocks).filter(|block| block.is("variables"));
    let given = variables.find_map(|block| value_of(block, name));
    let block = || labelled(db, "variable", name).map(|(_, block)| block);
    let range = given.or_else(|| {
        let block = block()?;
        value_of(block, "default").or(Some(block.header()))
    })?;
    Some(span(db, file, range))
}

/// The header of a block at the top of `nest.fly` with this keyword and label.
pub fn header(db: &dyn Db, keyword: &str, label: &str) -> Option<Span> {
    let (file, block) = labelled(db, keyword, label)?;
    Some(span(db, file, block.header()))
}

fn value_of(block: Block<'_>, name: &str) -> Option<TextRange> {
    let mut attributes = block.attributes().filter(|attribute| attribute.is(name));
    attributes.find_map(|attribute| Some(attribute.value()?.range()))
}

fn labelled<'db>(db: &'db dyn Db, keyword: &str, label: &str) -> Option<(SourceFile, Block<'db>)> {
    let (file, blocks) = blocks(db, keyword)?;
    let block = blocks.into_iter().find(|block| block.labels().next().is_some_and(|l| l.name == label))?;
    Some((file, block))
}

fn blocks<'db>(db: &'db dyn Db, keyword: &str) -> Option<(SourceFile, Vec<Block<'db>>)> {
    let file = Nest::try_get(db)?.find(db, NEST_FILE)?;
    Some((file, parse(db, file).blocks().filter(|block| block.is(keyword)).collect()))
}

fn span(db: &dyn Db, file: SourceFile, range: TextRange) -> Span {
    Span::new(file.path(db).clone(), range)
}
