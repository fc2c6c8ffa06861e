//! Configurations of small Nests, and which edits compute one anew.

use std::sync::{Arc, Mutex};

use expect_test::expect;
use salsa::Setter;

use super::*;
use crate::{
    artifact::{Artifact, EnvValue, Provider},
    db::Database,
    text::Source,
};

const NEST: &str = r#"
nest {
  gitlab {
    server = "git.example.com"
  }
}
"#;

fn nest(db: &dyn Db, files: &[(&str, &str)]) -> Vec<SourceFile> {
    let mut files: Vec<SourceFile> =
        files.iter().map(|(path, text)| SourceFile::new(db, (*path).into(), (*text).into())).collect();
    files.sort_by_key(|file| file.path(db).clone());
    Nest::new(db, files.clone().into(), false);
    files
}

fn only(files: &[(&str, &str)]) -> Resolved {
    let db = Database::default();
    let files = nest(&db, files);
    let egg = files.iter().find(|file| file.path(&db).starts_with("Eggs/")).copied().unwrap();
    egg_configs(&db, egg)[0].clone().unwrap()
}

#[test]
fn the_shortest_egg_has_every_default() {
    let egg = only(&[(
        "Eggs/a/config.fly",
        "egg \"a\" {\n  type = \"vm\"\n  gitlab {\n    project_id = 7\n  }\n}\n",
    )]);
    expect![[r#"
        {
          "format_version": 1,
          "kind": "egg",
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
            "timeout_s": 86400,
            "run_untagged": false,
            "protected": false,
            "executor": "docker",
            "image": "debian:12-slim",
            "privileged": false,
            "ephemeral": false
          },
          "repositories": [
            {
              "server": "gitlab.com",
              "project_id": 7,
              "api_token_secret": "yc-lockbox://gitlab/gitlab.com/a/api-token",
              "token_secret": "yc-lockbox://gitlab/gitlab.com/a/runner-token",
              "webhook_secret": "yc-lockbox://gitlab/gitlab.com/a/webhook-secret"
            }
          ],
          "environment": {}
        }
    "#]]
    .assert_eq(&egg.config.to_json().unwrap());
    let source =
        Source::new("Eggs/a/config.fly", "egg \"a\" {\n  type = \"vm\"\n  gitlab {\n    project_id = 7\n");
    let origins = egg.places.origins(&source);
    let line = |path: &str| (origins.get(path).line, origins.get(path).column);
    assert_eq!(
        [line("cloud.image"), line("type"), line("gitlab"), line("gitlab.project_id"), line("name")],
        [(1, 1), (2, 3), (3, 3), (4, 5), (1, 5)]
    );
}

#[test]
fn a_bucket_takes_servers_and_secrets_by_repository() {
    let bucket = only(&[
        ("nest.fly", NEST),
        ("MG/config.fly", "rift \"cache\" {\n}\n"),
        (
            "Eggs/team/config.fly",
            r#"
eggsbucket "team" {
  type = "serverless"
  cloud {
    provider = "aws"
  }
  resources {
    memory = 4097MiB
    disk   = 20481MiB
  }
  repositories {
    repo "one" {
      gitlab {
        project_id   = 1
        token_secret = "vault://elsewhere/key"
      }
    }
    repo "two" {
      gitlab {
        server   = "other.example.com"
        group_id = 2
      }
    }
  }
  environment {
    TEXT   = "$${x}"
    SECRET = "aws-sm://name/key"
  }
  rift {
    docker = false
  }
}
"#,
        ),
    ]);
    let config = &bucket.config;
    assert_eq!((config.cloud.provider, config.runner.timeout_s), (Provider::Aws, 3600));
    assert_eq!((config.resources.memory_mib, config.resources.disk_gib), (4097, 21));
    let told: Vec<_> = config
        .repositories
        .iter()
        .map(|repo| (repo.name.as_deref(), &*repo.server, &*repo.token_secret, &*repo.webhook_secret))
        .collect();
    assert_eq!(
        told,
        [
            (
                Some("one"),
                "git.example.com",
                "vault://elsewhere/key",
                "aws-sm://gitlab/git.example.com/team/one/webhook-secret"
            ),
            (
                Some("two"),
                "other.example.com",
                "aws-sm://gitlab/other.example.com/team/two/runner-token",
                "aws-sm://gitlab/other.example.com/team/two/webhook-secret"
            ),
        ]
    );
    assert_eq!(config.environment["TEXT"], EnvValue::Text("${x}".into()));
    assert_eq!(config.environment["SECRET"], EnvValue::Secret("aws-sm://name/key".into()));
    let rift = config.rift.as_ref().unwrap();
    assert_eq!((rift.name.as_str(), rift.docker_proxy, rift.artifact_cache), ("cache", false, true));
}

#[test]
fn a_rift_that_does_not_follow_is_said_to() {
    let egg = |servers: &str, reference: &str| {
        let egg = format!(
            "egg \"a\" {{\n  type = \"vm\"\n  gitlab {{\n    project_id = 7\n  }}\n  rift {{\n{reference}\n  }}\n}}\n"
        );
        only(&[("Eggs/a/config.fly", &egg), ("MG/config.fly", servers)]).unresolved
    };
    assert_eq!(egg("", ""), Some(Unresolved::Rift));
    assert_eq!(egg("rift \"a\" {\n}\nrift \"b\" {\n}\n", ""), Some(Unresolved::Rift));
    assert_eq!(egg("rift \"a\" {\n}\nrift \"b\" {\n}\n", "    name = \"a\""), None);
    assert_eq!(egg("rift \"a\" {\n}\n", ""), None);
}

#[test]
fn other_blocks_have_their_defaults_too() {
    let db = Database::default();
    let files = nest(
        &db,
        &[(
            "UF/config.fly",
            r#"
uglyfox {
  apex {
    max_count = 4
  }
  runners_condition "all" {
    eggs_entities = ["a"]
    apex {
      min_count = 1
    }
  }
  policies {
    rule "old" {
      condition = "age > 1h"
      action    = "terminate"
    }
  }
}
"#,
        )],
    );
    let config = block_config(&typed(&db, files[0]).blocks[0]);
    let text = config.to_json().unwrap();
    assert_eq!(crate::artifact::BlockConfig::from_json(&text).unwrap(), config);
    expect![[r#"{"apex":{"cpu_threshold":{"percent":80.0},"max_count":{"int":4},"memory_threshold":{"percent":80.0},"min_count":{"int":1}},"nadir":{"idle_timeout":{"duration_s":1800},"max_count":{"int":5},"min_count":{"int":0}}}"#]]
        .assert_eq(&pools(config.block.block("runners_condition").unwrap()));
    expect![[r#"{"apex":{"cpu_threshold":{"percent":80.0},"max_count":{"int":4},"memory_threshold":{"percent":80.0},"min_count":{"int":0}},"nadir":{"idle_timeout":{"duration_s":1800},"max_count":{"int":5},"min_count":{"int":0}},"policies":{},"pruning":{"check_interval":{"duration_s":300},"failed_threshold":{"int":3},"max_age":{"duration_s":86400}}}"#]]
        .assert_eq(&pools(&config.block));
}

fn pools(block: &crate::artifact::Block) -> String {
    let unnamed = block.blocks.iter().filter(|block| block.name.is_none());
    let pools: std::collections::BTreeMap<_, _> =
        unnamed.map(|block| (&block.kind, &block.attributes)).collect();
    serde_json::to_string(&pools).unwrap()
}

/// A database that notes which queries run.
#[salsa::db]
#[derive(Clone)]
struct Watched {
    storage: salsa::Storage<Self>,
    ran: Arc<Mutex<Vec<String>>>,
}

#[salsa::db]
impl salsa::Database for Watched {}

#[salsa::db]
impl Db for Watched {}

impl Watched {
    fn new() -> Self {
        let ran: Arc<Mutex<Vec<String>>> = Arc::default();
        let notes = Arc::clone(&ran);
        let storage = salsa::Storage::new(Some(Box::new(move |event: salsa::Event| {
            if let salsa::EventKind::WillExecute { database_key } = event.kind {
                notes.lock().unwrap().push(format!("{database_key:?}"));
            }
        })));
        Self { storage, ran }
    }

    fn ran(&self, query: &str) -> usize {
        let ran = std::mem::take(&mut *self.ran.lock().unwrap());
        ran.iter().filter(|name| name.starts_with(query)).count()
    }
}

#[test]
fn an_edit_elsewhere_leaves_configurations_as_they_are() {
    let mut db = Watched::new();
    let egg = "egg \"a\" {\n  type = \"vm\"\n  gitlab {\n    project_id = 7\n  }\n}\n";
    let files = nest(&db, &[("Eggs/a/config.fly", egg), ("nest.fly", NEST)]);
    assert!(egg_configs(&db, files[0])[0].is_some());
    assert_eq!(db.ran("egg_configs"), 1);

    let edited = NEST.replace("gitlab {", "# by us\n  gitlab {\n    branch = \"trunk\"");
    files[1].set_text(&mut db).to(edited.as_str().into());
    egg_configs(&db, files[0]);
    assert_eq!(db.ran("egg_configs"), 0, "nothing of it is the egg's");

    files[1].set_text(&mut db).to(NEST.replace("git.example", "git2.example").as_str().into());
    let server = egg_configs(&db, files[0])[0].as_ref().unwrap().config.repositories[0].server.clone();
    assert_eq!((db.ran("egg_configs"), server.as_str()), (1, "git2.example.com"));
}
