//! What the tests of serverless runners deploy, and the `gosling` that stands in.

use std::{collections::BTreeMap, fs, path::Path};

use flyc::{
    artifact::{
        Cloud, EggConfig, EggKind, EnvValue, Executor, JobConfig, JobProject, Provider, Repository,
        Resources, Runner, RunnerType, Schedule,
    },
    lower::{self, Backend, ComputeModule, Options},
};
use polar_gosling_tests::tools;
use serde_json::{Value, json};

use super::bench::{Bench, origins};

/// What people with bad intent, or bad luck, write.
pub(crate) const HOSTILE: &[&str] = &[
    "${file(\"/etc/passwd\")}",
    "%{ for x in [1] }%{ endfor }",
    "\"quoted\" \\ 'single' \\n \\${x}",
    "two\nlines\r\n\ttab",
    "$(touch /tmp/owned) `id` $HOME ; & | > <",
    "%i %n %% $MAINPID ${PATH}",
    "EOT",
    "\u{7f}\u{202e}\u{feff}\u{e000}x\u{e001}",
    "ключ 🔑",
    "",
];

pub(crate) const CLOUDS: [Provider; 2] = [Provider::Yandex, Provider::Aws];

pub(crate) fn cloud(provider: Provider) -> Cloud {
    let (region, zone) = match provider {
        Provider::Yandex => ("ru-central1", "ru-central1-a"),
        Provider::Aws => ("eu-central-1", "eu-central-1a"),
        Provider::Local => ("", ""),
    };
    Cloud {
        provider,
        region: region.into(),
        zone: zone.into(),
        network: None,
        subnet: None,
        image: "debian-12".into(),
        offer: None,
    }
}

pub(crate) fn runner() -> Runner {
    Runner {
        tags: vec!["lint".into()],
        concurrent: 3,
        idle_timeout_s: 600,
        timeout_s: 3600,
        run_untagged: false,
        protected: false,
        executor: Executor::Shell,
        image: String::new(),
        privileged: false,
        ephemeral: true,
    }
}

pub(crate) fn egg(provider: Provider) -> Box<EggConfig> {
    Box::new(EggConfig {
        format_version: EggConfig::FORMAT_VERSION,
        kind: EggKind::Egg,
        name: "lint.all".into(),
        runner_type: RunnerType::Serverless,
        cloud: cloud(provider),
        resources: Resources { cpu: 1, memory_mib: 1000, disk_gib: 10 },
        runner: runner(),
        repositories: vec![Repository {
            name: None,
            server: "gitlab.com".into(),
            project_id: Some(12345),
            group_id: None,
            api_token_secret: "vault://gitlab/api-token".into(),
            token_secret: "vault://gitlab/runner-token".into(),
            webhook_secret: "vault://gitlab/webhook-secret".into(),
        }],
        environment: BTreeMap::new(),
        rift: None,
    })
}

pub(crate) fn job(provider: Provider, runner_type: RunnerType) -> Box<JobConfig> {
    Box::new(JobConfig {
        format_version: JobConfig::FORMAT_VERSION,
        name: "rotate".into(),
        runner_type,
        cloud: cloud(provider),
        resources: Resources { cpu: 1, memory_mib: 1024, disk_gib: 10 },
        runner: Runner { protected: true, concurrent: 1, timeout_s: 600, ..runner() },
        schedule: Schedule {
            description: "gosling job rotate".into(),
            git_ref: "main".into(),
            cron: "0 2 * * *".into(),
            cron_timezone: "UTC".into(),
            active: true,
            variables: [("GOSLING_JOB".to_owned(), "rotate".to_owned())].into(),
        },
        script: HOSTILE.concat(),
        timeout_s: 600,
        project: JobProject {
            server: "gitlab.com".into(),
            project_id: Some(42),
            token_secret: "vault://gitlab/nest/runner-token".into(),
            deploy_key_secret: "vault://gitlab/deploy-keys/selfjobs-private".into(),
        },
        environment: [("HOSTILE".to_owned(), EnvValue::Text(HOSTILE.concat()))].into(),
        notify: vec!["ops@example.com".into()],
    })
}

/// What is deployed: an egg or a job.
pub(crate) enum Fleet {
    Egg(Box<EggConfig>),
    Job(Box<JobConfig>),
}

impl Fleet {
    pub(crate) fn files(&self, options: &Options) -> Vec<lower::File> {
        match self {
            Self::Egg(egg) => lower::egg(egg, &origins(), options).unwrap(),
            Self::Job(job) => lower::job(job, &origins(), options).unwrap(),
        }
    }

    pub(crate) fn owner(&self) -> (&'static str, &str) {
        match self {
            Self::Egg(egg) => ("egg", &egg.name),
            Self::Job(job) => ("job", &job.name),
        }
    }

    pub(crate) fn cloud(&self) -> &Cloud {
        match self {
            Self::Egg(egg) => &egg.cloud,
            Self::Job(job) => &job.cloud,
        }
    }

    pub(crate) fn module(&self) -> ComputeModule {
        let runner_type = match self {
            Self::Egg(egg) => egg.runner_type,
            Self::Job(job) => job.runner_type,
        };
        ComputeModule::of(self.cloud().provider, runner_type)
    }

    pub(crate) fn runner(&self) -> (&Runner, &BTreeMap<String, EnvValue>) {
        match self {
            Self::Egg(egg) => (&egg.runner, &egg.environment),
            Self::Job(job) => (&job.runner, &job.environment),
        }
    }

    /// On disk, ready for `OpenTofu`.
    pub(crate) fn bench(&self, options: &Options) -> Option<Bench> {
        let (tofu, stand_in) = (tools::tofu()?, tools::fake_cloud()?);
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in self.files(options).into_iter().chain(lower::compute_module(self.module())) {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let (kind, name) = self.owner();
        let place = folder.path().join(format!("{kind}s")).join(name);
        let mut bench = Bench::over(&tofu, folder, name);
        bench.egg = place;
        Some(bench.with_provider(&stand_in, self.cloud().provider))
    }
}

pub(crate) fn options() -> Options {
    Options { backend: Some(Backend::Local), ..Options::new("nest ${x} \"y\"") }
}

/// Writes down its arguments, and what a runner that starts is given.
pub(crate) const STAND_IN: &str = r#"
printf '%s\n' "$*" >>"$0.log"
if [ -n "${TICKET+is set}" ]; then
  for name in AWS_REGION CONTAINER_URL EGG_CONFIG NETWORK RUNNER_CONFIG TAGS TICKET; do
    eval "value=\${$name-}"
    printf '%s' "$value" >"$0.$RUNNER_ID.$name"
  done
fi
"#;

/// A fleet, as the orchestrator gives it to `OpenTofu`.
pub(crate) fn variables(fleet: &Fleet, pools: &[(&str, &str)], round: u32, gosling: &Path) -> Value {
    let runners: serde_json::Map<_, _> = pools
        .iter()
        .map(|(id, pool)| ((*id).to_owned(), json!({ "pool": pool, "commit": "0a1b2c3d" })))
        .collect();
    let tickets: serde_json::Map<_, _> =
        pools.iter().map(|(id, _)| ((*id).to_owned(), json!(ticket(id, round)))).collect();
    let mut variables = json!({
        "runners": runners,
        "tickets": tickets,
        "orchestrator_url": "https://gosling.example.com",
    });
    let own = match fleet.module() {
        ComputeModule::AwsServerless => json!({
            "gosling": gosling,
            "image": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/gosling:1",
            "subnet_id": "subnet-given",
        }),
        ComputeModule::YandexServerless => json!({
            "gosling": gosling,
            "image": "cr.yandex/crp1/gosling:1",
            "invoker_id": "aje-orchestrator",
        }),
        ComputeModule::Yandex | ComputeModule::Aws => json!({
            "subnet_id": "subnet-given",
            "gosling_download": { "url": "https://gosling.example.com/gosling", "sha256": "0".repeat(64) },
        }),
        ComputeModule::Local => json!({}),
    };
    let all = variables.as_object_mut().unwrap();
    all.extend(own.as_object().unwrap().clone());
    if fleet.module() == ComputeModule::Yandex {
        all.insert("gosling".to_owned(), json!(gosling));
    }
    variables
}

pub(crate) fn ticket(id: &str, round: u32) -> String {
    format!("ticket'$(x)\"-{id}-{round}")
}
