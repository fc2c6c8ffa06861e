//! A plan for programs, as `docs/src/plan.md` fixes it.

use serde::Serialize;

use super::{Action, Against, Effect, Kind, Plan};

#[derive(Serialize)]
struct Root<'a> {
    against: &'a str,
    commit: &'a str,
    notes: &'a [String],
    summary: Summary,
    changes: Vec<Change<'a>>,
    not_compared: Vec<Unknown<'a>>,
}

#[derive(Serialize)]
struct Summary {
    added: usize,
    changed: usize,
    removed: usize,
}

#[derive(Serialize)]
struct Change<'a> {
    kind: Kind,
    name: &'a str,
    action: Action,
    file: &'a str,
    effect: Effect,
    consequence: &'a str,
    attributes: Vec<Attribute<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct Attribute<'a> {
    path: &'a str,
    old: Option<&'a str>,
    new: Option<&'a str>,
    effect: Effect,
    why: &'a str,
}

#[derive(Serialize)]
struct Unknown<'a> {
    name: &'a str,
    file: &'a str,
}

/// The plan as one JSON object.
pub fn json(plan: &Plan, against: &Against) -> serde_json::Result<String> {
    let root = Root {
        against: &against.revision,
        commit: &against.commit,
        notes: &against.notes,
        summary: Summary {
            added: plan.count(Action::Added),
            changed: plan.count(Action::Changed),
            removed: plan.count(Action::Removed),
        },
        changes: plan
            .changes
            .iter()
            .map(|change| Change {
                kind: change.kind,
                name: &change.name,
                action: change.action,
                file: &change.file,
                effect: change.effect,
                consequence: &change.consequence,
                attributes: change
                    .attributes
                    .iter()
                    .map(|attribute| Attribute {
                        path: &attribute.path,
                        old: attribute.old.as_deref(),
                        new: attribute.new.as_deref(),
                        effect: attribute.effect,
                        why: attribute.why,
                    })
                    .collect(),
                notes: &change.notes,
            })
            .collect(),
        not_compared: plan
            .not_compared
            .iter()
            .map(|unknown| Unknown { name: &unknown.name, file: &unknown.source_file })
            .collect(),
    };
    serde_json::to_string_pretty(&root).map(|text| text + "\n")
}
