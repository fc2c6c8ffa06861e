//! `POST /webhooks/gitlab`: who sent it, whether anything depends on it, and into the queue with it before the answer.

mod gate;
mod hook;
mod proof;

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::Value as Body;
use sha2::{Digest, Sha256};

pub(super) use gate::{Gates, Warmed};

use self::{hook::Seen, proof::Proof};
use super::{
    Api,
    problem::{Answer, Refusal},
};
use crate::{
    faults,
    ports::queue::Message,
    roles::Work,
    seal,
    wire::{HookAnswer, HookOutcome, Problem},
};

/// What everybody is told who isn't let in, whatever the reason.
const REFUSED: &str = "no egg of this installation has both this project and this secret; compare the webhook's secret in \
                       GitLab with the egg's `webhook_secret`";

/// A webhook of GitLab's. It is in the queue before it is answered; one that comes again does nothing again.
#[utoipa::path(
    post, path = "/webhooks/gitlab", tag = "gitlab",
    request_body(content = Object, content_type = "application/json", description = "The event, as GitLab sends it"),
    params(
        ("X-Gitlab-Token" = Option<String>, Header, description = "The webhook's secret"),
        ("webhook-signature" = Option<String>, Header, description = "Instead of it: `v1,` and the HMAC-SHA256 of `webhook-id.webhook-timestamp.body` in base64"),
        ("webhook-id" = Option<String>, Header, description = "The id that is signed"),
        ("webhook-timestamp" = Option<String>, Header, description = "Seconds since the epoch; no more than five minutes off"),
        ("Idempotency-Key" = Option<String>, Header, description = "The id of the delivery"),
    ),
    security(("webhook_token" = []), ("webhook_signature" = [])),
    responses(
        (status = 200, body = HookAnswer), (status = 403, body = Problem), (status = 413, body = Problem),
        (status = 429, body = Problem), (status = 503, body = Problem),
    )
)]
pub(super) async fn gitlab(State(api): State<Api>, headers: HeaderMap, body: Bytes) -> Response {
    let answer = take(&api, &headers, &body).await;
    let outcome = match &answer {
        Ok(HookAnswer { outcome: HookOutcome::Accepted }) => "accepted",
        Ok(HookAnswer { outcome: HookOutcome::Duplicate }) => "duplicate",
        Ok(HookAnswer { outcome: HookOutcome::Ignored }) => "ignored",
        Err(refusal) if refusal.status() == StatusCode::FORBIDDEN => "refused",
        Err(_) => "failed",
    };
    api.context.metrics.webhooks.with_label_values(&[outcome]).inc();
    answer.map(Json).into_response()
}

async fn take(api: &Api, headers: &HeaderMap, body: &Bytes) -> Answer<HookAnswer> {
    let refused = || Refusal::forbidden(REFUSED);
    let now = api.now();
    let proof = Proof::of(headers, body, now).ok_or_else(refused)?;
    let mut event: Body = serde_json::from_slice(body).map_err(|_| refused())?;
    let seen = Seen::of(&event);
    let owners = api.gates.open(&api.context, &proof, &seen).await?.ok_or_else(refused)?;
    let answer = |outcome| Ok(HookAnswer { outcome });
    let nest = owners.nest && hook::is_of_interest(&event, Some(&api.context.settings.nest.branch));
    let eggs = !owners.eggs.is_empty() && hook::is_of_interest(&event, None);
    if !nest && !eggs {
        return answer(HookOutcome::Ignored);
    }
    hook::strip(&mut event);
    let delivery = hook::delivery(headers, body);
    let message = |eggs: Vec<String>, body: Body| -> Message {
        let key = delivery.as_ref().map(|delivery| key(&eggs, &delivery.key));
        let delivery = delivery.as_ref().map(|delivery| delivery.id.clone());
        Work::Hook { eggs, delivery, at: now, body }.message(key)
    };
    let messages = match (nest, eggs) {
        (true, true) => vec![message(Vec::new(), event.clone()), message(owners.eggs, event)],
        (true, false) => vec![message(Vec::new(), event)],
        _ => vec![message(owners.eggs, event)],
    };
    let new = api.context.ports.queue.put(messages).await?;
    faults::point("after-enqueue");
    answer(if new.contains(&true) { HookOutcome::Accepted } else { HookOutcome::Duplicate })
}

/// What keeps a second message out. Nobody else's deliveries are in the way, whatever ids they have.
fn key(eggs: &[String], delivery: &str) -> String {
    let mut digest = Sha256::new();
    for part in eggs.iter().map(String::as_str).chain(["", delivery]) {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    format!("hook/{}", seal::hex(&digest.finalize()))
}
