//! The event in a webhook, as much of it as is looked at before it goes into the queue.

use axum::http::HeaderMap;
use serde_json::Value as Body;
use sha2::{Digest, Sha256};
use url::Url;

use crate::seal;

/// The longest id of a delivery that is kept.
const LONGEST_ID: usize = 200;

/// Variables that the Nest's own schedules give their pipelines.
const OWN_VARIABLES: &str = "GOSLING_";

/// Of what an event tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Seen {
    /// The project.
    pub(super) project: Option<u64>,
    /// The host of the server that sends it, with its port unless it is the usual one.
    pub(super) server: Option<String>,
}

impl Seen {
    /// What an event tells.
    pub(super) fn of(event: &Body) -> Self {
        let project = ["/project_id", "/project/id"];
        let project = project.iter().find_map(|place| event.pointer(place)?.as_u64());
        let urls = ["/project/web_url", "/repository/homepage", "/project/homepage"];
        let server = urls.iter().find_map(|place| host(event.pointer(place)?.as_str()?));
        Self { project, server }
    }
}

fn host(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// Whether anything depends on an event. Pushes matter to the Nest alone, on its branch.
pub(super) fn is_of_interest(event: &Body, nest: Option<&str>) -> bool {
    match event.get("object_kind").and_then(Body::as_str) {
        Some("build" | "pipeline" | "merge_request") => true,
        Some("push") => nest.is_some_and(|branch| {
            let pushed =
                event.get("ref").and_then(Body::as_str).and_then(|text| text.strip_prefix("refs/heads/"));
            pushed == Some(branch)
        }),
        _ => false,
    }
}

/// Takes away what nobody needs: people, texts of commits, and the variables of pipelines, which may be secrets.
pub(super) fn strip(event: &mut Body) {
    forget_people(event);
    if let Some(variables) = event.pointer_mut("/object_attributes/variables").and_then(Body::as_array_mut) {
        variables.retain(|variable| {
            let name = variable.get("key").and_then(Body::as_str);
            name.is_some_and(|name| name.starts_with(OWN_VARIABLES))
        });
    }
}

/// Takes people and texts of commits away, wherever they stand.
fn forget_people(body: &mut Body) {
    match body {
        Body::Object(fields) => {
            fields.retain(|name, _| {
                !name.starts_with("user")
                    && !matches!(
                        name.as_str(),
                        "commit"
                            | "commits"
                            | "last_commit"
                            | "assignees"
                            | "reviewers"
                            | "changes"
                            | "labels"
                    )
            });
            fields.values_mut().for_each(forget_people);
        }
        Body::Array(items) => items.iter_mut().for_each(forget_people),
        _ => {}
    }
}

/// Which delivery it is.
pub(super) struct Delivery {
    /// GitLab's id.
    pub(super) id: String,
    /// What tells it from every other one of the same webhook.
    pub(super) key: String,
}

/// The delivery, by the header that this version of GitLab sends.
pub(super) fn delivery(headers: &HeaderMap, body: &[u8]) -> Option<Delivery> {
    let header = |name: &str| {
        let value = headers.get(name)?.to_str().ok()?.trim();
        (!value.is_empty() && value.len() <= LONGEST_ID).then(|| value.to_owned())
    };
    if let Some(id) = header("idempotency-key").or_else(|| header("webhook-id")) {
        return Some(Delivery { key: id.clone(), id });
    }
    // One id for all that one event and the hooks it set off led to: with what it says it is one delivery.
    let id = header("x-gitlab-event-uuid")?;
    Some(Delivery { key: format!("{id}/{}", seal::hex(&Sha256::digest(body))), id })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_may_be_secret_is_taken_away() {
        let mut event = json!({
            "object_kind": "pipeline", "user": { "email": "a@b.c" }, "user_name": "a", "commit": {}, "project": { "id": 7 },
            "object_attributes": { "id": 1, "variables": [
                { "key": "TOKEN", "value": "s3cret" }, { "key": "GOSLING_JOB", "value": "nightly" }
            ] }
        });
        strip(&mut event);
        let left = json!({
            "object_kind": "pipeline", "project": { "id": 7 },
            "object_attributes": { "id": 1, "variables": [{ "key": "GOSLING_JOB", "value": "nightly" }] }
        });
        assert_eq!(event, left);
    }

    #[test]
    fn recursive_hooks_are_deliveries_of_their_own() {
        let mut headers = HeaderMap::new();
        headers.insert("x-gitlab-event-uuid", "a".parse().unwrap());
        let key = |headers: &HeaderMap, body: &str| delivery(headers, body.as_bytes()).map(|found| found.key);
        assert_ne!(key(&headers, "1"), key(&headers, "2"));
        headers.insert("idempotency-key", "b".parse().unwrap());
        assert_eq!(key(&headers, "1"), key(&headers, "2"));
    }
}
