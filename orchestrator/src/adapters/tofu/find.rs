//! Which `tofu` is used, and whether it is new enough.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde::Deserialize;

use super::binaries;
use crate::ports::tofu::TofuError;

/// A program that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    pub(super) path: PathBuf,
    /// `1.12.6`
    pub(super) version: String,
}

/// Finds it.
#[derive(Debug)]
pub(super) struct Finder {
    given: Option<PathBuf>,
    data: PathBuf,
    path: Option<OsString>,
    /// The one that was asked for its version last.
    last: Mutex<Option<Program>>,
}

/// What `tofu version -json` says.
#[derive(Deserialize)]
struct Version {
    terraform_version: String,
}

impl Finder {
    pub(super) fn new(
        given: Option<PathBuf>,
        data: &Path,
        environment: &BTreeMap<OsString, OsString>,
    ) -> Self {
        let path = environment.get(std::ffi::OsStr::new("PATH")).cloned();
        Self { given, data: data.to_owned(), path, last: Mutex::default() }
    }

    fn place(&self) -> Result<PathBuf, TofuError> {
        if let Some(given) = &self.given {
            return if executable(given) {
                Ok(given.clone())
            } else {
                Err(TofuError::Absent(format!(
                    "`{}`, which the settings name, is no program; give the path of `tofu`",
                    given.display()
                )))
            };
        }
        binaries::active::<binaries::TofuBinary>(&self.data)
            .filter(|path| executable(path))
            .or_else(|| {
                let folders = self.path.iter().flat_map(env::split_paths);
                folders.map(|folder| folder.join("tofu")).find(|path| executable(path))
            })
            .ok_or_else(|| {
                TofuError::Absent(
                    "there is none on the PATH, and none was fetched; install OpenTofu, or give its path with `--tofu`"
                        .to_owned(),
                )
            })
    }

    /// The program, when it is what `required` (`>= 1.11.0, < 2.0.0`) wants.
    pub(super) async fn find(&self, required: Option<&str>) -> Result<Program, TofuError> {
        let path = self.place()?;
        let known = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let program = match known.filter(|known| known.path == path) {
            Some(known) => known,
            None => {
                let version = self.version(&path).await?;
                let program = Program { path, version };
                *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(program.clone());
                program
            }
        };
        let least = required.and_then(|text| text.split(',').find_map(|part| part.trim().strip_prefix(">=")));
        match least.map(str::trim) {
            Some(least) if number(&program.version) < number(least) => Err(TofuError::Absent(format!(
                "`{}` is OpenTofu {}, and what was built needs {least} or newer; install a newer one",
                program.path.display(),
                program.version
            ))),
            _ => Ok(program),
        }
    }

    async fn version(&self, path: &Path) -> Result<String, TofuError> {
        let absent =
            |reason: String| TofuError::Absent(format!("`{} version -json` fails: {reason}", path.display()));
        let mut command = tokio::process::Command::new(path);
        command
            .args(["version", "-json"])
            .env_clear()
            .env("TF_CLI_CONFIG_FILE", "/dev/null")
            .kill_on_drop(true);
        command.envs(self.path.iter().map(|path| ("PATH", path))).stdin(std::process::Stdio::null());
        let output = command.output().await.map_err(|error| absent(error.to_string()))?;
        let version: Version = serde_json::from_slice(&output.stdout)
            .map_err(|_| absent(format!("it is no OpenTofu ({})", output.status)))?;
        Ok(version.terraform_version)
    }
}

fn executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// The numbers of a version, to compare.
fn number(version: &str) -> (u64, u64, u64) {
    let mut parts = version
        .split(['-', '+'])
        .next()
        .unwrap_or_default()
        .split('.')
        .map(|part| part.trim().parse().unwrap_or_default());
    let mut next = || parts.next().unwrap_or_default();
    (next(), next(), next())
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn versions_compare_by_their_numbers() {
        assert!(number("1.9.0") < number("1.11.0"));
        assert!(number("1.12.0-rc1") >= number("1.12"));
    }
}
