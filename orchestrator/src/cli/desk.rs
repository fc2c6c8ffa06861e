//! Where the commands that begin a Nest hand in secrets: the sealed file of an installation on this machine. They know nothing
//! of it but this type, so that another way of keeping secrets can take its place.

use std::{
    fs::{self, File},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use fly_std::formats::SecretUri;
use serde::Serialize;

use super::{Failure, one_thread, place, profile::Named};
use crate::{
    app,
    ports::secrets::{Secret, SecretError, Secrets},
};

/// Where it is.
#[derive(Debug, Args)]
pub(super) struct At {
    // First: what was taken out of the matches before it, it would not see.
    #[command(flatten)]
    named: Named,
    /// The folder of `gosling serve`, where secrets are kept sealed [default: the profile's, or gosling-data]
    #[arg(long, value_name = "FOLDER", env = "GOSLING_DATA")]
    data: Option<PathBuf>,
    /// The file with the key that secrets are sealed with [default: `key` in the folder, made at the first start]
    #[arg(long, value_name = "FILE", env = "GOSLING_KEY_FILE")]
    key_file: Option<PathBuf>,
}

impl At {
    /// The folder, as it was given.
    pub(super) fn data(&self) -> Result<PathBuf, Failure> {
        self.named.data(self.data.as_deref())
    }
}

/// The desk. It is this process's alone for as long as it lives.
pub(super) struct Desk {
    secrets: Arc<dyn Secrets>,
    runtime: tokio::runtime::Runtime,
    _lock: File,
}

/// What became of a secret that was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kept {
    /// It is new.
    Made,
    /// There was one, and it stays.
    There,
}

impl Kept {
    /// In a word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::There => "there already, unchanged",
        }
    }
}

impl Desk {
    /// Opens it for a Nest.
    pub(super) fn open(at: &At, nest: &Path) -> Result<Self, Failure> {
        let given = at.data()?;
        let io = |error| Failure::Io { what: given.display().to_string(), error };
        let data = std::path::absolute(&given).map_err(io)?;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&data).map_err(io)?;
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if real(&data).starts_with(real(nest)) {
            // Whatever the Nest's own `.gitignore` says, no commit holds it.
            place::put_new(&data.join(".gitignore"), "*\n").map_err(io)?;
        }
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(data.join("desk.lock"))
            .map_err(io)?;
        lock.lock().map_err(io)?;
        let secrets = app::secrets_of(&data, at.named.key_file(at.key_file.as_deref())?.as_deref())
            .map_err(|error| Failure::Failed { message: error.to_string(), help: None })?;
        Ok(Self { secrets, runtime: one_thread()?, _lock: lock })
    }

    /// The value of a secret, if there is one.
    pub(super) fn read(&self, uri: &SecretUri) -> Result<Option<Secret>, Failure> {
        match self.runtime.block_on(self.secrets.get(uri)) {
            Ok(secret) => Ok(Some(secret)),
            Err(SecretError::Missing { .. }) => Ok(None),
            Err(error) => Err(refused(&error)),
        }
    }

    /// Hands in a secret, unless there is one.
    pub(super) fn put_new(
        &self,
        uri: &SecretUri,
        make: impl FnOnce() -> Result<Secret, Failure>,
    ) -> Result<Kept, Failure> {
        if self.read(uri)?.is_some() {
            return Ok(Kept::There);
        }
        let value = make()?;
        self.runtime.block_on(self.secrets.put(uri, &value)).map_err(|error| refused(&error))?;
        Ok(Kept::Made)
    }
}

fn refused(error: &SecretError) -> Failure {
    Failure::Failed { message: error.to_string(), help: None }
}
