//! Keeps values for a while, so that a backend is not asked for each use. Those who ask while somebody is being answered are
//! answered together next: a thousand webhooks of a thousand eggs make a few readings, each with one look and one commit.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use fly_std::formats::secret_uri::SecretUri;
use tokio::sync::oneshot;

use super::nothing;
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
pub struct Cached<S>(Arc<Inner<S>>);

struct Inner<S> {
    backend: S,
    clock: Arc<dyn Clock>,
    kept: Mutex<Kept>,
    asked: Mutex<Asked>,
}

/// Who waits for a value.
type Waiting = oneshot::Sender<Result<Secret, SecretError>>;

/// What is asked for next.
#[derive(Default)]
struct Asked {
    waiting: HashMap<SecretUri, Vec<Waiting>>,
    /// Whether somebody reads what is asked for.
    is_read: bool,
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
        f.debug_tuple("Cached").field(&self.0.backend).finish()
    }
}

impl<S> Cached<S> {
    /// Before this backend.
    pub fn new(backend: S, clock: Arc<dyn Clock>) -> Self {
        let (kept, asked) = Default::default();
        Self(Arc::new(Inner { backend, clock, kept, asked }))
    }
}

/// Somebody reads what is asked for. Should that end otherwise than it should, the next who asks reads.
struct Reading<'a, S> {
    inner: &'a Inner<S>,
    /// Whoever has asked since has seen to it.
    is_over: bool,
}

impl<S> Drop for Reading<'_, S> {
    fn drop(&mut self) {
        if !self.is_over {
            // They hear that nobody answers.
            *self.inner.asked() = Asked::default();
        }
    }
}

impl<S> Inner<S> {
    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self, uri: &SecretUri) {
        let mut kept = self.kept();
        kept.values.remove(uri);
        kept.changes += 1;
    }

    /// A value that is kept.
    fn known(&self, uri: &SecretUri) -> Option<Secret> {
        let now = self.clock.now();
        let mut kept = self.kept();
        // What is over is wiped, asked for or not; not all are looked at each time.
        if now.since(kept.wiped) >= SWEEP || now < kept.wiped {
            kept.values.retain(|_, (_, since)| now.since(*since) < TTL);
            kept.wiped = now;
        }
        let (value, since) = kept.values.get(uri)?;
        (now.since(*since) < TTL).then(|| value.clone())
    }

    /// What is asked for now, by whom; none when nobody asks any more, and then nobody reads.
    fn next(&self) -> Option<HashMap<SecretUri, Vec<Waiting>>> {
        let mut asked = self.asked();
        let next = std::mem::take(&mut asked.waiting);
        asked.is_read = !next.is_empty();
        asked.is_read.then_some(next)
    }
}

impl<S: Secrets> Inner<S> {
    /// Reads these, and keeps what there is.
    async fn read(&self, uris: &[SecretUri]) -> Vec<Result<Secret, SecretError>> {
        let (now, changes) = (self.clock.now(), self.kept().changes);
        let found = self.backend.get_all(uris).await;
        let mut kept = self.kept();
        if kept.changes == changes {
            let values = uris.iter().zip(&found).filter_map(|(uri, one)| Some((uri, one.as_ref().ok()?)));
            kept.values.extend(values.map(|(uri, value)| (uri.clone(), (value.clone(), now))));
        }
        found
    }

    /// Answers who has asked, until nobody does.
    async fn answer(&self) {
        let mut reading = Reading { inner: self, is_over: false };
        while let Some(next) = self.next() {
            let (uris, waiting): (Vec<SecretUri>, Vec<Vec<Waiting>>) = next.into_iter().unzip();
            let found = self.read(&uris).await;
            for (waiting, found) in waiting.into_iter().zip(found) {
                for one in waiting {
                    // Whoever asked may have gone.
                    let _ = one.send(found.clone());
                }
            }
        }
        reading.is_over = true;
    }
}

#[async_trait]
impl<S: Secrets + 'static> Secrets for Cached<S> {
    async fn get(&self, uri: &SecretUri) -> Result<Secret, SecretError> {
        if let Some(value) = self.0.known(uri) {
            return Ok(value);
        }
        let (sender, answer) = oneshot::channel();
        let is_read = {
            let mut asked = self.0.asked();
            asked.waiting.entry(uri.clone()).or_default().push(sender);
            std::mem::replace(&mut asked.is_read, true)
        };
        if !is_read {
            // Of its own: whoever asked first may go before the others are answered.
            let inner = Arc::clone(&self.0);
            tokio::spawn(async move { inner.answer().await });
        }
        answer.await.unwrap_or_else(|_| Err(nothing(uri)))
    }

    async fn get_all(&self, uris: &[SecretUri]) -> Vec<Result<Secret, SecretError>> {
        let known: Vec<Option<Secret>> = uris.iter().map(|uri| self.0.known(uri)).collect();
        let unknown = uris.iter().zip(&known).filter(|(_, known)| known.is_none());
        let unknown: Vec<SecretUri> = unknown.map(|(uri, _)| uri.clone()).collect();
        let read = if unknown.is_empty() { Vec::new() } else { self.0.read(&unknown).await };
        let mut read = read.into_iter();
        let one = |(uri, known): (&SecretUri, Option<Secret>)| match known {
            Some(value) => Ok(value),
            None => read.next().unwrap_or_else(|| Err(nothing(uri))),
        };
        uris.iter().zip(known).map(one).collect()
    }

    async fn get_version(&self, uri: &SecretUri, version: u64) -> Result<Secret, SecretError> {
        self.0.backend.get_version(uri, version).await
    }

    async fn put(&self, uri: &SecretUri, value: &Secret) -> Result<u64, SecretError> {
        // Whether it went well or not: what is there now is not known.
        let done = self.0.backend.put(uri, value).await;
        self.0.changed(uri);
        done
    }

    async fn versions(&self, uri: &SecretUri) -> Result<Vec<SecretVersion>, SecretError> {
        self.0.backend.versions(uri).await
    }

    async fn remove(&self, uri: &SecretUri) -> Result<(), SecretError> {
        let done = self.0.backend.remove(uri).await;
        self.0.changed(uri);
        done
    }
}
