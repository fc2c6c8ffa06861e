//! The tokens of an egg's runners in GitLab are changed, and no job is lost by it.
//!
//! A second runner with the same settings is registered beside the first, and its token becomes the current version of the
//! secret. Machines hear of it with their next heartbeat and go over to it; a job that runs is finished with the old one. When
//! nobody works with the old one any more, it is taken out of GitLab. Until then all of it can be undone the same way: the
//! old token becomes the current version again, the machines go back, and the new runner goes.
//!
//! How far it is stands in the egg's row, and each step may be done twice: whoever is cut off, the next one goes on.

use std::{collections::BTreeSet, time::Duration};

use fly_std::formats::SecretUri;
use serde_json::json;

use super::{
    Failure,
    access::{self, Spot},
    audit, put, register,
    tenure::Tenure,
};
use crate::{
    domain::{Event, PoolKind, State, Time},
    faults,
    ports::{
        gitlab::GitLabError,
        secrets::SecretError,
        store::{Value, Write},
    },
    records::{self, AuditEntry, EggRecord, Rotation, RotationStep, RunnerRecord, Turn, Versioned},
    roles::{Context, Work, changes},
};

/// Between two looks at the machines.
const PAUSE: Duration = Duration::from_secs(2);

/// For so long nobody must be known to work with the old token: an agent that was told of the new one may ask once more with
/// the one it had.
const SETTLE: Duration = Duration::from_secs(5);

/// How many steps are gone at once.
const STEPS: usize = 6;

/// The most things that are named of those that it waits for.
const NAMED: usize = 5;

/// Goes on with an egg's rotation.
pub(super) async fn rotate(context: &Context, owner: &str) -> Result<(), Failure> {
    let Some(tenure) = Tenure::take(context, &format!("egg/{owner}")).await? else {
        return again(context, owner).await;
    };
    let rotating = Rotating { context, tenure: &tenure, owner };
    let done = tenure.during(Box::pin(rotating.whole())).await;
    if let Err(failure) = &done {
        rotating.failed(failure).await?;
    }
    if tenure.left_behind {
        // What a deployment left is its next one's business, which has to see that something was left.
        tenure.abandon().await;
    } else {
        tenure.release().await;
    }
    // A deployment may have had to wait for us.
    put::decide(context).await?;
    if done? { again(context, owner).await } else { Ok(()) }
}

async fn again(context: &Context, owner: &str) -> Result<(), Failure> {
    let work = Work::Rotate { egg: owner.to_owned() };
    Ok(put::later(context, &format!("rotate/{owner}"), &work, PAUSE).await?)
}

/// A rotation that goes on, under the egg's lease.
struct Rotating<'a> {
    context: &'a Context,
    tenure: &'a Tenure<'a>,
    owner: &'a str,
}

impl Rotating<'_> {
    /// Goes as far as it can; whether there is more to do later.
    async fn whole(&self) -> Result<bool, Failure> {
        for _ in 0..STEPS {
            let eggs = records::all::<EggRecord>(&*self.context.ports.store, None, None).await?;
            let eggs: Vec<EggRecord> = eggs.into_iter().map(|egg| egg.record).collect();
            // Of one that has left the Nest everything goes.
            let Some(egg) = eggs.iter().find(|egg| egg.name == self.owner && !egg.removed) else {
                return Ok(false);
            };
            let Some(rotation) = egg.rotating() else { return Ok(false) };
            if egg.is_unlinked() {
                return self.drop(rotation).await.map(|()| false);
            }
            match rotation.step {
                RotationStep::Register => self.register(egg, rotation, &eggs).await?,
                RotationStep::Drain => {
                    if !self.drain(egg, rotation, &eggs).await? {
                        return Ok(true);
                    }
                }
                RotationStep::Revoke => self.revoke(egg, rotation, &eggs).await?,
                RotationStep::Done => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Nothing is left to rotate: an operator has taken the egg out of GitLab, and with it the runners of the rotation.
    async fn drop(&self, rotation: &Rotation) -> Result<(), Failure> {
        let entry = AuditEntry::new(
            self.now(),
            "rotation",
            "egg.rotation-dropped",
            ("egg", self.owner),
            json!({ "why": "the egg was unlinked" }),
        );
        register::amend(self.context, self.tenure, self.owner, vec![records::insert(&entry)], |egg| {
            egg.rotation = egg.rotation.take().filter(|now| now.since != rotation.since);
        })
        .await
    }

    fn now(&self) -> Time {
        self.context.ports.clock.now()
    }

    /// Changes the rotation in the egg's row, unless somebody has asked for something else meanwhile.
    async fn change(
        &self,
        seen: &Rotation,
        more: Vec<Write>,
        change: impl Fn(&mut EggRecord, &mut Rotation),
    ) -> Result<(), Failure> {
        register::amend(self.context, self.tenure, self.owner, more, |egg| {
            let Some(mut rotation) = egg.rotation.clone() else { return };
            if rotation.since == seen.since && rotation.undo == seen.undo && rotation.step == seen.step {
                change(egg, &mut rotation);
                egg.rotation = Some(rotation);
            }
        })
        .await
    }

    /// What went wrong stands in the egg's row until it goes well.
    async fn failed(&self, failure: &Failure) -> Result<(), Failure> {
        let text = failure.to_string();
        tracing::warn!(egg = self.owner, error = text, "the rotation of a runner's token doesn't go on");
        register::amend(self.context, self.tenure, self.owner, Vec::new(), |egg| {
            if let Some(rotation) = egg.rotation.as_mut().filter(|rotation| rotation.goes_on()) {
                rotation.note = Some(text.clone());
            }
        })
        .await
    }

    /// Every place has the runner that stays, and its token is the current one.
    async fn register(
        &self,
        egg: &EggRecord,
        rotation: &Rotation,
        eggs: &[EggRecord],
    ) -> Result<(), Failure> {
        for spot in access::spots(egg, &self.context.settings.nest) {
            let key = spot.key();
            let turn = match rotation.turns.get(&key) {
                Some(turn) => turn.clone(),
                None if rotation.undo => continue,
                None => {
                    // What is not registered yet gets a fresh token when it is.
                    let registered = egg.registered.get(&key).and_then(|known| known.runner);
                    let Some(old) = registered else { continue };
                    let old_version = self.version(&access::parse(&spot.token)?).await?;
                    let turn = Turn { old, old_version, new: None, new_version: None };
                    self.change(rotation, Vec::new(), |_, rotation| {
                        rotation.turns.insert(key.clone(), turn.clone());
                    })
                    .await?;
                    turn
                }
            };
            if rotation.undo {
                self.go_back(&spot, &turn, rotation, eggs).await?;
            } else if turn.new.is_none() {
                self.go_over(egg, &spot, &turn, rotation, eggs).await?;
            }
        }
        let now = self.now();
        self.change(rotation, Vec::new(), |egg, rotation| {
            rotation.revision = egg.revision;
            rotation.come_to(RotationStep::Drain, now);
        })
        .await?;
        faults::point("during-rotation");
        Ok(())
    }

    /// The current version of a secret; none when there is none, or the backend counts none.
    async fn version(&self, uri: &SecretUri) -> Result<Option<u64>, Failure> {
        match self.context.ports.secrets.versions(uri).await {
            Ok(versions) => Ok(versions.iter().find(|one| one.current).map(|one| one.version)),
            Err(SecretError::Missing { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A place gets another runner.
    async fn go_over(
        &self,
        egg: &EggRecord,
        spot: &Spot,
        turn: &Turn,
        rotation: &Rotation,
        eggs: &[EggRecord],
    ) -> Result<(), Failure> {
        let gitlab = &*self.context.ports.gitlab;
        let access = access::to_spot(self.context, self.owner, spot, eggs).await?;
        let runner = register::wanted(self.context, egg, spot);
        let uri = access::parse(&spot.token)?;
        let found = gitlab.runners(&access, spot.place).await?;
        let mut ours = found
            .into_iter()
            .filter(|found| found.maintenance_note == runner.maintenance_note && found.id != turn.old);
        // One that was made before a crash is taken. Its token is lost, unless it came as far as the secret.
        let (id, kept, token) = match ours.next() {
            Some(found) => {
                gitlab.update_runner(&access, found.id, &runner).await?;
                let current = self.version(&uri).await?;
                if current.is_some() && current == turn.old_version.map(|old| old + 1) {
                    (found.id, current, None)
                } else {
                    (found.id, None, Some(gitlab.reset_runner_token(&access, found.id).await?))
                }
            }
            None => {
                let made = gitlab.create_runner(&access, &runner).await?;
                (made.id, None, Some(made.token))
            }
        };
        for more in ours {
            gitlab.delete_runner(&access, more.id).await?;
        }
        faults::point("during-rotation");
        let version = match token {
            Some(token) => Some(self.context.ports.secrets.put(&uri, &token).await?),
            None => kept,
        };
        faults::point("during-rotation");
        let (key, settings) = (spot.key(), register::settings(&runner));
        let details = json!({ "place": key, "gitlab_runner": id, "instead_of": turn.old });
        let entry =
            AuditEntry::new(self.now(), &rotation.actor, "runner.rotate", ("egg", self.owner), details);
        self.change(rotation, vec![records::insert(&entry)], |egg, rotation| {
            if let Some(turn) = rotation.turns.get_mut(&key) {
                turn.new = Some(id);
                turn.new_version = version;
            }
            let registered = egg.registered.entry(key.clone()).or_default();
            registered.runner = Some(id);
            registered.settings = Some(settings.clone());
            egg.revision += 1;
        })
        .await?;
        tracing::info!(
            egg = self.owner,
            place = key,
            runner = id,
            instead_of = turn.old,
            "a runner with a new token is registered in GitLab"
        );
        Ok(())
    }

    /// A place gets back the runner it had.
    async fn go_back(
        &self,
        spot: &Spot,
        turn: &Turn,
        rotation: &Rotation,
        eggs: &[EggRecord],
    ) -> Result<(), Failure> {
        let secrets = &*self.context.ports.secrets;
        let uri = access::parse(&spot.token)?;
        let mut version = self.version(&uri).await?;
        if version.is_none() || version != turn.old_version {
            let kept = match turn.old_version {
                Some(old) => match secrets.get_version(&uri, old).await {
                    Ok(token) => Some(token),
                    Err(error) if error.is_transient() => return Err(error.into()),
                    Err(_) => None,
                },
                None => None,
            };
            let token = match kept {
                Some(token) => token,
                None => {
                    // The old token is not kept any more. The old runner gets another one.
                    let access = access::to_spot(self.context, self.owner, spot, eggs).await?;
                    self.context.ports.gitlab.reset_runner_token(&access, turn.old).await?
                }
            };
            version = Some(secrets.put(&uri, &token).await?);
        }
        let key = spot.key();
        let details = json!({ "place": key, "gitlab_runner": turn.old, "instead_of": turn.new });
        let entry =
            AuditEntry::new(self.now(), &rotation.actor, "runner.rotate-back", ("egg", self.owner), details);
        self.change(rotation, vec![records::insert(&entry)], |egg, rotation| {
            if let Some(turn) = rotation.turns.get_mut(&key) {
                turn.old_version = version;
            }
            let registered = egg.registered.entry(key.clone()).or_default();
            registered.runner = Some(turn.old);
            // The Nest may want it otherwise by now.
            registered.settings = None;
            egg.revision += 1;
        })
        .await
    }

    /// Whether nobody works any more with what goes. A machine that doesn't go over in time is replaced.
    async fn drain(&self, egg: &EggRecord, rotation: &Rotation, eggs: &[EggRecord]) -> Result<bool, Failure> {
        let now = self.now();
        let partition = Some(Value::Text(self.owner.to_owned()));
        let store = &*self.context.ports.store;
        let mut machines = records::all::<RunnerRecord>(store, Some("egg_name_index"), partition).await?;
        machines.retain(|known| known.record.runner.state != State::Terminated);
        let mut waits = Vec::new();
        for known in &machines {
            let runner = &known.record.runner;
            // One that never showed its ticket, or sleeps, asks for tokens when it comes up.
            let is_asleep = runner.is_asleep() && runner.settled == PoolKind::Nadir;
            if known.record.system_id.is_none() || is_asleep {
                continue;
            }
            if known.record.revision.is_none_or(|revision| revision < rotation.revision) {
                waits.push(format!("`{}` has not gone over", runner.id));
                if now.since(rotation.moved) >= self.context.settings.deadlines.heartbeat {
                    self.replace(known).await?;
                }
            }
        }
        for spot in access::spots(egg, &self.context.settings.nest) {
            let Some(leaving) = rotation.leaving(&spot.key()) else { continue };
            let access = access::to_spot(self.context, self.owner, &spot, eggs).await?;
            for known in &machines {
                let Some(system_id) = &known.record.system_id else { continue };
                let jobs = match self.context.ports.gitlab.running_jobs(&access, leaving, system_id).await {
                    Ok(jobs) => jobs,
                    Err(GitLabError::NotFound { .. }) => Vec::new(),
                    Err(error) => return Err(error.into()),
                };
                for job in jobs {
                    waits.push(format!("`{}` finishes the job {}", known.record.runner.id, job.id));
                }
            }
        }
        if waits.is_empty() {
            let is_over = rotation.quiet.is_some_and(|since| now.since(since) >= SETTLE);
            if is_over || machines.is_empty() {
                self.change(rotation, Vec::new(), |_, rotation| {
                    rotation.come_to(RotationStep::Revoke, now);
                })
                .await?;
                faults::point("during-rotation");
                return Ok(true);
            }
            if rotation.quiet.is_none() || rotation.note.is_some() {
                self.change(rotation, Vec::new(), |_, rotation| {
                    rotation.quiet = rotation.quiet.or(Some(now));
                    rotation.note = None;
                })
                .await?;
            }
            return Ok(false);
        }
        let more = waits.len().saturating_sub(NAMED);
        waits.truncate(NAMED);
        let more = if more > 0 { format!("; {more} more") } else { String::new() };
        let note = Some(waits.join("; ") + &more);
        if rotation.note != note || rotation.quiet.is_some() {
            self.change(rotation, Vec::new(), |_, rotation| {
                rotation.quiet = None;
                rotation.note.clone_from(&note);
            })
            .await?;
        }
        Ok(false)
    }

    /// A machine that doesn't take the new token finishes its job and goes.
    async fn replace(&self, known: &Versioned<RunnerRecord>) -> Result<(), Failure> {
        const WHY: &str = "its token was rotated, and it has not taken the new one in time";
        let (now, before) = (self.now(), &known.record.runner);
        let Ok(after) = before.after(&Event::Drain, now) else { return Ok(()) };
        let entry = audit::change(now, "rotation", "runner.drain", before, &after, WHY);
        let record =
            RunnerRecord { runner: after, why: WHY.to_owned(), updated: now, ..known.record.clone() };
        let next = Versioned { record, version: known.version };
        // When somebody else was first, the next look sees what is true then.
        if self.tenure.commit(vec![next.update(), records::insert(&entry)]).await? {
            changes::changed(self.context, before, &next.record.runner, WHY);
        }
        Ok(())
    }

    /// What goes is taken out of GitLab: its token is good for nothing from now on.
    async fn revoke(&self, egg: &EggRecord, rotation: &Rotation, eggs: &[EggRecord]) -> Result<(), Failure> {
        let gitlab = &*self.context.ports.gitlab;
        for spot in access::spots(egg, &self.context.settings.nest) {
            let key = spot.key();
            let stays = egg.registered.get(&key).and_then(|known| known.runner);
            if stays.is_none() || !rotation.turns.contains_key(&key) {
                continue;
            }
            let access = access::to_spot(self.context, self.owner, &spot, eggs).await?;
            let mark = register::wanted(self.context, egg, &spot).maintenance_note;
            let found = gitlab.runners(&access, spot.place).await?;
            // Also one that was made just before it was undone.
            let ours = found.into_iter().filter(|found| found.maintenance_note == mark);
            let mut going: BTreeSet<u64> = ours.map(|found| found.id).collect();
            going.extend(rotation.leaving(&key));
            for id in going.into_iter().filter(|id| Some(*id) != stays) {
                gitlab.delete_runner(&access, id).await?;
                tracing::info!(egg = self.owner, place = key, runner = id, "a runner's token is revoked");
            }
        }
        faults::point("during-rotation");
        let now = self.now();
        let action = if rotation.undo { "egg.rotation-undone" } else { "egg.rotated" };
        let entry = AuditEntry::new(now, &rotation.actor, action, ("egg", self.owner), json!({}));
        self.change(rotation, vec![records::insert(&entry)], |_, rotation| {
            rotation.come_to(RotationStep::Done, now);
        })
        .await?;
        tracing::info!(egg = self.owner, undone = rotation.undo, "a rotation is over");
        Ok(())
    }
}
