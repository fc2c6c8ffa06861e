//! What a change of a Nest does to the fleet: two states of it compared, piece by piece.
//!
//! Pure: two [`Snapshot`](crate::build::Snapshot)s in, a [`Plan`] out, in an order that depends on nothing else. `effects` knows what each
//! attribute does to runners, `values` how values are shown, `text`, `markdown` and `json` the forms of a plan. What
//! never lives here: where the two states come from (`host`), and anything of one Nest alone.

mod compare;
mod effects;
mod json;
mod markdown;
mod text;
mod values;

#[cfg(test)]
mod tests;

pub use compare::compare;
pub use effects::Effect;
pub use json::json;
pub use markdown::markdown;
pub use text::text;

use serde::Serialize;

use crate::build::Unknown;

/// The difference between two states of a Nest.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What is added, removed or changed, by kind and name. Formatting and comments change nothing.
    pub changes: Vec<Change>,
    /// What could not be understood in one of the states, and stands in the later one, so that nobody can say what becomes
    /// of it.
    pub not_compared: Vec<Unknown>,
}

impl Plan {
    /// How many changes there are of an action.
    pub fn count(&self, action: Action) -> usize {
        self.changes.iter().filter(|change| change.action == action).count()
    }

    /// `1 added, 2 changed`, or `nothing changes`.
    pub fn counts(&self) -> String {
        let parts: Vec<String> = Action::ALL
            .into_iter()
            .filter_map(|action| match self.count(action) {
                0 => None,
                count => Some(format!("{count} {}", action.word())),
            })
            .collect();
        if parts.is_empty() { "nothing changes".to_owned() } else { parts.join(", ") }
    }
}

/// What the older state was, for the head of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Against {
    /// As the user named it.
    pub revision: String,
    /// The commit it is, in full.
    pub commit: String,
    /// What else is to be said of it: that it held no Nest, or had errors.
    pub notes: Vec<String>,
}

impl Against {
    /// The first digits of the commit.
    pub fn short(&self) -> &str {
        self.commit.get(..10).unwrap_or(&self.commit)
    }

    /// `origin/main (0123456789)`
    fn title(&self) -> String {
        if self.revision == self.commit {
            self.short().to_owned()
        } else {
            format!("{} ({})", self.revision, self.short())
        }
    }
}

/// One thing that is added, removed or changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// What it is.
    pub kind: Kind,
    /// Its name; the Nest's own is its name after the change.
    pub name: String,
    /// The `.fly` file it stands in, or stood in when it is removed.
    pub file: String,
    /// What happens to it.
    pub action: Action,
    /// The gravest thing that happens to runners.
    pub effect: Effect,
    /// The same in words.
    pub consequence: String,
    /// The attributes that differ, by path; only of what is changed.
    pub attributes: Vec<AttributeChange>,
    /// What an author may want to know beside that.
    pub notes: Vec<String>,
}

/// The kinds of thing a plan tells of, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `nest`
    Nest,
    /// `egg`
    Egg,
    /// `eggsbucket`
    Bucket,
    /// `job`
    Job,
    /// `uglyfox`
    Uglyfox,
    /// `mothergoose`
    Mothergoose,
    /// `rift`
    Rift,
}

impl Kind {
    /// What it is called in a report.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Nest => "nest",
            Self::Egg => "egg",
            Self::Bucket => "bucket",
            Self::Job => "job",
            Self::Uglyfox => "uglyfox",
            Self::Mothergoose => "mothergoose",
            Self::Rift => "rift",
        }
    }

    /// Whether there may be several, told apart by name.
    const fn is_named(self) -> bool {
        !matches!(self, Self::Uglyfox | Self::Mothergoose)
    }

    /// Whether it has runners of its own that stay from job to job.
    const fn has_runners(self) -> bool {
        matches!(self, Self::Egg | Self::Bucket)
    }
}

/// What happens to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It was not there before.
    Added,
    /// It is there before and after, and differs.
    Changed,
    /// It is no longer there.
    Removed,
}

impl Action {
    /// Every action, in the order of a summary.
    pub const ALL: [Self; 3] = [Self::Added, Self::Changed, Self::Removed];

    /// `added`, `changed` or `removed`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }

    /// The mark before it in a report: `+`, `~` or `-`.
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Added => "+",
            Self::Changed => "~",
            Self::Removed => "-",
        }
    }
}

/// An attribute whose value differs.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributeChange {
    /// Where it stands within its block: `runner.tags`, `repositories.repo.api.gitlab.project_id`.
    pub path: String,
    /// The earlier value in Fly notation, secrets masked; none when there was none.
    pub old: Option<String>,
    /// The later value, likewise.
    pub new: Option<String>,
    /// What it does to runners.
    pub effect: Effect,
    /// Why, in words.
    pub why: &'static str,
}

impl Change {
    /// `egg "my-app"`, `uglyfox`
    pub fn title(&self) -> String {
        if self.kind.is_named() {
            format!("{} \"{}\"", self.kind.word(), self.name)
        } else {
            self.kind.word().to_owned()
        }
    }
}
