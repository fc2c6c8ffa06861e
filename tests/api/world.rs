//! An API that runs, with a database of its own, and a client that looks at every answer.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    net::{SocketAddr, TcpListener},
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use fly_std::formats::secret_uri;
use flyc::artifact::{
    Cloud, EggConfig, EggKind, EnvValue, Executor, JobConfig, JobProject, Provider, Repository, Resources,
    Runner as RunnerConfig, RunnerType, Schedule,
};
use orchestrator::{
    adapters::store::sqlite::Sqlite,
    domain::{Deadlines, Runner, RunnerId, Time},
    metrics::Metrics,
    ports::{
        Ports,
        clock::Clock,
        store::{Store, Value},
    },
    records::{self, Care, EggRecord, Record, RunnerRecord, Served},
    roles::{
        Context,
        api::{self, ServeError},
    },
    seal::{self, Seal},
    settings::{ApiToken, Intervals, NestSettings, Scope, Settings},
};
use reqwest::{Method, Response, StatusCode, header::HeaderMap};
use serde_json::Value as Json;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::doubles::{Kept, Known, Nothing, Still};

/// Every value that nobody may see has this in it.
pub(crate) const MARK: &str = "s3cret";
pub(crate) const SERVER: &str = "gitlab.example.com";
pub(crate) const READ: &str = "s3cret-token-to-read";
pub(crate) const OPERATE: &str = "s3cret-token-to-operate";
pub(crate) const TRIGGER: &str = "s3cret-token-to-trigger";
/// The Nest's project, and the secret of its webhook.
pub(crate) const NEST: u64 = 900;
pub(crate) const NEST_SECRET: &str = "s3cret-of-the-nest";
/// 2026-11-21T10:00:00Z
pub(crate) const NOW: u64 = 1_795_255_200_000;

/// Everything that came into the log, of all tests of this program.
static LOG: LazyLock<Arc<Mutex<Vec<u8>>>> = LazyLock::new(|| {
    let log: Arc<Mutex<Vec<u8>>> = Arc::default();
    let into = Arc::clone(&log);
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || Writer(Arc::clone(&into)));
    subscriber.init();
    log
});

struct Writer(Arc<Mutex<Vec<u8>>>);

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What is in the log.
pub(crate) fn log() -> String {
    String::from_utf8(LOG.lock().unwrap().clone()).unwrap()
}

/// An API that runs until this goes.
pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) queue: Arc<Kept>,
    pub(crate) secrets: Arc<Known>,
    pub(crate) clock: Arc<Still>,
    pub(crate) context: Context,
    pub(crate) shutdown: CancellationToken,
    pub(crate) served: Option<tokio::task::JoinHandle<Result<(), ServeError>>>,
    client: reqwest::Client,
    _folder: TempDir,
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

pub(crate) fn settings() -> Settings {
    let token = |name: &str, token: &str, scope| ApiToken {
        name: name.to_owned(),
        sha256: seal::fingerprint(token),
        scopes: BTreeSet::from([scope]),
    };
    Settings {
        roles: BTreeSet::new(),
        data: std::path::PathBuf::new(),
        key_file: None,
        listen: "127.0.0.1:0".parse().unwrap(),
        url: "http://127.0.0.1:1".parse().unwrap(),
        tls: None,
        nest: NestSettings {
            name: "nest".to_owned(),
            url: String::new(),
            branch: "main".to_owned(),
            deploy_key: None,
            known_hosts: None,
            project: Some(NEST),
            server: Some(SERVER.to_owned()),
            webhook_secret: secret_uri::parse("vault://nest/webhook").ok(),
            api_token: None,
            variables: BTreeMap::new(),
        },
        gitlab: BTreeMap::from([("mapped.example.com".to_owned(), "http://127.0.0.1:7/".parse().unwrap())]),
        tofu: None,
        gosling: None,
        variables: BTreeMap::new(),
        clouds: orchestrator::settings::CloudSettings::default(),
        intervals: Intervals::default(),
        deadlines: Deadlines::default(),
        workers: 1,
        rate: Settings::RATE,
        proxies: Vec::new(),
        body_limit: Settings::BODY_LIMIT,
        tokens: vec![
            token("reader", READ, Scope::Read),
            token("operator", OPERATE, Scope::Operate),
            token("timer", TRIGGER, Scope::Trigger),
        ],
    }
}

/// An API with these settings.
pub(crate) fn world_with(settings: Settings) -> World {
    LazyLock::force(&LOG);
    // Who was first has installed the very same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = TempDir::new().unwrap();
    let store = Sqlite::open(&folder.path().join("store.db"), flyc::compiler::tables()).unwrap();
    let store: Arc<dyn Store> = Arc::new(store);
    let (queue, secrets, clock) = (Arc::<Kept>::default(), Arc::<Known>::default(), Arc::new(Still::at(NOW)));
    secrets.values.lock().unwrap().insert("vault://nest/webhook".to_owned(), NEST_SECRET.to_owned());
    let ports = Ports {
        clock: Arc::<Still>::clone(&clock) as Arc<dyn Clock>,
        store: Arc::clone(&store),
        queue: Arc::<Kept>::clone(&queue) as _,
        secrets: Arc::<Known>::clone(&secrets) as _,
        gitlab: Arc::new(Nothing),
        tofu: Arc::new(Nothing),
        git: Arc::new(Nothing),
    };
    let context = Context {
        ports,
        settings: Arc::new(settings),
        seal: Seal::new(&[7; 32]),
        metrics: Metrics::new().unwrap(),
        instance: "test".into(),
        kept: orchestrator::roles::Kept::default(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let served = tokio::spawn(api::serve(context.clone(), listener, shutdown.clone()));
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_mins(1)).build().unwrap();
    World {
        address,
        store,
        queue,
        secrets,
        clock,
        context,
        shutdown,
        served: Some(served),
        client,
        _folder: folder,
    }
}

pub(crate) fn world() -> World {
    world_with(settings())
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}

/// A request that is put together.
pub(crate) struct Asked {
    request: reqwest::RequestBuilder,
    gives_secrets: bool,
}

impl Asked {
    pub(crate) fn token(mut self, token: &str) -> Self {
        self.request = self.request.bearer_auth(token);
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(crate) fn json(mut self, body: &Json) -> Self {
        self.request = self.request.header("content-type", "application/json").body(body.to_string());
        self
    }

    pub(crate) fn body(mut self, body: impl Into<reqwest::Body>) -> Self {
        self.request = self.request.body(body);
        self
    }

    /// Sends it. Every answer that says no has one form, and no answer but a ticket's has a secret in it.
    pub(crate) async fn send(self) -> Answer {
        let response: Response = self.request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let answer = Answer { status, headers, text: response.text().await.unwrap() };
        assert!(answer.headers.contains_key("x-request-id"), "{answer:?}");
        if !(self.gives_secrets && answer.status.is_success()) {
            assert!(!format!("{answer:?}").contains(MARK), "a secret is told: {answer:?}");
        }
        let is_problem =
            answer.headers.get("content-type").is_some_and(|it| it == "application/problem+json");
        let says_no = answer.status.is_client_error() || answer.status.is_server_error();
        // Whether it is ready, an answer says with its status as well; to HEAD with nothing else.
        let is_readiness =
            answer.status == 503 && (answer.text.is_empty() || answer.text.contains("\"live\""));
        assert!(is_problem == says_no || is_readiness, "{answer:?}");
        // An answer to HEAD has the headers alone.
        if is_problem && !answer.text.is_empty() {
            let problem = answer.json();
            assert_eq!(problem["status"], answer.status.as_u16(), "{answer:?}");
            let id = answer.headers["x-request-id"].to_str().unwrap();
            assert_eq!(problem["instance"], format!("urn:gosling:request:{id}"), "{answer:?}");
            assert!(problem["type"].as_str().unwrap().starts_with("urn:gosling:problem:"), "{answer:?}");
        }
        answer
    }
}

impl World {
    pub(crate) fn ask(&self, method: Method, path: &str) -> Asked {
        let request = self.client.request(method, format!("http://{}{path}", self.address));
        Asked { request, gives_secrets: path.ends_with("/ticket") }
    }

    pub(crate) fn get(&self, path: &str) -> Asked {
        self.ask(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> Asked {
        self.ask(Method::POST, path)
    }

    /// Reads as one who may.
    pub(crate) async fn read(&self, path: &str) -> Json {
        self.get(path).token(READ).send().await.is(200).json()
    }

    pub(crate) async fn write<T: Record>(&self, record: &T) {
        self.store.commit(vec![records::put(record)]).await.unwrap();
    }

    pub(crate) async fn load<T: Record>(&self, key: &str) -> T {
        let found = records::get::<T>(&*self.store, vec![Value::Text(key.to_owned())]).await.unwrap();
        found.unwrap_or_else(|| panic!("no {key}")).record
    }

    /// An egg of one project, and a webhook secret `s3cret-NAME`.
    pub(crate) async fn egg(&self, name: &str, project: u64) -> EggRecord {
        let egg = egg(name, vec![repository(name, Some(project), None)]);
        self.secret(&format!("vault://{name}/webhook"), &format!("{MARK}-{name}"));
        self.write(&egg).await;
        egg
    }

    pub(crate) fn secret(&self, uri: &str, value: &str) {
        self.secrets.values.lock().unwrap().insert(uri.to_owned(), value.to_owned());
    }

    /// A runner of an egg, with the ticket `s3cret-ticket-ID`.
    pub(crate) async fn runner(&self, id: &str, egg: &str) -> RunnerRecord {
        let now = Time::from_millis(NOW);
        let runner = RunnerRecord {
            runner: Runner::new(RunnerId::new(id.to_owned()), egg, RunnerType::Vm, "digest", now),
            commit: "c0ffee".to_owned(),
            number: 1,
            system_id: None,
            managers: BTreeMap::new(),
            ticket: Some(seal::fingerprint(&format!("{MARK}-ticket-{id}"))),
            redeemed: None,
            credential: None,
            heard: (0, 0),
            revision: None,
            version: None,
            why: "2 jobs wait".to_owned(),
            care: Care::default(),
            updated: now,
        };
        self.write(&runner).await;
        runner
    }
}

pub(crate) fn repository(egg: &str, project_id: Option<u64>, group_id: Option<u64>) -> Repository {
    Repository {
        name: None,
        server: SERVER.to_owned(),
        project_id,
        group_id,
        api_token_secret: format!("vault://{egg}/api"),
        token_secret: format!("vault://{egg}/runner"),
        webhook_secret: format!("vault://{egg}/webhook"),
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

/// An egg, or a bucket when it has several repositories.
pub(crate) fn egg(name: &str, repositories: Vec<Repository>) -> EggRecord {
    let kind = if repositories.len() > 1 { EggKind::Bucket } else { EggKind::Egg };
    let config = EggConfig {
        format_version: EggConfig::FORMAT_VERSION,
        kind,
        name: name.to_owned(),
        runner_type: RunnerType::Vm,
        cloud: cloud(),
        resources: Resources { cpu: 1, memory_mib: 1024, disk_gib: 10 },
        runner: runner_config(),
        repositories,
        environment: BTreeMap::from([
            ("PLAIN".to_owned(), EnvValue::Text("as it is".to_owned())),
            ("PASSWORD".to_owned(), EnvValue::Secret(format!("vault://{name}/password"))),
        ]),
        rift: None,
    };
    record(name, Served::Egg(Box::new(config)))
}

/// A job of the Nest's own.
pub(crate) fn job(name: &str) -> EggRecord {
    let config = JobConfig {
        format_version: JobConfig::FORMAT_VERSION,
        name: name.to_owned(),
        runner_type: RunnerType::Serverless,
        cloud: cloud(),
        resources: Resources { cpu: 1, memory_mib: 1024, disk_gib: 10 },
        runner: runner_config(),
        schedule: Schedule {
            description: name.to_owned(),
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
            token_secret: "vault://nest/runner".to_owned(),
            deploy_key_secret: "vault://nest/key".to_owned(),
        },
        environment: BTreeMap::new(),
        notify: Vec::new(),
    };
    record(&format!("jobs/{name}"), Served::Job(Box::new(config)))
}

fn record(name: &str, served: Served) -> EggRecord {
    let now = Time::from_millis(NOW);
    EggRecord { revision: 4, ..EggRecord::new(name, served, "digest", "c0ffee", now) }
}
