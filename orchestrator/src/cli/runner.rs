//! `gosling runner`: runner mode, told by files, by the environment or by a request. With a subcommand, the fleet is looked
//! after instead: see `runners`.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use clap::{Args, ValueEnum};

use super::{Failure, Global, one_thread, runners::What};
use crate::{
    ports::secrets::Secret,
    roles::runner::{self, Ending, Options, Orders, Told},
};

/// Variables that say what to serve, and are nobody's business but the runner's.
const TOLD: [&str; 3] = ["GOSLING_RUNNER_CONFIG", "GOSLING_EGG_CONFIG", "GOSLING_TICKET"];

#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Example: gosling runner list\n         gosling runner --config /etc/gosling/runner.json\n\n\
    On a machine of the fleet: SIGTERM finishes the job and ends, SIGINT aborts it and ends, SIGHUP reads everything anew."
)]
pub(super) struct Runner {
    #[command(subcommand)]
    what: Option<What>,
    /// The file that says which runner this is
    #[arg(long, value_name = "FILE", required_unless_present = "from", conflicts_with = "from")]
    config: Option<PathBuf>,
    /// Where a serverless runner is told which one it is
    #[arg(long, value_enum, value_name = "SOURCE")]
    from: Option<Source>,
    /// The folder for its credential and the agent's files [default: that of --config]
    #[arg(long, value_name = "FOLDER", env = "GOSLING_FOLDER")]
    folder: Option<PathBuf>,
    /// The gitlab-runner program [default: the one on PATH]
    #[arg(long, value_name = "PROGRAM", env = "GOSLING_AGENT")]
    agent: Option<PathBuf>,
    /// The port that requests come to, with --from request
    #[arg(long, env = "PORT", default_value_t = 8080)]
    port: u16,
    /// Seconds between heartbeats
    #[arg(long, value_name = "SECONDS", default_value_t = 30, hide = true,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    heartbeat: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Source {
    #[value(help = "GOSLING_RUNNER_CONFIG, GOSLING_EGG_CONFIG and GOSLING_TICKET")]
    Environment,
    /// The body of each request to $PORT
    Request,
}

impl Runner {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode, Failure> {
        if let Some(what) = self.what {
            return what.run(global);
        }
        global.start_log()?;
        let options = self.options()?;
        // The agent ends with the thread that started it: this one.
        let ending = one_thread()?.block_on(async {
            let mut orders = Orders::listen()?;
            match (self.from, &self.config) {
                (Some(Source::Request), _) => runner::serve_requests(self.port, &options, &mut orders).await,
                (Some(Source::Environment), _) => {
                    runner::run(from_environment()?, from_environment, &options, &mut orders).await
                }
                (None, Some(file)) => {
                    let told = || Told::from_file(file);
                    runner::run(told()?, told, &options, &mut orders).await
                }
                (None, None) => Ok(Ending::Done),
            }
        })?;
        Ok(match ending {
            Ending::Done => ExitCode::SUCCESS,
            // As a shell has it.
            Ending::Interrupted => ExitCode::from(130),
        })
    }

    fn options(&self) -> Result<Options, Failure> {
        let absolute = |path: &Path| {
            std::path::absolute(path).map_err(|error| Failure::Io { what: path.display().to_string(), error })
        };
        let agent = match &self.agent {
            // A bare name is looked for as a shell does.
            Some(agent) if agent.components().count() > 1 => Some(absolute(agent)?),
            other => other.clone(),
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Options {
            folder: absolute(&self.folder())?,
            agent,
            path: env::var_os("PATH"),
            hidden: TOLD.map(str::to_owned).to_vec(),
            started: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
            heartbeat: Duration::from_secs(self.heartbeat),
        })
    }

    /// The folder it keeps its files in: the one given, systemd's, the configuration's own.
    fn folder(&self) -> PathBuf {
        let given = |value: Option<OsString>| value.filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(folder) = &self.folder {
            return folder.clone();
        }
        if let Some(folder) = given(env::var_os("STATE_DIRECTORY")) {
            return folder;
        }
        match (&self.config, self.from) {
            (Some(file), _) => {
                let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
                parent.unwrap_or_else(|| Path::new(".")).to_owned()
            }
            // The disk of a container of Yandex Cloud; all else there lies in memory.
            (None, Some(Source::Request)) if Path::new("/mnt").is_dir() => PathBuf::from("/mnt/gosling"),
            (None, _) => env::temp_dir().join("gosling"),
        }
    }
}

fn from_environment() -> Result<Told, runner::RunnerError> {
    let value = |name: &str| {
        env::var(name).map_err(|error| runner::RunnerError::Told {
            what: format!("the variable {name}"),
            reason: match error {
                env::VarError::NotPresent => "it is not set".to_owned(),
                env::VarError::NotUnicode(_) => "it is no UTF-8".to_owned(),
            },
        })
    };
    let ticket = env::var("GOSLING_TICKET").ok().filter(|ticket| !ticket.is_empty()).map(Secret::new);
    let names = ["the variable GOSLING_RUNNER_CONFIG", "the variable GOSLING_EGG_CONFIG"];
    Told::from_texts(names, &value("GOSLING_RUNNER_CONFIG")?, &value("GOSLING_EGG_CONFIG")?, ticket)
}
