//! What stands before every backend: it keeps values for a while, logs who had them, and hides them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use fly_std::formats::secret_uri::{SecretBackend, SecretUri};
use orchestrator::{
    adapters::{
        secrets::{Router, TTL, for_roles},
        store::sqlite::Sqlite,
    },
    logging,
    ports::{
        clock::Clock,
        secrets::{Secret, SecretError, SecretVersion, Secrets, parse},
        store::{Key, Page, Query, Store, StoreError, Stored, Table, Write},
    },
    records::{self, AuditEntry},
};
use proptest::{collection::vec, prelude::*};
use tempfile::TempDir;

use crate::{clock::Hand, uri};

/// A backend in memory that counts how often it is asked.
#[derive(Debug, Default)]
struct Backend {
    values: Mutex<BTreeMap<String, Vec<String>>>,
    asked: Mutex<u64>,
}

impl Backend {
    fn set(&self, uri: &SecretUri, value: &str) -> u64 {
        let mut values = self.values.lock().unwrap();
        let versions = values.entry(uri.uri()).or_default();
        versions.push(value.to_owned());
        versions.len() as u64
    }

    fn asked(&self) -> u64 {
        *self.asked.lock().unwrap()
    }
}

/// A database that counts how often it is written.
#[derive(Debug)]
struct Counting {
    inner: Arc<Sqlite>,
    commits: Mutex<u64>,
}

#[async_trait]
impl Store for Counting {
    async fn prepare(&self) -> Result<(), StoreError> {
        self.inner.prepare().await
    }

    async fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        self.inner.get(key).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        self.inner.query(query).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        *self.commits.lock().unwrap() += 1;
        self.inner.commit(writes).await
    }

    fn revision(&self, table: Table) -> Option<u64> {
        self.inner.revision(table)
    }
}

/// The webhooks of a thousand eggs come at once, and no secret was read yet: the backend is asked for each once, and all that
/// the audit log has to say of it is written together, in as few transactions as it fits into. Whoever goes away meanwhile keeps nobody from his answer.
#[tokio::test]
async fn secrets_that_are_asked_for_at_once_are_read_and_logged_together() {
    let folder = TempDir::new().unwrap();
    let store = Sqlite::open(&folder.path().join("store.sqlite"), flyc::compiler::tables()).unwrap();
    let store = Arc::new(Counting { inner: Arc::new(store), commits: Mutex::default() });
    let (clock, backend) = (Arc::new(Hand::new()), Arc::new(Backend::default()));
    let router = Router::new(Arc::clone(&backend) as Arc<dyn Secrets>);
    let own = Arc::clone(&store) as Arc<dyn Store>;
    let secrets = for_roles(router, Arc::clone(&clock) as Arc<dyn Clock>, own, "gosling:test");
    let uris: Vec<SecretUri> = (0..1000).map(|at| uri(&format!("vault://eggs/{at}/hook"))).collect();
    for (at, uri) in uris.iter().enumerate().skip(1) {
        backend.set(uri, &format!("value {at}"));
    }
    // Each secret is asked for by two, and one of all who ask goes away before he is answered.
    let mut asked = tokio::task::JoinSet::new();
    for at in (0..1000).chain(0..1000) {
        let (secrets, uri) = (Arc::clone(&secrets), uris[at].clone());
        asked.spawn(async move { (at, secrets.get(&uri).await) });
    }
    let gone = tokio::spawn({
        let (secrets, uri) = (Arc::clone(&secrets), uris[7].clone());
        async move { secrets.get(&uri).await }
    });
    tokio::task::yield_now().await;
    gone.abort();
    let mut answers = 0;
    while let Some(answer) = asked.join_next().await {
        let (at, found) = answer.unwrap();
        match found {
            Ok(found) => assert_eq!(found.expose(), format!("value {at}")),
            Err(error) => assert_eq!(at, 0, "{error}"),
        }
        answers += 1;
    }
    assert_eq!((answers, backend.asked()), (2000, 1000));
    let commits = *store.commits.lock().unwrap();
    assert!(commits <= 10, "{commits} commits");
    let mut seen: BTreeMap<(String, String), u64> = BTreeMap::new();
    for entry in records::all::<AuditEntry>(&*store, None, None).await.unwrap() {
        let outcome = entry.record.details["outcome"].as_str().unwrap().to_owned();
        *seen.entry((entry.record.resource, outcome)).or_default() += 1;
    }
    assert_eq!(seen.len(), 1000);
    assert!(seen.values().all(|count| *count == 1));
    assert_eq!(seen.keys().filter(|(_, outcome)| outcome == "refused").count(), 1);
    // What is asked for again is had without anybody being asked.
    for uri in &uris[1..] {
        secrets.get(uri).await.unwrap();
    }
    assert_eq!(backend.asked(), 1000);
}

#[async_trait]
impl Secrets for Backend {
    async fn get(&self, uri: &SecretUri) -> Result<Secret, SecretError> {
        *self.asked.lock().unwrap() += 1;
        let values = self.values.lock().unwrap();
        let found = values.get(&uri.uri()).and_then(|versions| versions.last()).map(Secret::new);
        found.ok_or_else(|| SecretError::Refused {
            backend: uri.backend.scheme(),
            id: uri.id.to_string(),
            reason: format!("it says: nothing at {} for glpat-abcdefGHIJKL123", uri.uri()),
        })
    }

    async fn get_version(&self, uri: &SecretUri, _: u64) -> Result<Secret, SecretError> {
        self.get(uri).await
    }

    async fn put(&self, uri: &SecretUri, value: &Secret) -> Result<u64, SecretError> {
        Ok(self.set(uri, value.expose()))
    }

    async fn versions(&self, _: &SecretUri) -> Result<Vec<SecretVersion>, SecretError> {
        Ok(Vec::new())
    }

    async fn remove(&self, uri: &SecretUri) -> Result<(), SecretError> {
        self.values.lock().unwrap().remove(&uri.uri());
        Ok(())
    }
}

struct Given {
    clock: Arc<Hand>,
    backend: Arc<Backend>,
    store: Arc<Sqlite>,
    secrets: Arc<dyn Secrets>,
    _folder: TempDir,
}

fn given() -> Given {
    let folder = TempDir::new().unwrap();
    let store = Sqlite::open(&folder.path().join("store.sqlite"), flyc::compiler::tables()).unwrap();
    let (store, clock, backend) = (Arc::new(store), Arc::new(Hand::new()), Arc::new(Backend::default()));
    let router = Router::new(Arc::clone(&backend) as Arc<dyn Secrets>);
    let (port, own) = (Arc::clone(&clock) as Arc<dyn Clock>, Arc::clone(&store) as Arc<dyn Store>);
    let secrets = for_roles(router, port, own, "gosling:test");
    Given { clock, backend, store, secrets, _folder: folder }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    /// However reads, writes behind its back and time come: a value is never older than its time, and the backend is asked
    /// only when it is over.
    #[test]
    fn property_38_secret_cache_ttl(steps in vec((0_u64..200, 0_u8..4), 1..30)) {
        let place = uri("vault://a/b");
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let given = given();
            given.backend.set(&place, "value 0");
            let mut model: Option<(String, u64)> = None;
            let (mut now, mut current, mut asked) = (0, "value 0".to_owned(), 0);
            for (at, (seconds, what)) in steps.into_iter().enumerate() {
                given.clock.pass(Duration::from_secs(seconds));
                now += seconds;
                match what {
                    // Somebody else changes it.
                    0 => {
                        current = format!("value {at}");
                        given.backend.set(&place, &current);
                    }
                    // We do.
                    1 => {
                        current = format!("value {at}");
                        given.secrets.put(&place, &Secret::new(current.clone())).await.unwrap();
                        model = None;
                    }
                    _ => {
                        if model.as_ref().is_none_or(|(_, since)| now - since >= TTL.as_secs()) {
                            asked += 1;
                            model = Some((current.clone(), now));
                        }
                        let found = given.secrets.get(&place).await.unwrap();
                        let expected = model.as_ref().map(|(value, _)| value.as_str());
                        prop_assert_eq!(Some(found.expose()), expected);
                        prop_assert_eq!(given.backend.asked(), asked);
                    }
                }
            }
            Ok(())
        })?;
    }

    /// What can't be had is named by backend and id, and not by its URI; neither is anything repeated that a backend says, or
    /// what was meant to be a URI and is none.
    #[test]
    fn property_39_invalid_secret_reference_error(
        scheme in 0_usize..3,
        id in "[a-z]{6,12}",
        key in "[a-z]{6,12}[0-9]",
        bad in "[a-z0-9]{6,20}(:/)?[a-z0-9]{4,20}",
    ) {
        let backend = SecretBackend::ALL[scheme];
        let place = uri(&format!("{}://{id}/{key}", backend.scheme()));
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let given = given();
            let error = given.secrets.get(&place).await.unwrap_err();
            let told = format!("{error} {error:?}");
            prop_assert!(told.contains(backend.scheme()) && told.contains(&id), "{}", told);
            prop_assert!(!told.contains(&place.uri()) && !told.contains(&key), "{}", told);
            prop_assert!(!told.contains("abcdefGHIJKL123"), "{}", told);
            Ok(())
        })?;
        for bad in [bad.clone(), format!("{}://{bad}", backend.scheme())] {
            let Err(error) = parse(&bad) else { continue };
            let told = format!("{error} {error:?}");
            let rest = bad.split_once("://").map_or(bad.as_str(), |(_, rest)| rest);
            prop_assert!(!told.contains(rest), "{}", told);
        }
    }
}

#[tokio::test]
async fn every_access_is_in_the_audit_log_and_no_value() {
    let given = given();
    let place = uri("yc-lockbox://tokens/runner");
    given.secrets.put(&place, &Secret::new("a-first-value")).await.unwrap();
    for _ in 0..3 {
        given.secrets.get(&place).await.unwrap();
    }
    given.clock.pass(TTL);
    given.secrets.get(&place).await.unwrap();
    let missing = given.secrets.get(&uri("vault://no/body")).await;
    assert!(missing.is_err());
    given.secrets.remove(&place).await.unwrap();
    let entries = records::all::<AuditEntry>(&*given.store, None, None).await.unwrap();
    let mut told: Vec<_> = entries.iter().map(|entry| &entry.record).collect();
    told.sort_by(|one, other| (one.at, &one.action).cmp(&(other.at, &other.action)));
    let told: Vec<_> = told
        .iter()
        .map(|one| (one.action.as_str(), one.resource.as_str(), &one.details["outcome"]))
        .collect();
    assert_eq!(told.len(), 5, "{told:?}");
    for expected in [
        ("secret.write", "yc-lockbox/tokens", &"asked".into()),
        ("secret.read", "yc-lockbox/tokens", &"given".into()),
        ("secret.read", "vault/no", &"refused".into()),
        ("secret.remove", "yc-lockbox/tokens", &"asked".into()),
    ] {
        assert!(told.contains(&expected), "{expected:?} in {told:?}");
    }
    let all = format!("{entries:?}");
    assert!(all.contains("gosling:test") && !all.contains("a-first-value"), "{all}");
    assert_eq!(logging::mask("it is a-first-value."), "it is ***MASKED***.", "what was written is hidden");
}

#[tokio::test]
async fn a_scheme_goes_to_its_backend() {
    let (rest, own) = (Arc::new(Backend::default()), Arc::new(Backend::default()));
    let router = Router::new(Arc::clone(&rest) as Arc<dyn Secrets>)
        .with(SecretBackend::Vault, Arc::clone(&own) as Arc<dyn Secrets>);
    router.put(&uri("vault://a/b"), &Secret::new("own")).await.unwrap();
    router.put(&uri("aws-sm://a/b"), &Secret::new("rest")).await.unwrap();
    assert_eq!(own.get(&uri("vault://a/b")).await.unwrap().expose(), "own");
    assert_eq!(rest.get(&uri("aws-sm://a/b")).await.unwrap().expose(), "rest");
    assert!(own.get(&uri("aws-sm://a/b")).await.is_err());
}
