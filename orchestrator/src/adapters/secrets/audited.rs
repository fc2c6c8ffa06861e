//! Writes to the audit log which secret was read or written, and nothing of its value.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use fly_std::formats::secret_uri::SecretUri;
use serde_json::json;

use super::nothing;
use crate::{
    ports::{
        clock::Clock,
        secrets::{Secret, SecretError, SecretVersion, Secrets},
        store::{MOST_WRITES, Store, StoreError, Write},
    },
    records::{self, AuditEntry},
};

/// A backend every access to which is in the audit log. What can't be logged is neither given out nor written.
pub struct Audited<S> {
    inner: S,
    clock: Arc<dyn Clock>,
    store: Arc<dyn Store>,
    actor: String,
}

impl<S: fmt::Debug> fmt::Debug for Audited<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Audited").field(&self.inner).finish()
    }
}

impl<S> Audited<S> {
    /// Before this backend; `actor` is who asks.
    pub fn new(inner: S, clock: Arc<dyn Clock>, store: Arc<dyn Store>, actor: &str) -> Self {
        Self { inner, clock, store, actor: actor.to_owned() }
    }

    fn entry(&self, action: &str, uri: &SecretUri, outcome: &str) -> Write {
        let at = self.clock.now();
        let (backend, id) = (uri.backend.scheme(), uri.id.to_string());
        let resource = format!("{backend}/{id}");
        let details = json!({ "backend": backend, "id": id, "outcome": outcome });
        records::insert(&AuditEntry::new(at, &self.actor, action, ("secret", &resource), details))
    }

    async fn log(&self, action: &str, uri: &SecretUri, outcome: &str) -> Result<(), SecretError> {
        let entry = self.entry(action, uri, outcome);
        self.store.commit(vec![entry]).await.map_err(|error| unlogged(uri, &error))
    }

    /// Logs what was read, or that it was tried: all of it together, in as few transactions as it fits into.
    async fn read(
        &self,
        uris: &[SecretUri],
        found: Vec<Result<Secret, SecretError>>,
    ) -> Vec<Result<Secret, SecretError>> {
        let each = uris.iter().zip(&found);
        let entries: Vec<Write> =
            each.map(|(uri, found)| self.entry("secret.read", uri, outcome(found))).collect();
        // The database writes to the disk once what it is given at once.
        let commits: Vec<_> = entries
            .chunks(MOST_WRITES)
            .map(|entries| {
                let (store, entries) = (Arc::clone(&self.store), entries.to_vec());
                tokio::spawn(async move { store.commit(entries).await })
            })
            .collect();
        let mut found = found.into_iter();
        let mut told = Vec::with_capacity(uris.len());
        for (uris, commit) in uris.chunks(MOST_WRITES).zip(commits) {
            let done = commit.await.unwrap_or_else(|error| Err(StoreError::Away(error.to_string())));
            let of_these = uris.iter().zip(found.by_ref());
            told.extend(of_these.map(|(uri, found)| match &done {
                Ok(()) => found,
                // Why it was not had says more than why that was not logged.
                Err(error) => found.and_then(|_| Err(unlogged(uri, error))),
            }));
        }
        told
    }

    async fn read_one(
        &self,
        uri: &SecretUri,
        found: Result<Secret, SecretError>,
    ) -> Result<Secret, SecretError> {
        let mut read = self.read(std::slice::from_ref(uri), vec![found]).await;
        read.pop().unwrap_or_else(|| Err(nothing(uri)))
    }
}

/// What came of reading, as the log has it.
fn outcome(found: &Result<Secret, SecretError>) -> &'static str {
    match found {
        Ok(_) => "given",
        Err(SecretError::Missing { .. }) => "missing",
        Err(SecretError::Refused { .. } | SecretError::Wrong { .. }) => "refused",
        Err(SecretError::Away { .. }) => "away",
    }
}

fn unlogged(uri: &SecretUri, error: &StoreError) -> SecretError {
    let (backend, id) = (uri.backend.scheme(), uri.id.to_string());
    let reason = format!("the access can't be written to the audit log: {error}");
    SecretError::Away { backend, id, reason }
}

#[async_trait]
impl<S: Secrets> Secrets for Audited<S> {
    async fn get(&self, uri: &SecretUri) -> Result<Secret, SecretError> {
        self.read_one(uri, self.inner.get(uri).await).await
    }

    async fn get_all(&self, uris: &[SecretUri]) -> Vec<Result<Secret, SecretError>> {
        self.read(uris, self.inner.get_all(uris).await).await
    }

    async fn get_version(&self, uri: &SecretUri, version: u64) -> Result<Secret, SecretError> {
        self.read_one(uri, self.inner.get_version(uri, version).await).await
    }

    async fn put(&self, uri: &SecretUri, value: &Secret) -> Result<u64, SecretError> {
        // Before, so that nothing is written that the log doesn't know.
        self.log("secret.write", uri, "asked").await?;
        self.inner.put(uri, value).await
    }

    async fn versions(&self, uri: &SecretUri) -> Result<Vec<SecretVersion>, SecretError> {
        self.inner.versions(uri).await
    }

    async fn remove(&self, uri: &SecretUri) -> Result<(), SecretError> {
        self.log("secret.remove", uri, "asked").await?;
        self.inner.remove(uri).await
    }
}
