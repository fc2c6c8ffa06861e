//! A file of `SQLite`'s, as every adapter that keeps something in one has it.
//!
//! One thread writes. What waits together is committed together (group commit): each piece of work is all or nothing in a
//! savepoint of its own, and all of them share one write to the disk. Reading goes on beside it, on connections of its own.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use tokio::sync::oneshot;

/// How many connections read at the same time.
const READERS: usize = 4;

/// How many pieces of work are committed together at most.
const GROUP: usize = 256;

/// How many statements a connection keeps prepared.
const STATEMENTS: usize = 128;

/// How long a connection waits for another one that holds the file.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why the file didn't do what it was asked. Whoever reads or writes makes an error of its own of it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// `SQLite` says so.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// Nothing is known of what was asked.
    #[error("{0}")]
    Lost(String),
}

impl Failure {
    /// Whether the same may go well later.
    pub(super) fn is_transient(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull, SystemIoFailure};
        match self {
            Self::Lost(_) => true,
            Self::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(DatabaseBusy | DatabaseLocked | DiskFull | SystemIoFailure)
            ),
        }
    }
}

/// The file.
pub(super) struct Database {
    path: PathBuf,
    writer: mpsc::Sender<Box<dyn Work>>,
    readers: Arc<Mutex<Vec<Connection>>>,
}

impl Database {
    /// Opens the file, or makes it for this user alone, and prepares it. `thread` is the writer's name.
    pub(super) fn open(
        path: &Path,
        thread: &str,
        prepare: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<Self, Failure> {
        make(path).map_err(|error| Failure::Lost(format!("{}: {error}", path.display())))?;
        let connection = connect(path, false)?;
        prepare(&connection)?;
        let (writer, waiting) = mpsc::channel();
        thread::Builder::new()
            .name(thread.to_owned())
            .spawn(move || write_all(connection, &waiting))
            .map_err(|error| Failure::Lost(error.to_string()))?;
        Ok(Self { path: path.to_owned(), writer, readers: Arc::default() })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Runs on a connection of its own, off the threads that must not wait.
    pub(super) async fn read<T, E>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Failure> + Send + 'static,
    {
        let (readers, path) = (Arc::clone(&self.readers), self.path.clone());
        let work = move || {
            let kept = readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = match kept {
                Some(connection) => connection,
                None => connect(&path, true).map_err(Failure::from)?,
            };
            let found = read(&connection);
            let mut readers = readers.lock().unwrap_or_else(PoisonError::into_inner);
            if readers.len() < READERS {
                readers.push(connection);
            }
            found
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| Failure::Lost(error.to_string()))?
    }

    /// Writes. What the work did stays when it went well, and is undone when it didn't; once this has answered, it is on
    /// the disk.
    pub(super) async fn write<T, E>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Failure> + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        let gone = || Failure::Lost("its writer has ended".to_owned());
        let work = Waiting { work: Some(work), outcome: None, sender };
        self.writer.send(Box::new(work)).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// A piece of work for the writer.
trait Work: Send {
    /// Does it; says whether it went well.
    fn run(&mut self, connection: &Connection) -> bool;

    /// Tells whoever waits, once all that was done together is on the disk, or why it is not.
    fn answer(self: Box<Self>, committed: Result<(), &str>);
}

struct Waiting<W, T, E> {
    work: Option<W>,
    outcome: Option<Result<T, E>>,
    sender: oneshot::Sender<Result<T, E>>,
}

impl<W, T, E> Work for Waiting<W, T, E>
where
    W: FnOnce(&Connection) -> Result<T, E> + Send,
    T: Send,
    E: From<Failure> + Send,
{
    fn run(&mut self, connection: &Connection) -> bool {
        self.outcome = self.work.take().map(|work| work(connection));
        matches!(self.outcome, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, committed: Result<(), &str>) {
        let answer = match (self.outcome, committed) {
            // It was refused, with or without the others.
            (Some(Err(error)), _) => Err(error),
            (Some(done), Ok(())) => done,
            (_, committed) => {
                let reason = committed.err().unwrap_or("it was not tried");
                Err(Failure::Lost(reason.to_owned()).into())
            }
        };
        // Whoever asked may have gone.
        let _ = self.sender.send(answer);
    }
}

/// Commits what comes, together what comes together, until nobody is left to give anything.
fn write_all(mut connection: Connection, waiting: &mpsc::Receiver<Box<dyn Work>>) {
    while let Ok(first) = waiting.recv() {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(next) = waiting.try_recv()
        {
            group.push(next);
        }
        let committed = commit(&mut connection, &mut group).map_err(|error| error.to_string());
        for work in group {
            work.answer(committed.as_ref().copied().map_err(String::as_str));
        }
    }
}

fn commit(connection: &mut Connection, group: &mut [Box<dyn Work>]) -> rusqlite::Result<()> {
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for work in group {
        let savepoint = transaction.savepoint()?;
        // A savepoint that is dropped goes back.
        if work.run(&savepoint) {
            savepoint.commit()?;
        }
    }
    transaction.commit()
}

/// Makes the file, if it is not there, so that no other user reads what will be in it. What `SQLite` puts beside it gets
/// the same rights.
fn make(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn connect(path: &Path, reads: bool) -> rusqlite::Result<Connection> {
    let access = if reads { OpenFlags::SQLITE_OPEN_READ_ONLY } else { OpenFlags::SQLITE_OPEN_READ_WRITE };
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(PATIENCE)?;
    // Each table has some of its own.
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    if !reads {
        // With the journal beside it, readers and the writer don't wait for each other. Every commit is on the disk before
        // it is answered.
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
    }
    Ok(connection)
}
