//! Names within `mothergoose`: each part has one of its own, and who names a part names one that is there.
//!
//! A part that is left out is there with its default name. What never lives here: endpoints of the API.

use fly_std::{
    Value,
    formats::closest,
    schema::{self, Presence},
};
use rustc_hash::FxHashMap;

use super::{DUPLICATE_NAME, FileScope};
use crate::{
    artifact::Component,
    diag::{Diagnostic, declare_diagnostic},
    model::TypedBlock,
    text::TextRange,
};

declare_diagnostic! { pub UNKNOWN_PART = "unknown-part", Error, "the name of a queue, service or account that does not exist" }

/// A part that can be named.
struct Part {
    /// Its name; none when what was written is wrong, so that any name may be its.
    name: Option<String>,
    /// Where the name is written.
    written: Option<TextRange>,
}

/// The parts of one kind.
struct Parts {
    parts: Vec<Part>,
    /// Something of them was not understood, so a name that seems missing may be there.
    damaged: bool,
}

impl Parts {
    fn of<'a>(
        blocks: impl IntoIterator<Item = &'a TypedBlock>,
        name: impl Fn(&TypedBlock) -> Option<String>,
    ) -> Self {
        let mut all = Self { parts: Vec::new(), damaged: false };
        for block in blocks {
            all.damaged |= block.damaged || block.meant.contains(&"name");
            all.parts.push(match block.attribute("name") {
                Some(attribute) => Part {
                    name: attribute.value.as_ref().and_then(Value::as_str).map(str::to_owned),
                    written: Some(attribute.range),
                },
                None => Part { name: name(block), written: None },
            });
        }
        all
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| part.name.as_deref())
    }

    /// Whether every name is known.
    fn known(&self) -> bool {
        !self.damaged && self.parts.iter().all(|part| part.name.is_some())
    }
}

pub(super) fn check(scope: &FileScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for root in scope.blocks.iter().filter(|block| block.name == "mothergoose") {
        let services = services(root);
        let queues = root.block("message_queues");
        let dead = queues.into_iter().flat_map(|queues| queues.blocks("dead_letter_queue"));
        let mut dead = Parts::of(dead, |_| None);
        dead.damaged |= unclear(root, "message_queues")
            || queues.is_some_and(|queues| unclear(queues, "dead_letter_queue"));
        let working = queues.into_iter().flat_map(|queues| &queues.blocks);
        let every_queue = Parts::of(working, |block| default_name(block.schema));
        let within = |name: &str| root.block(name).map_or(&[][..], |block| &block.blocks);
        let mut accounts = Parts::of(within("service_accounts"), |block| Some(derived(block, "-sa")));
        accounts.damaged |= unclear(root, "service_accounts")
            || root.block("service_accounts").is_some_and(|block| block.damaged);
        let triggers = Parts::of(within("triggers"), |block| Some(derived(block, "-trigger")));

        for (parts, noun) in [
            (&services, "services"),
            (&every_queue, "queues"),
            (&accounts, "accounts"),
            (&triggers, "triggers"),
        ] {
            twice(scope, parts, noun, diagnostics);
        }
        for (attribute, parts, words) in [
            (
                "dead_letter_queue",
                &dead,
                ("queue for messages that failed", "add a block `dead_letter_queue`"),
            ),
            ("service_account", &accounts, ("service account", "add a block to `service_accounts`")),
            ("target_function", &services, ("service", "name one of the services, or leave it out")),
        ] {
            named(scope, root, attribute, (parts, words), diagnostics);
        }
    }
}

/// The services, which are there even when not written.
fn services(root: &TypedBlock) -> Parts {
    let mut all = Parts { parts: Vec::new(), damaged: false };
    for name in Component::service_names() {
        all.damaged |= unclear(root, name);
        match root.block(name) {
            Some(block) => {
                let one = Parts::of([block], |block| default_name(block.schema));
                all.damaged |= one.damaged;
                all.parts.extend(one.parts);
            }
            None => {
                let schema = root.schema.child(name).map(|child| child.block);
                all.parts.push(Part { name: schema.and_then(default_name), written: None });
            }
        }
    }
    all
}

fn default_name(schema: &schema::Block) -> Option<String> {
    match schema.attribute("name")?.presence {
        Presence::Default(text) => Some(text.trim_matches('"').to_owned()),
        Presence::Required | Presence::Optional | Presence::Derived(_) => None,
    }
}

/// The name that follows from that of the block.
fn derived(block: &TypedBlock, end: &str) -> String {
    format!("{}{end}", block.name.replace('_', "-"))
}

/// Whether a block within may be there although it was not understood as such.
fn unclear(block: &TypedBlock, inner: &str) -> bool {
    block.damaged || block.meant.contains(&inner)
}

/// Names that two parts of a kind have.
fn twice(scope: &FileScope<'_>, parts: &Parts, noun: &str, diagnostics: &mut Vec<Diagnostic>) {
    // A part that was never closed may be what is left of the next.
    if parts.damaged {
        return;
    }
    let mut seen: FxHashMap<&str, Option<TextRange>> = FxHashMap::default();
    // A default is never what is wrong, so those that are written come last.
    let mut order: Vec<&Part> = parts.parts.iter().collect();
    order.sort_by_key(|part| part.written.map(TextRange::start));
    for part in order {
        let Some(name) = part.name.as_deref() else { continue };
        let (Some(before), Some(range)) = (seen.insert(name, part.written), part.written) else { continue };
        let diagnostic = Diagnostic::new(
            &DUPLICATE_NAME,
            scope.span(range),
            format!("two {noun} are named \"{name}\""),
            "given again here",
        )
        .note("the cloud tells them apart by their names");
        diagnostics.push(match before {
            Some(before) => diagnostic
                .related(scope.span(before), "first given here")
                .help("give one of them another name"),
            None => diagnostic
                .note(format!("\"{name}\" is what another has when nothing is written"))
                .help("give it another name"),
        });
    }
}

/// Attributes that name a part which is not there.
fn named(
    scope: &FileScope<'_>,
    root: &TypedBlock,
    attribute: &str,
    (parts, (noun, remedy)): (&Parts, (&str, &str)),
    diagnostics: &mut Vec<Diagnostic>,
) {
    for written in root.walk().into_iter().filter_map(|block| block.attribute(attribute)) {
        let Some(name) = written.value.as_ref().and_then(Value::as_str) else { continue };
        if !parts.known() || parts.names().any(|known| known == name) {
            continue;
        }
        let diagnostic = Diagnostic::new(
            &UNKNOWN_PART,
            scope.span(written.range),
            format!("there is no {noun} named `{name}`"),
            "names nothing",
        );
        // The name of a block is easily taken for the name it gives.
        let nearest = parts
            .names()
            .find(|known| known.strip_prefix(name).is_some_and(|rest| rest == "-sa"))
            .or_else(|| closest(name, parts.names()));
        diagnostics.push(match nearest {
            Some(nearest) => diagnostic.fix(
                format!("did you mean `\"{nearest}\"`?"),
                written.range,
                format!("\"{nearest}\""),
            ),
            None => diagnostic.help(remedy),
        });
    }
}
