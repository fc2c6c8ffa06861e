//! References by name: `local.x`, `var.x`, `self.x`, `egg.x`, `bucket.x` and `profile.x`.

use fly_std::{Value, schema};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::{
    blocks::Checker,
    flow::{Known, Step, StepKind},
    messages,
    names::{EntityKind, index},
    values::Want,
    vars,
};
use crate::{
    db::Nest,
    diag::{Diagnostic, declare_diagnostic},
    syntax::{Attribute, Block, Expr, Item, NodeKind},
    text::TextRange,
};

declare_diagnostic! { pub UNKNOWN_NAME = "unknown-name", Error, "a name that stands for nothing" }
declare_diagnostic! { pub UNKNOWN_ENTITY = "unknown-entity", Error, "the name of an egg or bucket that does not exist" }
declare_diagnostic! { pub CYCLIC_DEFINITION = "cyclic-definition", Error, "something that is defined by itself" }

/// The words that references begin with.
const ROOTS: [&str; 6] = ["local", "var", "self", "egg", "bucket", "profile"];

const OWN_NOTE: &str =
    "`self` is the block around it, with what is written there: neither defaults nor other blocks";

/// The block that `self` stands for.
#[derive(Default)]
pub(super) struct Own<'p> {
    pub(super) block: Option<(Block<'p>, &'static schema::Block)>,
    /// The block around a text, inside its `${…}`: what is known of it is in `values`; its names are for advice.
    pub(super) around: Option<(Block<'p>, &'static schema::Block)>,
    pub(super) values: FxHashMap<SmolStr, Known>,
    /// The attribute that is being evaluated, until a reference is met.
    pub(super) current: Option<&'p str>,
    /// The attributes that are being evaluated, outermost first, once a reference is met.
    pub(super) open: Vec<SmolStr>,
}

impl<'p> Own<'p> {
    pub(super) fn of(block: Block<'p>, schema: &'static schema::Block) -> Self {
        Self { block: Some((block, schema)), ..Self::default() }
    }

    /// A reference is met: from here on the attributes on the way are remembered.
    pub(super) fn begin(&mut self) {
        self.open.extend(self.current.take().map(SmolStr::new));
    }

    /// The attribute is done.
    pub(super) fn end(&mut self) {
        self.current = None;
        self.open.clear();
    }

    /// An attribute of the block.
    pub(super) fn attribute(&self, name: &str) -> Option<Attribute<'p>> {
        self.block?.0.attributes().find(|attribute| attribute.is(name))
    }
}

/// `base.name`, when the base is a bare word.
pub(super) fn dotted(expr: Expr<'_>) -> Option<(&str, &str)> {
    let mut operands = expr.operands();
    let base = operands.next().filter(|_| expr.node().kind() == NodeKind::Field)?;
    if base.node().kind() != NodeKind::Name {
        return None;
    }
    operands.next().map(|name| (base.text(), name.text()))
}

impl Checker<'_> {
    /// The value of `base.name`, where the base is a bare word.
    pub(super) fn reference(&mut self, base: Expr<'_>, name: Expr<'_>, range: TextRange) -> Option<Value> {
        // Evaluation goes deep through here: what is told is put together elsewhere.
        match base.text() {
            word if self.standalone && ROOTS.contains(&word) => self.not_standalone(base, name, range),
            "local" => self.local_reference(name.text(), range),
            "var" => self.variable_reference(name.text(), range),
            "self" => self.own_reference(name.text(), range),
            "egg" | "bucket" => self.entity_reference(base.text(), name.text(), range),
            "job" | "nest" if self.other_subject(base.text(), name.text(), range) => None,
            "profile" => self.profile_as_value(name.text(), range),
            _ => self.unknown_base(base, name),
        }
    }

    fn not_standalone(&mut self, base: Expr<'_>, name: Expr<'_>, range: TextRange) -> Option<Value> {
        let message = format!("`{}.{}` can't be used here", base.text(), name.text());
        self.diagnostics.push(
            Diagnostic::new(&UNKNOWN_NAME, self.span(range), message, "a reference")
                .note("the value of a variable stands by itself, so that everything else can be made from it")
                .help("write the value itself, or put it together where the variable is used"),
        );
        None
    }

    fn profile_as_value(&mut self, name: &str, range: TextRange) -> Option<Value> {
        let message = format!("`profile.{name}` is not a value");
        self.diagnostics.push(
            Diagnostic::new(&UNKNOWN_NAME, self.span(range), message, "a profile")
                .help("a profile is used as a whole: write `extends = profile.NAME` in an egg or bucket"),
        );
        None
    }

    fn unknown_base(&mut self, base: Expr<'_>, name: Expr<'_>) -> Option<Value> {
        let message = format!("there is nothing called `{}`", base.text());
        let range = base.range();
        let diagnostic = Diagnostic::new(&UNKNOWN_NAME, self.span(range), message, "stands for nothing");
        self.diagnostics.push(match messages::nearest(base.text(), ROOTS) {
            Some(meant) => diagnostic.fix(format!("did you mean `{meant}`?"), range, meant),
            None => diagnostic.help(format!(
                "values with names stand in `locals {{ … }}` and are used as `local.{}`",
                name.text()
            )),
        });
        None
    }

    fn variable_reference(&mut self, name: &str, range: TextRange) -> Option<Value> {
        let nest = Nest::try_get(self.db);
        let Some(variable) = nest.and_then(|nest| vars::variable(self.db, nest, name.into()).clone()) else {
            let all = nest.map(|nest| vars::variables(self.db, nest).clone()).unwrap_or_default();
            let diagnostic = Diagnostic::new(
                &UNKNOWN_NAME,
                self.span(range),
                format!("there is no variable `{name}`"),
                "not declared",
            )
            .note("variables are declared in `nest.fly`");
            self.diagnostics.push(match messages::nearest(name, all.keys().map(SmolStr::as_str)) {
                Some(nearest) => {
                    diagnostic.fix(format!("did you mean `var.{nearest}`?"), range, format!("var.{nearest}"))
                }
                None => diagnostic.help(format!("add `variable \"{name}\" {{ … }}` to `nest.fly`")),
            });
            return None;
        };
        self.flow.through(Step { kind: StepKind::Variable, name: name.into() }, &super::Flow::default());
        if variable.sensitive && self.flow.sensitive.is_none() {
            self.flow.sensitive = Some(name.into());
        }
        variable.value
    }

    fn own_reference(&mut self, name: &str, range: TextRange) -> Option<Value> {
        self.own.begin();
        if let Some(at) = self.own.open.iter().position(|open| open == name) {
            let way: Vec<SmolStr> = self.own.open[at..].to_vec();
            self.circle("self", name, range, &way);
            for name in way {
                self.own.values.insert(name, Known::default());
            }
            return None;
        }
        let Some(known) = self.quiet_own(name) else {
            self.unknown_own(name, range);
            return None;
        };
        self.flow.through(Step { kind: StepKind::Own, name: name.into() }, &known.flow);
        known.value
    }

    /// The value of an attribute beside the one that uses it; what is wrong with it is told there. `None` when there is
    /// no such attribute.
    pub(super) fn quiet_own(&mut self, name: &str) -> Option<Known> {
        if let Some(known) = self.own.values.get(name) {
            return Some(known.clone());
        }
        let attribute = self.own.attribute(name)?;
        let (_, schema) = self.own.block?;
        let schema = schema.attribute(name).or(schema.free_attributes.as_ref());
        let expr = attribute.value().filter(|_| !attribute.is_damaged());
        let known = match schema.zip(expr) {
            Some((schema, expr)) => {
                let from = self.diagnostics.len();
                self.own.open.push(name.into());
                let outer = std::mem::take(&mut self.flow);
                self.depth += 1;
                let value = self.value(expr, Want { attribute: schema, name, ty: schema.ty, inner: false });
                self.depth -= 1;
                let flow = std::mem::replace(&mut self.flow, outer);
                self.own.open.pop();
                self.hush(from);
                Known { value, flow }
            }
            None => Known::default(),
        };
        self.own.values.insert(name.into(), known.clone());
        Some(known)
    }

    fn unknown_own(&mut self, name: &str, range: TextRange) {
        let Some((block, schema)) = self.own.block.or(self.own.around) else {
            self.diagnostics.push(
                Diagnostic::new(
                    &UNKNOWN_NAME,
                    self.span(range),
                    "`self` is nothing here",
                    "no block around it",
                )
                .help("`self.NAME` is an attribute of the same block; outside of blocks, use `local.NAME`"),
            );
            return;
        };
        let written: Vec<&str> = block
            .items()
            .filter_map(|item| match item {
                Item::Attribute(attribute) => attribute.name().map(|name| name.text()),
                _ => None,
            })
            .collect();
        let known = schema.attribute(name).is_some();
        let message = if known {
            format!("`{name}` is not given in this block, so `self.{name}` has no value")
        } else {
            format!("this block has no `{name}`")
        };
        let diagnostic =
            Diagnostic::new(&UNKNOWN_NAME, self.span(range), message, "not in this block").note(OWN_NOTE);
        self.diagnostics.push(match messages::nearest(name, written.iter().copied()).filter(|_| !known) {
            Some(nearest) => {
                diagnostic.fix(format!("did you mean `self.{nearest}`?"), range, format!("self.{nearest}"))
            }
            None => diagnostic.help(format!("give `{name}` in this block, or use a local for both")),
        });
    }

    pub(super) fn entity_reference(&mut self, word: &str, name: &str, range: TextRange) -> Option<Value> {
        let nest = Nest::try_get(self.db)?;
        let index = index(self.db, nest);
        let found = index.find(EntityKind::Egg, name);
        if found.is_empty() {
            if self.other_subject(word, name, range) {
                return None;
            }
            if !index.is_complete() {
                // It may stand in what could not be understood, which has been told.
                return None;
            }
            let mut names: Vec<&str> = index.names(EntityKind::Egg).collect();
            names.sort_unstable();
            let diagnostic = Diagnostic::new(
                &UNKNOWN_ENTITY,
                self.span(range),
                format!("there is no {word} `{name}` in this Nest"),
                "names nothing",
            )
            .note("eggs and buckets stand in Eggs/<name>/config.fly");
            self.diagnostics.push(match messages::nearest(name, names) {
                Some(nearest) => {
                    let word = if index.is_bucket(self.db, nearest) { "bucket" } else { "egg" };
                    let written = format!("{word}.{nearest}");
                    diagnostic.fix(format!("did you mean `{written}`?"), range, written)
                }
                None => diagnostic.help(format!("add `Eggs/{name}/config.fly`, or remove the name")),
            });
            return None;
        }
        if index.is_bucket(self.db, name) != (word == "bucket") {
            let other = if word == "egg" { "bucket" } else { "egg" };
            let written = format!("{other}.{name}");
            self.diagnostics.push(
                Diagnostic::new(
                    &UNKNOWN_ENTITY,
                    self.span(range),
                    format!("`{name}` is {}, not {}", article(other), article(word)),
                    format!("not {}", article(word)),
                )
                .fix(format!("write `{written}`"), range, written),
            );
            return None;
        }
        Some(Value::String(name.into()))
    }

    /// Something that leads back to itself: `way` is what was gone through, from `name` on.
    pub(super) fn circle(&mut self, word: &str, name: &str, range: TextRange, way: &[SmolStr]) {
        let way = way.iter().map(SmolStr::as_str).chain([name]);
        let way = way.map(|name| format!("{word}.{name}")).collect::<Vec<_>>().join("` → `");
        self.diagnostics.push(
            Diagnostic::new(
                &CYCLIC_DEFINITION,
                self.span(range),
                format!("`{name}` is defined by itself"),
                "leads back to itself",
            )
            .note(format!("the way is `{way}`"))
            .help("give one of them a value of its own"),
        );
    }
}

fn article(word: &str) -> &'static str {
    if word == "egg" { "an egg" } else { "a bucket" }
}
