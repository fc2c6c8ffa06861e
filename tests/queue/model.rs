//! A queue beside a model of it, a few lists in memory: whatever is done to both, and however time goes on, they answer the
//! same.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use orchestrator::{
    domain::Time,
    ports::{
        clock::Clock,
        queue::{Message, Priority, Queue, QueueError},
    },
};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};

use crate::{
    clock::Hand,
    suite::{NOW, message},
};

const KNOWN: Duration = Duration::from_mins(5);

/// What is done to a queue. Spans are in seconds; receipts and the dead are named by a number of all there ever were.
#[derive(Debug, Clone)]
enum Deed {
    Put(Vec<(bool, u64, Option<u8>)>),
    Take(usize, u64),
    Keep(usize, u64),
    Done(usize),
    Again(usize, u64),
    GiveUp(usize),
    Replay(usize),
    Pass(u64),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let delay = || prop_oneof![2 => Just(0), 1 => 1_u64..60];
    let new = (any::<bool>(), delay(), proptest::option::weighted(0.3, 0_u8..3));
    let deed = prop_oneof![
        4 => vec(new, 1..4).prop_map(Deed::Put),
        4 => (1_usize..4, 0_u64..90).prop_map(|(most, lease)| Deed::Take(most, lease)),
        1 => (0_usize..20, 1_u64..90).prop_map(|(which, lease)| Deed::Keep(which, lease)),
        2 => (0_usize..20).prop_map(Deed::Done),
        1 => (0_usize..20, delay()).prop_map(|(which, delay)| Deed::Again(which, delay)),
        2 => (0_usize..20).prop_map(Deed::GiveUp),
        1 => (0_usize..20).prop_map(Deed::Replay),
        2 => (0_u64..200).prop_map(Deed::Pass),
    ];
    vec(deed, 1..40)
}

#[derive(Debug, Clone)]
struct Entry {
    number: usize,
    high: bool,
    due: Time,
    attempt: u32,
    /// The number of the receipt of who has it.
    receipt: Option<usize>,
}

#[derive(Debug, Default)]
struct Model {
    put: usize,
    entries: Vec<Entry>,
    dead: Vec<(Entry, Time)>,
    keys: BTreeMap<u8, Time>,
    receipts: usize,
}

impl Model {
    /// Whether one with this key is new; what the queue says counts where the contract leaves it free.
    fn is_new(&self, key: Option<u8>, now: Time, said: bool) -> bool {
        match key.and_then(|key| self.keys.get(&key)) {
            None => true,
            Some(since) => now.since(*since) >= KNOWN && said,
        }
    }

    fn take(&mut self, most: usize, now: Time, until: Time) -> Vec<(usize, u32)> {
        self.entries.sort_by_key(|entry| (!entry.high, entry.due, entry.number));
        let mut taken = Vec::new();
        for entry in self.entries.iter_mut().filter(|entry| entry.due <= now).take(most) {
            entry.due = until;
            entry.attempt += 1;
            entry.receipt = Some(self.receipts);
            self.receipts += 1;
            taken.push((entry.number, entry.attempt));
        }
        taken
    }

    fn leased(&self, receipt: usize, now: Time) -> Option<usize> {
        self.entries.iter().position(|entry| entry.receipt == Some(receipt) && entry.due > now)
    }
}

/// Any deeds, on a queue of its own each time.
pub(crate) fn is_as_its_model<Q: Queue>(open: impl AsyncFn(Arc<dyn Clock>) -> Q) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let check = |deeds: Vec<Deed>| {
        runtime.block_on(async {
            let clock = Arc::new(Hand::new());
            let queue = open(Arc::clone(&clock) as Arc<dyn Clock>).await;
            let mut model = Model::default();
            let (mut receipts, mut ids): (Vec<String>, BTreeMap<usize, String>) = Default::default();
            for deed in deeds {
                let now = clock.now();
                let later = |seconds| now.plus(Duration::from_secs(seconds));
                match deed {
                    Deed::Pass(seconds) => clock.pass(Duration::from_secs(seconds)),
                    Deed::Put(new) => {
                        let messages = new.iter().enumerate().map(|(at, (high, delay, key))| Message {
                            priority: if *high { Priority::High } else { Priority::Normal },
                            not_before: (*delay > 0).then(|| later(*delay)),
                            key: key.map(|key| key.to_string()),
                            ..message(&(model.put + at).to_string())
                        });
                        let said = queue.put(messages.collect()).await.unwrap();
                        prop_assert_eq!(said.len(), new.len());
                        for (at, (high, delay, key)) in new.iter().enumerate() {
                            let is_new = model.is_new(*key, now, said[at]);
                            prop_assert_eq!(said[at], is_new, "key {:?}", key);
                            if is_new {
                                model.keys.extend(key.map(|key| (key, now)));
                                let number = model.put + at;
                                let (high, due) = (*high, later(*delay));
                                let entry = Entry { number, high, due, attempt: 0, receipt: None };
                                model.entries.push(entry);
                            }
                        }
                        model.put += new.len();
                    }
                    Deed::Take(most, lease) => {
                        let lease = Duration::from_secs(lease);
                        let taken = queue.take(most, lease, NOW).await.unwrap();
                        let had: Vec<(usize, u32)> =
                            taken.iter().map(|one| (one.body.parse().unwrap(), one.attempt)).collect();
                        prop_assert_eq!(&had, &model.take(most, now, now.plus(lease)));
                        for ((number, _), one) in had.iter().zip(taken) {
                            prop_assert!(!receipts.contains(&one.receipt), "{} twice", one.receipt);
                            receipts.push(one.receipt);
                            prop_assert_eq!(ids.entry(*number).or_insert_with(|| one.id.clone()), &one.id);
                        }
                    }
                    Deed::Keep(which, _)
                    | Deed::Done(which)
                    | Deed::Again(which, _)
                    | Deed::GiveUp(which) => {
                        let Some(at) = which.checked_rem(receipts.len()) else { continue };
                        let receipt = &receipts[at];
                        let done = match deed {
                            Deed::Keep(_, lease) => queue.keep(receipt, Duration::from_secs(lease)).await,
                            Deed::Again(_, delay) => queue.again(receipt, later(delay)).await,
                            Deed::GiveUp(_) => queue.give_up(receipt, receipt).await,
                            _ => queue.done(receipt).await,
                        };
                        let leased = model.leased(at, now);
                        match (&done, leased) {
                            (Ok(()), Some(_)) | (Err(QueueError::LeaseOver), None) => {}
                            _ => prop_assert!(false, "{:?} with {:?}", done, leased),
                        }
                        let Some(entry) = leased else { continue };
                        match deed {
                            Deed::Keep(_, lease) => model.entries[entry].due = later(lease),
                            Deed::Again(_, delay) => {
                                model.entries[entry].due = later(delay);
                                model.entries[entry].receipt = None;
                            }
                            Deed::GiveUp(_) => {
                                let entry = model.entries.remove(entry);
                                model.dead.push((entry, now));
                            }
                            _ => drop(model.entries.remove(entry)),
                        }
                    }
                    Deed::Replay(which) => {
                        let Some(at) = which.checked_rem(model.dead.len()) else { continue };
                        let (entry, _) = model.dead.remove(at);
                        queue.replay(&ids[&entry.number]).await.unwrap();
                        model.entries.push(Entry { due: now, attempt: 0, receipt: None, ..entry });
                    }
                }
                let now = clock.now();
                let leased =
                    model.entries.iter().filter(|entry| entry.receipt.is_some() && entry.due > now).count();
                let counts = [model.entries.len() - leased, leased, model.dead.len()];
                prop_assert_eq!(queue.counts().await.unwrap(), counts.map(|count| count as u64));
                let dead: Vec<_> = queue.dead(100).await.unwrap();
                let dead = dead
                    .iter()
                    .map(|one| (one.body.parse().unwrap(), one.attempts, one.reason.as_str(), one.at));
                let expected = model.dead.iter().rev().map(|(entry, at)| {
                    let reason = entry.receipt.map_or("", |receipt| receipts[receipt].as_str());
                    (entry.number, entry.attempt, reason, *at)
                });
                prop_assert_eq!(dead.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
            }
            Ok(())
        })
    };
    TestRunner::default().run(&deeds(), check).unwrap();
}
