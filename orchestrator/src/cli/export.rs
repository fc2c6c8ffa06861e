//! `gosling export` and `gosling import`: the database of an installation as a file, for another machine or backend.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader, BufWriter},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use serde::Serialize;

use super::{
    Failure, Global, one_thread,
    output::Output,
    print,
    profile::Named,
    text::{Paint, Table},
};
use crate::app::{self, AppError};

/// The folder of an installation and its key.
#[derive(Debug, Args)]
struct Place {
    // First: what was taken out of the matches before it, it would not see.
    #[command(flatten)]
    named: Named,
    /// The folder of `gosling serve`, which must not run [default: the profile's, or gosling-data]
    #[arg(long, value_name = "FOLDER", env = "GOSLING_DATA")]
    data: Option<PathBuf>,
    /// The file with the key of the installation [default: `key` in the folder]
    #[arg(long, value_name = "FILE", env = "GOSLING_KEY_FILE")]
    key_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example: gosling export installation.jsonl\n\n\
    The file has every row of the database: eggs, runners, plans, jobs, syncs, the audit log. What is sealed in it stays\n\
    sealed: whoever imports it needs the same key. Not in it: the secrets and their key (`secrets.sealed`, `key`), the\n\
    API's tokens (`tokens.json`), OpenTofu's states (`tofu`), and the queue, for what waits in it is found again.")]
pub(super) struct Export {
    /// The file, which must not be there; `-` is standard output
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
#[command(after_help = "Example: gosling import installation.jsonl --data /var/lib/gosling\n\n\
    Before anything is written the whole file is checked; then all of it is there, or nothing. Bring `key`,\n\
    `secrets.sealed`, `tokens.json` and the folder `tofu` of the old folder along: without the key nothing is imported,\n\
    and without OpenTofu's states the new service doesn't know what the old one made.")]
pub(super) struct Import {
    /// The file that `gosling export` wrote; `-` is standard input
    file: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Put it in the place of the database that the folder has
    #[arg(long)]
    replace: bool,
}

/// What was done.
#[derive(Debug, Serialize)]
struct Done {
    rows: app::Counts,
    #[serde(skip_serializing_if = "Option::is_none")]
    queued: Option<u64>,
    /// Messages of what was there before.
    #[serde(skip_serializing_if = "Option::is_none")]
    dropped: Option<u64>,
}

impl Export {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode, Failure> {
        let given = self.place.named.data(self.place.data.as_deref())?;
        let data = absolute(&given)?;
        let key = self.place.named.key_file(self.place.key_file.as_deref())?;
        let key = key.as_deref();
        let runtime = one_thread()?;
        let io = |error| Failure::Io { what: self.file.display().to_string(), error };
        if self.file.as_os_str() == "-" {
            let mut out = BufWriter::new(io::stdout());
            runtime.block_on(app::export(&data, key, &mut out)).map_err(|error| failed(&error))?;
            return Ok(ExitCode::SUCCESS);
        }
        // Nothing is written over, and what is there by its name is whole.
        if self.file.exists() {
            return Err(Failure::usage(
                format!("{} is there already", self.file.display()),
                "name another file, or remove it",
            ));
        }
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        let part = self.file.with_file_name(format!(".{name}.part"));
        let write = || -> Result<app::Exported, Failure> {
            let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part);
            let mut out = BufWriter::new(file.map_err(io)?);
            let exported =
                runtime.block_on(app::export(&data, key, &mut out)).map_err(|error| failed(&error))?;
            let file = out.into_inner().map_err(|error| io(error.into_error()))?;
            file.sync_all().map_err(io)?;
            fs::rename(&part, &self.file).map_err(io)?;
            Ok(exported)
        };
        let written = write();
        if written.is_err() {
            let _ = fs::remove_file(&part);
        }
        let exported = written?;
        let done = Done { rows: exported.counts, queued: Some(exported.queued), dropped: None };
        let title = format!("exported to {}", self.file.display());
        done.tell(global, &title)?;
        if exported.queued > 0 && global.output() == Output::Table {
            let waits = match exported.queued {
                1 => "1 message waits in the queue and is".to_owned(),
                count => format!("{count} messages wait in the queue and are"),
            };
            let text = format!("\n{waits} not in it: the next `gosling serve` asks GitLab anew.\n");
            print(text.as_bytes())?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Import {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode, Failure> {
        let given = self.place.named.data(self.place.data.as_deref())?;
        let data = absolute(&given)?;
        let key = self.place.named.key_file(self.place.key_file.as_deref())?;
        let key = key.as_deref();
        let runtime = one_thread()?;
        let imported = if self.file.as_os_str() == "-" {
            runtime.block_on(app::import(&data, key, self.replace, io::stdin().lock()))
        } else {
            let file = File::open(&self.file)
                .map_err(|error| Failure::Io { what: self.file.display().to_string(), error })?;
            runtime.block_on(app::import(&data, key, self.replace, BufReader::new(file)))
        };
        let imported = imported.map_err(|error| failed(&error))?;
        let title = format!("imported into {}", given.display());
        let dropped = Some(imported.dropped).filter(|count| *count > 0);
        Done { rows: imported.counts, queued: None, dropped }.tell(global, &title)?;
        if let Some(count) = dropped
            && global.output() == Output::Table
        {
            let (messages, were, they) =
                if count == 1 { ("message", "was", "it is") } else { ("messages", "were", "they are") };
            let text = format!(
                "\n{count} {messages} in the queue {were} about what was there before, and {they} gone: the next \
                 `gosling serve` asks GitLab anew.\n"
            );
            print(text.as_bytes())?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Done {
    fn tell(&self, global: &Global, title: &str) -> Result<ExitCode, Failure> {
        global.show(self, |_| {
            let mut table = Table::new(&["TABLE", "ROWS"]);
            for (name, count) in self.rows.iter().filter(|(_, count)| **count > 0) {
                table.row([(name.clone(), Paint::Plain), (count.to_string(), Paint::Plain)]);
            }
            let rows = if table.is_empty() { String::new() } else { format!("\n{}", table.render(false)) };
            format!("{} rows {title}\n{rows}", self.rows.values().sum::<u64>())
        })
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| Failure::Io { what: path.display().to_string(), error })
}

fn failed(error: &AppError) -> Failure {
    let message = error.to_string();
    match error {
        AppError::Taken(_) => Failure::Refused {
            message,
            help: "a copy of what changes meanwhile would not be one; stop the service for as long as this takes"
                .to_owned(),
        },
        AppError::Nothing(_) => {
            Failure::NotFound { message, help: "--data or GOSLING_DATA says where the folder is".to_owned() }
        }
        AppError::NotEmpty(_) => {
            Failure::Refused { message, help: "import into a new folder, or give --replace".to_owned() }
        }
        AppError::OtherKey(_) => Failure::Refused {
            message,
            help: "bring the file `key` of the installation that was exported along, or name it: --key-file"
                .to_owned(),
        },
        AppError::Dump(_) => {
            Failure::Failed { message, help: Some("nothing was changed; export it anew".to_owned()) }
        }
        _ => Failure::Failed { message, help: None },
    }
}
