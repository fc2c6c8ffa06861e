//! Brings ports and adapters together: the one place that names adapters.

#![allow(
    clippy::disallowed_methods,
    reason = "the program's own folder, environment and socket are set up here"
)]

use std::{
    fs::{File, TryLockError},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
};

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
        queue::QueueError,
        secrets::{Secret, Secrets},
        store::StoreError,
    },
    records,
    roles::{
        Context, api,
        power::{Outcome, Thing},
        worker,
    },
    settings::{Role, Settings},
};

pub use crate::adapters::power::{Environment, PowerError};

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

/// The embedded default: everything in one folder of this machine.
async fn context(settings: Settings) -> Result<Context, AppError> {
    let machine = |error: &dyn std::fmt::Display| AppError::Machine(error.to_string());
    let data = settings.data.clone();
    let clock: Arc<dyn Clock> = Arc::new(System::default());
    let store = Arc::new(Database::open(&data.join("gosling.sqlite"), flyc::compiler::tables())?);
    let queue = Arc::new(QueueFile::open(&data.join("queue.sqlite"), Arc::clone(&clock))?);
    // The folder is this process's alone, so whoever had something in work is gone.
    queue.reclaim().await?;
    records::release_all(&*store, clock.now()).await?;
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
    Ok(Context { ports, settings: Arc::new(settings), seal, metrics, instance: instance.into() })
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
