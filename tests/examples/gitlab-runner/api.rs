//! The runner's side of GitLab's API.

use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{VERSION, config::Runner};

/// The API with the id of this machine.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    client: Client,
    pub(crate) system_id: String,
}

/// A job that was given.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Job {
    pub(crate) id: u64,
    pub(crate) token: String,
    #[serde(default)]
    pub(crate) variables: Vec<Variable>,
    #[serde(default)]
    pub(crate) steps: Vec<Step>,
    pub(crate) runner_info: RunnerInfo,
    #[serde(default)]
    pub(crate) image: Value,
}

impl Job {
    /// Whether it asks something of its image that this version doesn't know.
    pub(crate) fn asks_too_much(&self) -> bool {
        let docker = self.image["executor_opts"]["docker"].as_object();
        docker.is_some_and(|options| options.keys().any(|option| option != "platform" && option != "user"))
    }
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct RunnerInfo {
    pub(crate) timeout: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Variable {
    pub(crate) key: String,
    pub(crate) value: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Step {
    pub(crate) script: Vec<String>,
}

/// What was answered when a job was asked for.
pub(crate) enum Asked {
    Given(Box<Job>),
    /// With the `last_update` to show the next time.
    Nothing(Option<String>),
    Forbidden,
    Failed(String),
}

/// What was answered when something of a job was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Well,
    /// And somebody cancels the job.
    Cancel,
    /// The job is none of this runner's any more.
    Over,
    /// The trace goes on from here.
    From(usize),
    Failed,
}

impl Api {
    pub(crate) fn new(system_id: &str) -> Result<Self, String> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(format!("gitlab-runner {VERSION} (stand-in)"))
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { client, system_id: system_id.to_owned() })
    }

    fn url(runner: &Runner, path: &str) -> String {
        format!("{}/api/v4/{path}", runner.url.trim_end_matches('/'))
    }

    fn info(runner: &Runner) -> Value {
        json!({
            "name": "gitlab-runner",
            "version": VERSION,
            "revision": "stand-in",
            "platform": std::env::consts::OS,
            "architecture": "amd64",
            "executor": runner.executor,
            "shell": "bash",
            "features": { "trace_reset": true, "cancelable": true, "cancel_gracefully": true },
        })
    }

    pub(crate) async fn verify(&self, runner: &Runner) -> bool {
        let body = json!({ "token": runner.token, "system_id": self.system_id });
        let sent = self.client.post(Self::url(runner, "runners/verify")).json(&body).send().await;
        sent.is_ok_and(|answer| answer.status().is_success())
    }

    pub(crate) async fn unregister(&self, runner: &Runner) -> bool {
        let body = json!({ "token": runner.token, "system_id": self.system_id });
        let sent = self.client.delete(Self::url(runner, "runners/managers")).json(&body).send().await;
        sent.is_ok_and(|answer| answer.status().is_success())
    }

    pub(crate) async fn request(&self, runner: &Runner, last_update: Option<&str>) -> Asked {
        let body = json!({
            "info": Self::info(runner),
            "token": runner.token,
            "system_id": self.system_id,
            "last_update": last_update,
        });
        let sent = self.client.post(Self::url(runner, "jobs/request")).json(&body).send().await;
        let answer = match sent {
            Ok(answer) => answer,
            Err(error) => return Asked::Failed(error.without_url().to_string()),
        };
        match answer.status() {
            StatusCode::CREATED => match answer.json().await {
                Ok(job) => Asked::Given(Box::new(job)),
                Err(error) => Asked::Failed(error.without_url().to_string()),
            },
            StatusCode::NO_CONTENT => {
                let update = answer.headers().get("x-gitlab-last-update");
                Asked::Nothing(update.and_then(|text| text.to_str().ok()).map(str::to_owned))
            }
            StatusCode::FORBIDDEN => Asked::Forbidden,
            other => Asked::Failed(other.to_string()),
        }
    }

    /// Sends what the job wrote from `from` on.
    pub(crate) async fn trace(&self, runner: &Runner, job: &Job, from: usize, more: &[u8]) -> Told {
        let end = (from + more.len()).saturating_sub(1);
        let sent = self
            .client
            .patch(Self::url(runner, &format!("jobs/{}/trace", job.id)))
            .header("Job-Token", &job.token)
            .header("Content-Type", "text/plain")
            .header("Content-Range", format!("{from}-{end}"))
            .body(more.to_vec())
            .send()
            .await;
        let Ok(answer) = sent else { return Told::Failed };
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
        match answer.status() {
            StatusCode::RANGE_NOT_SATISFIABLE => {
                let at = header("range").and_then(|range| range.split_once('-')?.1.parse().ok());
                at.map_or(Told::Failed, Told::From)
            }
            StatusCode::FORBIDDEN => Told::Over,
            status if status.is_success() => match header("job-status") {
                Some("canceled" | "failed") => Told::Over,
                Some("canceling") => Told::Cancel,
                _ => Told::Well,
            },
            _ => Told::Failed,
        }
    }

    /// Tells how far the job is.
    pub(crate) async fn update(
        &self,
        runner: &Runner,
        job: &Job,
        state: &str,
        reason: Option<&str>,
        exit_code: Option<i32>,
    ) -> Told {
        let mut body = json!({ "token": job.token, "info": Self::info(runner), "state": state });
        if let Some(reason) = reason {
            body["failure_reason"] = json!(reason);
        }
        if let Some(code) = exit_code {
            body["exit_code"] = json!(code);
        }
        let sent = self.client.put(Self::url(runner, &format!("jobs/{}", job.id))).json(&body).send().await;
        let Ok(answer) = sent else { return Told::Failed };
        let cancels = answer.headers().get("job-status").is_some_and(|status| status == "canceling");
        match answer.status() {
            StatusCode::FORBIDDEN => Told::Over,
            status if status.is_success() && cancels => Told::Cancel,
            status if status.is_success() => Told::Well,
            _ => Told::Failed,
        }
    }
}
