//! The rows: messages, those that were given up, and keys that are known.

use rusqlite::{Connection, OptionalExtension, params};

use super::KNOWN;
use crate::{
    domain::Time,
    ports::queue::{Dead, Leased, Message, Priority},
};

/// Ids are never used again, so a receipt fits one message only.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    priority INTEGER NOT NULL,
    due INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    key TEXT,
    attempt INTEGER NOT NULL,
    given INTEGER NOT NULL,
    leased INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS messages_by_due ON messages (priority, due);
CREATE INDEX IF NOT EXISTS messages_by_key ON messages (key) WHERE key IS NOT NULL;
CREATE TABLE IF NOT EXISTS dead (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id INTEGER NOT NULL UNIQUE,
    priority INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    key TEXT,
    attempt INTEGER NOT NULL,
    given INTEGER NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS keys (key TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS keys_by_end ON keys (until);
";

pub(super) fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(TABLES)
}

/// A moment as it is kept.
fn millis(time: Time) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn time(millis: i64) -> Time {
    Time::from_millis(u64::try_from(millis).unwrap_or(0))
}

/// All that is given out may be given out again.
pub(super) fn reclaim(connection: &Connection, now: Time) -> rusqlite::Result<()> {
    connection
        .execute("UPDATE messages SET leased = 0, due = min(due, ?1) WHERE leased = 1", [millis(now)])?;
    Ok(())
}

/// Nothing is left, not even a key; says how many messages there were.
pub(super) fn clear(connection: &Connection) -> rusqlite::Result<u64> {
    let messages =
        connection.execute("DELETE FROM messages", [])? + connection.execute("DELETE FROM dead", [])?;
    connection.execute("DELETE FROM keys", [])?;
    Ok(messages as u64)
}

/// The message and the how manieth time it was given out.
pub(super) fn receipt(text: &str) -> Option<(i64, i64)> {
    let (id, given) = text.split_once('.')?;
    Some((id.parse().ok()?, given.parse().ok()?))
}

const fn rank(priority: Priority) -> i64 {
    match priority {
        Priority::High => 0,
        Priority::Normal => 1,
    }
}

const RANKS: [i64; 2] = [rank(Priority::High), rank(Priority::Normal)];

pub(super) fn forget_keys(connection: &Connection, now: Time) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM keys WHERE until <= ?1")?.execute([millis(now)])?;
    Ok(())
}

/// Puts a message in, unless its key is known: for a while, and for as long as the first one is not done.
pub(super) fn put(connection: &Connection, message: &Message, now: Time) -> rusqlite::Result<bool> {
    if let Some(key) = &message.key {
        let known = "SELECT EXISTS (SELECT 1 FROM keys WHERE key = ?1 AND until > ?2)
            OR EXISTS (SELECT 1 FROM messages WHERE key = ?1)";
        if connection.prepare_cached(known)?.query_row(params![key, millis(now)], |row| row.get(0))? {
            return Ok(false);
        }
        connection
            .prepare_cached("INSERT OR REPLACE INTO keys (key, until) VALUES (?1, ?2)")?
            .execute(params![key, millis(now.plus(KNOWN))])?;
    }
    let due = message.not_before.map_or(now, |not_before| not_before.max(now));
    connection
        .prepare_cached(
            "INSERT INTO messages (priority, due, kind, body, key, attempt, given, leased)
            VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, 0)",
        )?
        .execute(params![rank(message.priority), millis(due), message.kind, message.body, message.key])?;
    Ok(true)
}

/// Gives out what is due.
pub(super) fn take(
    connection: &Connection,
    most: usize,
    now: Time,
    until: Time,
) -> rusqlite::Result<Vec<Leased>> {
    let mut due = connection.prepare_cached(
        "SELECT id, kind, body, attempt, given FROM messages WHERE priority = ?1 AND due <= ?2
        ORDER BY due, id LIMIT ?3",
    )?;
    let mut lease = connection.prepare_cached(
        "UPDATE messages SET attempt = attempt + 1, given = given + 1, leased = 1, due = ?2 WHERE id = ?1",
    )?;
    let mut taken: Vec<Leased> = Vec::new();
    // A rank at a time: what is of a higher one and not due yet is not looked at.
    for rank in RANKS {
        let left = i64::try_from(most - taken.len()).unwrap_or(i64::MAX);
        let found = due.query_map(params![rank, millis(now), left], |row| {
            let (id, given): (i64, i64) = (row.get(0)?, row.get(4)?);
            let leased = Leased {
                id: id.to_string(),
                receipt: format!("{id}.{}", given + 1),
                kind: row.get(1)?,
                body: row.get(2)?,
                attempt: row.get::<_, u32>(3)?.saturating_add(1),
            };
            Ok((id, leased))
        })?;
        for (id, leased) in found.collect::<rusqlite::Result<Vec<_>>>()? {
            lease.execute(params![id, millis(until)])?;
            taken.push(leased);
        }
    }
    Ok(taken)
}

/// When the next message is due.
pub(super) fn next(connection: &Connection) -> rusqlite::Result<Option<Time>> {
    let mut first = connection.prepare_cached("SELECT min(due) FROM messages WHERE priority = ?1")?;
    let mut next: Option<i64> = None;
    for rank in RANKS {
        let found: Option<i64> = first.query_row([rank], |row| row.get(0))?;
        next = next.into_iter().chain(found).min();
    }
    Ok(next.map(time))
}

/// Whether a message is still that one's who was given it that time.
pub(super) fn is_leased(connection: &Connection, id: i64, given: i64, now: Time) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM messages WHERE id = ?1 AND given = ?2 AND leased = 1 AND due > ?3")?
        .exists(params![id, given, millis(now)])
}

pub(super) fn keep(connection: &Connection, id: i64, until: Time) -> rusqlite::Result<()> {
    connection.prepare_cached("UPDATE messages SET due = ?2 WHERE id = ?1")?.execute([id, millis(until)])?;
    Ok(())
}

pub(super) fn again(connection: &Connection, id: i64, due: Time) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE messages SET due = ?2, leased = 0 WHERE id = ?1")?
        .execute([id, millis(due)])?;
    Ok(())
}

pub(super) fn remove(connection: &Connection, id: i64) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM messages WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// Puts a message among those that were given up.
pub(super) fn bury(connection: &Connection, id: i64, reason: &str, now: Time) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO dead (id, priority, kind, body, key, attempt, given, reason, at)
            SELECT id, priority, kind, body, key, attempt, given, ?2, ?3 FROM messages WHERE id = ?1",
        )?
        .execute(params![id, reason, millis(now)])?;
    remove(connection, id)
}

pub(super) fn dead(connection: &Connection, most: usize) -> rusqlite::Result<Vec<Dead>> {
    let mut dead = connection.prepare_cached(
        "SELECT id, kind, body, reason, attempt, at FROM dead ORDER BY number DESC LIMIT ?1",
    )?;
    let found = dead.query_map([i64::try_from(most).unwrap_or(i64::MAX)], |row| {
        Ok(Dead {
            id: row.get::<_, i64>(0)?.to_string(),
            kind: row.get(1)?,
            body: row.get(2)?,
            reason: row.get(3)?,
            attempts: row.get(4)?,
            at: time(row.get(5)?),
        })
    })?;
    found.collect()
}

/// Puts a message that was given up in again; says whether there is one. How often it was given out goes on, so that no
/// old receipt fits.
pub(super) fn replay(connection: &Connection, id: i64, now: Time) -> rusqlite::Result<bool> {
    let found = connection
        .prepare_cached("DELETE FROM dead WHERE id = ?1 RETURNING priority, kind, body, key, given")?
        .query_row([id], |row| {
            let rank: i64 = row.get(0)?;
            let texts: (String, String, Option<String>) = (row.get(1)?, row.get(2)?, row.get(3)?);
            Ok((rank, texts, row.get::<_, i64>(4)?))
        })
        .optional()?;
    let Some((rank, (kind, body, key), given)) = found else { return Ok(false) };
    connection
        .prepare_cached(
            "INSERT INTO messages (id, priority, due, kind, body, key, attempt, given, leased)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, 0)",
        )?
        .execute(params![id, rank, millis(now), kind, body, key, given])?;
    Ok(true)
}

/// How many wait, are given out, and were given up.
pub(super) fn counts(connection: &Connection, now: Time) -> rusqlite::Result<[u64; 3]> {
    let counted = "SELECT (SELECT count(*) FROM messages),
        (SELECT count(*) FROM messages WHERE leased = 1 AND due > ?1), (SELECT count(*) FROM dead)";
    let [all, leased, dead] = connection
        .prepare_cached(counted)?
        .query_row([millis(now)], |row| Ok([row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?]))?;
    Ok([all - leased, leased, dead].map(|count| u64::try_from(count).unwrap_or(0)))
}
