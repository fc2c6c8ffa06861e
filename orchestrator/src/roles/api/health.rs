//! `GET /health`: whether the API is there, and whether everything is that it depends on.

use std::{collections::BTreeMap, time::Duration};

use axum::{Json, extract::State, http::HeaderMap, http::StatusCode};
use tokio::{sync::Mutex, time::Instant};

use super::{Api, auth, eggs, status};
use crate::{
    ports::store::Query,
    records::{self, EggRecord, Record, SyncStatus},
    wire::{Dependency, Health, Problem},
};

/// How long what was found is told.
const FRESH: Duration = Duration::from_secs(1);

/// How many looks at the repository are looked through for one that went well.
const SYNCS: usize = 50;

/// What was found last.
pub(super) type Found = Mutex<Option<(Instant, Health)>>;

/// Whether the API is live, which it is when it answers, and ready. Nobody needs a token; with one, each dependency tells
/// its version or what is wrong with it.
#[utoipa::path(
    get, path = "/health", tag = "health", security((), ("token" = ["read"])),
    responses((status = 200, body = Health))
)]
pub(super) async fn health(State(api): State<Api>, headers: HeaderMap) -> Json<Health> {
    Json(look(&api, &headers).await)
}

/// The same, for balancers: not ready is 503.
#[utoipa::path(
    get, path = "/health/ready", tag = "health", security((), ("token" = ["read"])),
    responses((status = 200, body = Health), (status = 503, body = Health), (status = 429, body = Problem))
)]
pub(super) async fn ready(State(api): State<Api>, headers: HeaderMap) -> (StatusCode, Json<Health>) {
    let health = look(&api, &headers).await;
    let status = if health.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(health))
}

async fn look(api: &Api, headers: &HeaderMap) -> Health {
    let mut found = api.health.lock().await;
    let mut health = match &*found {
        Some((then, health)) if then.elapsed() < FRESH => health.clone(),
        _ => {
            let health = ask(api).await;
            *found = Some((Instant::now(), health.clone()));
            health
        }
    };
    drop(found);
    if !auth::may_read(headers, &api.context.tokens()) {
        for dependency in health.dependencies.values_mut() {
            dependency.detail = None;
        }
    }
    health
}

async fn ask(api: &Api) -> Health {
    let ports = &api.context.ports;
    let one = Query { limit: 1, ..eggs::whole(EggRecord::TABLE) };
    let store = match records::query::<EggRecord>(&*ports.store, &one).await {
        Ok(_) => Dependency { ok: true, detail: None },
        Err(error) => Dependency { ok: false, detail: Some(error.to_string()) },
    };
    let queue = match ports.queue.counts().await {
        Ok([waiting, working, dead]) => Dependency {
            ok: true,
            detail: Some(format!("{waiting} wait, {working} worked on, {dead} given up")),
        },
        Err(error) => Dependency { ok: false, detail: Some(error.to_string()) },
    };
    let tofu = match ports.tofu.version().await {
        Ok(version) => Dependency { ok: true, detail: Some(version) },
        Err(error) => Dependency { ok: false, detail: Some(error.to_string()) },
    };
    let dependencies = BTreeMap::from([
        ("store".to_owned(), store),
        ("queue".to_owned(), queue),
        ("tofu".to_owned(), tofu),
        ("nest".to_owned(), nest(api).await),
    ]);
    Health {
        live: true,
        ready: dependencies.values().all(|dependency| dependency.ok),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        dependencies,
    }
}

/// Whether a Nest is in force.
async fn nest(api: &Api) -> Dependency {
    let Ok(syncs) = status::syncs(api, SYNCS).await else {
        return Dependency { ok: false, detail: Some("not known: the database is away".to_owned()) };
    };
    let applied = syncs.iter().find(|sync| sync.status == SyncStatus::Applied);
    let detail = match (applied, syncs.first()) {
        (Some(sync), _) => sync.commit.as_ref().map(|commit| format!("commit {commit}")),
        (None, Some(_)) => {
            Some("no commit of the Nest could be brought into force; see `gosling status`".to_owned())
        }
        (None, None) => Some("the Nest has not been looked at yet".to_owned()),
    };
    Dependency { ok: applied.is_some(), detail }
}
