//! `gosling secret`: the secrets of an installation, by its API or in its sealed file. They come from standard input and are
//! never shown.

use std::{
    io::{self, IsTerminal, Read},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use clap::{Args, Subcommand};
use fly_std::formats::{SecretUri, secret_uri};
use url::Url;

use super::{
    Failure, Global,
    api::{Access, Api},
    one_thread, print,
    status::{Output, json},
    text::{Paint, Table, clean},
};
use crate::{
    app,
    ports::secrets::{Secret as Value, SecretError, Secrets},
    wire::{AuditView, SecretName, SecretValue, SecretVersionView, SecretWritten},
};

/// Where the API is when nobody says so, for what only the API knows.
const HERE: &str = "http://127.0.0.1:8080";

#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Example: gosling secret put vault://gitlab/gitlab.example.com/web/api-token < token\n\n\
    `flyc build` writes which URIs an egg has: its `config.json` names them."
)]
pub(super) struct Secret {
    #[command(subcommand)]
    command: Command,
    /// Where MotherGoose is; without it, the folder of this machine is worked on
    #[arg(long, value_name = "URL", env = "GOSLING_API", global = true)]
    api: Option<Url>,
    /// The file with the API token; `gosling token` makes one
    #[arg(long, value_name = "FILE", env = "GOSLING_TOKEN_FILE", global = true)]
    token_file: Option<PathBuf>,
    #[arg(long, global = true, help = "Work on the folder of this machine, whatever GOSLING_API says")]
    local: bool,
    /// The folder of `gosling serve`
    #[arg(long, value_name = "FOLDER", env = "GOSLING_DATA", default_value = "gosling-data", global = true)]
    data: PathBuf,
    /// The file with the key that secrets are sealed with [default: `key` in the folder, made at the first start]
    #[arg(long, value_name = "FILE", env = "GOSLING_KEY_FILE", global = true)]
    key_file: Option<PathBuf>,
    /// The form
    #[arg(long, value_enum, default_value_t, global = true)]
    output: Output,
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
    /// Change a secret
    #[command(
        after_help = "Example: gosling secret rotate vault://gitlab/gitlab.example.com/web/webhook-secret\n\n\
        The secret of a webhook gets a random value; what it was is let in for a day, and `gosling link` tells GitLab the new\n\
        one. The token of a runner is rotated as by `gosling rotate-tokens`. Of any other, the value is read from standard\n\
        input."
    )]
    Rotate {
        /// Its URI, as the Nest has it
        uri: String,
        /// Make a random value, whatever the secret is for
        #[arg(long)]
        random: bool,
    },
    /// The versions there are, without their values
    #[command(
        after_help = "Example: gosling secret versions vault://gitlab/gitlab.example.com/web/api-token"
    )]
    Versions {
        /// Its URI, as the Nest has it
        uri: String,
    },
    /// Who read or changed which secret, the last first
    #[command(
        after_help = "Example: gosling secret audit vault://gitlab/gitlab.example.com/web/api-token\n\n\
        A secret is named by its backend and id. A value that is held in memory for some minutes is not read anew."
    )]
    Audit {
        /// The URI of one, as the Nest has it [default: all]
        uri: Option<String>,
        /// How many entries at most
        #[arg(long, value_name = "NUMBER", default_value_t = 50)]
        limit: usize,
    },
    /// Remove a secret with all its versions from the folder of this machine
    #[command(after_help = "Example: gosling secret remove vault://gitlab/gitlab.example.com/web/api-token")]
    Remove {
        /// Its URI, as the Nest has it
        uri: String,
    },
}

impl Secret {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode, Failure> {
        let colour = global.colour(&io::stdout());
        let runtime = one_thread()?;
        let by_api = match &self.command {
            // Only the service has the audit log.
            Command::Audit { .. } => self.api.clone().or_else(|| Url::parse(HERE).ok()),
            Command::Remove { .. } => None,
            _ => self.api.clone(),
        };
        if let Some(api) = by_api.filter(|_| !self.local || matches!(self.command, Command::Audit { .. })) {
            let access = Access::new(api, self.token_file);
            return runtime.block_on(ask(&access, self.command, self.output, colour));
        }
        let failed = |error: app::AppError| Failure::Failed { message: error.to_string(), help: None };
        let data = std::path::absolute(&self.data)
            .map_err(|error| Failure::Io { what: self.data.display().to_string(), error })?;
        let secrets = app::secrets_of(&data, self.key_file.as_deref()).map_err(failed)?;
        runtime.block_on(carry_out(&secrets, self.command, self.output))
    }
}

/// By the API.
async fn ask(access: &Access, command: Command, output: Output, colour: bool) -> Result<ExitCode, Failure> {
    let api = access.open()?;
    match command {
        Command::Put { uri } => {
            parse(&uri)?;
            private(access)?;
            let value = Some(value()?.expose().to_owned());
            let written: SecretWritten = api.send(&["secrets", "put"], &SecretValue { uri, value }).await?;
            told(&written, output)
        }
        Command::Rotate { uri, random } => {
            parse(&uri)?;
            let given = if random { Some(random_value()?) } else { piped()? };
            let written = rotate(access, &api, &uri, given).await?;
            told(&written, output)
        }
        Command::Versions { uri } => {
            parse(&uri)?;
            let versions: Vec<SecretVersionView> =
                api.send(&["secrets", "versions"], &SecretName { uri }).await?;
            listed(&versions, output)
        }
        Command::Audit { uri, limit } => {
            let resource = uri.as_deref().map(parse).transpose()?;
            let resource = resource.map(|uri| format!("{}/{}", uri.backend.scheme(), uri.id));
            let mut which = vec![("kind", "secret")];
            which.extend(resource.as_deref().map(|resource| ("resource", resource)));
            let entries: Vec<AuditView> = api.list_of(&["audit"], &which, limit).await?;
            let text = match output {
                Output::Json => json(&entries, true)?,
                Output::Table => audit(&entries, colour),
            };
            print(text.as_bytes())
        }
        Command::Remove { .. } => Err(Failure::usage("a secret is removed where it is kept", "add --local")),
    }
}

/// A value is asked for only where gosling can't make it.
async fn rotate(
    access: &Access,
    api: &Api,
    uri: &str,
    given: Option<Value>,
) -> Result<SecretWritten, Failure> {
    if given.is_some() {
        private(access)?;
    }
    let is_given = given.is_some();
    let send = async |value: Option<Value>| {
        let value = value.map(|value| value.expose().to_owned());
        api.send(&["secrets", "rotate"], &SecretValue { uri: uri.to_owned(), value }).await
    };
    match send(given).await {
        Err(Failure::Failed { message, .. }) if !is_given && message.contains("give the new value") => {
            if !io::stdin().is_terminal() {
                return Err(Failure::usage(
                    message,
                    "give it as in `… < file`, or have one made with --random",
                ));
            }
            private(access)?;
            send(Some(value()?)).await
        }
        answer => answer,
    }
}

/// A value goes to nobody who is only on the way.
fn private(access: &Access) -> Result<(), Failure> {
    if access.is_private() {
        return Ok(());
    }
    Err(Failure::usage(
        "a secret is not sent where others may read it: the API is not asked by https",
        "use https, a tunnel to this machine, or --local on the machine of `gosling serve`",
    ))
}

fn told(written: &SecretWritten, output: Output) -> Result<ExitCode, Failure> {
    if output == Output::Json {
        return print(json(written, true)?.as_bytes());
    }
    let eggs = clean(&written.eggs.join(" "));
    let done = match written.version {
        Some(version) => format!("kept as version {version}\n"),
        None => format!("the runner tokens of {eggs} are rotated; `gosling status` shows how far that is\n"),
    };
    let next = written.before_until.map_or_else(String::new, |until| {
        format!("webhooks may show the value before until {until}; tell GitLab: gosling link {eggs}\n")
    });
    print((done + &next).as_bytes())
}

fn listed(versions: &[SecretVersionView], output: Output) -> Result<ExitCode, Failure> {
    if output == Output::Json {
        return print(json(&versions, true)?.as_bytes());
    }
    let line = |one: &SecretVersionView| {
        let current = if one.current { "  current" } else { "" };
        format!("{:>4}  {}{current}\n", one.version, moment(one.made.0.as_millis()))
    };
    print(versions.iter().map(line).collect::<String>().as_bytes())
}

fn audit(entries: &[AuditView], colour: bool) -> String {
    if entries.is_empty() {
        return "Nobody has read or changed it.\n".to_owned();
    }
    let mut table = Table::new(&["WHEN", "WHO", "WHAT", "SECRET", "OUTCOME"]);
    for entry in entries {
        let outcome = entry.details.get("outcome").and_then(serde_json::Value::as_str);
        let version = entry.details.get("version").map(|version| format!("version {version}"));
        table.row([
            (moment(entry.at.0.as_millis()), Paint::Plain),
            (entry.actor.clone(), Paint::Plain),
            (entry.action.clone(), Paint::Plain),
            (entry.resource.clone(), Paint::Plain),
            (outcome.map(ToOwned::to_owned).or(version).unwrap_or_default(), Paint::Dim),
        ]);
    }
    table.render(colour)
}

/// In the folder.
async fn carry_out(
    secrets: &Arc<dyn Secrets>,
    command: Command,
    output: Output,
) -> Result<ExitCode, Failure> {
    match command {
        Command::Put { uri } => {
            let uri = parse(&uri)?;
            write(secrets, &uri, &value()?, output).await
        }
        Command::Rotate { uri, random } => {
            let uri = parse(&uri)?;
            write(secrets, &uri, &if random { random_value()? } else { value()? }, output).await
        }
        Command::Versions { uri } => {
            let versions = secrets.versions(&parse(&uri)?).await.map_err(|error| refused(&error))?;
            let view = |one: crate::ports::secrets::SecretVersion| SecretVersionView {
                version: one.version,
                made: one.made.into(),
                current: one.current,
            };
            listed(&versions.into_iter().map(view).collect::<Vec<_>>(), output)
        }
        Command::Remove { uri } => {
            secrets.remove(&parse(&uri)?).await.map_err(|error| refused(&error))?;
            print(b"removed\n")
        }
        Command::Audit { .. } => Err(Failure::usage("only the service knows it", "leave out --local")),
    }
}

async fn write(
    secrets: &Arc<dyn Secrets>,
    uri: &SecretUri,
    value: &Value,
    output: Output,
) -> Result<ExitCode, Failure> {
    let version = secrets.put(uri, value).await.map_err(|error| refused(&error))?;
    let kind = "unknown".to_owned();
    told(&SecretWritten { kind, version: Some(version), eggs: Vec::new(), before_until: None }, output)
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
    if !io::stdin().is_terminal() {
        return piped()?.ok_or_else(|| {
            Failure::usage("there is no value on standard input", "give it as in `… < file`")
        });
    }
    let io = |error| Failure::Io { what: "standard input".to_owned(), error };
    let text = rpassword::prompt_password("Value (it isn't shown): ").map_err(io)?;
    if text.is_empty() {
        return Err(Failure::usage("there is no value", "type it, or give it as in `… < file`"));
    }
    Ok(Value::new(text))
}

/// What stands on standard input, when that is no terminal and there is something.
fn piped() -> Result<Option<Value>, Failure> {
    if io::stdin().is_terminal() {
        return Ok(None);
    }
    let mut text = String::new();
    io::stdin()
        .lock()
        .read_to_string(&mut text)
        .map_err(|error| Failure::Io { what: "standard input".to_owned(), error })?;
    let end = text.trim_end_matches('\n').len().max(text.len().saturating_sub(1));
    text.truncate(end);
    Ok((!text.is_empty()).then(|| Value::new(text)))
}

fn random_value() -> Result<Value, Failure> {
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes).map_err(|error| Failure::Io {
        what: "the system's randomness".to_owned(),
        error: io::Error::other(error),
    })?;
    Ok(Value::new(BASE64_URL_SAFE_NO_PAD.encode(*bytes)))
}

fn moment(millis: u64) -> String {
    let found = i64::try_from(millis).ok().and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
    found.map_or_else(String::new, |moment| moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}
