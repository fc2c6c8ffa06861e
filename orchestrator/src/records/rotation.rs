//! The rotation of an egg's runner tokens, as it stands in the egg's row: how far it is, and what goes when it is over.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::domain::Time;

/// How far a rotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RotationStep {
    /// The runners that stay are registered in GitLab, and their tokens are the current versions of their secrets.
    Register,
    /// The machines go over to them, and finish what they run for the others.
    Drain,
    /// The others are taken out of GitLab, and their tokens are good for nothing.
    Revoke,
    /// It is over.
    Done,
}

/// What becomes of the runner at one project or group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// GitLab's id of the runner that was there before.
    pub old: u64,
    /// The version of the secret that holds its token, where the backend counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_version: Option<u64>,
    /// GitLab's id of the runner that takes its place, once its token is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<u64>,
    /// The version of the secret that holds the new one's token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_version: Option<u64>,
}

/// The rotation that goes on, or the last one there was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// Who asked for it.
    pub actor: String,
    /// When.
    pub since: Time,
    /// How far it is.
    pub step: RotationStep,
    /// When it came so far.
    pub moved: Time,
    /// Whether it is undone: then the old runners stay, and the new ones go.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undo: bool,
    /// Its runners, by repository as in [`super::EggRecord::registered`].
    pub turns: BTreeMap<String, Turn>,
    /// The egg's revision by which every machine works before anything is revoked.
    pub revision: u64,
    /// Since when nobody is known to work with what goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<Time>,
    /// What it waits for, or why the last attempt failed; without secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Rotation {
    /// How long a value that was read before a change may be held by another process: what is newer is read by its version.
    const HELD: Duration = Duration::from_mins(10);

    /// One that was just asked for.
    pub fn new(actor: &str, now: Time) -> Self {
        Self {
            actor: actor.to_owned(),
            since: now,
            step: RotationStep::Register,
            moved: now,
            undo: false,
            turns: BTreeMap::new(),
            revision: 0,
            quiet: None,
            note: None,
        }
    }

    /// Whether there is something left to do.
    pub fn goes_on(&self) -> bool {
        self.step != RotationStep::Done
    }

    /// It comes to its next step.
    pub fn come_to(&mut self, step: RotationStep, now: Time) {
        self.step = step;
        self.moved = now;
        self.quiet = None;
        self.note = None;
    }

    /// The runner that goes from a place, as far as one is known.
    pub fn leaving(&self, place: &str) -> Option<u64> {
        let turn = self.turns.get(place)?;
        if self.undo { turn.new } else { turn.new.and(Some(turn.old)) }
    }

    /// The version of the secret that holds the token of the runner that stays, while others may still hold an older one.
    pub fn fresh_version(&self, place: &str, now: Time) -> Option<u64> {
        let turn = self.turns.get(place).filter(|_| now.since(self.moved) < Self::HELD)?;
        if self.undo { turn.old_version } else { turn.new_version }
    }
}
