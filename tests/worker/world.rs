//! An installation with its world: time goes on in steps, machines boot, take jobs and tell of themselves, hooks come, and the
//! conductor works off what is in the queue. It may be ended at any call and started anew.

use std::fmt::Write as _;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use flyc::artifact::{
    Cloud as Place, EggConfig, EggKind, Executor, Provider, Repository, Resources, Runner as RunnerConfig,
    RunnerType,
};
use orchestrator::{
    adapters::{queue::sqlite::Sqlite as Queued, store::sqlite::Sqlite},
    domain::{Deadlines, Event, Health, JobId, JobStatus, Runner, RunnerId, State},
    metrics::Metrics,
    ports::{
        Ports,
        clock::Clock,
        queue::Queue,
        store::{Store, StoreError, Value},
    },
    records::{self, AuditEntry, EggRecord, JobRecord, PlanRecord, RunnerRecord, Served, Versioned},
    roles::{Context, Work, worker},
    seal::Seal,
    settings::{Intervals, NestSettings, Settings},
};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::{
    cloud::Cloud,
    doubles::{Fuse, Fused, Hands, NoGit, Vault},
    gitlab::{FakeGitLab, SERVER},
};

/// How long a machine needs until it is heard of.
pub(crate) const BOOT: Duration = Duration::from_secs(20);

/// An egg of one project.
pub(crate) fn egg(name: &str, project: u64, runner_type: RunnerType, tags: &[&str]) -> EggConfig {
    EggConfig {
        format_version: EggConfig::FORMAT_VERSION,
        kind: EggKind::Egg,
        name: name.to_owned(),
        runner_type,
        cloud: Place {
            provider: Provider::Aws,
            region: "eu-central-1".to_owned(),
            zone: String::new(),
            network: None,
            subnet: None,
            image: String::new(),
            offer: None,
        },
        resources: Resources { cpu: 1, memory_mib: 1024, disk_gib: 10 },
        runner: RunnerConfig {
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            concurrent: 3,
            idle_timeout_s: 300,
            timeout_s: 3600,
            run_untagged: tags.is_empty(),
            protected: false,
            executor: Executor::Shell,
            image: String::new(),
            privileged: false,
            ephemeral: runner_type == RunnerType::Serverless,
        },
        repositories: vec![Repository {
            name: None,
            server: SERVER.to_owned(),
            project_id: Some(project),
            group_id: None,
            api_token_secret: format!("vault://eggs/{name}/api-token"),
            token_secret: format!("vault://eggs/{name}/runner-token"),
            webhook_secret: format!("vault://eggs/{name}/webhook-secret"),
        }],
        environment: BTreeMap::new(),
        rift: None,
    }
}

fn settings() -> Settings {
    Settings {
        roles: BTreeSet::new(),
        data: "/nonexistent".into(),
        listen: ([127, 0, 0, 1], 0).into(),
        url: "http://127.0.0.1:1/".parse().unwrap(),
        tls: None,
        nest: NestSettings {
            name: "nest".to_owned(),
            url: "/nonexistent".to_owned(),
            branch: "main".to_owned(),
            deploy_key: None,
            known_hosts: None,
            project: Some(1),
            server: Some(SERVER.to_owned()),
            webhook_secret: None,
            api_token: None,
            variables: BTreeMap::new(),
        },
        gitlab: BTreeMap::new(),
        tofu: None,
        gosling: None,
        variables: BTreeMap::new(),
        clouds: orchestrator::settings::CloudSettings::default(),
        intervals: Intervals::default(),
        deadlines: Deadlines::default(),
        workers: 1,
        rate: (100, 100),
        proxies: Vec::new(),
        body_limit: 1 << 20,
        key_file: None,
        tokens: Vec::new(),
    }
}

pub(crate) struct World {
    pub(crate) clock: Arc<Hands>,
    pub(crate) fuse: Arc<Fuse>,
    pub(crate) gitlab: Arc<FakeGitLab>,
    pub(crate) cloud: Arc<Cloud>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) store: Arc<Sqlite>,
    pub(crate) queue: Arc<Queued>,
    pub(crate) context: Context,
    pub(crate) starts: u32,
    /// How long a job takes.
    pub(crate) length: Duration,
    /// Whether GitLab's hooks get lost.
    pub(crate) lost: bool,
    /// Whether tokens are rotated.
    pub(crate) rotates: bool,
    _folder: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        // Nobody looks at these files after the test; memory is fast.
        let memory = std::path::Path::new("/dev/shm");
        let folder = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap();
        let clock = Arc::new(Hands::new());
        let fuse = Arc::new(Fuse::default());
        let gitlab = Arc::new(FakeGitLab::new(fuse.clone()));
        let cloud = Arc::new(Cloud::new(fuse.clone(), clock.clone()));
        let vault = Arc::new(Vault { fuse: fuse.clone(), ..Vault::default() });
        let store = Sqlite::open(&folder.path().join("store.db"), flyc::compiler::tables()).unwrap();
        let queue = Queued::open(&folder.path().join("queue.db"), clock.clone()).unwrap();
        let (store, queue) = (Arc::new(store), Arc::new(queue));
        let ports = Ports {
            clock: clock.clone(),
            store: Arc::new(Fused { inner: store.clone(), fuse: fuse.clone() }),
            queue: Arc::new(Fused { inner: queue.clone(), fuse: fuse.clone() }),
            secrets: vault.clone(),
            gitlab: gitlab.clone(),
            tofu: cloud.clone(),
            git: Arc::new(NoGit),
        };
        let context = Context {
            ports,
            settings: Arc::new(settings()),
            seal: Seal::new(&[7; 32]),
            metrics: Metrics::new().unwrap(),
            instance: "one".into(),
            kept: orchestrator::roles::Kept::default(),
        };
        Self {
            clock,
            fuse,
            gitlab,
            cloud,
            vault,
            store,
            queue,
            context,
            starts: 1,
            length: Duration::from_mins(1),
            lost: false,
            rotates: false,
            _folder: folder,
        }
    }

    /// A process that begins where another one ended: nothing but what was written is there.
    pub(crate) async fn restart(&mut self) {
        self.starts += 1;
        self.context.instance = format!("start {}", self.starts).into();
        self.context.metrics = Metrics::new().unwrap();
        worker::start(&self.context).await;
        self.put(Work::Sweep).await;
        self.put(Work::Decide).await;
    }

    /// What the sync writes of an egg.
    pub(crate) async fn serve(&self, config: EggConfig, digest: &str, commit: &str) {
        let now = self.clock.now();
        let name = config.name.clone();
        self.cloud.bundles.lock().unwrap().insert((name.clone(), digest.to_owned()));
        let known = self.egg(&name).await;
        let record = EggRecord::new(&name, Served::Egg(Box::new(config)), digest, commit, now);
        let write = match known {
            None => records::insert(&record),
            Some(known) => {
                let record = EggRecord {
                    served: record.served,
                    digest: record.digest,
                    commit: record.commit,
                    ..known.record
                };
                Versioned { record, version: known.version }.update()
            }
        };
        self.store.commit(vec![write]).await.unwrap();
    }

    /// Changes an egg's row as an operator or a sync does.
    pub(crate) async fn change_egg(&self, name: &str, change: impl FnOnce(&mut EggRecord)) {
        let mut egg = self.egg(name).await.unwrap();
        change(&mut egg.record);
        self.store.commit(vec![egg.update()]).await.unwrap();
    }

    pub(crate) async fn egg(&self, name: &str) -> Option<Versioned<EggRecord>> {
        records::get(&*self.store, vec![Value::Text(name.to_owned())]).await.unwrap()
    }

    pub(crate) async fn runners(&self) -> Vec<RunnerRecord> {
        let all = records::all::<RunnerRecord>(&*self.store, None, None).await.unwrap();
        all.into_iter().map(|runner| runner.record).collect()
    }

    pub(crate) async fn living(&self) -> Vec<RunnerRecord> {
        let mut all = self.runners().await;
        all.retain(|runner| runner.runner.state != State::Terminated);
        all
    }

    pub(crate) async fn jobs(&self) -> Vec<JobRecord> {
        let all = records::all::<JobRecord>(&*self.store, None, None).await.unwrap();
        all.into_iter().map(|job| job.record).collect()
    }

    pub(crate) async fn plans(&self) -> Vec<PlanRecord> {
        let all = records::all::<PlanRecord>(&*self.store, None, None).await.unwrap();
        all.into_iter().map(|plan| plan.record).collect()
    }

    pub(crate) async fn audit(&self) -> Vec<AuditEntry> {
        let all = records::all::<AuditEntry>(&*self.store, None, None).await.unwrap();
        all.into_iter().map(|entry| entry.record).collect()
    }

    pub(crate) async fn put(&self, work: Work) {
        self.queue.put(vec![work.message(None)]).await.unwrap();
    }

    /// A hook that tells of a job's status.
    pub(crate) async fn hook(&self, job: u64, status: JobStatus) {
        let body = hook_body(&self.gitlab.get(job), status);
        let work = Work::Hook { eggs: Vec::new(), delivery: None, at: self.clock.now(), body };
        self.put(work).await;
    }

    /// A job that waits, and the hook that says so.
    pub(crate) async fn ask(&self, project: u64, tags: &[&str]) -> u64 {
        let job = self.gitlab.ask(project, tags);
        if !self.lost {
            self.hook(job, JobStatus::Pending).await;
        }
        job
    }

    /// Works off what is due, and what is due soon after; `false` when the fuse has blown.
    pub(crate) async fn work_off(&mut self) -> bool {
        let (context, clock) = (self.context.clone(), self.clock.clone());
        let work = async move {
            let mut quiet = 0;
            while quiet < 2 {
                let mut some = false;
                while worker::step(&context).await.unwrap() {
                    some = true;
                }
                quiet = if some { 0 } else { quiet + 1 };
                // What is asked for again and again is gathered for this long.
                clock.add(Duration::from_millis(250));
            }
        };
        tokio::select! {
            biased;
            () = work => true,
            () = self.fuse.blown() => false,
        }
    }

    /// Time goes on, and everything in the world with it.
    pub(crate) async fn tick(&mut self, step: Duration) -> bool {
        self.clock.add(step);
        self.machines().await;
        self.put(Work::Decide).await;
        let done = self.work_off().await;
        self.look().await;
        done
    }

    pub(crate) async fn ticks(&mut self, count: u32, step: Duration) {
        for _ in 0..count {
            assert!(self.tick(step).await);
        }
    }

    /// Something happens to a runner, as the API writes it.
    async fn happens(
        &self,
        id: &RunnerId,
        change: impl Fn(&mut RunnerRecord, &Runner),
    ) -> Option<RunnerRecord> {
        loop {
            let key = vec![Value::Text(id.as_str().to_owned())];
            let mut known: Versioned<RunnerRecord> = records::get(&*self.store, key).await.unwrap()?;
            let before = known.record.runner.clone();
            change(&mut known.record, &before);
            match self.store.commit(vec![known.update()]).await {
                Ok(()) => return Some(known.record),
                Err(StoreError::Conflict(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// What machines do.
    async fn machines(&self) {
        let now = self.clock.now();
        for (owner, id, machine) in self.cloud.machines() {
            let Some(up) = machine.up else { continue };
            if now.since(up) < BOOT {
                continue;
            }
            let mut system_id = machine.system_id.clone();
            if system_id.is_none() {
                // It shows its ticket, and is given a credential for it.
                let shown: String =
                    Sha256::digest(&machine.ticket).iter().fold(String::new(), |mut text, byte| {
                        let _ = write!(text, "{byte:02x}");
                        text
                    });
                let mine = format!("s_{id}");
                let rows = self.runners().await;
                let state = rows.into_iter().find(|row| row.runner.id == id).map(|row| row.runner.state);
                if matches!(state, Some(State::PendingTermination | State::Failed | State::Terminated)) {
                    // It is told that it is not needed any more, and gets no token.
                    continue;
                }
                let record = self
                    .happens(&id, |record, _| {
                        if record.ticket.as_ref() == Some(&shown) {
                            record.credential = Some("hash".to_owned());
                            record.system_id = Some(mine.clone());
                        }
                    })
                    .await
                    .unwrap_or_else(|| panic!("{id} is a machine without a row"));
                assert_eq!(
                    record.system_id.as_ref(),
                    Some(&mine),
                    "{id} came with a ticket that nobody knows"
                );
                system_id = record.system_id;
            }
            let mut machine = machine;
            machine.system_id.clone_from(&system_id);
            if let Some((job, until)) = machine.job
                && now >= until
            {
                machine.job = None;
                machine.done += 1;
                self.gitlab.end(job, JobStatus::Succeeded, None);
                if !self.lost {
                    self.hook(job, JobStatus::Succeeded).await;
                }
            }
            // What its ticket gives it, when it comes up and when a heartbeat has told it that this has changed.
            let revision = self.egg(&owner).await.map_or(0, |egg| egg.record.revision);
            if !machine.draining && machine.token.as_ref().is_none_or(|(_, known)| *known != revision) {
                let value = self.vault.values.lock().unwrap().get(&token_of(&owner)).cloned();
                machine.token = value.map(|value| (value, revision));
            }
            let one_only = id.as_str().contains("lambda") && machine.done > 0;
            if machine.job.is_none() && !machine.draining && !one_only {
                let token = machine.token.as_ref();
                let job =
                    token.and_then(|(token, _)| self.gitlab.hand_out(token, system_id.as_ref().unwrap()));
                if let Some(job) = job {
                    machine.job = Some((job, now.plus(self.length)));
                    if !self.lost {
                        self.hook(job, JobStatus::Running).await;
                    }
                }
            }
            machine.beats += 1;
            let jobs: BTreeSet<JobId> = machine.job.iter().map(|(job, _)| job_id(*job)).collect();
            let event = Event::Heartbeat {
                health: Health::default(),
                agent: None,
                jobs,
                done: machine.done,
                draining: false,
            };
            let record = self
                .happens(&id, |record, before| {
                    if let Ok(after) = before.after(&event, now) {
                        record.runner = after;
                        record.revision = machine.token.as_ref().map(|(_, revision)| *revision);
                    }
                })
                .await
                .unwrap();
            machine.draining =
                matches!(record.runner.state, State::PendingTermination | State::Failed | State::Terminated);
            self.cloud.with(&owner, &id, |known| *known = machine);
        }
    }

    /// What must hold at every moment.
    async fn look(&self) {
        let mut active: BTreeMap<String, usize> = BTreeMap::new();
        let rows: BTreeMap<RunnerId, RunnerRecord> =
            self.runners().await.into_iter().map(|record| (record.runner.id.clone(), record)).collect();
        for (owner, id, machine) in self.cloud.machines() {
            let row = rows.get(&id).unwrap_or_else(|| panic!("{id} is an orphan"));
            assert_ne!(row.runner.state, State::Terminated, "{id} is there and was said to be gone");
            if machine.up.is_some() {
                *active.entry(owner).or_default() += 1;
            }
        }
        for (owner, count) in active {
            let Served::Egg(egg) = self.egg(&owner).await.unwrap().record.served else { continue };
            assert!(count <= egg.runner.concurrent as usize, "{count} active of {owner}");
        }
        for (id, count) in self.cloud.made.lock().unwrap().iter() {
            assert_eq!(*count, 1, "{id} was made more than once");
        }
        let late: Vec<_> = self.cloud.killed.lock().unwrap().clone();
        for (id, job) in late {
            let why = &rows[&id].why;
            let is_late = why.contains("longest it may live") || why.contains("asked to finish long ago");
            assert!(is_late, "{id} was killed with job {job}: {why}");
        }
        let state = self.gitlab.state.lock().unwrap();
        let mut notes: BTreeMap<&str, usize> = BTreeMap::new();
        for one in state.runners.values() {
            *notes.entry(&*one.settings.maintenance_note).or_default() += 1;
        }
        // A rotation has two of them until it is over.
        let most = if self.rotates { 2 } else { 1 };
        assert!(notes.values().all(|count| *count <= most), "a runner was registered twice: {notes:?}");
    }

    /// Nobody waits.
    pub(crate) fn is_served(&self) -> bool {
        self.gitlab.state.lock().unwrap().jobs.values().all(|job| job.status.is_over())
    }
}

pub(crate) fn token_of(owner: &str) -> String {
    format!("vault://eggs/{owner}/runner-token")
}

pub(crate) fn job_id(number: u64) -> JobId {
    JobId { server: SERVER.into(), number }
}

/// A job hook as GitLab sends it, as far as it is read.
fn hook_body(job: &orchestrator::ports::gitlab::GitLabJob, status: JobStatus) -> Json {
    let status = match status {
        JobStatus::Created => "created",
        JobStatus::Pending => "pending",
        JobStatus::Running => "running",
        JobStatus::Succeeded => "success",
        JobStatus::Failed => "failed",
        JobStatus::Canceled => "canceled",
    };
    json!({
        "object_kind": "build",
        "ref": job.git_ref,
        "build_id": job.id,
        "build_name": job.name,
        "build_stage": "test",
        "build_status": status,
        "project_id": job.project,
        "project": { "web_url": format!("https://{SERVER}/group/project") },
    })
}
