//! What a runner is told when it starts: by files, by its environment, or by a request.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use flyc::artifact::{EnvValue, FORMAT_VERSION, RiftReference, Runner};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use url::Url;

use super::error::RunnerError;
use crate::ports::secrets::{Secret, unread};

/// `runner.json`: who it is and whom it asks.
#[derive(Debug, Clone, Deserialize)]
pub struct RunnerFile {
    /// Its id.
    pub runner_id: String,
    /// The egg or bucket it serves.
    #[serde(default)]
    pub egg: Option<String>,
    /// The job it serves.
    #[serde(default)]
    pub job: Option<String>,
    /// Where `MotherGoose` is.
    #[serde(deserialize_with = "url")]
    pub orchestrator_url: Url,
    /// Where `egg.json` is.
    #[serde(default)]
    pub egg_file: Option<PathBuf>,
    /// Where its ticket is.
    #[serde(default)]
    pub ticket_file: Option<PathBuf>,
}

/// `egg.json`: what it serves, and how.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EggFile {
    /// The version of the format.
    pub format_version: u32,
    /// The name of the egg, bucket or job.
    pub name: String,
    /// How jobs are taken.
    pub runner: Runner,
    /// The variables of jobs; secrets by their URI.
    pub environment: BTreeMap<String, EnvValue>,
    /// The Rift it uses.
    #[serde(default)]
    #[allow(dead_code, reason = "the format has it; what is done with it is Rift's")]
    pub rift: Option<RiftReference>,
}

/// Everything, wherever it came from.
#[derive(Debug, Clone)]
pub struct Told {
    /// Who it is.
    pub runner: RunnerFile,
    /// What it serves.
    pub egg: EggFile,
    /// A ticket that stands in no file.
    pub ticket: Option<Secret>,
    /// Whether the process ends when its work is done, and the cloud with it.
    pub serverless: bool,
}

impl Told {
    /// From the files of a machine or process.
    pub fn from_file(path: &Path) -> Result<Self, RunnerError> {
        let runner: RunnerFile = parse(&path.display().to_string(), &read(path)?)?;
        let file = runner
            .egg_file
            .clone()
            .unwrap_or_else(|| path.parent().unwrap_or_else(|| Path::new("/")).join("egg.json"));
        let egg = parse_egg(&file.display().to_string(), &read(&file)?)?;
        Self { runner, egg, ticket: None, serverless: false }.checked(&path.display().to_string())
    }

    /// From texts: those of the environment, or of a request. `names` says what each is called.
    pub fn from_texts(
        names: [&str; 2],
        runner: &str,
        egg: &str,
        ticket: Option<Secret>,
    ) -> Result<Self, RunnerError> {
        let runner = parse(names[0], runner)?;
        let egg = parse_egg(names[1], egg)?;
        Self { runner, egg, ticket, serverless: true }.checked(names[0])
    }

    /// The variables whose values nobody may see.
    pub fn is_secret(&self, variable: &str) -> bool {
        !matches!(self.egg.environment.get(variable), Some(EnvValue::Text(_)))
    }

    fn checked(self, what: &str) -> Result<Self, RunnerError> {
        let wrong = |reason: String| Err(RunnerError::Told { what: what.to_owned(), reason });
        let id = &self.runner.runner_id;
        if id.is_empty() || !id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            return wrong(format!("`runner_id` is {id:?}, which has other characters than a-z, 0-9 and -"));
        }
        let url = &self.runner.orchestrator_url;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return wrong("`orchestrator_url` is no URL of http or https".to_owned());
        }
        Ok(self)
    }
}

fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    Url::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

#[allow(clippy::disallowed_methods, reason = "a runner reads what its machine was told")]
fn read(path: &Path) -> Result<String, RunnerError> {
    std::fs::read_to_string(path)
        .map_err(|error| RunnerError::Told { what: path.display().to_string(), reason: error.to_string() })
}

fn parse<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, RunnerError> {
    serde_json::from_str(text)
        .map_err(|error| RunnerError::Told { what: what.to_owned(), reason: unread(&error) })
}

fn parse_egg(what: &str, text: &str) -> Result<EggFile, RunnerError> {
    let egg: EggFile = parse(what, text)?;
    if egg.format_version != FORMAT_VERSION {
        let found = egg.format_version;
        let reason = format!("it has format version {found}, and only {FORMAT_VERSION} is known here");
        return Err(RunnerError::Told { what: what.to_owned(), reason });
    }
    Ok(egg)
}
