//! What is done by the clock. Each period's work has one key, so replicas put it in once.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::put;
use crate::{
    nest,
    records::{self, NestRecord},
    roles::{Context, Work},
};

/// What is done how often.
async fn table(context: &Context) -> [(&'static str, Work, Duration); 3] {
    let mut every = context.settings.intervals;
    // The Nest says how long nobody may look at the runners; when it can't be asked, it is looked as ever.
    let found = records::get::<NestRecord>(&*context.ports.store, NestRecord::id()).await;
    let uglyfox = found.ok().flatten().and_then(|nest| nest.record.uglyfox);
    if let Some(most) = uglyfox.as_ref().and_then(nest::check_interval) {
        every.decide = every.decide.min(most);
    }
    [
        ("sync", Work::Sync { reason: "timer".to_owned() }, every.sync),
        ("sweep", Work::Sweep, every.sweep),
        ("decide", Work::Decide, every.decide),
    ]
}

/// Puts in what is done by the clock, until it is told to stop. At the start everything is looked at.
pub async fn timers(context: Context, shutdown: CancellationToken) {
    start(&context).await;
    let mut last = table(&context).await.map(|(_, _, period)| number(&context, period));
    loop {
        let now = context.ports.clock.now().as_millis();
        let next = table(&context).await.into_iter().map(|(_, _, period)| {
            let period = put::millis(period).max(1);
            period - now % period
        });
        let wait = Duration::from_millis(next.min().unwrap_or(1000));
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
        tick(&context, &mut last).await;
    }
}

/// Which period of this length it is.
fn number(context: &Context, period: Duration) -> u64 {
    context.ports.clock.now().as_millis() / put::millis(period).max(1)
}

/// Everything is looked at: nobody knows what happened meanwhile.
async fn start(context: &Context) {
    let works = [Work::Sync { reason: "start".to_owned() }, Work::Sweep, Work::Decide];
    let messages =
        works.iter().map(|work| work.message(Some(format!("{}/start/{}", work.kind(), context.instance))));
    if let Err(error) = context.ports.queue.put(messages.collect()).await {
        tracing::warn!(%error, "what is done at the start was not put into the queue; the timers come later");
    }
}

/// Puts in the work of each period that has begun.
async fn tick(context: &Context, last: &mut [u64; 3]) {
    for (at, (name, work, period)) in table(context).await.into_iter().enumerate() {
        let number = number(context, period);
        if last[at] == number {
            continue;
        }
        match put::of_period(context, name, &work, period).await {
            Ok(()) => last[at] = number,
            Err(error) => tracing::warn!(%error, name, "a timer's work was not put into the queue"),
        }
    }
}
