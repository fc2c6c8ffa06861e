//! `gosling power`: what OpenTofu calls to start and stop a runner that it can't.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::{Failure, one_thread, print};
use crate::{
    app::{self, Environment, PowerError},
    roles::power::{Outcome, Thing},
};

#[derive(Debug, Args)]
#[command(
    after_help = "Example: gosling power --cloud yandex --container ID --runner RUNNER --state running"
)]
pub(super) struct Power {
    /// The cloud
    #[arg(long, value_enum)]
    cloud: Cloud,
    /// What it is to be
    #[arg(long, value_enum)]
    state: State,
    /// An instance of Yandex Cloud
    #[arg(long, value_name = "ID", conflicts_with_all = ["container", "task"])]
    instance: Option<String>,
    /// A serverless container of Yandex Cloud
    #[arg(long, value_name = "ID", requires = "runner", conflicts_with = "task")]
    container: Option<String>,
    /// The runner in that container
    #[arg(long, value_name = "RUNNER")]
    runner: Option<String>,
    /// A task of ECS, by its runner
    #[arg(long, value_name = "RUNNER", requires = "cluster")]
    task: Option<String>,
    /// The cluster of the task
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// What the task is started from
    #[arg(long, value_name = "ARN")]
    definition: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Cloud {
    /// Amazon Web Services
    Aws,
    /// Yandex Cloud
    Yandex,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    /// Awake
    Running,
    /// Asleep
    Stopped,
}

impl Power {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let running = self.state == State::Running;
        let (thing, what) = self.thing()?;
        let environment: Environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let done = if running { "started" } else { "stopped" };
        let outcome = one_thread()?.block_on(app::power(&thing, running, &environment));
        let told = match outcome.map_err(|error| failure(&what, done, &error))? {
            Outcome::Done => format!("{what} is {done}\n"),
            Outcome::Already => format!("{what} was {done} already\n"),
            Outcome::ByItself => format!("{what} ends by itself: its runner is told to\n"),
        };
        print(told.as_bytes())
    }

    /// What is meant, and what it is called.
    fn thing(self) -> Result<(Thing, String), Failure> {
        match (self.cloud, self.instance, self.container, self.task) {
            (Cloud::Yandex, Some(id), None, None) => {
                let what = format!("the instance `{id}`");
                Ok((Thing::Instance { id }, what))
            }
            (Cloud::Yandex, None, Some(id), None) => {
                let what = format!("the container `{id}`");
                Ok((Thing::Container { id, runner: self.runner.unwrap_or_default() }, what))
            }
            (Cloud::Aws, None, None, Some(runner)) => {
                if self.state == State::Running && self.definition.is_none() {
                    return Err(Failure::usage(
                        format!("the task of the runner `{runner}` can't be started from nothing"),
                        "name its task definition: --definition ARN",
                    ));
                }
                let what = format!("the task of the runner `{runner}`");
                let cluster = self.cluster.unwrap_or_default();
                Ok((Thing::Task { cluster, runner, definition: self.definition }, what))
            }
            (Cloud::Yandex, ..) => Err(Failure::usage(
                "there is nothing of Yandex Cloud to start or stop",
                "name an instance with --instance, or a container with --container and --runner",
            )),
            (Cloud::Aws, ..) => Err(Failure::usage(
                "there is nothing of AWS to start or stop",
                "name a task with --cluster and --task",
            )),
        }
    }
}

fn failure(what: &str, done: &str, error: &PowerError) -> Failure {
    let message = format!("{what} can't be {done}: {error}");
    match error {
        PowerError::Told(_) => {
            Failure::usage(message, "OpenTofu calls `gosling power` with what it needs in its environment")
        }
        PowerError::Credentials { .. } | PowerError::Refused { .. } => Failure::Refused {
            message,
            help: "it takes the credentials that OpenTofu's provider takes; see `gosling serve --credential`"
                .to_owned(),
        },
        PowerError::Away { .. } => {
            Failure::Unreachable { message, help: "try again; the next apply does so by itself".to_owned() }
        }
    }
}
