//! What `gosling link` and `gosling unlink` do in GitLab, thing by thing. Never here: URIs or values of secrets.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What becomes of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkChange {
    /// It is made.
    Make,
    /// It is brought to what it should be.
    Change,
    /// It is taken away.
    Remove,
    /// It is as it should be.
    Keep,
    /// That could not be done, or not be looked at.
    Fail,
}

/// The kind of a thing in GitLab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkedThing {
    /// A runner.
    Runner,
    /// A webhook.
    Webhook,
    /// A pipeline schedule.
    Schedule,
    /// A deploy key.
    DeployKey,
}

/// What becomes of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinkStep {
    /// What becomes of it.
    pub change: LinkChange,
    /// What it is.
    pub thing: LinkedThing,
    /// Where it is: `SERVER/projects/ID` or `SERVER/groups/ID`.
    pub place: String,
    /// The group that its project is looked after with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    /// Its name, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// GitLab's id of it; none before it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// What is changed of it, or why it could not be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What to do when it could not be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// What was done in GitLab, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinkReport {
    /// For whom: the name of an egg, `jobs/NAME`; none is the Nest itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Whether nothing was done, and only looked at.
    pub dry_run: bool,
    /// Thing by thing, in the order it was done.
    pub steps: Vec<LinkStep>,
    /// What else is to be known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}
