//! `gosling power`: what OpenTofu calls to start and stop a runner that it can't.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::Failure;

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
    pub(super) fn run(&self) -> Result<ExitCode, Failure> {
        let (cloud, what) = match (self.cloud, &self.instance, &self.container, &self.task) {
            (Cloud::Yandex, Some(id), None, None) => ("yandex", format!("the instance `{id}`")),
            (Cloud::Yandex, None, Some(id), None) => ("yandex", format!("the container `{id}`")),
            (Cloud::Aws, None, None, Some(runner)) => {
                if self.state == State::Running && self.definition.is_none() {
                    return Err(Failure::usage(
                        format!("the task of the runner `{runner}` can't be started from nothing"),
                        "name its task definition: --definition ARN",
                    ));
                }
                ("aws", format!("the task of the runner `{runner}`"))
            }
            (Cloud::Yandex, ..) => {
                return Err(Failure::usage(
                    "there is nothing of Yandex Cloud to start or stop",
                    "name an instance with --instance, or a container with --container and --runner",
                ));
            }
            (Cloud::Aws, ..) => {
                return Err(Failure::usage(
                    "there is nothing of AWS to start or stop",
                    "name a task with --cluster and --task",
                ));
            }
        };
        let done = match self.state {
            State::Running => "started",
            State::Stopped => "stopped",
        };
        Err(Failure::Lacking {
            message: format!(
                "{what} can't be {done}: that needs the {cloud} adapter, which this build doesn't have"
            ),
            help: "eggs of `provider = \"local\"`, and machines on AWS, need no `gosling power`".to_owned(),
        })
    }
}
