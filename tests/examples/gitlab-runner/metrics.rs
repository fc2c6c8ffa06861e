//! Metrics, in Prometheus' text form.

use std::fmt::Write as _;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Router, routing::get};

use super::{
    VERSION,
    log::{Level, log},
};

/// How many jobs run, by runner.
#[derive(Debug, Clone, Default)]
pub(crate) struct Running(Arc<Mutex<BTreeMap<String, usize>>>);

/// A job that runs; it ends when this goes.
#[derive(Debug)]
pub(crate) struct One(Running, String);

impl Running {
    pub(crate) fn one(&self, runner: &str) -> One {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(runner.to_owned()).or_default() += 1;
        One(self.clone(), runner.to_owned())
    }

    /// Of a runner.
    pub(crate) fn of(&self, runner: &str) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(runner).copied().unwrap_or_default()
    }

    /// Of all.
    pub(crate) fn all(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }

    fn text(&self) -> String {
        let mut text = format!(
            "# TYPE gitlab_runner_version_info gauge\ngitlab_runner_version_info{{version=\"{VERSION}\"}} 1\n\
             # TYPE gitlab_runner_jobs gauge\n"
        );
        for (runner, jobs) in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = writeln!(
                text,
                "gitlab_runner_jobs{{executor=\"shell\",executor_stage=\"run\",runner=\"{runner}\",stage=\"step_script\",state=\"running\"}} {jobs}"
            );
        }
        text
    }
}

impl Drop for One {
    fn drop(&mut self) {
        if let Some(jobs) = self.0.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&self.1) {
            *jobs = jobs.saturating_sub(1);
        }
    }
}

pub(crate) async fn serve(address: String, running: Running) {
    let app = Router::new().route("/metrics", get(async move || running.text()));
    let listener = match tokio::net::TcpListener::bind(&address).await {
        Ok(listener) => listener,
        Err(error) => {
            let fields = [("error", error.to_string().into())];
            return log(Level::Error, "Failed to create listener for metrics server", &fields);
        }
    };
    if let Ok(address) = listener.local_addr() {
        log(Level::Info, "Metrics server listening", &[("address", address.to_string().into())]);
    }
    let _ = axum::serve(listener, app).await;
}
