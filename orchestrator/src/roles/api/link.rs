//! `POST /eggs/{name}/link` and `/unlink`, and the same of the Nest: what is needed in GitLab is made, or taken away.
//!
//! GitLab is asked while the caller waits: a group may have hundreds of projects. Whoever goes away meanwhile ends nothing.

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Api,
    auth::{Caller, Operate},
    problem::{Answer, Asked, At, Refusal},
};
use crate::{
    roles::worker::{self, Failure, LinkError, Subject},
    wire::{LinkReport, Problem},
};

/// How.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct How {
    /// Only look what would be done.
    #[serde(default)]
    dry_run: bool,
}

/// What an egg, a bucket or a job (`jobs%2FNAME`) needs in GitLab is made: its runners, webhooks and pipeline schedule.
#[utoipa::path(
    post, path = "/eggs/{name}/link", tag = "operators", params(("name" = String, Path), How),
    security(("token" = ["operate"])),
    responses(
        (status = 200, body = LinkReport), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 503, body = Problem),
    )
)]
pub(super) async fn egg(
    caller: Caller<Operate>,
    State(api): State<Api>,
    At(name): At<String>,
    Asked(how): Asked<How>,
) -> Answer<Json<LinkReport>> {
    run(&api, Subject::Owner(name), &how, caller.actor, true).await
}

/// What was made in GitLab for an egg, a bucket or a job is taken away.
#[utoipa::path(
    post, path = "/eggs/{name}/unlink", tag = "operators", params(("name" = String, Path), How),
    security(("token" = ["operate"])),
    responses(
        (status = 200, body = LinkReport), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 503, body = Problem),
    )
)]
pub(super) async fn unlink_egg(
    caller: Caller<Operate>,
    State(api): State<Api>,
    At(name): At<String>,
    Asked(how): Asked<How>,
) -> Answer<Json<LinkReport>> {
    run(&api, Subject::Owner(name), &how, caller.actor, false).await
}

/// What the Nest's own project needs in GitLab is made: its webhook and its deploy keys.
#[utoipa::path(
    post, path = "/nest/link", tag = "operators", params(How), security(("token" = ["operate"])),
    responses(
        (status = 200, body = LinkReport), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 503, body = Problem),
    )
)]
pub(super) async fn nest(
    caller: Caller<Operate>,
    State(api): State<Api>,
    Asked(how): Asked<How>,
) -> Answer<Json<LinkReport>> {
    run(&api, Subject::Nest, &how, caller.actor, true).await
}

/// What was made in GitLab for the Nest's own project is taken away.
#[utoipa::path(
    post, path = "/nest/unlink", tag = "operators", params(How), security(("token" = ["operate"])),
    responses(
        (status = 200, body = LinkReport), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 503, body = Problem),
    )
)]
pub(super) async fn unlink_nest(
    caller: Caller<Operate>,
    State(api): State<Api>,
    Asked(how): Asked<How>,
) -> Answer<Json<LinkReport>> {
    run(&api, Subject::Nest, &how, caller.actor, false).await
}

async fn run(
    api: &Api,
    subject: Subject,
    how: &How,
    actor: String,
    is_link: bool,
) -> Answer<Json<LinkReport>> {
    let (context, dry_run) = (api.context.clone(), how.dry_run);
    let work = tokio::spawn(async move {
        if is_link {
            worker::link(&context, &subject, dry_run, &actor).await
        } else {
            worker::unlink(&context, &subject, dry_run, &actor).await
        }
    });
    let done = work.await.map_err(|error| {
        tracing::error!(%error, "linking came to grief");
        Refusal::internal()
    })?;
    done.map(Json).map_err(|error| match error {
        LinkError::Unknown(_) => Refusal::missing(error.to_string()),
        LinkError::Removed(_) | LinkError::Busy | LinkError::InUse { .. } => {
            Refusal::conflict(error.to_string())
        }
        LinkError::Failed(Failure::Later { reason, .. }) => {
            tracing::warn!(reason, "nothing was linked");
            Refusal::away("the database or the queue is away; try again later")
        }
        LinkError::Failed(Failure::Never(reason)) => Refusal::conflict(reason),
    })
}
