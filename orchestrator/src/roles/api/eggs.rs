//! `/eggs`: what the Nest has, how it is doing, and stopping it. The name of a job is written with `%2F`:
//! `/eggs/jobs%2Fnightly`.

use std::collections::BTreeMap;

use axum::{Json, extract::State, http::HeaderMap, http::StatusCode};
use flyc::artifact::{Cloud, EggKind, Repository, Runner as RunnerConfig, RunnerType};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Api,
    auth::{Caller, Operate, Read},
    page, plans,
    problem::{Answer, Asked, At, Refusal},
    rotate,
    runners::{TRIES, word},
    why,
    work::{self, Taken},
};
use crate::{
    domain::{JobStatus, State as RunnerState},
    ports::{
        gitlab::Place,
        store::{Query, StoreError, Value},
    },
    records::{self, AuditEntry, EggRecord, JobRecord, PlanRecord, Record, RunnerRecord, Served, Versioned},
    roles::Work,
    settings::NestSettings,
    wire::{
        EggStatus, EggView, GitlabView, Page, PlanView, Problem, RepositoryView, RollbackRequest, RolledBack,
    },
};

/// The most jobs that are listed one by one.
pub(super) const LISTED: usize = 100;

/// Which eggs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Also those that are in the Nest no longer.
    #[serde(default)]
    removed: bool,
}

/// The eggs, buckets and jobs of the Nest, by name.
#[utoipa::path(
    get, path = "/eggs", tag = "operators", params(Which, page::Paging), security(("token" = ["read"])),
    responses(
        (status = 200, body = Page<EggView>),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem),
    )
)]
pub(super) async fn list(
    _: Caller<Read>,
    State(api): State<Api>,
    Asked(which): Asked<Which>,
    Asked(paging): Asked<page::Paging>,
) -> Answer<Json<Page<EggView>>> {
    let list = if which.removed { "eggs/all" } else { "eggs" };
    let nest = &api.context.settings.nest;
    let fit = |egg: EggRecord| (which.removed || !egg.removed).then(|| view(&egg, nest));
    Ok(Json(page::full(api.store(), list, &paging, whole(EggRecord::TABLE), fit).await?))
}

/// A page of a whole table.
pub(super) fn whole(table: crate::ports::store::Table) -> Query {
    Query {
        table,
        index: None,
        partition: None,
        from: None,
        until: None,
        descending: false,
        limit: 1,
        after: None,
    }
}

/// An egg.
#[utoipa::path(
    get, path = "/eggs/{name}", tag = "operators", params(("name" = String, Path)), security(("token" = ["read"])),
    responses(
        (status = 200, body = EggView),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    )
)]
pub(super) async fn show(
    _: Caller<Read>,
    State(api): State<Api>,
    At(name): At<String>,
) -> Answer<Json<EggView>> {
    Ok(Json(view(&known(&api, &name).await?.record, &api.context.settings.nest)))
}

/// How an egg is doing: its runners, the jobs that wait for it, its last plan.
#[utoipa::path(
    get, path = "/eggs/{name}/status", tag = "operators", params(("name" = String, Path)),
    security(("token" = ["read"])),
    responses(
        (status = 200, body = EggStatus),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    )
)]
pub(super) async fn status(
    _: Caller<Read>,
    State(api): State<Api>,
    At(name): At<String>,
) -> Answer<Json<EggStatus>> {
    let egg = known(&api, &name).await?.record;
    let store = api.store();
    let partition = || Some(Value::Text(name.clone()));
    let mut runners: BTreeMap<String, u64> = BTreeMap::new();
    for runner in records::all::<RunnerRecord>(store, Some("egg_name_index"), partition()).await? {
        let state = runner.record.runner.state;
        if state != RunnerState::Terminated {
            *runners.entry(state.name().to_owned()).or_default() += 1;
        }
    }
    let jobs = records::all::<JobRecord>(store, Some("egg_name_index"), partition()).await?;
    let jobs = jobs.into_iter().map(|job| job.record);
    let waiting: Vec<_> = jobs.filter(|job| job.job.status == JobStatus::Pending).collect();
    let last = plans::query(&name, 1, None);
    let plan = records::query::<PlanRecord>(store, &last).await?.records.into_iter().next();
    Ok(Json(EggStatus {
        egg: view(&egg, &api.context.settings.nest),
        runners,
        waiting_total: u64::try_from(waiting.len()).unwrap_or(u64::MAX),
        waiting: waiting.iter().take(LISTED).map(why::view).collect(),
        plan: plan.map(|plan| plans::view(&plan.record)),
    }))
}

/// The plans of an egg, the last first.
#[utoipa::path(
    get, path = "/eggs/{name}/plans", tag = "operators", params(("name" = String, Path), page::Paging),
    security(("token" = ["read"])),
    responses(
        (status = 200, body = Page<PlanView>), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem),
    )
)]
pub(super) async fn plans(
    _: Caller<Read>,
    State(api): State<Api>,
    At(name): At<String>,
    Asked(paging): Asked<page::Paging>,
) -> Answer<Json<Page<PlanView>>> {
    known(&api, &name).await?;
    plans::list(&api, &name, &paging).await.map(Json)
}

/// A plan of an egg.
#[utoipa::path(
    get, path = "/eggs/{name}/plans/{id}", tag = "operators",
    params(("name" = String, Path), ("id" = String, Path)), security(("token" = ["read"])),
    responses(
        (status = 200, body = PlanView),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    )
)]
pub(super) async fn plan(
    _: Caller<Read>,
    State(api): State<Api>,
    At((name, id)): At<(String, String)>,
) -> Answer<Json<PlanView>> {
    known(&api, &name).await?;
    Ok(Json(plans::view(&plans::known(&api, &name, &id).await?)))
}

/// An egg goes back to what an earlier plan had.
#[utoipa::path(
    post, path = "/eggs/{name}/rollback", tag = "operators", params(("name" = String, Path)),
    request_body = RollbackRequest, security(("token" = ["operate"])),
    responses(
        (status = 202, body = crate::wire::Accepted), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
    )
)]
pub(super) async fn rollback(
    caller: Caller<Operate>,
    State(api): State<Api>,
    At(name): At<String>,
    headers: HeaderMap,
    super::problem::Body(request): super::problem::Body<RollbackRequest>,
) -> Answer<Taken> {
    let egg = known(&api, &name).await?.record;
    let to = plans::to_go_back_to(&api, &egg, request.to.as_deref()).await?.plan.id;
    let details = serde_json::json!({ "to": to });
    let entry = AuditEntry::new(api.now(), &caller.actor, "egg.rollback", ("egg", &name), details);
    api.store().commit(vec![records::insert(&entry)]).await?;
    let work = Work::Rollback { egg: name, to: Some(to), actor: caller.actor.clone() };
    work::put(&api, &headers, &caller.actor, &work).await
}

/// No runner of an egg is made or woken any more; what runs is let finish.
#[utoipa::path(
    post, path = "/eggs/{name}/pause", tag = "operators", params(("name" = String, Path)),
    security(("token" = ["operate"])),
    responses(
        (status = 200, body = EggView),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    )
)]
pub(super) async fn pause(
    caller: Caller<Operate>,
    State(api): State<Api>,
    At(name): At<String>,
) -> Answer<(StatusCode, Json<EggView>)> {
    set_paused(&api, &name, &caller.actor, true).await
}

/// An egg that was stopped goes on.
#[utoipa::path(
    post, path = "/eggs/{name}/resume", tag = "operators", params(("name" = String, Path)),
    security(("token" = ["operate"])),
    responses(
        (status = 200, body = EggView),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    )
)]
pub(super) async fn resume(
    caller: Caller<Operate>,
    State(api): State<Api>,
    At(name): At<String>,
) -> Answer<(StatusCode, Json<EggView>)> {
    set_paused(&api, &name, &caller.actor, false).await
}

async fn set_paused(api: &Api, name: &str, actor: &str, paused: bool) -> Answer<(StatusCode, Json<EggView>)> {
    for _ in 0..TRIES {
        let mut egg = known(api, name).await?;
        let answer = |egg: &EggRecord| Ok((StatusCode::OK, Json(view(egg, &api.context.settings.nest))));
        if egg.record.paused == paused {
            return answer(&egg.record);
        }
        let now = api.now();
        egg.record.paused = paused;
        egg.record.updated = now;
        let action = if paused { "egg.pause" } else { "egg.resume" };
        let entry = AuditEntry::new(now, actor, action, ("egg", name), serde_json::json!({}));
        match api.store().commit(vec![egg.update(), records::insert(&entry)]).await {
            Ok(()) => {
                tracing::info!(egg = name, actor, paused, "an egg was stopped or goes on");
                work::put_own(api, &Work::Decide).await?;
                return answer(&egg.record);
            }
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Refusal::away(format!("others write `{name}` just now; try again")))
}

/// The egg with this name.
pub(super) async fn known(api: &Api, name: &str) -> Answer<Versioned<EggRecord>> {
    let found = records::get::<EggRecord>(api.store(), vec![Value::Text(name.to_owned())]).await?;
    found.ok_or_else(|| Refusal::missing(format!("there is no egg `{name}`; `gosling list eggs` shows them")))
}

/// What an egg serves; of a job, the Nest's own project.
pub(super) fn repositories(egg: &EggRecord, nest: &NestSettings) -> Vec<Repository> {
    match &egg.served {
        Served::Egg(config) => config.repositories.clone(),
        Served::Job(config) => vec![Repository {
            name: None,
            server: config.project.server.clone(),
            project_id: config.project.project_id.or(nest.project),
            group_id: None,
            api_token_secret: String::new(),
            token_secret: config.project.token_secret.clone(),
            webhook_secret: String::new(),
        }],
    }
}

/// The name of a repository's place, as [`EggRecord::registered`] has it.
pub(super) fn place(repository: &Repository) -> String {
    let place = repository.project_id.map(Place::Project).or(repository.group_id.map(Place::Group));
    place.map_or_else(|| repository.server.clone(), |place| records::place_key(&repository.server, place))
}

/// An egg as operators see it.
pub(super) fn view(egg: &EggRecord, nest: &NestSettings) -> EggView {
    let (kind, runner_type, cloud, runner, schedule): (_, RunnerType, &Cloud, &RunnerConfig, _) =
        match &egg.served {
            Served::Egg(config) => {
                let kind = match config.kind {
                    EggKind::Egg => "egg",
                    EggKind::Bucket => "bucket",
                };
                (kind, config.runner_type, &config.cloud, &config.runner, None)
            }
            Served::Job(config) => {
                let schedule = &config.schedule;
                let when = format!("{} {}", schedule.cron, schedule.cron_timezone);
                ("job", config.runner_type, &config.cloud, &config.runner, Some(when))
            }
        };
    let repositories = repositories(egg, nest).into_iter().map(|repository| {
        let place = place(&repository);
        let runner = egg.registered.get(&place).and_then(|known| known.runner);
        let (project_id, group_id) = (repository.project_id, repository.group_id);
        let gitlab = Some(GitlabView { server: repository.server, project_id, group_id });
        RepositoryView { name: repository.name, place, gitlab, runner }
    });
    let repositories: Vec<RepositoryView> = repositories.collect();
    EggView {
        name: egg.name.clone(),
        kind: kind.to_owned(),
        runner_type: word(&runner_type),
        cloud: cloud.provider.name().to_owned(),
        region: cloud.region.clone(),
        tags: runner.tags.clone(),
        concurrent: runner.concurrent,
        gitlab: match repositories.as_slice() {
            [one] => one.gitlab.clone(),
            _ => None,
        },
        repositories,
        schedule,
        digest: egg.digest.clone(),
        commit: egg.commit.clone(),
        paused: egg.paused,
        removed: egg.removed,
        revision: egg.revision,
        failures: egg.failures,
        retry_at: egg.retry_at.map(Into::into),
        error: egg.error.clone(),
        rolled_back: rolled_back(egg),
        unlinked: egg.is_unlinked(),
        rotation: egg.rotation.as_ref().map(rotate::view),
        synced: egg.synced.into(),
    }
}

/// The rollback that holds.
pub(super) fn rolled_back(egg: &EggRecord) -> Option<RolledBack> {
    egg.pin().map(|pin| RolledBack {
        plan: pin.plan.clone(),
        digest: pin.digest.clone(),
        commit: pin.commit.clone(),
    })
}

/// The most runners of an egg that are active at one time.
pub(super) fn concurrent(egg: &EggRecord) -> u32 {
    match &egg.served {
        Served::Egg(config) => config.runner.concurrent,
        Served::Job(config) => config.runner.concurrent,
    }
}
