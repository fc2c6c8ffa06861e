//! What every double shares: a clock that is set by hand, and a fuse that cuts the work off at any call; and the database and
//! the queue with that fuse in them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use fly_std::formats::SecretUri;
use orchestrator::{
    domain::Time,
    ports::{
        clock::Clock,
        git::{Git, GitError, Remote},
        queue::{Dead, Leased, Message, Queue, QueueError},
        secrets::{Secret, SecretError, SecretVersion, Secrets},
        store::{Key, Page, Query, Store, StoreError, Stored, Table, Write},
    },
};
use tokio::sync::Notify;

/// A clock that stands still until it is set.
#[derive(Debug)]
pub(crate) struct Hands(AtomicU64);

impl Hands {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(1_800_000_000_000))
    }

    pub(crate) fn add(&self, span: Duration) {
        self.0.fetch_add(u64::try_from(span.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> Time {
        Time::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Cuts the work off at one of its calls into the world, as the end of the process would: what was called is done or not,
/// and nobody hears of it.
#[derive(Debug, Default)]
pub(crate) struct Fuse {
    left: AtomicI64,
    armed: AtomicBool,
    blown: Notify,
    /// How often it was passed.
    pub(crate) passed: AtomicU64,
}

impl Fuse {
    /// It blows at the `at`th call from now on.
    pub(crate) fn arm(&self, at: u64) {
        self.left.store(i64::try_from(at).unwrap(), Ordering::SeqCst);
        self.armed.store(true, Ordering::SeqCst);
    }

    /// It never blows.
    pub(crate) fn disarm(&self) {
        self.armed.store(false, Ordering::SeqCst);
    }

    pub(crate) async fn burn(&self) {
        self.passed.fetch_add(1, Ordering::SeqCst);
        if self.armed.load(Ordering::SeqCst) && self.left.fetch_sub(1, Ordering::SeqCst) <= 1 {
            self.blown.notify_one();
            std::future::pending::<()>().await;
        }
    }

    pub(crate) async fn blown(&self) {
        self.blown.notified().await;
    }
}

/// A database behind a fuse, which reads again what was written.
#[derive(Debug)]
pub(crate) struct Fused<T> {
    pub(crate) inner: Arc<T>,
    pub(crate) fuse: Arc<Fuse>,
}

#[async_trait]
impl<T: Store> Store for Fused<T> {
    async fn prepare(&self) -> Result<(), StoreError> {
        self.inner.prepare().await
    }

    async fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        self.fuse.burn().await;
        self.inner.get(key).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        self.fuse.burn().await;
        self.inner.query(query).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        self.fuse.burn().await;
        let done = self.inner.commit(writes).await;
        self.fuse.burn().await;
        done
    }

    fn revision(&self, table: Table) -> Option<u64> {
        self.inner.revision(table)
    }
}

#[async_trait]
impl<T: Queue> Queue for Fused<T> {
    async fn put(&self, messages: Vec<Message>) -> Result<Vec<bool>, QueueError> {
        self.fuse.burn().await;
        let done = self.inner.put(messages).await;
        self.fuse.burn().await;
        done
    }

    async fn take(&self, most: usize, lease: Duration, wait: Duration) -> Result<Vec<Leased>, QueueError> {
        let done = self.inner.take(most, lease, wait).await;
        self.fuse.burn().await;
        done
    }

    async fn keep(&self, receipt: &str, lease: Duration) -> Result<(), QueueError> {
        self.inner.keep(receipt, lease).await
    }

    async fn done(&self, receipt: &str) -> Result<(), QueueError> {
        self.fuse.burn().await;
        let done = self.inner.done(receipt).await;
        self.fuse.burn().await;
        done
    }

    async fn again(&self, receipt: &str, not_before: Time) -> Result<(), QueueError> {
        self.fuse.burn().await;
        self.inner.again(receipt, not_before).await
    }

    async fn give_up(&self, receipt: &str, reason: &str) -> Result<(), QueueError> {
        self.fuse.burn().await;
        self.inner.give_up(receipt, reason).await
    }

    async fn dead(&self, most: usize) -> Result<Vec<Dead>, QueueError> {
        self.inner.dead(most).await
    }

    async fn replay(&self, id: &str) -> Result<(), QueueError> {
        self.inner.replay(id).await
    }

    async fn counts(&self) -> Result<[u64; 3], QueueError> {
        self.inner.counts().await
    }
}

/// Secrets in memory. One that nobody wrote has a value all the same, unless it is missing.
#[derive(Debug, Default)]
pub(crate) struct Vault {
    pub(crate) values: Mutex<BTreeMap<String, String>>,
    /// What was written, the first first: the versions 1, 2, ….
    pub(crate) history: Mutex<BTreeMap<String, Vec<String>>>,
    pub(crate) missing: Mutex<BTreeSet<String>>,
    /// URIs that the backend refuses, and those it is away for.
    pub(crate) refused: Mutex<BTreeSet<String>>,
    pub(crate) away: Mutex<BTreeSet<String>>,
    pub(crate) fuse: Arc<Fuse>,
}

impl Vault {
    /// What is wrong with a secret, read or written.
    fn wrong(&self, uri: &SecretUri) -> Result<(), SecretError> {
        let (backend, id) = (uri.backend.scheme(), uri.id.to_string());
        let reason = "the backend says so".to_owned();
        if self.refused.lock().unwrap().contains(&uri.uri()) {
            return Err(SecretError::Refused { backend, id, reason });
        }
        if self.away.lock().unwrap().contains(&uri.uri()) {
            return Err(SecretError::Away { backend, id, reason });
        }
        Ok(())
    }
}

#[async_trait]
impl Secrets for Vault {
    async fn get(&self, uri: &SecretUri) -> Result<Secret, SecretError> {
        self.fuse.burn().await;
        self.wrong(uri)?;
        if self.missing.lock().unwrap().contains(&uri.uri()) {
            return Err(SecretError::Missing {
                backend: uri.backend.scheme(),
                id: uri.id.to_string(),
                key: uri.key.to_string(),
            });
        }
        let value = self.values.lock().unwrap().get(&uri.uri()).cloned();
        Ok(Secret::new(value.unwrap_or_else(|| format!("value-of-{}", uri.id))))
    }

    async fn get_version(&self, uri: &SecretUri, version: u64) -> Result<Secret, SecretError> {
        self.fuse.burn().await;
        let history = self.history.lock().unwrap();
        let at = usize::try_from(version).unwrap().checked_sub(1).unwrap();
        let found = history.get(&uri.uri()).and_then(|versions| versions.get(at));
        found.map(Secret::new).ok_or_else(|| SecretError::Refused {
            backend: uri.backend.scheme(),
            id: uri.id.to_string(),
            reason: format!("there is no version {version}"),
        })
    }

    async fn put(&self, uri: &SecretUri, value: &Secret) -> Result<u64, SecretError> {
        self.fuse.burn().await;
        self.wrong(uri)?;
        self.values.lock().unwrap().insert(uri.uri(), value.expose().to_owned());
        let version = {
            let mut history = self.history.lock().unwrap();
            let versions = history.entry(uri.uri()).or_default();
            versions.push(value.expose().to_owned());
            versions.len()
        };
        self.fuse.burn().await;
        Ok(u64::try_from(version).unwrap())
    }

    async fn versions(&self, uri: &SecretUri) -> Result<Vec<SecretVersion>, SecretError> {
        self.fuse.burn().await;
        let count = self.history.lock().unwrap().get(&uri.uri()).map_or(0, Vec::len);
        let version = |version: usize| SecretVersion {
            version: u64::try_from(version).unwrap(),
            made: Time::from_millis(0),
            current: version == count,
        };
        Ok((1..=count).rev().map(version).collect())
    }

    async fn remove(&self, uri: &SecretUri) -> Result<(), SecretError> {
        self.values.lock().unwrap().remove(&uri.uri());
        Ok(())
    }
}

/// A repository that nobody can reach.
#[derive(Debug)]
pub(crate) struct NoGit;

#[async_trait]
impl Git for NoGit {
    async fn fetch(&self, _: &Remote) -> Result<String, GitError> {
        Err(GitError::Missing("there is no repository".to_owned()))
    }

    async fn files(&self, _: &str) -> Result<std::path::PathBuf, GitError> {
        Err(GitError::Missing("there is no repository".to_owned()))
    }

    async fn forget(&self, _: &[String]) -> Result<(), GitError> {
        Ok(())
    }
}
