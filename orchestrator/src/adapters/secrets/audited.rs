//! Writes to the audit log which secret was read or written, and nothing of its value.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use fly_std::formats::secret_uri::SecretUri;
use serde_json::json;

use crate::{
    ports::{
        clock::Clock,
        secrets::{Secret, SecretError, SecretVersion, Secrets},
        store::Store,
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

    async fn log(&self, action: &str, uri: &SecretUri, outcome: &str) -> Result<(), SecretError> {
        let at = self.clock.now();
        let (backend, id) = (uri.backend.scheme(), uri.id.to_string());
        let resource = format!("{backend}/{id}");
        let details = json!({ "backend": backend, "id": id, "outcome": outcome });
        let entry = AuditEntry::new(at, &self.actor, action, ("secret", &resource), details);
        self.store.commit(vec![records::insert(&entry)]).await.map_err(|error| SecretError::Away {
            backend,
            id,
            reason: format!("the access can't be written to the audit log: {error}"),
        })
    }

    /// Logs what was read, or that it was tried.
    async fn read(&self, uri: &SecretUri, found: Result<Secret, SecretError>) -> Result<Secret, SecretError> {
        let outcome = match &found {
            Ok(_) => "given",
            Err(SecretError::Missing { .. }) => "missing",
            Err(SecretError::Refused { .. } | SecretError::Wrong { .. }) => "refused",
            Err(SecretError::Away { .. }) => "away",
        };
        let logged = self.log("secret.read", uri, outcome).await;
        // Why it was not had says more than why that was not logged.
        let value = found?;
        logged.map(|()| value)
    }
}

#[async_trait]
impl<S: Secrets> Secrets for Audited<S> {
    async fn get(&self, uri: &SecretUri) -> Result<Secret, SecretError> {
        self.read(uri, self.inner.get(uri).await).await
    }

    async fn get_version(&self, uri: &SecretUri, version: u64) -> Result<Secret, SecretError> {
        self.read(uri, self.inner.get_version(uri, version).await).await
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
