//! Why an egg does not take a job, and what else there is to say of a decision, in plain words.

use std::fmt;

use fly_std::formats::duration;

use super::job::{DEFAULT_TIMEOUT_S, SERVERLESS_LIMIT_S};

/// Why an egg does not take a job.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Its projects and groups are on another server.
    OtherServer {
        /// The servers it serves.
        serves: Vec<String>,
        /// The job's.
        job: String,
    },
    /// It serves other projects.
    OtherProject {
        /// The projects it serves.
        projects: Vec<u64>,
        /// The groups it serves.
        groups: Vec<u64>,
        /// The job's project.
        project: u64,
    },
    /// It serves groups, and nobody told which groups the job's project is in.
    UnknownGroup {
        /// The groups it serves.
        groups: Vec<u64>,
        /// The job's project.
        project: u64,
    },
    /// It takes jobs of protected refs only.
    Protected,
    /// The job has no tags, and it takes none without.
    Untagged,
    /// The job asks for tags its runners don't have.
    MissingTags(Vec<String>),
    /// Its runners are serverless and live too short for the job.
    TooLong {
        /// The job's timeout, in seconds.
        timeout_s: u64,
    },
}

impl Reason {
    /// The stable name in reports for programs.
    pub const fn id(&self) -> &'static str {
        match self {
            Self::OtherServer { .. } => "other-server",
            Self::OtherProject { .. } => "other-project",
            Self::UnknownGroup { .. } => "unknown-group",
            Self::Protected => "protected",
            Self::Untagged => "untagged",
            Self::MissingTags(_) => "missing-tags",
            Self::TooLong { .. } => "too-long",
        }
    }
}

/// `1`, `1 and 2`, `1, 2 and 3`.
pub(super) fn list<T: ToString>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(T::to_string).collect();
    fly_std::words::list(&items, "and").unwrap_or_else(|| "nothing".to_owned())
}

/// `project 12`, `the projects 12 and 13`.
fn counted(what: &str, ids: &[u64]) -> String {
    match ids {
        [id] => format!("{what} {id}"),
        ids => format!("the {what}s {}", list(ids)),
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherServer { serves, job } => write!(f, "serves {}, not {job}", list(serves)),
            Self::OtherProject { projects, groups, project } => {
                match (projects.as_slice(), groups.as_slice()) {
                    (projects, []) => write!(f, "serves {}, not {project}", counted("project", projects)),
                    ([], groups) => {
                        write!(f, "serves {}, which project {project} is not in", counted("group", groups))
                    }
                    (projects, groups) => write!(
                        f,
                        "serves {} and {}, not project {project}",
                        counted("project", projects),
                        counted("group", groups)
                    ),
                }
            }
            Self::UnknownGroup { groups, project } => {
                write!(
                    f,
                    "serves {}, and nobody told whether project {project} is in it",
                    counted("group", groups)
                )
            }
            Self::Protected => f.write_str("takes jobs of protected branches and tags only"),
            Self::Untagged => f.write_str("takes no jobs without tags"),
            Self::MissingTags(tags) => {
                let quoted: Vec<String> = tags.iter().map(|tag| format!("`{tag}`")).collect();
                match quoted.as_slice() {
                    [tag] => write!(f, "the job asks for the tag {tag}, which its runners don't have"),
                    tags => {
                        write!(f, "the job asks for the tags {}, which its runners don't have", list(tags))
                    }
                }
            }
            Self::TooLong { timeout_s } => write!(
                f,
                "lives {} at most, so it takes shorter jobs; this one may take {}",
                duration::print(SERVERLESS_LIMIT_S),
                duration::print(*timeout_s)
            ),
        }
    }
}

/// What else there is to say of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The job's server is none that the Nest names: the addresses in hooks are often internal ones.
    ServerNotCompared {
        /// The job's server.
        server: String,
    },
    /// Nobody told how long the job may take.
    TimeoutUnknown,
    /// The runners stop the job before its own timeout does.
    ShorterTimeout {
        /// The runners' timeout, in seconds.
        runner_s: u64,
        /// The job's, in seconds.
        job_s: u64,
    },
}

impl Note {
    /// The stable name in reports for programs.
    pub const fn id(&self) -> &'static str {
        match self {
            Self::ServerNotCompared { .. } => "server-not-compared",
            Self::TimeoutUnknown => "timeout-unknown",
            Self::ShorterTimeout { .. } => "shorter-timeout",
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServerNotCompared { server } => {
                write!(f, "the Nest names no server `{server}`, so servers are not compared")
            }
            Self::TimeoutUnknown => write!(
                f,
                "the job's timeout is not known; GitLab's default, {}, counts",
                duration::print(DEFAULT_TIMEOUT_S)
            ),
            Self::ShorterTimeout { runner_s, job_s } => write!(
                f,
                "the job is stopped after {}, the runners' timeout; its own is {}",
                duration::print(*runner_s),
                duration::print(*job_s)
            ),
        }
    }
}
