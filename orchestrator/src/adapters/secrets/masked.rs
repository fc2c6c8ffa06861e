//! Tells the log's masker every value that is given out or written.

use async_trait::async_trait;
use fly_std::formats::secret_uri::SecretUri;

use crate::{
    logging,
    ports::secrets::{Secret, SecretError, SecretVersion, Secrets},
};

/// A backend whose values are in no log line.
#[derive(Debug)]
pub struct Masked<S>(S);

impl<S> Masked<S> {
    /// Before this backend.
    pub const fn new(inner: S) -> Self {
        Self(inner)
    }
}

/// An error of a backend's, without what it may have repeated.
fn masked(error: SecretError) -> SecretError {
    match error {
        SecretError::Refused { backend, id, reason } => {
            SecretError::Refused { backend, id, reason: logging::mask(&reason) }
        }
        SecretError::Away { backend, id, reason } => {
            SecretError::Away { backend, id, reason: logging::mask(&reason) }
        }
        other => other,
    }
}

#[async_trait]
impl<S: Secrets> Secrets for Masked<S> {
    async fn get(&self, uri: &SecretUri) -> Result<Secret, SecretError> {
        let value = self.0.get(uri).await.map_err(masked)?;
        logging::hide(value.expose());
        Ok(value)
    }

    async fn get_all(&self, uris: &[SecretUri]) -> Vec<Result<Secret, SecretError>> {
        let found = self.0.get_all(uris).await;
        logging::hide_all(found.iter().flatten().map(Secret::expose));
        found.into_iter().map(|one| one.map_err(masked)).collect()
    }

    async fn get_version(&self, uri: &SecretUri, version: u64) -> Result<Secret, SecretError> {
        let value = self.0.get_version(uri, version).await.map_err(masked)?;
        logging::hide(value.expose());
        Ok(value)
    }

    async fn put(&self, uri: &SecretUri, value: &Secret) -> Result<u64, SecretError> {
        logging::hide(value.expose());
        self.0.put(uri, value).await.map_err(masked)
    }

    async fn versions(&self, uri: &SecretUri) -> Result<Vec<SecretVersion>, SecretError> {
        self.0.versions(uri).await.map_err(masked)
    }

    async fn remove(&self, uri: &SecretUri) -> Result<(), SecretError> {
        self.0.remove(uri).await.map_err(masked)
    }
}
