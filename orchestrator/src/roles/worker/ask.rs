//! Before a runner is destroyed, GitLab is asked whether it has a job.

use std::{collections::BTreeSet, time::Duration};

use super::{Failure, access};
use crate::{
    domain::{Event, JobId, RunnerId, Time},
    ports::{
        gitlab::GitLabError,
        store::{StoreError, Value},
    },
    records::{self, EggRecord, RunnerRecord, Versioned},
    roles::{Context, changes},
};

/// A runner is asked about this often at most.
const PAUSE: Duration = Duration::from_secs(5);

/// Whether a runner was not asked about just now.
pub(super) fn is_due(record: &RunnerRecord, now: Time) -> bool {
    record.care.asked.is_none_or(|asked| now.since(asked) >= PAUSE)
}

/// Asks for the jobs of these runners, and says whether anything was learnt.
pub(super) async fn ask(context: &Context, runners: &[RunnerId]) -> Result<bool, Failure> {
    if runners.is_empty() {
        return Ok(false);
    }
    let eggs = context.eggs().await?;
    let mut learnt = false;
    for id in runners {
        match one(context, &eggs.all, id).await {
            Ok(is_new) => learnt |= is_new,
            // It is asked again with the next decision; until then the runner stays.
            Err(error) => tracing::warn!(runner = id.as_str(), %error, "GitLab was not asked for jobs"),
        }
    }
    Ok(learnt)
}

async fn one(context: &Context, eggs: &[EggRecord], id: &RunnerId) -> Result<bool, Failure> {
    let store = &*context.ports.store;
    let key = || vec![Value::Text(id.as_str().to_owned())];
    let Some(known) = records::get::<RunnerRecord>(store, key()).await? else { return Ok(false) };
    let now = context.ports.clock.now();
    if !is_due(&known.record, now) {
        return Ok(false);
    }
    let jobs = jobs(context, eggs, &known.record).await?;
    let before = known.record.runner.clone();
    // What GitLab said is true of the moment it was asked.
    let Ok(after) = before.after(&Event::Word(jobs), now) else { return Ok(false) };
    let mut record = RunnerRecord { runner: after, updated: now, ..known.record };
    record.care.asked = Some(now);
    let next = Versioned { record, version: known.version };
    match store.commit(vec![next.update()]).await {
        Ok(()) => {
            changes::changed(context, &before, &next.record.runner, "GitLab was asked for its jobs");
            Ok(true)
        }
        Err(StoreError::Conflict(_)) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// The jobs that a runner has by GitLab's word.
async fn jobs(
    context: &Context,
    eggs: &[EggRecord],
    record: &RunnerRecord,
) -> Result<BTreeSet<JobId>, Failure> {
    let mut jobs = BTreeSet::new();
    // One that never showed its ticket has no token to ask for jobs with.
    let Some(system_id) = &record.system_id else { return Ok(jobs) };
    let owner = &record.runner.egg;
    let Some(egg) = eggs.iter().find(|egg| egg.name == *owner) else { return Ok(jobs) };
    for spot in access::spots(egg, &context.settings.nest) {
        let key = spot.key();
        let mut registered = egg.runners_at(&key).peekable();
        if registered.peek().is_none() {
            continue;
        }
        let access = access::to_spot(context, owner, &spot, eggs).await?;
        for runner in registered {
            match context.ports.gitlab.running_jobs(&access, runner, system_id).await {
                Ok(found) => jobs.extend(
                    found
                        .into_iter()
                        .map(|job| JobId { server: spot.server.as_str().into(), number: job.id }),
                ),
                // Where there is no such runner, it has no job.
                Err(GitLabError::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(jobs)
}
