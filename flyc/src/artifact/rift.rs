//! `config.json` of a Rift server: the cache of images and artifacts, and remote Docker, near the runners.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Artifact, Cloud, FORMAT_VERSION, Resources};

/// A Rift server. Every default is filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiftConfig {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// The name, unique in the Nest.
    pub name: String,
    /// The host name runners reach the server by; none means the address its machine gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The TCP port it listens on.
    pub port: u16,
    /// Where its machine is made.
    pub cloud: Cloud,
    /// How large the machine is, its cache aside.
    pub resources: Resources,
    /// What it keeps.
    pub cache: RiftCache,
    /// The registries it fetches from, by the author's names.
    pub upstreams: BTreeMap<String, Upstream>,
    /// Who may use it.
    pub auth: RiftAuth,
}

impl Artifact for RiftConfig {
    const WHAT: &'static str = "Rift configuration";

    fn format_version(&self) -> u32 {
        self.format_version
    }
}

impl RiftConfig {
    /// The current format version, for whoever builds the struct.
    pub const FORMAT_VERSION: u32 = FORMAT_VERSION;
}

/// How much a Rift server keeps, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiftCache {
    /// The most it holds, in bytes.
    pub max_size_bytes: u64,
    /// Seconds that something nobody asked for stays.
    pub max_age_s: u64,
    /// What makes room when it is full.
    pub eviction: Eviction,
}

/// Which things make room in a full cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Eviction {
    /// What was used longest ago.
    Lru,
    /// What was used least often.
    Lfu,
    /// What came first.
    Fifo,
}

impl Eviction {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Lru, Self::Lfu, Self::Fifo];

    /// The name that stands in `.fly` files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lru => "lru",
            Self::Lfu => "lfu",
            Self::Fifo => "fifo",
        }
    }
}

/// A registry that a Rift server fetches from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// Its address.
    pub url: String,
    /// The name to sign in with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// URI of the password or token to sign in with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_secret: Option<String>,
}

/// Who may use a Rift server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiftAuth {
    /// How a runner proves that it may.
    pub method: RiftAuthMethod,
    /// Seconds that a runner's token or certificate is good for.
    pub token_ttl_s: u64,
    /// The eggs and buckets whose runners may, by name.
    pub eggs: Vec<String>,
}

/// How a runner proves that it may use a Rift server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RiftAuthMethod {
    /// By a token made for it.
    RunnerToken,
    /// By a client certificate made for it.
    Mtls,
}

impl RiftAuthMethod {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::RunnerToken, Self::Mtls];

    /// The name that stands in `.fly` files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RunnerToken => "runner_token",
            Self::Mtls => "mtls",
        }
    }
}
