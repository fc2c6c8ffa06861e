//! What the audit record tells of a runner that has changed.

use serde_json::json;

use crate::{
    domain::{Runner, Time},
    records::AuditEntry,
    roles::changes::name_of,
};

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
    AuditEntry::new(now, actor, action, ("runner", after.id.as_str()), details)
}
