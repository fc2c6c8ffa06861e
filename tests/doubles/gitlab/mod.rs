//! The fake GitLab: the part of its API that the service, runners and the demo use, over real HTTP, with everything in
//! memory. It hands jobs out by GitLab's own rule, sends webhooks, and fails on demand. That it answers as GitLab does is
//! checked with a client of others, `PyPI`'s `python-gitlab`: `tests/gitlab/python.rs`.

mod answers;
mod api;
mod control;
mod cron;
mod faults;
mod hooks;
mod jobs;
mod runner_api;
mod state;

use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use axum::{Router, middleware};
use tokio::sync::{mpsc, oneshot, watch};

pub use cron::fires;
pub use faults::{Fault, HookFaults, What};
pub use jobs::{NewJob, Status};
pub use state::{
    Call, Delivery, DeployKey, Group, Hook, Job, Manager, Place, Project, Runner, Schedule, User, World,
    takes,
};

/// The version it says it has.
pub const VERSION: &str = "17.8.1";

/// How long [`FakeGitLab::wait`] waits before it gives up.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running fake GitLab. It ends when this goes.
#[derive(Debug)]
pub struct FakeGitLab {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

/// What the server, the control and the sender of hooks share.
#[derive(Debug)]
pub(crate) struct Shared {
    world: Mutex<World>,
    changed: Condvar,
    version: watch::Sender<u64>,
    hooks: mpsc::UnboundedSender<hooks::Outgoing>,
}

impl Shared {
    fn look(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something; whoever waits looks again, and the hooks of what happened go out.
    fn change<R>(&self, change: impl FnOnce(&mut World) -> R) -> R {
        let mut world = self.look();
        let result = change(&mut world);
        for outgoing in world.take_outgoing() {
            // Without a receiver the server is ending.
            let _ = self.hooks.send(outgoing);
        }
        drop(world);
        self.changed.notify_all();
        self.version.send_modify(|version| *version += 1);
        result
    }
}

impl FakeGitLab {
    /// Starts one on a free port of this machine.
    ///
    /// # Panics
    ///
    /// When this machine gives none.
    pub fn start() -> Self {
        Self::start_at("127.0.0.1:0")
    }

    /// Starts one on this address.
    ///
    /// # Panics
    ///
    /// When it can't be had.
    #[allow(clippy::expect_used, reason = "without the server there is nothing to test")]
    pub fn start_at(address: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind(address).expect("the address is free");
        listener.set_nonblocking(true).expect("a listener can be made non-blocking");
        let address = listener.local_addr().expect("a listener has an address");
        let (hooks, outgoing) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            world: Mutex::new(World::new(format!("http://{address}"))),
            changed: Condvar::new(),
            version: watch::Sender::new(0),
            hooks,
        });
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let serve = move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .expect("a runtime can be had");
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("the listener listens");
                tokio::spawn(hooks::send(Arc::clone(&served), outgoing));
                let app = router(&served);
                tokio::select! {
                    _ = axum::serve(listener, app) => {}
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        };
        let thread = thread::Builder::new().name("fake-gitlab".to_owned()).spawn(serve).expect("a thread");
        Self { shared, address, stop: Some(stop), thread: Some(thread) }
    }

    /// Where it is: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its host and port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Everything there is now.
    pub fn look<R>(&self, look: impl FnOnce(&World) -> R) -> R {
        look(&self.shared.look())
    }

    /// Changes whatever it likes.
    pub fn change<R>(&self, change: impl FnOnce(&mut World) -> R) -> R {
        self.shared.change(change)
    }

    /// Waits until something is there, and gives it.
    ///
    /// # Panics
    ///
    /// When it doesn't come within a minute: with everything there is.
    #[allow(clippy::panic, reason = "a test fails so")]
    pub fn wait<R>(&self, what: &str, mut look: impl FnMut(&World) -> Option<R>) -> R {
        let end = Instant::now() + PATIENCE;
        let mut world = self.shared.look();
        loop {
            if let Some(found) = look(&world) {
                return found;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{what}: didn't come in {PATIENCE:?}; there is {world:#?}");
            world = self.shared.changed.wait_timeout(world, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// [`wait`](Self::wait) for tests that are async.
    ///
    /// # Panics
    ///
    /// When it doesn't come within a minute.
    #[allow(clippy::panic, reason = "a test fails so")]
    pub async fn until<R>(&self, what: &str, mut look: impl FnMut(&World) -> Option<R>) -> R {
        let mut version = self.shared.version.subscribe();
        let wait = async {
            loop {
                version.borrow_and_update();
                if let Some(found) = look(&self.shared.look()) {
                    return found;
                }
                // The sender lives as long as this.
                let _ = version.changed().await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, wait).await.ok();
        found.unwrap_or_else(|| {
            panic!("{what}: didn't come in {PATIENCE:?}; there is {:#?}", self.shared.look())
        })
    }
}

impl Drop for FakeGitLab {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn router(shared: &Arc<Shared>) -> Router {
    let v4 = api::routes().merge(runner_api::routes());
    Router::new()
        .nest("/api/v4", v4)
        .nest("/fake", control::routes())
        .fallback(async || answers::Refusal::not_found("404 Not Found"))
        .layer(middleware::from_fn_with_state(Arc::clone(shared), faults::around))
        .with_state(Arc::clone(shared))
}
