//! What is told of what was done: the audit record, the log and the metrics.

use serde_json::{Value as Json, json};
use uuid::{NoContext, Timestamp, Uuid};

use crate::{
    domain::{PoolKind, Runner, State, Time},
    records::AuditEntry,
    roles::Context,
};

/// An entry of the audit record.
pub(super) fn entry(
    now: Time,
    actor: &str,
    action: &str,
    (resource_type, resource): (&str, &str),
    details: Json,
) -> AuditEntry {
    let millis = now.as_millis();
    let nanos = u32::try_from(millis % 1000).unwrap_or(0) * 1_000_000;
    AuditEntry {
        id: Uuid::new_v7(Timestamp::from_unix(NoContext, millis / 1000, nanos)).to_string(),
        at: now,
        actor: actor.to_owned(),
        action: action.to_owned(),
        resource_type: resource_type.to_owned(),
        resource: resource.to_owned(),
        details,
    }
}

/// The state as people see it: one that is wanted awake and is not yet is on its way.
pub(super) fn name_of(runner: &Runner) -> &'static str {
    match runner.state {
        State::Nadir if runner.pool == PoolKind::Apex => "waking",
        state => state.name(),
    }
}

/// The entry of a runner's change.
pub(super) fn change(
    now: Time,
    actor: &str,
    action: &str,
    before: &Runner,
    after: &Runner,
    why: &str,
) -> AuditEntry {
    let details = json!({ "egg": after.egg, "from": name_of(before), "to": name_of(after), "why": why });
    entry(now, actor, action, ("runner", after.id.as_str()), details)
}

/// Tells the log and the metrics that a runner has changed; a change that was only counted is told nobody.
pub(super) fn changed(context: &Context, before: &Runner, after: &Runner, why: &str) {
    let (from, to) = (name_of(before), name_of(after));
    if from != to {
        context.metrics.transitions.with_label_values(&[from, to]).inc();
        tracing::info!(runner = after.id.as_str(), egg = after.egg, from, to, why, "a runner has changed");
    }
}
