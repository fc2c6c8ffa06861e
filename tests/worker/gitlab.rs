//! A GitLab in memory: projects, jobs that are handed out to managers, registered runners.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use orchestrator::{
    domain::JobStatus,
    ports::{
        gitlab::{
            Access, CreatedRunner, DeployKey, GitLab, GitLabError, GitLabJob, Hook, KnownRunner, Manager,
            NewRunner, Place, Schedule,
        },
        secrets::Secret,
    },
};

use crate::doubles::Fuse;

pub(crate) const SERVER: &str = "gitlab.example.com";

/// A registered runner.
#[derive(Debug, Clone)]
pub(crate) struct Registered {
    pub(crate) settings: NewRunner,
    pub(crate) token: String,
}

/// What it knows.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) jobs: BTreeMap<u64, GitLabJob>,
    pub(crate) timeouts: BTreeMap<u64, Duration>,
    pub(crate) runners: BTreeMap<u64, Registered>,
    pub(crate) groups: BTreeMap<u64, Vec<u64>>,
    pub(crate) protected: Vec<String>,
    pub(crate) last: u64,
    /// The machines whose managers were deleted.
    pub(crate) deleted: Vec<String>,
    pub(crate) played: Vec<u64>,
    /// How many of the next calls fail as if it was away.
    pub(crate) away: u32,
}

#[derive(Debug)]
pub(crate) struct FakeGitLab {
    pub(crate) state: Mutex<State>,
    pub(crate) fuse: Arc<Fuse>,
}

impl FakeGitLab {
    pub(crate) fn new(fuse: Arc<Fuse>) -> Self {
        Self { state: Mutex::default(), fuse }
    }

    /// A job that waits.
    pub(crate) fn ask(&self, project: u64, tags: &[&str]) -> u64 {
        let mut state = self.state.lock().unwrap();
        state.last += 1;
        let id = state.last;
        let job = GitLabJob {
            id,
            project,
            name: format!("job {id}"),
            status: JobStatus::Pending,
            failure_reason: None,
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            git_ref: "main".to_owned(),
            is_tag: false,
            created: None,
            runner: None,
            system_id: None,
        };
        state.jobs.insert(id, job);
        id
    }

    pub(crate) fn get(&self, id: u64) -> GitLabJob {
        self.state.lock().unwrap().jobs[&id].clone()
    }

    /// A machine with a runner's token asks for a job.
    pub(crate) fn hand_out(&self, token: &str, system_id: &str) -> Option<u64> {
        let mut state = self.state.lock().unwrap();
        let (runner, settings) = state
            .runners
            .iter()
            .find(|(_, runner)| runner.token == token)
            .map(|(id, runner)| (*id, runner.settings.clone()))?;
        let groups = state.groups.clone();
        let job = state.jobs.values_mut().find(|job| {
            let is_here = match settings.place {
                Place::Project(id) => job.project == id,
                Place::Group(id) => groups.get(&job.project).is_some_and(|groups| groups.contains(&id)),
            };
            is_here
                && job.status == JobStatus::Pending
                && (settings.run_untagged || !job.tags.is_empty())
                && job.tags.iter().all(|tag| settings.tags.contains(tag))
        })?;
        job.status = JobStatus::Running;
        job.runner = Some(runner);
        job.system_id = Some(system_id.to_owned());
        Some(job.id)
    }

    pub(crate) fn end(&self, id: u64, status: JobStatus, reason: Option<&str>) {
        let mut state = self.state.lock().unwrap();
        let job = state.jobs.get_mut(&id).unwrap();
        job.status = status;
        job.failure_reason = reason.map(ToOwned::to_owned);
    }

    async fn call(&self, request: &str) -> Result<(), GitLabError> {
        self.fuse.burn().await;
        let mut state = self.state.lock().unwrap();
        if state.away > 0 {
            state.away -= 1;
            let reason = format!("503 for {request}");
            return Err(GitLabError::Away { server: SERVER.to_owned(), reason, wait: None });
        }
        Ok(())
    }
}

fn unknown(request: &str) -> GitLabError {
    GitLabError::NotFound { server: SERVER.to_owned(), request: request.to_owned() }
}

#[async_trait]
impl GitLab for FakeGitLab {
    async fn create_runner(&self, _: &Access, runner: &NewRunner) -> Result<CreatedRunner, GitLabError> {
        self.call("POST /user/runners").await?;
        let (id, token) = {
            let mut state = self.state.lock().unwrap();
            state.last += 1;
            let (id, token) = (state.last, format!("glrt-{}", state.last));
            state.runners.insert(id, Registered { settings: runner.clone(), token: token.clone() });
            (id, token)
        };
        self.fuse.burn().await;
        Ok(CreatedRunner { id, token: Secret::new(token) })
    }

    async fn update_runner(&self, _: &Access, id: u64, runner: &NewRunner) -> Result<(), GitLabError> {
        self.call("PUT /runners").await?;
        let mut state = self.state.lock().unwrap();
        let known = state.runners.get_mut(&id).ok_or_else(|| unknown("PUT /runners"))?;
        known.settings = runner.clone();
        Ok(())
    }

    async fn delete_runner(&self, _: &Access, id: u64) -> Result<(), GitLabError> {
        self.call("DELETE /runners").await?;
        self.state.lock().unwrap().runners.remove(&id);
        Ok(())
    }

    async fn reset_runner_token(&self, _: &Access, id: u64) -> Result<Secret, GitLabError> {
        self.call("POST /runners/reset_authentication_token").await?;
        let mut state = self.state.lock().unwrap();
        state.last += 1;
        let token = format!("glrt-{}", state.last);
        let known = state.runners.get_mut(&id).ok_or_else(|| unknown("POST /runners"))?;
        known.token.clone_from(&token);
        Ok(Secret::new(token))
    }

    async fn runners(&self, _: &Access, place: Place) -> Result<Vec<KnownRunner>, GitLabError> {
        self.call("GET /runners").await?;
        let state = self.state.lock().unwrap();
        let here = state.runners.iter().filter(|(_, runner)| runner.settings.place == place);
        Ok(here
            .map(|(id, runner)| KnownRunner {
                id: *id,
                description: runner.settings.description.clone(),
                maintenance_note: runner.settings.maintenance_note.clone(),
                tags: runner.settings.tags.clone(),
                run_untagged: runner.settings.run_untagged,
                protected: runner.settings.protected,
                maximum_timeout: runner.settings.maximum_timeout,
            })
            .collect())
    }

    async fn managers(&self, _: &Access, _: u64) -> Result<Vec<Manager>, GitLabError> {
        Ok(Vec::new())
    }

    async fn delete_manager(&self, _: &str, _: &Secret, system_id: &str) -> Result<(), GitLabError> {
        self.call("DELETE /runners/managers").await?;
        self.state.lock().unwrap().deleted.push(system_id.to_owned());
        Ok(())
    }

    async fn running_jobs(
        &self,
        _: &Access,
        runner: u64,
        system_id: &str,
    ) -> Result<Vec<GitLabJob>, GitLabError> {
        self.call("GET /runners/jobs").await?;
        let state = self.state.lock().unwrap();
        let its = state.jobs.values().filter(|job| {
            job.status == JobStatus::Running
                && job.runner == Some(runner)
                && job.system_id.as_deref() == Some(system_id)
        });
        Ok(its.cloned().collect())
    }

    async fn job(&self, _: &Access, project: u64, job: u64) -> Result<GitLabJob, GitLabError> {
        self.call("GET /projects/jobs").await?;
        let found = self.state.lock().unwrap().jobs.get(&job).cloned();
        found.filter(|job| job.project == project).ok_or_else(|| unknown("GET /projects/jobs"))
    }

    async fn pending_jobs(&self, _: &Access, project: u64) -> Result<Vec<GitLabJob>, GitLabError> {
        self.call("GET /projects/jobs?scope=pending").await?;
        let state = self.state.lock().unwrap();
        let waiting = state.jobs.values();
        let waiting = waiting.filter(|job| job.project == project && job.status == JobStatus::Pending);
        Ok(waiting.cloned().collect())
    }

    async fn is_protected(&self, _: &Access, _: u64, git_ref: &str, _: bool) -> Result<bool, GitLabError> {
        self.call("GET /protected_branches").await?;
        Ok(self.state.lock().unwrap().protected.iter().any(|name| name == git_ref))
    }

    async fn groups_of(&self, _: &Access, project: u64) -> Result<Vec<u64>, GitLabError> {
        self.call("GET /projects/groups").await?;
        Ok(self.state.lock().unwrap().groups.get(&project).cloned().unwrap_or_default())
    }

    async fn projects_of(&self, _: &Access, group: u64) -> Result<Vec<u64>, GitLabError> {
        self.call("GET /groups/projects").await?;
        let state = self.state.lock().unwrap();
        let of_group = state.groups.iter().filter(|(_, groups)| groups.contains(&group));
        Ok(of_group.map(|(project, _)| *project).collect())
    }

    async fn hooks(&self, _: &Access, _: Place) -> Result<Vec<Hook>, GitLabError> {
        Ok(Vec::new())
    }

    async fn put_hook(&self, _: &Access, _: Place, _: &Hook) -> Result<u64, GitLabError> {
        Ok(1)
    }

    async fn delete_hook(&self, _: &Access, _: Place, _: u64) -> Result<(), GitLabError> {
        Ok(())
    }

    async fn schedules(&self, _: &Access, _: u64) -> Result<Vec<Schedule>, GitLabError> {
        Ok(Vec::new())
    }

    async fn put_schedule(&self, _: &Access, _: u64, _: &Schedule) -> Result<u64, GitLabError> {
        Ok(1)
    }

    async fn play_schedule(&self, _: &Access, _: u64, id: u64) -> Result<(), GitLabError> {
        self.state.lock().unwrap().played.push(id);
        Ok(())
    }

    async fn job_timeout(&self, _: &Access, _: u64, job: u64) -> Result<Option<Duration>, GitLabError> {
        Ok(self.state.lock().unwrap().timeouts.get(&job).copied())
    }

    async fn delete_schedule(&self, _: &Access, _: u64, _: u64) -> Result<(), GitLabError> {
        Ok(())
    }

    async fn deploy_keys(&self, _: &Access, _: u64) -> Result<Vec<DeployKey>, GitLabError> {
        Ok(Vec::new())
    }

    async fn put_deploy_key(&self, _: &Access, _: u64, _: &DeployKey) -> Result<u64, GitLabError> {
        Ok(1)
    }

    async fn delete_deploy_key(&self, _: &Access, _: u64, _: u64) -> Result<(), GitLabError> {
        Ok(())
    }

    async fn version(&self, _: &Access) -> Result<String, GitLabError> {
        Ok("17.8.1".to_owned())
    }
}
