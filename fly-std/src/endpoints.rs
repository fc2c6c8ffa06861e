//! The HTTP interface of MotherGoose: what triggers may call.

/// One path of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// The path; a part in braces stands for any one part.
    pub path: &'static str,
    /// The methods it takes.
    pub methods: &'static [&'static str],
    /// What it does, as a phrase without a full stop.
    pub doc: &'static str,
}

const fn endpoint(path: &'static str, methods: &'static [&'static str], doc: &'static str) -> Endpoint {
    Endpoint { path, methods, doc }
}

/// Every path of the API, those for triggers first.
pub static ENDPOINTS: &[Endpoint] = &[
    endpoint("/internal/sync-git", &["POST"], "brings the Nest up to date with its repository"),
    endpoint("/internal/health-check", &["POST"], "looks at the health of every runner"),
    endpoint("/internal/uglyfox/health-check", &["POST"], "has UglyFox look at the health of every runner"),
    endpoint("/internal/metrics/collect", &["POST"], "collects the metrics of every runner"),
    endpoint("/webhooks/gitlab", &["POST"], "takes GitLab's webhooks"),
    endpoint("/runners", &["GET"], "lists runners"),
    endpoint("/runners/{id}", &["GET", "DELETE"], "shows a runner, or ends a runner"),
    endpoint("/runners/{id}/heartbeat", &["POST"], "takes a runner's sign of life"),
    endpoint("/runners/{id}/ticket", &["POST"], "gives a runner its ticket"),
    endpoint("/eggs", &["GET"], "lists eggs"),
    endpoint("/eggs/{name}", &["GET"], "shows an egg"),
    endpoint("/eggs/{name}/status", &["GET"], "shows how an egg's deployment is doing"),
    endpoint("/eggs/{name}/plans", &["GET"], "lists an egg's plans"),
    endpoint("/eggs/{name}/plans/{id}", &["GET"], "shows one plan of an egg"),
    endpoint("/eggs/{name}/rollback", &["POST"], "goes back to an earlier plan of an egg"),
    endpoint("/eggs/{name}/pause", &["POST"], "stops making runners of an egg"),
    endpoint("/eggs/{name}/resume", &["POST"], "makes runners of an egg again"),
    endpoint("/jobs/{name}/trigger", &["POST"], "runs a job now"),
    endpoint("/why/job/{id}", &["GET"], "says why a job waits"),
    endpoint("/status", &["GET"], "shows the Nest, the eggs, the jobs that wait and what happened last"),
    endpoint("/queue", &["GET"], "says how many messages wait"),
    endpoint("/queue/dead", &["GET"], "lists the messages that were given up"),
    endpoint("/queue/dead/{id}/replay", &["POST"], "works on a message that was given up once more"),
    endpoint("/audit", &["GET"], "lists what was done by whom"),
    endpoint("/health", &["GET"], "says whether the API is well"),
    endpoint("/health/ready", &["GET"], "says whether everything that the API needs is there"),
    endpoint("/metrics", &["GET"], "shows metrics"),
    endpoint("/openapi.json", &["GET"], "describes the API"),
];

/// What the triggers that MotherGoose knows call when they do not say.
pub static KNOWN_TRIGGERS: &[(&str, &str)] = &[
    ("git_sync", "/internal/sync-git"),
    ("health_check", "/internal/uglyfox/health-check"),
    ("metrics_collection", "/internal/metrics/collect"),
];

/// What a trigger calls when it does not say.
pub fn of_trigger(name: &str) -> String {
    let known = KNOWN_TRIGGERS.iter().find(|(known, _)| *known == name);
    known.map_or_else(|| format!("/internal/{}", name.replace('_', "-")), |(_, path)| (*path).to_owned())
}

/// The endpoint with this path; what follows a `?` is no part of it.
pub fn find(path: &str) -> Option<&'static Endpoint> {
    let path = path.split('?').next().unwrap_or(path);
    let fits = |endpoint: &&Endpoint| {
        let mut parts = path.split('/');
        let all = endpoint.path.split('/').all(|wanted| {
            parts.next().is_some_and(|part| part == wanted || (wanted.starts_with('{') && !part.is_empty()))
        });
        all && parts.next().is_none()
    };
    ENDPOINTS.iter().find(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_with_their_parts() {
        for (path, found) in [
            ("/internal/sync-git", Some("/internal/sync-git")),
            ("/internal/sync-git?full=1", Some("/internal/sync-git")),
            ("/jobs/rotate/trigger", Some("/jobs/{name}/trigger")),
            ("/eggs/a/plans/7", Some("/eggs/{name}/plans/{id}")),
            ("/jobs//trigger", None),
            ("/jobs/rotate", None),
            ("/internal/sync-git/", None),
            ("internal/sync-git", None),
            ("", None),
        ] {
            assert_eq!(find(path).map(|endpoint| endpoint.path), found, "{path}");
        }
    }

    #[test]
    fn every_endpoint_is_documented_and_stands_once() {
        for (at, endpoint) in ENDPOINTS.iter().enumerate() {
            assert!(!endpoint.doc.is_empty() && !endpoint.doc.ends_with('.') && !endpoint.methods.is_empty());
            assert!(ENDPOINTS[..at].iter().all(|before| before.path != endpoint.path), "{}", endpoint.path);
        }
        for (name, path) in KNOWN_TRIGGERS {
            assert!(find(path).is_some(), "{path}");
            assert_eq!(of_trigger(name), *path);
        }
        assert_eq!(of_trigger("clean_up"), "/internal/clean-up");
    }
}
