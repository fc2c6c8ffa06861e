//! Secrets as operators handle them. A value goes in, and none ever comes out.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Moment;

/// `POST /secrets/versions`: which secret. Its URI stands in the body, for addresses are logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretName {
    /// Its URI, as the Nest has it.
    pub uri: String,
}

/// `POST /secrets/put` and `/secrets/rotate`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretValue {
    /// Its URI, as the Nest has it.
    pub uri: String,
    /// The value. To rotate, none is given where gosling makes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl fmt::Debug for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretName(***MASKED***)")
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue(***MASKED***)")
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretWritten {
    /// What it is to the Nest: `webhook_secret`, `runner_token`, `other`.
    pub kind: String,
    /// Its new version; none for a runner's token, whose rotation goes on by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// The eggs that use it.
    pub eggs: Vec<String>,
    /// Whether it is the secret of the webhook of the Nest's own project.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nest: bool,
    /// Until when the value before is let in, for a webhook's secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_until: Option<Moment>,
}

/// A version of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretVersionView {
    /// Its number.
    pub version: u64,
    /// When it was written.
    pub made: Moment,
    /// Whether it is the one that is given out.
    pub current: bool,
}
