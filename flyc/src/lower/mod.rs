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
mod marks;
pub mod outline;
mod render;
mod sizing;
mod vm;

use crate::artifact::{ArtifactError, EggConfig, Origins, Provider, Resources, RunnerType};

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
    #[error("no machine on {cloud} has {cpu} CPUs and {memory_gib} GiB of memory")]
    TooLarge {
        /// The cloud.
        cloud: &'static str,
        /// The CPUs asked for.
        cpu: u32,
        /// The memory asked for.
        memory_gib: u64,
    },
    /// This kind of runner is not lowered by this function.
    #[error("runners of type `{runner_type}` can't be lowered for {provider}")]
    Unsupported {
        /// The runner's type.
        runner_type: &'static str,
        /// The cloud.
        provider: &'static str,
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
            Self::Nul { path } => Some(path),
            Self::TooLarge { .. } => Some("resources"),
            Self::Unsupported { .. } => Some("type"),
            Self::Artifact(_) | Self::Template { .. } => None,
        }
    }
}

/// The files of an egg, under `eggs/<name>/`: its configuration, its `OpenTofu` root module, cloud-init and source map.
pub fn egg(config: &EggConfig, origins: &Origins, options: &Options) -> Result<Vec<File>, LowerError> {
    config::validate(config, options)?;
    match config.runner_type {
        RunnerType::Vm => vm::files(config, origins, options),
        RunnerType::Serverless => {
            Err(LowerError::Unsupported { runner_type: "serverless", provider: config.cloud.provider.name() })
        }
    }
}

/// Whether the cloud has machines this large; answered from tables, without lowering anything.
pub fn fits(provider: Provider, resources: &Resources) -> Result<(), LowerError> {
    match provider {
        Provider::Yandex => sizing::yandex(resources).map(drop),
        Provider::Aws => sizing::aws(resources).map(drop),
        Provider::Local => Ok(()),
    }
}

/// The most CPUs and the most memory (GiB) that one machine of the cloud can have, though perhaps not the same machine.
pub fn largest(provider: Provider) -> Option<(u32, u64)> {
    match provider {
        Provider::Yandex => Some(sizing::YANDEX_LARGEST),
        Provider::Aws => Some(sizing::aws_largest()),
        Provider::Local => None,
    }
}

/// The shared Compute Module of a cloud, under `compute-module/<cloud>/`.
pub fn compute_module(provider: Provider) -> Vec<File> {
    compute::files(provider)
}

/// Text as one word of a POSIX shell script, in which the shell expands nothing; none when it has a NUL.
pub fn shell_word(text: &str) -> Option<String> {
    escape::shell::quote(text).ok()
}

#[cfg(test)]
mod tests;
