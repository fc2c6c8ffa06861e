//! Blocks against the schema: which may stand where, which attributes they hold, and what is missing.

use std::{collections::hash_map::Entry, sync::Arc};

use fly_std::{
    Type,
    schema::{self, Child, Label, Place, Presence, Times},
};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::{
    asserts::Subject,
    deprecated,
    flow::Flow,
    ir::{TypedAttribute, TypedBlock},
    locals::Locals,
    messages,
    references::Own,
    values::Want,
};
use crate::{
    db::Db,
    diag::{Diagnostic, Span, declare_diagnostic},
    syntax::{Attribute, Block, Expr, Item, NodeKind, Parse},
    text::TextRange,
};

declare_diagnostic! { pub UNKNOWN_BLOCK = "unknown-block", Error, "a block that Fly does not know there" }
declare_diagnostic! { pub MISPLACED_BLOCK = "misplaced-block", Error, "a block that belongs elsewhere" }
declare_diagnostic! { pub UNKNOWN_ATTRIBUTE = "unknown-attribute", Error, "an attribute that the block does not have" }
declare_diagnostic! { pub MISSING_ATTRIBUTE = "missing-attribute", Error, "an attribute that must be there" }
declare_diagnostic! { pub MISSING_BLOCK = "missing-block", Error, "a block that must be there" }
declare_diagnostic! { pub DUPLICATE_ATTRIBUTE = "duplicate-attribute", Error, "an attribute given twice" }
declare_diagnostic! { pub DUPLICATE_BLOCK = "duplicate-block", Error, "a block given twice that may stand once" }
declare_diagnostic! { pub WRONG_LABEL = "wrong-label", Error, "a label that is missing, too much, or no name" }

/// From how many attributes on a block has a table of them.
const MANY: usize = 16;

/// What stands in a block so far and can be asked for by name, however much there is of it.
#[derive(Default)]
struct Seen {
    /// From [`MANY`] on; fewer are looked through.
    attributes: FxHashMap<SmolStr, TextRange>,
    /// Blocks with names of the user's own, and whether they were understood as a whole.
    blocks: FxHashMap<(&'static str, SmolStr), (TextRange, bool)>,
}

impl Seen {
    /// Where the attribute with this name stands, when there is one.
    fn attribute(&mut self, name: &str, typed: &TypedBlock) -> Option<TextRange> {
        if typed.attributes.len() < MANY {
            return typed.attribute(name).map(|attribute| attribute.name_range);
        }
        for attribute in &typed.attributes[self.attributes.len()..] {
            self.attributes.insert(attribute.name.clone(), attribute.name_range);
        }
        self.attributes.get(name).copied()
    }

    /// The first block with this name, when this is not it. One that was never closed does not count: it may be what
    /// is left of this one.
    fn first(&mut self, kind: &'static str, name: &str, block: Block<'_>) -> Option<TextRange> {
        match self.blocks.entry((kind, name.into())) {
            Entry::Occupied(first) => {
                Some(first.get()).filter(|(_, damaged)| !damaged).map(|(range, _)| *range)
            }
            Entry::Vacant(place) => {
                place.insert((block.header(), block.is_damaged()));
                None
            }
        }
    }
}

/// Checks one file; each finding goes to `diagnostics`.
pub(super) struct Checker<'p> {
    pub(super) db: &'p dyn Db,
    pub(super) path: Arc<str>,
    pub(super) parse: &'p Parse,
    pub(super) locals: Locals<'p>,
    /// The block that `self` stands for.
    pub(super) own: Own<'p>,
    /// The way of the value that is being made.
    pub(super) flow: Flow,
    /// How deep the evaluation is.
    pub(super) depth: u32,
    /// The expression stands in `${…}`.
    pub(super) interpolates: bool,
    /// The expression may refer to nothing else.
    pub(super) standalone: bool,
    /// What an assert is about.
    pub(super) subject: Option<Arc<Subject>>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl<'p> Checker<'p> {
    pub(super) fn new(db: &'p dyn Db, path: Arc<str>, parse: &'p Parse) -> Self {
        Self {
            db,
            path,
            parse,
            locals: Locals::of(parse),
            own: Own::default(),
            flow: Flow::default(),
            depth: 0,
            interpolates: false,
            standalone: false,
            subject: None,
            diagnostics: Vec::new(),
        }
    }

    pub(super) fn span(&self, range: TextRange) -> Span {
        Span::new(self.path.clone(), range)
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Every block of the file whose kind is known.
    pub(super) fn file(&mut self) -> Vec<TypedBlock> {
        let place = Place::of(&self.path);
        let mut blocks = Vec::with_capacity(self.parse.items().count());
        let mut seen: FxHashMap<&'static str, (TextRange, bool)> = FxHashMap::default();
        for item in self.parse.items() {
            match item {
                Item::Block(block) => {
                    let Some(keyword) = block.keyword() else { continue };
                    let Some(root) = schema::root(keyword.text()) else {
                        self.unknown_root(keyword.text(), keyword.range(), place);
                        continue;
                    };
                    if place.is_some_and(|place| !root.places.contains(&place)) {
                        self.misplaced_root(root, block.header(), place);
                    }
                    if root.times == Times::AtMostOnce
                        && let Some((first, damaged)) =
                            seen.insert(root.block.name, (block.header(), block.is_damaged()))
                        && !damaged
                    {
                        self.duplicate_block(root.block.name, block.header(), first);
                    }
                    blocks.push(self.block(block, root.block, keyword.text()));
                }
                Item::Attribute(attribute) => self.stray_attribute(attribute),
                Item::Junk(_) => {}
            }
        }
        blocks
    }

    fn stray_attribute(&mut self, attribute: Attribute<'_>) {
        let Some(name) = attribute.name().filter(|_| attribute.value().is_some() && !attribute.is_damaged())
        else {
            return;
        };
        self.report(
            Diagnostic::new(
                &UNKNOWN_ATTRIBUTE,
                self.span(name.range()),
                format!("`{}` stands outside of any block", name.text()),
                "no block around it",
            )
            .help("write it inside a block, or in `locals { … }` to give a value a name"),
        );
    }

    fn unknown_root(&mut self, name: &str, range: TextRange, place: Option<Place>) {
        let here = schema::ROOTS.iter().filter(|root| place.is_none_or(|place| root.places.contains(&place)));
        let names: Vec<&str> = here.map(|root| root.block.name).collect();
        let mut diagnostic = Diagnostic::new(
            &UNKNOWN_BLOCK,
            self.span(range),
            format!("there is no block kind `{name}`"),
            "not a block that stands by itself",
        )
        .note(format!("a file such as this holds {}", messages::list(names.iter().copied(), "or")));
        if let Some(nearest) = messages::nearest(name, names.iter().copied()) {
            diagnostic = diagnostic.fix(format!("did you mean `{nearest}`?"), range, nearest);
        } else if let Some(parent) =
            names.iter().find(|root| schema::root(root).is_some_and(|root| root.block.child(name).is_some()))
        {
            diagnostic = diagnostic.help(format!("`{name}` stands inside `{parent}`; is a `}}` too early?"));
        }
        self.report(diagnostic);
    }

    fn misplaced_root(&mut self, root: &schema::Root, range: TextRange, place: Option<Place>) {
        let name = root.block.name;
        let wanted = messages::list(root.places.iter().map(|place| place.pattern()), "or");
        let found = place.map_or("this file", Place::pattern);
        self.report(
            Diagnostic::new(
                &MISPLACED_BLOCK,
                self.span(range),
                format!("`{name}` does not belong in `{found}`"),
                "in the wrong file",
            )
            .note(format!("`{name}` stands in {wanted}"))
            .help(format!("move it to {wanted}")),
        );
    }

    /// A block against its schema. `name` is what the block is called in its parent.
    pub(super) fn block(
        &mut self,
        block: Block<'p>,
        schema: &'static schema::Block,
        name: &str,
    ) -> TypedBlock {
        let (label, label_range) = self.label(block, schema, name);
        let count = |of: fn(&Item<'_>) -> bool| block.items().filter(of).count();
        let mut typed = TypedBlock {
            schema,
            name: if name == schema.name { SmolStr::new_static(schema.name) } else { name.into() },
            label,
            label_range,
            header: block.header(),
            attributes: Vec::with_capacity(count(|item| matches!(item, Item::Attribute(_)))),
            blocks: Vec::with_capacity(count(|item| matches!(item, Item::Block(_)))),
            damaged: block.is_damaged() || block.hides_items(),
            meant: Vec::new(),
        };
        let mut seen = Seen::default();
        let around = std::mem::replace(&mut self.own, Own::of(block, schema));
        for item in block.items() {
            match item {
                Item::Attribute(attribute) => self.attribute(attribute, schema, &mut typed, &mut seen),
                Item::Block(inner) => self.inner_block(inner, schema, &mut typed, &mut seen),
                Item::Junk(_) => {}
            }
        }
        self.complete(block, &mut typed);
        self.own = around;
        if !typed.damaged {
            self.missing(schema, &typed, block);
        }
        typed
    }

    /// What a block says as a whole, once all that stands in it is known.
    fn complete(&mut self, block: Block<'p>, typed: &mut TypedBlock) {
        match typed.schema.name {
            "egg" | "eggsbucket" => self.extend(typed),
            "profile" => self.profile_circle(typed),
            "variable" => self.variable_block(block, typed),
            _ => {}
        }
    }

    fn label(
        &mut self,
        block: Block<'_>,
        schema: &'static schema::Block,
        name: &str,
    ) -> (Option<SmolStr>, Option<TextRange>) {
        let mut labels = block.labels();
        let first = labels.next();
        if let Some(extra) = labels.next() {
            self.report(
                Diagnostic::new(
                    &WRONG_LABEL,
                    self.span(extra.range),
                    format!("`{name}` has one label at most"),
                    "one too many",
                )
                .fix("remove it", extra.range, ""),
            );
        }
        match (schema.label, first) {
            (Label::None, None) => (None, None),
            (Label::None, Some(label)) => {
                self.report(
                    Diagnostic::new(
                        &WRONG_LABEL,
                        self.span(label.range),
                        format!("`{name}` takes no label"),
                        "a label",
                    )
                    .fix(format!("write `{name} {{`"), label.range, ""),
                );
                (None, None)
            }
            (Label::Name(what) | Label::Identifier(what) | Label::Text(what), None) => {
                let at = block.header();
                self.report(
                    Diagnostic::new(
                        &WRONG_LABEL,
                        self.span(at),
                        format!("`{name}` lacks its label"),
                        format!("{what} is missing"),
                    )
                    .help(format!("write `{name} \"my-{name}\" {{ … }}`")),
                );
                (None, None)
            }
            (Label::Identifier(what), Some(label)) if label.quoted && !is_identifier(label.name) => {
                let written: String =
                    label.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
                let diagnostic = Diagnostic::new(
                    &WRONG_LABEL,
                    self.span(label.range),
                    format!("{what} wants letters, digits and `_`, found `{}`", label.name),
                    "can't be referred to",
                )
                .note("it begins with a letter or `_`, so that it can be used in expressions");
                self.report(if is_identifier(&written) {
                    diagnostic.fix(format!("write `\"{written}\"`"), label.range, format!("\"{written}\""))
                } else {
                    diagnostic.help("give it another name")
                });
                (Some(label.name.into()), Some(label.range))
            }
            (Label::Text(what), Some(label)) if label.quoted && label.name.trim().is_empty() => {
                self.report(
                    Diagnostic::new(
                        &WRONG_LABEL,
                        self.span(label.range),
                        format!("{what} is empty"),
                        "says nothing",
                    )
                    .note("it is what is told when it fails")
                    .help(format!("write `{name} \"my-{name}\" {{ … }}`")),
                );
                (None, None)
            }
            (Label::Name(what) | Label::Identifier(what) | Label::Text(what), Some(label)) => {
                if !label.quoted {
                    self.report(
                        Diagnostic::new(
                            &WRONG_LABEL,
                            self.span(label.range),
                            format!("{what} stands in quotes"),
                            "without quotes",
                        )
                        .safe_fix(
                            format!("write `\"{}\"`", label.name),
                            label.range,
                            format!("\"{}\"", label.name),
                        ),
                    );
                } else if matches!(schema.label, Label::Name(_))
                    && let Err(error) = fly_std::formats::name::parse(label.name)
                {
                    let mut diagnostic = Diagnostic::new(
                        &WRONG_LABEL,
                        self.span(label.range),
                        format!("{what} wants to be a name, found `{}`", label.name),
                        error.message,
                    )
                    .note("a name has letters, digits, `-` and `_`, begins with a letter or digit, and at most 63 characters");
                    if let Some(name) = error.suggestion {
                        diagnostic =
                            diagnostic.fix(format!("write `\"{name}\"`"), label.range, format!("\"{name}\""));
                    }
                    self.report(diagnostic);
                }
                (Some(label.name.into()), Some(label.range))
            }
        }
    }

    fn attribute(
        &mut self,
        attribute: Attribute<'p>,
        schema: &'static schema::Block,
        typed: &mut TypedBlock,
        seen: &mut Seen,
    ) {
        let Some(name) = attribute.name() else { return };
        if attribute.is_lone() {
            // Told as such; what it was meant to be is not missing.
            let children = schema.blocks.iter().map(|child| child.block.name);
            let names = schema.attributes.iter().map(|attribute| attribute.name).chain(children);
            typed.meant.extend(messages::nearest(name.text(), names));
            return;
        }
        let known = schema.attribute(name.text()).or(schema.free_attributes.as_ref());
        let Some(known) = known else {
            self.unknown_attribute(attribute, name.text(), name.range(), schema, typed);
            return;
        };
        let own_name = known.stands_for(name.text());
        if let Some(first) = seen.attribute(own_name, typed) {
            let first = self.span(first);
            self.report(
                Diagnostic::new(
                    &DUPLICATE_ATTRIBUTE,
                    self.span(name.range()),
                    format!("`{}` is given twice", name.text()),
                    "given again here",
                )
                .related(first, "first given here")
                .help("keep one of the two"),
            );
            return;
        }
        self.diagnostics.extend(deprecated::diagnostic(&self.path, self.parse, attribute, known));
        let ty = self.variable_type(schema, name.text()).unwrap_or(known.ty);
        let want = Want { attribute: known, name: name.text(), ty, inner: false };
        // What was not understood has been told; checking what is left of it would only add to that.
        let expr = attribute.value().filter(|_| !attribute.is_damaged());
        let is_local = std::ptr::eq(schema, &raw const schema::LOCALS);
        let is = |block: &'static schema::Block| std::ptr::eq(schema, block);
        self.standalone =
            is(&schema::VARIABLES) || is(&schema::VARIABLE) && matches!(name.text(), "default" | "allowed");
        if is(&schema::VARIABLES) {
            self.undeclared_variable(name.text(), name.range());
        }
        if is(&schema::ASSERT) && matches!(name.text(), "condition" | "message") {
            let over = self.own.attribute("over").and_then(Attribute::value).map(|over| over.text());
            self.set_witness(over.map(|over| over.trim_matches('"')));
        }
        self.flow = Flow::default();
        self.own.current = Some(name.text());
        let value = match expr {
            Some(expr) if is_local => {
                let known = self.local(name.text(), expr);
                self.flow = known.flow;
                known.value
            }
            Some(expr) if known.ty == Type::Predicate => self.predicate(expr, want),
            Some(expr) => self.value(expr, want),
            None => None,
        };
        self.own.end();
        let flow = std::mem::take(&mut self.flow);
        self.standalone = false;
        self.subject = None;
        let elements = match expr.filter(|expr| matches!(expr.node().kind(), NodeKind::List)) {
            Some(list) => list.operands().map(Expr::range).collect(),
            None => Box::default(),
        };
        let range = expr.map_or(name.range(), Expr::range);
        typed.attributes.push(TypedAttribute {
            name: if own_name == known.name { SmolStr::new_static(known.name) } else { own_name.into() },
            name_range: name.range(),
            value,
            range,
            elements,
            flow: (flow != Flow::default()).then(|| Arc::new(flow)),
        });
    }

    fn inner_block(
        &mut self,
        block: Block<'p>,
        schema: &'static schema::Block,
        typed: &mut TypedBlock,
        seen: &mut Seen,
    ) {
        let Some(keyword) = block.keyword() else { return };
        let name = keyword.text();
        let Some(child) = schema.child(name) else {
            if let Some(free) = schema.free_blocks {
                if let Some(first) = seen.first("", name, block) {
                    self.duplicate_block(name, block.header(), first);
                }
                let inner = self.block(block, free, name);
                typed.blocks.push(inner);
            } else {
                self.unknown_block(name, keyword.range(), schema, typed);
            }
            return;
        };
        match child.times {
            Times::Never(why) => {
                self.report(
                    Diagnostic::new(
                        &MISPLACED_BLOCK,
                        self.span(block.header()),
                        format!(
                            "`{name}` has no place in {}",
                            messages::block_words(schema, typed.label.as_deref())
                        ),
                        "not here",
                    )
                    .note(why)
                    .help("remove it"),
                );
                return;
            }
            Times::Once | Times::AtMostOnce => {
                if let Some(first) = typed.block(child.block.name) {
                    let (first, damaged) = (first.header, first.damaged);
                    if !damaged {
                        self.duplicate_block(name, block.header(), first);
                    }
                    // The second is checked as well, but does not count.
                    self.block(block, child.block, child.block.name);
                    return;
                }
            }
            Times::Many => {}
        }
        let inner = self.block(block, child.block, child.block.name);
        if let (Times::Many, Some(label)) = (child.times, &inner.label)
            && let Some(first) = seen.first(child.block.name, label, block)
        {
            let first = self.span(first);
            self.report(
                Diagnostic::new(
                    &DUPLICATE_BLOCK,
                    self.span(inner.header),
                    format!("there are two `{name}` blocks named \"{label}\""),
                    "named so again here",
                )
                .related(first, "first named so here")
                .help("give one of them another name"),
            );
        }
        typed.blocks.push(inner);
    }

    fn duplicate_block(&mut self, name: &str, range: TextRange, first: TextRange) {
        let first = self.span(first);
        self.report(
            Diagnostic::new(
                &DUPLICATE_BLOCK,
                self.span(range),
                format!("`{name}` stands twice where it may stand once"),
                "again here",
            )
            .related(first, "first here")
            .help("put both into one block"),
        );
    }

    fn missing(&mut self, schema: &'static schema::Block, typed: &TypedBlock, block: Block<'_>) {
        for attribute in schema.attributes {
            let required = matches!(attribute.presence, Presence::Required);
            if required && typed.attribute(attribute.name).is_none() && !typed.meant.contains(&attribute.name)
            {
                let written = format!("{} = {}", attribute.name, attribute.example);
                let of = messages::block_words(schema, typed.label.as_deref());
                let diagnostic = Diagnostic::new(
                    &MISSING_ATTRIBUTE,
                    self.span(typed.header),
                    format!("{of} lacks `{}`", attribute.name),
                    format!("no `{}` in here", attribute.name),
                )
                .note(messages::attribute_note(attribute.name, attribute));
                self.report(insert(diagnostic, block, &written));
            }
        }
        for child in schema.blocks.iter().filter(|child| child.times == Times::Once) {
            if typed.block(child.block.name).is_none() && !typed.meant.contains(&child.block.name) {
                self.missing_block(schema, typed, child);
            }
        }
    }

    fn missing_block(&mut self, schema: &'static schema::Block, typed: &TypedBlock, child: &Child) {
        let of = messages::block_words(schema, typed.label.as_deref());
        let example = child.block.example;
        self.report(
            Diagnostic::new(
                &MISSING_BLOCK,
                self.span(typed.header),
                format!("{of} lacks the block `{}`", child.block.name),
                format!("no `{}` in here", child.block.name),
            )
            .note(child.block.doc)
            .help(format!("add\n{example}")),
        );
    }
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Offers to write an attribute at the beginning of a block.
fn insert(diagnostic: Diagnostic, block: Block<'_>, written: &str) -> Diagnostic {
    let help = format!("add `{written}`");
    match block.open() {
        Some(open) => diagnostic.fix(help, TextRange::empty(open.range().end()), format!("\n  {written}")),
        None => diagnostic.help(help),
    }
}
