//! The runner of an egg in GitLab: one for each project or group that it serves. Every machine is a manager of it.
//!
//! A runner of ours is known by the mark in its notes, so one that was made just before a crash is found and not made twice.

use std::{collections::BTreeSet, time::Duration};

use flyc::artifact::RunnerType;
use serde_json::json;

use super::{
    Failure,
    access::{self, Spot},
    link::Linking,
    tenure::Tenure,
};
use crate::{
    domain::{Config, State},
    ports::{
        gitlab::{Access, GitLabError, KnownRunner, NewRunner, Place},
        store::{StoreError, Value, Write},
    },
    records::{self, AuditEntry, EggRecord, Registered, RunnerRecord, Served, Versioned},
    roles::Context,
    seal,
};

/// Who does all this, unless an operator does.
const ACTOR: &str = "deploy";

/// How often a row that others write too is tried.
const TRIES: usize = 16;

/// The shortest timeout that GitLab lets a runner have.
const SHORTEST: Duration = Duration::from_mins(10);

/// The mark of an egg's runners at a place.
fn mark(context: &Context, egg: &str, key: &str) -> String {
    format!("gosling {}/{egg} {key}", context.settings.nest.name)
}

/// What a runner is to be in GitLab.
pub(super) fn wanted(context: &Context, egg: &EggRecord, spot: &Spot) -> NewRunner {
    let (runner_type, runner) = match &egg.served {
        Served::Egg(egg) => (egg.runner_type, &egg.runner),
        Served::Job(job) => (job.runner_type, &job.runner),
    };
    let timeout = Duration::from_secs(runner.timeout_s);
    // GitLab tells people why a job ends that is too long; a container that is gone would not.
    let timeout = match runner_type {
        RunnerType::Serverless => timeout.min(Config::SERVERLESS_JOB),
        RunnerType::Vm => timeout,
    };
    NewRunner {
        place: spot.place,
        description: format!("{} of {}", egg.name, context.settings.nest.name),
        maintenance_note: mark(context, &egg.name, &spot.key()),
        tags: runner.tags.clone(),
        run_untagged: runner.run_untagged,
        protected: runner.protected,
        maximum_timeout: Some(timeout.max(SHORTEST)),
    }
}

/// Tells one runner's settings from another's.
pub(super) fn settings(runner: &NewRunner) -> String {
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
    if egg.is_unlinked() {
        return false;
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
    let Some(egg) = eggs.iter().find(|egg| egg.name == name && !egg.is_unlinked()) else { return Ok(()) };
    let spots = access::spots(egg, &context.settings.nest);
    for spot in &spots {
        let runner = wanted(context, egg, spot);
        let expected = settings(&runner);
        // Not the one that is registered: should somebody have taken it away, a rotation's other one doesn't take its place.
        let others: Vec<u64> = egg.runners_at(&spot.key()).collect();
        let known = egg.registered.get(&spot.key());
        match known.and_then(|known| known.runner.map(|id| (id, known))) {
            Some((_, known)) if known.settings.as_ref() == Some(&expected) => {}
            Some((id, _)) => {
                let access = access::to_spot(context, name, spot, &eggs).await?;
                match context.ports.gitlab.update_runner(&access, id, &runner).await {
                    Ok(()) => {
                        note(tenure, context, name, spot, (id, expected), Some("runner.settings"), ACTOR)
                            .await?;
                    }
                    Err(GitLabError::NotFound { .. }) => {
                        // Somebody took it away. It is made anew, and its machines get the new token.
                        create(context, tenure, name, spot, &access, &runner, (&others, ACTOR)).await?;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            None => {
                let access = access::to_spot(context, name, spot, &eggs).await?;
                create(context, tenure, name, spot, &access, &runner, (&others, ACTOR)).await?;
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
    (others, actor): (&[u64], &str),
) -> Result<u64, Failure> {
    let gitlab = &*context.ports.gitlab;
    let uri = access::parse(&spot.token)?;
    let found = gitlab.runners(access, spot.place).await?;
    // What a rotation takes away or brings is not a leftover of a crash.
    let mut ours = found
        .into_iter()
        .filter(|found| found.maintenance_note == runner.maintenance_note && !others.contains(&found.id));
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
    note(tenure, context, name, spot, (id, settings(runner)), Some("runner.register"), actor).await?;
    Ok(id)
}

/// What GitLab has of an owner's runner at a place, and what it should have.
pub(super) struct Outlook {
    pub(super) access: Access,
    pub(super) wanted: NewRunner,
    /// The runner that was written down, where it is there.
    pub(super) there: Option<KnownRunner>,
    /// Another one of ours, of which the token is not known.
    pub(super) found: Option<u64>,
    /// What a crash left of ours besides.
    pub(super) doubles: Vec<u64>,
    /// A rotation's other one, which a rotation alone takes away while the egg is in GitLab.
    pub(super) turning: Vec<u64>,
    /// Those that are known here: the one that was written down, and those of a rotation.
    pub(super) known: Vec<u64>,
    /// Whether what was written down is as it should be.
    pub(super) is_noted: bool,
}

impl Outlook {
    /// Everything of ours that is there.
    pub(super) fn all(&self) -> Vec<u64> {
        let one = self.there.as_ref().map(|known| known.id).or(self.found);
        one.into_iter().chain(self.doubles.iter().chain(&self.turning).copied()).collect()
    }
}

/// Looks what GitLab has of an owner's runner at a place.
pub(super) async fn outlook(
    context: &Context,
    egg: &EggRecord,
    spot: &Spot,
    eggs: &[EggRecord],
) -> Result<Outlook, Failure> {
    let wanted = wanted(context, egg, spot);
    let access = access::to_spot(context, &egg.name, spot, eggs).await?;
    let noted = egg.registered.get(&spot.key());
    let recorded = noted.and_then(|noted| noted.runner);
    let ours = context.ports.gitlab.runners(&access, spot.place).await?.into_iter();
    let ours = ours.filter(|one| one.maintenance_note == wanted.maintenance_note || Some(one.id) == recorded);
    // What a rotation takes away or brings is not a leftover of a crash.
    let known: Vec<u64> = egg.runners_at(&spot.key()).collect();
    let (turning, ours): (Vec<_>, Vec<_>) =
        ours.partition(|one| Some(one.id) != recorded && known.contains(&one.id));
    let turning = turning.into_iter().map(|one| one.id).collect();
    let (mut there, others): (Vec<_>, Vec<_>) = ours.into_iter().partition(|one| Some(one.id) == recorded);
    let there = there.pop();
    let mut others: Vec<u64> = others.into_iter().map(|one| one.id).collect();
    others.sort_unstable();
    let found = if there.is_none() && !others.is_empty() { Some(others.remove(0)) } else { None };
    let is_noted =
        there.is_some() && noted.and_then(|noted| noted.settings.as_ref()) == Some(&settings(&wanted));
    Ok(Outlook { access, wanted, there, found, doubles: others, turning, known, is_noted })
}

/// Brings an owner's runner at a place to what it should be; its id.
pub(super) async fn bring(
    context: &Context,
    tenure: &Tenure<'_>,
    name: &str,
    spot: &Spot,
    outlook: &Outlook,
    actor: &str,
) -> Result<Option<u64>, Failure> {
    let Outlook { access, wanted, there, doubles, is_noted, known: others, .. } = outlook;
    let Some(known) = there else {
        return create(context, tenure, name, spot, access, wanted, (others, actor)).await.map(Some);
    };
    let gitlab = &*context.ports.gitlab;
    let is_as = known.is_as(wanted);
    if !is_as {
        gitlab.update_runner(access, known.id, wanted).await?;
    }
    for double in doubles {
        gitlab.delete_runner(access, *double).await?;
    }
    if !is_as || !is_noted {
        let action = (!is_as).then_some("runner.settings");
        note(tenure, context, name, spot, (known.id, settings(wanted)), action, actor).await?;
    }
    Ok(Some(known.id))
}

/// Writes down what an egg has in GitLab, and what was done for that.
async fn note(
    tenure: &Tenure<'_>,
    context: &Context,
    name: &str,
    spot: &Spot,
    (runner, settings): (u64, String),
    action: Option<&str>,
    actor: &str,
) -> Result<(), Failure> {
    let is_new = action == Some("runner.register");
    let entry = |action| {
        let details = json!({ "place": spot.key(), "gitlab_runner": runner });
        records::insert(&AuditEntry::new(context.ports.clock.now(), actor, action, ("egg", name), details))
    };
    amend(context, tenure, name, action.map(entry).into_iter().collect(), |egg| {
        let registered = egg.registered.entry(spot.key()).or_default();
        registered.runner = Some(runner);
        registered.settings = Some(settings.clone());
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
    let entry = AuditEntry::new(now, ACTOR, "runner.unregister", ("egg", &egg.name), details);
    amend(context, tenure, &egg.name, vec![records::insert(&entry)], |egg| {
        egg.registered.remove(key);
        if let Some(rotation) = &mut egg.rotation {
            rotation.turns.remove(key);
        }
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
    let mut going: BTreeSet<u64> = egg.runners_at(key).collect();
    let mark = mark(context, &egg.name, key);
    match gitlab.runners(&access, place).await {
        // One that was made just before a crash is written down nowhere.
        Ok(found) => {
            going.extend(found.iter().filter(|one| one.maintenance_note == mark).map(|one| one.id));
        }
        Err(error) if error.is_transient() => return Err(error.into()),
        // The project may be gone, or closed to us; what is known of may go all the same.
        Err(_) => {}
    }
    for id in going {
        gitlab.delete_runner(&access, id).await?;
    }
    let projects: Vec<u64> = found.hooks.keys().copied().collect();
    if !projects.is_empty() {
        // The egg is there no longer for whoever takes them over.
        let rest = async |left: Vec<u64>| {
            for project in left {
                let hook = &found.hooks[&project];
                gitlab.delete_hook(&access, Place::Project(project), hook.id).await?;
            }
            Ok(())
        };
        Linking::hand_over(context, (&egg.name, key), server, &projects, rest).await?;
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
