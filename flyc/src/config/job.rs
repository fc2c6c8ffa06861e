//! Jobs as [`JobConfig`].

use std::collections::BTreeMap;

use super::{
    NestProject, Places,
    defaults::Reader,
    derived::{self, Secret},
    egg::{cloud, environment, executor, resources, runner_type_in, texts},
};
use crate::{
    artifact::{JobConfig, JobProject, Runner, Schedule},
    model::TypedBlock,
};

/// How long a runner waits for its job: as long as a job may take. Its pipeline was there before it.
const IDLE_S: u64 = 600;

/// The configuration of a job, and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedJob {
    /// The configuration, with every default.
    pub config: JobConfig,
    /// Where its parts stand.
    pub places: Places,
}

/// The configuration of a job; none when an error in it, which has been told, leaves it unknown.
pub(super) fn resolve(block: &TypedBlock, nest: &NestProject) -> Option<ResolvedJob> {
    let job = Reader::of(block);
    let name = block.label.as_ref()?.to_string();
    let own = job.child("runner")?;
    let runner_type = runner_type_in(own)?;
    let resources = resources(block)?;
    let cloud = cloud(job.child("cloud")?, runner_type, &resources)?;
    let timeout_s = job.duration("timeout")?;
    let tags = texts(&own.get("tags")?)?;
    let notify = match block.block("on_failure") {
        Some(on_failure) => texts(&Reader::of(on_failure).get("notify")?)?,
        None => Vec::new(),
    };
    let server = nest.server.clone();
    let config = JobConfig {
        format_version: JobConfig::FORMAT_VERSION,
        runner_type,
        resources,
        runner: Runner {
            // Without tags, the pipeline's job has none either.
            run_untagged: tags.is_empty(),
            tags,
            concurrent: 1,
            idle_timeout_s: IDLE_S,
            timeout_s,
            // The runner may write to the Nest: nobody's merge request gets onto it.
            protected: true,
            executor: executor(own, runner_type)?,
            image: derived::image(own.text("image"), runner_type),
            privileged: own.flag("privileged")?,
            ephemeral: true,
        },
        schedule: Schedule {
            description: format!("gosling job {name}"),
            git_ref: nest.branch.clone(),
            cron: job.text("schedule")?,
            cron_timezone: job.text("timezone")?,
            active: true,
            variables: BTreeMap::from([("GOSLING_JOB".to_owned(), name.clone())]),
        },
        script: job.text("script")?,
        timeout_s,
        project: JobProject {
            project_id: nest.project_id,
            // An egg's name holds no `/`, so no egg's token is kept there.
            token_secret: derived::secret_uri(
                Secret::RunnerToken,
                cloud.provider,
                &server,
                &format!("nest/{name}"),
            ),
            deploy_key_secret: derived::deploy_key_uri(cloud.provider),
            server,
        },
        environment: environment(block.block("environment"))?,
        notify,
        cloud,
        name,
    };
    Some(ResolvedJob { config, places: Places::of(block) })
}

#[cfg(test)]
mod tests {
    use crate::{
        artifact::{Artifact, Executor, JobConfig, RunnerType},
        db::{Database, Nest, SourceFile},
    };

    fn job(nest: &str, text: &str) -> JobConfig {
        let db = Database::default();
        let files = [("Jobs/a.fly", text), ("nest.fly", nest)]
            .map(|(path, text)| SourceFile::new(&db, path.into(), text.into()));
        Nest::new(&db, files.into(), false);
        let job = super::super::job_configs(&db, files[0])[0].clone().unwrap();
        assert_eq!(JobConfig::from_json(&job.config.to_json().unwrap()).unwrap(), job.config);
        job.config
    }

    #[test]
    fn the_shortest_job_has_every_default() {
        let job = job("", "job \"a\" {\n  schedule = \"0 2 * * *\"\n  script = \"make\"\n}\n");
        expect_test::expect![[r#"
            {
              "format_version": 1,
              "name": "a",
              "runner_type": "vm",
              "cloud": {
                "provider": "yandex",
                "region": "ru-central1-a",
                "zone": "ru-central1-a",
                "image": "debian-12",
                "offer": {
                  "name": "standard-v3",
                  "cpu": 2,
                  "core_fraction": 100,
                  "memory_mib": 4096
                }
              },
              "resources": {
                "cpu": 2,
                "memory_mib": 4096,
                "disk_gib": 20
              },
              "runner": {
                "tags": [],
                "concurrent": 1,
                "idle_timeout_s": 600,
                "timeout_s": 600,
                "run_untagged": true,
                "protected": true,
                "executor": "shell",
                "image": "debian:12-slim",
                "privileged": false,
                "ephemeral": true
              },
              "schedule": {
                "description": "gosling job a",
                "ref": "main",
                "cron": "0 2 * * *",
                "cron_timezone": "UTC",
                "active": true,
                "variables": {
                  "GOSLING_JOB": "a"
                }
              },
              "script": "make",
              "timeout_s": 600,
              "project": {
                "server": "gitlab.com",
                "token_secret": "yc-lockbox://gitlab/gitlab.com/nest/a/runner-token",
                "deploy_key_secret": "yc-lockbox://deploy-keys/selfjobs-private"
              },
              "environment": {}
            }
        "#]]
        .assert_eq(&job.to_json().unwrap());
    }

    #[test]
    fn a_job_runs_in_the_nests_own_project() {
        let job = job(
            "nest {\n  gitlab {\n    server = \"git.example.com\"\n    project_id = 42\n    branch = \"trunk\"\n  }\n}\n",
            r#"
job "rotate" {
  schedule = "30 3 * * 1"
  timezone = "Europe/Berlin"
  timeout  = 5m
  script   = <<-EOT
    #!/bin/sh
    echo "${HOME}"
  EOT
  runner {
    type = "serverless"
    tags = ["upkeep"]
  }
  cloud {
    provider = "aws"
  }
  on_failure {
    notify = ["ops@example.com"]
  }
}
"#,
        );
        assert_eq!((job.runner_type, job.runner.executor), (RunnerType::Serverless, Executor::Shell));
        assert_eq!((job.timeout_s, job.runner.timeout_s), (300, 300));
        assert!(!job.runner.run_untagged && job.runner.image.is_empty());
        assert_eq!(job.script, "#!/bin/sh\necho \"${HOME}\"\n");
        assert_eq!(
            (job.schedule.git_ref.as_str(), job.schedule.cron_timezone.as_str()),
            ("trunk", "Europe/Berlin")
        );
        assert_eq!((job.project.server.as_str(), job.project.project_id), ("git.example.com", Some(42)));
        assert_eq!(job.project.deploy_key_secret, "aws-sm://deploy-keys/selfjobs-private");
        assert_eq!(job.notify, ["ops@example.com"]);
    }
}
