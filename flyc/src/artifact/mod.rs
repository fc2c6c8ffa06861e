//! The files `flyc build` writes and the orchestrator reads, as versioned types.
//!
//! Here live the shapes of `config.json`, `manifest.json` and `source-map.json`, how they become text and how they are
//! read back. Reading is strict: an unknown field or another format version is an error, never a guess. Secrets stand
//! here as URIs only; a type of this room has no place for a secret's value.
//!
//! Never here: how artifacts are made (`lower`), where they are written (`host`), and anything impure.

mod block;
mod egg;
mod job;
mod manifest;
mod mothergoose;
mod rift;
mod source_map;

use serde::{Serialize, de::DeserializeOwned};

pub use block::{Block, BlockConfig, BlockValue};
pub use egg::{
    Cloud, EggConfig, EggKind, EnvValue, Executor, Offer, Provider, Repository, Resources, RiftReference,
    Runner, RunnerType,
};
pub use job::{JobConfig, JobProject, Schedule};
pub use manifest::{Entry, EntryKind, Manifest};
pub use mothergoose::{
    ApiGateway, AuthFunction, Bucket, Code, Column, ColumnType, Component, Components, Cors, Database,
    DatabaseMode, DeadLetterQueue, Index, LifecycleRule, MessageQueues, Metric, MothergooseConfig, Network,
    Queue, Scaling, Service, ServiceAccount, Site, Storage, Table, Trigger,
};
pub use rift::{Eviction, RiftAuth, RiftAuthMethod, RiftCache, RiftConfig, Upstream};
pub use source_map::{Mapping, Origin, Origins, SourceMap};

/// The version of all artifact formats; a reader accepts exactly its own.
pub const FORMAT_VERSION: u32 = 1;

/// Why an artifact could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// The text is not JSON of this shape.
    #[error("this is not a valid {what}: {source}")]
    Json {
        /// What was expected.
        what: &'static str,
        /// What serde found.
        source: serde_json::Error,
    },
    /// The artifact was made by another version of the compiler.
    #[error(
        "this {what} has format version {found}, and only version {FORMAT_VERSION} is known; build the Nest anew"
    )]
    Version {
        /// What was expected.
        what: &'static str,
        /// The version in the file.
        found: u32,
    },
}

/// A file of `flyc build`.
pub trait Artifact: Serialize + DeserializeOwned {
    /// What the file is called in messages.
    const WHAT: &'static str;

    /// The format version the value carries.
    fn format_version(&self) -> u32;

    /// The file's text: JSON, indented, ending in a newline; the same value always gives the same bytes.
    fn to_json(&self) -> Result<String, ArtifactError> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|source| ArtifactError::Json { what: Self::WHAT, source })?;
        Ok(text + "\n")
    }

    /// Reads a file's text.
    fn from_json(text: &str) -> Result<Self, ArtifactError> {
        /// Only the version, so that a file of a later format says so and not "unknown field".
        #[derive(serde::Deserialize)]
        struct Version {
            format_version: u32,
        }
        let json = |source| ArtifactError::Json { what: Self::WHAT, source };
        let Version { format_version: found } = serde_json::from_str(text).map_err(json)?;
        if found != FORMAT_VERSION {
            return Err(ArtifactError::Version { what: Self::WHAT, found });
        }
        serde_json::from_str(text).map_err(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_and_an_unknown_field_are_told_apart() {
        let manifest = Manifest::new("2026", "0.1.0", "00");
        let text = manifest.to_json().unwrap();
        assert_eq!(Manifest::from_json(&text).unwrap(), manifest);

        let later = text.replace("\"format_version\": 1", "\"format_version\": 2, \"more\": true");
        assert!(matches!(Manifest::from_json(&later), Err(ArtifactError::Version { found: 2, .. })));
        let unknown = text.replace("\"edition\"", "\"more\": true, \"edition\"");
        assert!(matches!(Manifest::from_json(&unknown), Err(ArtifactError::Json { .. })));
    }
}
