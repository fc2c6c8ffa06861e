//! What a compiled Nest comes to: pools, rules and times; and that the order of records means nothing.

use std::time::Duration;

use flyc::{
    artifact::{Artifact, BlockConfig, JobConfig},
    compiler::Compiler,
    routing::Job,
};

use super::*;
use crate::{domain::Time, settings::NestSettings};

const UGLYFOX: &str = r#"uglyfox {
  pruning {
    failed_threshold = 7
  }
  apex {
    max_count = 20
  }
  nadir {
    idle_timeout = 45m
  }
  runners_condition "shared" {
    eggs_entities = ["a", "b"]
    apex {
      max_count = 3
      min_count = 1
    }
  }
  policies {
    rule "old" {
      condition = "age > 1h"
      action    = "terminate"
    }
    rule "rest" {
      condition = "idle_time > 5m"
      action    = "demote_to_nadir"
    }
    rule "wake" {
      condition = "state == 'nadir' AND pool_idle < 1"
      action    = "promote_to_apex"
    }
    rule "look" {
      condition = "cpu_usage > 90%"
      action    = "alert"
    }
  }
}
"#;

/// The files of a Nest, as `flyc` builds them.
fn built(files: &[(&str, &str)]) -> (Vec<EggRecord>, Option<BlockConfig>) {
    let compiler = Compiler::new(files.iter().copied());
    let build = compiler
        .build(&flyc::build::Options::default())
        .map_err(|found| found.iter().map(|one| one.message.clone()).collect::<Vec<_>>());
    let build = build.unwrap();
    let text = |path: &str| build.files.get(path);
    let records = build.manifest.entries.iter().filter_map(|entry| {
        let config = text(&format!("{}/config.json", entry.folder))?;
        let (name, served) = match entry.kind {
            flyc::artifact::EntryKind::Egg | flyc::artifact::EntryKind::Bucket => (
                entry.name.clone(),
                Served::Egg(Box::new(flyc::artifact::EggConfig::from_json(config).unwrap())),
            ),
            flyc::artifact::EntryKind::Job => {
                (format!("jobs/{}", entry.name), Served::Job(Box::new(JobConfig::from_json(config).unwrap())))
            }
            _ => return None,
        };
        Some(record(&name, served, &entry.digest))
    });
    let records = records.collect();
    (records, text("uglyfox.json").map(|text| BlockConfig::from_json(text).unwrap()))
}

fn record(name: &str, served: Served, digest: &str) -> EggRecord {
    let now = Time::from_millis(1);
    EggRecord::new(name, served, digest, "c", now)
}

fn egg(name: &str, more: &str) -> (String, String) {
    let text = format!(
        "egg \"{name}\" {{\n type = \"vm\"\n{more}\n cloud {{\n provider = \"local\"\n }}\n gitlab {{\n server = \"gitlab.com\"\n project_id = 7\n }}\n}}\n"
    );
    (format!("Eggs/{name}/config.fly"), text)
}

fn nest(eggs: &[(String, String)], rest: &[(&str, &str)]) -> (Vec<EggRecord>, Option<BlockConfig>) {
    let eggs = eggs.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    built(&eggs.chain(rest.iter().copied()).collect::<Vec<_>>())
}

#[test]
fn the_load_of_a_pool_is_that_of_its_condition() {
    let uglyfox = "uglyfox {\n apex {\n cpu_threshold = 50%\n }\n pruning {\n check_interval = 2m\n }\n \
                   runners_condition \"pair\" {\n eggs_entities = [\"a\"]\n apex {\n cpu_threshold = 72.5%\n \
                   memory_threshold = 60%\n }\n }\n}\n";
    let (eggs, uglyfox) = nest(&[egg("a", ""), egg("b", "")], &[("UF/config.fly", uglyfox)]);
    let config = config(&eggs, uglyfox.as_ref(), Deadlines::default());
    let load = |egg: &str| config.relief[&config.eggs[egg].pool];
    assert_eq!(load("a"), Load { cpu: 7250, memory: 6000 });
    assert_eq!(load("b"), Load { cpu: 5000, memory: 8000 });
    assert_eq!(check_interval(uglyfox.as_ref().unwrap()), Some(Duration::from_mins(2)));
    let (eggs, none) = nest(&[egg("a", "")], &[]);
    assert!(super::config(&eggs, none.as_ref(), Deadlines::default()).relief.is_empty());
}

fn settings(project: Option<u64>) -> NestSettings {
    NestSettings {
        name: "nest".to_owned(),
        url: "/nest".to_owned(),
        branch: "main".to_owned(),
        deploy_key: None,
        known_hosts: None,
        project,
        server: None,
        webhook_secret: None,
        api_token: None,
        variables: std::collections::BTreeMap::new(),
    }
}

const JOB: &str = "job \"clean\" {\n schedule = \"0 2 * * *\"\n script = \"make\"\n runner {\n tags = [\"upkeep\"]\n }\n cloud {\n provider = \"local\"\n }\n}\n";

#[test]
fn a_condition_is_one_pool_and_who_is_in_none_has_its_own() {
    let runner = "runner {\n tags = [\"x\"]\n concurrent = 4\n idle_timeout = 12m\n}";
    let eggs = [egg("a", runner), egg("b", runner), egg("c", runner)];
    let (records, uglyfox) = nest(&eggs, &[("UF/config.fly", UGLYFOX), ("Jobs/clean.fly", JOB)]);
    let config = config(&records, uglyfox.as_ref(), Deadlines::default());
    let shared = PoolId::Condition("shared".to_owned());
    assert_eq!((&config.eggs["a"].pool, &config.eggs["b"].pool), (&shared, &shared));
    let minutes = Duration::from_mins;
    let limits = |min, max| Limits { min, max };
    assert_eq!(
        config.pools[&shared],
        Pool { apex: limits(1, 3), nadir: limits(0, 5), idle_timeout: minutes(45) }
    );
    assert_eq!(
        config.pools[&PoolId::Own("c".to_owned())],
        Pool { apex: limits(0, 20), nadir: limits(0, 5), idle_timeout: minutes(45) }
    );
    let job = &config.eggs["jobs/clean"];
    assert_eq!(
        config.pools[&job.pool],
        Pool { apex: limits(0, 1), nadir: limits(0, 0), idle_timeout: minutes(10) }
    );
    assert_eq!(job.lifetime, Some(Config::JOB + Deadlines::default().boot));
    assert!(job.ephemeral);
    let a = &config.eggs["a"];
    assert_eq!((a.concurrent, a.idle_timeout, a.lifetime, a.ephemeral), (4, minutes(12), None, false));
    assert_eq!(config.pools.len(), 3);
    assert_eq!(config.pruning, Pruning { failed_threshold: 7, max_age: minutes(24 * 60) });
    let rules: Vec<_> = config
        .rules
        .iter()
        .map(|rule| (rule.name.as_str(), rule.action, rule.condition.to_string()))
        .collect();
    assert_eq!(
        rules,
        [
            ("old", RuleAction::Terminate, "age > 1h".to_owned()),
            ("rest", RuleAction::Demote, "idle_time > 5m".to_owned()),
            ("wake", RuleAction::Promote, "state == 'nadir' AND pool_idle < 1".to_owned()),
            ("look", RuleAction::Alert, "cpu_usage > 90%".to_owned()),
        ]
    );
}

#[test]
fn without_uglyfox_an_egg_is_limited_by_itself_alone() {
    let eggs = [egg("a", "runner {\n tags = [\"x\"]\n concurrent = 30\n}"), egg("b", "")];
    let (mut records, uglyfox) = nest(&eggs, &[]);
    records[0].paused = true;
    records[1].removed = true;
    let config = config(&records, uglyfox.as_ref(), Deadlines::default());
    assert_eq!(config.eggs.keys().collect::<Vec<_>>(), ["a"]);
    assert!(config.eggs["a"].paused);
    let pool = config.pools[&config.eggs["a"].pool];
    assert_eq!((pool.apex, pool.nadir), (Limits { min: 0, max: 30 }, Limits { min: 0, max: 5 }));
    assert_eq!((config.rules.len(), config.pruning), (0, Pruning::default()));
}

#[test]
fn the_choice_says_why() {
    let eggs = [
        egg("a", "runner {\n tags = [\"docker\"]\n}"),
        egg("b", "runner {\n tags = [\"docker\", \"gpu\"]\n}"),
    ];
    let (mut records, _) = nest(&eggs, &[("Jobs/clean.fly", JOB)]);
    let routes = Routes::of(&records, &settings(Some(7)));
    let job = |tags: &[&str], protected| Job {
        project_id: 7,
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        ref_protected: protected,
        timeout_s: Some(600),
        ..Job::default()
    };
    let told = routes.choose(&job(&["docker"], false));
    assert_eq!(told.owner.as_deref(), Some("a"));
    assert_eq!(
        told.reasons,
        [
            "`a` serves project 7; has `docker`; 10m at most",
            "`b` takes such jobs too, but `a` has fewer tags"
        ]
    );
    assert_eq!(routes.choose(&job(&["upkeep"], true)).owner.as_deref(), Some("jobs/clean"));
    let told = routes.choose(&job(&["upkeep"], false));
    assert_eq!(told.owner, None);
    assert_eq!(
        told.reasons,
        [
            "`a` doesn't fit: the job asks for the tag `upkeep`, which its runners don't have",
            "`b` doesn't fit: the job asks for the tag `upkeep`, which its runners don't have",
            "`jobs/clean` takes jobs of protected branches and tags only",
        ]
    );
    // Of a Nest whose project nobody tells, a job's runner is nobody's.
    let told = Routes::of(&records, &settings(None)).choose(&job(&["upkeep"], true));
    assert_eq!(told.owner, None);
    assert!(told.reasons[2].starts_with("`jobs/clean` takes jobs of the Nest's own project"), "{told:?}");
    for record in &mut records {
        record.removed = true;
    }
    let told = Routes::of(&records, &settings(None)).choose(&job(&[], true));
    assert_eq!((told.owner, told.reasons), (None, vec!["the Nest has no egg".to_owned()]));
}
