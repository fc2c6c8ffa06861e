//! An installation that links: the real database, the real client, and the fake GitLab; no queue and no OpenTofu are needed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use fly_std::formats::secret_uri;
use flyc::artifact::{
    Cloud, EggConfig, EggKind, Executor, JobConfig, JobProject, Provider, Repository, Resources, Runner,
    RunnerType, Schedule,
};
use orchestrator::{
    adapters::{
        gitlab::{GitLabClient, Patience},
        store::sqlite::Sqlite,
    },
    domain::Deadlines,
    metrics::Metrics,
    ports::{
        Ports,
        clock::Clock,
        store::{Store, Value},
    },
    records::{self, AuditEntry, EggRecord, NestLink, Record, Served},
    roles::{Context, worker},
    seal::Seal,
    settings::{Intervals, NestSettings, Settings},
    wire::{LinkChange, LinkReport},
};
use polar_gosling_tests::doubles::gitlab::{FakeGitLab, World as Fake};
use tempfile::TempDir;

use crate::doubles::{Kept, Known, Nothing, Still};

pub(crate) const SERVER: &str = "gitlab.example.com";
/// The Nest's own project.
pub(crate) const NEST: u64 = 900;
/// What hooks show: the eggs' and the Nest's.
pub(crate) const NEST_SECRET: &str = "hook-secret-of-the-nest";
pub(crate) const URL: &str = "https://gosling.example.com/webhooks/gitlab";

pub(crate) struct World {
    pub(crate) fake: Arc<FakeGitLab>,
    pub(crate) secrets: Arc<Known>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) context: Context,
    _folder: TempDir,
}

fn runner(tags: &[&str]) -> Runner {
    Runner {
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        concurrent: 1,
        idle_timeout_s: 300,
        timeout_s: 3600,
        run_untagged: tags.is_empty(),
        protected: false,
        executor: Executor::Shell,
        image: String::new(),
        privileged: false,
        ephemeral: false,
    }
}

fn cloud() -> Cloud {
    Cloud {
        provider: Provider::Local,
        region: String::new(),
        zone: String::new(),
        network: None,
        subnet: None,
        image: String::new(),
        offer: None,
    }
}

pub(crate) fn repository(name: &str, project: Option<u64>, group: Option<u64>) -> Repository {
    Repository {
        name: None,
        server: SERVER.to_owned(),
        project_id: project,
        group_id: group,
        api_token_secret: "vault://gitlab/api-token".to_owned(),
        token_secret: format!("vault://eggs/{name}/runner-token"),
        webhook_secret: format!("vault://eggs/{name}/webhook-secret"),
    }
}

pub(crate) fn egg(name: &str, repositories: Vec<Repository>) -> Served {
    Served::Egg(Box::new(EggConfig {
        format_version: EggConfig::FORMAT_VERSION,
        kind: EggKind::Egg,
        name: name.to_owned(),
        runner_type: RunnerType::Vm,
        cloud: cloud(),
        resources: Resources { cpu: 1, memory_mib: 1024, disk_gib: 10 },
        runner: runner(&[name]),
        repositories,
        environment: BTreeMap::new(),
        rift: None,
    }))
}

pub(crate) fn job(name: &str, cron: &str) -> Served {
    Served::Job(Box::new(JobConfig {
        format_version: JobConfig::FORMAT_VERSION,
        name: name.to_owned(),
        runner_type: RunnerType::Vm,
        cloud: cloud(),
        resources: Resources { cpu: 1, memory_mib: 1024, disk_gib: 10 },
        runner: Runner { protected: true, ephemeral: true, timeout_s: 600, ..runner(&[name]) },
        schedule: Schedule {
            description: format!("gosling job {name}"),
            git_ref: "main".to_owned(),
            cron: cron.to_owned(),
            cron_timezone: "Europe/Berlin".to_owned(),
            active: true,
            variables: BTreeMap::from([("GOSLING_JOB".to_owned(), name.to_owned())]),
        },
        script: "true".to_owned(),
        timeout_s: 600,
        project: JobProject {
            server: SERVER.to_owned(),
            project_id: None,
            token_secret: format!("vault://gitlab/nest/{name}/runner-token"),
            deploy_key_secret: "vault://deploy-keys/selfjobs-private".to_owned(),
        },
        environment: BTreeMap::new(),
        notify: Vec::new(),
    }))
}

fn settings() -> Settings {
    let uri = |text: &str| secret_uri::parse(text).ok();
    Settings {
        roles: BTreeSet::new(),
        data: "/nonexistent".into(),
        key_file: None,
        listen: ([127, 0, 0, 1], 0).into(),
        url: "https://gosling.example.com/".parse().unwrap(),
        tls: None,
        nest: NestSettings {
            name: "nest".to_owned(),
            url: "/nonexistent".to_owned(),
            branch: "main".to_owned(),
            deploy_key: uri("vault://deploy-keys/mothergoose-private"),
            known_hosts: None,
            project: Some(NEST),
            server: Some(SERVER.to_owned()),
            webhook_secret: uri("vault://nest/webhook-secret"),
            api_token: uri("vault://nest/api-token"),
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
        tokens: Vec::new(),
    }
}

/// Three private keys, made for these tests and good for nothing else.
fn private_key(seed: u8) -> String {
    use ssh_key::{LineEnding, PrivateKey, private::Ed25519Keypair};
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]));
    key.to_openssh(LineEnding::LF).unwrap().to_string()
}

impl World {
    /// With a GitLab in which there is nothing yet but its projects: `7`, the Nest's, and the group `5` with `50` and `51`.
    pub(crate) fn new(fake: Arc<FakeGitLab>) -> Self {
        let memory = std::path::Path::new("/dev/shm");
        let folder = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap();
        let store = Sqlite::open(&folder.path().join("store.db"), flyc::compiler::tables()).unwrap();
        let store: Arc<dyn Store> = Arc::new(store);
        fake.change(|world| {
            world.users.clear();
            world.groups.clear();
            world.projects.clear();
            world.runners.clear();
            world.hooks.clear();
            world.calls.clear();
            world.faults.list.clear();
            world.add_token("glpat-of-the-eggs", &["api"], 50);
            world.add_token("glpat-of-the-nest", &["api"], 40);
            world.add_group(5, "team", None);
            world.add_group(6, "inner", Some(5));
            world.add_project(7, "web", None);
            world.add_project(50, "a", Some(5));
            world.add_project(51, "b", Some(6));
            world.add_project(NEST, "nest", None);
        });
        let secrets = Arc::<Known>::default();
        let pairs = [
            ("vault://gitlab/api-token", "glpat-of-the-eggs".to_owned()),
            ("vault://nest/api-token", "glpat-of-the-nest".to_owned()),
            ("vault://nest/webhook-secret", NEST_SECRET.to_owned()),
            ("vault://deploy-keys/mothergoose-private", private_key(1)),
            ("vault://deploy-keys/uglyfox-private", private_key(2)),
            ("vault://deploy-keys/selfjobs-private", private_key(3)),
        ];
        let all = pairs.map(|(uri, value)| (uri.to_owned(), value));
        secrets.values.lock().unwrap().extend(all);
        let servers = BTreeMap::from([(SERVER.to_owned(), fake.url().parse().unwrap())]);
        let patience = Patience { pause: Duration::from_millis(1), ..Patience::default() };
        let ports = Ports {
            clock: Arc::new(Still::at(1_795_255_200_000)) as Arc<dyn Clock>,
            store: Arc::clone(&store),
            queue: Arc::<Kept>::default(),
            secrets: Arc::<Known>::clone(&secrets) as _,
            gitlab: Arc::new(GitLabClient::new(servers, patience).unwrap()),
            tofu: Arc::new(Nothing),
            git: Arc::new(Nothing),
        };
        let context = Context {
            ports,
            settings: Arc::new(settings()),
            seal: Seal::new(&[7; 32]),
            metrics: Metrics::new().unwrap(),
            instance: "one".into(),
            kept: orchestrator::roles::Kept::default(),
        };
        Self { fake, secrets, store, context, _folder: folder }
    }

    /// The same with the eggs `web` (a project) and `team` (a group), and the job `nightly`.
    pub(crate) async fn furnished(fake: Arc<FakeGitLab>) -> Self {
        let world = Self::new(fake);
        world.serve("web", egg("web", vec![repository("web", Some(7), None)])).await;
        world.serve("team", egg("team", vec![repository("team", None, Some(5))])).await;
        world.serve("jobs/nightly", job("nightly", "0 2 * * *")).await;
        world
    }

    /// What the sync writes of an owner.
    pub(crate) async fn serve(&self, name: &str, served: Served) {
        let hook = format!("vault://eggs/{name}/webhook-secret");
        self.secrets.values.lock().unwrap().insert(hook, format!("hook-secret-of-{name}"));
        let now = self.context.ports.clock.now();
        let record = EggRecord::new(name, served, "d", "c", now);
        self.store.commit(vec![records::insert(&record)]).await.unwrap();
    }

    pub(crate) async fn change_egg(&self, name: &str, change: impl FnOnce(&mut EggRecord)) {
        let key = vec![Value::Text(name.to_owned())];
        let mut egg = records::get::<EggRecord>(&*self.store, key).await.unwrap().unwrap();
        change(&mut egg.record);
        self.store.commit(vec![egg.update()]).await.unwrap();
    }

    pub(crate) async fn egg(&self, name: &str) -> EggRecord {
        let key = vec![Value::Text(name.to_owned())];
        records::get::<EggRecord>(&*self.store, key).await.unwrap().unwrap().record
    }

    /// Nothing is known of what the Nest has in GitLab.
    pub(crate) async fn forget_nest(&self) {
        self.store.commit(vec![records::put(&NestLink::default())]).await.unwrap();
    }

    pub(crate) async fn link(&self, owner: &str) -> LinkReport {
        worker::link(&self.context, &subject(owner), false, "api:test").await.unwrap()
    }

    pub(crate) async fn look(&self, owner: &str) -> LinkReport {
        let before = self.fake.look(|world| world.calls.len());
        let report = worker::link(&self.context, &subject(owner), true, "api:test").await.unwrap();
        assert_eq!(self.writes(before), Vec::<String>::new(), "a dry run only reads");
        report
    }

    pub(crate) async fn unlink(&self, owner: &str) -> LinkReport {
        worker::unlink(&self.context, &subject(owner), false, "api:test").await.unwrap()
    }

    /// All there is, linked one after another.
    pub(crate) async fn link_all(&self) -> Vec<LinkReport> {
        let mut reports = Vec::new();
        for owner in OWNERS {
            reports.push(self.link(owner).await);
        }
        reports
    }

    /// The calls since then that change something.
    pub(crate) fn writes(&self, since: usize) -> Vec<String> {
        let is_write = |call: &&polar_gosling_tests::doubles::gitlab::Call| call.method != "GET";
        self.fake.look(|world| {
            let calls = world.calls[since..].iter().filter(is_write);
            calls.map(|call| format!("{} {}", call.method, call.path)).collect()
        })
    }

    /// The actions in the audit record.
    pub(crate) async fn audited(&self) -> Vec<String> {
        let all = records::all::<AuditEntry>(&*self.store, None, None).await.unwrap();
        let mut all: Vec<AuditEntry> = all.into_iter().map(|entry| entry.record).collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        assert!(all.iter().all(|entry| !entry.to_row().is_empty()));
        all.into_iter().map(|entry| entry.action).collect()
    }
}

pub(crate) const OWNERS: [&str; 4] = ["web", "team", "jobs/nightly", ""];

/// An owner by its name; nobody's is the Nest's.
fn subject(owner: &str) -> worker::Subject {
    match owner {
        "" => worker::Subject::Nest,
        _ => worker::Subject::Owner(owner.to_owned()),
    }
}

/// What was done, in short: `+webhook 7`.
pub(crate) fn told(report: &LinkReport) -> Vec<String> {
    let sign = |change| match change {
        LinkChange::Make => '+',
        LinkChange::Change => '~',
        LinkChange::Remove => '-',
        LinkChange::Keep => '=',
        LinkChange::Fail => '!',
    };
    let one = |step: &orchestrator::wire::LinkStep| {
        let thing = serde_json::to_value(step.thing).unwrap();
        let id = step.place.rsplit('/').next().unwrap();
        let name = step.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
        format!("{}{}{name} {id}", sign(step.change), thing.as_str().unwrap())
    };
    report.steps.iter().map(one).collect()
}

/// What is not as it should be once all is linked.
pub(crate) fn wrong(fake: &Fake) -> Vec<String> {
    let mut wrong = Vec::new();
    for (project, secret, push) in [
        (7, "hook-secret-of-web", false),
        (50, "hook-secret-of-team", false),
        (51, "hook-secret-of-team", false),
        (NEST, NEST_SECRET, true),
    ] {
        use polar_gosling_tests::doubles::gitlab::Place;
        let ours: Vec<_> = fake
            .hooks
            .values()
            .filter(|hook| hook.place == Place::Project(project) && hook.url == URL)
            .collect();
        let [hook] = ours[..] else {
            wrong.push(format!("{} webhooks of project {project}", ours.len()));
            continue;
        };
        let sent: Vec<&str> =
            hook.events.iter().filter(|(_, sent)| **sent).map(|(event, _)| &**event).collect();
        let wanted: &[&str] = if push {
            &["job_events", "pipeline_events", "push_events"]
        } else {
            &["job_events", "pipeline_events"]
        };
        if sent != wanted {
            wrong.push(format!("the hook of project {project} is sent for {sent:?}"));
        }
        if hook.token.as_deref() != Some(secret) {
            wrong.push(format!("the hook of project {project} shows another secret"));
        }
        if !hook.ssl_verification {
            wrong.push(format!("the hook of project {project} checks no certificate"));
        }
    }
    for (mark, tag, protected) in [
        ("gosling nest/web gitlab.example.com/projects/7", "web", false),
        ("gosling nest/team gitlab.example.com/groups/5", "team", false),
        ("gosling nest/jobs/nightly gitlab.example.com/projects/900", "nightly", true),
    ] {
        let ours: Vec<_> = fake.runners.values().filter(|one| one.maintenance_note == mark).collect();
        let [runner] = ours[..] else {
            wrong.push(format!("{} runners `{mark}`", ours.len()));
            continue;
        };
        if runner.tags != BTreeSet::from([tag.to_owned()]) || runner.protected != protected {
            wrong.push(format!("the runner `{mark}` has other settings"));
        }
    }
    let nest = &fake.projects[&NEST];
    let ours: Vec<_> =
        nest.schedules.values().filter(|one| one.description == "gosling job nightly").collect();
    match ours[..] {
        [one]
            if one.active
                && one.cron == "0 2 * * *"
                && one.cron_timezone == "Europe/Berlin"
                && one.git_ref == "main"
                && one.variables.len() == 1
                && one.variables["GOSLING_JOB"].0 == "nightly" => {}
        _ => wrong.push(format!("the schedules are {ours:?}")),
    }
    for (name, can_push) in [("mothergoose", false), ("uglyfox", false), ("selfjobs", true)] {
        let title = format!("gosling nest/{name}");
        let ours: Vec<_> = nest.deploy_keys.values().filter(|one| one.title == title).collect();
        if !matches!(ours[..], [one] if one.can_push == can_push && one.key.starts_with("ssh-ed25519 ")) {
            wrong.push(format!("the deploy keys `{title}` are {ours:?}"));
        }
    }
    wrong
}
