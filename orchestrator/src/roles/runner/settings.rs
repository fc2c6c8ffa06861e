//! The agent's `config.toml`.

use std::collections::BTreeMap;

use flyc::artifact::{Executor, Runner};
use serde::Serialize;

use crate::wire::runner::TicketAnswer;

/// What the agent is told. One process is one runner, and a runner has one job at a time: an egg's `concurrent` is a number of
/// runners.
#[derive(Serialize)]
struct Config<'a> {
    concurrent: u32,
    /// Seconds between two questions for jobs.
    check_interval: u32,
    /// Seconds that jobs get to be aborted in.
    shutdown_timeout: u32,
    log_format: &'a str,
    runners: Vec<Section<'a>>,
}

#[derive(Serialize)]
struct Section<'a> {
    name: String,
    url: &'a str,
    id: u64,
    token: &'a str,
    limit: u32,
    request_concurrency: u32,
    executor: &'a str,
    environment: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    docker: Option<Docker<'a>>,
}

#[derive(Serialize)]
struct Docker<'a> {
    image: &'a str,
    privileged: bool,
    volumes: &'a [&'a str],
}

/// The text of `config.toml`.
pub(super) fn render(id: &str, runner: &Runner, answer: &TicketAnswer) -> Result<String, toml::ser::Error> {
    let section = |registration| section(id, runner, &answer.environment, registration);
    toml::to_string(&Config {
        concurrent: 1,
        check_interval: 3,
        shutdown_timeout: 30,
        log_format: "json",
        runners: answer.registrations.iter().map(section).collect(),
    })
}

fn section<'a>(
    id: &str,
    runner: &'a Runner,
    environment: &BTreeMap<String, String>,
    registration: &'a crate::wire::runner::Registration,
) -> Section<'a> {
    let docker = (runner.executor == Executor::Docker).then(|| Docker {
        image: &runner.image,
        privileged: runner.privileged,
        // A service of Docker in Docker leaves its certificates in the second.
        volumes: if runner.privileged { &["/cache", "/certs/client"] } else { &["/cache"] },
    });
    Section {
        name: registration.name.as_ref().map_or_else(|| id.to_owned(), |name| format!("{id} {name}")),
        url: &registration.url,
        id: registration.runner,
        token: &registration.token,
        limit: 1,
        request_concurrency: 1,
        executor: match runner.executor {
            Executor::Docker => "docker",
            Executor::Shell => "shell",
        },
        environment: environment.iter().map(|(name, value)| format!("{name}={value}")).collect(),
        docker,
    }
}

#[cfg(test)]
mod tests;
