//! The rule, case by case, and GitLab's payloads.

use std::collections::BTreeMap;

use super::{
    Fleet, Job, Note,
    event::{self, Event},
    host_of, own_job,
};
use crate::artifact::{
    Cloud, EggConfig, EggKind, Executor, JobConfig, JobProject, Provider, Repository, Resources, Runner,
    RunnerType, Schedule,
};

fn repository(project_id: Option<u64>, group_id: Option<u64>) -> Repository {
    Repository {
        name: None,
        server: "gitlab.com".to_owned(),
        project_id,
        group_id,
        api_token_secret: String::new(),
        token_secret: String::new(),
        webhook_secret: String::new(),
    }
}

fn egg(name: &str, runner_type: RunnerType, tags: &[&str]) -> EggConfig {
    EggConfig {
        format_version: EggConfig::FORMAT_VERSION,
        kind: EggKind::Egg,
        name: name.to_owned(),
        runner_type,
        cloud: Cloud {
            provider: Provider::Local,
            region: String::new(),
            zone: String::new(),
            network: None,
            subnet: None,
            image: String::new(),
            offer: None,
        },
        resources: Resources { cpu: 1, memory_mib: 1024, disk_gib: 10 },
        runner: Runner {
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            concurrent: 1,
            idle_timeout_s: 600,
            timeout_s: 24 * 3600,
            run_untagged: false,
            protected: false,
            executor: Executor::Shell,
            image: String::new(),
            privileged: false,
            ephemeral: false,
        },
        repositories: vec![repository(Some(7), None)],
        environment: BTreeMap::new(),
        rift: None,
    }
}

fn job(tags: &[&str]) -> Job {
    Job { project_id: 7, tags: tags.iter().map(|tag| (*tag).to_owned()).collect(), ..Job::default() }
}

/// The reasons of the only egg, as they are printed.
fn told(egg: &EggConfig, job: &Job) -> Vec<String> {
    let decision = Fleet::new([egg], Some("gitlab.com")).decide(job);
    decision.reasons(&egg.name).unwrap_or_default().iter().map(ToString::to_string).collect()
}

fn chosen(eggs: &[EggConfig], job: &Job) -> String {
    let decision = Fleet::new(eggs, None).decide(job);
    decision.chosen().map(|one| one.egg.name.clone()).unwrap_or_default()
}

#[test]
fn reasons_in_plain_words() {
    let mut one = egg("one", RunnerType::Serverless, &["docker"]);
    assert_eq!(told(&one, &Job { timeout_s: Some(3599), ..job(&["docker"]) }), [""; 0]);
    assert_eq!(
        told(&one, &Job { project_id: 8, timeout_s: Some(5400), ..job(&["gpu", "arm", "docker"]) }),
        [
            "serves project 7, not 8",
            "the job asks for the tags `arm` and `gpu`, which its runners don't have",
            "lives 1h at most, so it takes shorter jobs; this one may take 1h30m",
        ]
    );
    assert_eq!(told(&one, &job(&[])), ["takes no jobs without tags"]);
    one.runner.protected = true;
    assert_eq!(told(&one, &job(&["docker"])), ["takes jobs of protected branches and tags only"]);
    one.runner.protected = false;
    one.repositories = vec![repository(None, Some(3)), repository(Some(1), None)];
    let elsewhere = Job { groups: vec![4], ..job(&["docker"]) };
    assert_eq!(told(&one, &elsewhere), ["serves project 1 and group 3, not project 7"]);
    assert_eq!(told(&one, &job(&["docker"])), ["serves group 3, and nobody told whether project 7 is in it"]);
    one.repositories.pop();
    assert_eq!(told(&one, &elsewhere), ["serves group 3, which project 7 is not in"]);
    assert_eq!(told(&one, &Job { groups: vec![4, 3], ..job(&["docker"]) }), [""; 0]);
}

#[test]
fn servers_are_compared_when_the_nest_names_them() {
    let mut one = egg("one", RunnerType::Vm, &["docker"]);
    one.repositories[0].server = "Git.example.com:8443".to_owned();
    let from = |server: &str| Job { server: Some(server.to_owned()), ..job(&["docker"]) };
    assert_eq!(told(&one, &from("git.EXAMPLE.com:8443")), [""; 0]);
    // The Nest's own server is one that it names.
    assert_eq!(told(&one, &from("gitlab.com")), ["serves Git.example.com:8443, not gitlab.com"]);
    assert_eq!(told(&one, &from("10.0.0.7")), [""; 0]);
    let decision = Fleet::new([&one], None).decide(&from("10.0.0.7"));
    assert!(decision.notes.contains(&Note::ServerNotCompared { server: "10.0.0.7".to_owned() }));
}

/// A job of a Nest whose own project is 7.
fn nests_job(name: &str, runner_type: RunnerType, tags: &[&str]) -> JobConfig {
    let EggConfig { cloud, resources, runner, .. } = egg(name, runner_type, tags);
    let runner =
        Runner { run_untagged: tags.is_empty(), protected: true, ephemeral: true, timeout_s: 600, ..runner };
    JobConfig {
        format_version: JobConfig::FORMAT_VERSION,
        name: name.to_owned(),
        runner_type,
        cloud,
        resources,
        runner,
        schedule: Schedule {
            description: String::new(),
            git_ref: "main".to_owned(),
            cron: "0 2 * * *".to_owned(),
            cron_timezone: "UTC".to_owned(),
            active: true,
            variables: BTreeMap::new(),
        },
        script: "make".to_owned(),
        timeout_s: 600,
        project: JobProject {
            server: "gitlab.com".to_owned(),
            project_id: None,
            token_secret: String::new(),
            deploy_key_secret: String::new(),
        },
        environment: BTreeMap::new(),
        notify: Vec::new(),
    }
}

#[test]
fn jobs_of_the_nest_take_protected_jobs_of_its_project() {
    let job_egg = own_job(&nests_job("clean", RunnerType::Vm, &["upkeep"]), 7);
    assert_eq!(job_egg.name, "jobs/clean");
    let protected = Job { ref_protected: true, ..job(&["upkeep"]) };
    assert_eq!(told(&job_egg, &protected), [""; 0]);
    assert_eq!(told(&job_egg, &job(&["upkeep"])), ["takes jobs of protected branches and tags only"]);
    assert_eq!(told(&job_egg, &Job { project_id: 8, ..protected.clone() }), ["serves project 7, not 8"]);
    assert_eq!(told(&job_egg, &Job { ref_protected: true, ..job(&[]) }), ["takes no jobs without tags"]);
    // Beside the eggs it is one of them: here the one with fewer tags is chosen.
    let beside = egg("a", RunnerType::Vm, &["upkeep", "docker"]);
    assert_eq!(chosen(&[beside.clone(), job_egg.clone()], &protected), "jobs/clean");
    assert_eq!(chosen(&[beside, job_egg], &job(&["upkeep"])), "a");
    let short = own_job(&nests_job("fast", RunnerType::Serverless, &[]), 7);
    let long = Job { ref_protected: true, timeout_s: Some(3600), ..job(&[]) };
    assert_eq!(told(&short, &long), ["lives 1h at most, so it takes shorter jobs; this one may take 1h"]);
}

#[test]
fn the_order_of_candidates() {
    let vm = egg("c-vm", RunnerType::Vm, &["docker", "linux"]);
    let serverless = egg("b-serverless", RunnerType::Serverless, &["docker", "linux", "arm"]);
    let fewer = egg("d-fewer", RunnerType::Vm, &["docker"]);
    let mut group = egg("a-group", RunnerType::Vm, &["docker"]);
    group.repositories = vec![repository(None, Some(3))];
    let all = [vm.clone(), serverless, fewer.clone(), group];
    let job = Job { groups: vec![3], ..job(&["docker"]) };
    assert_eq!(chosen(&all, &job), "d-fewer");
    assert_eq!(chosen(&all, &Job { timeout_s: Some(600), ..job.clone() }), "b-serverless");
    assert_eq!(chosen(&all, &Job { timeout_s: Some(3600), ..job.clone() }), "d-fewer");
    assert_eq!(chosen(&all[3..], &job), "a-group");
    let twin = EggConfig { name: "e-twin".to_owned(), ..fewer };
    assert_eq!(chosen(&[twin, vm, all[2].clone()], &job), "d-fewer");
}

#[test]
fn the_shorter_timeout_counts_and_is_told() {
    let mut one = egg("one", RunnerType::Vm, &["docker"]);
    one.runner.timeout_s = 1800;
    let notes = |job: &Job| -> Vec<String> {
        Fleet::new([&one], None).decide(job).notes.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        notes(&job(&["docker"])),
        [
            "the job's timeout is not known; GitLab's default, 1h, counts",
            "the job is stopped after 30m, the runners' timeout; its own is 1h"
        ]
    );
    assert_eq!(notes(&Job { timeout_s: Some(1800), ..job(&["docker"]) }), [""; 0]);
}

#[test]
fn hosts_of_urls() {
    for (url, host) in [
        ("https://gitlab.com/a/b", Some("gitlab.com")),
        ("http://192.168.64.1:3005/gitlab-org/gitlab-test", Some("192.168.64.1:3005")),
        ("https://user:pw@Git.Example.com:443/a?x#y", Some("git.example.com")),
        ("http://[::1]:3000/x", Some("[::1]:3000")),
        ("https://", None),
        ("gitlab.com/a", None),
    ] {
        assert_eq!(host_of(url).as_deref(), host, "{url}");
    }
}

#[test]
fn an_event_keeps_what_routing_asks_for() {
    let text = r#"{"object_kind": "pipeline", "object_attributes": {"id": 31, "ref": "main"}, "more": {},
        "project": {"id": 1, "web_url": "https://git.example.com/a/b"},
        "builds": [{"id": 5, "name": "x", "status": "manual", "tags": ["a"]}, {"id": 6, "name": "y", "status": "pending"}]}"#;
    let Ok(Event::Jobs(jobs)) = event::parse(text) else { panic!("a pipeline hook") };
    assert_eq!(
        (jobs.project_id, jobs.server.as_deref(), jobs.pipeline_id),
        (1, Some("git.example.com"), Some(31))
    );
    let told: Vec<_> =
        jobs.jobs.iter().map(|job| (job.id, job.tags.is_some(), job.status.needs_runner())).collect();
    assert_eq!(told, [(5, true, false), (6, false, true)]);
}

#[test]
fn parts_of_a_parallel_job_have_its_name() {
    let text = r#"{"object_kind": "build", "build_id": 1, "build_status": "pending", "project_id": 1, "build_name": "NAME"}"#;
    for (name, base) in [
        ("test 2/5", "test"),
        ("test: [linux, x86]", "test"),
        ("unit tests", "unit tests"),
        ("a/b", "a/b"),
        ("deploy v1/x", "deploy v1/x"),
    ] {
        let Ok(Event::Jobs(jobs)) = event::parse(&text.replace("NAME", name)) else { panic!("a job hook") };
        assert_eq!(jobs.jobs[0].base_name(), base);
        assert!(jobs.jobs[0].is_called(name) && jobs.jobs[0].is_called(base));
    }
}
