//! Profiles: which installation is meant, from a file of the operator's own. What is given by flag or variable comes before it.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use clap::{ArgMatches, Args, Command, Error, FromArgMatches, parser::ValueSource};
use etcetera::BaseStrategy;
use fly_std::formats::{SecretUri, closest, secret_uri};
use serde::Deserialize;
use toml::Spanned;
use url::Url;

use super::Failure;
use crate::ports::secrets::unread;

/// Where the file is looked for, below the folder of configurations.
const FILE: &str = "gosling/config.toml";

/// The profile that was named, and what was given beside it. It adds no argument of its own: `--profile` is every command's.
#[derive(Debug, Clone, Default)]
pub(super) struct Named {
    name: Option<String>,
    by_flag: bool,
    /// Arguments of this command whose value stands on the command line.
    flags: Vec<&'static str>,
}

/// Arguments that a profile can stand in for.
const REPLACED: [&str; 4] = ["api", "token_file", "data", "key_file"];

impl FromArgMatches for Named {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let is_flag = |id: &str| {
            matches.try_contains_id(id).unwrap_or_default()
                && matches.value_source(id) == Some(ValueSource::CommandLine)
        };
        Ok(Self {
            name: matches.try_get_one("profile").ok().flatten().cloned(),
            by_flag: is_flag("profile"),
            flags: REPLACED.into_iter().filter(|id| is_flag(id)).collect(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Named {
    fn augment_args(command: Command) -> Command {
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        command
    }
}

/// An installation, as the file has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Profile {
    pub(super) api: Option<Url>,
    pub(super) token: Option<TokenAt>,
    pub(super) data: Option<PathBuf>,
    pub(super) key_file: Option<PathBuf>,
}

/// Where the token of an installation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenAt {
    File(PathBuf),
    Secret(SecretUri),
}

impl Named {
    /// Whether an argument stands on the command line.
    pub(super) fn is_flag(&self, id: &str) -> bool {
        self.flags.contains(&id)
    }

    /// Whether the profile stands on the command line.
    pub(super) const fn is_by_flag(&self) -> bool {
        self.by_flag
    }

    /// The value of one argument: from its flag, else its variable, else the profile. A profile that stands on the command line
    /// comes before variables, which may be another installation's.
    pub(super) fn pick<T>(
        &self,
        id: &'static str,
        given: Option<T>,
        profile: impl FnOnce() -> Result<Option<T>, Failure>,
    ) -> Result<Option<T>, Failure> {
        match given {
            Some(given) if self.flags.contains(&id) || !self.by_flag => Ok(Some(given)),
            given => Ok(profile()?.or(given)),
        }
    }

    /// The folder of the service on this machine.
    pub(super) fn data(&self, given: Option<&Path>) -> Result<PathBuf, Failure> {
        let found = self.pick("data", given.map(Path::to_owned), || Ok(self.profile()?.data))?;
        Ok(found.unwrap_or_else(|| PathBuf::from("gosling-data")))
    }

    /// The key that secrets are sealed with, when it isn't in that folder.
    pub(super) fn key_file(&self, given: Option<&Path>) -> Result<Option<PathBuf>, Failure> {
        self.pick("key_file", given.map(Path::to_owned), || Ok(self.profile()?.key_file))
    }

    /// The profile that was named, or the file's default one, or none.
    pub(super) fn profile(&self) -> Result<Profile, Failure> {
        let wanted = self.name.as_deref().filter(|name| !name.is_empty());
        let nowhere = |file: &str| {
            let wanted = wanted.unwrap_or_default();
            Failure::usage(
                format!("there is no profile `{wanted}`: {file}"),
                "profiles stand in ~/.config/gosling/config.toml: [profiles.NAME] with `api` and `token_file`",
            )
        };
        let Ok(base) = etcetera::choose_base_strategy() else {
            return if wanted.is_some() {
                Err(nowhere("nobody knows your home"))
            } else {
                Ok(Profile::default())
            };
        };
        let file = base.config_dir().join(FILE);
        match fs::read_to_string(&file) {
            Ok(text) => read(&text, &file, base.home_dir(), wanted),
            Err(error) if error.kind() == io::ErrorKind::NotFound => match wanted {
                Some(_) => Err(nowhere(&format!("there is no {}", file.display()))),
                None => Ok(Profile::default()),
            },
            Err(error) => Err(Failure::Io { what: file.display().to_string(), error }),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    default: Option<Spanned<String>>,
    #[serde(default)]
    profiles: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    api: Option<Spanned<String>>,
    token_file: Option<PathBuf>,
    token_secret: Option<Spanned<String>>,
    data: Option<PathBuf>,
    key_file: Option<PathBuf>,
}

/// The profile of a file. What stands in the file is never shown but for its names: somebody may have put a token there.
fn read(text: &str, file: &Path, home: &Path, wanted: Option<&str>) -> Result<Profile, Failure> {
    let at = |offset: usize| {
        let before = text.get(..offset).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{}:{line}:{column}", file.display())
    };
    let known = "a profile has `api`, `token_file` or `token_secret`, `data` and `key_file`";
    let parsed: File = toml::from_str(text).map_err(|error| {
        let place = error.span().map_or_else(|| file.display().to_string(), |span| at(span.start));
        Failure::usage(format!("{place}: {}", unread(&error.message())), known)
    })?;
    let (name, place) = match (wanted, &parsed.default) {
        (Some(wanted), _) => (wanted, file.display().to_string()),
        (None, Some(default)) => (default.get_ref().as_str(), at(default.span().start)),
        (None, None) => return Ok(Profile::default()),
    };
    let Some(entry) = parsed.profiles.get(name) else {
        let names = || parsed.profiles.keys().map(String::as_str);
        let help = match closest(name, names()) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None if parsed.profiles.is_empty() => "it has none: begin one with [profiles.NAME]".to_owned(),
            None => {
                format!("it has {}", names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
            }
        };
        return Err(Failure::usage(format!("{place}: there is no profile `{name}`"), help));
    };
    let path = |path: &PathBuf| match path.strip_prefix("~") {
        Ok(rest) => home.join(rest),
        Err(_) => file.parent().map_or_else(|| path.clone(), |folder| folder.join(path)),
    };
    let token = match (&entry.token_file, &entry.token_secret) {
        (Some(_), Some(secret)) => {
            return Err(Failure::usage(
                format!("{}: the profile `{name}` has a `token_file` as well", at(secret.span().start)),
                "keep one of the two",
            ));
        }
        (Some(token), None) => Some(TokenAt::File(path(token))),
        (None, Some(secret)) => {
            Some(TokenAt::Secret(secret_uri::parse(secret.get_ref()).map_err(|error| {
                Failure::usage(
                    format!("{}: this is no URI of a secret: {}", at(secret.span().start), error.message),
                    "say where the token is kept, and never the token itself: vault://gosling/tokens/me",
                )
            })?))
        }
        (None, None) => None,
    };
    let api = entry.api.as_ref().map(|api| {
        let parsed = Url::parse(api.get_ref()).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        parsed.ok_or_else(|| {
            Failure::usage(
                format!("{}: the `api` of the profile `{name}` is no URL", at(api.span().start)),
                "it begins with http:// or https://",
            )
        })
    });
    Ok(Profile {
        api: api.transpose()?,
        token,
        data: entry.data.as_ref().map(path),
        key_file: entry.key_file.as_ref().map(path),
    })
}
