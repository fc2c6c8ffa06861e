//! Deployment plans: which may be applied, once, and on which state.

use serde::{Deserialize, Serialize};

use super::Time;

/// A number that grows with every holder of a lease: who comes with an older one has lost it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fence(pub u64);

/// Which state of OpenTofu a plan was made on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StateMark {
    /// The lineage: one a state for all its life. Empty when there is none yet.
    pub lineage: String,
    /// The serial: grows with every change.
    pub serial: u64,
}

/// What has become of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanStatus {
    /// It can be applied.
    Pending,
    /// It is being applied, or was when whoever did it went away.
    Applying,
    /// It was applied.
    Applied,
    /// It was tried and went wrong.
    Failed,
    /// Another plan took its place.
    Superseded,
    /// It was applied, and a later rollback went back behind it.
    RolledBack,
}

/// A plan, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Its id, which also is its ticket: it is used up by applying it.
    pub id: String,
    /// The egg it is for.
    pub egg: String,
    /// The digest of what it was planned from.
    pub digest: String,
    /// The commit of the Nest.
    pub commit: String,
    /// The state it was planned on.
    pub on: StateMark,
    /// Who planned it.
    pub fence: Fence,
    /// What has become of it.
    pub status: PlanStatus,
    /// When it was made.
    pub made: Time,
}

/// Why a plan may not be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It was used already.
    #[error("the plan `{id}` has been used already")]
    Used {
        /// Its id.
        id: String,
    },
    /// The state is another by now.
    #[error("the plan `{id}` was made on another state ({made_on}, now {now}); make a new one", made_on = .planned.serial, now = .found.serial)]
    Stale {
        /// Its id.
        id: String,
        /// The state it was made on.
        planned: StateMark,
        /// The state there is.
        found: StateMark,
    },
    /// Somebody else deploys the egg by now.
    #[error("the lease of `{egg}` has gone to somebody else")]
    LostLease {
        /// The egg.
        egg: String,
    },
}

impl Plan {
    /// Whether it may be applied to the state that is there, by whoever holds the egg's lease.
    ///
    /// # Errors
    ///
    /// When it was used, the state is another, or the lease has gone to somebody else.
    pub fn may_apply(&self, found: &StateMark, holder: Fence) -> Result<(), Refused> {
        if self.status != PlanStatus::Pending {
            return Err(Refused::Used { id: self.id.clone() });
        }
        if self.fence != holder {
            return Err(Refused::LostLease { egg: self.egg.clone() });
        }
        if self.on != *found {
            return Err(Refused::Stale {
                id: self.id.clone(),
                planned: self.on.clone(),
                found: found.clone(),
            });
        }
        Ok(())
    }
}
