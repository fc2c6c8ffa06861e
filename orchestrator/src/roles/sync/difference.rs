//! What a new commit changes of the eggs' rows. Pure; what stays as it is isn't written.

use std::collections::{BTreeMap, BTreeSet};

use super::build::Owner;
use crate::{
    domain::Time,
    ports::store::Write,
    records::{Changes, EggRecord, Served, Versioned, insert},
};

/// The changes, and the rows that are written for them.
pub(super) fn difference(
    rows: &[Versioned<EggRecord>],
    owners: &BTreeMap<String, Owner>,
    commit: &str,
    now: Time,
) -> (Changes, Vec<Write>) {
    let (mut changes, mut writes) = (Changes::default(), Vec::new());
    let known: BTreeMap<&str, &Versioned<EggRecord>> =
        rows.iter().map(|row| (row.record.name.as_str(), row)).collect();
    for (name, owner) in owners {
        let Some(row) = known.get(name.as_str()) else {
            changes.added.push(name.clone());
            writes.push(insert(&EggRecord::new(name, owner.served.clone(), &owner.digest, commit, now)));
            continue;
        };
        let was = &row.record;
        if !was.removed && was.digest == owner.digest && was.served == owner.served {
            continue;
        }
        let list = if was.removed { &mut changes.added } else { &mut changes.changed };
        list.push(name.clone());
        let record = EggRecord {
            served: owner.served.clone(),
            digest: owner.digest.clone(),
            commit: commit.to_owned(),
            removed: false,
            revision: was.revision + u64::from(gives_otherwise(&was.served, &owner.served)),
            // What failed before may go well now.
            failures: 0,
            retry_at: None,
            error: None,
            updated: now,
            synced: now,
            ..was.clone()
        };
        writes.push(Versioned { record, version: row.version }.update());
    }
    for row in rows.iter().filter(|row| !row.record.removed && !owners.contains_key(&row.record.name)) {
        changes.removed.push(row.record.name.clone());
        let record = EggRecord {
            removed: true,
            failures: 0,
            retry_at: None,
            error: None,
            updated: now,
            ..row.record.clone()
        };
        writes.push(Versioned { record, version: row.version }.update());
    }
    (changes, writes)
}

/// Whether runners that are there already were given something else by their tickets: tokens or variables.
fn gives_otherwise(was: &Served, is: &Served) -> bool {
    match (was, is) {
        (Served::Egg(was), Served::Egg(is)) => {
            was.repositories != is.repositories || was.environment != is.environment
        }
        (Served::Job(was), Served::Job(is)) => was.project != is.project || was.environment != is.environment,
        _ => true,
    }
}

/// Adds what a sync that was cut off had told.
pub(super) fn join(changes: &mut Changes, begun: &Changes) {
    let pairs = [
        (&mut changes.added, &begun.added),
        (&mut changes.changed, &begun.changed),
        (&mut changes.removed, &begun.removed),
    ];
    for (list, more) in pairs {
        let all: BTreeSet<String> = list.drain(..).chain(more.iter().cloned()).collect();
        list.extend(all);
    }
}
