//! `gosling token`: makes a token of the API. It is shown once; the service knows its fingerprint.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::ExitCode,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::Args;
use serde::{Deserialize, Serialize};

use super::{Failure, Global, print_plain, profile::Named};
use crate::{
    logging::mask_values,
    ports::secrets::unread,
    seal,
    settings::{ApiToken, Scope},
};

/// The file in the data folder.
const FILE: &str = "tokens.json";

#[derive(Debug, Args)]
#[command(after_help = "Example: gosling token alice --scope read --scope operate > ~/.gosling-token\n\n\
    A running `gosling serve` knows it after it was started anew.")]
pub(super) struct Token {
    // First: what was taken out of the matches before it, it would not see.
    #[command(flatten)]
    named: Named,
    /// Whose it is, for the audit log
    name: String,
    /// What its bearer may do: read, operate, trigger; may be given more than once
    #[arg(long, value_name = "SCOPE", default_value = "read", value_parser = scope)]
    scope: Vec<Scope>,
    /// The folder of `gosling serve` [default: the profile's, or gosling-data]
    #[arg(long, value_name = "FOLDER", env = "GOSLING_DATA")]
    data: Option<PathBuf>,
}

/// A line of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    sha256: String,
    scopes: Vec<String>,
}

impl Token {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode, Failure> {
        let data = self.named.data(self.data.as_deref())?;
        let mut entries = entries(&data)?;
        if self.name.is_empty() || self.name.chars().any(char::is_control) {
            return Err(Failure::usage(
                "a token needs a name",
                "name the one who has it: gosling token alice",
            ));
        }
        if mask_values(&self.name) != self.name {
            return Err(Failure::usage(
                "what is given as a name is a token itself, or a URL with a password in it",
                "name the one who has it: gosling token alice",
            ));
        }
        if entries.iter().any(|entry| entry.name == self.name) {
            return Err(Failure::usage(
                format!("`{}` has a token already", self.name),
                format!("give it another name, or take its entry out of {}", data.join(FILE).display()),
            ));
        }
        let mut random = [0_u8; 32];
        getrandom::fill(&mut random).map_err(|error| Failure::Failed {
            message: format!("there is no randomness for a token: {error}"),
            help: None,
        })?;
        let token = format!("gosling-{}", URL_SAFE_NO_PAD.encode(random));
        let scopes: BTreeSet<Scope> = self.scope.into_iter().collect();
        let scopes: Vec<String> = scopes.into_iter().map(|scope| scope.name().to_owned()).collect();
        let made = serde_json::json!({ "name": self.name, "scopes": scopes, "token": token });
        entries.push(Entry { name: self.name, sha256: seal::fingerprint(&token), scopes });
        write(&data, &entries)?;
        // Alone, so that it can go into a file. The one place where a secret is shown: to whom it is made for, once.
        print_plain(global.form(&made, |_| format!("{token}\n"))?.as_bytes())
    }
}

/// The tokens that this folder's service takes.
pub(super) fn known(data: &Path) -> Result<Vec<ApiToken>, Failure> {
    let known = |entry: Entry| {
        let scopes: Result<BTreeSet<Scope>, String> = entry.scopes.iter().map(|text| scope(text)).collect();
        scopes.map(|scopes| ApiToken { name: entry.name, sha256: entry.sha256, scopes })
    };
    entries(data)?
        .into_iter()
        .map(known)
        .collect::<Result<_, _>>()
        .map_err(|reason| wrong(&data.join(FILE), &reason))
}

fn entries(data: &Path) -> Result<Vec<Entry>, Failure> {
    let file = data.join(FILE);
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Failure::Io { what: file.display().to_string(), error }),
    };
    serde_json::from_str(&text).map_err(|error| wrong(&file, &unread(&error)))
}

fn wrong(file: &Path, reason: &str) -> Failure {
    Failure::usage(format!("{}: {reason}", file.display()), "mend it, or remove it and make the tokens anew")
}

fn write(data: &Path, entries: &[Entry]) -> Result<(), Failure> {
    let file = data.join(FILE);
    let new = data.join(format!("{FILE}.new"));
    let attempt = || -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(data)?;
        let mut open = File::options().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        serde_json::to_writer_pretty(&mut open, entries)?;
        open.write_all(b"\n")?;
        open.sync_all()?;
        fs::rename(&new, &file)
    };
    attempt().map_err(|error| Failure::Io { what: file.display().to_string(), error })
}

fn scope(text: &str) -> Result<Scope, String> {
    let known = Scope::ALL.into_iter().find(|scope| scope.name() == text);
    known.ok_or_else(|| "the scopes are read, operate and trigger".to_owned())
}
