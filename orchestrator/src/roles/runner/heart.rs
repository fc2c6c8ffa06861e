//! The heartbeats: at once on every change and otherwise by the clock. While `MotherGoose` is away only the newest state is
//! kept, for it holds everything the ones before did.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{
    client::{AskError, Client, Waits},
    condition::Condition,
    gauges::{Gauges, Usage},
};
use crate::wire::runner::{Heartbeat, HeartbeatAnswer};

/// The longest wait while `MotherGoose` is away.
const MOST: Duration = Duration::from_secs(30);

/// What came back.
#[derive(Debug)]
pub(super) enum Reply {
    Answer(HeartbeatAnswer),
    /// It knows this runner no more; how many times in a row it has said so.
    Refused(String, u32),
}

/// The side of the heart that the runner holds.
pub(super) struct Heart {
    pub(super) replies: mpsc::Receiver<Reply>,
    condition: watch::Sender<Condition>,
    task: JoinHandle<()>,
    teller: Arc<Teller>,
}

struct Teller {
    client: Arc<Client>,
    /// When this process was started.
    started: u64,
    sequence: AtomicU64,
}

impl Heart {
    /// It beats from now on.
    pub(super) fn start(
        client: Arc<Client>,
        started: u64,
        interval: Duration,
        folder: &Path,
        condition: Condition,
    ) -> Self {
        let teller = Arc::new(Teller { client, started, sequence: AtomicU64::new(0) });
        let (condition, seen) = watch::channel(condition);
        let (reply, replies) = mpsc::channel(4);
        let task = tokio::spawn(beat(Arc::clone(&teller), seen, reply, interval, Gauges::new(folder)));
        Self { replies, condition, task, teller }
    }

    /// The runner may have changed.
    pub(super) fn tell(&self, now: &Condition) {
        self.condition.send_if_modified(|told| {
            let changed = told != now;
            if changed {
                told.clone_from(now);
            }
            changed
        });
    }

    /// The last one: it is tried once, for a moment.
    pub(super) async fn end(self, condition: &Condition) {
        self.task.abort();
        let last = self.teller.tell(condition, Usage::default());
        if !matches!(timeout(Duration::from_secs(5), last).await, Ok(Ok(_))) {
            tracing::warn!("the last heartbeat did not reach MotherGoose");
        }
    }
}

impl Teller {
    async fn tell(&self, condition: &Condition, usage: Usage) -> Result<HeartbeatAnswer, AskError> {
        let heartbeat = Heartbeat {
            sequence: self.sequence.fetch_add(1, Ordering::Relaxed) + 1,
            started: self.started,
            state: condition.mood(),
            jobs: condition.jobs.iter().copied().collect(),
            jobs_done: condition.jobs_done,
            failures: condition.failures,
            cpu_usage: usage.cpu,
            memory_usage: usage.memory,
            disk_usage: usage.disk,
            agent_version: condition.agent_version.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            revision: condition.revision,
        };
        self.client.heartbeat(&heartbeat).await
    }
}

async fn beat(
    teller: Arc<Teller>,
    mut condition: watch::Receiver<Condition>,
    replies: mpsc::Sender<Reply>,
    interval: Duration,
    gauges: Gauges,
) {
    let mut gauges = Some(gauges);
    let mut waits = Waits::new(Duration::from_secs(1), MOST.min(interval));
    let mut away = false;
    let mut refused = 0;
    loop {
        // The machine's disks may be slow to answer.
        let usage = match gauges.take() {
            Some(mut taken) => {
                let look = tokio::task::spawn_blocking(move || {
                    let usage = taken.read();
                    (taken, usage)
                });
                let Ok((taken, usage)) = look.await else { return };
                gauges = Some(taken);
                usage
            }
            None => Usage::default(),
        };
        let now = condition.borrow_and_update().clone();
        let reply = match teller.tell(&now, usage).await {
            Ok(answer) => {
                if std::mem::take(&mut away) {
                    tracing::info!("MotherGoose is there again");
                }
                waits.reset();
                refused = 0;
                Reply::Answer(answer)
            }
            Err(AskError::Away(reason)) => {
                if !std::mem::replace(&mut away, true) {
                    tracing::warn!(reason, "MotherGoose is away; the newest heartbeat is kept for it");
                }
                sleep(waits.next()).await;
                continue;
            }
            Err(AskError::Refused(reason)) => {
                refused += 1;
                Reply::Refused(reason, refused)
            }
        };
        if replies.send(reply).await.is_err() {
            return;
        }
        tokio::select! {
            changed = condition.changed() => if changed.is_err() { return },
            () = sleep(interval) => {}
        }
    }
}
