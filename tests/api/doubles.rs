//! Small stand-ins of the ports that the API doesn't drive by itself: a queue and secrets in memory, a clock that stands
//! still, and nothing behind GitLab, OpenTofu and git.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use fly_std::formats::SecretUri;
use orchestrator::{
    domain::{StateMark, Time},
    ports::{
        clock::Clock,
        git::{Git, GitError, Remote},
        gitlab::{
            Access, CreatedRunner, DeployKey, GitLab, GitLabError, GitLabJob, Hook, KnownRunner, Manager,
            NewRunner, Place, Schedule,
        },
        queue::{Dead, Leased, Message, Queue, QueueError},
        secrets::{Secret, SecretError, SecretVersion, Secrets},
        tofu::{Applied, Bundle, FoundLock, PlanRequest, Planned, Tofu, TofuError},
    },
};

/// A clock that stands still until it is set.
#[derive(Debug)]
pub(crate) struct Still(AtomicU64);

impl Still {
    pub(crate) fn at(millis: u64) -> Self {
        Self(AtomicU64::new(millis))
    }

    pub(crate) fn go_on(&self, span: Duration) {
        self.0.fetch_add(u64::try_from(span.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for Still {
    fn now(&self) -> Time {
        Time::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A queue that keeps everything.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    messages: Mutex<(Vec<Message>, BTreeSet<String>)>,
    pub(crate) dead: Mutex<Vec<Dead>>,
    pub(crate) away: AtomicBool,
    pub(crate) broken: AtomicBool,
}

impl Kept {
    /// The bodies of all messages, in their order.
    pub(crate) fn bodies(&self) -> Vec<serde_json::Value> {
        self.messages
            .lock()
            .unwrap()
            .0
            .iter()
            .map(|message| serde_json::from_str(&message.body).unwrap())
            .collect()
    }

    /// How many there are of a kind.
    pub(crate) fn count(&self, kind: &str) -> usize {
        self.messages.lock().unwrap().0.iter().filter(|message| message.kind == kind).count()
    }

    pub(crate) fn len(&self) -> usize {
        self.messages.lock().unwrap().0.len()
    }
}

#[async_trait]
impl Queue for Kept {
    async fn put(&self, messages: Vec<Message>) -> Result<Vec<bool>, QueueError> {
        if self.away.load(Ordering::SeqCst) {
            return Err(QueueError::Away("the test says so".to_owned()));
        }
        let mut kept = self.messages.lock().unwrap();
        let mut new = Vec::new();
        for message in messages {
            let is_new = message.key.clone().is_none_or(|key| kept.1.insert(key));
            new.push(is_new);
            if is_new {
                kept.0.push(message);
            }
        }
        Ok(new)
    }

    async fn take(&self, _: usize, _: Duration, _: Duration) -> Result<Vec<Leased>, QueueError> {
        Ok(Vec::new())
    }

    async fn keep(&self, _: &str, _: Duration) -> Result<(), QueueError> {
        Ok(())
    }

    async fn done(&self, _: &str) -> Result<(), QueueError> {
        Ok(())
    }

    async fn again(&self, _: &str, _: Time) -> Result<(), QueueError> {
        Ok(())
    }

    async fn give_up(&self, _: &str, _: &str) -> Result<(), QueueError> {
        Ok(())
    }

    async fn dead(&self, most: usize) -> Result<Vec<Dead>, QueueError> {
        Ok(self.dead.lock().unwrap().iter().take(most).cloned().collect())
    }

    async fn replay(&self, id: &str) -> Result<(), QueueError> {
        let mut dead = self.dead.lock().unwrap();
        let at =
            dead.iter().position(|one| one.id == id).ok_or_else(|| QueueError::Unknown(id.to_owned()))?;
        dead.remove(at);
        Ok(())
    }

    async fn counts(&self) -> Result<[u64; 3], QueueError> {
        assert!(!self.broken.load(Ordering::SeqCst), "s3cret: a mistake of the program");
        if self.away.load(Ordering::SeqCst) {
            return Err(QueueError::Away("the test says so".to_owned()));
        }
        Ok([self.len() as u64, 0, self.dead.lock().unwrap().len() as u64])
    }
}

/// Secrets by their URIs.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) values: Mutex<BTreeMap<String, String>>,
    /// What each was, the oldest first, of those that were written by the API.
    before: Mutex<BTreeMap<String, Vec<String>>>,
    pub(crate) away: AtomicBool,
    /// How often each was read.
    pub(crate) read: Mutex<BTreeMap<String, u64>>,
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Known")
    }
}

#[async_trait]
impl Secrets for Known {
    async fn get(&self, uri: &SecretUri) -> Result<Secret, SecretError> {
        let (backend, id, key) = (uri.backend.scheme(), uri.id.to_string(), uri.key.to_string());
        if self.away.load(Ordering::SeqCst) {
            return Err(SecretError::Away { backend, id, reason: "the test says so".to_owned() });
        }
        *self.read.lock().unwrap().entry(uri.uri()).or_default() += 1;
        let found = self.values.lock().unwrap().get(&uri.uri()).cloned();
        found.map(Secret::new).ok_or(SecretError::Missing { backend, id, key })
    }

    async fn get_version(&self, uri: &SecretUri, version: u64) -> Result<Secret, SecretError> {
        let at = usize::try_from(version).unwrap() - 1;
        let before = self.before.lock().unwrap().get(&uri.uri()).and_then(|all| all.get(at).cloned());
        match before {
            Some(before) => Ok(Secret::new(before)),
            None => self.get(uri).await,
        }
    }

    async fn put(&self, uri: &SecretUri, value: &Secret) -> Result<u64, SecretError> {
        let before = self.values.lock().unwrap().insert(uri.uri(), value.expose().to_owned());
        let mut all = self.before.lock().unwrap();
        let all = all.entry(uri.uri()).or_default();
        all.extend(before);
        Ok(all.len() as u64 + 1)
    }

    async fn versions(&self, uri: &SecretUri) -> Result<Vec<SecretVersion>, SecretError> {
        let count = self.before.lock().unwrap().get(&uri.uri()).map_or(0, Vec::len) as u64;
        let is_there = self.values.lock().unwrap().contains_key(&uri.uri());
        let version = |version| SecretVersion {
            version,
            made: Time::from_millis(0),
            current: is_there && version == count + 1,
        };
        Ok((1..=count + u64::from(is_there)).rev().map(version).collect())
    }

    async fn remove(&self, uri: &SecretUri) -> Result<(), SecretError> {
        self.values.lock().unwrap().remove(&uri.uri());
        Ok(())
    }
}

/// Nothing: the API never asks GitLab, `OpenTofu` (but for its version) or git.
#[derive(Debug)]
pub(crate) struct Nothing;

fn no_gitlab<T>() -> Result<T, GitLabError> {
    panic!("the API has asked GitLab")
}

fn no_tofu<T>() -> Result<T, TofuError> {
    panic!("the API has run OpenTofu")
}

fn no_git<T>() -> Result<T, GitError> {
    panic!("the API has asked git")
}

#[async_trait]
#[rustfmt::skip]
impl GitLab for Nothing {
    async fn create_runner(&self, _: &Access, _: &NewRunner) -> Result<CreatedRunner, GitLabError> { no_gitlab() }
    async fn update_runner(&self, _: &Access, _: u64, _: &NewRunner) -> Result<(), GitLabError> { no_gitlab() }
    async fn delete_runner(&self, _: &Access, _: u64) -> Result<(), GitLabError> { no_gitlab() }
    async fn reset_runner_token(&self, _: &Access, _: u64) -> Result<Secret, GitLabError> { no_gitlab() }
    async fn runners(&self, _: &Access, _: Place) -> Result<Vec<KnownRunner>, GitLabError> { no_gitlab() }
    async fn managers(&self, _: &Access, _: u64) -> Result<Vec<Manager>, GitLabError> { no_gitlab() }
    async fn delete_manager(&self, _: &str, _: &Secret, _: &str) -> Result<(), GitLabError> { no_gitlab() }
    async fn running_jobs(&self, _: &Access, _: u64, _: &str) -> Result<Vec<GitLabJob>, GitLabError> { no_gitlab() }
    async fn job(&self, _: &Access, _: u64, _: u64) -> Result<GitLabJob, GitLabError> { no_gitlab() }
    async fn pending_jobs(&self, _: &Access, _: u64) -> Result<Vec<GitLabJob>, GitLabError> { no_gitlab() }
    async fn is_protected(&self, _: &Access, _: u64, _: &str, _: bool) -> Result<bool, GitLabError> { no_gitlab() }
    async fn groups_of(&self, _: &Access, _: u64) -> Result<Vec<u64>, GitLabError> { no_gitlab() }
    async fn projects_of(&self, _: &Access, _: u64) -> Result<Vec<u64>, GitLabError> { no_gitlab() }
    async fn hooks(&self, _: &Access, _: Place) -> Result<Vec<Hook>, GitLabError> { no_gitlab() }
    async fn put_hook(&self, _: &Access, _: Place, _: &Hook) -> Result<u64, GitLabError> { no_gitlab() }
    async fn delete_hook(&self, _: &Access, _: Place, _: u64) -> Result<(), GitLabError> { no_gitlab() }
    async fn schedules(&self, _: &Access, _: u64) -> Result<Vec<Schedule>, GitLabError> { no_gitlab() }
    async fn put_schedule(&self, _: &Access, _: u64, _: &Schedule) -> Result<u64, GitLabError> { no_gitlab() }
    async fn delete_schedule(&self, _: &Access, _: u64, _: u64) -> Result<(), GitLabError> { no_gitlab() }
    async fn play_schedule(&self, _: &Access, _: u64, _: u64) -> Result<(), GitLabError> { no_gitlab() }
    async fn deploy_keys(&self, _: &Access, _: u64) -> Result<Vec<DeployKey>, GitLabError> { no_gitlab() }
    async fn put_deploy_key(&self, _: &Access, _: u64, _: &DeployKey) -> Result<u64, GitLabError> { no_gitlab() }
    async fn delete_deploy_key(&self, _: &Access, _: u64, _: u64) -> Result<(), GitLabError> { no_gitlab() }
    async fn version(&self, _: &Access) -> Result<String, GitLabError> { no_gitlab() }
}

/// The digest of a bundle that is not there any more.
pub(crate) const PRUNED: &str = "pruned";

#[async_trait]
#[rustfmt::skip]
impl Tofu for Nothing {
    async fn version(&self) -> Result<String, TofuError> { Ok("1.12.6".to_owned()) }
    async fn keep(&self, _: &Path) -> Result<Vec<Bundle>, TofuError> { no_tofu() }
    async fn holds(&self, bundle: &Bundle) -> Result<bool, TofuError> { Ok(bundle.digest != PRUNED) }
    async fn plan(&self, _: &PlanRequest) -> Result<Planned, TofuError> { no_tofu() }
    async fn apply(&self, _: &PlanRequest, _: &[u8]) -> Result<Applied, TofuError> { no_tofu() }
    async fn state(&self, _: &str) -> Result<StateMark, TofuError> { no_tofu() }
    async fn unlock(&self, _: &str, _: &FoundLock) -> Result<(), TofuError> { no_tofu() }
    async fn forget(&self, _: &str) -> Result<(), TofuError> { Ok(()) }
    async fn prune(&self, _: &[Bundle]) -> Result<(), TofuError> { no_tofu() }
    fn runners_folder(&self) -> PathBuf { PathBuf::new() }
}

#[async_trait]
#[rustfmt::skip]
impl Git for Nothing {
    async fn fetch(&self, _: &Remote) -> Result<String, GitError> { no_git() }
    async fn files(&self, _: &str) -> Result<PathBuf, GitError> { no_git() }
    async fn forget(&self, _: &[String]) -> Result<(), GitError> { no_git() }
}
