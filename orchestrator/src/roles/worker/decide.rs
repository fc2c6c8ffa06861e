//! A decision is made and carried out: rows are written, GitLab is asked, deployments are put into the queue.
//!
//! One decides at a time. What it saw may have changed when it writes; then that row is left, and it is decided anew.

use std::collections::BTreeMap;

use serde_json::json;

use super::{
    Failure, ask, audit, put,
    tenure::Tenure,
    world::{self, World},
};
use crate::{
    domain::{self, Action, Event, Runner, RunnerId, State, Time, Why},
    ports::store::{Value, Write},
    records::{self, AuditEntry, Care, EggRecord, Lease, RunnerRecord, Served, Versioned},
    roles::{Context, Work, changes},
};

/// How often it is decided anew because others wrote.
const ROUNDS: usize = 8;

/// How many runners are made in one transaction: each is two rows, beside the egg's and the lease's.
const MADE_AT_ONCE: usize = 40;

/// How long a rule that tells people of a runner is silent afterwards.
const TOLD_AGAIN: std::time::Duration = std::time::Duration::from_hours(1);

/// How often an egg that waits for a deployment is put into the queue again, should its message be lost.
const AGAIN: u64 = 60_000;

/// How often a rotation that goes on is looked at, whatever else asks for it.
const ROTATION: std::time::Duration = std::time::Duration::from_secs(15);

/// Decides, and carries it out.
pub(super) async fn decide(context: &Context) -> Result<(), Failure> {
    let Some(tenure) = Tenure::take(context, "decide").await? else {
        // Whoever decides now may have looked before what this one was to see.
        return Ok(put::decide(context).await?);
    };
    let done = tenure.during(rounds(context, &tenure)).await;
    tenure.release().await;
    let asks = done?;
    // GitLab may be slow: nobody waits for it but these runners.
    if ask::ask(context, &asks).await? {
        put::decide(context).await?;
    }
    Ok(())
}

async fn rounds(context: &Context, tenure: &Tenure<'_>) -> Result<Vec<RunnerId>, Failure> {
    for _ in 0..ROUNDS {
        let mut world = World::load(context).await?;
        let now = context.ports.clock.now();
        let actions = domain::decide(&world.config, &world.fleet(), &world.demand, now);
        let mut round = Round { context, tenure, world: &mut world, now, asks: Vec::new(), is_whole: true };
        round.carry_out(&actions).await?;
        let Round { asks, is_whole, .. } = round;
        if is_whole {
            count(context, &world).await;
            deployments(context, &world, now).await?;
            return Ok(asks);
        }
    }
    Err(Failure::later("others write all the time what is decided on"))
}

/// One decision that is carried out.
struct Round<'a> {
    context: &'a Context,
    tenure: &'a Tenure<'a>,
    world: &'a mut World,
    now: Time,
    asks: Vec<RunnerId>,
    /// Whether nobody else was first.
    is_whole: bool,
}

impl Round<'_> {
    async fn carry_out(&mut self, actions: &[Action]) -> Result<(), Failure> {
        let mut made: BTreeMap<&str, Vec<(&RunnerId, u64)>> = BTreeMap::new();
        for action in actions {
            match action {
                Action::Make { egg, runner, number } => made.entry(egg).or_default().push((runner, *number)),
                Action::Wake { runner, why } => self.event(runner, &Event::Wake, "wake", why).await?,
                Action::Sleep { runner, why } => self.event(runner, &Event::Sleep, "sleep", why).await?,
                Action::Drain { runner, why } => self.event(runner, &Event::Drain, "drain", why).await?,
                Action::Fail { runner, why } => self.event(runner, &Event::Fail, "fail", why).await?,
                Action::Destroy { runner, why } => {
                    self.event(runner, &Event::Destroy, "destroy", why).await?;
                }
                Action::Ask { runner } => {
                    let known = self.world.runners.get(runner);
                    if known.is_some_and(|known| ask::is_due(&known.record, self.now)) {
                        self.asks.push(runner.clone());
                    }
                }
                Action::Alert { runner, rule } => self.tell_people(runner, rule).await?,
            }
        }
        self.leave_behind().await?;
        for (egg, runners) in made {
            for some in runners.chunks(MADE_AT_ONCE) {
                self.make(egg, some).await?;
            }
        }
        Ok(())
    }

    /// What was made from a configuration that its egg was rolled back from goes, as far as it came.
    async fn leave_behind(&mut self) -> Result<(), Failure> {
        let is_behind = |known: &Versioned<RunnerRecord>| {
            let runner = &known.record.runner;
            let egg = self.world.eggs.get(&runner.egg);
            let pin = egg.and_then(|egg| egg.record.pin());
            let is_leaving = matches!(runner.state, State::Failed | State::PendingTermination);
            pin.is_some_and(|pin| pin.over == runner.digest) && !is_leaving && runner.ending.is_none()
        };
        let behind = self.world.runners.values().filter(|known| is_behind(known));
        let behind: Vec<RunnerId> = behind.map(|known| known.record.runner.id.clone()).collect();
        for id in behind {
            self.event(&id, &Event::Drain, "drain", &Why::RolledBack).await?;
        }
        Ok(())
    }

    /// New runners of an egg. Its row gives their numbers, and says by its version that they are made of what it is now.
    async fn make(&mut self, name: &str, runners: &[(&RunnerId, u64)]) -> Result<(), Failure> {
        let Some(egg) = self.world.eggs.get_mut(name) else { return Ok(()) };
        let Some(policy) = self.world.config.eggs.get(name) else { return Ok(()) };
        let cloud = match &egg.record.served {
            Served::Egg(egg) => &egg.cloud,
            Served::Job(job) => &job.cloud,
        };
        let (digest, commit) = egg.record.made_from();
        let why = "it is needed";
        let mut new = Vec::new();
        let mut next = egg.record.next_number;
        for (id, number) in runners {
            let mut runner = Runner::new((*id).clone(), name, policy.runner_type, digest, self.now);
            cloud.provider.name().clone_into(&mut runner.cloud);
            runner.region.clone_from(&cloud.region);
            next = next.max(number + 1);
            new.push(RunnerRecord {
                runner,
                commit: commit.to_owned(),
                number: *number,
                system_id: None,
                managers: BTreeMap::new(),
                ticket: None,
                redeemed: None,
                credential: None,
                heard: (0, 0),
                revision: None,
                version: None,
                why: why.to_owned(),
                care: Care::default(),
                updated: self.now,
            });
        }
        let record = EggRecord { next_number: next, updated: self.now, ..egg.record.clone() };
        let counted = Versioned { record, version: egg.version };
        let mut writes = vec![counted.update()];
        for record in &new {
            let details = json!({ "egg": name, "to": record.runner.state.name(), "commit": record.commit });
            let resource = ("runner", record.runner.id.as_str());
            writes.push(records::insert(record));
            let entry = AuditEntry::new(self.now, "policy:demand", "runner.make", resource, details);
            writes.push(records::insert(&entry));
        }
        if !self.tenure.commit(writes).await? {
            self.is_whole = false;
            return Ok(());
        }
        *egg = Versioned { version: counted.version + 1, ..counted };
        for record in new {
            let runner = &record.runner;
            self.context.metrics.transitions.with_label_values(&["", runner.state.name()]).inc();
            tracing::info!(
                runner = runner.id.as_str(),
                egg = name,
                from = "",
                to = runner.state.name(),
                why,
                "a runner has changed"
            );
            self.world.runners.insert(runner.id.clone(), Versioned { record, version: 1 });
        }
        Ok(())
    }

    /// Something happens to a runner.
    async fn event(&mut self, id: &RunnerId, event: &Event, verb: &str, why: &Why) -> Result<(), Failure> {
        let Some(known) = self.world.runners.get(id) else { return Ok(()) };
        let before = &known.record.runner;
        let after = match before.after(event, self.now) {
            Ok(after) => after,
            Err(error) => {
                tracing::error!(runner = id.as_str(), %error, "something was decided that can't be");
                return Ok(());
            }
        };
        let words = why.to_string();
        let action = format!("runner.{verb}");
        let entry = audit::change(self.now, &why.actor(), &action, before, &after, &words);
        let before = before.clone();
        let mut record =
            RunnerRecord { runner: after, why: words, updated: self.now, ..known.record.clone() };
        if *event == Event::Wake {
            // What wakes with nothing gets a new one.
            record.care.ticket = None;
        }
        let next = Versioned { record, version: known.version };
        if self.write(next, vec![records::insert(&entry)]).await? {
            let after = &self.world.runners[id].record;
            changes::changed(self.context, &before, &after.runner, &after.why);
        }
        Ok(())
    }

    /// A rule wants people to know.
    async fn tell_people(&mut self, id: &RunnerId, rule: &str) -> Result<(), Failure> {
        let Some(known) = self.world.runners.get(id) else { return Ok(()) };
        let told = known.record.care.told.get(rule);
        if told.is_some_and(|told| self.now.since(*told) < TOLD_AGAIN) {
            return Ok(());
        }
        let runner = &known.record.runner;
        let details = json!({ "egg": runner.egg, "state": changes::name_of(runner), "rule": rule });
        let actor = format!("rule:{rule}");
        let entry = AuditEntry::new(self.now, &actor, "runner.alert", ("runner", id.as_str()), details);
        let mut record = RunnerRecord { updated: self.now, ..known.record.clone() };
        record.care.told.insert(rule.to_owned(), self.now);
        let egg = record.runner.egg.clone();
        let next = Versioned { record, version: known.version };
        if self.write(next, vec![records::insert(&entry)]).await? {
            tracing::warn!(
                runner = id.as_str(),
                egg,
                rule,
                "a rule says that somebody should look at a runner"
            );
        }
        Ok(())
    }

    /// Writes a runner with what belongs to it; `false` when somebody else was first.
    async fn write(&mut self, next: Versioned<RunnerRecord>, more: Vec<Write>) -> Result<bool, Failure> {
        let mut writes = vec![next.update()];
        writes.extend(more);
        let is_written = self.tenure.commit(writes).await?;
        if is_written {
            let next = Versioned { version: next.version + 1, ..next };
            self.world.runners.insert(next.record.runner.id.clone(), next);
        } else {
            self.is_whole = false;
        }
        Ok(is_written)
    }
}

/// Puts in a deployment for each egg that is not as it is wanted, unless one is under way or has to wait.
async fn deployments(context: &Context, world: &World, now: Time) -> Result<(), Failure> {
    let by_egg = world.by_egg();
    for (name, egg) in &world.eggs {
        if !egg.record.removed && egg.record.rotating().is_some() {
            // Should its message be lost.
            let work = Work::Rotate { egg: name.clone() };
            put::of_period(context, &format!("rotate/{name}"), &work, ROTATION).await?;
        }
        let runners = by_egg.get(name.as_str()).map_or(&[][..], Vec::as_slice);
        if !world::needs_deployment(context, &egg.record, runners)
            || egg.record.retry_at.is_some_and(|then| now < then)
        {
            continue;
        }
        let key = vec![Value::Text(format!("egg/{name}"))];
        let lease = records::get::<Lease>(&*context.ports.store, key).await?;
        let fence = lease.as_ref().map_or(0, |lease| lease.record.fence.0);
        if lease.is_some_and(|lease| !lease.record.owner.is_empty() && now < lease.record.until) {
            // It is decided again when that is over.
            continue;
        }
        let print = world::fingerprint(&egg.record, runners);
        let key = format!("{fence}/{print:x}/{}", now.as_millis() / AGAIN);
        put::deploy(context, name, &key, None).await?;
    }
    Ok(())
}

/// Counts what there is.
async fn count(context: &Context, world: &World) {
    let metrics = &context.metrics;
    metrics.runners.reset();
    for runner in world.runners.values() {
        let runner = &runner.record.runner;
        metrics.runners.with_label_values(&[runner.egg.as_str(), runner.state.name()]).inc();
    }
    metrics.waiting.reset();
    for ((egg, _), count) in world.demand.classes() {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        metrics.waiting.with_label_values(&[egg.unwrap_or_default()]).add(count);
    }
    if let Ok(counts) = context.ports.queue.counts().await {
        for (state, count) in ["waiting", "leased", "dead"].into_iter().zip(counts) {
            metrics.queue.with_label_values(&[state]).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }
}
