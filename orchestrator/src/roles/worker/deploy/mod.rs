//! The runners of an egg are brought to what is wanted: one plan for everything that waits, one run of `OpenTofu` at a time.

mod apply;
mod given;
mod preview;
mod tickets;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

pub use preview::{Previewed, preview};

use super::{Failure, audit, put, register, tenure::Tenure, world};
use crate::{
    domain::{Attempt, Backoff, Event, PlanStatus, PoolKind, RunnerId, State},
    ports::{
        secrets::Secret,
        store::{Query, Value},
        tofu::{Bundle, FoundLock, PlanRequest, WantedRunner},
    },
    records::{self, AuditEntry, EggRecord, Made, PlanRecord, Record, RunnerRecord, Versioned},
    roles::{Context, changes},
};

/// How often one message plans anew because something changed.
const ROUNDS: usize = 8;

/// How many of the last plans are looked at for ones that were cut off.
const LAST_PLANS: usize = 20;

/// The longest text of a failure that is kept.
const LONGEST: usize = 4000;

/// Brings the runners of an egg to what is wanted.
pub(super) async fn deploy(context: &Context, owner: &str) -> Result<(), Failure> {
    run(context, owner, None).await.map(drop)
}

/// What a rollback goes back to.
pub(super) struct Back {
    /// The earlier plan.
    pub(super) plan: PlanRecord,
    /// Who asked for it.
    pub(super) actor: String,
}

/// Deploys under the egg's lease; `false` when somebody else has it.
pub(super) async fn run(context: &Context, owner: &str, back: Option<&Back>) -> Result<bool, Failure> {
    let Some(tenure) = Tenure::take(context, &format!("egg/{owner}")).await? else {
        // Whoever has it looks again for what is wanted when it has finished.
        return Ok(false);
    };
    let evidence = tenure.left_behind;
    let mut run = Run { context, tenure: &tenure, owner, back, evidence, is_clean: !evidence, plan: None };
    let done = tenure.during(Box::pin(run.whole())).await;
    let done = match done {
        Ok(()) => Ok(()),
        Err(failure) => {
            let told = run.failed(&failure).await;
            // A rollback is asked for by a person, who hears of it.
            if back.is_some() { Err(failure) } else { told }
        }
    };
    if run.is_clean {
        tenure.release().await;
    } else {
        tenure.abandon().await;
    }
    // What changed meanwhile was left to us.
    put::decide(context).await?;
    done.map(|()| true)
}

/// A deployment that goes on.
struct Run<'a> {
    context: &'a Context,
    tenure: &'a Tenure<'a>,
    owner: &'a str,
    back: Option<&'a Back>,
    /// Whether a run before was cut off: then a lock may be left behind.
    evidence: bool,
    /// Whether nothing of a run that was cut off is left.
    is_clean: bool,
    /// The plan that is worked on.
    plan: Option<Versioned<PlanRecord>>,
}

impl Run<'_> {
    async fn whole(&mut self) -> Result<(), Failure> {
        let Some(egg) = self.egg().await? else { return Ok(()) };
        let now = self.context.ports.clock.now();
        if self.back.is_none() && egg.record.retry_at.is_some_and(|then| now < then) {
            return Ok(());
        }
        let plans = self.last_plans().await?;
        let has_planned = !plans.is_empty();
        let mut must = self.put_aside(plans).await? || self.back.is_some();
        let runners = self.runners().await?;
        let runners: Vec<&RunnerRecord> = runners.iter().map(|runner| &runner.record).collect();
        if !egg.record.removed && register::is_due(self.context, &egg.record, &runners) {
            Box::pin(register::ensure(self.context, self.tenure, self.owner)).await?;
        }
        for _ in 0..ROUNDS {
            let Some(egg) = self.egg().await? else { return Ok(()) };
            let runners = self.runners().await?;
            let runners = self.drop_unmade(runners).await?;
            let runners = self.take_back(runners).await?;
            if egg.record.removed && runners.is_empty() && !must {
                return register::retire(self.context, self.tenure, &egg.record).await;
            }
            let is_settled = !runners.iter().any(|runner| world::is_unsettled(&runner.record));
            if is_settled && !must {
                let has_failed = egg.record.failures > 0;
                if !has_failed || !has_planned {
                    if has_failed {
                        self.mended().await?;
                    }
                    // Whether a lock was left behind is not known until OpenTofu runs.
                    return Ok(());
                }
            }
            if Box::pin(self.attempt(&egg, runners)).await? {
                must = false;
            }
        }
        Ok(())
    }

    async fn egg(&self) -> Result<Option<Versioned<EggRecord>>, Failure> {
        let key = vec![Value::Text(self.owner.to_owned())];
        Ok(records::get::<EggRecord>(&*self.context.ports.store, key).await?)
    }

    /// The runners of which something may be there.
    async fn runners(&self) -> Result<Vec<Versioned<RunnerRecord>>, Failure> {
        let partition = Some(Value::Text(self.owner.to_owned()));
        let found =
            records::all::<RunnerRecord>(&*self.context.ports.store, Some("egg_name_index"), partition);
        let mut found = found.await?;
        found.retain(|runner| runner.record.runner.state != State::Terminated);
        Ok(found)
    }

    async fn last_plans(&self) -> Result<Vec<Versioned<PlanRecord>>, Failure> {
        Ok(last_plans(self.context, self.owner, LAST_PLANS).await?)
    }

    /// Plans of a run that was cut off are used no more; says whether one of them may have changed something.
    async fn put_aside(&mut self, plans: Vec<Versioned<PlanRecord>>) -> Result<bool, Failure> {
        let mut was_applying = false;
        for mut plan in plans {
            let (status, why) = match plan.record.plan.status {
                PlanStatus::Pending => (PlanStatus::Superseded, "whoever made it went away"),
                PlanStatus::Applying => (PlanStatus::Failed, "whoever applied it went away"),
                _ => continue,
            };
            was_applying |= plan.record.plan.status == PlanStatus::Applying;
            self.evidence = true;
            self.is_clean = false;
            plan.record.plan.status = status;
            plan.record.sealed = Vec::new();
            plan.record.error = Some(why.to_owned());
            let now = self.context.ports.clock.now();
            let id = plan.record.plan.id.clone();
            let details = json!({ "egg": self.owner, "why": why });
            let entry = AuditEntry::new(now, "deploy", "plan.put-aside", ("plan", &id), details);
            if !self.tenure.commit(vec![plan.update(), records::insert(&entry)]).await? {
                return Err(Failure::later("a plan that was put aside was written by somebody else"));
            }
            tracing::warn!(egg = self.owner, plan = id, why, "a plan is put aside");
        }
        Ok(was_applying)
    }

    /// Runners that are not wanted any more before anything of them was made are gone without a plan.
    async fn drop_unmade(
        &self,
        runners: Vec<Versioned<RunnerRecord>>,
    ) -> Result<Vec<Versioned<RunnerRecord>>, Failure> {
        let mut rest = Vec::new();
        for known in runners {
            let is_nothing = known.record.care.made == Made::Not && known.record.runner.ending.is_some();
            if !is_nothing || !self.gone(&known, "nothing of it was made").await? {
                rest.push(known);
            }
        }
        Ok(rest)
    }

    /// A rollback takes back what was begun and never came to its end: runners of a plan that failed half-way, made from
    /// something else than what is gone back to. Those that never came for a token can have no job and go with it; others
    /// finish first.
    async fn take_back(
        &self,
        runners: Vec<Versioned<RunnerRecord>>,
    ) -> Result<Vec<Versioned<RunnerRecord>>, Failure> {
        let Some(back) = self.back else { return Ok(runners) };
        let mut all = Vec::with_capacity(runners.len());
        for mut known in runners {
            let before = known.record.runner.clone();
            let is_begun = known.record.care.made == Made::Maybe
                && before.digest != back.plan.plan.digest
                && before.wanted().is_some();
            let has_token = known.record.credential.is_some();
            let event = if before.is_booting() && !has_token { Event::Destroy } else { Event::Drain };
            let now = self.context.ports.clock.now();
            let Some(after) = is_begun.then(|| before.after(&event, now).ok()).flatten() else {
                all.push(known);
                continue;
            };
            let why = "what it was made from was rolled back";
            known.record.runner = after;
            why.clone_into(&mut known.record.why);
            known.record.updated = now;
            let entry =
                audit::change(now, &back.actor, "runner.take-back", &before, &known.record.runner, why);
            if !self.tenure.commit(vec![known.update(), records::insert(&entry)]).await? {
                return Err(Failure::later("a runner that is taken back was written by somebody else"));
            }
            changes::changed(self.context, &before, &known.record.runner, why);
            known.version += 1;
            all.push(known);
        }
        Ok(all)
    }

    /// Nothing is left of a runner; `false` when its row was written by somebody else.
    async fn gone(&self, known: &Versioned<RunnerRecord>, why: &str) -> Result<bool, Failure> {
        let now = self.context.ports.clock.now();
        let before = &known.record.runner;
        let Ok(after) = before.after(&Event::Gone, now) else { return Ok(false) };
        let mut record = RunnerRecord { runner: after, updated: now, ..known.record.clone() };
        record.care.unregister = record.system_id.is_some();
        record.care.ticket = None;
        record.ticket = None;
        record.credential = None;
        let entry = audit::change(now, "deploy", "runner.gone", before, &record.runner, why);
        let next = Versioned { record, version: known.version };
        let is_written = self.tenure.commit(vec![next.update(), records::insert(&entry)]).await?;
        if is_written {
            changes::changed(self.context, before, &next.record.runner, why);
        }
        Ok(is_written)
    }

    /// What is asked of `OpenTofu` to have these runners, made of a bundle; and the fleet it leads to.
    fn request(
        &self,
        egg: &EggRecord,
        runners: &[Versioned<RunnerRecord>],
        digest: &str,
        (tickets, environment): (BTreeMap<RunnerId, Secret>, BTreeMap<String, Secret>),
    ) -> (BTreeMap<RunnerId, PoolKind>, PlanRequest) {
        let wanted: BTreeMap<RunnerId, PoolKind> = runners
            .iter()
            .filter_map(|known| Some((known.record.runner.id.clone(), known.record.runner.wanted()?)))
            .collect();
        let commits: BTreeMap<&RunnerId, &str> =
            runners.iter().map(|known| (&known.record.runner.id, known.record.commit.as_str())).collect();
        let request = PlanRequest {
            bundle: Bundle { owner: self.owner.to_owned(), digest: digest.to_owned() },
            runners: wanted
                .iter()
                .map(|(id, pool)| {
                    let commit = commits.get(id).filter(|commit| !commit.is_empty());
                    let commit = commit.map(|commit| (*commit).to_owned());
                    (id.clone(), WantedRunner { pool: *pool, commit })
                })
                .collect(),
            tickets,
            variables: self.variables(egg),
            environment,
        };
        (wanted, request)
    }

    /// Frees a lock that a run which was cut off left behind. Whoever made it after that had the egg's lease, which is ours
    /// now; one of a person who works by hand is left alone.
    async fn free(&self, lock: &FoundLock) -> Result<bool, Failure> {
        let is_old = taken(lock).is_some_and(|then| then <= self.tenure.since.as_millis());
        if !self.evidence || !is_old {
            return Ok(false);
        }
        let now = self.context.ports.clock.now();
        let details =
            json!({ "lock": lock.id, "who": lock.who, "operation": lock.operation, "created": lock.created });
        let entry = AuditEntry::new(now, "deploy", "state.unlock", ("egg", self.owner), details);
        self.context.ports.tofu.unlock(self.owner, lock).await?;
        self.tenure.commit(vec![records::insert(&entry)]).await?;
        tracing::warn!(
            egg = self.owner,
            who = lock.who,
            created = lock.created,
            "a lock that a run left behind is freed"
        );
        Ok(true)
    }

    /// Nothing is wrong any more.
    async fn mended(&self) -> Result<(), Failure> {
        register::amend(self.context, self.tenure, self.owner, Vec::new(), register::mend).await
    }

    /// Writes down that it failed, and when it is tried again.
    async fn failed(&mut self, failure: &Failure) -> Result<(), Failure> {
        let now = self.context.ports.clock.now();
        let text: String = failure.to_string().chars().take(LONGEST).collect();
        tracing::warn!(egg = self.owner, error = text, "a deployment failed");
        self.context.metrics.deployments.with_label_values(&["failed"]).inc();
        let mut more = Vec::new();
        if let Some(mut plan) = self.plan.take() {
            plan.record.plan.status = PlanStatus::Failed;
            plan.record.sealed = Vec::new();
            plan.record.error = Some(text.clone());
            more.push(plan.update());
            let details = json!({ "egg": self.owner, "error": text });
            let entry = AuditEntry::new(now, "deploy", "plan.fail", ("plan", &plan.record.plan.id), details);
            more.push(records::insert(&entry));
        }
        let retry = |failures| match Backoff::DEPLOYMENT.after(failures, self.owner, now) {
            Attempt::At(then) => Some(then),
            Attempt::GiveUp => None,
        };
        register::amend(self.context, self.tenure, self.owner, more, |egg| {
            egg.failures = egg.failures.saturating_add(1);
            egg.retry_at = retry(egg.failures);
            egg.error = Some(text.clone());
        })
        .await?;
        if let Some(egg) = self.egg().await? {
            let key = format!("{}/retry", self.tenure.fence.0);
            put::deploy(self.context, self.owner, &key, egg.record.retry_at).await?;
        }
        Ok(())
    }
}

/// The last plans of an egg, the last first.
pub(super) async fn last_plans(
    context: &Context,
    owner: &str,
    limit: usize,
) -> Result<Vec<Versioned<PlanRecord>>, crate::ports::store::StoreError> {
    let query = Query {
        table: PlanRecord::TABLE,
        index: Some("egg_name_index"),
        partition: Some(Value::Text(owner.to_owned())),
        from: None,
        until: None,
        descending: true,
        limit,
        after: None,
    };
    Ok(records::query::<PlanRecord>(&*context.ports.store, &query).await?.records)
}

/// When a lock was taken, in milliseconds since the epoch: `2026-11-22 00:25:11.123456789 +0000 UTC`, or as RFC 3339 has it.
fn taken(lock: &FoundLock) -> Option<u64> {
    let text = lock.created.trim().trim_end_matches(" UTC");
    let moment = text
        .parse::<jiff::Timestamp>()
        .ok()
        .or_else(|| jiff::fmt::strtime::parse("%Y-%m-%d %H:%M:%S%.f %z", text).ok()?.to_timestamp().ok())?;
    u64::try_from(moment.as_millisecond()).ok()
}

/// Whether a plan would still do what is wanted: what it stops or destroys is not wanted otherwise by now, and what it
/// starts is still wanted. What was decided on since waits for the next.
fn still_wanted(planned: &BTreeMap<RunnerId, PoolKind>, now: &[Versioned<RunnerRecord>]) -> bool {
    let known: BTreeSet<&RunnerId> = now.iter().map(|runner| &runner.record.runner.id).collect();
    planned.keys().all(|id| known.contains(id))
        && now.iter().all(|runner| {
            let (care, runner) = (&runner.record.care, &runner.record.runner);
            match planned.get(&runner.id) {
                Some(pool) => runner.wanted() == Some(*pool),
                None => care.made == Made::Not || runner.wanted().is_none(),
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_tell_when_they_were_taken() {
        let lock = |created: &str| FoundLock {
            id: String::new(),
            who: String::new(),
            operation: String::new(),
            created: created.to_owned(),
        };
        assert_eq!(taken(&lock("1970-01-01 00:00:01.5 +0000 UTC")), Some(1500));
        assert_eq!(taken(&lock("1970-01-01T00:00:02Z")), Some(2000));
        assert_eq!(taken(&lock("yesterday")), None);
    }
}
