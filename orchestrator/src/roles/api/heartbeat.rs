//! `POST /runners/{id}/heartbeat`: a runner's sign of life, and what is wanted of it.

use std::collections::BTreeSet;

use axum::{Json, extract::State, http::HeaderMap};
use flyc::artifact::RunnerType;
use smol_str::SmolStr;

use super::{
    Api, credential, eggs,
    problem::{Answer, At, Body, Refusal},
    runners::TRIES,
    work,
};
use crate::{
    domain::{Event, Health, JobId, Runner, State as RunnerState},
    ports::store::{StoreError, Value, Write},
    records::{self, AuditEntry, EggRecord, JobRecord, RunnerMetric, RunnerRecord, Versioned},
    roles::{Work, changes::changed},
    wire::{
        Problem,
        runner::{Heartbeat, HeartbeatAnswer, RunnerMood, Wanted},
    },
};

/// The most jobs a runner has.
const MOST_JOBS: usize = 1000;
/// The longest version.
const LONGEST: usize = 128;

/// A sign of life. One that comes late or twice changes nothing, and is answered as any.
#[utoipa::path(
    post, path = "/runners/{id}/heartbeat", tag = "runners", params(("id" = String, Path)),
    request_body = Heartbeat, security(("credential" = [])),
    responses(
        (status = 200, body = HeartbeatAnswer), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 422, body = Problem), (status = 503, body = Problem),
    )
)]
pub(super) async fn heartbeat(
    State(api): State<Api>,
    At(id): At<String>,
    headers: HeaderMap,
    Body(told): Body<Heartbeat>,
) -> Answer<Json<HeartbeatAnswer>> {
    let shown = credential::shown(&headers)?;
    look_over(&told)?;
    for _ in 0..TRIES {
        let found = credential::runner(&api, &id, shown).await?;
        let name = vec![Value::Text(found.record.runner.egg.clone())];
        let egg = records::get::<EggRecord>(api.store(), name).await?.map(|egg| egg.record);
        let revision = egg.as_ref().map_or(0, |egg| egg.revision);
        let answer = |runner: &Runner| Json(HeartbeatAnswer { wanted: wanted(runner), revision });
        if (told.started, told.sequence) <= found.record.heard {
            return Ok(answer(&found.record.runner));
        }
        let jobs = jobs(&api, egg.as_ref(), &found.record, &told.jobs).await?;
        let Some((next, writes)) = heard(&api, &found, &told, jobs) else {
            // Nothing of it should be left: it shall go.
            return Ok(answer(&found.record.runner));
        };
        match api.store().commit(writes).await {
            Ok(()) => {
                let (before, after) = (&found.record.runner, &next.runner);
                changed(&api.context, before, after, &next.why);
                if before.state != after.state || before.drained != after.drained || before.jobs != after.jobs
                {
                    work::put_own(&api, &Work::Decide).await?;
                }
                return Ok(answer(after));
            }
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Refusal::away("others write this runner just now; the next heartbeat will do"))
}

fn look_over(told: &Heartbeat) -> Answer<()> {
    let agent = told.agent_version.as_deref().unwrap_or_default();
    if told.jobs.len() > MOST_JOBS {
        return Err(Refusal::invalid(format!("a runner has {MOST_JOBS} jobs at most")));
    }
    if agent.len() > LONGEST || told.version.len() > LONGEST {
        return Err(Refusal::invalid(format!("a version has {LONGEST} letters at most")));
    }
    Ok(())
}

/// What is wanted of a runner.
fn wanted(runner: &Runner) -> Wanted {
    let is_over = matches!(
        runner.state,
        RunnerState::PendingTermination | RunnerState::Failed | RunnerState::Terminated
    );
    // A container has no machine to stop: what sleeps there ends, and begins with nothing when it wakes.
    let ends_to_sleep =
        runner.is_asleep() && runner.runner_type == RunnerType::Serverless && runner.cloud != "local";
    if is_over || runner.ending.is_some() || ends_to_sleep { Wanted::Drain } else { Wanted::Work }
}

/// The runner as it is from now on, and what is written; none when a runner can't be heard of in its state.
fn heard(
    api: &Api,
    found: &Versioned<RunnerRecord>,
    told: &Heartbeat,
    jobs: BTreeSet<JobId>,
) -> Option<(RunnerRecord, Vec<Write>)> {
    let now = api.now();
    let health = Health {
        cpu: told.cpu_usage.and_then(hundredths),
        memory: told.memory_usage.and_then(hundredths),
        disk: told.disk_usage.and_then(hundredths),
    };
    let event = Event::Heartbeat {
        health,
        agent: told.agent_version.clone(),
        jobs,
        done: told.jobs_done,
        draining: told.state == RunnerMood::Draining,
    };
    let before = found.record.runner.state;
    let mut runner = found.record.runner.after(&event, now).ok()?;
    // Hooks tell of failed jobs, the runner also of deaths of its agent: either may know of more.
    runner.failures = runner.failures.max(told.failures);
    let id = runner.id.as_str().to_owned();
    let metric = RunnerMetric {
        runner: id.clone(),
        at: now,
        state: runner.state.name().to_owned(),
        jobs_done: told.jobs_done,
        cpu: told.cpu_usage,
        memory: told.memory_usage,
        disk: told.disk_usage,
        agent: told.agent_version.clone(),
        failures: told.failures,
    };
    let mut writes = vec![records::put(&metric)];
    let mut record = RunnerRecord {
        runner,
        heard: (told.started, told.sequence),
        version: Some(told.version.clone()),
        revision: told.revision.or(found.record.revision),
        // Its credential has arrived: the ticket has done its work.
        ticket: None,
        updated: now,
        ..found.record.clone()
    };
    let after = record.runner.state;
    if before != after {
        "its heartbeat".clone_into(&mut record.why);
        let egg = &record.runner.egg;
        let details = serde_json::json!({ "egg": egg, "from": before.name(), "to": after.name() });
        let actor = format!("runner:{id}");
        writes.push(records::insert(&AuditEntry::new(
            now,
            &actor,
            "runner.heartbeat",
            ("runner", &id),
            details,
        )));
    }
    writes.push(Versioned { record: record.clone(), version: found.version }.update());
    Some((record, writes))
}

/// A percentage in hundredths; none when it is no percentage.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 10000")]
fn hundredths(percent: f64) -> Option<u16> {
    (0.0..=100.0).contains(&percent).then(|| (percent * 100.0).round() as u16)
}

/// The jobs a runner names by their numbers: with the servers that they are on.
async fn jobs(
    api: &Api,
    egg: Option<&EggRecord>,
    runner: &RunnerRecord,
    numbers: &[u64],
) -> Answer<BTreeSet<JobId>> {
    let repositories = egg.map(|egg| eggs::repositories(egg, &api.context.settings.nest));
    let servers: BTreeSet<SmolStr> =
        repositories.into_iter().flatten().map(|repository| repository.server.into()).collect();
    let mut jobs = BTreeSet::new();
    for &number in numbers {
        let mut server = servers.first().cloned().unwrap_or_default();
        if servers.len() > 1 {
            // On which of them it is, the job itself tells.
            for one in &servers {
                let key =
                    vec![Value::Text(one.to_string()), Value::Int(i64::try_from(number).unwrap_or(i64::MAX))];
                let found = records::get::<JobRecord>(api.store(), key).await?;
                if found.is_some_and(|job| job.record.job.egg.as_ref() == Some(&runner.runner.egg)) {
                    server = one.clone();
                    break;
                }
            }
        }
        jobs.insert(JobId { server, number });
    }
    Ok(jobs)
}

#[cfg(test)]
mod tests {
    use super::hundredths;

    #[test]
    fn only_percentages_are_kept() {
        assert_eq!(hundredths(12.345), Some(1235));
        assert_eq!(hundredths(100.0), Some(10_000));
        assert_eq!(hundredths(-0.1), None);
        assert_eq!(hundredths(1e9), None);
        assert_eq!(hundredths(f64::NAN), None);
    }
}
