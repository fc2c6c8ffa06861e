//! Passwords, tokens and keys: read by the URI that the Nest has for them, and never shown.

use std::fmt;

use async_trait::async_trait;
use fly_std::formats::secret_uri::{self, SecretBackend, SecretUri};
use secrecy::{ExposeSecret, SecretString};

use crate::domain::Time;

/// A value that nobody sees: it is wiped from memory when it goes, and its `Debug` is `***MASKED***`.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// This value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }

    /// The value itself: only where it leaves for the place it is meant for.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASKED)
    }
}

/// What stands in the place of a secret.
pub const MASKED: &str = "***MASKED***";

/// A version of a secret, without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretVersion {
    /// Grows with every change, from 1.
    pub version: u64,
    /// When it was written.
    pub made: Time,
    /// Whether it is the one that is given out.
    pub current: bool,
}

/// Why a secret was not had. It names the backend and the secret's id, and never a value.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SecretError {
    /// There is none.
    #[error("there is no secret `{id}` with the key `{key}` in {backend}")]
    Missing {
        /// The backend's scheme.
        backend: &'static str,
        /// The secret's id.
        id: String,
        /// The key in it.
        key: String,
    },
    /// The backend refuses.
    #[error("{backend} doesn't give the secret `{id}`: {reason}")]
    Refused {
        /// The backend's scheme.
        backend: &'static str,
        /// The secret's id.
        id: String,
        /// What it said, without values.
        reason: String,
    },
    /// The backend is away, and may be there again soon.
    #[error("{backend} can't be reached for the secret `{id}`: {reason}")]
    Away {
        /// The backend's scheme.
        backend: &'static str,
        /// The secret's id.
        id: String,
        /// What went wrong, without values.
        reason: String,
    },
    /// The URI is none.
    #[error("`{text}` is no URI of a secret: {reason}")]
    Wrong {
        /// What stood there, masked.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl SecretError {
    /// Whether the same may go well later.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Away { .. })
    }
}

/// What is wrong with a document, without the values that stand in it: one may be a secret in a wrong place.
pub fn unread(error: &(impl fmt::Display + ?Sized)) -> String {
    let text = error.to_string();
    let (before, after) = match text.strip_prefix("unknown variant `") {
        Some(rest) => ("unknown variant", rest.rsplit_once("`, ").map_or("", |(_, after)| after)),
        None => match (text.find('"'), text.rfind('"')) {
            (Some(first), Some(last)) => {
                (text[..first].trim_end(), text[last..].trim_start_matches(['"', ',', ' ']))
            }
            _ => return text,
        },
    };
    if after.is_empty() { before.to_owned() } else { format!("{before}, {after}") }
}

/// The URI that a text is.
///
/// # Errors
///
/// When it is none; the error repeats nothing of it but a known backend.
pub fn parse(text: &str) -> Result<SecretUri, SecretError> {
    secret_uri::parse(text).map_err(|error| {
        let known = text.split_once("://").and_then(|(scheme, _)| SecretBackend::from_scheme(scheme));
        let shown = known.map_or(String::new(), |backend| format!("{}://", backend.scheme()));
        SecretError::Wrong { text: format!("{shown}{MASKED}"), reason: error.message }
    })
}

/// A backend of secrets.
#[async_trait]
pub trait Secrets: Send + Sync + fmt::Debug {
    /// The current value.
    async fn get(&self, uri: &SecretUri) -> Result<Secret, SecretError>;

    /// The current values of several, each in the place of its URI: what a backend can do for all of them at once, it does once.
    async fn get_all(&self, uris: &[SecretUri]) -> Vec<Result<Secret, SecretError>> {
        let mut found = Vec::with_capacity(uris.len());
        for uri in uris {
            found.push(self.get(uri).await);
        }
        found
    }

    /// A certain version's value, as long as it is kept.
    async fn get_version(&self, uri: &SecretUri, version: u64) -> Result<Secret, SecretError>;

    /// Writes a new version and says its number. The ones before stay, as many as the backend keeps.
    async fn put(&self, uri: &SecretUri, value: &Secret) -> Result<u64, SecretError>;

    /// The versions there are, the newest first.
    async fn versions(&self, uri: &SecretUri) -> Result<Vec<SecretVersion>, SecretError>;

    /// Removes a secret with all its versions, if it is there.
    async fn remove(&self, uri: &SecretUri) -> Result<(), SecretError>;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    #[allow(dead_code, reason = "it is only read")]
    enum Kind {
        One,
        Two { number: u64 },
    }

    #[test]
    fn a_document_that_is_wrong_is_told_without_its_values() {
        for value in ["hunter22", "a\"b`, expected c\" at", "`, ", "\"", "\\\"x", "expected `one` or `two`"] {
            let quoted = serde_json::Value::from(value).to_string();
            let documents = [
                quoted.clone(),
                format!("{{\"two\": {quoted}}}"),
                format!("{{\"two\": {{\"number\": {quoted}}}}}"),
                format!("[{quoted}"),
            ];
            for document in documents {
                let errors = [
                    serde_json::from_str::<Kind>(&document).err().map(|error| unread(&error)),
                    serde_json::from_str::<BTreeMap<String, Kind>>(&document)
                        .err()
                        .map(|error| unread(&error)),
                ];
                for told in errors.into_iter().flatten() {
                    let holds = value.len() > 3 && !value.starts_with("expected") && told.contains(value);
                    assert!(!holds && told.contains("line 1"), "{document}: {told}");
                }
            }
        }
        let told = toml::from_str::<BTreeMap<String, u64>>("a = \"hunter22\"").err();
        let told = told.map(|error| unread(&error.message())).unwrap_or_default();
        assert_eq!(told, "invalid type: string, expected u64");
    }
}
