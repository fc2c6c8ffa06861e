//! Which backend a URI is of.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use fly_std::formats::secret_uri::{SecretBackend, SecretUri};

use crate::ports::secrets::{Secret, SecretError, SecretVersion, Secrets};

/// The backends there are, and the one that stands in for all others.
#[derive(Debug, Clone)]
pub struct Router {
    own: BTreeMap<SecretBackend, Arc<dyn Secrets>>,
    rest: Arc<dyn Secrets>,
}

impl Router {
    /// One backend for every URI.
    pub fn new(rest: Arc<dyn Secrets>) -> Self {
        Self { own: BTreeMap::new(), rest }
    }

    /// URIs of this scheme go to that backend.
    #[must_use]
    pub fn with(mut self, scheme: SecretBackend, backend: Arc<dyn Secrets>) -> Self {
        self.own.insert(scheme, backend);
        self
    }

    fn of(&self, uri: &SecretUri) -> &dyn Secrets {
        &**self.own.get(&uri.backend).unwrap_or(&self.rest)
    }
}

#[async_trait]
impl Secrets for Router {
    async fn get(&self, uri: &SecretUri) -> Result<Secret, SecretError> {
        self.of(uri).get(uri).await
    }

    async fn get_all(&self, uris: &[SecretUri]) -> Vec<Result<Secret, SecretError>> {
        if self.own.is_empty() {
            return self.rest.get_all(uris).await;
        }
        let mut by_backend: BTreeMap<SecretBackend, Vec<usize>> = BTreeMap::new();
        for (at, uri) in uris.iter().enumerate() {
            by_backend.entry(uri.backend).or_default().push(at);
        }
        let mut found: BTreeMap<usize, Result<Secret, SecretError>> = BTreeMap::new();
        for places in by_backend.into_values() {
            let own: Vec<SecretUri> = places.iter().map(|at| uris[*at].clone()).collect();
            let values = match own.first() {
                Some(first) => self.of(first).get_all(&own).await,
                None => Vec::new(),
            };
            found.extend(places.into_iter().zip(values));
        }
        found.into_values().collect()
    }

    async fn get_version(&self, uri: &SecretUri, version: u64) -> Result<Secret, SecretError> {
        self.of(uri).get_version(uri, version).await
    }

    async fn put(&self, uri: &SecretUri, value: &Secret) -> Result<u64, SecretError> {
        self.of(uri).put(uri, value).await
    }

    async fn versions(&self, uri: &SecretUri) -> Result<Vec<SecretVersion>, SecretError> {
        self.of(uri).versions(uri).await
    }

    async fn remove(&self, uri: &SecretUri) -> Result<(), SecretError> {
        self.of(uri).remove(uri).await
    }
}
