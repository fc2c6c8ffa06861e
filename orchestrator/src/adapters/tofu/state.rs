//! The state of an owner, and its lock: files that `OpenTofu` writes and this reads.
//!
//! `OpenTofu` locks the state by the operating system and says who has it in a file beside it. When the process is killed the
//! lock is gone and the file stays, and the next run would go on as if nothing had been. Here it is a lock that was left behind:
//! whoever deploys is told, and frees it.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use nix::{
    fcntl::{FcntlArg, fcntl},
    libc,
};
use serde::Deserialize;

use super::{machine, places};
use crate::{
    domain::StateMark,
    ports::tofu::{FoundLock, TofuError},
};

/// What of a state is read.
#[derive(Deserialize)]
struct StateFile {
    #[serde(default)]
    lineage: String,
    #[serde(default)]
    serial: u64,
    #[serde(default)]
    resources: Vec<serde_json::Value>,
}

fn read(state: &Path, owner: &str) -> Result<Option<StateFile>, TofuError> {
    match fs::read(state) {
        // A first apply that was killed leaves it empty.
        Ok(bytes) if bytes.is_empty() => Ok(None),
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| TofuError::Machine {
            owner: owner.to_owned(),
            reason: format!("its state can't be read: {error}"),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(machine(owner)(error)),
    }
}

/// Which state there is.
pub(super) fn mark(state: &Path, owner: &str) -> Result<StateMark, TofuError> {
    let none = StateMark { lineage: String::new(), serial: 0 };
    Ok(read(state, owner)?.map_or(none, |file| StateMark { lineage: file.lineage, serial: file.serial }))
}

/// Whether nothing exists any more that the state speaks of.
pub(super) fn is_empty(state: &Path, owner: &str) -> Result<(), TofuError> {
    match read(state, owner)?.map_or(0, |file| file.resources.len()) {
        0 => Ok(()),
        number => Err(TofuError::Failed {
            owner: owner.to_owned(),
            message: format!("{number} resources still exist; apply a fleet without runners first"),
            transient: false,
        }),
    }
}

/// What stands in the file beside a locked state.
#[derive(Deserialize)]
struct LockFile {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "Operation", default)]
    operation: String,
    #[serde(rename = "Who", default)]
    who: String,
    #[serde(rename = "Created", default)]
    created: String,
}

fn lock_file(state: &Path) -> Option<PathBuf> {
    Some(state.with_file_name(format!(".{}.lock.info", state.file_name()?.to_str()?)))
}

fn lock(state: &Path) -> Option<FoundLock> {
    let LockFile { id, operation, who, created } =
        serde_json::from_slice(&fs::read(lock_file(state)?).ok()?).ok()?;
    Some(FoundLock { id, who, operation, created })
}

/// The process that has the state, if one has.
fn holder(state: &Path) -> io::Result<Option<i32>> {
    let file = match File::open(state) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the constants are small, whatever type they have here"
    )]
    let mut wanted = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    fcntl(&file, FcntlArg::F_GETLK(&mut wanted))?;
    Ok((i32::from(wanted.l_type) != i32::from(libc::F_UNLCK as i16)).then_some(wanted.l_pid))
}

/// A lock that nobody has any more is an error.
pub(super) fn left_behind(state: &Path, owner: &str) -> Result<(), TofuError> {
    match lock(state) {
        // Who has it says so better by itself: `tofu` waits for it a while.
        Some(lock) if holder(state).map_err(machine(owner))?.is_none() => {
            Err(TofuError::Locked { owner: owner.to_owned(), lock })
        }
        _ => Ok(()),
    }
}

/// Frees a lock that nobody has any more. One that is gone already is free.
pub(super) fn unlock(state: &Path, owner: &str, freed: &FoundLock) -> Result<(), TofuError> {
    let Some(found) = lock(state) else { return Ok(()) };
    if found.id != freed.id {
        return Err(TofuError::Locked { owner: owner.to_owned(), lock: found });
    }
    if let Some(process) = holder(state).map_err(machine(owner))? {
        return Err(TofuError::Failed {
            owner: owner.to_owned(),
            message: format!("the process {process} of this machine still works on the state"),
            transient: true,
        });
    }
    lock_file(state).map_or(Ok(()), |file| places::remove_file(&file)).map_err(machine(owner))
}
