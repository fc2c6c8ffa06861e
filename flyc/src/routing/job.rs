//! What is known of a job when it asks for a runner.

/// GitLab's own default for the timeout of a job, in seconds.
pub const DEFAULT_TIMEOUT_S: u64 = 60 * 60;

/// A job that may take this long or longer, in seconds, is none for a serverless runner.
pub const SERVERLESS_LIMIT_S: u64 = 60 * 60;

/// A GitLab job that asks for a runner.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Job {
    /// What it is called.
    pub name: String,
    /// The host of its GitLab server, with the port unless that is the usual one; none compares no servers.
    pub server: Option<String>,
    /// The project it belongs to.
    pub project_id: u64,
    /// The groups the project is in, at any depth; empty when they are not known, which hooks don't tell.
    pub groups: Vec<u64>,
    /// The tags it asks for.
    pub tags: Vec<String>,
    /// Whether its branch or tag is protected.
    pub ref_protected: bool,
    /// The longest it may take, in seconds, when that is known.
    pub timeout_s: Option<u64>,
}

/// The host of a URL, as [`Job::server`] wants it: lower-case, without the port that the scheme has anyway.
pub fn host_of(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = plain_host(host);
    (!host.is_empty()).then_some(host)
}

/// A host as hosts are compared.
pub(super) fn plain_host(host: &str) -> String {
    let host = host.to_lowercase();
    let plain = host.strip_suffix(":443").or_else(|| host.strip_suffix(":80")).unwrap_or(&host);
    plain.trim_end_matches('.').to_owned()
}
