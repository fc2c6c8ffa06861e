//! One plan: made, sealed, stored, checked, applied, recorded.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Back, Run, given, still_wanted};
use crate::{
    domain::{Event, Plan, PlanStatus, PoolKind, Refused, RunnerId, Time},
    faults,
    ports::tofu::{Applied, Planned, TofuError},
    records::{self, AuditEntry, EggRecord, Made, Pin, PlanKind, PlanRecord, RunnerRecord, Versioned},
    roles::worker::{Failure, register},
};

/// How many runners are written in one transaction, each perhaps with an audit entry.
const AT_ONCE: usize = 40;

/// How often what was applied is written when others write the same rows.
const TRIES: usize = 32;

/// What became of something that `OpenTofu` was asked.
enum Said<T> {
    Yes(T),
    /// It is to be planned anew.
    Again,
}

impl Run<'_> {
    /// Plans and applies; `false` when something changed meanwhile and it is to be planned anew.
    pub(super) async fn attempt(
        &mut self,
        egg: &Versioned<EggRecord>,
        mut runners: Vec<Versioned<RunnerRecord>>,
    ) -> Result<bool, Failure> {
        let made_from = match self.back {
            Some(back) => (back.plan.plan.digest.as_str(), back.plan.plan.commit.as_str()),
            None => egg.record.made_from(),
        };
        let environment = self.environment(&egg.record).await?;
        let Some(tickets) = self.tickets(&mut runners, made_from).await? else { return Ok(false) };
        let (wanted, request) = self.request(&egg.record, &runners, made_from.0, (tickets, environment));

        faults::point("during-plan");
        let began = self.context.ports.clock.now();
        let planned = self.context.ports.tofu.plan(&request).await;
        if let Err(TofuError::Unset { owner, unset }) = &planned {
            return Err(Failure::Never(given::lacking(owner, given::cloud(&egg.record).name(), unset)));
        }
        let Said::Yes(planned) = self.said(planned).await? else { return Ok(false) };
        self.took("plan", began);
        self.keep(&planned, made_from, &wanted).await?;

        faults::point("before-apply");
        if !self.begin(&wanted).await? {
            return Ok(false);
        }

        faults::point("during-apply");
        let began = self.context.ports.clock.now();
        let applied = self.context.ports.tofu.apply(&request, &planned.binary).await;
        let Said::Yes(applied) = self.said(applied).await? else { return Ok(false) };
        self.took("apply", began);

        faults::point("before-record");
        self.record(&wanted, applied).await?;
        Ok(true)
    }

    fn took(&self, step: &str, began: Time) {
        let seconds = self.context.ports.clock.now().since(began).as_secs_f64();
        self.context.metrics.deployment_seconds.with_label_values(&[step]).observe(seconds);
    }

    /// What `OpenTofu` said. A lock that was left behind and a state that has changed ask for another plan.
    async fn said<T>(&mut self, answer: Result<T, TofuError>) -> Result<Said<T>, Failure> {
        match answer {
            Ok(answer) => {
                // No lock is in the way.
                self.is_clean = true;
                Ok(Said::Yes(answer))
            }
            Err(TofuError::Locked { owner, lock }) => {
                if self.free(&lock).await? {
                    self.put_down("the state was locked").await?;
                    return Ok(Said::Again);
                }
                Err(TofuError::Locked { owner, lock }.into())
            }
            Err(error @ TofuError::Stale { .. }) => {
                self.put_down(&error.to_string()).await?;
                Ok(Said::Again)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Stores a plan, sealed.
    async fn keep(
        &mut self,
        planned: &Planned,
        (digest, commit): (&str, &str),
        wanted: &BTreeMap<RunnerId, PoolKind>,
    ) -> Result<(), Failure> {
        let now = self.context.ports.clock.now();
        let id = records::id_of(now);
        let sealed = self.context.seal.seal(&planned.binary, &format!("deployment_plans/{id}/plan_binary"));
        let sealed = sealed.map_err(|error| Failure::later(format!("a plan can't be sealed: {error}")))?;
        let record = PlanRecord {
            plan: Plan {
                id,
                egg: self.owner.to_owned(),
                digest: digest.to_owned(),
                commit: commit.to_owned(),
                on: planned.on.clone(),
                fence: self.tenure.fence,
                status: PlanStatus::Pending,
                made: now,
            },
            kind: if self.back.is_some() { PlanKind::Rollback } else { PlanKind::Deploy },
            sealed,
            rollback_of: self.back.map(|back| back.plan.plan.id.clone()),
            runners: wanted.iter().map(|(id, pool)| (id.to_string(), word(*pool).to_owned())).collect(),
            changes: planned.changes.clone(),
            outputs: BTreeMap::new(),
            applied: None,
            error: None,
        };
        if !self.tenure.commit(vec![records::insert(&record)]).await? {
            return Err(Failure::later("the row of a new plan is there already"));
        }
        tracing::info!(
            egg = self.owner,
            plan = record.plan.id,
            changes = record.changes.len(),
            "a plan is made"
        );
        self.plan = Some(Versioned { record, version: 1 });
        Ok(())
    }

    /// The plan is used from now on, if it still may be; `false` when it is to be planned anew.
    async fn begin(&mut self, wanted: &BTreeMap<RunnerId, PoolKind>) -> Result<bool, Failure> {
        let Some(plan) = self.plan.clone() else { return Ok(false) };
        let found = self.context.ports.tofu.state(self.owner).await?;
        match plan.record.plan.may_apply(&found, self.tenure.fence) {
            Ok(()) => {}
            Err(refused @ Refused::Stale { .. }) => {
                self.context.metrics.deployments.with_label_values(&["refused"]).inc();
                self.put_down(&refused.to_string()).await?;
                return Ok(false);
            }
            Err(refused) => return Err(Failure::later(refused.to_string())),
        }
        let runners = self.runners().await?;
        if !still_wanted(wanted, &runners) {
            self.put_down("what is wanted has changed").await?;
            return Ok(false);
        }
        let mut next = plan;
        next.record.plan.status = PlanStatus::Applying;
        let mut writes = Vec::new();
        for mut known in runners {
            let is_new = known.record.care.made == Made::Not;
            if is_new && wanted.contains_key(&known.record.runner.id) {
                known.record.care.made = Made::Maybe;
                writes.push(known.update());
            }
        }
        // Of what may be there soon every row says so before anything is made.
        let mut chunks = writes.chunks(AT_ONCE).peekable();
        while let Some(some) = chunks.next() {
            let mut some = some.to_vec();
            if chunks.peek().is_none() {
                some.push(next.update());
            }
            if !self.tenure.commit(some).await? {
                self.put_down("what is wanted has changed").await?;
                return Ok(false);
            }
        }
        if writes.is_empty() && !self.tenure.commit(vec![next.update()]).await? {
            return Err(Failure::later("a plan was written by somebody else"));
        }
        next.version += 1;
        self.plan = Some(next);
        Ok(true)
    }

    /// The plan is used no more, and another one is made.
    async fn put_down(&mut self, why: &str) -> Result<(), Failure> {
        let Some(mut plan) = self.plan.take() else { return Ok(()) };
        plan.record.plan.status = PlanStatus::Superseded;
        plan.record.sealed = Vec::new();
        plan.record.error = Some(why.to_owned());
        tracing::info!(egg = self.owner, plan = plan.record.plan.id, why, "a plan is put aside");
        if !self.tenure.commit(vec![plan.update()]).await? {
            return Err(Failure::later("a plan was written by somebody else"));
        }
        Ok(())
    }

    /// Writes down what was applied: first every runner, and last the plan, so that one that is cut off here is done again.
    async fn record(
        &mut self,
        wanted: &BTreeMap<RunnerId, PoolKind>,
        applied: Applied,
    ) -> Result<(), Failure> {
        let mut gone = Vec::new();
        let mut is_whole = false;
        for _ in 0..TRIES {
            is_whole = self.settle(wanted, &mut gone).await?;
            if is_whole {
                break;
            }
        }
        if !is_whole {
            return Err(Failure::later("others write all the time what was applied"));
        }
        let Some(mut plan) = self.plan.take() else { return Ok(()) };
        let now = self.context.ports.clock.now();
        plan.record.plan.status = PlanStatus::Applied;
        plan.record.sealed = Vec::new();
        plan.record.outputs = applied.outputs;
        plan.record.applied = Some(now);
        let actor = self.back.map_or("deploy", |back| &back.actor);
        let details = json!({
            "egg": self.owner,
            "commit": plan.record.plan.commit,
            "changes": plan.record.changes,
            "rollback_of": plan.record.rollback_of,
        });
        let id = plan.record.plan.id.clone();
        let entry = AuditEntry::new(now, actor, "plan.apply", ("plan", &id), details);
        let mut more = vec![plan.update(), records::insert(&entry)];
        if let Some(back) = self.back {
            more.extend(self.passed_over(back).await?);
        }
        let back = self.back.map(|back| &back.plan.plan);
        register::amend(self.context, self.tenure, self.owner, more, |egg| {
            register::mend(egg);
            if let Some(back) = back {
                egg.pinned = (back.digest != egg.digest).then(|| Pin {
                    digest: back.digest.clone(),
                    commit: back.commit.clone(),
                    plan: back.id.clone(),
                    over: egg.digest.clone(),
                });
            }
        })
        .await?;
        self.context.metrics.deployments.with_label_values(&["applied"]).inc();
        tracing::info!(egg = self.owner, plan = id, "a plan is applied");
        self.unregister(gone).await
    }

    /// Writes what became of each runner; `false` when somebody else wrote one of them.
    async fn settle(
        &self,
        wanted: &BTreeMap<RunnerId, PoolKind>,
        gone: &mut Vec<RunnerId>,
    ) -> Result<bool, Failure> {
        let now = self.context.ports.clock.now();
        let mut is_whole = true;
        let mut next = Vec::new();
        for known in self.runners().await? {
            let id = known.record.runner.id.clone();
            match wanted.get(&id) {
                Some(pool) => {
                    let Ok(runner) = known.record.runner.after(&Event::Applied(*pool), now) else { continue };
                    let mut record = RunnerRecord { runner, ..known.record.clone() };
                    record.care.made = Made::Yes;
                    record.care.ticket = None;
                    if record != known.record {
                        record.updated = now;
                        next.push(Versioned { record, version: known.version });
                    }
                }
                None if known.record.runner.ending.is_some() => {
                    if self.gone(&known, "it was destroyed").await? {
                        gone.push(id);
                    } else {
                        is_whole = false;
                    }
                }
                // It was decided on while the plan was applied: the next one brings it.
                None => {}
            }
        }
        for some in next.chunks(AT_ONCE) {
            is_whole &= self.tenure.commit(some.iter().map(Versioned::update).collect()).await?;
        }
        Ok(is_whole)
    }

    /// The plans that a rollback goes back behind.
    async fn passed_over(&self, back: &Back) -> Result<Vec<crate::ports::store::Write>, Failure> {
        let mut writes = Vec::new();
        for mut plan in self.last_plans().await? {
            let is_later = plan.record.plan.made > back.plan.plan.made;
            if is_later && plan.record.plan.status == PlanStatus::Applied {
                plan.record.plan.status = PlanStatus::RolledBack;
                writes.push(plan.update());
            }
        }
        Ok(writes)
    }

    /// Takes the managers of runners that have gone out of GitLab.
    async fn unregister(&self, gone: Vec<RunnerId>) -> Result<(), Failure> {
        let store = &*self.context.ports.store;
        let Some(egg) = self.egg().await? else { return Ok(()) };
        for id in gone {
            let key = vec![crate::ports::store::Value::Text(id.as_str().to_owned())];
            if let Some(known) = records::get::<RunnerRecord>(store, key).await?
                && known.record.care.unregister
            {
                register::unregister(self.context, std::slice::from_ref(&egg.record), known).await?;
            }
        }
        Ok(())
    }
}

pub(super) const fn word(pool: PoolKind) -> &'static str {
    match pool {
        PoolKind::Apex => "apex",
        PoolKind::Nadir => "nadir",
    }
}
