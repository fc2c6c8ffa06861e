//! The named things of a Nest and every place their names stand: labels, references, entity names in strings and in
//! conditions.
//!
//! What never lives here: what is done with a name.

use fly_std::{
    Type,
    policy::FieldId,
    schema::{self, Block as Schema},
};
use flyc::{
    artifact::Component,
    model::condition_texts,
    syntax::{
        Attribute, Block, Expr, Kind, NodeKind, Parse, TokenRef,
        literal::{self, Part},
        parse_expression,
    },
    text::{TextRange, TextSize},
};

/// How deeply interpolations within interpolations are followed; evaluation goes no further.
const DEPTH: u32 = 32;

/// Something with a name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Named {
    /// What it is.
    pub(super) space: Space,
    /// Its name.
    pub(super) name: String,
}

/// What a name is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Space {
    /// An egg or bucket.
    Egg,
    /// A job.
    Job,
    /// A Rift server.
    Rift,
    /// A local: of the file that gives it, or of `nest.fly`.
    Local,
    /// A variable.
    Variable,
    /// A profile.
    Profile,
    /// A service account of the installation.
    Account,
    /// A queue of the installation for messages that failed.
    Queue,
    /// A service of the installation.
    Service,
}

impl Space {
    /// What it is in a sentence, with its article; `keyword` is that of the block that gives the name.
    pub(super) fn noun(self, keyword: &str) -> &'static str {
        match self {
            Self::Egg if keyword == "eggsbucket" => "a bucket",
            Self::Egg => "an egg",
            Self::Job => "a job",
            Self::Rift => "a Rift server",
            Self::Local => "a local",
            Self::Variable => "a variable",
            Self::Profile => "a profile",
            Self::Account => "a service account",
            Self::Queue => "a queue",
            Self::Service => "a service",
        }
    }
}

/// A place where a name stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Occurrence {
    /// Of what.
    pub(super) named: Named,
    /// The name alone, without quotes.
    pub(super) range: TextRange,
    /// Whether it is given here.
    pub(super) is_definition: bool,
    /// Whether it stands where only an identifier can: without quotes.
    pub(super) is_bare: bool,
}

/// Every place of a file where the name of something stands, in no particular order.
pub(super) fn occurrences(parse: &Parse) -> Vec<Occurrence> {
    let mut found = Finder { found: Vec::new(), in_assert: false, assert_over_egg: false };
    for block in parse.blocks() {
        let keyword = block.keyword().map_or("", |keyword| keyword.text());
        let schema = schema::root(keyword).map(|root| root.block);
        let space = match keyword {
            "egg" | "eggsbucket" => Some(Space::Egg),
            "job" => Some(Space::Job),
            "rift" => Some(Space::Rift),
            "variable" => Some(Space::Variable),
            "profile" => Some(Space::Profile),
            _ => None,
        };
        if let Some((space, label)) = space.zip(block.labels().next()) {
            let quotes = TextSize::from(u32::from(label.quoted));
            let end = label.range.start() + quotes + TextSize::of(label.name);
            let range = TextRange::new(label.range.start() + quotes, end);
            found.add(space, label.name, range, true, !label.quoted);
        }
        if keyword == "locals" {
            for name in block.attributes().filter_map(Attribute::name) {
                found.add(Space::Local, name.text(), name.range(), true, true);
            }
        }
        found.assert_over_egg = keyword == "assert"
            && block
                .attributes()
                .any(|one| one.is("over") && one.value().is_some_and(|over| over.text() == "egg"));
        found.in_assert = keyword == "assert";
        found.block(block, schema);
    }
    found.found
}

/// What something is that is given at a place of a file, with its article.
pub(super) fn noun_of(parse: &Parse, space: Space, given: TextRange) -> &'static str {
    let around = parse.blocks().find(|block| block.node().range().contains_range(given));
    space.noun(around.and_then(Block::keyword).map_or("", |keyword| keyword.text()))
}

/// The occurrence at an offset.
pub(super) fn at(parse: &Parse, offset: TextSize) -> Option<Occurrence> {
    occurrences(parse).into_iter().find(|found| found.range.contains_inclusive(offset))
}

struct Finder {
    found: Vec<Occurrence>,
    /// In an assert `egg.x` is an attribute of what the assert is about.
    in_assert: bool,
    assert_over_egg: bool,
}

impl Finder {
    fn add(&mut self, space: Space, name: &str, range: TextRange, is_definition: bool, is_bare: bool) {
        let named = Named { space, name: name.to_owned() };
        self.found.push(Occurrence { named, range, is_definition, is_bare });
    }

    fn block(&mut self, block: Block<'_>, schema: Option<&'static Schema>) {
        self.parts(block, schema);
        let is_rift =
            schema.is_some_and(|schema| schema.name == "rift" && schema.label == schema::Label::None);
        let gives_variables = schema.is_some_and(|schema| std::ptr::eq(schema, &raw const schema::VARIABLES));
        for attribute in block.attributes() {
            let Some(name) = attribute.name() else { continue };
            if gives_variables {
                self.add(Space::Variable, name.text(), name.range(), false, true);
            }
            let Some(value) = attribute.value() else { continue };
            let ty = schema.and_then(|schema| schema.attribute(name.text())).map(|attribute| attribute.ty);
            if is_rift && name.text() == "name" {
                self.quoted(Space::Rift, value);
            }
            if ty == Some(Type::Script) && value.bare().literal().is_some() {
                continue;
            }
            self.value(value, ty);
        }
        for inner in block.blocks() {
            let keyword = inner.keyword().map_or("", |keyword| keyword.text());
            let within = schema
                .and_then(|schema| schema.child(keyword).map(|child| child.block).or(schema.free_blocks));
            self.block(inner, within);
        }
    }

    fn value(&mut self, value: Expr<'_>, ty: Option<Type>) {
        match ty {
            Some(Type::Entity(_)) => self.quoted(Space::Egg, value),
            Some(Type::List(Type::Entity(_))) => {
                value.bare().operands().for_each(|item| self.quoted(Space::Egg, item));
            }
            Some(Type::Condition) => self.condition(value),
            Some(Type::Object(fields)) => {
                for entry in value.bare().entries() {
                    let ty = fields.iter().find(|field| field.name == entry.name()).map(|field| field.ty);
                    if let (Some(Type::Entity(_)), Some(value)) = (ty, entry.value) {
                        self.quoted(Space::Egg, value);
                    }
                }
            }
            _ => {}
        }
        self.expression(value, TextSize::from(0), 0);
    }

    /// The names of the parts of an installation: where they are given in `mothergoose`, and where others name them.
    fn parts(&mut self, block: Block<'_>, schema: Option<&'static Schema>) {
        let Some(schema) = schema else { return };
        for attribute in block.attributes() {
            let name = attribute.name().map_or("", |name| name.text());
            let Some(value) = attribute.value().filter(|_| schema.attribute(name).is_some()) else {
                continue;
            };
            match name {
                "service_account" => self.quoted(Space::Account, value),
                "dead_letter_queue" => self.quoted(Space::Queue, value),
                "target_function" => self.quoted(Space::Service, value),
                _ => {}
            }
        }
        for inner in block.blocks() {
            let keyword = inner.keyword().map_or("", |keyword| keyword.text());
            let space = match (schema.name, keyword) {
                ("service_accounts", _) => Space::Account,
                (_, "dead_letter_queue") => Space::Queue,
                ("mothergoose", _)
                    if schema.child(keyword).is_some_and(|child| {
                        Component::service_names().any(|service| service == child.block.name)
                    }) =>
                {
                    Space::Service
                }
                _ => continue,
            };
            let from = self.found.len();
            let mut given = inner.attributes().filter(|one| one.is("name"));
            if let Some(value) = given.find_map(Attribute::value) {
                self.quoted(space, value);
            }
            self.found[from..].iter_mut().for_each(|found| found.is_definition = true);
        }
    }

    /// A name that stands in quotes.
    fn quoted(&mut self, space: Space, value: Expr<'_>) {
        let Some(token) = value.bare().literal() else { return };
        let Some(name) = literal::simple_string(token.kind(), token.text()) else { return };
        let one = TextSize::from(1);
        let range = TextRange::new(token.range().start() + one, token.range().end() - one);
        self.add(space, name, range, false, false);
    }

    /// The names of eggs that a condition compares with.
    fn condition(&mut self, value: Expr<'_>) {
        let Some(token) = value.bare().literal() else { return };
        let content = literal::content(token.kind(), token.text(), token.range().start(), false);
        let Some(text) = content.plain() else { return };
        for (name, part) in condition_texts(&text.text, FieldId::Egg) {
            let inner = text.source(part.start + 1..part.end.saturating_sub(1).max(part.start + 1));
            self.add(Space::Egg, &name, inner, false, false);
        }
    }

    /// The name of an egg that an assert compares `egg.name` with.
    fn compared(&mut self, expr: Expr<'_>) {
        let operator = expr.operator().map(|operator| operator.kind());
        if !matches!(operator, Some(Kind::EqualsEquals | Kind::NotEquals)) {
            return;
        }
        let sides: Vec<Expr<'_>> = expr.operands().collect();
        let [one, other] = sides[..] else { return };
        for (name, text) in [(one, other), (other, one)] {
            if name.text() == "egg.name" {
                self.quoted(Space::Egg, text);
            }
        }
    }

    /// References such as `local.x`, in `${…}` as well. `base` is where the text of the tree begins in the file.
    fn expression(&mut self, expr: Expr<'_>, base: TextSize, depth: u32) {
        for expr in expr.node().descendants().filter_map(Expr::cast) {
            if self.assert_over_egg {
                self.compared(expr);
            }
            if let Some((space, name)) =
                referred(expr).filter(|(space, _)| !(self.in_assert && *space == Space::Egg))
            {
                self.add(space, name.text(), name.range() + base, false, true);
            }
            let Some(token) = expr.literal() else { continue };
            if token.kind() == Kind::Number || depth >= DEPTH || !token.text().contains("${") {
                continue;
            }
            for (inside, inner) in interpolations(token) {
                if let Some(expr) = Expr::of(&inner) {
                    self.expression(expr, base + inside.start(), depth + 1);
                }
            }
        }
    }
}

/// The folder's name in each path that is read from within it: `folder` is `Eggs/<name>/`.
pub(super) fn paths_into(parse: &Parse, folder: &str) -> Vec<TextRange> {
    let calls = parse.root().descendants().filter_map(Expr::cast).filter(|expr| {
        expr.node().kind() == NodeKind::Call && expr.name().is_some_and(|name| name.text() == "file")
    });
    let paths = calls.filter_map(|call| call.operands().next()?.literal());
    let inside = paths.filter_map(|token| {
        let written = token.text().strip_prefix('"')?;
        let lead = TextSize::of(&written[..written.find("Eggs/")?]);
        written[lead.into()..].starts_with(folder).then_some(())?;
        // `./Eggs/…` is the same place.
        matches!(&written[..lead.into()], "" | "./").then_some(())?;
        let start = token.range().start() + TextSize::from(1) + lead + TextSize::of("Eggs/");
        Some(TextRange::at(start, TextSize::of(folder) - TextSize::of("Eggs//")))
    });
    inside.collect()
}

/// The expressions within a string or heredoc, with their ranges in the text of its tree.
fn interpolations(token: TokenRef<'_>) -> Vec<(TextRange, Parse)> {
    let start = token.range().start();
    let content = literal::content(token.kind(), token.text(), start, false);
    let inside = content.parts.into_iter().filter_map(|part| match part {
        Part::Interpolation(range) => Some(range),
        Part::Text(_) => None,
    });
    inside.map(|range| (range, parse_expression(token.text()[range - start].into()))).collect()
}

/// What `base.name` refers to, and the name.
fn referred(expr: Expr<'_>) -> Option<(Space, Expr<'_>)> {
    if expr.node().kind() != NodeKind::Field {
        return None;
    }
    let mut operands = expr.operands();
    let base = operands.next()?;
    let space = match base.text() {
        "local" => Space::Local,
        "var" => Space::Variable,
        "profile" => Space::Profile,
        "egg" | "bucket" => Space::Egg,
        _ => return None,
    };
    Some((space, operands.next()?))
}
