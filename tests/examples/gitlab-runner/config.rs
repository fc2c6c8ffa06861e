//! `config.toml`, and the id of this machine beside it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

/// The file, as far as it is heeded.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Config {
    /// How many jobs run at one time.
    #[serde(default = "one")]
    pub(crate) concurrent: usize,
    /// How many seconds lie between two questions; 0 is 3.
    #[serde(default)]
    pub(crate) check_interval: u64,
    /// How many seconds jobs have to end when it is told to.
    #[serde(default)]
    pub(crate) shutdown_timeout: u64,
    /// What the log is written in.
    pub(crate) log_format: Option<String>,
    /// Where metrics are served.
    pub(crate) listen_address: Option<String>,
    #[serde(default)]
    pub(crate) runners: Vec<Runner>,
}

/// A runner of the file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Runner {
    #[serde(default)]
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) token: String,
    #[serde(default)]
    pub(crate) executor: String,
    /// How many of its jobs run at one time; 0 is any number.
    #[serde(default)]
    pub(crate) limit: usize,
    /// `NAME=VALUE`, for its jobs.
    #[serde(default)]
    pub(crate) environment: Vec<String>,
}

const fn one() -> usize {
    1
}

impl Runner {
    /// The beginning of its token, as logs have it.
    pub(crate) fn short(&self) -> &str {
        let bare = self.token.strip_prefix("glrt-").unwrap_or(&self.token);
        bare.get(..9).unwrap_or(bare)
    }
}

impl Config {
    pub(crate) fn read(file: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        toml::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))
    }
}

/// The id in `.runner_system_id`; it is made when there is none.
pub(crate) fn system_id(config: &Path) -> Result<String, String> {
    let file: PathBuf = config.with_file_name(".runner_system_id");
    if let Ok(text) = fs::read_to_string(&file)
        && !text.trim().is_empty()
    {
        return Ok(text.trim().to_owned());
    }
    let random = uuid::Uuid::new_v4().simple().to_string();
    let id = format!("r_{}", &random[..12]);
    fs::write(&file, &id).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(id)
}
