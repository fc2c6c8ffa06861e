//! The embedded backend: one sealed file, which stands in for every other one.
//!
//! The file is `GOSLINGSECRETS1\n`, 16 bytes of salt, 8 that tell the key from others, and a sealed document of JSON: every
//! secret with its last versions. A write makes the whole file anew, with another salt and so with another key. Nothing of it
//! is kept in memory for longer than somebody reads, so several processes can work with it at the same time.
#![allow(clippy::disallowed_methods, reason = "secrets are in a file")]

use std::{
    collections::BTreeMap,
    fmt,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use async_trait::async_trait;
use fly_std::formats::secret_uri::SecretUri;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::key::{KeyError, Keys, lock, replace};
use crate::{
    domain::Time,
    ports::{
        clock::Clock,
        secrets::{Secret, SecretError, SecretVersion, Secrets},
    },
};

/// The file in the folder.
pub const SEALED: &str = "secrets.sealed";

/// How many versions of a secret are kept.
pub const KEPT: usize = 10;

const MAGIC: &[u8; 16] = b"GOSLINGSECRETS1\n";
const SALT: usize = 16;
const MARK: usize = 8;

/// A version of a secret.
#[derive(Serialize, Deserialize)]
struct Version {
    number: u64,
    made: Time,
    #[serde(with = "plain")]
    value: Secret,
}

/// All secrets: backend and id, the key in it, and its versions, the oldest first.
#[derive(Default, Serialize, Deserialize)]
struct Document {
    secrets: BTreeMap<String, BTreeMap<String, Vec<Version>>>,
}

impl Document {
    fn versions(&self, uri: &SecretUri) -> Option<&Vec<Version>> {
        self.secrets.get(&place(uri))?.get(uri.key.as_str())
    }
}

/// Where a secret's keys are.
fn place(uri: &SecretUri) -> String {
    format!("{}://{}", uri.backend.scheme(), uri.id)
}

/// The file.
#[derive(Clone)]
pub struct SecretsFile(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    keys: Keys,
    clock: Arc<dyn Clock>,
    turn: Mutex<Option<Turn>>,
    waiting: AtomicUsize,
}

/// What was read for those who wait to read: many who come at once are served by one look at the file.
struct Turn {
    began: Instant,
    document: Arc<Document>,
}

/// Somebody who reads. With the last one, what was read goes.
struct Reader<'a>(&'a Inner);

impl<'a> Reader<'a> {
    fn new(inner: &'a Inner) -> Self {
        inner.waiting.fetch_add(1, Ordering::SeqCst);
        Self(inner)
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        // Whoever has it locked reads, and is counted.
        if self.0.waiting.fetch_sub(1, Ordering::SeqCst) == 1
            && let Ok(mut turn) = self.0.turn.try_lock()
        {
            *turn = None;
        }
    }
}

impl fmt::Debug for SecretsFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretsFile").field("folder", &self.0.folder).finish_non_exhaustive()
    }
}

impl SecretsFile {
    /// The file in this folder, which need not be there yet.
    ///
    /// # Errors
    ///
    /// When it can't be read with this key.
    pub fn open(folder: &Path, keys: Keys, clock: Arc<dyn Clock>) -> Result<Self, KeyError> {
        let (turn, waiting) = Default::default();
        let inner = Inner { folder: folder.to_owned(), keys, clock, turn, waiting };
        inner.read()?;
        Ok(Self(Arc::new(inner)))
    }

    /// Reads, where waiting for the disk keeps nobody.
    async fn read<T>(
        &self,
        uri: &SecretUri,
        of: impl FnOnce(&SecretUri, &[Version]) -> Result<T, SecretError>,
    ) -> Result<T, SecretError> {
        let document = self.document(uri).await?;
        of(uri, document.versions(uri).ok_or_else(|| missing(uri))?)
    }

    /// All there is, looked at after it was asked for; `uri` is who is told when it can't be.
    async fn document(&self, uri: &SecretUri) -> Result<Arc<Document>, SecretError> {
        let asked = Instant::now();
        let _reader = Reader::new(&self.0);
        let mut turn = self.0.turn.lock().await;
        // What was looked at before somebody asked may be older than what he knows to be there.
        let document = match &*turn {
            Some(turn) if turn.began >= asked => Arc::clone(&turn.document),
            _ => {
                let (inner, own, began) = (Arc::clone(&self.0), uri.clone(), Instant::now());
                let work = move || inner.read().map_err(|error| wrong(&own, &error));
                let document = Arc::new(joined(uri, tokio::task::spawn_blocking(work).await)?);
                *turn = Some(Turn { began, document: Arc::clone(&document) });
                document
            }
        };
        Ok(document)
    }

    async fn write<T: Send + 'static>(
        &self,
        uri: &SecretUri,
        change: impl FnOnce(&SecretUri, &mut Document, Time) -> T + Send + 'static,
    ) -> Result<T, SecretError> {
        let (inner, own) = (Arc::clone(&self.0), uri.clone());
        let work = move || {
            inner.change(|document, now| change(&own, document, now)).map_err(|error| wrong(&own, &error))
        };
        joined(uri, tokio::task::spawn_blocking(work).await)
    }
}

impl Inner {
    fn read(&self) -> Result<Document, KeyError> {
        let file = self.folder.join(SEALED);
        let bytes = match std::fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Document::default()),
            Err(error) => return Err(KeyError::io(&file, error)),
        };
        let damaged = |reason| KeyError::Damaged { file: file.clone(), reason };
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| damaged("it is no file of secrets"))?;
        let (salt, rest) = rest.split_first_chunk::<SALT>().ok_or_else(|| damaged("it is cut short"))?;
        let (mark, sealed) = rest.split_first_chunk::<MARK>().ok_or_else(|| damaged("it is cut short"))?;
        if *mark != self.keys.mark(salt) {
            return Err(KeyError::Other(file));
        }
        let plain = self.keys.file(salt).open(sealed, SEALED).map_err(|_| damaged("it was changed"))?;
        let plain = Zeroizing::new(plain);
        serde_json::from_slice(&plain).map_err(|_| damaged("what is in it is of another version of gosling"))
    }

    /// Changes the file while nobody else does.
    fn change<T>(&self, change: impl FnOnce(&mut Document, Time) -> T) -> Result<T, KeyError> {
        let file = self.folder.join(SEALED);
        let io = |reason| KeyError::io(&file, reason);
        let _lock = lock(&self.folder).map_err(io)?;
        let mut document = self.read()?;
        let outcome = change(&mut document, self.clock.now());
        let mut salt = [0; SALT];
        getrandom::fill(&mut salt).map_err(|error| io(std::io::Error::other(error)))?;
        let plain = serde_json::to_vec(&document).map_err(|error| io(error.into()))?;
        let plain = Zeroizing::new(plain);
        let sealed = self.keys.file(&salt).seal(&plain, SEALED);
        let sealed = sealed.map_err(|error| io(std::io::Error::other(error)))?;
        let whole = [MAGIC.as_slice(), &salt, &self.keys.mark(&salt), &sealed].concat();
        replace(&self.folder, SEALED, &whole).map_err(io)?;
        Ok(outcome)
    }
}

#[async_trait]
impl Secrets for SecretsFile {
    async fn get(&self, uri: &SecretUri) -> Result<Secret, SecretError> {
        self.read(uri, last).await
    }

    async fn get_all(&self, uris: &[SecretUri]) -> Vec<Result<Secret, SecretError>> {
        let Some(first) = uris.first() else { return Vec::new() };
        let document = self.document(first).await;
        let one = |uri: &SecretUri| match &document {
            Ok(document) => last(uri, document.versions(uri).ok_or_else(|| missing(uri))?),
            Err(error) => Err(of_another(uri, error)),
        };
        uris.iter().map(one).collect()
    }

    async fn get_version(&self, uri: &SecretUri, version: u64) -> Result<Secret, SecretError> {
        let one = move |uri: &SecretUri, versions: &[Version]| {
            let found = versions.iter().find(|one| one.number == version);
            found.map(|one| one.value.clone()).ok_or_else(|| SecretError::Refused {
                backend: uri.backend.scheme(),
                id: uri.id.to_string(),
                reason: format!("there is no version {version}; the last {KEPT} are kept"),
            })
        };
        self.read(uri, one).await
    }

    async fn put(&self, uri: &SecretUri, value: &Secret) -> Result<u64, SecretError> {
        let value = value.clone();
        let put = move |uri: &SecretUri, document: &mut Document, made| {
            let keys = document.secrets.entry(place(uri)).or_default();
            let versions = keys.entry(uri.key.to_string()).or_default();
            let number = versions.last().map_or(1, |last| last.number + 1);
            versions.push(Version { number, made, value });
            let old = versions.len().saturating_sub(KEPT);
            versions.drain(..old);
            number
        };
        self.write(uri, put).await
    }

    async fn versions(&self, uri: &SecretUri) -> Result<Vec<SecretVersion>, SecretError> {
        let all = |_: &SecretUri, versions: &[Version]| {
            let current = versions.last().map(|last| last.number);
            let told = versions.iter().rev().map(|one| SecretVersion {
                version: one.number,
                made: one.made,
                current: Some(one.number) == current,
            });
            Ok(told.collect())
        };
        self.read(uri, all).await
    }

    async fn remove(&self, uri: &SecretUri) -> Result<(), SecretError> {
        let remove = |uri: &SecretUri, document: &mut Document, _| {
            if let Some(keys) = document.secrets.get_mut(&place(uri)) {
                keys.remove(uri.key.as_str());
                if keys.is_empty() {
                    document.secrets.remove(&place(uri));
                }
            }
        };
        self.write(uri, remove).await
    }
}

/// The current value.
fn last(uri: &SecretUri, versions: &[Version]) -> Result<Secret, SecretError> {
    versions.last().map(|last| last.value.clone()).ok_or_else(|| missing(uri))
}

/// Why the file can't be read, told of another secret than the one that was asked for.
fn of_another(uri: &SecretUri, error: &SecretError) -> SecretError {
    let (backend, id) = (uri.backend.scheme(), uri.id.to_string());
    match error {
        SecretError::Away { reason, .. } => SecretError::Away { backend, id, reason: reason.clone() },
        SecretError::Refused { reason, .. } => SecretError::Refused { backend, id, reason: reason.clone() },
        other => other.clone(),
    }
}

fn missing(uri: &SecretUri) -> SecretError {
    SecretError::Missing { backend: uri.backend.scheme(), id: uri.id.to_string(), key: uri.key.to_string() }
}

fn wrong(uri: &SecretUri, error: &KeyError) -> SecretError {
    let (backend, id) = (uri.backend.scheme(), uri.id.to_string());
    let reason = format!("the sealed file that stands in for it: {error}");
    match error {
        KeyError::Io { .. } => SecretError::Away { backend, id, reason },
        _ => SecretError::Refused { backend, id, reason },
    }
}

fn joined<T>(
    uri: &SecretUri,
    outcome: Result<Result<T, SecretError>, tokio::task::JoinError>,
) -> Result<T, SecretError> {
    outcome.unwrap_or_else(|error| {
        Err(SecretError::Away {
            backend: uri.backend.scheme(),
            id: uri.id.to_string(),
            reason: error.to_string(),
        })
    })
}

/// A value as it stands in the sealed document, and nowhere else.
mod plain {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::ports::secrets::Secret;

    pub(super) fn serialize<S: Serializer>(value: &Secret, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(value.expose())
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Secret, D::Error> {
        Ok(Secret::new(String::deserialize(from)?))
    }
}
