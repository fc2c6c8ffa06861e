//! GitLab's REST API, version 4, over HTTP: <https://docs.gitlab.com/api/rest/>. What never lives here: deciding anything.

mod http;
mod shapes;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::time::Instant;
use url::Url;

use crate::ports::{
    gitlab::{
        Access, CreatedRunner, DeployKey, GitLab, GitLabError, GitLabJob, Hook, KnownRunner, Manager,
        NewRunner, Place, Schedule,
    },
    secrets::Secret,
};
use http::{Call, Http, Paging};

/// What a call that only reads needs.
const READS: &str = "the scope `read_api` or `api`, and the role Maintainer where it reads";
/// What a call that makes a runner needs.
const MAKES_RUNNERS: &str =
    "the scope `create_runner` or `api`, and the role Maintainer of the project or Owner of the group";
/// What a call that changes a runner needs.
const RUNS_RUNNERS: &str =
    "the scope `manage_runner` or `api`, and the role Maintainer of the project or Owner of the group";
/// What a call that changes a hook needs.
const HOOKS: &str = "the scope `api`, and the role Maintainer of the project or Owner of the group";
/// What a call that changes a schedule needs.
const SCHEDULES: &str = "the scope `api`, and the role Maintainer of the project, by the schedule's owner";
/// What a call that changes a deploy key needs.
const KEYS: &str = "the scope `api`, and the role Maintainer of the project";
/// What the runner's own calls need.
const MANAGERS: &str = "to be the one that the runner has now";

/// How deep groups lie in one another at most, by GitLab's own limit and some more.
const DEEPEST: usize = 32;

/// How long it is remembered how long the jobs of a project may take.
const REMEMBERED: Duration = Duration::from_mins(5);

/// GitLab's own default for how long a job may take: a project that has it says nothing of how long its jobs are.
const DEFAULT_TIMEOUT: Duration = Duration::from_hours(1);

/// How long a call may take, and how often it is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Until it is connected.
    pub connect: Duration,
    /// Until the whole answer is there.
    pub whole: Duration,
    /// How often something that only reads is tried.
    pub tries: u32,
    /// How long the first pause between two tries is; each further one is twice as long.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            whole: Duration::from_secs(15),
            tries: 3,
            pause: Duration::from_millis(200),
        }
    }
}

/// How long the jobs of a project may take, by server and project, and when it was asked.
type Timeouts = HashMap<(String, u64), (Instant, Option<Duration>)>;

/// GitLab's servers.
pub struct GitLabClient {
    http: Http,
    timeouts: Mutex<Timeouts>,
}

impl fmt::Debug for GitLabClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitLabClient").finish_non_exhaustive()
    }
}

impl GitLabClient {
    /// Servers are reached at `https://HOST`, unless they stand here, by host as the Nest names it.
    ///
    /// # Errors
    ///
    /// When there is no way to speak TLS on this machine.
    pub fn new(servers: BTreeMap<String, Url>, patience: Patience) -> Result<Self, String> {
        Ok(Self { http: Http::new(servers, patience)?, timeouts: Mutex::default() })
    }

    async fn one(&self, call: Call<'_>) -> Result<Value, GitLabError> {
        self.http.send(&call).await
    }

    /// Takes something away; that it isn't there is well.
    async fn gone(&self, call: Call<'_>) -> Result<(), GitLabError> {
        match self.http.send(&call).await {
            Ok(_) | Err(GitLabError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// A schedule with its variables, which the list leaves out.
    async fn schedule(&self, access: &Access, project: u64, id: u64) -> Result<Schedule, GitLabError> {
        let call = Call::get(access, format!("projects/{project}/pipeline_schedules/{id}"), SCHEDULES);
        let found = self.one(call.clone()).await?;
        shapes::read(&call, found).map(shapes::FullSchedule::into)
    }

    /// Brings a schedule's variables to what they should be.
    async fn put_variables(
        &self,
        access: &Access,
        project: u64,
        id: u64,
        wanted: &BTreeMap<String, String>,
    ) -> Result<(), GitLabError> {
        let there = self.schedule(access, project, id).await?.variables;
        let base = format!("projects/{project}/pipeline_schedules/{id}/variables");
        for (key, value) in wanted {
            let call = match there.get(key) {
                Some(same) if same == value => continue,
                Some(_) => Call::put(
                    access,
                    format!("{base}/{}", http::escaped(key)),
                    json!({ "value": value }),
                    SCHEDULES,
                ),
                None => Call::post(access, base.clone(), json!({ "key": key, "value": value }), SCHEDULES),
            };
            self.one(call).await?;
        }
        for key in there.keys().filter(|key| !wanted.contains_key(*key)) {
            self.gone(Call::delete(access, format!("{base}/{}", http::escaped(key)), SCHEDULES)).await?;
        }
        Ok(())
    }
}

/// `projects/7` or `groups/7`.
fn at(place: Place) -> String {
    match place {
        Place::Project(id) => format!("projects/{id}"),
        Place::Group(id) => format!("groups/{id}"),
    }
}

/// The settings of a runner, as both making and changing it take them.
fn settings(runner: &NewRunner) -> serde_json::Map<String, Value> {
    let mut body = serde_json::Map::new();
    body.insert("description".to_owned(), json!(runner.description));
    body.insert("maintenance_note".to_owned(), json!(runner.maintenance_note));
    body.insert("tag_list".to_owned(), json!(runner.tags));
    body.insert("run_untagged".to_owned(), json!(runner.run_untagged));
    let level = if runner.protected { "ref_protected" } else { "not_protected" };
    body.insert("access_level".to_owned(), json!(level));
    let timeout = runner.maximum_timeout.map(|longest| longest.as_secs());
    body.insert("maximum_timeout".to_owned(), json!(timeout));
    body
}

#[async_trait]
impl GitLab for GitLabClient {
    async fn create_runner(&self, access: &Access, runner: &NewRunner) -> Result<CreatedRunner, GitLabError> {
        let mut body = settings(runner);
        body.retain(|_, value| !value.is_null());
        match runner.place {
            Place::Project(id) => {
                body.insert("runner_type".to_owned(), json!("project_type"));
                body.insert("project_id".to_owned(), json!(id));
            }
            Place::Group(id) => {
                body.insert("runner_type".to_owned(), json!("group_type"));
                body.insert("group_id".to_owned(), json!(id));
            }
        }
        let call = Call::post(access, "user/runners".to_owned(), Value::Object(body), MAKES_RUNNERS);
        let made = self.one(call.clone()).await?;
        let made: shapes::MadeRunner = shapes::read(&call, made)?;
        Ok(CreatedRunner { id: made.id, token: Secret::new(made.token) })
    }

    async fn update_runner(&self, access: &Access, id: u64, runner: &NewRunner) -> Result<(), GitLabError> {
        let body = Value::Object(settings(runner));
        self.one(Call::put(access, format!("runners/{id}"), body, RUNS_RUNNERS)).await.map(drop)
    }

    async fn delete_runner(&self, access: &Access, id: u64) -> Result<(), GitLabError> {
        self.gone(Call::delete(access, format!("runners/{id}"), RUNS_RUNNERS)).await
    }

    async fn reset_runner_token(&self, access: &Access, id: u64) -> Result<Secret, GitLabError> {
        let path = format!("runners/{id}/reset_authentication_token");
        let call = Call::post(access, path, json!({}), RUNS_RUNNERS);
        let reset = self.one(call.clone()).await?;
        let reset: shapes::Token = shapes::read(&call, reset)?;
        Ok(Secret::new(reset.token))
    }

    async fn runners(&self, access: &Access, place: Place) -> Result<Vec<KnownRunner>, GitLabError> {
        let kind = match place {
            Place::Project(_) => "project_type",
            Place::Group(_) => "group_type",
        };
        let call = Call::get(access, format!("{}/runners", at(place)), READS).query("type", kind);
        let listed: Vec<shapes::Id> = self.http.all(&call, Paging::Offset).await?;
        let mut runners = Vec::with_capacity(listed.len());
        for runner in listed {
            // The list leaves the notes out.
            let call = Call::get(access, format!("runners/{}", runner.id), READS);
            let found = match self.one(call.clone()).await {
                // It went since.
                Err(GitLabError::NotFound { .. }) => continue,
                found => shapes::read::<shapes::OneRunner>(&call, found?)?,
            };
            // A group's list has the runners of the groups around it too.
            if let Place::Group(id) = place
                && !found.groups.is_empty()
                && !found.groups.iter().any(|group| group.id == id)
            {
                continue;
            }
            runners.push(found.into());
        }
        Ok(runners)
    }

    async fn managers(&self, access: &Access, runner: u64) -> Result<Vec<Manager>, GitLabError> {
        let call = Call::get(access, format!("runners/{runner}/managers"), READS);
        let found: Vec<shapes::OneManager> = self.http.all(&call, Paging::Offset).await?;
        Ok(found.into_iter().map(Into::into).collect())
    }

    async fn delete_manager(&self, server: &str, token: &Secret, system_id: &str) -> Result<(), GitLabError> {
        let body = json!({ "token": token.expose(), "system_id": system_id });
        self.gone(Call::of_runner(server, token, "runners/managers", body, MANAGERS)).await
    }

    async fn running_jobs(
        &self,
        access: &Access,
        runner: u64,
        system_id: &str,
    ) -> Result<Vec<GitLabJob>, GitLabError> {
        let call = Call::get(access, format!("runners/{runner}/jobs"), READS)
            .query("status", "running")
            .query("system_id", system_id);
        let found: Vec<shapes::OneJob> = self.http.all(&call, Paging::Offset).await?;
        let mut jobs = Vec::with_capacity(found.len());
        for job in found {
            let job = job.into_job(&call, None)?;
            // The list leaves out what was asked for.
            let (runner, system_id) = (Some(runner), Some(system_id.to_owned()));
            jobs.push(GitLabJob { runner, system_id, ..job });
        }
        Ok(jobs)
    }

    async fn job(&self, access: &Access, project: u64, job: u64) -> Result<GitLabJob, GitLabError> {
        let call = Call::get(access, format!("projects/{project}/jobs/{job}"), READS);
        let found = self.one(call.clone()).await?;
        shapes::read::<shapes::OneJob>(&call, found)?.into_job(&call, Some(project))
    }

    async fn pending_jobs(&self, access: &Access, project: u64) -> Result<Vec<GitLabJob>, GitLabError> {
        let call = Call::get(access, format!("projects/{project}/jobs"), READS).query("scope[]", "pending");
        // By key: jobs that start while the pages are turned would else push others past them.
        let found: Vec<shapes::OneJob> = self.http.all(&call, Paging::Keyset).await?;
        found.into_iter().map(|job| job.into_job(&call, Some(project))).collect()
    }

    async fn is_protected(
        &self,
        access: &Access,
        project: u64,
        git_ref: &str,
        is_tag: bool,
    ) -> Result<bool, GitLabError> {
        let (kind, prefix) =
            if is_tag { ("protected_tags", "refs/tags/") } else { ("protected_branches", "refs/heads/") };
        let name = git_ref.strip_prefix(prefix).unwrap_or(git_ref);
        let call = Call::get(access, format!("projects/{project}/{kind}"), READS);
        let patterns: Vec<shapes::Named> = self.http.all(&call, Paging::Offset).await?;
        Ok(patterns.iter().any(|pattern| shapes::covers(&pattern.name, name)))
    }

    async fn groups_of(&self, access: &Access, project: u64) -> Result<Vec<u64>, GitLabError> {
        let call = Call::get(access, format!("projects/{project}"), READS);
        let found = self.one(call.clone()).await?;
        let namespace = shapes::read::<shapes::Project>(&call, found)?.namespace;
        if namespace.kind != "group" {
            return Ok(Vec::new());
        }
        let mut groups = vec![namespace.id];
        let mut parent = namespace.parent_id;
        while let Some(id) = parent.filter(|id| groups.len() < DEEPEST && !groups.contains(id)) {
            groups.push(id);
            let call = Call::get(access, format!("groups/{id}"), READS).query("with_projects", "false");
            parent = match self.one(call.clone()).await {
                Ok(found) => shapes::read::<shapes::Group>(&call, found)?.parent_id,
                // A token of the project's own doesn't see the groups around it.
                Err(GitLabError::NotFound { .. } | GitLabError::Forbidden { .. }) => None,
                Err(error) => return Err(error),
            };
        }
        Ok(groups)
    }

    async fn projects_of(&self, access: &Access, group: u64) -> Result<Vec<u64>, GitLabError> {
        // Projects of others that are shared with the group have no use of its runners.
        let call = Call::get(access, format!("groups/{group}/projects"), READS)
            .query("include_subgroups", "true")
            .query("with_shared", "false")
            .query("archived", "false")
            .query("simple", "true")
            .query("order_by", "id");
        let found: Vec<shapes::Id> = self.http.all(&call, Paging::Offset).await?;
        Ok(found.into_iter().map(|project| project.id).collect())
    }

    async fn hooks(&self, access: &Access, place: Place) -> Result<Vec<Hook>, GitLabError> {
        let call = Call::get(access, format!("{}/hooks", at(place)), HOOKS);
        let found: Vec<shapes::OneHook> = self.http.all(&call, Paging::Offset).await?;
        Ok(found.into_iter().map(Into::into).collect())
    }

    async fn put_hook(&self, access: &Access, place: Place, hook: &Hook) -> Result<u64, GitLabError> {
        let mut body = serde_json::Map::new();
        body.insert("url".to_owned(), json!(hook.url));
        body.insert("enable_ssl_verification".to_owned(), json!(hook.ssl_verification));
        // GitLab's default is to send pushes.
        body.insert("push_events".to_owned(), json!(false));
        body.extend(hook.events.iter().map(|(event, sent)| (event.clone(), json!(sent))));
        if let Some(secret) = &hook.secret {
            body.insert("token".to_owned(), json!(secret.expose()));
        }
        let (base, body) = (format!("{}/hooks", at(place)), Value::Object(body));
        let call = match hook.id {
            Some(id) => Call::put(access, format!("{base}/{id}"), body, HOOKS),
            None => Call::post(access, base, body, HOOKS),
        };
        let call = call.hiding(hook.secret.as_ref());
        let put = self.one(call.clone()).await?;
        Ok(shapes::read::<shapes::Id>(&call, put)?.id)
    }

    async fn delete_hook(&self, access: &Access, place: Place, id: u64) -> Result<(), GitLabError> {
        self.gone(Call::delete(access, format!("{}/hooks/{id}", at(place)), HOOKS)).await
    }

    async fn schedules(&self, access: &Access, project: u64) -> Result<Vec<Schedule>, GitLabError> {
        let call = Call::get(access, format!("projects/{project}/pipeline_schedules"), SCHEDULES);
        let listed: Vec<shapes::Id> = self.http.all(&call, Paging::Offset).await?;
        let mut schedules = Vec::with_capacity(listed.len());
        for schedule in listed {
            match self.schedule(access, project, schedule.id).await {
                // It went since.
                Err(GitLabError::NotFound { .. }) => {}
                found => schedules.push(found?),
            }
        }
        Ok(schedules)
    }

    async fn put_schedule(
        &self,
        access: &Access,
        project: u64,
        schedule: &Schedule,
    ) -> Result<u64, GitLabError> {
        let base = format!("projects/{project}/pipeline_schedules");
        let body = |active: bool| {
            json!({
                "description": schedule.description,
                "ref": schedule.git_ref,
                "cron": schedule.cron,
                "cron_timezone": schedule.cron_timezone,
                "active": active,
            })
        };
        let id = match schedule.id {
            Some(id) => id,
            None => {
                // It fires only once it has its variables.
                let call = Call::post(access, base.clone(), body(false), SCHEDULES);
                let made = self.one(call.clone()).await?;
                shapes::read::<shapes::Id>(&call, made)?.id
            }
        };
        self.put_variables(access, project, id, &schedule.variables).await?;
        if schedule.id.is_some() || schedule.active {
            let call = Call::put(access, format!("{base}/{id}"), body(schedule.active), SCHEDULES);
            self.one(call).await?;
        }
        Ok(id)
    }

    async fn delete_schedule(&self, access: &Access, project: u64, id: u64) -> Result<(), GitLabError> {
        let path = format!("projects/{project}/pipeline_schedules/{id}");
        self.gone(Call::delete(access, path, SCHEDULES)).await
    }

    async fn play_schedule(&self, access: &Access, project: u64, id: u64) -> Result<(), GitLabError> {
        let path = format!("projects/{project}/pipeline_schedules/{id}/play");
        self.one(Call::post(access, path, json!({}), SCHEDULES)).await.map(drop)
    }

    async fn job_timeout(
        &self,
        access: &Access,
        project: u64,
        _job: u64,
    ) -> Result<Option<Duration>, GitLabError> {
        // A job's own `timeout` is in no answer of the API's; its project's is.
        let key = (access.server.to_lowercase(), project);
        let now = Instant::now();
        let remembered = || self.timeouts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((asked, timeout)) = remembered().get(&key)
            && now.duration_since(*asked) < REMEMBERED
        {
            return Ok(*timeout);
        }
        let call = Call::get(access, format!("projects/{project}"), READS);
        let timeout = match self.one(call.clone()).await {
            Ok(found) => {
                let timeout = shapes::read::<shapes::Project>(&call, found)?.build_timeout;
                timeout.map(Duration::from_secs).filter(|timeout| *timeout != DEFAULT_TIMEOUT)
            }
            // A token that sees the jobs but not the project's settings.
            Err(GitLabError::Forbidden { .. } | GitLabError::NotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        let mut remembered = remembered();
        remembered.retain(|_, (asked, _)| now.duration_since(*asked) < REMEMBERED);
        remembered.insert(key, (now, timeout));
        Ok(timeout)
    }

    async fn deploy_keys(&self, access: &Access, project: u64) -> Result<Vec<DeployKey>, GitLabError> {
        let call = Call::get(access, format!("projects/{project}/deploy_keys"), KEYS);
        let found: Vec<shapes::OneDeployKey> = self.http.all(&call, Paging::Offset).await?;
        Ok(found.into_iter().map(Into::into).collect())
    }

    async fn put_deploy_key(
        &self,
        access: &Access,
        project: u64,
        key: &DeployKey,
    ) -> Result<u64, GitLabError> {
        let base = format!("projects/{project}/deploy_keys");
        let call = match key.id {
            Some(id) => Call::put(
                access,
                format!("{base}/{id}"),
                json!({ "title": key.title, "can_push": key.can_push }),
                KEYS,
            ),
            None => Call::post(
                access,
                base,
                json!({ "title": key.title, "key": key.key, "can_push": key.can_push }),
                KEYS,
            ),
        };
        let put = self.one(call.clone()).await?;
        Ok(shapes::read::<shapes::Id>(&call, put)?.id)
    }

    async fn delete_deploy_key(&self, access: &Access, project: u64, id: u64) -> Result<(), GitLabError> {
        self.gone(Call::delete(access, format!("projects/{project}/deploy_keys/{id}"), KEYS)).await
    }

    async fn version(&self, access: &Access) -> Result<String, GitLabError> {
        let call = Call::get(access, "version".to_owned(), READS);
        let found = self.one(call.clone()).await?;
        let version = shapes::read::<shapes::Version>(&call, found)?.version;
        Ok(version.split_once('-').map_or(version.as_str(), |(plain, _)| plain).to_owned())
    }
}
