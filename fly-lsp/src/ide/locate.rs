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

use super::follow;

/// How deeply interpolations within interpolations are followed; evaluation goes no further.
const DEPTH: u32 = 32;

/// Something with a name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Named {
    /// What it is.
    pub(super) space: Space,
    /// Its name.
    pub(super) name: String,
    /// Of a repository the bucket it is in; empty when that is not known, and for everything else.
    pub(super) of: String,
}

impl Named {
    /// Whether both may be the same thing: where nobody says of which bucket a repository is, it may be of any.
    pub(super) fn may_be(&self, other: &Self) -> bool {
        let is_same_bucket = self.of == other.of || self.of.is_empty() || other.of.is_empty();
        self.space == other.space && self.name == other.name && is_same_bucket
    }
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
    /// A repository of a bucket.
    Repository,
    /// A condition of UglyFox.
    Condition,
    /// A rule of UglyFox.
    Rule,
    /// A rule of the Nest's own.
    Assert,
    /// A test of the Nest.
    Test,
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
            Self::Repository => "a repository",
            Self::Condition => "a condition",
            Self::Rule | Self::Assert => "a rule",
            Self::Test => "a test",
        }
    }

    /// Whether it is known in its file alone.
    pub(super) const fn is_of_file(self) -> bool {
        matches!(
            self,
            Self::Account
                | Self::Queue
                | Self::Service
                | Self::Condition
                | Self::Rule
                | Self::Assert
                | Self::Test
        )
    }

    /// Whether its name is any text: a label that tells what something is.
    pub(super) const fn is_text(self) -> bool {
        matches!(self, Self::Assert | Self::Test)
    }

    /// What the label of a block within another gives a name to.
    fn of_inner(block: &Schema) -> Option<Self> {
        match block.name {
            "repo" => Some(Self::Repository),
            "runners_condition" => Some(Self::Condition),
            "rule" => Some(Self::Rule),
            _ => None,
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
    let mut found = Finder { found: Vec::new(), subject: None, bucket: String::new() };
    for block in parse.blocks() {
        let keyword = block.keyword().map_or("", |keyword| keyword.text());
        let schema = schema::root(keyword).map(|root| root.block);
        let space = match keyword {
            "egg" | "eggsbucket" => Some(Space::Egg),
            "job" => Some(Space::Job),
            "rift" => Some(Space::Rift),
            "variable" => Some(Space::Variable),
            "profile" => Some(Space::Profile),
            "assert" => Some(Space::Assert),
            "test" => Some(Space::Test),
            _ => None,
        };
        found.label(space, block);
        block.labels().next().map_or("", |label| label.name).clone_into(&mut found.bucket);
        if keyword == "locals" {
            for name in block.attributes().filter_map(Attribute::name) {
                found.add(Space::Local, name.text(), name.range(), true, true);
            }
        }
        found.subject = follow::subject_of(block);
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

/// The keyword or the name of an attribute at an offset that the language gives a meaning there.
pub(super) fn word_of_language(parse: &Parse, offset: TextSize) -> Option<TextRange> {
    fn within<'p>(block: Block<'p>, schema: &'static Schema, found: &mut Vec<TokenRef<'p>>) {
        let known = block.attributes().filter_map(Attribute::name);
        found.extend(known.filter(|name| schema.attribute(name.text()).is_some()));
        for inner in block.blocks() {
            let Some(keyword) = inner.keyword() else { continue };
            if let Some(child) = schema.child(keyword.text()) {
                found.push(keyword);
                within(inner, child.block, found);
            } else if let Some(free) = schema.free_blocks {
                within(inner, free, found);
            }
        }
    }
    let block = parse.blocks().find(|block| block.node().range().contains_inclusive(offset))?;
    let keyword = block.keyword()?;
    let mut found = vec![keyword];
    within(block, schema::root(keyword.text())?.block, &mut found);
    found.into_iter().map(TokenRef::range).find(|range| range.contains_inclusive(offset))
}

struct Finder {
    found: Vec<Occurrence>,
    /// What the assert around is about: `egg.x` is an attribute of it then, and no egg.
    subject: Option<&'static str>,
    /// The label of the block at the top.
    bucket: String,
}

impl Finder {
    fn add(&mut self, space: Space, name: &str, range: TextRange, is_definition: bool, is_bare: bool) {
        let named = Named { space, name: name.to_owned(), of: String::new() };
        self.found.push(Occurrence { named, range, is_definition, is_bare });
    }

    /// The label of a block, which gives it its name.
    fn label(&mut self, space: Option<Space>, block: Block<'_>) {
        if let Some((space, label)) = space.zip(block.labels().next()) {
            let quotes = TextSize::from(u32::from(label.quoted));
            let end = label.range.start() + quotes + TextSize::of(label.name);
            let range = TextRange::new(label.range.start() + quotes, end);
            self.add(space, label.name, range, true, !label.quoted);
        }
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
            if name.text() == "repository" && ty == Some(Type::Name) {
                let bucket = block.attributes().find(|one| one.is("egg")).and_then(Attribute::value);
                let bucket = bucket.and_then(|bucket| bucket.bare().literal());
                let bucket = bucket.and_then(|text| literal::simple_string(text.kind(), text.text()));
                self.repository(value, bucket.unwrap_or_default());
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
            let from = self.found.len();
            self.label(within.and_then(Space::of_inner), inner);
            let given = self.found[from..].iter_mut();
            given
                .filter(|found| found.named.space == Space::Repository)
                .for_each(|found| found.named.of.clone_from(&self.bucket));
            self.block(inner, within);
        }
    }

    /// The name of a repository of a bucket.
    fn repository(&mut self, value: Expr<'_>, bucket: &str) {
        let from = self.found.len();
        self.quoted(Space::Repository, value);
        self.found[from..].iter_mut().for_each(|found| bucket.clone_into(&mut found.named.of));
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
        self.expression(value, TextSize::from(0));
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
        self.quoted_at(space, value, TextSize::from(0));
    }

    fn quoted_at(&mut self, space: Space, value: Expr<'_>, base: TextSize) {
        let Some(token) = value.bare().literal() else { return };
        let Some(name) = literal::simple_string(token.kind(), token.text()) else { return };
        let one = TextSize::from(1);
        let range = TextRange::new(token.range().start() + one, token.range().end() - one);
        self.add(space, name, range + base, false, false);
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

    /// The names that an assert compares with `egg.name` or `job.name`, or looks for in a list: `nest.eggs`, or one of
    /// which it looks for the name.
    fn compared(&mut self, expr: Expr<'_>, base: TextSize) {
        let space_of = |text: &str| match (self.subject, text) {
            (Some("egg"), "egg.name") | (Some("nest"), "nest.eggs" | "nest.buckets") => Some(Space::Egg),
            (Some("job"), "job.name") | (Some("nest"), "nest.jobs") => Some(Space::Job),
            _ => None,
        };
        let operator = expr.operator().map(|operator| operator.kind());
        let operands: Vec<Expr<'_>> = expr.operands().map(Expr::bare).collect();
        let [one, other] = operands[..] else { return };
        let found: Vec<(Option<Space>, Vec<Expr<'_>>)> = match expr.node().kind() {
            NodeKind::Binary if matches!(operator, Some(Kind::EqualsEquals | Kind::NotEquals)) => {
                vec![(space_of(one.text()), vec![other]), (space_of(other.text()), vec![one])]
            }
            NodeKind::Call if expr.name().is_some_and(|name| name.text() == "contains") => {
                let elements =
                    if one.node().kind() == NodeKind::List { one.operands().collect() } else { Vec::new() };
                vec![(space_of(other.text()), elements), (space_of(one.text()), vec![other])]
            }
            _ => return,
        };
        for (space, texts) in found {
            let Some(space) = space else { continue };
            for text in texts {
                self.quoted_at(space, text, base);
            }
        }
    }

    /// References such as `local.x`, in `${…}` as well. `base` is where the text of the tree begins in the file.
    fn expression(&mut self, expr: Expr<'_>, base: TextSize) {
        each_expression(expr, base, &mut |expr, base| {
            if self.subject.is_some() {
                self.compared(expr, base);
            }
            let Some((word, space, name)) = referred(expr) else { return };
            if self.subject != Some(word.text()) {
                self.add(space, name.text(), name.range() + base, false, true);
            }
        });
    }
}

/// Visits an expression and everything in it, in `${…}` as well, each with where the text of its tree begins in the file.
pub(super) fn each_expression(expr: Expr<'_>, base: TextSize, visit: &mut dyn FnMut(Expr<'_>, TextSize)) {
    every(expr, base, 0, visit);
}

fn every(expr: Expr<'_>, base: TextSize, depth: u32, visit: &mut dyn FnMut(Expr<'_>, TextSize)) {
    for expr in expr.node().descendants().filter_map(Expr::cast) {
        visit(expr, base);
        let Some(token) = expr.literal() else { continue };
        if token.kind() == Kind::Number || depth >= DEPTH || !token.text().contains("${") {
            continue;
        }
        for (inside, inner) in interpolations(token) {
            if let Some(expr) = Expr::of(&inner) {
                every(expr, base + inside.start(), depth + 1, visit);
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

/// The word of `word.name`, what that refers to, and the name.
fn referred(expr: Expr<'_>) -> Option<(Expr<'_>, Space, Expr<'_>)> {
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
    Some((base, space, operands.next()?))
}
