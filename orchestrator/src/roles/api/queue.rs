//! `/queue`: how much waits, what was given up, and trying that again.

use axum::{Json, extract::State, http::StatusCode};

use super::{
    Api,
    auth::{Caller, Operate, Read},
    page,
    problem::{Answer, Asked, At},
};
use crate::{
    ports::{queue::Dead, store::Cursor},
    records::{self, AuditEntry},
    roles::Work,
    wire::{Accepted, DeadMessage, Page, Problem, QueueCounts},
};

/// The most messages that were given up that are looked through.
const MOST: usize = 10_000;

/// How many messages there are.
#[utoipa::path(
    get, path = "/queue", tag = "operators", security(("token" = ["read"])),
    responses((status = 200, body = QueueCounts), (status = 401, body = Problem), (status = 403, body = Problem))
)]
pub(super) async fn counts(_: Caller<Read>, State(api): State<Api>) -> Answer<Json<QueueCounts>> {
    counted(&api).await.map(Json)
}

pub(super) async fn counted(api: &Api) -> Answer<QueueCounts> {
    let [waiting, working, dead] = api.context.ports.queue.counts().await?;
    Ok(QueueCounts { waiting, working, dead })
}

/// The messages that were given up, the last first.
#[utoipa::path(
    get, path = "/queue/dead", tag = "operators", params(page::Paging), security(("token" = ["read"])),
    responses(
        (status = 200, body = Page<DeadMessage>),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem),
    )
)]
pub(super) async fn dead(
    _: Caller<Read>,
    State(api): State<Api>,
    Asked(paging): Asked<page::Paging>,
) -> Answer<Json<Page<DeadMessage>>> {
    let limit = paging.limit()?;
    let after = paging.after("dead")?;
    let found = api.context.ports.queue.dead(MOST).await?;
    // The page begins behind the message that the one before ended with; when that has gone, with the first.
    let begin = after.and_then(|Cursor(last)| found.iter().position(|dead| dead.id == last));
    let rest = begin.map_or(&found[..], |last| &found[last + 1..]);
    let shown = &rest[..limit.min(rest.len())];
    let last = shown.last().filter(|_| shown.len() < rest.len());
    let next = page::next("dead", last.map(|last| Cursor(last.id.clone())));
    Ok(Json(Page { items: shown.iter().map(view).collect(), next }))
}

/// A message that was given up is tried again, as if it were new.
#[utoipa::path(
    post, path = "/queue/dead/{id}/replay", tag = "operators", params(("id" = String, Path)),
    security(("token" = ["operate"])),
    responses(
        (status = 202, body = Accepted), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
    )
)]
pub(super) async fn replay(
    caller: Caller<Operate>,
    State(api): State<Api>,
    At(id): At<String>,
) -> Answer<(StatusCode, Json<Accepted>)> {
    api.context.ports.queue.replay(&id).await?;
    let entry =
        AuditEntry::new(api.now(), &caller.actor, "queue.replay", ("message", &id), serde_json::json!({}));
    api.store().commit(vec![records::insert(&entry)]).await?;
    Ok((StatusCode::ACCEPTED, Json(Accepted { new: true })))
}

/// A message as operators see it. Its body may hold what others than they wrote: it stays inside.
fn view(dead: &Dead) -> DeadMessage {
    let subject = match serde_json::from_str::<Work>(&dead.body) {
        Ok(Work::Hook { eggs, .. }) => eggs,
        Ok(Work::Deploy { egg } | Work::Rollback { egg, .. } | Work::Rotate { egg }) => vec![egg],
        Ok(Work::Trigger { job, .. }) => vec![format!("jobs/{job}")],
        Ok(Work::Sync { .. } | Work::Sweep | Work::Decide) | Err(_) => Vec::new(),
    };
    DeadMessage {
        id: dead.id.clone(),
        kind: dead.kind.clone(),
        subject,
        reason: dead.reason.clone(),
        attempts: dead.attempts,
        at: dead.at.into(),
    }
}
