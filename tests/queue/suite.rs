//! What every queue must do. Written against the port alone: a further backend gives [`suite`] a way to open it.

use std::{sync::Arc, time::Duration};

use orchestrator::{
    domain::Time,
    ports::{
        clock::Clock,
        queue::{Leased, Message, Priority, Queue, QueueError},
    },
};
use tokio::time::{Instant, timeout};

use crate::clock::Hand;

pub(crate) const NOW: Duration = Duration::ZERO;
const MINUTE: Duration = Duration::from_mins(1);
const SECOND: Duration = Duration::from_secs(1);
/// Long enough that a test fails rather than waits for it.
const LONG: Duration = Duration::from_mins(2);

pub(crate) fn message(body: &str) -> Message {
    Message {
        kind: "kind".to_owned(),
        body: body.to_owned(),
        priority: Priority::Normal,
        not_before: None,
        key: None,
    }
}

fn keyed(body: &str, key: &str) -> Message {
    Message { key: Some(key.to_owned()), ..message(body) }
}

fn bodies(taken: &[Leased]) -> Vec<&str> {
    taken.iter().map(|leased| leased.body.as_str()).collect()
}

async fn one(queue: &impl Queue) -> Leased {
    let mut taken = queue.take(1, MINUTE, NOW).await.unwrap();
    assert_eq!(taken.len(), 1, "a message waits");
    taken.remove(0)
}

async fn none(queue: &impl Queue) {
    assert_eq!(bodies(&queue.take(10, MINUTE, NOW).await.unwrap()), [""; 0]);
}

#[track_caller]
fn is_over(outcome: &Result<(), QueueError>) {
    assert!(matches!(outcome, Err(QueueError::LeaseOver)), "{outcome:?}");
}

/// Every case, on a queue of its own each. The queue has the time from the clock it is opened with.
pub(crate) async fn suite<Q: Queue + 'static>(open: impl AsyncFn(Arc<dyn Clock>) -> Q) {
    let cases = async |clock: &Arc<Hand>| open(Arc::clone(clock) as Arc<dyn Clock>).await;
    let clock = Arc::new(Hand::new());
    what_is_put_in_comes_out(&cases(&clock).await).await;
    the_order_is_priority_then_time(&cases(&clock).await, &clock).await;
    a_message_is_one_s_until_its_lease_is_over(&cases(&clock).await, &clock).await;
    work_that_failed_comes_again_when_it_shall(&cases(&clock).await, &clock).await;
    a_key_is_known_for_a_while(&cases(&clock).await, &clock).await;
    what_is_given_up_is_kept_and_can_be_replayed(&cases(&clock).await, &clock).await;
    nonsense_does_nothing(&cases(&clock).await).await;
    everybody_gets_something_else(Arc::new(cases(&clock).await)).await;
    who_waits_is_woken_by_what_is_put_in(Arc::new(cases(&clock).await), &clock).await;
}

async fn what_is_put_in_comes_out(queue: &impl Queue) {
    assert!(queue.put(Vec::new()).await.unwrap().is_empty());
    none(queue).await;
    let body = "quotes ' \" and ключ 🔑\u{0}";
    assert_eq!(queue.put(vec![message(body), message("")]).await.unwrap(), [true, true]);
    assert_eq!(queue.counts().await.unwrap(), [2, 0, 0]);
    let first = one(queue).await;
    assert_eq!((first.kind.as_str(), first.body.as_str(), first.attempt), ("kind", body, 1));
    assert_eq!(queue.counts().await.unwrap(), [1, 1, 0]);
    let second = one(queue).await;
    assert_eq!(second.body, "");
    assert_ne!(first.id, second.id);
    none(queue).await;
    queue.done(&first.receipt).await.unwrap();
    queue.done(&second.receipt).await.unwrap();
    assert_eq!(queue.counts().await.unwrap(), [0, 0, 0]);
}

async fn the_order_is_priority_then_time(queue: &impl Queue, clock: &Hand) {
    let high = |body| Message { priority: Priority::High, ..message(body) };
    let later = |message: Message, span| Message { not_before: Some(clock.now().plus(span)), ..message };
    let before = Message { not_before: Some(Time::from_millis(5)), ..message("long ago") };
    queue.put(vec![message("a"), later(message("late"), SECOND), message("b"), before]).await.unwrap();
    clock.pass(Duration::from_millis(1));
    queue.put(vec![high("c"), later(high("later"), SECOND), high("d"), message("e")]).await.unwrap();
    assert_eq!(queue.counts().await.unwrap(), [8, 0, 0]);
    let taken = queue.take(3, MINUTE, NOW).await.unwrap();
    assert_eq!(bodies(&taken), ["c", "d", "a"]);
    let taken = queue.take(10, MINUTE, NOW).await.unwrap();
    assert_eq!(bodies(&taken), ["b", "long ago", "e"], "a moment that is over is no reason to come first");
    clock.pass(Duration::from_millis(998));
    none(queue).await;
    clock.pass(Duration::from_millis(1));
    assert_eq!(bodies(&queue.take(10, MINUTE, NOW).await.unwrap()), ["late"]);
    clock.pass(Duration::from_millis(1));
    assert_eq!(bodies(&queue.take(10, MINUTE, NOW).await.unwrap()), ["later"]);
}

async fn a_message_is_one_s_until_its_lease_is_over(queue: &impl Queue, clock: &Hand) {
    queue.put(vec![message("a")]).await.unwrap();
    let first = one(queue).await;
    clock.pass(MINUTE.saturating_sub(SECOND));
    none(queue).await;
    queue.keep(&first.receipt, MINUTE).await.unwrap();
    clock.pass(MINUTE.saturating_sub(SECOND));
    none(queue).await;
    assert_eq!(queue.counts().await.unwrap(), [0, 1, 0]);
    clock.pass(SECOND);
    // It is over, whether or not somebody else has it by now.
    assert_eq!(queue.counts().await.unwrap(), [1, 0, 0]);
    let refused = async || {
        is_over(&queue.done(&first.receipt).await);
        is_over(&queue.keep(&first.receipt, MINUTE).await);
        is_over(&queue.again(&first.receipt, clock.now()).await);
        is_over(&queue.give_up(&first.receipt, "").await);
    };
    refused().await;
    let second = one(queue).await;
    assert_eq!((second.id.as_str(), second.attempt), (first.id.as_str(), 2));
    assert_ne!(first.receipt, second.receipt);
    refused().await;
    queue.done(&second.receipt).await.unwrap();
    is_over(&queue.done(&second.receipt).await);
    refused().await;
    assert_eq!(queue.counts().await.unwrap(), [0, 0, 0]);
}

async fn work_that_failed_comes_again_when_it_shall(queue: &impl Queue, clock: &Hand) {
    queue.put(vec![message("a"), message("b")]).await.unwrap();
    let first = one(queue).await;
    queue.again(&first.receipt, clock.now().plus(MINUTE)).await.unwrap();
    is_over(&queue.done(&first.receipt).await);
    assert_eq!(one(queue).await.body, "b");
    none(queue).await;
    clock.pass(MINUTE.saturating_sub(SECOND));
    none(queue).await;
    clock.pass(SECOND);
    let taken = queue.take(10, MINUTE, NOW).await.unwrap();
    assert_eq!(bodies(&taken), ["a", "b"], "and `b`, whose lease is over");
    assert_eq!(taken[0].attempt, 2);
    queue.again(&taken[0].receipt, Time::from_millis(0)).await.unwrap();
    assert_eq!(one(queue).await.attempt, 3);
}

async fn a_key_is_known_for_a_while(queue: &impl Queue, clock: &Hand) {
    let put = vec![keyed("a", "k"), keyed("b", "k"), keyed("c", "l"), message("d"), message("d")];
    assert_eq!(queue.put(put).await.unwrap(), [true, false, true, true, true]);
    let taken = queue.take(10, MINUTE, NOW).await.unwrap();
    assert_eq!(bodies(&taken), ["a", "c", "d", "d"]);
    for leased in taken {
        queue.done(&leased.receipt).await.unwrap();
    }
    // It is done, and known all the same.
    clock.pass((5 * MINUTE).saturating_sub(SECOND));
    assert_eq!(queue.put(vec![keyed("e", "k"), keyed("f", "m")]).await.unwrap(), [false, true]);
    assert_eq!(queue.counts().await.unwrap(), [1, 0, 0]);
    // What was refused makes it known for no longer; how long at most is the backend's own, but an hour is more.
    clock.pass(60 * MINUTE);
    assert_eq!(queue.put(vec![keyed("g", "k")]).await.unwrap(), [true]);
}

async fn what_is_given_up_is_kept_and_can_be_replayed(queue: &impl Queue, clock: &Hand) {
    let high = Message { priority: Priority::High, ..keyed("a", "k") };
    queue.put(vec![high, message("b"), message("c")]).await.unwrap();
    let mut given_up = Vec::new();
    for reason in ["no a", "no b"] {
        let leased = one(queue).await;
        queue.give_up(&leased.receipt, reason).await.unwrap();
        is_over(&queue.done(&leased.receipt).await);
        given_up.push((leased, clock.now()));
        clock.pass(SECOND);
    }
    assert_eq!(queue.counts().await.unwrap(), [1, 0, 2]);
    let dead = queue.dead(10).await.unwrap();
    let told: Vec<_> = dead
        .iter()
        .map(|dead| (dead.id.as_str(), dead.body.as_str(), dead.reason.as_str(), dead.attempts, dead.at))
        .collect();
    let [(a, at_a), (b, at_b)] = &given_up[..] else { panic!("two") };
    assert_eq!(told, [(b.id.as_str(), "b", "no b", 1, *at_b), (a.id.as_str(), "a", "no a", 1, *at_a)]);
    assert_eq!(dead[0].kind, "kind");
    assert_eq!(queue.dead(1).await.unwrap(), dead[..1]);
    // Its key stays known.
    assert_eq!(queue.put(vec![keyed("d", "k")]).await.unwrap(), [false]);
    queue.replay(&a.id).await.unwrap();
    assert_eq!(queue.dead(10).await.unwrap(), dead[..1]);
    let unknown = queue.replay(&a.id).await;
    assert!(matches!(&unknown, Err(QueueError::Unknown(id)) if *id == a.id), "{unknown:?}");
    let again = one(queue).await;
    assert_eq!((again.body.as_str(), again.attempt), ("a", 1), "as if it were new, with its priority");
    is_over(&queue.done(&a.receipt).await);
    queue.done(&again.receipt).await.unwrap();
    assert_eq!(queue.counts().await.unwrap(), [1, 0, 1]);
}

async fn nonsense_does_nothing(queue: &impl Queue) {
    queue.put(vec![message("a")]).await.unwrap();
    let leased = one(queue).await;
    for receipt in ["", ".", "1", "1.", ".1", "a.b", "1.99", "99.1", "-1.1", &format!("{}0", leased.receipt)]
    {
        is_over(&queue.done(receipt).await);
    }
    for id in ["", "nobody", "99", leased.id.as_str()] {
        let unknown = queue.replay(id).await;
        assert!(matches!(&unknown, Err(QueueError::Unknown(told)) if told == id), "{unknown:?}");
    }
    assert_eq!(queue.take(0, MINUTE, LONG).await.unwrap(), []);
    queue.done(&leased.receipt).await.unwrap();
}

async fn everybody_gets_something_else<Q: Queue + 'static>(queue: Arc<Q>) {
    let mut work = tokio::task::JoinSet::new();
    for putter in 0..8 {
        let queue = Arc::clone(&queue);
        work.spawn(async move {
            for at in 0..25 {
                queue.put(vec![message(&format!("{putter}-{at:02}"))]).await.unwrap();
            }
            Vec::new()
        });
    }
    for _ in 0..4 {
        let queue = Arc::clone(&queue);
        work.spawn(async move {
            let mut had = Vec::new();
            while had.len() < 50 {
                for leased in queue.take(7.min(50 - had.len()), MINUTE, LONG).await.unwrap() {
                    had.push(leased.body);
                    queue.done(&leased.receipt).await.unwrap();
                }
            }
            had
        });
    }
    let mut all: Vec<String> = timeout(LONG, work.join_all()).await.unwrap().into_iter().flatten().collect();
    assert_eq!(all.len(), 200);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 200, "nothing is given out twice");
}

async fn who_waits_is_woken_by_what_is_put_in<Q: Queue + 'static>(queue: Arc<Q>, clock: &Hand) {
    let waiter = || {
        let queue = Arc::clone(&queue);
        tokio::spawn(async move { queue.take(1, MINUTE, LONG).await.unwrap() })
    };
    let started = Instant::now();
    let waiting = waiter();
    tokio::task::yield_now().await;
    queue.put(vec![message("a")]).await.unwrap();
    let first = waiting.await.unwrap();
    assert_eq!(bodies(&first), ["a"]);
    // By one that is replayed, and by one that comes again.
    queue.give_up(&first[0].receipt, "").await.unwrap();
    let waiting = waiter();
    tokio::task::yield_now().await;
    queue.replay(&first[0].id).await.unwrap();
    let second = waiting.await.unwrap();
    let waiting = waiter();
    tokio::task::yield_now().await;
    queue.again(&second[0].receipt, clock.now()).await.unwrap();
    assert_eq!(waiting.await.unwrap()[0].attempt, 2);
    // And not for longer than was said.
    assert_eq!(queue.take(1, MINUTE, Duration::from_millis(20)).await.unwrap(), []);
    assert!(started.elapsed() < LONG);
}

/// By the real clock: what becomes due wakes who waits for it, not much later and no earlier.
pub(crate) async fn who_waits_is_woken_by_the_time(queue: &impl Queue, clock: &dyn Clock) {
    let due = clock.now().plus(Duration::from_millis(150));
    let leases = Duration::from_millis(100);
    queue.put(vec![Message { not_before: Some(due), ..message("a") }]).await.unwrap();
    let taken = queue.take(1, leases, LONG).await.unwrap();
    let first = clock.now();
    assert_eq!(bodies(&taken), ["a"]);
    assert!(first >= due, "{first} is before {due}");
    // The lease runs out.
    let taken = queue.take(1, leases, LONG).await.unwrap();
    assert_eq!(taken[0].attempt, 2);
    assert!(clock.now().since(first) < LONG / 2);
}
