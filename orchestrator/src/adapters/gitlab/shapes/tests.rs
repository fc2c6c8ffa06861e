//! Words for failures, and what protects a branch.

use proptest::prelude::*;

use super::{covers, message};

#[test]
fn a_star_stands_for_anything() {
    for (pattern, name, covered) in [
        ("main", "main", true),
        ("main", "main2", false),
        ("main", "mai", false),
        ("*", "", true),
        ("*", "a/b", true),
        ("release/*", "release/1/2", true),
        ("release/*", "release", false),
        ("*-stable", "1-2-stable", true),
        ("*-stable", "1-stable-2", false),
        ("a*a", "a", false),
        ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "a-c-b", false),
    ] {
        assert_eq!(covers(pattern, name), covered, "{pattern} {name}");
    }
}

#[test]
fn every_form_of_a_message_is_read() {
    let said = |text: &str| message(text.as_bytes());
    assert_eq!(said(r#"{"message":"404 Not found"}"#).as_deref(), Some("404 Not found"));
    assert_eq!(
        said(r#"{"message":{"url":["is blocked","is bad"]}}"#).as_deref(),
        Some("url is blocked, is bad")
    );
    let scope = r#"{"error":"insufficient_scope","error_description":"more is needed","scope":"api"}"#;
    assert_eq!(said(scope).as_deref(), Some("more is needed"));
    assert_eq!(said("<html>"), None);
}

proptest! {
    #[test]
    fn what_a_pattern_was_made_of_is_covered(parts in proptest::collection::vec("[a-c/]{0,3}", 1..5), fill in "[a-c/]{0,3}") {
        prop_assert!(covers(&parts.join("*"), &parts.join(&fill)));
    }
}
