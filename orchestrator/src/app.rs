//! Brings ports and adapters together: the one place that names adapters.

#![allow(
    clippy::disallowed_methods,
    reason = "the program's own folder, environment and socket are set up here"
)]

use std::{
    fs::{File, TryLockError},
    io::{BufRead, Write},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{
    adapters::{
        clock::System,
        git::GitProgram,
        gitlab::{GitLabClient, Patience},
        power::{Ecs, Invocation, NewTask, Yandex},
        queue::sqlite::Sqlite as QueueFile,
        secrets::{self, Router, key::KeyError},
        store::sqlite::Sqlite as Database,
        tofu::{OpenTofu, Options},
    },
    logging::{Logging, LoggingError},
    metrics::Metrics,
    ports::{
        Ports,
        clock::Clock,
        queue::{Queue, QueueError},
        secrets::{Secret, Secrets},
        store::{Store, StoreError},
    },
    records::{
        self,
        dump::{self, DumpError, Export, Header},
    },
    roles::{
        Context, Kept, api,
        power::{Outcome, Thing},
        worker,
    },
    settings::{Role, Settings},
};

pub use crate::adapters::{
    power::{Environment, PowerError},
    tokens,
};
pub use records::dump::Counts;

/// Why the service doesn't start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Another process works in the same folder.
    #[error("another gosling serves {}; stop it, or choose another folder with --data", .0.display())]
    Taken(PathBuf),
    /// The folder can't be used.
    #[error("the folder {} can't be used: {reason}", .folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// What went wrong.
        reason: std::io::Error,
    },
    /// Nobody can listen there.
    #[error("nobody can listen on {address}: {reason}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What went wrong.
        reason: std::io::Error,
    },
    /// The log.
    #[error(transparent)]
    Logging(#[from] LoggingError),
    /// The key or the file of secrets.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// An export that can't be written, or taken.
    #[error(transparent)]
    Dump(#[from] DumpError),
    /// There is no installation.
    #[error("{} holds nothing of gosling's", .0.display())]
    Nothing(PathBuf),
    /// An export comes to where something is.
    #[error("{} holds an installation already; nothing was changed", .0.display())]
    NotEmpty(PathBuf),
    /// The key that opens the sealed columns of an export is not there.
    #[error("what is sealed in the export was sealed with another key than {}; nothing was changed", .0.display())]
    OtherKey(PathBuf),
    /// The API.
    #[error("the API ended: {0}")]
    Api(String),
    /// Something of the machine's.
    #[error("{0}")]
    Machine(String),
}

/// The secrets of an installation, for whoever works on them while it may run or not.
///
/// # Errors
///
/// When the key or the file can't be read.
pub fn secrets_of(data: &Path, key_file: Option<&Path>) -> Result<Arc<dyn Secrets>, AppError> {
    let (_, file) = secrets::open(data, key_file, Arc::new(System::default()))?;
    Ok(Arc::new(file))
}

/// Holds the folder for this process alone, until the file is dropped.
fn claim(data: &Path) -> Result<File, AppError> {
    let folder = |reason| AppError::Folder { folder: data.to_owned(), reason };
    let mut builder = std::fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(builder.recursive(true), 0o700);
    builder.create(data).map_err(folder)?;
    let mut options = File::options();
    let file = options.create(true).truncate(false).write(true).open(data.join("lock")).map_err(folder)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(AppError::Taken(data.to_owned())),
        Err(TryLockError::Error(reason)) => Err(folder(reason)),
    }
}

/// What an export came to.
#[derive(Debug)]
pub struct Exported {
    /// The rows of each table.
    pub counts: Counts,
    /// How many messages are in the queue, which is not exported.
    pub queued: u64,
}

/// What came of an import.
#[derive(Debug)]
pub struct Imported {
    /// Who wrote the export, and when.
    pub header: Header,
    /// The rows of each table.
    pub counts: Counts,
    /// How many messages were in the queue, and are gone: they were about what was replaced.
    pub dropped: u64,
}

/// What is sealed in an export so that its reader knows whether it has the key.
const PROOF: (&[u8], &str) = (b"gosling export", "export/proof");

/// The database's file in the folder.
const STORE: &str = "gosling.sqlite";

/// The queue's.
const QUEUE: &str = "queue.sqlite";

/// Writes the database of a folder out, while nobody serves it.
///
/// # Errors
///
/// When somebody serves it, there is none, or it can't be read or written out.
pub async fn export(
    data: &Path,
    key_file: Option<&Path>,
    out: &mut (dyn Write + Send),
) -> Result<Exported, AppError> {
    if !data.join(STORE).exists() {
        return Err(AppError::Nothing(data.to_owned()));
    }
    let _claim = claim(data)?;
    let clock: Arc<dyn Clock> = Arc::new(System::default());
    let tables = flyc::compiler::tables();
    let store = Database::open(&data.join(STORE), tables.clone())?;
    let queue = QueueFile::open(&data.join(QUEUE), Arc::clone(&clock))?;
    let (seal, _) = secrets::open(data, key_file, Arc::clone(&clock))?;
    let proof = seal.seal(PROOF.0, PROOF.1).map_err(|error| AppError::Machine(error.to_string()))?;
    let by = concat!("gosling ", env!("CARGO_PKG_VERSION"));
    let header = Header::new(by, clock.now(), STANDARD.encode(proof));
    let counts = dump::export(&store, &tables, &header, out).await?;
    let queued = queue.counts().await?.iter().sum();
    Ok(Exported { counts, queued })
}

/// Takes an export into a folder that nobody serves, all of it or nothing. What the folder has is replaced only if `replace`;
/// what its queue has to do with it goes.
///
/// # Errors
///
/// When somebody serves the folder, something is in it, its key is another, or the export is not whole.
pub async fn import(
    data: &Path,
    key_file: Option<&Path>,
    replace: bool,
    from: impl BufRead,
) -> Result<Imported, AppError> {
    let tables = flyc::compiler::tables();
    // All of it is looked at before anything is touched.
    let export = Export::read(from, &tables)?;
    export.check()?;
    let key = key_file.map_or_else(|| data.join("key"), Path::to_owned);
    // One that is made now opens nothing.
    if !key.exists() {
        return Err(AppError::OtherKey(key));
    }
    let _claim = claim(data)?;
    let (seal, _) = secrets::open(data, key_file, Arc::new(System::default()))?;
    let proof = STANDARD.decode(&export.header.proof).unwrap_or_default();
    if seal.open(&proof, PROOF.1).is_err() {
        return Err(AppError::OtherKey(key));
    }
    let store = Database::open(&data.join(STORE), tables.clone())?;
    if !replace && !dump::is_empty(&store, &tables).await? {
        return Err(AppError::NotEmpty(data.to_owned()));
    }
    let mut counts = Counts::new();
    for (table, _) in &export.rows {
        *counts.entry(table.0.to_owned()).or_default() += 1;
    }
    // Before the rows are: a rollback of what was there must never be carried out on what comes. Should it end in between, the
    // next `gosling serve` asks GitLab anew.
    let queue = data.join(QUEUE);
    let dropped =
        if queue.exists() { QueueFile::open(&queue, Arc::new(System::default()))?.clear().await? } else { 0 };
    store.restore(export.rows).await?;
    Ok(Imported { header: export.header, counts, dropped })
}

/// The embedded default: everything in one folder of this machine.
async fn context(settings: Settings) -> Result<Context, AppError> {
    let machine = |error: &dyn std::fmt::Display| AppError::Machine(error.to_string());
    let data = settings.data.clone();
    let clock: Arc<dyn Clock> = Arc::new(System::default());
    let store = Arc::new(Database::open(&data.join(STORE), flyc::compiler::tables())?);
    let queue = Arc::new(QueueFile::open(&data.join(QUEUE), Arc::clone(&clock))?);
    // The folder is this process's alone, so whoever had something in work is gone.
    queue.reclaim().await?;
    records::end_all(&*store, clock.now()).await?;
    let (seal, file) = secrets::open(&data, settings.key_file.as_deref(), Arc::clone(&clock))?;
    let instance = format!("{}-{}", std::process::id(), uuid::Uuid::now_v7());
    let secrets =
        secrets::for_roles(Router::new(Arc::new(file)), Arc::clone(&clock), store.clone(), "gosling serve");
    let gitlab =
        GitLabClient::new(settings.gitlab.clone(), Patience::default()).map_err(|error| machine(&error))?;
    let tofu = Options {
        program: settings.tofu.clone(),
        pass: settings.clouds.pass.clone(),
        settings: settings.clouds.tofu_config.clone(),
        ..Options::new(&data, std::env::vars_os())
    };
    let settings = Settings {
        gosling: match settings.gosling {
            Some(gosling) => Some(gosling),
            None => Some(std::env::current_exe().map_err(|error| machine(&error))?),
        },
        ..settings
    };
    let ports = Ports {
        clock,
        store,
        queue,
        secrets,
        gitlab: Arc::new(gitlab),
        tofu: Arc::new(OpenTofu::new(tofu)),
        git: Arc::new(GitProgram::new(&data)),
    };
    let metrics = Metrics::new().map_err(|error| machine(&error))?;
    Ok(Context {
        ports,
        settings: Arc::new(settings),
        seal,
        metrics,
        instance: instance.into(),
        kept: Kept::default(),
    })
}

/// Starts or stops what `OpenTofu` can't, told by this environment.
///
/// # Errors
///
/// When it makes no sense, or the cloud doesn't do it.
pub async fn power(thing: &Thing, running: bool, environment: &Environment) -> Result<Outcome, PowerError> {
    let now = System::default().now();
    let needed = |name: &str| {
        let value = environment.get(name).filter(|value| !value.is_empty()).cloned();
        value.ok_or_else(|| PowerError::Told(format!("the variable {name} is not set")))
    };
    let json = |name: &str| {
        serde_json::from_str(&needed(name)?)
            .map_err(|_| PowerError::Told(format!("the variable {name} is no JSON")))
    };
    let changed = match thing {
        Thing::Instance { id } => Yandex::open(environment, now).await?.instance(id, running).await?,
        // An invocation has no handle: whoever sleeps or goes is told so by the orchestrator at its next sign of life.
        Thing::Container { .. } if !running => return Ok(Outcome::ByItself),
        Thing::Container { id, .. } => {
            let invocation = Invocation {
                url: needed("CONTAINER_URL")?,
                egg: needed("EGG_CONFIG")?,
                runner: needed("RUNNER_CONFIG")?,
                ticket: Secret::new(needed("TICKET")?),
            };
            Yandex::open(environment, now).await?.invoke(id, &invocation).await?;
            true
        }
        Thing::Task { cluster, runner, definition: Some(definition) } if running => {
            let task = NewTask {
                definition: definition.clone(),
                network: json("NETWORK")?,
                tags: json("TAGS")?,
                runner_config: needed("RUNNER_CONFIG")?,
                ticket: Secret::new(needed("TICKET")?),
            };
            Ecs::open(environment, now).await?.start(cluster, runner, &task).await?
        }
        Thing::Task { runner, .. } if running => {
            return Err(PowerError::Told(format!("the task of `{runner}` can't be started from nothing")));
        }
        Thing::Task { cluster, runner, .. } => {
            Ecs::open(environment, now).await?.stop(cluster, runner).await?
        }
    };
    Ok(if changed { Outcome::Done } else { Outcome::Already })
}

/// Serves until it is told to stop by `SIGTERM` or `SIGINT`, and then for as long as what runs needs.
///
/// # Errors
///
/// When something that it needs is not to be had.
pub async fn serve(settings: Settings, logging: Logging) -> Result<(), AppError> {
    logging.start()?;
    let _claim = claim(&settings.data)?;
    let address = settings.listen;
    let listener = TcpListener::bind(address).map_err(|reason| AppError::Listen { address, reason })?;
    let address = listener.local_addr().map_err(|reason| AppError::Listen { address, reason })?;
    let mut settings = settings;
    if settings.url.port() == Some(0) {
        // A port that the system gave is known only now.
        let _ = settings.url.set_port(Some(address.port()));
    }
    let context = context(settings).await?;
    let shutdown = CancellationToken::new();
    let signals = tokio::spawn(stop(shutdown.clone()));
    tokio::spawn(heed_tokens(context.clone(), shutdown.clone()));
    let roles = context.settings.roles.clone();
    tracing::info!(%address, url = %context.settings.url, "gosling serves");

    let work =
        roles.contains(&Role::Worker).then(|| tokio::spawn(worker::run(context.clone(), shutdown.clone())));
    let timers = roles
        .contains(&Role::UglyFox)
        .then(|| tokio::spawn(worker::timers(context.clone(), shutdown.clone())));
    let served = if roles.contains(&Role::Api) {
        api::serve(context, listener, shutdown.clone()).await
    } else {
        drop(listener);
        shutdown.cancelled().await;
        Ok(())
    };
    // When the API came to its end by itself, the others have to as well.
    shutdown.cancel();
    for task in [work, timers].into_iter().flatten() {
        if let Err(error) = task.await {
            tracing::error!(%error, "a role came to grief");
        }
    }
    signals.abort();
    tracing::info!("gosling has stopped");
    served.map_err(|error| AppError::Api(error.to_string()))
}

/// How often it is looked whether tokens have come or gone.
const TOKENS: Duration = Duration::from_secs(2);

/// A token that `gosling token` makes is known soon, and one that was taken out of the file is good for nothing soon. A file
/// that can't be read changes nothing.
async fn heed_tokens(context: Context, shutdown: CancellationToken) {
    let mut complained = false;
    loop {
        let data = context.settings.data.clone();
        match tokio::task::spawn_blocking(move || tokens::known(&data)).await {
            Ok(Ok(known)) => {
                complained = false;
                if context.tokens()[..] != known[..] {
                    tracing::info!(count = known.len(), "the API's tokens have changed");
                    context.set_tokens(known);
                }
            }
            Ok(Err(error)) if !std::mem::replace(&mut complained, true) => {
                tracing::error!(%error, "the API keeps the tokens that it knows");
            }
            _ => {}
        }
        if shutdown.run_until_cancelled(tokio::time::sleep(TOKENS)).await.is_none() {
            return;
        }
    }
}

/// Waits for the first signal to stop; a second one ends the process at once.
async fn stop(shutdown: CancellationToken) {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("gosling finishes what it has begun; once more ends it at once");
    shutdown.cancel();
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    // What is begun is taken up at the next start, as after a crash.
    std::process::exit(130);
}
