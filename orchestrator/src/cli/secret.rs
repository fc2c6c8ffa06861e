//! `gosling secret`: the secrets of an installation, in its sealed file. They come from standard input and are never shown.

use std::{
    io::{self, IsTerminal, Read},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use clap::{Args, Subcommand};
use fly_std::formats::{SecretUri, secret_uri};

use super::{Failure, one_thread, print};
use crate::{
    app,
    ports::secrets::{Secret as Value, SecretError, Secrets},
};

#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Example: gosling secret put vault://gitlab/gitlab.example.com/web/api-token < token\n\n\
    `flyc build` writes which URIs an egg has: its `config.json` names them."
)]
pub(super) struct Secret {
    #[command(subcommand)]
    command: Command,
    /// The folder of `gosling serve`
    #[arg(long, value_name = "FOLDER", env = "GOSLING_DATA", default_value = "gosling-data", global = true)]
    data: PathBuf,
    /// The file with the key that secrets are sealed with [default: `key` in the folder, made at the first start]
    #[arg(long, value_name = "FILE", env = "GOSLING_KEY_FILE", global = true)]
    key_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Keep a value, which is read from standard input, as the newest version of a secret
    #[command(
        after_help = "Example: gosling secret put vault://gitlab/gitlab.example.com/web/api-token < token"
    )]
    Put {
        /// Its URI, as the Nest has it
        uri: String,
    },
    /// The versions there are, without their values
    #[command(
        after_help = "Example: gosling secret versions vault://gitlab/gitlab.example.com/web/api-token"
    )]
    Versions {
        /// Its URI, as the Nest has it
        uri: String,
    },
    /// Remove a secret with all its versions
    #[command(after_help = "Example: gosling secret remove vault://gitlab/gitlab.example.com/web/api-token")]
    Remove {
        /// Its URI, as the Nest has it
        uri: String,
    },
}

impl Secret {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let failed = |error: app::AppError| Failure::Failed { message: error.to_string(), help: None };
        let data = std::path::absolute(&self.data)
            .map_err(|error| Failure::Io { what: self.data.display().to_string(), error })?;
        let secrets = app::secrets_of(&data, self.key_file.as_deref()).map_err(failed)?;
        one_thread()?.block_on(carry_out(&secrets, self.command))
    }
}

async fn carry_out(secrets: &Arc<dyn Secrets>, command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Put { uri } => {
            let uri = parse(&uri)?;
            let version = secrets.put(&uri, &value()?).await.map_err(|error| refused(&error))?;
            print(format!("kept as version {version}\n").as_bytes())
        }
        Command::Versions { uri } => {
            let versions = secrets.versions(&parse(&uri)?).await.map_err(|error| refused(&error))?;
            let line = |one: &crate::ports::secrets::SecretVersion| {
                let current = if one.current { "  current" } else { "" };
                let made = one.made.in_calendar().strftime("%Y-%m-%d %H:%M:%S UTC");
                format!("{:>4}  {made}{current}\n", one.version)
            };
            print(versions.iter().map(line).collect::<String>().as_bytes())
        }
        Command::Remove { uri } => {
            secrets.remove(&parse(&uri)?).await.map_err(|error| refused(&error))?;
            print(b"removed\n")
        }
    }
}

fn parse(text: &str) -> Result<SecretUri, Failure> {
    secret_uri::parse(text).map_err(|error| {
        Failure::usage(
            format!("this is no URI of a secret: {}", error.message),
            "write it as the Nest has it: vault://PATH/KEY, yc-lockbox://ID/KEY or aws-sm://NAME/KEY",
        )
    })
}

fn refused(error: &SecretError) -> Failure {
    Failure::Failed { message: error.to_string(), help: None }
}

/// The value: what is typed unseen, or all of standard input but for one line end.
fn value() -> Result<Value, Failure> {
    let io = |error| Failure::Io { what: "standard input".to_owned(), error };
    let text = if io::stdin().is_terminal() {
        rpassword::prompt_password("Value (it isn't shown): ").map_err(io)?
    } else {
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text).map_err(io)?;
        let end = text.trim_end_matches('\n').len().max(text.len().saturating_sub(1));
        text.truncate(end);
        text
    };
    if text.is_empty() {
        return Err(Failure::usage("there is no value on standard input", "give it as in `… < file`"));
    }
    Ok(Value::new(text))
}
