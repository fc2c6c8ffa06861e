//! `leases`: who may do what only one at a time may do. A lease has a number that grows with every holder.

use std::time::Duration;

use super::{
    Record, Versioned, all, get, insert,
    row::{Columns, int, text, time},
};
use crate::{
    domain::{Fence, Time},
    ports::store::{Row, Store, StoreError, Table, Value},
};

/// A lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Of what: `egg/NAME`, `sync`, `decide`.
    pub name: String,
    /// Who has it; empty when nobody does.
    pub owner: String,
    /// The number of this holder.
    pub fence: Fence,
    /// When it ends unless it is renewed.
    pub until: Time,
}

impl Record for Lease {
    const TABLE: Table = Table("leases");

    fn key(&self) -> Vec<Value> {
        vec![Value::Text(self.name.clone())]
    }

    fn to_row(&self) -> Row {
        Columns::default()
            .text("lease_name", &self.name)
            .text("owner", &self.owner)
            .int("fencing_token", self.fence.0)
            .time("expires_at", self.until)
            .row()
    }

    fn from_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            name: text(row, "lease_name")?,
            owner: text(row, "owner")?,
            fence: Fence(int(row, "fencing_token")?),
            until: time(row, "expires_at")?,
        })
    }
}

/// A lease that one holds. Put [`Versioned::unchanged`] of it into a transaction, and that holds only while the lease does.
pub type Held = Versioned<Lease>;

/// Takes a lease; none when somebody else has it.
pub async fn acquire(
    store: &dyn Store,
    name: &str,
    owner: &str,
    span: Duration,
    now: Time,
) -> Result<Option<Held>, StoreError> {
    let found = get::<Lease>(store, vec![Value::Text(name.to_owned())]).await?;
    let (fence, write) = match &found {
        Some(found)
            if !found.record.owner.is_empty() && found.record.owner != owner && now < found.record.until =>
        {
            return Ok(None);
        }
        Some(found) => (Fence(found.record.fence.0 + 1), Some(found)),
        None => (Fence(1), None),
    };
    let lease = Lease { name: name.to_owned(), owner: owner.to_owned(), fence, until: now.plus(span) };
    let (write, version) = match write {
        Some(found) => {
            (Versioned { record: lease.clone(), version: found.version }.update(), found.version + 1)
        }
        None => (insert(&lease), 1),
    };
    match store.commit(vec![write]).await {
        Ok(()) => Ok(Some(Versioned { record: lease, version })),
        Err(StoreError::Conflict(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Keeps a lease for longer; none when it has gone to somebody else.
pub async fn renew(
    store: &dyn Store,
    held: &Held,
    span: Duration,
    now: Time,
) -> Result<Option<Held>, StoreError> {
    let lease = Lease { until: now.plus(span), ..held.record.clone() };
    let next = Versioned { record: lease, version: held.version };
    match store.commit(vec![next.update()]).await {
        Ok(()) => Ok(Some(Versioned { version: held.version + 1, ..next })),
        Err(StoreError::Conflict(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Gives a lease back. Its row stays, so that the next holder's number is a greater one.
pub async fn release(store: &dyn Store, held: &Held, now: Time) -> Result<(), StoreError> {
    let lease = Lease { owner: String::new(), until: now, ..held.record.clone() };
    match store.commit(vec![Versioned { record: lease, version: held.version }.update()]).await {
        Ok(()) | Err(StoreError::Conflict(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Ends all leases: whoever has the database for itself knows at its start that nobody holds one. They keep the name of who
/// had them, so that the next holder knows that what was done under it may have been left behind.
pub async fn end_all(store: &dyn Store, now: Time) -> Result<(), StoreError> {
    for held in all::<Lease>(store, None, None).await? {
        if !held.record.owner.is_empty() && now < held.record.until {
            let lease = Lease { until: now, ..held.record.clone() };
            store.commit(vec![Versioned { record: lease, version: held.version }.update()]).await?;
        }
    }
    Ok(())
}
