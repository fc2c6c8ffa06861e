//! `POST /eggs/{name}/plan`: what the next deployment of an egg would do. Nothing is changed by it, and nothing kept.

use axum::{Json, extract::State};

use super::{
    Api,
    auth::{Caller, Operate},
    eggs,
    problem::{Answer, At, Refusal},
};
use crate::{
    roles::worker::{self, Previewed},
    wire::{PlanPreview, Problem},
};

/// Plans the next deployment of an egg, and throws the plan away. It takes as long as `OpenTofu` does.
#[utoipa::path(
    post, path = "/eggs/{name}/plan", tag = "operators", params(("name" = String, Path)),
    security(("token" = ["operate"])),
    responses(
        (status = 200, body = PlanPreview),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 503, body = Problem),
    )
)]
pub(super) async fn plan(
    _: Caller<Operate>,
    State(api): State<Api>,
    At(name): At<String>,
) -> Answer<Json<PlanPreview>> {
    eggs::known(&api, &name).await?;
    let (context, owner) = (api.context.clone(), name.clone());
    // It ends well even when whoever asked has gone.
    let planned = tokio::spawn(async move { worker::preview(&context, &owner).await }).await;
    match planned {
        Ok(Ok(Previewed::Plan(preview))) => Ok(Json(*preview)),
        Ok(Ok(Previewed::Full)) => Err(Refusal::away(format!(
            "as many deployments and plans run as `--workers` allows; `{name}` is planned once one has ended: ask again in a \
             while"
        ))),
        Ok(Ok(Previewed::Deploying)) => {
            Err(Refusal::conflict(format!("`{name}` is being deployed just now; ask again in a while")))
        }
        Ok(Err(failure)) => {
            tracing::warn!(egg = name, error = %failure, "what a deployment would do is not known");
            Err(Refusal::away(format!("what a deployment of `{name}` would do is not known: {failure}")))
        }
        Err(_) => Err(Refusal::internal()),
    }
}
