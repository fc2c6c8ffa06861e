//! The queue: what was accepted is worked on, once somebody has time, and not forgotten when that fails.

use std::{fmt, time::Duration};

use async_trait::async_trait;

use crate::domain::Time;

/// What is worked on first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// What people wait for: webhooks, commands.
    High,
    /// Everything else.
    Normal,
}

/// A message that is put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What kind of work it is.
    pub kind: String,
    /// The rest.
    pub body: String,
    /// What comes first.
    pub priority: Priority,
    /// The earliest moment it is given out.
    pub not_before: Option<Time>,
    /// A second message with the same key is not put in while the first is known, which is at least five minutes.
    pub key: Option<String>,
}

/// A message that was given out. It comes again when the lease is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leased {
    /// Its id.
    pub id: String,
    /// Says that this is still the one who has it.
    pub receipt: String,
    /// What kind of work it is.
    pub kind: String,
    /// The rest.
    pub body: String,
    /// How often it has been given out, this time included.
    pub attempt: u32,
}

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dead {
    /// Its id.
    pub id: String,
    /// What kind of work it is.
    pub kind: String,
    /// The rest.
    pub body: String,
    /// Why, without secrets.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was given up.
    pub at: Time,
}

/// Why the queue didn't do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The lease is over, and the message somebody else's.
    #[error("the lease of the message is over")]
    LeaseOver,
    /// There is no such message.
    #[error("there is no message `{0}`")]
    Unknown(String),
    /// It is away or too busy, and may be there again soon.
    #[error("the queue can't be reached: {0}")]
    Away(String),
}

/// A durable queue. Each message is given out at least once, and to one at a time.
#[async_trait]
pub trait Queue: Send + Sync + fmt::Debug {
    /// Puts messages in, all or none. Once it has answered, none is lost. Says for each whether it is new.
    async fn put(&self, messages: Vec<Message>) -> Result<Vec<bool>, QueueError>;

    /// Gives out messages for `lease`, waiting up to `wait` for the first.
    async fn take(&self, most: usize, lease: Duration, wait: Duration) -> Result<Vec<Leased>, QueueError>;

    /// Keeps a message for longer.
    async fn keep(&self, receipt: &str, lease: Duration) -> Result<(), QueueError>;

    /// The work is done.
    async fn done(&self, receipt: &str) -> Result<(), QueueError>;

    /// The work failed; it is given out again then.
    async fn again(&self, receipt: &str, not_before: Time) -> Result<(), QueueError>;

    /// The work failed for good.
    async fn give_up(&self, receipt: &str, reason: &str) -> Result<(), QueueError>;

    /// The messages that were given up, the last first.
    async fn dead(&self, most: usize) -> Result<Vec<Dead>, QueueError>;

    /// Puts a message that was given up in again, as if it were new.
    async fn replay(&self, id: &str) -> Result<(), QueueError>;

    /// How many wait, are given out, and were given up.
    async fn counts(&self) -> Result<[u64; 3], QueueError>;
}
