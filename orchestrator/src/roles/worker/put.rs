//! Puts work into the queue, so that what many ask for is done once, and none of them is passed over.

use std::time::Duration;

use crate::{
    domain::Time,
    ports::queue::{Message, QueueError},
    roles::{Context, Work},
};

/// How long requests for the same are gathered before it is done.
const GATHER: Duration = Duration::from_millis(250);

/// Puts in what is asked for again and again, so that it is done soon once.
///
/// Time is cut into pieces. Those who ask in the same piece share one message, which is given out only when the piece is over:
/// what each of them wrote before asking is there when the work begins, so a second message would do nothing more.
pub(super) async fn soon(context: &Context, name: &str, work: &Work) -> Result<(), QueueError> {
    let now = context.ports.clock.now();
    let piece = now.as_millis() / millis(GATHER);
    let not_before = Time::from_millis((piece + 1) * millis(GATHER));
    let message =
        Message { not_before: Some(not_before), ..work.message(Some(format!("{name}/soon/{piece}"))) };
    context.ports.queue.put(vec![message]).await.map(drop)
}

/// Puts in what has to wait for something else first; who asks in the same while shares one message.
pub(super) async fn later(
    context: &Context,
    name: &str,
    work: &Work,
    wait: Duration,
) -> Result<(), QueueError> {
    let now = context.ports.clock.now();
    let piece = now.as_millis() / millis(wait).max(1);
    let message =
        Message { not_before: Some(now.plus(wait)), ..work.message(Some(format!("{name}/later/{piece}"))) };
    context.ports.queue.put(vec![message]).await.map(drop)
}

/// It is decided anew, soon.
pub(super) async fn decide(context: &Context) -> Result<(), QueueError> {
    soon(context, "decide", &Work::Decide).await
}

/// The work of a period, which all replicas share; whichever asks first puts it in.
pub(super) async fn of_period(
    context: &Context,
    name: &str,
    work: &Work,
    period: Duration,
) -> Result<(), QueueError> {
    let number = context.ports.clock.now().as_millis() / millis(period).max(1);
    let message = work.message(Some(format!("{name}/every/{}/{number}", millis(period))));
    context.ports.queue.put(vec![message]).await.map(drop)
}

/// An egg is deployed. The same key is the same attempt.
pub(super) async fn deploy(
    context: &Context,
    egg: &str,
    key: &str,
    not_before: Option<Time>,
) -> Result<(), QueueError> {
    let work = Work::Deploy { egg: egg.to_owned() };
    let message = Message { not_before, ..work.message(Some(format!("deploy/{egg}/{key}"))) };
    context.ports.queue.put(vec![message]).await.map(drop)
}

pub(super) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
