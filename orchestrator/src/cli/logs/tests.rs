//! What of the audit log is told, and how.

use serde_json::json;

use super::*;

fn entry(kind: &str, resource: &str, details: serde_json::Value) -> AuditView {
    AuditView {
        id: "1".to_owned(),
        at: Time::from_millis(1_763_719_200_123).into(),
        actor: "policy:demand".to_owned(),
        action: "runner.make".to_owned(),
        resource_type: kind.to_owned(),
        resource: resource.to_owned(),
        details,
    }
}

#[test]
fn an_entry_is_a_line_that_does_nothing_to_the_terminal() {
    let found =
        line(&entry("runner", "web-1", json!({ "egg": "web", "why": "a\u{1b}[2J\nb", "jobs": 2 })), false);
    expect(
        &found,
        "2025-11-21T10:00:00.123Z runner.make runner web-1 by policy:demand: egg web, jobs 2, why a\\u{1b}[2J\\nb\n",
    );
}

#[test]
fn entries_of_an_egg_are_those_of_its_runners_as_well() {
    assert!(is_of(&entry("egg", "web", json!({})), "web"));
    assert!(is_of(&entry("runner", "web-1", json!({ "egg": "web" })), "web"));
    assert!(!is_of(&entry("runner", "web", json!({ "egg": "api" })), "web"));
}

fn expect(found: &str, wanted: &str) {
    assert_eq!(found, wanted);
}
