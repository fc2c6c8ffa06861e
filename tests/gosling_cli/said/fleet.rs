//! An installation with something of everything, behind the API of `gosling serve`: the real API, database, sealed secrets and
//! client of GitLab; the clock, GitLab and OpenTofu are stand-ins, so that every answer is the same each time.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use fly_std::formats::secret_uri;
use flyc::artifact::{
    Cloud, EggConfig, EggKind, Executor, JobConfig, JobProject, Provider, Repository, Resources,
    Runner as RunnerConfig, RunnerType, Schedule,
};
use orchestrator::{
    adapters::{
        gitlab::{GitLabClient, Patience},
        secrets::{self, Router},
        store::sqlite::Sqlite,
    },
    domain::{
        Deadlines, Fence, Job, JobId, JobStatus, Plan, PlanStatus, PoolKind, Runner, RunnerId, State,
        StateMark, Time,
    },
    metrics::Metrics,
    ports::{
        Ports,
        clock::Clock,
        queue::Dead,
        secrets::Secret,
        store::Store,
        tofu::{Applied, Bundle, FoundLock, PlanRequest, Planned, Tofu, TofuError},
    },
    records::{
        self, AuditEntry, Care, Changes, EggRecord, JobRecord, PlanKind, PlanRecord, Record, RunnerRecord,
        Served, SyncRecord, SyncStatus,
    },
    roles::{Context, api},
    seal,
    settings::{ApiToken, CloudSettings, Intervals, NestSettings, Scope, Settings},
};
use polar_gosling_tests::doubles::gitlab::FakeGitLab;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::doubles::{Kept, Nothing};

const SERVER: &str = "gitlab.example.com";
/// The Nest's own project.
const NEST: u64 = 900;
/// 2026-11-21T10:00:00Z
const NOW: u64 = 1_795_255_200_000;
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const BEFORE: &str = "89abcdef0123456789abcdef0123456789abcdef";
/// Digests of what was built.
const NEW: &str = "d1fe";
const OLD: &str = "0ddb";

/// What opens it: for everything, and for looking alone.
pub(crate) const ALICE: &str = "gosling-token-of-alice";
pub(crate) const BOB: &str = "gosling-token-of-bob";

/// A clock that goes on by a millisecond each time it is looked at, so that everything has its order.
#[derive(Debug)]
struct Ticking(AtomicU64);

impl Clock for Ticking {
    fn now(&self) -> Time {
        let ticks = self.0.fetch_add(1, Ordering::SeqCst);
        assert!(ticks < 990, "what is said takes so long that ages change");
        Time::from_millis(NOW + ticks)
    }
}

/// OpenTofu, as far as it plans: `web` can't be planned, and everything else has something to do.
#[derive(Debug)]
struct Planner;

fn no<T>() -> Result<T, TofuError> {
    Err(TofuError::Absent("the test has none".to_owned()))
}

#[async_trait]
#[rustfmt::skip]
impl Tofu for Planner {
    async fn version(&self) -> Result<String, TofuError> { Ok("1.12.6".to_owned()) }
    async fn keep(&self, _: &Path) -> Result<Vec<Bundle>, TofuError> { no() }
    async fn apply(&self, _: &PlanRequest, _: &[u8]) -> Result<Applied, TofuError> { no() }
    async fn unlock(&self, _: &str, _: &FoundLock) -> Result<(), TofuError> { no() }
    async fn forget(&self, _: &str) -> Result<(), TofuError> { no() }
    async fn holds(&self, _: &Bundle) -> Result<bool, TofuError> { Ok(true) }
    async fn prune(&self, _: &[Bundle]) -> Result<(), TofuError> { no() }
    fn runners_folder(&self) -> PathBuf { PathBuf::new() }

    async fn state(&self, _: &str) -> Result<StateMark, TofuError> {
        Ok(StateMark { lineage: "one".to_owned(), serial: 1 })
    }

    async fn plan(&self, request: &PlanRequest) -> Result<Planned, TofuError> {
        let owner = &request.bundle.owner;
        if owner == "web" {
            let message = "error[tofu-error]: no image `debian-99`\n --> Eggs/web/config.fly:5:13".to_owned();
            return Err(TofuError::Failed { owner: owner.clone(), message, transient: false });
        }
        let change = |(runner, change): (&str, &str)| {
            (format!("module.runner[\"{owner}-{runner}\"].terraform_data.home"), change.to_owned())
        };
        let changes = [("1", "update"), ("2", "delete"), ("3", "create")].map(change).into();
        Ok(Planned { binary: Vec::new(), on: self.state(owner).await?, changes })
    }
}

/// It, for as long as it lives.
pub(crate) struct Fleet {
    pub(crate) address: SocketAddr,
    _gitlab: FakeGitLab,
    _runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

impl Fleet {
    pub(crate) fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let gitlab = FakeGitLab::start();
        gitlab.change(|world| {
            world.add_token("glpat-of-the-eggs", &["api", "create_runner", "manage_runner"], 50);
            for (id, path) in [(12, "docs"), (13, "web"), (14, "api"), (NEST, "nest")] {
                world.add_project(id, path, None);
            }
        });
        let clock: Arc<dyn Clock> = Arc::new(Ticking(AtomicU64::new(0)));
        let store = Sqlite::open(&folder.path().join("store.db"), flyc::compiler::tables()).unwrap();
        let store: Arc<dyn Store> = Arc::new(store);
        let (seal, file) = secrets::open(folder.path(), None, Arc::clone(&clock)).unwrap();
        let file = Router::new(Arc::new(file));
        let kept = secrets::for_roles(file, Arc::clone(&clock), Arc::clone(&store), "gosling");
        let queue = Arc::<Kept>::default();
        for number in 0..2 {
            queue.dead.lock().unwrap().push(Dead {
                id: format!("0199e7f2-6f0c-7cc1-a0c5-1b2f3d4e5f6{number}"),
                kind: "deploy".to_owned(),
                body: json!({ "kind": "deploy", "egg": "web" }).to_string(),
                reason: "OpenTofu failed for `web`:\nerror[tofu-error]: no image `debian-99`".to_owned(),
                attempts: 8,
                at: Time::from_millis(NOW - 300_000),
            });
        }
        let servers = BTreeMap::from([(SERVER.to_owned(), gitlab.url().parse().unwrap())]);
        let patience = Patience { pause: Duration::from_millis(1), ..Patience::default() };
        let context = Context {
            ports: Ports {
                clock,
                store: Arc::clone(&store),
                queue,
                secrets: Arc::clone(&kept),
                gitlab: Arc::new(GitLabClient::new(servers, patience).unwrap()),
                tofu: Arc::new(Planner),
                git: Arc::new(Nothing),
            },
            settings: Arc::new(settings()),
            seal,
            metrics: Metrics::new().unwrap(),
            instance: "test".into(),
            kept: orchestrator::roles::Kept::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            for (uri, value) in [
                ("vault://gitlab/api-token", "glpat-of-the-eggs"),
                ("vault://eggs/docs/webhook-secret", "hook-secret-of-docs"),
                ("vault://eggs/services/webhook-secret", "hook-secret-of-services"),
                ("vault://nest/webhook-secret", "hook-secret-of-the-nest"),
            ] {
                kept.put(&secret_uri::parse(uri).unwrap(), &Secret::new(value)).await.unwrap();
            }
            furnish(&*store).await;
        });
        runtime.spawn(api::serve(context, listener, CancellationToken::new()));
        // It reads the webhooks' secrets before they are needed, and the log has that.
        runtime.block_on(async {
            while !audited(&*store).await.iter().any(|action| action == "secret.read") {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        Self { address, _gitlab: gitlab, _runtime: runtime, _folder: folder }
    }
}

async fn audited(store: &dyn Store) -> Vec<String> {
    let all = records::all::<AuditEntry>(store, None, None).await.unwrap();
    all.into_iter().map(|entry| entry.record.action).collect()
}

fn settings() -> Settings {
    let token = |name: &str, token: &str, scopes: &[Scope]| ApiToken {
        name: name.to_owned(),
        sha256: seal::fingerprint(token),
        scopes: scopes.iter().copied().collect(),
    };
    Settings {
        roles: BTreeSet::new(),
        data: PathBuf::new(),
        key_file: None,
        listen: ([127, 0, 0, 1], 0).into(),
        url: "https://gosling.example.com/".parse().unwrap(),
        tls: None,
        nest: NestSettings {
            name: "birds".to_owned(),
            url: String::new(),
            branch: "main".to_owned(),
            deploy_key: None,
            known_hosts: None,
            project: Some(NEST),
            server: Some(SERVER.to_owned()),
            webhook_secret: secret_uri::parse("vault://nest/webhook-secret").ok(),
            api_token: secret_uri::parse("vault://gitlab/api-token").ok(),
            variables: BTreeMap::new(),
        },
        gitlab: BTreeMap::new(),
        tofu: None,
        gosling: None,
        variables: BTreeMap::new(),
        clouds: CloudSettings::default(),
        proxies: Vec::new(),
        intervals: Intervals::default(),
        deadlines: Deadlines::default(),
        workers: 1,
        rate: Settings::RATE,
        body_limit: Settings::BODY_LIMIT,
        tokens: vec![
            token("alice", ALICE, &[Scope::Read, Scope::Operate]),
            token("bob", BOB, &[Scope::Read]),
        ],
    }
}

/// So many seconds ago; the clock goes on by less than a second.
fn ago(seconds: u64) -> Time {
    Time::from_millis(NOW - seconds * 1000)
}

async fn write(store: &dyn Store, record: &impl Record) {
    store.commit(vec![records::put(record)]).await.unwrap();
}

pub(crate) async fn furnish(store: &dyn Store) {
    let mut web = egg("web", &[(None, 13)]);
    web.failures = 2;
    web.retry_at = Some(Time::from_millis(NOW + 40_900));
    web.error = Some(
        "OpenTofu failed for `web`:\nerror[tofu-error]: no image `debian-99`\n --> Eggs/web/config.fly:5:13"
            .to_owned(),
    );
    let mut services = egg("services", &[(Some("api"), 14), (Some("web"), 13)]);
    services.paused = true;
    for egg in [egg("docs", &[(None, 12)]), web, services, job("nightly")] {
        write(store, &egg).await;
    }
    for (id, egg, state, why) in [
        ("docs-1", "docs", State::Busy, "1 job waits"),
        ("docs-2", "docs", State::Idle, "2 jobs wait"),
        ("docs-0", "docs", State::Terminated, "policy `rest`: idle for 10m"),
        ("services-1", "services", State::Nadir, "policy `rest`: idle for 10m"),
        ("web-1", "web", State::Provisioning, "1 job waits"),
    ] {
        write(store, &runner(id, egg, state, why)).await;
    }
    let reasons = ["docs: has no tag `gpu`", "web: is protected, and main is not"];
    for (number, name, egg, status, runner, reason) in [
        (4711, "build", Some("docs"), JobStatus::Running, Some("docs-1"), &["docs: takes it"][..]),
        (4712, "test", Some("web"), JobStatus::Pending, None, &["web: takes it"]),
        (4713, "train", None, JobStatus::Pending, None, &reasons),
        (4700, "lint", Some("docs"), JobStatus::Succeeded, Some("docs-1"), &["docs: takes it"]),
    ] {
        let job = Job {
            project: 12,
            egg: egg.map(str::to_owned),
            tags: ["docker".to_owned()]
                .into_iter()
                .chain((number == 4713).then(|| "gpu".to_owned()))
                .collect(),
            status,
            since: ago(90),
            told: ago(60),
            runner: runner.map(|id| RunnerId::new(id.to_owned())),
        };
        let job = JobRecord {
            id: JobId { server: SERVER.into(), number },
            job,
            name: name.to_owned(),
            git_ref: "main".to_owned(),
            ref_protected: false,
            reason: reason.iter().map(|reason| (*reason).to_owned()).collect(),
        };
        write(store, &job).await;
    }
    for (number, egg, status, digest, commit, error) in [
        (1, "docs", PlanStatus::Applied, OLD, BEFORE, None),
        (2, "docs", PlanStatus::Applied, NEW, COMMIT, None),
        (3, "web", PlanStatus::Failed, NEW, COMMIT, Some("OpenTofu failed for `web`:\nno image `debian-99`")),
    ] {
        let plan = PlanRecord {
            plan: Plan {
                id: format!("0199e7f2-0000-7000-8000-00000000000{number}"),
                egg: egg.to_owned(),
                digest: digest.to_owned(),
                commit: commit.to_owned(),
                on: StateMark { lineage: "one".to_owned(), serial: number },
                fence: Fence(1),
                status,
                made: ago(86_400 - number * 3600),
            },
            kind: PlanKind::Deploy,
            sealed: Vec::new(),
            rollback_of: None,
            runners: BTreeMap::from([(format!("{egg}-1"), "apex".to_owned())]),
            changes: BTreeMap::from([(
                format!("module.runner[\"{egg}-1\"].terraform_data.home"),
                "create".to_owned(),
            )]),
            outputs: BTreeMap::new(),
            applied: error.is_none().then(|| ago(86_000 - number * 3600)),
            error: error.map(str::to_owned),
        };
        write(store, &plan).await;
    }
    for (number, commit, status, message, seconds) in [
        (1, COMMIT, SyncStatus::Applied, None, 10_800),
        (
            2,
            BEFORE,
            SyncStatus::Broken,
            Some("error[unknown-name]: there is no `tpye`\n --> Eggs/docs/config.fly:3:3"),
            60,
        ),
    ] {
        let sync = SyncRecord {
            id: format!("0199e7f2-0000-7000-8000-0000000000a{number}"),
            commit: Some(commit.to_owned()),
            status,
            changes: Changes::default(),
            message: message.map(str::to_owned),
            at: ago(seconds),
        };
        write(store, &sync).await;
    }
    for (seconds, actor, action, on, details) in [
        (7200, "api:alice", "egg.pause", ("egg", "services"), json!({})),
        (
            240,
            "policy:demand",
            "runner.make",
            ("runner", "web-1"),
            json!({ "egg": "web", "to": "provisioning" }),
        ),
        (120, "gosling", "plan.failed", ("egg", "web"), json!({ "egg": "web" })),
    ] {
        write(store, &AuditEntry::new(ago(seconds), actor, action, on, details)).await;
    }
}

fn cloud() -> Cloud {
    Cloud {
        provider: Provider::Local,
        region: String::new(),
        zone: String::new(),
        network: None,
        subnet: None,
        image: String::new(),
        offer: None,
    }
}

fn runner_config() -> RunnerConfig {
    RunnerConfig {
        tags: vec!["docker".to_owned()],
        concurrent: 3,
        idle_timeout_s: 600,
        timeout_s: 3600,
        run_untagged: false,
        protected: false,
        executor: Executor::Shell,
        image: String::new(),
        privileged: false,
        ephemeral: false,
    }
}

fn resources() -> Resources {
    Resources { cpu: 1, memory_mib: 1024, disk_gib: 10 }
}

/// An egg, or a bucket when it has several repositories.
fn egg(name: &str, repositories: &[(Option<&str>, u64)]) -> EggRecord {
    let repository = |(own, project): &(Option<&str>, u64)| Repository {
        name: own.map(str::to_owned),
        server: SERVER.to_owned(),
        project_id: Some(*project),
        group_id: None,
        // That of the bucket was never kept.
        api_token_secret: match own {
            Some(_) => format!("vault://gitlab/{name}/api-token"),
            None => "vault://gitlab/api-token".to_owned(),
        },
        token_secret: format!("vault://eggs/{name}/runner-token"),
        webhook_secret: format!("vault://eggs/{name}/webhook-secret"),
    };
    let kind = if repositories.len() > 1 { EggKind::Bucket } else { EggKind::Egg };
    let config = EggConfig {
        format_version: EggConfig::FORMAT_VERSION,
        kind,
        name: name.to_owned(),
        runner_type: RunnerType::Vm,
        cloud: cloud(),
        resources: resources(),
        runner: runner_config(),
        repositories: repositories.iter().map(repository).collect(),
        environment: BTreeMap::new(),
        rift: None,
    };
    record(name, Served::Egg(Box::new(config)))
}

/// A job of the Nest's own.
fn job(name: &str) -> EggRecord {
    let config = JobConfig {
        format_version: JobConfig::FORMAT_VERSION,
        name: name.to_owned(),
        runner_type: RunnerType::Vm,
        cloud: cloud(),
        resources: resources(),
        runner: runner_config(),
        schedule: Schedule {
            description: format!("gosling job {name}"),
            git_ref: "main".to_owned(),
            cron: "0 3 * * *".to_owned(),
            cron_timezone: "UTC".to_owned(),
            active: true,
            variables: BTreeMap::new(),
        },
        script: "true".to_owned(),
        timeout_s: 600,
        project: JobProject {
            server: SERVER.to_owned(),
            project_id: None,
            token_secret: "vault://nest/runner-token".to_owned(),
            deploy_key_secret: "vault://nest/key".to_owned(),
        },
        environment: BTreeMap::new(),
        notify: Vec::new(),
    };
    record(&format!("jobs/{name}"), Served::Job(Box::new(config)))
}

fn record(name: &str, served: Served) -> EggRecord {
    EggRecord {
        name: name.to_owned(),
        served,
        digest: NEW.to_owned(),
        commit: COMMIT.to_owned(),
        removed: false,
        paused: false,
        pinned: None,
        rotation: None,
        next_number: 3,
        revision: 4,
        registered: BTreeMap::new(),
        failures: 0,
        retry_at: None,
        error: None,
        made: ago(90_000),
        updated: ago(10_800),
        synced: ago(10_800),
    }
}

fn runner(id: &str, egg: &str, state: State, why: &str) -> RunnerRecord {
    let mut runner = Runner::new(RunnerId::new(id.to_owned()), egg, RunnerType::Vm, NEW, ago(3600));
    "local".clone_into(&mut runner.cloud);
    runner.state = state;
    runner.changed = ago(240);
    runner.heartbeat = (state != State::Provisioning).then(|| ago(9));
    runner.agent = runner.heartbeat.map(|_| "18.5.0".to_owned());
    if state == State::Nadir {
        runner.pool = PoolKind::Nadir;
    }
    if state == State::Busy {
        runner.jobs.insert(JobId { server: SERVER.into(), number: 4711 });
        runner.done = 1;
    }
    RunnerRecord {
        runner,
        commit: COMMIT.to_owned(),
        number: 1,
        system_id: None,
        managers: BTreeMap::new(),
        ticket: None,
        redeemed: None,
        credential: None,
        heard: (0, 0),
        revision: None,
        version: None,
        why: why.to_owned(),
        care: Care::default(),
        updated: ago(240),
    }
}
