//! A service whose git and database are real, and whose other ports are stand-ins that count.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use fly_std::formats::SecretUri;
use orchestrator::{
    adapters::{
        git::GitProgram,
        gitlab::{GitLabClient, Patience},
        store::sqlite::Sqlite,
    },
    domain::{StateMark, Time},
    metrics::Metrics,
    ports::{
        Ports,
        clock::Clock,
        queue::{Dead, Leased, Message, Queue, QueueError},
        secrets::{Secret, SecretError, SecretVersion, Secrets},
        store::{Key, Page, Query, Store, StoreError, Stored, Write},
        tofu::{Applied, Bundle, FoundLock, PlanRequest, Planned, Tofu, TofuError},
    },
    records::{self, EggRecord, NestRecord, SyncRecord, Versioned},
    roles::{
        Context,
        sync::{Synced, sync},
    },
    seal::Seal,
    settings::{Intervals, NestSettings, Settings},
};
use tempfile::TempDir;

use super::repository::Repository;

pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) nest: Repository,
    pub(crate) store: Arc<Counted>,
    pub(crate) tofu: Arc<Keeps>,
    pub(crate) queue: Arc<Heap>,
    pub(crate) context: Context,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let nest = Repository::new(folder.path());
        let url = nest.0.to_str().unwrap().to_owned();
        let data = folder.path().join("data");
        std::fs::create_dir_all(&data).unwrap();
        let store = Sqlite::open(&data.join("gosling.db"), flyc::compiler::tables()).unwrap();
        let store =
            Arc::new(Counted { inner: store, written: Mutex::default(), left: AtomicUsize::new(usize::MAX) });
        let (tofu, queue) = (Arc::<Keeps>::default(), Arc::<Heap>::default());
        let ports = Ports {
            clock: Arc::<Ticks>::default(),
            store: store.clone(),
            queue: queue.clone(),
            secrets: Arc::new(NoSecrets),
            gitlab: Arc::new(GitLabClient::new(BTreeMap::new(), Patience::default()).unwrap()),
            tofu: tofu.clone(),
            git: Arc::new(GitProgram::new(&data)),
        };
        let context = Context {
            ports,
            settings: Arc::new(settings(&data, url)),
            seal: Seal::new(&[7; 32]),
            metrics: Metrics::new().unwrap(),
            instance: "test".into(),
            kept: orchestrator::roles::Kept::default(),
        };
        Self { folder, nest, store, tofu, queue, context }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) async fn sync(&self) -> Synced {
        sync(&self.context, "timer").await.unwrap()
    }

    /// Syncs, and something must have come of it.
    pub(crate) async fn done(&self) -> SyncRecord {
        match self.sync().await {
            Synced::Done(record) => record,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn eggs(&self) -> BTreeMap<String, Versioned<EggRecord>> {
        let eggs = records::all::<EggRecord>(&*self.store, None, None).await.unwrap();
        eggs.into_iter().map(|egg| (egg.record.name.clone(), egg)).collect()
    }

    pub(crate) async fn in_force_if_any(&self) -> Option<NestRecord> {
        Some(records::get::<NestRecord>(&*self.store, NestRecord::id()).await.unwrap()?.record)
    }

    pub(crate) async fn in_force(&self) -> NestRecord {
        self.in_force_if_any().await.unwrap()
    }

    pub(crate) async fn history(&self) -> Vec<SyncRecord> {
        let found = records::all::<SyncRecord>(&*self.store, None, None).await.unwrap();
        let mut found: Vec<SyncRecord> = found.into_iter().map(|one| one.record).collect();
        found.sort_by(|a, b| a.id.cmp(&b.id));
        found
    }

    pub(crate) fn looks(&self, outcome: &str) -> u64 {
        self.context.metrics.syncs.with_label_values(&[outcome]).get()
    }
}

pub(crate) fn settings(data: &Path, url: String) -> Settings {
    Settings {
        roles: std::collections::BTreeSet::new(),
        data: data.to_owned(),
        key_file: None,
        tokens: Vec::new(),
        listen: "127.0.0.1:0".parse().unwrap(),
        url: "http://127.0.0.1/".parse().unwrap(),
        tls: None,
        nest: NestSettings {
            name: "nest".to_owned(),
            url,
            branch: "main".to_owned(),
            deploy_key: None,
            known_hosts: None,
            project: None,
            server: None,
            webhook_secret: None,
            api_token: None,
            variables: BTreeMap::new(),
        },
        gitlab: BTreeMap::new(),
        tofu: None,
        gosling: None,
        variables: BTreeMap::new(),
        clouds: orchestrator::settings::CloudSettings::default(),
        intervals: Intervals::default(),
        deadlines: orchestrator::domain::Deadlines::default(),
        workers: 1,
        rate: (100, 100),
        proxies: Vec::new(),
        body_limit: 1 << 20,
    }
}

/// A clock that goes on by a second whenever it is asked.
#[derive(Debug, Default)]
pub(crate) struct Ticks(AtomicU64);

impl Clock for Ticks {
    fn now(&self) -> Time {
        Time::from_millis(1_800_000_000_000 + self.0.fetch_add(1000, Ordering::SeqCst))
    }
}

/// A real database that counts what is written by table, and goes away after a number of transactions.
#[derive(Debug)]
pub(crate) struct Counted {
    inner: Sqlite,
    pub(crate) written: Mutex<BTreeMap<&'static str, usize>>,
    pub(crate) left: AtomicUsize,
}

impl Counted {
    /// How many rows of a table were written since this was last asked.
    pub(crate) fn take(&self, table: &str) -> usize {
        self.written.lock().unwrap().remove(table).unwrap_or(0)
    }

    /// After so many more transactions it is away.
    pub(crate) fn leave_after(&self, transactions: usize) {
        self.left.store(transactions, Ordering::SeqCst);
    }

    pub(crate) fn come_back(&self) {
        self.left.store(usize::MAX, Ordering::SeqCst);
    }
}

#[async_trait]
impl Store for Counted {
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
        let take = |left: usize| match left {
            usize::MAX => Some(usize::MAX),
            left => left.checked_sub(1),
        };
        if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_err() {
            return Err(StoreError::Away("it was ended".to_owned()));
        }
        let tables: Vec<&'static str> = writes
            .iter()
            .filter_map(|write| match write {
                Write::Put { table, .. } => Some(table.0),
                Write::Delete { key, .. } => Some(key.table.0),
                Write::Check { .. } => None,
            })
            .collect();
        self.inner.commit(writes).await?;
        for table in tables {
            *self.written.lock().unwrap().entry(table).or_default() += 1;
        }
        Ok(())
    }
}

/// Keeps what was built, and knows it by a digest of its files.
#[derive(Debug, Default)]
pub(crate) struct Keeps {
    pub(crate) fails: AtomicUsize,
    pub(crate) kept: AtomicUsize,
    /// The bundles that were to stay when it was last asked to remove the others.
    pub(crate) wanted: Mutex<std::collections::BTreeSet<(String, String)>>,
}

impl Keeps {
    fn bundle(owner: String, folder: &Path) -> Bundle {
        let text = std::fs::read(folder.join("config.json")).unwrap();
        let digest = BuildHasherDefault::<DefaultHasher>::default().hash_one(&text);
        Bundle { owner, digest: format!("{digest:016x}") }
    }
}

#[async_trait]
impl Tofu for Keeps {
    async fn version(&self) -> Result<String, TofuError> {
        unreachable!()
    }

    async fn keep(&self, built: &Path) -> Result<Vec<Bundle>, TofuError> {
        if self.fails.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(TofuError::Machine { owner: "a".to_owned(), reason: "no room".to_owned() });
        }
        self.kept.fetch_add(1, Ordering::SeqCst);
        let mut bundles = Vec::new();
        for (folder, prefix) in [("eggs", ""), ("jobs", "jobs/")] {
            for entry in std::fs::read_dir(built.join(folder)).into_iter().flatten().flatten() {
                let name = entry.file_name().into_string().unwrap();
                bundles.push(Self::bundle(format!("{prefix}{name}"), &entry.path()));
            }
        }
        Ok(bundles)
    }

    async fn holds(&self, _: &Bundle) -> Result<bool, TofuError> {
        unreachable!()
    }

    async fn plan(&self, _: &PlanRequest) -> Result<Planned, TofuError> {
        unreachable!()
    }

    async fn apply(&self, _: &PlanRequest, _: &[u8]) -> Result<Applied, TofuError> {
        unreachable!()
    }

    async fn state(&self, _: &str) -> Result<StateMark, TofuError> {
        unreachable!()
    }

    async fn unlock(&self, _: &str, _: &FoundLock) -> Result<(), TofuError> {
        unreachable!()
    }

    async fn forget(&self, _: &str) -> Result<(), TofuError> {
        unreachable!()
    }

    async fn prune(&self, keep: &[Bundle]) -> Result<(), TofuError> {
        *self.wanted.lock().unwrap() =
            keep.iter().map(|bundle| (bundle.owner.clone(), bundle.digest.clone())).collect();
        Ok(())
    }

    fn runners_folder(&self) -> PathBuf {
        unreachable!()
    }
}

/// Remembers what was put in.
#[derive(Debug, Default)]
pub(crate) struct Heap(pub(crate) Mutex<Vec<Message>>);

#[async_trait]
impl Queue for Heap {
    async fn put(&self, messages: Vec<Message>) -> Result<Vec<bool>, QueueError> {
        let new = vec![true; messages.len()];
        self.0.lock().unwrap().extend(messages);
        Ok(new)
    }

    async fn take(&self, _: usize, _: Duration, _: Duration) -> Result<Vec<Leased>, QueueError> {
        unreachable!()
    }

    async fn keep(&self, _: &str, _: Duration) -> Result<(), QueueError> {
        unreachable!()
    }

    async fn done(&self, _: &str) -> Result<(), QueueError> {
        unreachable!()
    }

    async fn again(&self, _: &str, _: Time) -> Result<(), QueueError> {
        unreachable!()
    }

    async fn give_up(&self, _: &str, _: &str) -> Result<(), QueueError> {
        unreachable!()
    }

    async fn dead(&self, _: usize) -> Result<Vec<Dead>, QueueError> {
        unreachable!()
    }

    async fn replay(&self, _: &str) -> Result<(), QueueError> {
        unreachable!()
    }

    async fn counts(&self) -> Result<[u64; 3], QueueError> {
        unreachable!()
    }
}

/// Has none.
#[derive(Debug)]
struct NoSecrets;

#[async_trait]
impl Secrets for NoSecrets {
    async fn get(&self, _: &SecretUri) -> Result<Secret, SecretError> {
        unreachable!()
    }

    async fn get_version(&self, _: &SecretUri, _: u64) -> Result<Secret, SecretError> {
        unreachable!()
    }

    async fn put(&self, _: &SecretUri, _: &Secret) -> Result<u64, SecretError> {
        unreachable!()
    }

    async fn versions(&self, _: &SecretUri) -> Result<Vec<SecretVersion>, SecretError> {
        unreachable!()
    }

    async fn remove(&self, _: &SecretUri) -> Result<(), SecretError> {
        unreachable!()
    }
}
