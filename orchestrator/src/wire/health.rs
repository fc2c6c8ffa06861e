//! Whether the API is well.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The answer to `GET /health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// Whether it answers: always.
    pub live: bool,
    /// Whether it can do its work: every dependency is there.
    pub ready: bool,
    /// The version of `gosling`.
    pub version: String,
    /// Each dependency: `store`, `queue`, `tofu`, `nest`.
    pub dependencies: BTreeMap<String, Dependency>,
}

/// Something that the service depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Dependency {
    /// Whether it is there.
    pub ok: bool,
    /// Its version, or what is wrong with it; told to those who show a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}
