//! Git sync: what the Nest's branch is at comes into force, whole or not at all.
//!
//! One look at a time, under the lease `sync`. A commit that has errors changes nothing and is not looked at again. What is
//! written goes in several transactions where it must; the row of the Nest is written last, and a sync that is cut off before
//! is finished by the next.
#![allow(clippy::disallowed_methods, reason = "the build that was just written is read back")]

mod build;
mod bundles;
mod difference;

use std::{path::PathBuf, time::Duration};

use tokio::{fs, task::spawn_blocking};
use uuid::Uuid;

use super::{Context, Work};
use crate::{
    domain::Time,
    faults,
    ports::{
        git::{GitError, Remote},
        queue::QueueError,
        secrets::SecretError,
        store::{MOST_WRITES, StoreError, Write},
        tofu::TofuError,
    },
    records::{
        AuditEntry, Changes, EggRecord, Held, NestRecord, Pending, SyncRecord, SyncStatus, Versioned,
        acquire, all, get, insert, put, release, renew,
    },
};
use build::{Found, Wrong};

/// How long nobody else looks, unless it is renewed between the steps.
const LEASE: Duration = Duration::from_mins(5);

/// How often what was written is compared anew because another writer was first.
const ATTEMPTS: usize = 20;

/// What a look at the Nest's repository came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Synced {
    /// There is nothing new.
    Unchanged,
    /// Somebody else is looking right now.
    Elsewhere,
    /// The commit came into force, has errors, or was not to be had. A failure that repeats itself is stored once.
    Done(SyncRecord),
}

/// Why a look came to nothing, and is to be tried again.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The repository.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The deploy key.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// What was built could not be kept.
    #[error(transparent)]
    Tofu(#[from] TofuError),
    /// This machine.
    #[error("the Nest can't be built: {0}")]
    Machine(String),
    /// It took so long that somebody else looks by now.
    #[error("the sync of the Nest took so long that another one has begun")]
    Lost,
}

impl SyncError {
    /// Whether the same may go well later without anybody doing anything.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Store(_) | Self::Queue(_) | Self::Lost => true,
            Self::Git(error) => error.is_transient(),
            Self::Secret(error) => error.is_transient(),
            Self::Tofu(_) | Self::Machine(_) => false,
        }
    }

    /// Whether it says something about the Nest's repository that operators are to see.
    const fn is_told(&self) -> bool {
        !matches!(self, Self::Store(_) | Self::Queue(_) | Self::Lost)
    }
}

/// Looks at the Nest's repository and brings what is new into force. `reason` is why: `timer`, `push`, `start`, `operator`.
///
/// # Errors
///
/// When the same may go well later; what waits for a person is [`Synced::Done`] with a record that says so.
pub async fn sync(context: &Context, reason: &str) -> Result<Synced, SyncError> {
    let store = &*context.ports.store;
    let now = context.ports.clock.now();
    let Some(held) = acquire(store, "sync", &context.instance, LEASE, now).await? else {
        return Ok(Synced::Elsewhere);
    };
    let mut turn = Turn { context, reason, held };
    // A look holds much at once; those who wait for it need not.
    let done = Box::pin(turn.look()).await;
    // Nobody waits for longer than it lasts.
    drop(release(store, &turn.held, context.ports.clock.now()).await);
    let outcome = match &done {
        Ok(Synced::Unchanged) => "unchanged",
        Ok(Synced::Elsewhere) => return done,
        Ok(Synced::Done(record)) => match record.status {
            SyncStatus::Applied => "applied",
            SyncStatus::Broken => "broken",
            SyncStatus::Failed => "failed",
        },
        Err(_) => "failed",
    };
    context.metrics.syncs.with_label_values(&[outcome]).inc();
    done
}

/// One look.
struct Turn<'a> {
    context: &'a Context,
    reason: &'a str,
    held: Held,
}

impl Turn<'_> {
    fn now(&self) -> Time {
        self.context.ports.clock.now()
    }

    /// What the Nest is built with.
    fn compiler(&self) -> String {
        build::compiler(&self.context.settings.nest.variables)
    }

    fn builds(&self) -> PathBuf {
        self.context.settings.data.join("nest").join("builds")
    }

    /// The row of the Nest, as it is.
    async fn nest(&self) -> Result<(NestRecord, Option<u64>), SyncError> {
        let found = get::<NestRecord>(&*self.context.ports.store, NestRecord::id()).await?;
        Ok(found
            .map_or_else(|| (NestRecord::new(self.now()), None), |found| (found.record, Some(found.version))))
    }

    /// Keeps the lease for longer.
    async fn stay(&mut self) -> Result<(), SyncError> {
        let kept = renew(&*self.context.ports.store, &self.held, LEASE, self.now()).await?;
        self.held = kept.ok_or(SyncError::Lost)?;
        Ok(())
    }

    /// Writes while the lease holds.
    async fn commit(&self, mut writes: Vec<Write>) -> Result<(), StoreError> {
        writes.push(self.held.unchanged());
        self.context.ports.store.commit(writes).await
    }

    async fn look(&mut self) -> Result<Synced, SyncError> {
        let commit = match self.fetch().await {
            Ok(commit) => commit,
            Err(error) => return self.failed(None, error).await,
        };
        self.stay().await?;
        let (nest, version) = self.nest().await?;
        if let Some(pending) = nest.pending.as_ref().filter(|pending| pending.commit != commit) {
            // A sync was cut off when it had begun to write. It was a good one: without it, what is in force would be neither
            // the one Nest nor the other should the new commit have errors.
            let begun = pending.commit.clone();
            if let Err(error) = self.bring(&begun).await {
                tracing::warn!(commit = begun, %error, "a sync that was cut off can't be finished; the next commit counts");
            }
        } else if nest.pending.is_none()
            && nest.seen.as_deref() == Some(&*commit)
            && nest.compiler == self.compiler()
            && (nest.commit != nest.seen || fs::symlink_metadata(self.builds().join(&commit)).await.is_ok())
        {
            let looked = NestRecord { looked: self.now(), failure: None, ..nest };
            self.commit(vec![write(&looked, version)]).await?;
            return Ok(Synced::Unchanged);
        }
        match self.bring(&commit).await {
            Ok(done) => Ok(done),
            Err(error) => self.failed(Some(commit), error).await,
        }
    }

    async fn fetch(&self) -> Result<String, SyncError> {
        let nest = &self.context.settings.nest;
        let key = match &nest.deploy_key {
            Some(uri) => Some(self.context.ports.secrets.get(uri).await?),
            None => None,
        };
        let remote = Remote {
            url: nest.url.clone(),
            branch: nest.branch.clone(),
            key,
            known_hosts: nest.known_hosts.clone(),
        };
        Ok(self.context.ports.git.fetch(&remote).await?)
    }

    /// Tells that a look came to nothing, once for each reason.
    async fn failed(&mut self, commit: Option<String>, error: SyncError) -> Result<Synced, SyncError> {
        if !error.is_told() {
            return Err(error);
        }
        let now = self.now();
        let record = self.record(commit, SyncStatus::Failed, Changes::default(), Some(error.to_string()));
        let (nest, version) = self.nest().await?;
        let is_new = nest.failure != record.message;
        let nest = NestRecord { failure: record.message.clone(), looked: now, ..nest };
        let mut writes = vec![write(&nest, version)];
        if is_new {
            tracing::warn!(reason = self.reason, %error, "the Nest was not to be had");
            writes.push(insert(&record));
        }
        self.commit(writes).await?;
        if error.is_transient() { Err(error) } else { Ok(Synced::Done(record)) }
    }

    fn record(
        &self,
        commit: Option<String>,
        status: SyncStatus,
        changes: Changes,
        message: Option<String>,
    ) -> SyncRecord {
        SyncRecord { id: Uuid::now_v7().to_string(), commit, status, changes, message, at: self.now() }
    }

    /// Brings a commit into force, or tells what is wrong with it.
    async fn bring(&mut self, commit: &str) -> Result<Synced, SyncError> {
        let files = self.context.ports.git.files(commit).await?;
        let out = self.builds().join(commit);
        fs::create_dir_all(self.builds())
            .await
            .map_err(|error| SyncError::Machine(error.kind().to_string()))?;
        let built = {
            let (out, variables) = (out.clone(), self.context.settings.nest.variables.clone());
            spawn_blocking(move || build::build(&files, &out, &variables)).await
        };
        let built = built.map_err(|_| SyncError::Machine("the compiler was cut off".to_owned()))?;
        self.stay().await?;
        let mut found = match built {
            Ok(found) => found,
            Err(Wrong::Nest(message)) => return self.broken(commit, message).await,
            Err(Wrong::Machine(reason)) => return Err(SyncError::Machine(reason)),
        };
        for bundle in self.context.ports.tofu.keep(&out).await? {
            if let Some(owner) = found.owners.get_mut(&bundle.owner) {
                owner.digest = bundle.digest;
            }
        }
        if let Some((name, _)) = found.owners.iter().find(|(_, owner)| owner.digest.is_empty()) {
            return Err(SyncError::Machine(format!("nothing was kept of what was built for `{name}`")));
        }
        self.stay().await?;
        faults::point("during-sync");
        let before = bundles::of_eggs(&*self.context.ports.store).await?;
        let done = self.apply(commit, &found).await?;
        self.forget(commit).await;
        bundles::prune(self.context, before).await;
        Ok(done)
    }

    /// A Nest with errors: what is in force stays.
    async fn broken(&self, commit: &str, message: String) -> Result<Synced, SyncError> {
        let record =
            self.record(Some(commit.to_owned()), SyncStatus::Broken, Changes::default(), Some(message));
        let (nest, version) = self.nest().await?;
        let nest = NestRecord {
            seen: Some(commit.to_owned()),
            compiler: self.compiler(),
            failure: None,
            looked: record.at,
            ..nest
        };
        self.commit(vec![write(&nest, version), insert(&record)]).await?;
        tracing::warn!(commit, reason = self.reason, "the Nest has errors; what was in force stays");
        drop(fs::remove_dir_all(self.builds().join(commit)).await);
        Ok(Synced::Done(record))
    }

    /// Writes the eggs, and at last that the commit is in force.
    async fn apply(&mut self, commit: &str, found: &Found) -> Result<Synced, SyncError> {
        for _ in 0..ATTEMPTS {
            match self.apply_once(commit, found).await {
                Err(SyncError::Store(StoreError::Conflict(row))) => {
                    // The lease, or an egg that something happened to meanwhile: then it is compared with that.
                    tracing::debug!(row, "a row has changed during the sync");
                    self.stay().await?;
                }
                Ok(Some(record)) => {
                    let Changes { added, changed, removed } = &record.changes;
                    tracing::info!(
                        commit,
                        reason = self.reason,
                        added = added.len(),
                        changed = changed.len(),
                        removed = removed.len(),
                        "the Nest is in force"
                    );
                    // Should this be lost, the timer decides a moment later.
                    self.context.ports.queue.put(vec![Work::Decide.message(None)]).await?;
                    return Ok(Synced::Done(record));
                }
                Ok(None) => return Ok(Synced::Unchanged),
                Err(error) => return Err(error),
            }
        }
        Err(SyncError::Store(StoreError::Conflict("the eggs change all the time".to_owned())))
    }

    async fn apply_once(&self, commit: &str, found: &Found) -> Result<Option<SyncRecord>, SyncError> {
        let now = self.now();
        let (nest, mut version) = self.nest().await?;
        let rows = all::<EggRecord>(&*self.context.ports.store, None, None).await?;
        let (mut changes, mut writes) = difference::difference(&rows, &found.owners, commit, now);
        if let Some(pending) = &nest.pending {
            difference::join(&mut changes, &pending.changes);
        }
        let in_force = NestRecord {
            commit: Some(commit.to_owned()),
            digest: Some(found.digest.clone()),
            compiler: self.compiler(),
            uglyfox: found.uglyfox.clone(),
            mothergoose: found.mothergoose.clone(),
            pending: None,
            seen: Some(commit.to_owned()),
            failure: None,
            applied: Some(now),
            looked: now,
        };
        if writes.is_empty()
            && nest.pending.is_none()
            && nest.commit == in_force.commit
            && nest.digest == in_force.digest
        {
            // The same once more, with another compiler or on another machine.
            let same = NestRecord { applied: nest.applied, ..in_force };
            self.commit(vec![write(&same, version)]).await?;
            return Ok(None);
        }
        // The lease is looked at in each transaction, and three rows go with the last.
        let last = writes.split_off(writes.len().saturating_sub(MOST_WRITES - 4));
        if !writes.is_empty() {
            let pending = Some(Pending { commit: commit.to_owned(), changes: changes.clone() });
            let begun = NestRecord { pending, looked: now, ..nest };
            self.commit(vec![write(&begun, version)]).await?;
            version = Some(version.unwrap_or(0) + 1);
            for some in writes.chunks(MOST_WRITES - 1) {
                self.commit(some.to_vec()).await?;
            }
        }
        let record = self.record(Some(commit.to_owned()), SyncStatus::Applied, changes, None);
        let details = serde_json::json!({
            "reason": self.reason,
            "sync": record.id,
            "added": record.changes.added.len(),
            "changed": record.changes.changed.len(),
            "removed": record.changes.removed.len(),
        });
        let audit = AuditEntry::new(now, "git-sync", "nest.apply", ("nest", commit), details);
        let mut writes = last;
        writes.extend([write(&in_force, version), insert(&record), put(&audit)]);
        self.commit(writes).await?;
        Ok(Some(record))
    }

    /// Removes the folders of all commits but the one in force. What can't be removed is tried again after the next sync.
    async fn forget(&self, commit: &str) {
        if let Err(error) = self.context.ports.git.forget(&[commit.to_owned()]).await {
            tracing::warn!(%error, "the files of earlier commits stay");
        }
        let Ok(mut builds) = fs::read_dir(self.builds()).await else { return };
        while let Ok(Some(build)) = builds.next_entry().await {
            if build.file_name() != *commit {
                drop(fs::remove_dir_all(build.path()).await);
            }
        }
    }
}

/// Writes the row of the Nest on what was read.
fn write(nest: &NestRecord, version: Option<u64>) -> Write {
    match version {
        Some(version) => Versioned { record: nest.clone(), version }.update(),
        None => insert(nest),
    }
}
