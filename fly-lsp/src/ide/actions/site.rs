//! What stands where an action is asked for. Never here: what is done there.

use fly_std::{
    Type,
    schema::{self, Block as Schema},
};
use flyc::{
    compiler::Compiler,
    diag::Diagnostic,
    model::{TypedAttribute, TypedBlock},
    syntax::{Attribute, Block, Expr, Parse},
    text::{TextRange, TextSize},
};

/// For how many findings of a range it is tried what mends them: each takes looks at the whole file. The rest is mended
/// with all of its kind, or when it is asked about.
const MOST_FINDINGS: usize = 16;

/// A question: the file, the range, and what was found there.
pub(super) struct Asked<'a> {
    pub(super) compiler: &'a Compiler,
    pub(super) path: &'a str,
    pub(super) parse: &'a Parse,
    pub(super) range: TextRange,
    /// What was found in the range: of much, what is nearest to where it begins.
    pub(super) findings: Vec<Diagnostic>,
    /// What was found in the file.
    pub(super) all: Vec<Diagnostic>,
}

/// A block and what it may hold.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    pub(super) block: Block<'p>,
    pub(super) schema: &'static Schema,
}

/// An attribute that is known, with its value.
#[derive(Clone, Copy)]
pub(super) struct Site<'p> {
    pub(super) place: Place<'p>,
    pub(super) attribute: Attribute<'p>,
    pub(super) ty: Type,
    pub(super) value: Expr<'p>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(compiler: &'a Compiler, path: &'a str, range: TextRange) -> Option<Self> {
        let parse = compiler.parse(path)?;
        let end = TextSize::of(&**parse.text());
        let range = TextRange::new(range.start().min(end), range.end().min(end));
        let all = compiler.check_file(path);
        let here = |found: &&Diagnostic| found.span.range.intersect(range).is_some();
        let mut near: Vec<&Diagnostic> = all.iter().filter(here).collect();
        near.sort_by_key(|found| u32::from(found.span.range.start()).abs_diff(range.start().into()));
        near.truncate(MOST_FINDINGS);
        near.sort_by_key(|found| found.span.range.start());
        let findings = near.into_iter().cloned().collect();
        Some(Self { compiler, path, parse, range, findings, all })
    }

    pub(super) fn text(&self) -> &'a str {
        self.parse.text()
    }

    /// Every block of the file whose kind is known, outermost first.
    pub(super) fn places(&self) -> Vec<Place<'a>> {
        let mut found = Vec::new();
        for block in self.parse.blocks() {
            let root = block.keyword().and_then(|keyword| schema::root(keyword.text()));
            if let Some(root) = root {
                collect(Place { block, schema: root.block }, &mut found);
            }
        }
        found
    }

    /// The innermost block that holds a range.
    pub(super) fn place(&self, range: TextRange) -> Option<Place<'a>> {
        self.places().into_iter().rfind(|place| place.block.node().range().contains_range(range))
    }

    /// The block whose keyword and labels stand here.
    pub(super) fn header(&self, header: TextRange) -> Option<Place<'a>> {
        self.places().into_iter().find(|place| place.block.header() == header)
    }

    /// The attribute in whose value the range lies.
    pub(super) fn site(&self, range: TextRange) -> Option<Site<'a>> {
        let place = self.place(range)?;
        place.attributes().find(|site| site.value.range().contains_range(range))
    }

    /// The typed block whose header stands here.
    pub(super) fn typed_block(&self, header: TextRange) -> Option<&'a TypedBlock> {
        let blocks = &self.compiler.typed(self.path)?.blocks;
        blocks.iter().flat_map(TypedBlock::walk).find(|block| block.header == header)
    }

    /// The typed attribute whose name stands here.
    pub(super) fn typed_attribute(&self, name: TextRange) -> Option<&'a TypedAttribute> {
        let blocks = &self.compiler.typed(self.path)?.blocks;
        let every = blocks.iter().flat_map(TypedBlock::walk);
        every.flat_map(|block| &block.attributes).find(|attribute| attribute.name_range == name)
    }
}

/// Whether there is nothing but a comment in the rest of a line.
pub(super) fn is_comment(line: &str) -> bool {
    let line = line.trim();
    line.starts_with('#') || line.starts_with("//")
}

fn line_start(text: &str, at: TextSize) -> TextSize {
    let before = &text[..usize::from(at)];
    at - TextSize::of(&before[before.rfind('\n').map_or(0, |end| end + 1)..])
}

fn collect<'p>(place: Place<'p>, found: &mut Vec<Place<'p>>) {
    found.push(place);
    for block in place.block.blocks() {
        let keyword = block.keyword().map_or("", |keyword| keyword.text());
        let schema = place.schema.child(keyword).map(|child| child.block).or(place.schema.free_blocks);
        if let Some(schema) = schema {
            collect(Place { block, schema }, found);
        }
    }
}

impl<'p> Place<'p> {
    /// The attributes that are known and have a value.
    pub(super) fn attributes(self) -> impl Iterator<Item = Site<'p>> {
        self.block.attributes().filter_map(move |attribute| {
            let name = attribute.name()?;
            let known = self.schema.attribute(name.text()).or(self.schema.free_attributes.as_ref())?;
            Some(Site { place: self, attribute, ty: known.ty, value: attribute.value()? })
        })
    }

    /// The spaces before its keyword.
    pub(super) fn indent(self) -> String {
        let start = self.block.node().range().start();
        let text = self.block.node().parse().text();
        let line = &text[TextRange::new(line_start(text, start), start)];
        line.chars().take_while(|c| *c == ' ').collect()
    }

    /// What stands between its braces.
    pub(super) fn inside(self) -> Option<TextRange> {
        let open = self.block.open()?.range();
        let end = self.block.node().range().end();
        let text = self.block.node().parse().text();
        let close = end.checked_sub(TextSize::of("}"))?;
        (close >= open.end() && text[TextRange::new(close, end)] == *"}")
            .then(|| TextRange::new(open.end(), close))
    }
}
