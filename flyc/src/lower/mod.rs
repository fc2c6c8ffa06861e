//! Lowering: from a typed configuration to the texts of `OpenTofu` modules and cloud-init.
//!
//! Everything here is a pure function from values to texts: the same configuration always gives the same bytes. One
//! folder a target: `tofu` (an egg's root module), `compute` (the shared Compute Module each root module calls),
//! `cloud_init` (what a new machine is told). `escape` makes sure that a value stays a plain value in all of them.
//!
//! Never here: files, the clock, the environment, checks of what an author may write (`check` has them all), and the
//! value of any secret.

mod compute;
mod config;
mod escape;
mod fleet;
mod marks;
mod mothergoose;
pub mod outline;
mod render;
mod rift;
mod room;
mod root;
mod serverless;
mod sizing;
pub mod sizing_serverless;
mod sizing_tables;
mod vm;

use self::fleet::Fleet;
pub use self::{
    mothergoose::Installation,
    rift::{cache_disk_gib, largest_cache_gib},
    room::{Room, egg_room, job_room, rift_room},
    sizing::{Market, Shape, Smaller, Times},
};
use crate::artifact::{
    Artifact, ArtifactError, EggConfig, JobConfig, MothergooseConfig, Origins, Provider, RiftConfig,
    RunnerType,
};

/// A generated file: its path relative to the build's folder, with `/`, and its text.
pub type File = (String, String);

/// What lowering depends on beside the egg.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The Nest's name, for owner labels.
    pub nest: String,
    /// Where `OpenTofu` keeps state; none means [`Backend::of`] the egg's cloud.
    pub backend: Option<Backend>,
}

impl Options {
    /// The defaults for a Nest.
    pub fn new(nest: impl Into<String>) -> Self {
        Self { nest: nest.into(), backend: None }
    }
}

/// Where `OpenTofu` keeps state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Backend {
    /// An S3 bucket, with a lock file an egg.
    S3,
    /// A local file.
    Local,
}

impl Backend {
    /// What a cloud uses unless told otherwise.
    pub const fn of(provider: Provider) -> Self {
        match provider {
            Provider::Yandex | Provider::Aws => Self::S3,
            Provider::Local => Self::Local,
        }
    }
}

/// Why a configuration can't be lowered.
#[derive(Debug, thiserror::Error)]
pub enum LowerError {
    /// The name would not be safe as a folder and state key.
    #[error("`{name}` can't name a folder: only letters, digits, `-`, `_` and inner `.` can stand in it")]
    Name {
        /// The name.
        name: String,
    },
    /// A value that the cloud needs is not there.
    #[error("`{path}` is needed for runners on {provider}")]
    Missing {
        /// The configuration path.
        path: &'static str,
        /// The cloud.
        provider: &'static str,
    },
    /// No text file can hold the value.
    #[error("`{path}` contains a NUL character, which no generated file can hold")]
    Nul {
        /// The configuration path.
        path: String,
    },
    /// No machine of the cloud is large enough.
    #[error("no machine on {cloud} has {cpu} CPUs and {memory_gib}GiB of memory")]
    TooLarge {
        /// The cloud.
        cloud: &'static str,
        /// The CPUs asked for.
        cpu: u32,
        /// The memory asked for.
        memory_gib: u64,
    },
    /// No container of the cloud is large enough.
    #[error(
        "no serverless runner on {cloud} has {} CPUs, {} MiB of memory and {} GiB of disk",
        error.asked.cpu, error.asked.memory_mib, error.asked.disk_gib
    )]
    NoContainer {
        /// The cloud.
        cloud: &'static str,
        /// What is too large, and what there is.
        error: sizing_serverless::TooLarge,
    },
    /// The cloud has no such thing.
    #[error("{message}")]
    Limit {
        /// The configuration path.
        path: String,
        /// What it can't do.
        message: String,
        /// What to write instead.
        help: String,
    },
    /// An artifact could not be written.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// A template is wrong: a defect of the compiler.
    #[error("the template {template} failed: {message}")]
    Template {
        /// The template.
        template: String,
        /// What minijinja said.
        message: String,
    },
}

impl LowerError {
    /// The configuration path the error is about, for finding its origin.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Name { .. } => Some("name"),
            Self::Missing { path, .. } => Some(path),
            Self::Nul { path } | Self::Limit { path, .. } => Some(path),
            Self::TooLarge { .. } => Some("resources"),
            Self::NoContainer { error, .. } => Some(match error.attributes().next() {
                Some("cpu") => "resources.cpu",
                Some("memory") => "resources.memory",
                Some("disk") => "resources.disk",
                _ => "resources",
            }),
            Self::Artifact(_) | Self::Template { .. } => None,
        }
    }
}

/// The files of an egg, under `eggs/<name>/`: its configuration, its `OpenTofu` root module, what runners are told, and
/// the source map.
pub fn egg(config: &EggConfig, origins: &Origins, options: &Options) -> Result<Vec<File>, LowerError> {
    config::validate(&config.name, config, options)?;
    files(&Fleet::from(config), config.to_json()?, origins, options)
}

/// The files of a job, under `jobs/<name>/`: the same as an egg's.
pub fn job(config: &JobConfig, origins: &Origins, options: &Options) -> Result<Vec<File>, LowerError> {
    config::validate(&config.name, config, options)?;
    files(&Fleet::from(config), config.to_json()?, origins, options)
}

/// The files of a Rift server, under `rift/<name>/`: the same as an egg's, but that the module calls no other.
pub fn rift(config: &RiftConfig, origins: &Origins, options: &Options) -> Result<Vec<File>, LowerError> {
    config::validate(&config.name, config, options)?;
    root::files(&rift::root(config), config.to_json()?, origins, options, rift::parts(config)?)
}

fn files(
    fleet: &Fleet<'_>,
    config: String,
    origins: &Origins,
    options: &Options,
) -> Result<Vec<File>, LowerError> {
    let parts = match ComputeModule::of(fleet.cloud.provider, fleet.runner_type) {
        ComputeModule::Yandex | ComputeModule::Aws | ComputeModule::Local => vm::parts(fleet)?,
        ComputeModule::YandexServerless => serverless::yandex(fleet)?,
        ComputeModule::AwsServerless => serverless::aws(fleet)?,
    };
    root::files(&fleet.root(), config, origins, options, parts)
}

/// The modules that root modules call: one for each cloud and kind of runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ComputeModule {
    /// A machine on Yandex Cloud.
    Yandex,
    /// A machine on AWS.
    Aws,
    /// A process of this machine, whatever the type of the runner.
    Local,
    /// A container of Yandex Serverless Containers.
    YandexServerless,
    /// A task of AWS Fargate.
    AwsServerless,
}

impl ComputeModule {
    /// Every module.
    pub const ALL: [Self; 5] =
        [Self::Yandex, Self::Aws, Self::Local, Self::YandexServerless, Self::AwsServerless];

    /// The module that makes such runners.
    pub const fn of(provider: Provider, runner_type: RunnerType) -> Self {
        match (provider, runner_type) {
            (Provider::Yandex, RunnerType::Vm) => Self::Yandex,
            (Provider::Yandex, RunnerType::Serverless) => Self::YandexServerless,
            (Provider::Aws, RunnerType::Vm) => Self::Aws,
            (Provider::Aws, RunnerType::Serverless) => Self::AwsServerless,
            (Provider::Local, _) => Self::Local,
        }
    }

    /// The name of its folder.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Yandex => "yandex",
            Self::Aws => "aws",
            Self::Local => "local",
            Self::YandexServerless => "yandex-serverless",
            Self::AwsServerless => "aws-serverless",
        }
    }
}

/// The module of a cloud's machines.
impl From<Provider> for ComputeModule {
    fn from(provider: Provider) -> Self {
        Self::of(provider, RunnerType::Vm)
    }
}

/// The files of the installation itself, under `mothergoose/`: its configuration and its `OpenTofu` root module.
pub fn mothergoose(
    config: &MothergooseConfig,
    origins: &Origins,
    options: &Options,
    installation: Installation<'_>,
) -> Result<Vec<File>, LowerError> {
    mothergoose::files(config, origins, options, installation)
}

/// What of an installation its cloud can't make, though it is written as it should be: each with its path and what to
/// write instead.
pub fn installation_limits(config: &MothergooseConfig) -> Vec<LowerError> {
    mothergoose::limits(config)
}

/// A shared Compute Module, under `compute-module/<name>/`.
pub fn compute_module(module: impl Into<ComputeModule>) -> Vec<File> {
    compute::files(module.into())
}

/// Text as one word of a POSIX shell script, in which the shell expands nothing; none when it has a NUL.
pub fn shell_word(text: &str) -> Option<String> {
    escape::shell::quote(text).ok()
}

#[cfg(test)]
mod tests;
