//! What is counted, for Prometheus. Names and labels are here and nowhere else.

use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder,
};

/// Every metric.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Registry,
    /// `gosling_http_requests_total{route,method,status}`
    pub requests: IntCounterVec,
    /// `gosling_http_request_seconds{route}`
    pub request_seconds: HistogramVec,
    /// `gosling_webhooks_total{outcome}`: accepted, duplicate, ignored, refused.
    pub webhooks: IntCounterVec,
    /// `gosling_messages_total{kind,outcome}`: done, again, dead.
    pub messages: IntCounterVec,
    /// `gosling_queue_messages{state}`: waiting, leased, dead.
    pub queue: IntGaugeVec,
    /// `gosling_runners{egg,state}`
    pub runners: IntGaugeVec,
    /// `gosling_runner_transitions_total{from,to}`
    pub transitions: IntCounterVec,
    /// `gosling_jobs_waiting{egg}`
    pub waiting: IntGaugeVec,
    /// `gosling_deployments_total{outcome}`: applied, failed, refused.
    pub deployments: IntCounterVec,
    /// `gosling_deployment_seconds{step}`: plan, apply.
    pub deployment_seconds: HistogramVec,
    /// `gosling_syncs_total{outcome}`: applied, broken, failed, unchanged.
    pub syncs: IntCounterVec,
}

impl Metrics {
    /// All at nothing.
    ///
    /// # Errors
    ///
    /// When a name is no name of a metric, which a test would show.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let made = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(made.clone()))?;
            Ok::<_, prometheus::Error>(made)
        };
        let gauge = |name: &str, help: &str, labels: &[&str]| {
            let made = IntGaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(made.clone()))?;
            Ok::<_, prometheus::Error>(made)
        };
        let seconds = |name: &str, help: &str, labels: &[&str]| {
            let buckets = vec![0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0, 600.0];
            let made = HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets), labels)?;
            registry.register(Box::new(made.clone()))?;
            Ok::<_, prometheus::Error>(made)
        };
        Ok(Self {
            requests: counter(
                "gosling_http_requests_total",
                "Requests answered",
                &["route", "method", "status"],
            )?,
            request_seconds: seconds("gosling_http_request_seconds", "Time until the answer", &["route"])?,
            webhooks: counter("gosling_webhooks_total", "Webhooks that came", &["outcome"])?,
            messages: counter("gosling_messages_total", "Messages worked on", &["kind", "outcome"])?,
            queue: gauge("gosling_queue_messages", "Messages in the queue", &["state"])?,
            runners: gauge("gosling_runners", "Runners that are there", &["egg", "state"])?,
            transitions: counter(
                "gosling_runner_transitions_total",
                "Changes of runners' states",
                &["from", "to"],
            )?,
            waiting: gauge("gosling_jobs_waiting", "Jobs that wait for a runner", &["egg"])?,
            deployments: counter("gosling_deployments_total", "Deployments", &["outcome"])?,
            deployment_seconds: seconds("gosling_deployment_seconds", "Time of OpenTofu's runs", &["step"])?,
            syncs: counter("gosling_syncs_total", "Looks at the Nest's repository", &["outcome"])?,
            registry,
        })
    }

    /// All of it as Prometheus reads it.
    pub fn text(&self) -> String {
        let mut out = Vec::new();
        // Writing to memory fails for nobody.
        drop(TextEncoder::new().encode(&self.registry.gather(), &mut out));
        String::from_utf8(out).unwrap_or_default()
    }
}
