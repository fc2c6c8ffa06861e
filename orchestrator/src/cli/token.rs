//! `gosling token`: makes a token of the API. It is shown once; the service knows its fingerprint.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::ExitCode,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::Args;

use super::{Failure, Global, print_plain, profile::Named};
use crate::{
    app::tokens::{self, Entry, FILE, TokensError},
    logging::mask_values,
    seal,
    settings::{ApiToken, Scope},
};

#[derive(Debug, Args)]
#[command(after_help = "Example: gosling token alice --scope read --scope operate > ~/.gosling-token\n\n\
    A running `gosling serve` knows it within seconds. One whose entry is taken out of tokens.json opens nothing any more.")]
pub(super) struct Token {
    // First: what was taken out of the matches before it, it would not see.
    #[command(flatten)]
    named: Named,
    /// Whose it is, for the audit log
    name: String,
    /// What its bearer may do: read, operate, trigger; may be given more than once
    #[arg(long, value_name = "SCOPE", default_value = "read", value_parser = tokens::scope)]
    scope: Vec<Scope>,
    /// The folder of `gosling serve` [default: the profile's, or gosling-data]
    #[arg(long, value_name = "FOLDER", env = "GOSLING_DATA")]
    data: Option<PathBuf>,
}

impl Token {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode, Failure> {
        let data = self.named.data(self.data.as_deref())?;
        let mut entries = tokens::entries(&data).map_err(failed)?;
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
        tokens::write(&data, &entries).map_err(failed)?;
        // Alone, so that it can go into a file. The one place where a secret is shown: to whom it is made for, once.
        print_plain(global.form(&made, |_| format!("{token}\n"))?.as_bytes())
    }
}

/// The tokens that this folder's service takes.
pub(super) fn known(data: &Path) -> Result<Vec<ApiToken>, Failure> {
    tokens::known(data).map_err(failed)
}

fn failed(error: TokensError) -> Failure {
    match error {
        TokensError::Io { file, reason } => Failure::Io { what: file.display().to_string(), error: reason },
        TokensError::Wrong { .. } => {
            Failure::usage(error.to_string(), "mend it, or remove it and make the tokens anew")
        }
    }
}
