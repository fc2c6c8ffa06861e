//! The runner of an egg in GitLab: one for each project or group that it serves. Every machine is a manager of it.
//!
//! A runner of ours is known by the mark in its notes, so one that was made just before a crash is found and not made twice.

use serde_json::json;

use super::{
    Failure,
    access::{self, Spot},
    audit,
    tenure::Tenure,
};
use crate::{
    domain::State,
    ports::{
        gitlab::{Access, GitLabError, NewRunner, Place},
        store::{StoreError, Value, Write},
    },
    records::{self, EggRecord, Registered, RunnerRecord, Served, Versioned},
    roles::Context,
    seal,
};

/// How often a row that others write too is tried.
const TRIES: usize = 16;

/// The shortest timeout that GitLab lets a runner have.
const SHORTEST: std::time::Duration = std::time::Duration::from_mins(10);

/// What a runner is to be in GitLab.
fn wanted(context: &Context, egg: &EggRecord, spot: &Spot) -> NewRunner {
    let runner = match &egg.served {
        Served::Egg(egg) => &egg.runner,
        Served::Job(job) => &job.runner,
    };
    NewRunner {
        place: spot.place,
        description: format!("{} of {}", egg.name, context.settings.nest.name),
        maintenance_note: format!("gosling {}/{} {}", context.settings.nest.name, egg.name, spot.key()),
        tags: runner.tags.clone(),
        run_untagged: runner.run_untagged,
        protected: runner.protected,
        maximum_timeout: Some(std::time::Duration::from_secs(runner.timeout_s).max(SHORTEST)),
    }
}

/// Tells one runner's settings from another's.
fn settings(runner: &NewRunner) -> String {
    let text = json!([
        runner.description,
        runner.maintenance_note,
        runner.tags,
        runner.run_untagged,
        runner.protected,
        runner.maximum_timeout.map(|timeout| timeout.as_secs()),
    ]);
    seal::fingerprint(&text.to_string())
}

/// Whether something of an egg's runners in GitLab is not as it should be.
pub(super) fn is_due(context: &Context, egg: &EggRecord, runners: &[&RunnerRecord]) -> bool {
    if egg.removed {
        return runners.is_empty() && !egg.registered.is_empty();
    }
    let spots = access::spots(egg, &context.settings.nest);
    let is_busy = runners.iter().any(|runner| !runner.runner.jobs.is_empty());
    spots.iter().any(|spot| {
        let expected = settings(&wanted(context, egg, spot));
        let found = egg.registered.get(&spot.key());
        found.is_none_or(|found| found.runner.is_none() || found.settings.as_ref() != Some(&expected))
    }) || !is_busy && egg.registered.iter().any(|(key, found)| is_left_over(&spots, key, found))
}

/// Whether the egg serves this place no longer.
fn is_left_over(spots: &[Spot], key: &str, found: &Registered) -> bool {
    found.runner.is_some() && spots.iter().all(|spot| spot.key() != key)
}

/// Brings an egg's runners in GitLab to what they should be.
pub(super) async fn ensure(context: &Context, tenure: &Tenure<'_>, name: &str) -> Result<(), Failure> {
    let eggs = records::all::<EggRecord>(&*context.ports.store, None, None).await?;
    let eggs: Vec<EggRecord> = eggs.into_iter().map(|egg| egg.record).collect();
    let Some(egg) = eggs.iter().find(|egg| egg.name == name) else { return Ok(()) };
    let spots = access::spots(egg, &context.settings.nest);
    for spot in &spots {
        let runner = wanted(context, egg, spot);
        let expected = settings(&runner);
        let known = egg.registered.get(&spot.key());
        match known.and_then(|known| known.runner.map(|id| (id, known))) {
            Some((_, known)) if known.settings.as_ref() == Some(&expected) => {}
            Some((id, _)) => {
                let access = access::to_spot(context, name, spot, &eggs).await?;
                match context.ports.gitlab.update_runner(&access, id, &runner).await {
                    Ok(()) => note(tenure, context, name, spot, Some(id), Some(expected), false).await?,
                    Err(GitLabError::NotFound { .. }) => {
                        // Somebody took it away. It is made anew, and its machines get the new token.
                        create(context, tenure, name, spot, &access, &runner, expected).await?;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            None => {
                let access = access::to_spot(context, name, spot, &eggs).await?;
                create(context, tenure, name, spot, &access, &runner, expected).await?;
            }
        }
    }
    for (key, found) in &egg.registered {
        if is_left_over(&spots, key, found) {
            take_away(context, tenure, egg, key, &eggs).await?;
        }
    }
    Ok(())
}

/// Registers a runner, or takes over the one that was made before a crash, and keeps its token.
async fn create(
    context: &Context,
    tenure: &Tenure<'_>,
    name: &str,
    spot: &Spot,
    access: &Access,
    runner: &NewRunner,
    expected: String,
) -> Result<(), Failure> {
    let gitlab = &*context.ports.gitlab;
    let uri = access::parse(&spot.token)?;
    let found = gitlab.runners(access, spot.place).await?;
    let mut ours = found.into_iter().filter(|found| found.maintenance_note == runner.maintenance_note);
    let (id, token) = match ours.next() {
        Some(found) => {
            gitlab.update_runner(access, found.id, runner).await?;
            (found.id, gitlab.reset_runner_token(access, found.id).await?)
        }
        None => {
            let made = gitlab.create_runner(access, runner).await?;
            (made.id, made.token)
        }
    };
    for more in ours {
        gitlab.delete_runner(access, more.id).await?;
    }
    context.ports.secrets.put(&uri, &token).await?;
    tracing::info!(egg = name, place = spot.key(), runner = id, "the egg's runner is registered in GitLab");
    note(tenure, context, name, spot, Some(id), Some(expected), true).await
}

/// Writes down what an egg has in GitLab.
async fn note(
    tenure: &Tenure<'_>,
    context: &Context,
    name: &str,
    spot: &Spot,
    runner: Option<u64>,
    settings: Option<String>,
    is_new: bool,
) -> Result<(), Failure> {
    let action = if is_new { "runner.register" } else { "runner.settings" };
    let details = json!({ "place": spot.key(), "gitlab_runner": runner });
    let now = context.ports.clock.now();
    let entry = audit::entry(now, "deploy", action, ("egg", name), details);
    let more = vec![records::insert(&entry)];
    amend(context, tenure, name, more, |egg| {
        let registered = egg.registered.entry(spot.key()).or_default();
        registered.runner = runner;
        registered.settings.clone_from(&settings);
        egg.revision += u64::from(is_new);
    })
    .await
}

/// Changes an egg's row, together with other writes, whoever else writes it at the same time.
pub(super) async fn amend(
    context: &Context,
    tenure: &Tenure<'_>,
    name: &str,
    more: Vec<Write>,
    change: impl Fn(&mut EggRecord),
) -> Result<(), Failure> {
    for _ in 0..TRIES {
        let key = vec![Value::Text(name.to_owned())];
        let Some(mut egg) = records::get::<EggRecord>(&*context.ports.store, key).await? else {
            return Ok(());
        };
        change(&mut egg.record);
        egg.record.updated = context.ports.clock.now();
        let writes = std::iter::once(egg.update()).chain(more.iter().cloned()).collect();
        if tenure.commit(writes).await? {
            return Ok(());
        }
    }
    Err(Failure::later(format!("others write the row of `{name}` all the time")))
}

/// Nothing is wrong with an egg any more.
pub(super) fn mend(egg: &mut EggRecord) {
    egg.failures = 0;
    egg.retry_at = None;
    egg.error = None;
}

/// Takes what an egg had at a place out of GitLab.
async fn take_away(
    context: &Context,
    tenure: &Tenure<'_>,
    egg: &EggRecord,
    key: &str,
    eggs: &[EggRecord],
) -> Result<(), Failure> {
    if let Err(failure) = delete(context, egg, key, eggs).await {
        let Failure::Never(reason) = failure else { return Err(failure) };
        // What can't be asked for any more can't be taken away either; people are told.
        tracing::warn!(
            egg = egg.name,
            place = key,
            reason,
            "a runner stays registered in GitLab; remove it by hand"
        );
    }
    let now = context.ports.clock.now();
    let details = json!({ "place": key });
    let entry = audit::entry(now, "deploy", "runner.unregister", ("egg", &egg.name), details);
    amend(context, tenure, &egg.name, vec![records::insert(&entry)], |egg| {
        egg.registered.remove(key);
    })
    .await
}

async fn delete(context: &Context, egg: &EggRecord, key: &str, eggs: &[EggRecord]) -> Result<(), Failure> {
    let Some((server, place)) = records::place_of(key) else { return Ok(()) };
    let Some(found) = egg.registered.get(key) else { return Ok(()) };
    let gitlab = &*context.ports.gitlab;
    let spots = access::spots(egg, &context.settings.nest);
    let spot = spots.iter().find(|spot| spot.key() == key).or_else(|| {
        // A place that it serves no longer is opened by the token of another one of the same server.
        spots.iter().find(|spot| access::is_same_server(&spot.server, server))
    });
    let Some(spot) = spot else {
        return Err(Failure::Never("nothing in the Nest tells an API token for it".to_owned()));
    };
    let access = access::to_spot(context, &egg.name, spot, eggs).await?;
    if let Some(id) = found.runner {
        gitlab.delete_runner(&access, id).await?;
    }
    if let Some(id) = found.webhook {
        gitlab.delete_hook(&access, place, id).await?;
    }
    if let (Some(id), Place::Project(project)) = (found.schedule, place) {
        gitlab.delete_schedule(&access, project, id).await?;
    }
    Ok(())
}

/// Nothing of an egg that left the Nest is left: its workspace and its runners in GitLab go too.
pub(super) async fn retire(context: &Context, tenure: &Tenure<'_>, egg: &EggRecord) -> Result<(), Failure> {
    context.ports.tofu.forget(&egg.name).await?;
    let eggs = records::all::<EggRecord>(&*context.ports.store, None, None).await?;
    let eggs: Vec<EggRecord> = eggs.into_iter().map(|egg| egg.record).collect();
    for key in egg.registered.keys() {
        take_away(context, tenure, egg, key, &eggs).await?;
    }
    if egg.failures > 0 {
        amend(context, tenure, &egg.name, Vec::new(), mend).await?;
    }
    tracing::info!(egg = egg.name, "nothing is left of an egg that is in the Nest no longer");
    Ok(())
}

/// Takes the managers of runners that have gone out of GitLab.
pub(super) async fn unregister_gone(context: &Context, eggs: &[EggRecord]) -> Result<(), Failure> {
    for known in records::all::<RunnerRecord>(&*context.ports.store, None, None).await? {
        if known.record.care.unregister && known.record.runner.state == State::Terminated {
            unregister(context, eggs, known).await?;
        }
    }
    Ok(())
}

/// Takes the managers of one runner that has gone out of GitLab. One that can't be is tried again with the next sweep.
pub(super) async fn unregister(
    context: &Context,
    eggs: &[EggRecord],
    mut known: Versioned<RunnerRecord>,
) -> Result<(), Failure> {
    let egg = eggs.iter().find(|egg| egg.name == known.record.runner.egg);
    if let (Some(system_id), Some(egg)) = (&known.record.system_id, egg) {
        for spot in access::spots(egg, &context.settings.nest) {
            if let Err(error) = delete_manager(context, &spot, system_id).await {
                let runner = known.record.runner.id.as_str();
                tracing::warn!(runner, %error, "a runner's manager stays in GitLab for now");
                if matches!(error, Failure::Later { .. }) {
                    return Ok(());
                }
            }
        }
    }
    known.record.care.unregister = false;
    match context.ports.store.commit(vec![known.update()]).await {
        Ok(()) | Err(StoreError::Conflict(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn delete_manager(context: &Context, spot: &Spot, system_id: &str) -> Result<(), Failure> {
    let token = access::secret(context, &spot.token).await?;
    match context.ports.gitlab.delete_manager(&spot.server, &token, system_id).await {
        Ok(()) | Err(GitLabError::NotFound { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
