//! `SQLite`: one file on this machine, for an installation of one process.
//!
//! A message is a row with the moment from which it may be given out, `due`. Who is given it moves that moment to the end
//! of the lease: a message whose lease runs out is given out again without anybody having to do anything. A receipt names
//! the row and the how manieth time it was given out, so that an old one fits nothing.

mod rows;

use std::{fmt, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use rusqlite::Connection;
use tokio::{sync::watch, time::Instant};

use crate::{
    adapters::sqlite::{Database, Failure},
    domain::Time,
    ports::{
        clock::Clock,
        queue::{Dead, Leased, Message, Queue, QueueError},
    },
};

/// How long a key is known at least.
const KNOWN: Duration = Duration::from_mins(5);

/// The queue in a file.
pub struct Sqlite {
    database: Database,
    clock: Arc<dyn Clock>,
    /// Changes with everything that may be of interest to whoever waits for messages.
    news: watch::Sender<()>,
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.database.path()).finish_non_exhaustive()
    }
}

impl Sqlite {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    ///
    /// When the file can't be opened, or is no queue.
    pub fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, QueueError> {
        let database = Database::open(path, "queue", rows::prepare)?;
        Ok(Self { database, clock, news: watch::Sender::new(()) })
    }

    /// Takes back all that is given out: whoever has the file for itself knows at its start that nobody works on it.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub async fn reclaim(&self) -> Result<(), QueueError> {
        let now = self.clock.now();
        self.database
            .write(move |connection: &Connection| rows::reclaim(connection, now).map_err(wrong))
            .await?;
        self.news.send_replace(());
        Ok(())
    }

    /// Takes out everything, given up or not, and says how many messages there were: the database that they were about is
    /// another one now.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub async fn clear(&self) -> Result<u64, QueueError> {
        let count =
            self.database.write(|connection: &Connection| rows::clear(connection).map_err(wrong)).await?;
        self.news.send_replace(());
        Ok(count)
    }

    /// Writes what concerns the message with this receipt, if its lease is not over.
    async fn finish(
        &self,
        receipt: &str,
        how: impl FnOnce(&Connection, i64) -> rusqlite::Result<()> + Send + 'static,
    ) -> Result<(), QueueError> {
        let (id, given) = rows::receipt(receipt).ok_or(QueueError::LeaseOver)?;
        let now = self.clock.now();
        let work = move |connection: &Connection| {
            if !rows::is_leased(connection, id, given, now).map_err(wrong)? {
                return Err(QueueError::LeaseOver);
            }
            how(connection, id).map_err(wrong)
        };
        self.database.write(work).await?;
        self.news.send_replace(());
        Ok(())
    }
}

#[async_trait]
impl Queue for Sqlite {
    async fn put(&self, messages: Vec<Message>) -> Result<Vec<bool>, QueueError> {
        let now = self.clock.now();
        let work = move |connection: &Connection| {
            rows::forget_keys(connection, now).map_err(wrong)?;
            messages.iter().map(|message| rows::put(connection, message, now).map_err(wrong)).collect()
        };
        let new: Vec<bool> = self.database.write(work).await?;
        if new.contains(&true) {
            self.news.send_replace(());
        }
        Ok(new)
    }

    async fn take(&self, most: usize, lease: Duration, wait: Duration) -> Result<Vec<Leased>, QueueError> {
        let until = Instant::now() + wait;
        loop {
            // Before looking: what comes in between is news as well.
            let mut news = self.news.subscribe();
            let now = self.clock.now();
            let work = move |connection: &Connection| {
                let taken = rows::take(connection, most, now, now.plus(lease)).map_err(wrong)?;
                let next = if taken.is_empty() { rows::next(connection).map_err(wrong)? } else { None };
                Ok::<_, QueueError>((taken, next))
            };
            let (taken, next) = self.database.write(work).await?;
            if !taken.is_empty() || most == 0 || Instant::now() >= until {
                return Ok(taken);
            }
            // A clock that stands still must not make this a busy loop.
            let due = next.map(|next| Instant::now() + next.since(now).max(Duration::from_millis(1)));
            let wake = due.map_or(until, |due| due.min(until));
            tokio::select! {
                // It can't end while this queue is there.
                _ = news.changed() => {}
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    async fn keep(&self, receipt: &str, lease: Duration) -> Result<(), QueueError> {
        let until = self.clock.now().plus(lease);
        self.finish(receipt, move |connection, id| rows::keep(connection, id, until)).await
    }

    async fn done(&self, receipt: &str) -> Result<(), QueueError> {
        self.finish(receipt, rows::remove).await
    }

    async fn again(&self, receipt: &str, not_before: Time) -> Result<(), QueueError> {
        let due = not_before.max(self.clock.now());
        self.finish(receipt, move |connection, id| rows::again(connection, id, due)).await
    }

    async fn give_up(&self, receipt: &str, reason: &str) -> Result<(), QueueError> {
        let (reason, now) = (reason.to_owned(), self.clock.now());
        self.finish(receipt, move |connection, id| rows::bury(connection, id, &reason, now)).await
    }

    async fn dead(&self, most: usize) -> Result<Vec<Dead>, QueueError> {
        self.database.read(move |connection| rows::dead(connection, most).map_err(wrong)).await
    }

    async fn replay(&self, id: &str) -> Result<(), QueueError> {
        let unknown = QueueError::Unknown(id.to_owned());
        let Ok(number) = id.parse::<i64>() else { return Err(unknown) };
        let now = self.clock.now();
        let work = move |connection: &Connection| {
            let there = rows::replay(connection, number, now).map_err(wrong)?;
            if there { Ok(()) } else { Err(unknown) }
        };
        self.database.write(work).await?;
        self.news.send_replace(());
        Ok(())
    }

    async fn counts(&self) -> Result<[u64; 3], QueueError> {
        let now = self.clock.now();
        self.database.read(move |connection| rows::counts(connection, now).map_err(wrong)).await
    }
}

impl From<Failure> for QueueError {
    fn from(failure: Failure) -> Self {
        Self::Away(failure.to_string())
    }
}

fn wrong(error: rusqlite::Error) -> QueueError {
    Failure::from(error).into()
}
