//! What a hook and a sweep have in common: a job as GitLab tells it is matched and written down, never backwards.

use std::{collections::BTreeMap, sync::Arc};

use flyc::routing::{Job as Asked, host_of};
use tokio::sync::Mutex;

use super::{Failure, access};
use crate::{
    domain::{Demand, Event, Job, JobId, JobStatus, Runner, Seen, Time},
    nest::Choice,
    ports::{
        gitlab::{Access, GitLabError, GitLabJob},
        store::{StoreError, Value},
    },
    records::{self, EggRecord, JobRecord, RunnerRecord, Versioned},
    roles::{Context, changes, kept::Eggs},
};

/// How often a write is tried when others write the same rows.
const TRIES: usize = 16;

/// Reasons of GitLab's for a failed job that are the runner's fault.
const RUNNERS_FAULT: [&str; 3] = ["runner_system_failure", "stuck_or_timeout_failure", "runner_unsupported"];

/// Whose group a project is in, whether a ref is protected: asked once while one looks.
pub(super) struct Look<'a> {
    context: &'a Context,
    eggs: Arc<Eggs>,
    groups: Mutex<BTreeMap<(String, u64), Vec<u64>>>,
    protected: Mutex<BTreeMap<(String, u64, String, bool), bool>>,
}

impl<'a> Look<'a> {
    pub(super) async fn new(context: &'a Context) -> Result<Self, Failure> {
        let eggs = context.eggs().await?;
        Ok(Self { context, eggs, groups: Mutex::default(), protected: Mutex::default() })
    }

    /// Everything that was ever in the Nest.
    pub(super) fn eggs(&self) -> &[EggRecord] {
        &self.eggs.all
    }

    /// The server of the Nest's that a payload means; `shown` are the eggs whose secret it showed.
    pub(super) fn server(&self, told: Option<&str>, shown: &[String], project: u64) -> Option<String> {
        let living = self.eggs().iter().filter(|record| !record.removed);
        let named = living.flat_map(|record| {
            access::seen(record, &self.context.settings.nest).map(move |spot| (record, spot))
        });
        if let Some(told) = told {
            let is_it = |server: &str| {
                access::is_same_server(server, told)
                    || self
                        .context
                        .settings
                        .gitlab
                        .get(server)
                        .is_some_and(|url| host_of(url.as_str()).as_deref() == Some(told))
            };
            if let Some((_, spot)) = named.clone().find(|(_, spot)| is_it(spot.server)) {
                return Some(spot.server.to_owned());
            }
        }
        // A server may tell another name of itself than the Nest has; who showed the secret tells which it is.
        let of_project = |spot: &access::Seen| spot.place == crate::ports::gitlab::Place::Project(project);
        let who = named.clone().filter(|(record, _)| shown.contains(&record.name));
        let mut shown: Vec<&str> = match who.clone().find(|(_, spot)| of_project(spot)) {
            Some((_, spot)) => vec![spot.server],
            None => who.map(|(_, spot)| spot.server).collect(),
        };
        if shown.is_empty() && told.is_none() {
            shown = named.map(|(_, spot)| spot.server).collect();
        }
        shown.sort_unstable();
        shown.dedup();
        match shown[..] {
            [one] => Some(one.to_owned()),
            _ => None,
        }
    }

    /// A job, and the access that opened it; none when no token of the Nest's opens its project.
    pub(super) async fn job(
        &self,
        shown: &[String],
        server: &str,
        project: u64,
        job: u64,
    ) -> Result<Option<(GitLabJob, Access)>, Failure> {
        let accesses = access::to_project(self.context, self.eggs(), shown, server, project).await?;
        for access in accesses {
            match self.context.ports.gitlab.job(&access, project, job).await {
                Ok(job) => return Ok(Some((job, access))),
                Err(error @ (GitLabError::NotFound { .. } | GitLabError::Forbidden { .. })) => {
                    tracing::debug!(server, project, job, %error, "a job was not to be had");
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// Writes down what GitLab told of a job at a moment.
    pub(super) async fn tell(
        &self,
        server: &str,
        access: &Access,
        told: &GitLabJob,
        since: Time,
        asked: Time,
    ) -> Result<Seen, Failure> {
        let id = JobId { server: server.into(), number: told.id };
        let waits = told.status <= JobStatus::Pending;
        let (choice, ref_protected) = if waits {
            self.choose(server, access, told).await?
        } else {
            (Choice { owner: None, reasons: Vec::new() }, false)
        };
        for _ in 0..TRIES {
            let known = records::get::<JobRecord>(&*self.context.ports.store, key(&id)).await?;
            let runner = self.runner_of(server, told, known.as_ref()).await?;
            let owner = runner.as_ref().map(|runner| runner.record.runner.egg.clone());
            let news = JobRecord {
                id: id.clone(),
                job: Job {
                    project: told.project,
                    egg: owner.or_else(|| choice.owner.clone()),
                    tags: told.tags.iter().cloned().collect(),
                    status: told.status,
                    since,
                    told: asked,
                    runner: runner.as_ref().map(|runner| runner.record.runner.id.clone()),
                },
                name: told.name.clone(),
                git_ref: told.git_ref.clone(),
                ref_protected,
                reason: choice.reasons.clone(),
            };
            let Some(record) = merged(known.as_ref().map(|known| &known.record), news) else {
                return Ok(Seen::Known);
            };
            let write = match &known {
                Some(known) => Versioned { record: record.clone(), version: known.version }.update(),
                None => records::insert(&record),
            };
            let mut writes = vec![write];
            let is_new = known.as_ref().is_none_or(|known| known.record.job.status != told.status);
            let change = runner.filter(|_| is_new).and_then(|runner| self.happens(&id, told, runner));
            if let Some((_, after)) = &change {
                writes.push(after.update());
            }
            match self.context.ports.store.commit(writes).await {
                Ok(()) => {
                    if let Some((before, after)) = change {
                        let why = format!("job {id} is {}", word(told.status));
                        changes::changed(self.context, &before, &after.record.runner, &why);
                    }
                    if record.job.status == JobStatus::Pending && record.job.egg.is_none() {
                        let why = record.reason.join("; ");
                        tracing::warn!(job = %id, project = told.project, why, "no egg serves a job");
                    }
                    return Ok(Seen::New);
                }
                Err(StoreError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Failure::later(format!("others write the rows of job {id} all the time")))
    }

    /// Who takes a job, and whether its ref is protected.
    async fn choose(
        &self,
        server: &str,
        access: &Access,
        told: &GitLabJob,
    ) -> Result<(Choice, bool), Failure> {
        let gitlab = &*self.context.ports.gitlab;
        let mut job = Asked {
            name: told.name.clone(),
            server: Some(server.to_owned()),
            project_id: told.project,
            groups: Vec::new(),
            tags: told.tags.clone(),
            ref_protected: true,
            timeout_s: gitlab
                .job_timeout(access, told.project, told.id)
                .await?
                .map(|timeout| timeout.as_secs()),
        };
        if self.has_groups(server) {
            job.groups = self.groups(access, told.project).await?;
        }
        // Whether the ref is protected is asked for only where it makes a difference.
        let open = self.eggs.routes.choose(&Asked { ref_protected: false, ..job.clone() });
        let closed = self.eggs.routes.choose(&job);
        if open == closed {
            return Ok((open, false));
        }
        let key = (server.to_owned(), told.project, told.git_ref.clone(), told.is_tag);
        let known = self.protected.lock().await.get(&key).copied();
        let protected = match known {
            Some(protected) => protected,
            None => {
                let protected = gitlab.is_protected(access, told.project, &told.git_ref, told.is_tag).await?;
                self.protected.lock().await.insert(key, protected);
                protected
            }
        };
        Ok((if protected { closed } else { open }, protected))
    }

    fn has_groups(&self, server: &str) -> bool {
        let living = self.eggs().iter().filter(|record| !record.removed);
        let mut spots = living.flat_map(|record| access::seen(record, &self.context.settings.nest));
        spots.any(|spot| {
            matches!(spot.place, crate::ports::gitlab::Place::Group(_))
                && access::is_same_server(spot.server, server)
        })
    }

    async fn groups(&self, access: &Access, project: u64) -> Result<Vec<u64>, Failure> {
        let key = (access.server.clone(), project);
        if let Some(groups) = self.groups.lock().await.get(&key) {
            return Ok(groups.clone());
        }
        let groups = match self.context.ports.gitlab.groups_of(access, project).await {
            Ok(groups) => groups,
            // A token for the project alone doesn't see them; then no egg of a group's takes the job.
            Err(GitLabError::Forbidden { .. } | GitLabError::NotFound { .. }) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        self.groups.lock().await.insert(key, groups.clone());
        Ok(groups)
    }

    /// The runner of ours that has or had a job.
    async fn runner_of(
        &self,
        server: &str,
        told: &GitLabJob,
        known: Option<&Versioned<JobRecord>>,
    ) -> Result<Option<Versioned<RunnerRecord>>, Failure> {
        let store = &*self.context.ports.store;
        if let (Some(number), Some(system_id)) = (told.runner, &told.system_id) {
            let owners = self.eggs().iter().filter(|record| {
                record.registered.keys().any(|key| {
                    record.runners_at(key).any(|id| id == number)
                        && records::place_of(key)
                            .is_some_and(|(named, _)| access::is_same_server(named, server))
                })
            });
            for owner in owners {
                let index = Some("egg_name_index");
                let partition = Some(Value::Text(owner.name.clone()));
                let runners = records::all::<RunnerRecord>(store, index, partition).await?;
                let found = runners
                    .into_iter()
                    .filter(|runner| runner.record.system_id.as_ref() == Some(system_id))
                    .max_by_key(|runner| runner.record.runner.is_there());
                if found.is_some() {
                    return Ok(found);
                }
            }
        }
        let Some(id) = known.and_then(|known| known.record.job.runner.as_ref()) else { return Ok(None) };
        Ok(records::get::<RunnerRecord>(store, vec![Value::Text(id.as_str().to_owned())]).await?)
    }

    /// What a job's new status means to its runner; none when nothing.
    fn happens(
        &self,
        id: &JobId,
        told: &GitLabJob,
        runner: Versioned<RunnerRecord>,
    ) -> Option<(Runner, Versioned<RunnerRecord>)> {
        let event = match told.status {
            JobStatus::Created | JobStatus::Pending => return None,
            JobStatus::Running => Event::Took(id.clone()),
            JobStatus::Succeeded | JobStatus::Failed | JobStatus::Canceled => Event::Ended {
                job: id.clone(),
                failed: told.status == JobStatus::Failed
                    && told.failure_reason.as_deref().is_some_and(|why| RUNNERS_FAULT.contains(&why)),
            },
        };
        let now = self.context.ports.clock.now();
        let before = runner.record.runner.clone();
        match before.after(&event, now) {
            Ok(after) if after == before => None,
            Ok(after) => {
                let record = RunnerRecord { runner: after, updated: now, ..runner.record };
                Some((before, Versioned { record, version: runner.version }))
            }
            Err(error) => {
                tracing::debug!(runner = before.id.as_str(), job = %id, %error, "a hook comes late");
                None
            }
        }
    }
}

/// What is known of a job by now; none when there is nothing new. A job that still waits may have got another egg.
fn merged(known: Option<&JobRecord>, news: JobRecord) -> Option<JobRecord> {
    let Some(known) = known else { return Some(news) };
    let mut demand = Demand::new([(known.id.clone(), known.job.clone())]);
    if demand.tell(news.id.clone(), news.job.clone()) == Seen::New {
        let job = demand.get(&news.id)?.clone();
        let reason = if news.reason.is_empty() { known.reason.clone() } else { news.reason.clone() };
        let ref_protected = news.ref_protected || known.ref_protected;
        return Some(JobRecord { job, ref_protected, reason, ..news });
    }
    let waits = known.job.status == JobStatus::Pending && news.job.status == JobStatus::Pending;
    let differs = known.job.egg != news.job.egg || known.reason != news.reason;
    (waits && differs && news.job.told >= known.job.told)
        .then(|| JobRecord { job: Job { since: known.job.since, ..news.job.clone() }, ..news })
}

/// The key of a job.
pub(super) fn key(id: &JobId) -> Vec<Value> {
    vec![Value::Text(id.server.to_string()), Value::Int(i64::try_from(id.number).unwrap_or(i64::MAX))]
}

fn word(status: JobStatus) -> &'static str {
    match status {
        JobStatus::Created => "created",
        JobStatus::Pending => "pending",
        JobStatus::Running => "running",
        JobStatus::Succeeded => "done",
        JobStatus::Failed => "failed",
        JobStatus::Canceled => "cancelled",
    }
}
