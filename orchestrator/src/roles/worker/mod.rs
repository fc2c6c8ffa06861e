//! Works on what is in the queue. One file a kind of work; this one takes messages and gives them to it.
//!
//! Each kind may be done twice, by two at once, or be cut off at any place: it does nothing twice, and what is left undone is
//! done by whoever comes next. What was written is what is true; a message says only that it is time to look.

mod access;
mod ask;
mod audit;
mod decide;
mod deploy;
mod failure;
mod hook;
mod link;
mod look;
mod put;
mod recover;
mod register;
mod rollback;
mod rotate;
mod sweep;
mod tenure;
mod timers;
mod trigger;
mod world;

use std::{sync::Arc, time::Duration};

use tokio::{sync::Semaphore, task::JoinSet};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use deploy::{Previewed, preview};
pub use failure::Failure;
pub use link::{LinkError, Subject, link, unlink};
pub use timers::timers;

use super::{
    Context, Work,
    sync::{self, Synced},
};
use crate::{
    domain::{Attempt, Backoff},
    ports::queue::{Leased, QueueError},
    records::SyncStatus,
};

/// How long a message is ours without being renewed.
const LEASE: Duration = Duration::from_secs(30);

/// How often it is renewed.
const RENEWAL: Duration = Duration::from_secs(10);

/// How long one waits for a message before looking whether it is time to stop.
const WAIT: Duration = Duration::from_secs(1);

/// How long one waits when the queue is away.
const PAUSE: Duration = Duration::from_secs(1);

/// Takes messages and works on them, as many side by side as the settings say, until it is told to stop; what it has then,
/// it finishes.
pub async fn run(context: Context, shutdown: CancellationToken) {
    start(&context).await;
    let slow = Slow { places: context.places(), tasks: TaskTracker::new() };
    let mut workers = JoinSet::new();
    for _ in 0..context.settings.workers.max(1) {
        workers.spawn(one_by_one(context.clone(), slow.clone(), shutdown.clone()));
    }
    while let Some(ended) = workers.join_next().await {
        if let Err(error) = ended
            && error.is_panic()
        {
            // Its message comes again; another takes its place.
            tracing::error!(%error, "a worker came to grief");
            if !shutdown.is_cancelled() {
                workers.spawn(one_by_one(context.clone(), slow.clone(), shutdown.clone()));
            }
        }
    }
    slow.tasks.close();
    slow.tasks.wait().await;
}

/// Work that takes minutes has places of its own, as many as there are workers: webhooks and decisions never wait for
/// `OpenTofu`, and no more of it runs at once than the settings allow.
#[derive(Clone)]
struct Slow {
    places: Arc<Semaphore>,
    tasks: TaskTracker,
}

impl Slow {
    /// Works on a message once there is a place; until then it stays ours.
    fn spawn(&self, context: Context, message: Leased, shutdown: CancellationToken) {
        let places = Arc::clone(&self.places);
        self.tasks.spawn(async move {
            let place = tokio::select! {
                place = places.acquire() => place.ok(),
                // It has gone to somebody else.
                () = keep(&context, &message) => return,
                () = shutdown.cancelled() => None,
            };
            if place.is_some() && !shutdown.is_cancelled() {
                work_on(&context, message).await;
            } else {
                give_back(&context, &message).await;
            }
        });
    }
}

/// What is not begun any more is for whoever comes next.
async fn give_back(context: &Context, message: &Leased) {
    let now = context.ports.clock.now();
    told(message, context.ports.queue.again(&message.receipt, now).await);
}

/// Takes up what a process that went away left behind.
pub async fn start(context: &Context) {
    if let Err(error) = recover::recover(context).await {
        tracing::warn!(%error, "what was left behind was not all taken up; the timers come by");
    }
}

async fn one_by_one(context: Context, slow: Slow, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        match context.ports.queue.take(1, LEASE, WAIT).await {
            Ok(messages) => {
                for message in messages {
                    if shutdown.is_cancelled() {
                        give_back(&context, &message).await;
                    } else if Work::SLOW.contains(&message.kind.as_str()) {
                        slow.spawn(context.clone(), message, shutdown.clone());
                    } else {
                        work_on(&context, message).await;
                    }
                }
            }
            Err(error) => {
                tracing::warn!(%error, "no message was taken");
                tokio::select! {
                    () = shutdown.cancelled() => {}
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
        }
    }
}

/// Takes one message that is due and works on it; `false` when there is none.
///
/// # Errors
///
/// When the queue is away.
pub async fn step(context: &Context) -> Result<bool, QueueError> {
    let messages = context.ports.queue.take(1, LEASE, Duration::ZERO).await?;
    let is_one = !messages.is_empty();
    for message in messages {
        work_on(context, message).await;
    }
    Ok(is_one)
}

/// Works on a message while its lease is renewed, and tells the queue what came of it.
async fn work_on(context: &Context, message: Leased) {
    let queue = &context.ports.queue;
    let done = match serde_json::from_str::<Work>(&message.body) {
        Ok(work) => {
            let recurs = work.recurs();
            let done = tokio::select! {
                done = perform(context, work) => done,
                () = keep(context, &message) => {
                    tracing::warn!(id = message.id, kind = message.kind, "a message has gone to somebody else");
                    return;
                }
            };
            done.map_err(|failure| (failure, recurs))
        }
        Err(error) => Err((Failure::Never(format!("the message can't be read: {error}")), false)),
    };
    let now = context.ports.clock.now();
    let (outcome, answer) = match done {
        Ok(()) => ("done", queue.done(&message.receipt).await),
        Err((failure, recurs)) => {
            let next = match &failure {
                Failure::Later { wait, .. } => {
                    match Backoff::MESSAGE.after(message.attempt, &message.id, now) {
                        Attempt::At(then) => Some(then.max(now.plus(wait.unwrap_or_default()))),
                        Attempt::GiveUp => None,
                    }
                }
                Failure::Never(_) => None,
            };
            let (id, kind, attempt) = (&message.id, &message.kind, message.attempt);
            match next {
                Some(then) => {
                    tracing::warn!(id, kind, attempt, error = %failure, "work failed, and is tried again");
                    ("again", queue.again(&message.receipt, then).await)
                }
                // The next of its kind does the same.
                None if recurs => {
                    tracing::warn!(id, kind, attempt, error = %failure, "work failed, and is left to the next");
                    ("dead", queue.done(&message.receipt).await)
                }
                None => {
                    tracing::error!(id, kind, attempt, error = %failure, "work failed, and is given up");
                    ("dead", queue.give_up(&message.receipt, &failure.to_string()).await)
                }
            }
        }
    };
    context.metrics.messages.with_label_values(&[message.kind.as_str(), outcome]).inc();
    told(&message, answer);
}

/// Keeps a message for as long as it is worked on; ends when it has gone to somebody else.
async fn keep(context: &Context, message: &Leased) {
    loop {
        tokio::time::sleep(RENEWAL).await;
        match context.ports.queue.keep(&message.receipt, LEASE).await {
            Ok(()) => {}
            Err(QueueError::LeaseOver | QueueError::Unknown(_)) => return,
            Err(error) => tracing::warn!(id = message.id, %error, "the lease of a message was not renewed"),
        }
    }
}

/// What the queue wasn't told, it finds out when the lease is over: the message comes again.
fn told(message: &Leased, answer: Result<(), QueueError>) {
    if let Err(error) = answer {
        let (id, kind) = (&message.id, &message.kind);
        tracing::warn!(id, kind, %error, "the queue was not told what came of a message; it comes again");
    }
}

/// Does what is to be done.
///
/// # Errors
///
/// When it was not done.
pub async fn perform(context: &Context, work: Work) -> Result<(), Failure> {
    // Each in a box of its own: the stack of a thread is small, and together they are large.
    match work {
        Work::Hook { eggs, at, body, .. } => Box::pin(hook::hook(context, &eggs, at, &body)).await,
        Work::Sync { reason } => Box::pin(look_at_nest(context, &reason)).await,
        Work::Sweep => Box::pin(sweep::sweep(context)).await,
        Work::Decide => Box::pin(decide::decide(context)).await,
        Work::Deploy { egg } => Box::pin(deploy::deploy(context, &egg)).await,
        Work::Rollback { egg, to, actor } => {
            Box::pin(rollback::rollback(context, &egg, to.as_deref(), &actor)).await
        }
        Work::Rotate { egg } => Box::pin(rotate::rotate(context, &egg)).await,
        Work::Trigger { job, actor } => Box::pin(trigger::trigger(context, &job, &actor)).await,
    }
}

/// How long a look at the Nest waits for another one.
const PATIENCE: Duration = Duration::from_secs(2);

/// Looks at the Nest's repository. What is new there may also serve jobs that nobody served.
async fn look_at_nest(context: &Context, reason: &str) -> Result<(), Failure> {
    let Some(tenure) = tenure::Tenure::take(context, "sync/turn").await? else {
        // Whoever looks now may have looked before what this one was to see.
        let work = Work::Sync { reason: reason.to_owned() };
        return Ok(put::later(context, "sync", &work, PATIENCE).await?);
    };
    let looked = Box::pin(sync::sync(context, reason));
    let done =
        tenure.during(async { looked.await.map_err(|error| Failure::of(error.is_transient(), &error)) });
    let done = done.await;
    tenure.release().await;
    match done? {
        Synced::Unchanged => {}
        Synced::Elsewhere => {
            let work = Work::Sync { reason: reason.to_owned() };
            put::later(context, "sync", &work, PATIENCE).await?;
        }
        Synced::Done(record) => {
            tracing::info!(commit = record.commit, status = ?record.status, reason, "the Nest was looked at");
            if record.status == SyncStatus::Applied {
                put::soon(context, "sweep", &Work::Sweep).await?;
            }
        }
    }
    Ok(())
}
