//! Keeps values for a while, so that a backend is not asked for each use.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use fly_std::formats::secret_uri::SecretUri;

use crate::{
    domain::Time,
    ports::{
        clock::Clock,
        secrets::{Secret, SecretError, SecretVersion, Secrets},
    },
};

/// How long a value is kept.
pub const TTL: Duration = Duration::from_mins(5);

/// How often it is looked for values that are over.
const SWEEP: Duration = Duration::from_secs(1);

/// A backend whose values are kept for [`TTL`].
pub struct Cached<S> {
    inner: S,
    clock: Arc<dyn Clock>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// The values, and when each was asked for.
    values: HashMap<SecretUri, (Secret, Time)>,
    /// How many changes there were: a value that was asked for before one is not kept after it.
    changes: u64,
    /// When it was last looked for values that are over.
    wiped: Time,
}

impl<S: fmt::Debug> fmt::Debug for Cached<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cached").field(&self.inner).finish()
    }
}

impl<S> Cached<S> {
    /// Before this backend.
    pub fn new(inner: S, clock: Arc<dyn Clock>) -> Self {
        Self { inner, clock, kept: Mutex::default() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self, uri: &SecretUri) {
        let mut kept = self.kept();
        kept.values.remove(uri);
        kept.changes += 1;
    }
}

#[async_trait]
impl<S: Secrets> Secrets for Cached<S> {
    async fn get(&self, uri: &SecretUri) -> Result<Secret, SecretError> {
        let now = self.clock.now();
        let changes = {
            let mut kept = self.kept();
            // What is over is wiped, asked for or not; not all are looked at each time.
            if now.since(kept.wiped) >= SWEEP || now < kept.wiped {
                kept.values.retain(|_, (_, since)| now.since(*since) < TTL);
                kept.wiped = now;
            }
            if let Some((value, since)) = kept.values.get(uri)
                && now.since(*since) < TTL
            {
                return Ok(value.clone());
            }
            kept.changes
        };
        let value = self.inner.get(uri).await?;
        let mut kept = self.kept();
        if kept.changes == changes {
            kept.values.insert(uri.clone(), (value.clone(), now));
        }
        Ok(value)
    }

    async fn get_version(&self, uri: &SecretUri, version: u64) -> Result<Secret, SecretError> {
        self.inner.get_version(uri, version).await
    }

    async fn put(&self, uri: &SecretUri, value: &Secret) -> Result<u64, SecretError> {
        // Whether it went well or not: what is there now is not known.
        let done = self.inner.put(uri, value).await;
        self.changed(uri);
        done
    }

    async fn versions(&self, uri: &SecretUri) -> Result<Vec<SecretVersion>, SecretError> {
        self.inner.versions(uri).await
    }

    async fn remove(&self, uri: &SecretUri) -> Result<(), SecretError> {
        let done = self.inner.remove(uri).await;
        self.changed(uri);
        done
    }
}
