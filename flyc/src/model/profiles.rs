//! Profiles: what eggs and buckets inherit.
//!
//! What an egg inherits stands in its typed block as if it were its own, with the name of the profile; its position is
//! that of `extends` in the egg, so that nothing of an egg moves when a profile does.

use std::{collections::BTreeMap, sync::Arc};

use fly_std::{Value, schema};
use smol_str::SmolStr;

use super::{
    blocks::Checker,
    definitions::{self, NEST_FILE},
    ir::TypedBlock,
    messages, names,
    references::{CYCLIC_DEFINITION, UNKNOWN_NAME, dotted},
    typed,
    values::Want,
};
use crate::{
    db::{Db, Nest},
    diag::Diagnostic,
    syntax::{Expr, NodeKind},
    text::TextRange,
};

/// A profile with what it inherits itself, without positions.
#[allow(clippy::needless_pass_by_value, reason = "salsa keeps the name")]
#[salsa::tracked(returns(ref))]
pub fn profile(db: &dyn Db, nest: Nest, name: SmolStr) -> Option<Arc<TypedBlock>> {
    let file = nest.find(db, NEST_FILE)?;
    let own = |name: &str| {
        let blocks = &typed(db, file).blocks;
        blocks.iter().find(|block| block.name == "profile" && block.label.as_deref() == Some(name))
    };
    let mut merged = own(&name)?.clone();
    forget_places(&mut merged, &name);
    // A circle has been told; it adds nothing more.
    let mut seen = vec![name];
    while let Some(next) = extended(merged.value("extends")) {
        merged.attributes.retain(|attribute| attribute.name != "extends");
        let Some(mut block) = own(&next).filter(|_| !seen.contains(&next)).cloned() else { break };
        forget_places(&mut block, &next);
        seen.push(next);
        inherit(&mut merged, &block, TextRange::default());
    }
    merged.attributes.retain(|attribute| attribute.name != "extends");
    Some(Arc::new(merged))
}

/// The names of the eggs and buckets that extend each profile, by way of others too, in the order of the alphabet.
#[salsa::tracked(returns(ref))]
pub fn profile_users(db: &dyn Db, nest: Nest) -> Arc<BTreeMap<SmolStr, Vec<SmolStr>>> {
    let mut users: BTreeMap<SmolStr, Vec<SmolStr>> = BTreeMap::new();
    let parents = parents(db, nest);
    for (.., outline) in names::outlines(db, nest) {
        for block in outline.blocks.iter() {
            let (Some("egg" | "eggsbucket"), Some(label)) = (block.keyword, &block.label) else { continue };
            let mut used = block.extends.as_ref();
            let mut steps = parents.len();
            while let Some(profile) = used {
                users.entry(profile.clone()).or_default().push(label.clone());
                used = parents.get(profile).filter(|_| steps > 0);
                steps = steps.saturating_sub(1);
            }
        }
    }
    for names in users.values_mut() {
        names.sort_unstable();
        names.dedup();
    }
    Arc::new(users)
}

/// Which profile each profile extends.
fn parents(db: &dyn Db, nest: Nest) -> BTreeMap<SmolStr, SmolStr> {
    let Some(file) = nest.find(db, NEST_FILE) else { return BTreeMap::new() };
    let blocks = names::outline(db, file).blocks.iter().filter(|block| block.keyword == Some("profile"));
    blocks.filter_map(|block| Some((block.label.clone()?, block.extends.clone()?))).collect()
}

fn extended(value: Option<&Value>) -> Option<SmolStr> {
    value.and_then(Value::as_str).map(SmolStr::new)
}

/// Takes the positions out of a profile, and writes its name on what it gives.
fn forget_places(block: &mut TypedBlock, profile: &SmolStr) {
    let nowhere = TextRange::default();
    block.header = nowhere;
    block.label_range = None;
    for attribute in &mut block.attributes {
        attribute.name_range = nowhere;
        attribute.range = nowhere;
        attribute.elements = Box::default();
        let flow = attribute.flow.get_or_insert_default();
        Arc::make_mut(flow).profile.get_or_insert_with(|| profile.clone());
    }
    block.blocks.iter_mut().for_each(|block| forget_places(block, profile));
}

/// Adds what a block does not give itself, as standing `at`.
pub(super) fn inherit(block: &mut TypedBlock, from: &TypedBlock, at: TextRange) {
    for attribute in &from.attributes {
        if block.attribute(&attribute.name).is_none() && attribute.name != "extends" {
            let mut attribute = attribute.clone();
            attribute.name_range = at;
            attribute.range = at;
            block.attributes.push(attribute);
        }
    }
    for child in &from.blocks {
        if let Some(own) = block.blocks.iter_mut().find(|own| own.name == child.name) {
            inherit(own, child, at);
        } else if let Some(schema) = block.schema.child(&child.name).map(|child| child.block) {
            let mut copy = TypedBlock {
                schema,
                header: at,
                attributes: Vec::new(),
                blocks: Vec::new(),
                ..child.clone()
            };
            inherit(&mut copy, child, at);
            block.blocks.push(copy);
        }
    }
}

impl Checker<'_> {
    /// `extends = profile.NAME`
    pub(super) fn profile_name(&mut self, expr: Expr<'_>, want: Want<'_>) -> Option<Value> {
        let nest = Nest::try_get(self.db);
        let file = nest.and_then(|nest| nest.find(self.db, NEST_FILE));
        let blocks = file.map_or(&[][..], |file| &*names::outline(self.db, file).blocks);
        let profiles = blocks.iter().filter(|block| block.keyword == Some("profile"));
        let names: Vec<&str> = profiles.filter_map(|block| block.label.as_deref()).collect();
        let Some(("profile", name)) = dotted(expr) else {
            let text = expr.text().trim_matches('"');
            let written = text.rsplit('.').next().unwrap_or(text);
            let diagnostic = self.mismatch_diagnostic(expr.range(), found(expr), want);
            self.diagnostics.push(if names.contains(&written) {
                let meant = format!("profile.{written}");
                diagnostic.fix(format!("write `{meant}`"), expr.range(), meant)
            } else {
                diagnostic
            });
            return None;
        };
        if names.contains(&name) {
            return Some(Value::String(name.into()));
        }
        let diagnostic = Diagnostic::new(
            &UNKNOWN_NAME,
            self.span(expr.range()),
            format!("there is no profile `{name}`"),
            "not defined",
        )
        .note("profiles stand in `nest.fly`");
        self.diagnostics.push(match messages::nearest(name, names) {
            Some(nearest) => diagnostic.fix(
                format!("did you mean `profile.{nearest}`?"),
                expr.range(),
                format!("profile.{nearest}"),
            ),
            None => diagnostic.help(format!("add `profile \"{name}\" {{ … }}` to `nest.fly`")),
        });
        None
    }

    /// Gives an egg or bucket what its profile gives it.
    pub(super) fn extend(&mut self, block: &mut TypedBlock) {
        let Some(attribute) = block.attribute("extends") else { return };
        let at = attribute.range;
        let profile = match (Nest::try_get(self.db), extended(attribute.value.as_ref())) {
            (Some(nest), Some(name)) => profile(self.db, nest, name).clone(),
            _ => None,
        };
        let Some(profile) = profile else {
            // What is missing might have come from there.
            block.damaged = true;
            return;
        };
        if profile.damaged {
            block.damaged = true;
        }
        if let Some(gitlab) = profile.block("gitlab")
            && block
                .schema
                .child("gitlab")
                .is_some_and(|child| matches!(child.times, schema::Times::Never(_)))
        {
            let name = profile.label.clone().unwrap_or_default();
            let mut diagnostic = Diagnostic::new(
                &super::MISPLACED_BLOCK,
                self.span(at),
                format!("`profile.{name}` has a `{}` block, which has no place in a bucket", gitlab.name),
                "brings `gitlab` along",
            )
            .note("each repository of a bucket has its own `gitlab` block")
            .help("move `gitlab` into a profile of its own, for eggs");
            if let Some(span) = definitions::header(self.db, "profile", &name) {
                diagnostic = diagnostic.related(span, "the profile is defined here");
            }
            self.report(diagnostic);
            let mut without = (*profile).clone();
            without.blocks.retain(|block| block.name != "gitlab");
            inherit(block, &without, at);
            return;
        }
        inherit(block, &profile, at);
    }

    /// A profile that leads back to itself, told once for each circle.
    pub(super) fn profile_circle(&mut self, block: &TypedBlock) {
        let (Some(name), Some(attribute)) = (&block.label, block.attribute("extends")) else { return };
        let Some(nest) = Nest::try_get(self.db) else { return };
        let parents = parents(self.db, nest);
        let mut way = vec![name.clone()];
        while let Some(next) = way.last().and_then(|last| parents.get(last)) {
            if next == name {
                let first = way.iter().min() == Some(name);
                if first {
                    let steps = way.iter().chain([name]).map(|name| format!("profile.{name}"));
                    let steps = steps.collect::<Vec<_>>().join("` → `");
                    self.report(
                        Diagnostic::new(
                            &CYCLIC_DEFINITION,
                            self.span(attribute.range),
                            format!("the profile `{name}` extends itself"),
                            "leads back to itself",
                        )
                        .note(format!("the way is `{steps}`"))
                        .help("let one of them stand without `extends`"),
                    );
                }
                return;
            }
            if way.contains(next) {
                return;
            }
            way.push(next.clone());
        }
    }
}

fn found(expr: Expr<'_>) -> &'static str {
    match expr.node().kind() {
        NodeKind::Literal if expr.text().starts_with('"') => "a string",
        NodeKind::Literal => "another value",
        NodeKind::Name => "a bare word",
        NodeKind::List => "a list",
        _ => "an expression",
    }
}
