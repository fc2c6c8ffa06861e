//! The matching rule.
//!
//! An egg takes a job when all of this holds; GitLab's own rule is the last two:
//!
//! 1. One of its repositories is on the job's server. Compared only when the Nest names that server.
//! 2. That repository is the job's project, or a group the project is in. Of a bucket, that repository alone matches.
//! 3. It is no serverless egg, or the job's timeout is not known to be 60 minutes or more.
//! 4. It is not protected, or the job's ref is.
//! 5. It runs jobs without tags, or the job has tags; and it has every tag of the job.
//!
//! Of several that do, the first by this order is chosen: one that names the project before one that names a group; for
//! jobs known to be shorter than 60 minutes serverless before vm, for others vm before serverless; the one with fewer
//! tags; the first by name.

use fly_std::formats::duration;

use super::{
    job::{DEFAULT_TIMEOUT_S, Job, SERVERLESS_LIMIT_S, plain_host},
    reason::{Note, Reason, list},
};
use crate::artifact::{EggConfig, EggKind, JobConfig, Repository, RunnerType};

/// The eggs of a Nest, as they are asked for jobs.
#[derive(Debug, Clone)]
pub struct Fleet<'a> {
    eggs: Vec<&'a EggConfig>,
    servers: Vec<String>,
}

/// How a repository came to match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Via {
    /// It names the job's project.
    Project(u64),
    /// It names a group that the project is in.
    Group(u64),
}

/// An egg that takes the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// The egg or bucket.
    pub egg: &'a EggConfig,
    /// Which of its repositories the job belongs to.
    pub repository: &'a Repository,
    /// How that repository matched.
    pub via: Via,
}

/// An egg that does not take the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected<'a> {
    /// The egg or bucket.
    pub egg: &'a EggConfig,
    /// The repository that matched, when one did.
    pub repository: Option<&'a Repository>,
    /// Why: never empty.
    pub reasons: Vec<Reason>,
}

/// What becomes of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<'a> {
    /// The eggs that take it, the chosen one first.
    pub candidates: Vec<Candidate<'a>>,
    /// Those that don't, by name.
    pub rejected: Vec<Rejected<'a>>,
    /// What else there is to say.
    pub notes: Vec<Note>,
}

impl<'a> Decision<'a> {
    /// The egg whose runner is deployed.
    pub fn chosen(&self) -> Option<&Candidate<'a>> {
        self.candidates.first()
    }

    /// Why an egg does not take the job; none when it does, or is not there.
    pub fn reasons(&self, egg: &str) -> Option<&[Reason]> {
        let at = self.rejected.binary_search_by(|rejected| rejected.egg.name.as_str().cmp(egg)).ok()?;
        self.rejected.get(at).map(|rejected| &*rejected.reasons)
    }
}

/// The rank of a candidate: the least is chosen.
type Rank<'a> = (bool, bool, usize, &'a str);

impl Candidate<'_> {
    fn rank(&self, job: &Job) -> Rank<'_> {
        let wanted = match job.timeout_s {
            Some(timeout_s) if timeout_s < SERVERLESS_LIMIT_S => RunnerType::Serverless,
            Some(_) | None => RunnerType::Vm,
        };
        (
            matches!(self.via, Via::Group(_)),
            self.egg.runner_type != wanted,
            self.egg.runner.tags.len(),
            &self.egg.name,
        )
    }

    /// Why it takes the job: what it serves, and that it has the tags.
    pub fn why(&self, job: &Job) -> String {
        let serves = match self.via {
            Via::Project(id) => format!("serves project {id}"),
            Via::Group(id) => format!("serves group {id}, which project {} is in", job.project_id),
        };
        let takes = if job.tags.is_empty() {
            "takes jobs without tags".to_owned()
        } else {
            let tags: Vec<String> = job.tags.iter().map(|tag| format!("`{tag}`")).collect();
            format!("has {}", list(&tags))
        };
        let timeout = match job.timeout_s {
            Some(seconds) => format!("; {} at most", duration::print(seconds)),
            None => String::new(),
        };
        format!("{serves}; {takes}{timeout}")
    }

    /// Why this one comes before another in the order of candidates.
    pub fn before(&self, other: &Candidate<'_>, job: &Job) -> String {
        let (mine, its) = (self.rank(job), other.rank(job));
        let name = &self.egg.name;
        if mine.0 != its.0 {
            format!("`{name}` names the project itself, which comes before a group")
        } else if mine.1 != its.1 {
            match self.egg.runner_type {
                RunnerType::Vm => {
                    format!("`{name}` is a vm, which comes first for jobs not known to be shorter than 60m")
                }
                RunnerType::Serverless => {
                    format!("`{name}` is serverless, which comes first for jobs shorter than 60m")
                }
            }
        } else if mine.2 != its.2 {
            format!("`{name}` has fewer tags")
        } else {
            format!("`{name}` comes first by name")
        }
    }
}

impl<'a> Fleet<'a> {
    /// These eggs of a Nest whose own project is on `server`. Their order means nothing.
    pub fn new(eggs: impl IntoIterator<Item = &'a EggConfig>, server: Option<&str>) -> Self {
        let mut eggs: Vec<&EggConfig> = eggs.into_iter().collect();
        eggs.sort_by(|a, b| a.name.cmp(&b.name));
        let named = eggs.iter().flat_map(|egg| &egg.repositories).map(|repository| &*repository.server);
        let mut servers: Vec<String> = named.chain(server).map(plain_host).collect();
        servers.sort_unstable();
        servers.dedup();
        Self { eggs, servers }
    }

    /// The eggs, by name.
    pub fn eggs(&self) -> &[&'a EggConfig] {
        &self.eggs
    }

    /// What becomes of a job.
    pub fn decide(&self, job: &Job) -> Decision<'a> {
        let mut notes = Vec::new();
        let server = job.server.as_deref().map(plain_host);
        let compared = server.as_deref().filter(|server| self.servers.iter().any(|known| known == server));
        if let Some(server) = &server
            && compared.is_none()
        {
            notes.push(Note::ServerNotCompared { server: server.clone() });
        }
        let (mut candidates, mut rejected) = (Vec::new(), Vec::new());
        for egg in self.eggs.iter().copied() {
            let place = belongs(egg, job, compared);
            let mut reasons: Vec<Reason> = place.as_ref().err().cloned().into_iter().collect();
            reasons.extend(refusals(egg, job));
            match place {
                Ok((repository, via)) if reasons.is_empty() => {
                    candidates.push(Candidate { egg, repository, via });
                }
                place => {
                    let repository = place.ok().map(|(repository, _)| repository);
                    rejected.push(Rejected { egg, repository, reasons });
                }
            }
        }
        candidates.sort_by(|a, b| a.rank(job).cmp(&b.rank(job)));
        if job.timeout_s.is_none() {
            notes.push(Note::TimeoutUnknown);
        }
        if let Some(chosen) = candidates.first() {
            let (runner_s, job_s) = (chosen.egg.runner.timeout_s, job.timeout_s.unwrap_or(DEFAULT_TIMEOUT_S));
            if runner_s < job_s {
                notes.push(Note::ShorterTimeout { runner_s, job_s });
            }
        }
        Decision { candidates, rejected, notes }
    }
}

/// The repository of an egg that the job belongs to.
fn belongs<'a>(egg: &'a EggConfig, job: &Job, server: Option<&str>) -> Result<(&'a Repository, Via), Reason> {
    let here: Vec<&Repository> = egg
        .repositories
        .iter()
        .filter(|repository| server.is_none_or(|server| plain_host(&repository.server) == server))
        .collect();
    if let Some(server) = server
        && here.is_empty()
        && !egg.repositories.is_empty()
    {
        let mut others: Vec<String> = egg.repositories.iter().map(|one| one.server.clone()).collect();
        others.sort_unstable();
        others.dedup();
        return Err(Reason::OtherServer { serves: others, job: server.to_owned() });
    }
    let matching = here.iter().filter_map(|repository| {
        let via = if repository.project_id == Some(job.project_id) {
            Via::Project(job.project_id)
        } else {
            Via::Group(repository.group_id.filter(|group| job.groups.contains(group))?)
        };
        Some((*repository, via))
    });
    // Should two of a bucket match, the project comes before a group here too, and then the name.
    let first = matching.min_by_key(|(repository, via)| {
        (matches!(via, Via::Group(_)), repository.name.as_deref(), repository.group_id)
    });
    first.ok_or_else(|| {
        let ids = |id: fn(&Repository) -> Option<u64>| {
            let mut ids: Vec<u64> = here.iter().filter_map(|repository| id(repository)).collect();
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        let (projects, groups) = (ids(|one| one.project_id), ids(|one| one.group_id));
        if job.groups.is_empty() && !groups.is_empty() {
            Reason::UnknownGroup { groups, project: job.project_id }
        } else {
            Reason::OtherProject { projects, groups, project: job.project_id }
        }
    })
}

/// The runners of a job of the Nest's own, as jobs of the Nest's project meet them: an egg of the name that it is deployed
/// under, which serves that one project. It is asked by the same rule as any egg; in [`Fleet::new`] it stands beside them.
pub fn own_job(job: &JobConfig, project_id: u64) -> EggConfig {
    let repository = Repository {
        name: None,
        server: job.project.server.clone(),
        project_id: Some(project_id),
        group_id: None,
        // These belong to the project, and a job names none of them.
        api_token_secret: String::new(),
        token_secret: job.project.token_secret.clone(),
        webhook_secret: String::new(),
    };
    EggConfig {
        format_version: EggConfig::FORMAT_VERSION,
        kind: EggKind::Egg,
        // No egg's name holds a `/`.
        name: format!("jobs/{}", job.name),
        runner_type: job.runner_type,
        cloud: job.cloud.clone(),
        resources: job.resources,
        runner: job.runner.clone(),
        repositories: vec![repository],
        environment: job.environment.clone(),
        rift: None,
    }
}

/// Why the runners of an egg refuse a job, whichever project it is of; empty when they don't.
pub fn refusals(egg: &EggConfig, job: &Job) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if egg.runner.protected && !job.ref_protected {
        reasons.push(Reason::Protected);
    }
    if job.tags.is_empty() && !egg.runner.run_untagged {
        reasons.push(Reason::Untagged);
    }
    let mut missing: Vec<String> =
        job.tags.iter().filter(|tag| !egg.runner.tags.contains(tag)).cloned().collect();
    if !missing.is_empty() {
        missing.sort_unstable();
        missing.dedup();
        reasons.push(Reason::MissingTags(missing));
    }
    if let Some(timeout_s) = job.timeout_s
        && egg.runner_type == RunnerType::Serverless
        && timeout_s >= SERVERLESS_LIMIT_S
    {
        reasons.push(Reason::TooLong { timeout_s });
    }
    reasons
}
