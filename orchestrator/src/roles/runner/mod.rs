//! Runner mode: on the machine that runs jobs. It trades its ticket for a credential, tells the agent (`gitlab-runner`) what
//! to serve, starts, watches and restarts it, and tells `MotherGoose` how it is, until it is stopped.
//!
//! All of it runs on one thread: the agent ends when the thread that started it does.

pub mod agent;
mod client;
mod condition;
mod error;
mod gauges;
mod heart;
mod home;
mod life;
mod lines;
mod request;
mod settings;
mod told;

use std::{ffi::OsString, path::PathBuf, time::Duration};

pub use error::RunnerError;
pub use request::serve as serve_requests;
use tokio::signal::unix::{Signal, SignalKind, signal};
pub use told::Told;

/// How a runner works, whatever it serves.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder it keeps its files in.
    pub folder: PathBuf,
    /// The agent's program; none looks for one on the `PATH`.
    pub agent: Option<PathBuf>,
    /// `PATH`.
    pub path: Option<OsString>,
    /// Variables that are nobody's business but its own.
    pub hidden: Vec<String>,
    /// When the process was started, in milliseconds since the epoch.
    pub started: u64,
    /// How often it tells how it is, when nothing happens.
    pub heartbeat: Duration,
}

/// How a runner's work came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It was stopped, or has done what it was there for.
    Done,
    /// It was interrupted, and its job aborted.
    Interrupted,
}

/// What the process is told from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// SIGTERM, SIGQUIT: the job is finished, then it ends.
    Finish,
    /// SIGINT: it ends now.
    End,
    /// SIGHUP: what it was told is read anew.
    Reload,
}

/// The signals of the process.
#[derive(Debug)]
pub struct Orders {
    term: Signal,
    int: Signal,
    hup: Signal,
    quit: Signal,
}

impl Orders {
    /// From now on the signals end nothing by themselves.
    pub fn listen() -> Result<Self, RunnerError> {
        let listen = |kind| {
            signal(kind)
                .map_err(|source| RunnerError::System { what: "signals can't be listened to", source })
        };
        Ok(Self {
            term: listen(SignalKind::terminate())?,
            int: listen(SignalKind::interrupt())?,
            hup: listen(SignalKind::hangup())?,
            // A shell starts what runs in its background with SIGINT and SIGQUIT ignored, and so would be our agent, which
            // must heed both. What a process listens to begins anew in what it starts.
            quit: listen(SignalKind::quit())?,
        })
    }

    async fn next(&mut self) -> Order {
        tokio::select! {
            _ = self.int.recv() => Order::End,
            _ = self.term.recv() => Order::Finish,
            _ = self.quit.recv() => Order::Finish,
            _ = self.hup.recv() => Order::Reload,
        }
    }
}

/// Serves jobs until it is stopped, or has done what it was there for. `again` reads anew what it was told.
pub async fn run(
    told: Told,
    again: impl Fn() -> Result<Told, RunnerError>,
    options: &Options,
    orders: &mut Orders,
) -> Result<Ending, RunnerError> {
    life::Life::begin(told, options).await?.live(again, orders).await
}
