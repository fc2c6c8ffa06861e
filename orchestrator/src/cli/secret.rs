//! `gosling secret`: the secrets of an installation, by its API or in its sealed file. They come from standard input and are
//! never shown.

use std::{
    fs::File,
    io::{self, IsTerminal, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use clap::{Args, Subcommand};
use fly_std::formats::{SecretUri, secret_uri};
use reqwest::Method;
use serde_json::json;

use super::{
    Failure, Global,
    api::{Access, Api},
    confirm::Confirm,
    one_thread,
    text::{Paint, Table, clean},
};
use crate::{
    app,
    domain::Time,
    logging::hide,
    ports::secrets::{Secret as Value, SecretError, Secrets},
    wire::{AuditView, SecretName, SecretValue, SecretVersionView, SecretWritten},
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
    #[command(flatten)]
    access: Access,
    #[arg(
        long,
        global = true,
        help = "Work on the folder of this machine, whatever GOSLING_API or a profile says"
    )]
    local: bool,
    /// The folder of `gosling serve` [default: the profile's, or gosling-data]
    #[arg(long, value_name = "FOLDER", env = "GOSLING_DATA", global = true)]
    data: Option<PathBuf>,
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
        #[arg(hide = true)]
        value: Vec<String>,
    },
    /// Write the value to a new file that you alone can read; it is never shown
    #[command(
        after_help = "Example: gosling secret get vault://gitlab/gitlab.example.com/web/webhook-secret --to webhook-secret.txt"
    )]
    Get {
        /// Its URI, as the Nest has it
        uri: String,
        /// The file, which must not be there yet
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
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
        #[arg(hide = true)]
        value: Vec<String>,
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
    #[command(
        after_help = "Example: gosling secret remove vault://gitlab/gitlab.example.com/web/api-token --yes"
    )]
    Remove {
        /// Its URI, as the Nest has it
        uri: String,
        #[command(flatten)]
        confirm: Confirm,
    },
}

impl Secret {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode, Failure> {
        if let Command::Put { value, .. } | Command::Rotate { value, .. } = &self.command
            && !value.is_empty()
        {
            return Err(Failure::usage(
                "the value of a secret is no argument: others on this machine see it, and the shell keeps it",
                "give it on standard input: gosling secret put URI < FILE. Take the line out of the shell's history, and use another value",
            ));
        }
        // GOSLING_API may say what it likes.
        if self.local && self.access.named().is_flag("api") {
            return Err(Failure::usage("--local and --api can't both be meant", "leave one of them out"));
        }
        let runtime = one_thread()?;
        let by_api = match &self.command {
            // Only the service has the audit log.
            Command::Audit { .. } => true,
            // Values are taken away and read where they are kept.
            Command::Remove { .. } | Command::Get { .. } => false,
            _ => !self.local && self.access.is_named()?,
        };
        if by_api {
            let is_audit = matches!(self.command, Command::Audit { .. });
            return runtime.block_on(ask(&self.access, self.command, global)).map_err(
                |failure| match failure {
                    Failure::Unreachable { message, help } if !is_audit => Failure::Unreachable {
                        message,
                        help: format!("{help}; --local works on the folder of this machine instead"),
                    },
                    failure => failure.or_look("`gosling secret put URI` keeps one"),
                },
            );
        }
        let failed = |error: app::AppError| Failure::Failed { message: error.to_string(), help: None };
        let named = self.access.named();
        let data = named.data(self.data.as_deref())?;
        let data = std::path::absolute(&data)
            .map_err(|error| Failure::Io { what: data.display().to_string(), error })?;
        let secrets =
            app::secrets_of(&data, named.key_file(self.key_file.as_deref())?.as_deref()).map_err(failed)?;
        runtime.block_on(carry_out(&secrets, self.command, global))
    }
}

/// By the API.
async fn ask(access: &Access, command: Command, global: &Global) -> Result<ExitCode, Failure> {
    let api = access.open()?;
    match command {
        Command::Put { uri, .. } => {
            parse(&uri)?;
            private(&api)?;
            let value = Some(value()?.expose().to_owned());
            let written: SecretWritten =
                api.post_with(&["secrets", "put"], &SecretValue { uri, value }).await?;
            told(&written, global)
        }
        Command::Rotate { uri, random, .. } => {
            parse(&uri)?;
            let given = if random { Some(random_value()?) } else { piped()? };
            let written = rotate(&api, &uri, given).await?;
            told(&written, global)
        }
        Command::Versions { uri } => {
            parse(&uri)?;
            let versions: Vec<SecretVersionView> =
                api.send(Method::POST, &["secrets", "versions"], Some(&SecretName { uri })).await?;
            listed(&versions, global)
        }
        Command::Audit { uri, limit } => {
            let resource = uri.as_deref().map(parse).transpose()?;
            let resource = resource.map(|uri| format!("{}/{}", uri.backend.scheme(), uri.id));
            let mut which = vec![("kind", "secret")];
            which.extend(resource.as_deref().map(|resource| ("resource", resource)));
            let entries: Vec<AuditView> = api.list_of(&["audit"], &which, limit).await?;
            global.show(&entries, |colour| audit(&entries, colour))
        }
        Command::Remove { .. } | Command::Get { .. } => {
            Err(Failure::usage("a secret is removed and read where it is kept", "add --local"))
        }
    }
}

/// A value is asked for only where gosling can't make it.
async fn rotate(api: &Api, uri: &str, given: Option<Value>) -> Result<SecretWritten, Failure> {
    if given.is_some() {
        private(api)?;
    }
    let is_given = given.is_some();
    let send = async |value: Option<Value>| {
        let value = value.map(|value| value.expose().to_owned());
        api.post_with(&["secrets", "rotate"], &SecretValue { uri: uri.to_owned(), value }).await
    };
    match send(given).await {
        Err(Failure::Failed { message, .. }) if !is_given && message.contains("give the new value") => {
            if !io::stdin().is_terminal() {
                return Err(Failure::usage(
                    message,
                    "give it on standard input (… < FILE), or have one made with --random",
                ));
            }
            private(api)?;
            send(Some(value()?)).await
        }
        answer => answer,
    }
}

/// A value goes to nobody who is only on the way.
fn private(api: &Api) -> Result<(), Failure> {
    if api.is_private() {
        return Ok(());
    }
    Err(Failure::usage(
        "a secret is not sent where others may read it: the API is not asked by https",
        "use https, a tunnel to this machine, or --local on the machine of `gosling serve`",
    ))
}

fn told(written: &SecretWritten, global: &Global) -> Result<ExitCode, Failure> {
    let eggs = clean(&written.eggs.join(" "));
    let done = match written.version {
        Some(version) => format!("kept as version {version}\n"),
        None => format!("the runner tokens of {eggs} are rotated; `gosling status` shows how far that is\n"),
    };
    let next = written.before_until.map_or_else(String::new, |until| {
        let link = |whom: &str| format!("gosling link {whom}");
        let links: Vec<String> = (!eggs.is_empty()).then(|| link(&eggs)).into_iter().collect();
        let links =
            [links, written.nest.then(|| link("--nest")).into_iter().collect()].concat().join(" and ");
        format!("webhooks may show the value before until {until}; tell GitLab: {links}\n")
    });
    global.show(written, |_| done + &next)
}

fn listed(versions: &[SecretVersionView], global: &Global) -> Result<ExitCode, Failure> {
    let line = |one: &SecretVersionView| {
        let current = if one.current { "  current" } else { "" };
        format!("{:>4}  {}{current}\n", one.version, moment(one.made.0))
    };
    global.show(&versions, |_| versions.iter().map(line).collect())
}

fn audit(entries: &[AuditView], colour: bool) -> String {
    if entries.is_empty() {
        return "There are none: nothing was read or changed.\n".to_owned();
    }
    let mut table = Table::new(&["WHEN", "WHO", "WHAT", "SECRET", "OUTCOME"]);
    for entry in entries {
        let outcome = entry.details.get("outcome").and_then(serde_json::Value::as_str);
        let version = entry.details.get("version").map(|version| format!("version {version}"));
        table.row([
            (moment(entry.at.0), Paint::Plain),
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
    global: &Global,
) -> Result<ExitCode, Failure> {
    match command {
        Command::Put { uri, .. } => {
            let uri = parse(&uri)?;
            write(secrets, &uri, &value()?, global).await
        }
        Command::Rotate { uri, random, .. } => {
            let uri = parse(&uri)?;
            write(secrets, &uri, &if random { random_value()? } else { value()? }, global).await
        }
        Command::Get { uri, to } => {
            let secret = secrets.get(&parse(&uri)?).await.map_err(|error| refused(&error))?;
            let shown = to.display().to_string();
            keep(&to, &secret).map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => {
                    Failure::usage(format!("{shown} is there already"), "name another file, or remove it")
                }
                _ => Failure::Io { what: shown.clone(), error },
            })?;
            global.show(&json!({ "file": shown }), |_| format!("written to {}\n", clean(&shown)))
        }
        Command::Versions { uri } => {
            let versions = secrets.versions(&parse(&uri)?).await.map_err(|error| refused(&error))?;
            let view = |one: crate::ports::secrets::SecretVersion| SecretVersionView {
                version: one.version,
                made: one.made.into(),
                current: one.current,
            };
            listed(&versions.into_iter().map(view).collect::<Vec<_>>(), global)
        }
        Command::Remove { uri, confirm } => {
            let parsed = parse(&uri)?;
            let versions = secrets.versions(&parsed).await.map_err(|error| refused(&error))?.len();
            let count =
                if versions == 1 { "its 1 version".to_owned() } else { format!("its {versions} versions") };
            confirm.ask(global, &format!("Remove {} with {count}?", clean(&uri)))?;
            secrets.remove(&parsed).await.map_err(|error| refused(&error))?;
            global.show(&json!({ "uri": uri, "versions": versions }), |_| {
                format!("{}: removed, with {count}\n", clean(&uri))
            })
        }
        Command::Audit { .. } => Err(Failure::usage("only the service knows it", "leave out --local")),
    }
}

async fn write(
    secrets: &Arc<dyn Secrets>,
    uri: &SecretUri,
    value: &Value,
    global: &Global,
) -> Result<ExitCode, Failure> {
    let version = secrets.put(uri, value).await.map_err(|error| refused(&error))?;
    let kind = "unknown".to_owned();
    told(
        &SecretWritten { kind, version: Some(version), eggs: Vec::new(), nest: false, before_until: None },
        global,
    )
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
    let message = error.to_string();
    match error {
        SecretError::Missing { .. } => Failure::NotFound {
            message,
            help: "`gosling secret put URI` keeps one; --data or GOSLING_DATA says in which folder it is looked for"
                .to_owned(),
        },
        SecretError::Away { .. } => {
            Failure::Unreachable { message, help: "try it again in a moment".to_owned() }
        }
        SecretError::Refused { .. } | SecretError::Wrong { .. } => Failure::Failed { message, help: None },
    }
}

/// The value: what is typed unseen, or all of standard input but for one line end.
fn value() -> Result<Value, Failure> {
    if !io::stdin().is_terminal() {
        return piped()?.ok_or_else(|| {
            Failure::usage(
                "there is no value on standard input",
                "give it on standard input: gosling secret put URI < FILE",
            )
        });
    }
    let io = |error| Failure::Io { what: "standard input".to_owned(), error };
    let text = rpassword::prompt_password("Value (it isn't shown): ").map_err(io)?;
    if text.is_empty() {
        return Err(Failure::usage(
            "there is no value",
            "type it, or give it on standard input: gosling secret put URI < FILE",
        ));
    }
    hide(&text);
    Ok(Value::new(text))
}

/// Writes a value to a new file that nobody else can read.
fn keep(file: &Path, value: &Value) -> io::Result<()> {
    let mut open = File::options().write(true).create_new(true).mode(0o600).open(file)?;
    open.write_all(value.expose().as_bytes())?;
    open.sync_all()
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
    hide(&text);
    Ok((!text.is_empty()).then(|| Value::new(text)))
}

/// 32 random bytes as a text.
pub(super) fn random_value() -> Result<Value, Failure> {
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes).map_err(|error| Failure::Io {
        what: "the system's randomness".to_owned(),
        error: io::Error::other(error),
    })?;
    let value = BASE64_URL_SAFE_NO_PAD.encode(*bytes);
    hide(&value);
    Ok(Value::new(value))
}

fn moment(time: Time) -> String {
    time.in_calendar().strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
