//! GitLab is asked for all jobs that wait, so that a hook that was lost is made up for; and what is long over is forgotten.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{Failure, access, look::Look, put, register, tenure::Tenure};
use crate::{
    domain::{JobId, JobStatus, State, Time},
    ports::{
        gitlab::Place,
        store::{StoreError, Write},
    },
    records::{self, JobRecord, RunnerRecord},
    roles::Context,
};

/// How long the row of a runner stays after it has gone.
const GONE: Duration = Duration::from_hours(24);

/// Asks for all jobs that wait.
pub(super) async fn sweep(context: &Context) -> Result<(), Failure> {
    let Some(tenure) = Tenure::take(context, "sweep").await? else {
        // Somebody else does just this.
        return Ok(());
    };
    let done = tenure.during(all(context)).await;
    tenure.release().await;
    put::decide(context).await?;
    done
}

async fn all(context: &Context) -> Result<(), Failure> {
    let began = context.ports.clock.now();
    let look = Look::new(context).await?;
    let mut failure = None;
    let (projects, whole) = projects(context, &look, &mut failure).await;
    let mut waiting: BTreeMap<(String, u64), (Time, BTreeSet<JobId>)> = BTreeMap::new();
    for (server, project) in &projects {
        match of_project(context, &look, server, *project).await {
            Ok(found) => drop(waiting.insert((server.clone(), *project), found)),
            Err(error) => {
                tracing::warn!(server, project, %error, "the jobs that wait in a project are not known");
                failure = Some(error);
            }
        }
    }
    forget(context, began, whole.then_some(&projects), &waiting).await?;
    tidy(context).await?;
    register::unregister_gone(context, look.eggs()).await?;
    match failure {
        // The others were looked at; a sweep comes again.
        Some(failure @ Failure::Later { .. }) => Err(failure),
        _ => Ok(()),
    }
}

/// Every project that the Nest serves, and whether these are all.
async fn projects(
    context: &Context,
    look: &Look<'_>,
    failure: &mut Option<Failure>,
) -> (BTreeSet<(String, u64)>, bool) {
    let (mut projects, mut groups) = (BTreeSet::new(), BTreeMap::new());
    for record in look.eggs().iter().filter(|record| !record.removed) {
        for spot in access::spots(record, &context.settings.nest) {
            match spot.place {
                Place::Project(id) => drop(projects.insert((spot.server, id))),
                Place::Group(id) => {
                    groups.entry((spot.server.clone(), id)).or_insert((&record.name, spot));
                }
            }
        }
    }
    let mut whole = true;
    for ((server, group), (owner, spot)) in groups {
        let found = match access::to_spot(context, owner, &spot, look.eggs()).await {
            Ok(access) => context.ports.gitlab.projects_of(&access, group).await.map_err(Failure::from),
            Err(error) => Err(error),
        };
        match found {
            Ok(found) => projects.extend(found.into_iter().map(|project| (server.clone(), project))),
            Err(error) => {
                tracing::warn!(server, group, %error, "the projects of a group are not known");
                whole = false;
                *failure = Some(error);
            }
        }
    }
    (projects, whole)
}

/// The jobs that wait in a project, as they are when this returns, and when they were asked for.
async fn of_project(
    context: &Context,
    look: &Look<'_>,
    server: &str,
    project: u64,
) -> Result<(Time, BTreeSet<JobId>), Failure> {
    let mut refused = None;
    for access in access::to_project(context, look.eggs(), &[], server, project).await? {
        let asked = context.ports.clock.now();
        match context.ports.gitlab.pending_jobs(&access, project).await {
            Ok(jobs) => {
                let mut waiting = BTreeSet::new();
                for job in jobs.iter().filter(|job| job.status == JobStatus::Pending) {
                    look.tell(server, &access, job, asked, asked).await?;
                    waiting.insert(JobId { server: server.into(), number: job.id });
                }
                return Ok((asked, waiting));
            }
            Err(error) if error.is_transient() => return Err(error.into()),
            Err(error) => refused = Some(error.into()),
        }
    }
    Err(refused.unwrap_or_else(|| Failure::Never("no API token opens it".to_owned())))
}

/// What waits no longer, and what is long over.
async fn forget(
    context: &Context,
    began: Time,
    projects: Option<&BTreeSet<(String, u64)>>,
    waiting: &BTreeMap<(String, u64), (Time, BTreeSet<JobId>)>,
) -> Result<(), Failure> {
    let store = &*context.ports.store;
    for known in records::all::<JobRecord>(store, None, None).await? {
        let JobRecord { id, job, .. } = &known.record;
        let project = (id.server.to_string(), job.project);
        let is_stale = if job.status > JobStatus::Pending {
            began.since(job.told) > JobRecord::KEPT
        } else if let Some((asked, waiting)) = waiting.get(&project) {
            !waiting.contains(id) && job.told < *asked
        } else {
            // The Nest serves its project no longer.
            projects.is_some_and(|projects| !projects.contains(&project)) && job.told < began
        };
        if is_stale {
            tracing::debug!(job = %id, status = ?job.status, "a job is forgotten");
            remove(context, known.delete()).await?;
        }
    }
    Ok(())
}

/// Removes the rows of runners that went long ago.
async fn tidy(context: &Context) -> Result<(), Failure> {
    let now = context.ports.clock.now();
    for known in records::all::<RunnerRecord>(&*context.ports.store, None, None).await? {
        let runner = &known.record.runner;
        let is_old = now.since(runner.changed) > GONE;
        if runner.state == State::Terminated && !known.record.care.unregister && is_old {
            remove(context, known.delete()).await?;
        }
    }
    Ok(())
}

async fn remove(context: &Context, write: Write) -> Result<(), Failure> {
    match context.ports.store.commit(vec![write]).await {
        // Somebody told of it just now.
        Ok(()) | Err(StoreError::Conflict(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
