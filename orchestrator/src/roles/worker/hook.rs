//! A webhook: what it tells is only taken as a hint. GitLab is asked, and what it says is written down.

use flyc::routing::event::{self, Event, EventError, Jobs};

use super::{
    Failure,
    look::{Look, key},
    put,
};
use crate::{
    domain::{JobId, JobStatus, Time},
    ports::gitlab,
    records::{self, JobRecord},
    roles::{Context, Work},
};

/// Works on a webhook.
pub(super) async fn hook(
    context: &Context,
    eggs: &[String],
    at: Time,
    body: &serde_json::Value,
) -> Result<(), Failure> {
    let event = match event::parse(&body.to_string()) {
        Ok(event) => event,
        Err(error @ EventError::Shape { .. }) => {
            // The same body stays as it is; a sweep finds what it told.
            tracing::warn!(%error, "a webhook can't be read");
            return Ok(());
        }
        Err(error) => {
            tracing::debug!(%error, "a webhook has nothing to do with runners");
            return Ok(());
        }
    };
    match event {
        Event::Jobs(told) => jobs(context, eggs, at, &told).await,
        Event::Push(push) => {
            let nest = &context.settings.nest;
            if nest.project == Some(push.project_id) && push.branch() == Some(&nest.branch) {
                tracing::info!(branch = nest.branch, "the Nest was pushed to");
                put::soon(context, "sync", &Work::Sync { reason: "push".to_owned() }).await?;
            }
            Ok(())
        }
        Event::MergeRequest { project_id } => {
            tracing::debug!(project = project_id, "a merge request changed; its pipeline's jobs count");
            Ok(())
        }
    }
}

async fn jobs(context: &Context, eggs: &[String], at: Time, told: &Jobs) -> Result<(), Failure> {
    let look = Look::new(context).await?;
    let Some(server) = look.server(told.server.as_deref(), eggs, told.project_id) else {
        tracing::debug!(project = told.project_id, server = told.server, "a webhook of an unknown server");
        return Ok(());
    };
    for job in &told.jobs {
        let status = gitlab::status(job.status.as_str());
        let id = JobId { server: server.as_str().into(), number: job.id };
        let known = records::get::<JobRecord>(&*context.ports.store, key(&id)).await?;
        if status == JobStatus::Created
            || known.is_some_and(|known| !is_news(known.record.job.status, status))
        {
            continue;
        }
        let asked = context.ports.clock.now();
        let Some((found, access)) = look.job(eggs, &server, told.project_id, job.id).await? else {
            tracing::warn!(
                job = %id,
                project = told.project_id,
                "no API token of the Nest's opens a job that a webhook told of"
            );
            continue;
        };
        if found.status > JobStatus::Created {
            look.tell(&server, &access, &found, at.min(asked), asked).await?;
        }
    }
    // Always: whoever worked on this before may have gone away just here.
    Ok(put::decide(context).await?)
}

/// Whether a status says more than what is known.
fn is_news(known: JobStatus, told: JobStatus) -> bool {
    !known.is_over() && told > known
}
