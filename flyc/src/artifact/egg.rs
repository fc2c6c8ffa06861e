//! `config.json`: the typed, fully resolved configuration of one egg or bucket.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Artifact, FORMAT_VERSION};

/// An egg, or a bucket of several repositories that share runners. Every default is filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EggConfig {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// Whether this is an egg or a bucket.
    pub kind: EggKind,
    /// The name, unique in the Nest.
    pub name: String,
    /// What a runner is made of.
    pub runner_type: RunnerType,
    /// Where runners are made.
    pub cloud: Cloud,
    /// How large one runner is.
    pub resources: Resources,
    /// How runners take jobs.
    pub runner: Runner,
    /// The GitLab projects and groups that are served; an egg has exactly one.
    pub repositories: Vec<Repository>,
    /// Variables every job sees, by name.
    pub environment: BTreeMap<String, EnvValue>,
    /// The Rift (artifact and image cache) the runners use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rift: Option<RiftReference>,
}

impl Artifact for EggConfig {
    const WHAT: &'static str = "egg configuration";

    fn format_version(&self) -> u32 {
        self.format_version
    }
}

impl EggConfig {
    /// The current format version, for whoever builds the struct.
    pub const FORMAT_VERSION: u32 = FORMAT_VERSION;
}

/// The kind of block a configuration came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EggKind {
    /// `egg`
    Egg,
    /// `eggsbucket`
    Bucket,
}

/// The kinds of runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunnerType {
    /// A virtual machine, or a process for [`Provider::Local`].
    Vm,
    /// A serverless container.
    Serverless,
}

/// The clouds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Yandex Cloud.
    Yandex,
    /// Amazon Web Services.
    Aws,
    /// Processes on the orchestrator's own machine.
    Local,
}

impl Provider {
    /// Every cloud.
    pub const ALL: [Self; 3] = [Self::Yandex, Self::Aws, Self::Local];

    /// The name that stands in `.fly` files and in folder names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Yandex => "yandex",
            Self::Aws => "aws",
            Self::Local => "local",
        }
    }
}

/// Where runners are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cloud {
    /// The cloud.
    pub provider: Provider,
    /// The region; on Yandex Cloud it may name a zone. Empty for [`Provider::Local`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// The availability zone. Empty for [`Provider::Local`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub zone: String,
    /// The network's id, when it is not the installation's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// The subnet's id, when it is not the installation's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet: Option<String>,
    /// The id or family of the disk image.
    pub image: String,
    /// What of the cloud's offers the egg's `resources` come to. None for [`Provider::Local`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Offer>,
}

/// A machine or container as the cloud sells it: at least what `resources` ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// The platform on Yandex Cloud, the instance type on AWS.
    pub name: String,
    /// Virtual CPUs.
    pub cpu: u32,
    /// The share of each CPU that is guaranteed, in percent.
    pub core_fraction: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
}

/// How large one runner is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    /// Virtual CPUs.
    pub cpu: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// Disk in GiB.
    pub disk_gib: u64,
}

/// How runners take jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "these are the independent switches of the `runner` block")]
pub struct Runner {
    /// The GitLab tags, in the author's order.
    pub tags: Vec<String>,
    /// The most runners that work at one time.
    pub concurrent: u32,
    /// Seconds a runner without a job stays active.
    pub idle_timeout_s: u64,
    /// The longest a job may take, in seconds.
    pub timeout_s: u64,
    /// Whether jobs without tags are taken.
    pub run_untagged: bool,
    /// Whether only jobs of protected refs are taken.
    pub protected: bool,
    /// How gitlab-runner runs a job.
    pub executor: Executor,
    /// The container image of jobs that name none; of a serverless runner the image it starts from itself, and then
    /// empty for the installation's own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub image: String,
    /// Whether job containers run privileged.
    pub privileged: bool,
    /// Whether a runner is destroyed after one job.
    pub ephemeral: bool,
}

/// gitlab-runner's executors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Executor {
    /// Each job runs in a container.
    Docker,
    /// Each job runs in a shell on the runner itself.
    Shell,
}

/// One GitLab project or group. Exactly one of `project_id` and `group_id` is present.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// The name within its bucket; none in an egg.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The GitLab server's name.
    pub server: String,
    /// The project's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<u64>,
    /// The group's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_id: Option<u64>,
    /// URI of the GitLab API token.
    pub api_token_secret: String,
    /// URI of the runner's token.
    pub token_secret: String,
    /// URI of the webhook's secret.
    pub webhook_secret: String,
}

/// The value of an environment variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvValue {
    /// The text itself.
    Text(String),
    /// The URI of a secret that is read on the runner.
    Secret(String),
}

/// The egg's reference to a Rift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiftReference {
    /// The Rift's name.
    pub name: String,
    /// Whether container images are pulled through it.
    pub docker_proxy: bool,
    /// Whether artifacts and caches are kept in it.
    pub artifact_cache: bool,
}
