//! What an egg and a job have in common: a fleet of runners in a cloud.
//!
//! Lowering sees this alone, so a job's runners are made exactly as an egg's are. Never here: what is made of it.

use std::collections::BTreeMap;

use minijinja::{Value, context};
use serde::Serialize;

use super::{LowerError, root::Root};
use crate::artifact::{
    ArtifactError, Cloud, EggConfig, EnvValue, FORMAT_VERSION, JobConfig, Resources, RiftReference, Runner,
    RunnerType,
};

/// Whose runners they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// An egg's or a bucket's.
    Egg,
    /// A job's.
    Job,
}

impl Owner {
    /// The word for it, in labels, in variables of the Compute Module and in comments.
    const fn word(self) -> &'static str {
        match self {
            Self::Egg => "egg",
            Self::Job => "job",
        }
    }
}

/// The runners of an egg, a bucket or a job.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fleet<'a> {
    pub(super) owner: Owner,
    pub(super) name: &'a str,
    pub(super) runner_type: RunnerType,
    pub(super) cloud: &'a Cloud,
    pub(super) resources: &'a Resources,
    pub(super) runner: &'a Runner,
    pub(super) environment: &'a BTreeMap<String, EnvValue>,
    pub(super) rift: Option<&'a RiftReference>,
}

impl<'a> From<&'a EggConfig> for Fleet<'a> {
    fn from(egg: &'a EggConfig) -> Self {
        Self {
            owner: Owner::Egg,
            name: &egg.name,
            runner_type: egg.runner_type,
            cloud: &egg.cloud,
            resources: &egg.resources,
            runner: &egg.runner,
            environment: &egg.environment,
            rift: egg.rift.as_ref(),
        }
    }
}

impl<'a> From<&'a JobConfig> for Fleet<'a> {
    fn from(job: &'a JobConfig) -> Self {
        Self {
            owner: Owner::Job,
            name: &job.name,
            runner_type: job.runner_type,
            cloud: &job.cloud,
            resources: &job.resources,
            runner: &job.runner,
            environment: &job.environment,
            rift: None,
        }
    }
}

/// What the runner itself is told (`egg.json`): never where tokens are kept.
#[derive(Serialize)]
struct Told<'a> {
    format_version: u32,
    name: &'a str,
    runner: &'a Runner,
    environment: &'a BTreeMap<String, EnvValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rift: Option<&'a RiftReference>,
}

impl Fleet<'_> {
    /// Where the root module stands, and what its templates see.
    pub(super) fn root(&self) -> Root<'_> {
        let state_key = match self.owner {
            // An egg's name holds no `/`, so no egg's key is a job's.
            Owner::Egg => format!("tofu-states/{}/terraform.tfstate", self.name),
            Owner::Job => format!("tofu-states/jobs/{}/terraform.tfstate", self.name),
        };
        let folder = format!("{}s/{}", self.owner.word(), self.name);
        Root { folder, state_key, cloud: self.cloud, context: self.context() }
    }

    /// What every template sees of the owner.
    pub(super) fn context(&self) -> Value {
        let word = self.owner.word();
        context! {
            name => self.name,
            // A word of ours, which stands where no quotes may be.
            owner => Value::from_safe_string(word.to_owned()),
            owner_variable => format!("GOSLING_{}", word.to_uppercase()),
        }
    }

    /// The text of `egg.json`.
    pub(super) fn told(&self) -> Result<String, LowerError> {
        let told = Told {
            format_version: FORMAT_VERSION,
            name: self.name,
            runner: self.runner,
            environment: self.environment,
            rift: self.rift,
        };
        let text = serde_json::to_string_pretty(&told)
            .map_err(|source| ArtifactError::Json { what: "runner configuration", source })?;
        Ok(text + "\n")
    }
}
