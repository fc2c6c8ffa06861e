//! SQLite: one file on this machine, for an installation of one process.
//!
//! One thread writes. What waits together is committed together (group commit): each transaction is all or nothing in a
//! savepoint of its own, and all of them share one write to the disk. Reading goes on beside it, on connections of its own.

mod read;
mod schema;
mod write;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

use async_trait::async_trait;
use flyc::artifact::Table as Definition;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::oneshot;

use crate::ports::store::{Key, Page, Query, Store, StoreError, Stored, Write};
use schema::Schema;

/// How many connections read at the same time.
const READERS: usize = 4;

/// How many transactions are committed together at most.
const GROUP: usize = 256;

/// How long a connection waits for another one that holds the file.
const PATIENCE: Duration = Duration::from_secs(10);

/// A transaction that waits, and who is told.
type Waiting = (Vec<Write>, oneshot::Sender<Result<(), StoreError>>);

/// The database in a file.
pub struct Sqlite {
    path: PathBuf,
    schema: Arc<Schema>,
    writer: mpsc::Sender<Waiting>,
    readers: Arc<Mutex<Vec<Connection>>>,
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Sqlite {
    /// Opens the file, or makes it, with these tables.
    ///
    /// # Errors
    ///
    /// When the file can't be opened, or is no database.
    pub fn open(path: &Path, tables: impl IntoIterator<Item = Definition>) -> Result<Self, StoreError> {
        let schema = Arc::new(Schema::new(tables));
        let connection = connect(path, false)?;
        schema.prepare(&connection).map_err(wrong)?;
        let (writer, waiting) = mpsc::channel::<Waiting>();
        let own = Arc::clone(&schema);
        thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || write_all(connection, &own, &waiting))
            .map_err(|error| StoreError::Away(error.to_string()))?;
        Ok(Self { path: path.to_owned(), schema, writer, readers: Arc::default() })
    }

    /// Runs on a connection of its own, off the threads that must not wait.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection, &Schema) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (readers, schema, path) =
            (Arc::clone(&self.readers), Arc::clone(&self.schema), self.path.clone());
        let work = move || {
            let kept = readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = match kept {
                Some(connection) => connection,
                None => connect(&path, true)?,
            };
            let found = read(&connection, &schema);
            let mut readers = readers.lock().unwrap_or_else(PoisonError::into_inner);
            if readers.len() < READERS {
                readers.push(connection);
            }
            found
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| StoreError::Away(error.to_string()))?
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn prepare(&self) -> Result<(), StoreError> {
        // Opening has.
        Ok(())
    }

    async fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        let key = key.clone();
        self.read(move |connection, schema| read::get(connection, schema, &key)).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        let query = query.clone();
        self.read(move |connection, schema| read::query(connection, schema, &query)).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        self.schema.look_over(&writes)?;
        let (sender, answer) = oneshot::channel();
        let gone = || StoreError::Away("its writer has ended".to_owned());
        self.writer.send((writes, sender)).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

fn connect(path: &Path, reads: bool) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let flags = flags
        | if reads {
            OpenFlags::SQLITE_OPEN_READ_ONLY
        } else {
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
        };
    let connection = Connection::open_with_flags(path, flags).map_err(wrong)?;
    connection.busy_timeout(PATIENCE).map_err(wrong)?;
    if !reads {
        // With the journal beside it, readers and the writer don't wait for each other. Every commit is on the disk before
        // it is answered.
        connection.pragma_update(None, "journal_mode", "wal").map_err(wrong)?;
        connection.pragma_update(None, "synchronous", "full").map_err(wrong)?;
    }
    Ok(connection)
}

/// Commits what comes, together what comes together, until nobody is left to give anything.
fn write_all(mut connection: Connection, schema: &Schema, waiting: &mpsc::Receiver<Waiting>) {
    while let Ok(first) = waiting.recv() {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(next) = waiting.try_recv()
        {
            group.push(next);
        }
        write::commit(&mut connection, schema, group);
    }
}

/// An error of SQLite's as the port has it.
fn wrong(error: rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull, SystemIoFailure};
    match error.sqlite_error_code() {
        Some(DatabaseBusy | DatabaseLocked | DiskFull | SystemIoFailure) => {
            StoreError::Away(error.to_string())
        }
        _ => StoreError::Wrong(error.to_string()),
    }
}
