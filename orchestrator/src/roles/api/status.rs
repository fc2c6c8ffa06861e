//! `GET /status`: what `gosling status` shows.

use std::collections::BTreeMap;

use axum::{Json, extract::State};

use super::{
    Api, audit,
    auth::{Caller, Read},
    eggs::{self, LISTED},
    problem::Answer,
    queue, rotate,
    runners::word,
    why,
};
use crate::{
    domain::{JobStatus, State as RunnerState},
    ports::store::Query,
    records::{self, EggRecord, JobRecord, Record, RunnerRecord, SyncRecord},
    wire::{EggSummary, Problem, Status, SyncView},
};

/// How many looks at the repository, and how many changes, are shown.
const SYNCS: usize = 10;
const TRANSITIONS: usize = 20;

/// So many entries are looked through for each of them.
const READS: usize = 5;

/// Everything at a glance.
#[utoipa::path(
    get, path = "/status", tag = "operators", security(("token" = ["read"])),
    responses((status = 200, body = Status), (status = 401, body = Problem), (status = 403, body = Problem))
)]
pub(super) async fn status(_: Caller<Read>, State(api): State<Api>) -> Answer<Json<Status>> {
    let (store, now) = (api.store(), api.now());
    let mut runners: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for runner in records::all::<RunnerRecord>(store, None, None).await? {
        let runner = runner.record.runner;
        if runner.state != RunnerState::Terminated {
            *runners.entry(runner.egg).or_default().entry(runner.state.name().to_owned()).or_default() += 1;
        }
    }
    let jobs = records::all::<JobRecord>(store, None, None).await?.into_iter().map(|job| job.record);
    let mut waiting: Vec<_> = jobs.filter(|job| job.job.status == JobStatus::Pending).collect();
    waiting.sort_by(|a, b| (a.job.since, &a.id).cmp(&(b.job.since, &b.id)));
    let mut waits: BTreeMap<&str, u64> = BTreeMap::new();
    for job in &waiting {
        *waits.entry(job.job.egg.as_deref().unwrap_or_default()).or_default() += 1;
    }
    let all = records::all::<EggRecord>(store, None, None).await?.into_iter().map(|egg| egg.record);
    let summaries = all.map(|egg| EggSummary {
        runners: runners.remove(&egg.name).unwrap_or_default(),
        waiting: waits.get(egg.name.as_str()).copied().unwrap_or_default(),
        concurrent: eggs::concurrent(&egg),
        commit: egg.commit.clone(),
        paused: egg.paused,
        removed: egg.removed,
        rolled_back: eggs::rolled_back(&egg),
        retry_at: egg.retry_at.map(Into::into),
        error: egg.error.clone(),
        unlinked: egg.is_unlinked(),
        rotation: egg.rotating().map(rotate::view),
        name: egg.name,
    });
    // One that has left the Nest is shown while something of it is there.
    let summaries = summaries.filter(|egg| !egg.removed || !egg.runners.is_empty() || egg.error.is_some());
    let summaries = summaries.collect();
    // Secrets are read all the time, which changes nothing and would hide what does.
    let (mut transitions, _) = audit::last(store, now, None, TRANSITIONS * READS).await?;
    transitions.retain(|entry| !matches!(entry.record.action.as_str(), "secret.read" | "secret.write"));
    transitions.truncate(TRANSITIONS);
    Ok(Json(Status {
        at: now.into(),
        nest: api.context.settings.nest.name.clone(),
        syncs: syncs(&api, SYNCS).await?.into_iter().map(sync).collect(),
        eggs: summaries,
        waiting: waiting.iter().take(LISTED).map(why::view).collect(),
        waiting_total: u64::try_from(waiting.len()).unwrap_or(u64::MAX),
        transitions: transitions.into_iter().map(|entry| audit::view(entry.record)).collect(),
        queue: queue::counted(&api).await?,
    }))
}

/// The last looks at the Nest's repository, the last first.
pub(super) async fn syncs(api: &Api, limit: usize) -> Answer<Vec<SyncRecord>> {
    // Their ids are in the order of time.
    let wanted = Query { descending: true, limit, ..eggs::whole(SyncRecord::TABLE) };
    let found = records::query::<SyncRecord>(api.store(), &wanted).await?;
    Ok(found.records.into_iter().map(|sync| sync.record).collect())
}

fn sync(sync: SyncRecord) -> SyncView {
    SyncView {
        id: sync.id,
        commit: sync.commit,
        status: word(&sync.status),
        added: sync.changes.added,
        changed: sync.changes.changed,
        removed: sync.changes.removed,
        message: sync.message,
        at: sync.at.into(),
    }
}
