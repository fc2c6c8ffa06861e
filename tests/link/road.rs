//! The whole road: nobody makes a webhook or a schedule by hand. `gosling link` does, and then a job is served because GitLab
//! tells of it; and a job of the Nest's own, because its schedule fires.

use polar_gosling_tests::{
    doubles::{
        gitlab::{NewJob, Place, Project, Status},
        stage::{API_TOKEN, EGG, HOST, Stage, UGLYFOX},
    },
    need,
};
use serde_json::Value;

const NEST: u64 = 900;

const JOB: &str = r#"# Runs at night.
job "nightly" {
  schedule = "0 2 * * *"
  script   = "true"

  cloud {
    provider = "local"
  }

  runner {
    type     = "vm"
    tags     = ["nightly"]
    executor = "shell"
  }
}
"#;

const NEST_FLY: &str = r#"nest {
  gitlab {
    server     = "gitlab.demo.test"
    project_id = 900
  }
}
"#;

fn stage() -> Option<Stage> {
    let files = [
        ("Eggs/demo/config.fly", EGG),
        ("UF/config.fly", UGLYFOX),
        ("Jobs/nightly.fly", JOB),
        ("nest.fly", NEST_FLY),
    ];
    let mut stage = Stage::new(&files)?;
    stage.put_secret("vault://nest/webhook-secret", "hook-secret-of-the-nest-5d2e");
    stage.put_secret("vault://nest/api-token", API_TOKEN);
    let project = NEST.to_string();
    let options = [
        ["--nest-project", &project],
        ["--nest-server", HOST],
        ["--nest-webhook-secret", "vault://nest/webhook-secret"],
        ["--nest-api-token", "vault://nest/api-token"],
    ];
    stage.options.extend(options.into_iter().flatten().map(str::to_owned));
    stage.gitlab.change(|world| {
        let demo = world.projects.values().next().cloned().unwrap();
        let ci = vec![NewJob::new("nightly", &["nightly"], &["echo this is $GOSLING_JOB"])];
        world.projects.insert(NEST, Project { path: "nest".to_owned(), ci, ..demo });
    });
    Some(stage)
}

/// Waits until a job has ended well, and says what it wrote.
fn succeeded(stage: &Stage, job: u64) -> String {
    stage.gitlab.wait("the job's success", |world| {
        let job = &world.jobs[&job];
        (job.status == Status::Success).then(|| String::from_utf8_lossy(&job.trace).into_owned())
    })
}

#[test]
fn what_link_makes_has_jobs_served() {
    let mut stage = need!(stage());
    stage.serve(&[]);
    // What the stage makes by hand is what link is for.
    stage.gitlab.change(|world| world.hooks.clear());
    stage.status_shows("the eggs", |status| (status["status"]["eggs"].as_array()?.len() == 2).then_some(()));
    let plan = stage.run(&["link", "--dry-run"]);
    assert!(
        plan.contains("+ webhook of project 1") && plan.contains("+ schedule nightly of project 900"),
        "{plan}"
    );
    assert!(stage.gitlab.look(|world| world.hooks.is_empty()), "a dry run does nothing");
    let done = stage.run(&["link"]);
    assert!(done.contains("+ webhook") && !done.contains("! "), "{done}");
    let again: Value = serde_json::from_str(&stage.run(&["link", "--all", "--output", "json"])).unwrap();
    let steps: Vec<&Value> =
        again.as_array().unwrap().iter().flat_map(|one| one["steps"].as_array().unwrap()).collect();
    assert!(steps.len() >= 5 && steps.iter().all(|step| step["change"] == "keep"), "{again:#}");

    // GitLab tells of the job by itself.
    let job = stage.queue_job("hello", &["demo"], &["true"]);
    stage.gitlab.wait("the hook that link made", |world| {
        let hook = world.hooks.iter().find(|(_, hook)| hook.place == Place::Project(1))?.0;
        world.deliveries.iter().find(|one| one.hook == *hook && one.status == Some(200)).map(drop)
    });
    succeeded(&stage, job);

    // Two o'clock comes, and the job of the Nest goes the same road.
    let two = 1_800_000_000 - 1_800_000_000 % 86_400 + 2 * 3600;
    assert_eq!(stage.gitlab.change(|world| world.minute(two - 60)), []);
    assert_eq!(stage.gitlab.change(|world| world.minute(two)).len(), 1);
    let nightly = of_nest(&stage, 1);
    assert!(succeeded(&stage, nightly).contains("this is nightly"));
    // And when somebody asks for it.
    let token = std::fs::read_to_string(stage.folder().join("token")).unwrap();
    let trigger = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/jobs/nightly/trigger", stage.url().trim_end_matches('/'));
    let answer = trigger.post(url).bearer_auth(token.trim()).send().unwrap();
    assert_eq!(answer.status(), 202);
    let triggered = of_nest(&stage, 2);
    assert!(succeeded(&stage, triggered).contains("this is nightly"));

    // Without a terminal nobody is asked; what is said goes, and no secret is told.
    let output = stage.output(&["unlink", "--nest"]);
    assert_eq!(output.status.code(), Some(2));
    let gone = stage.run(&["unlink", "--nest", "--yes"]);
    assert!(gone.contains("- webhook"), "{gone}");
    assert!(stage.gitlab.look(|world| world.hooks.values().all(|hook| hook.place == Place::Project(1))));
    for said in [&plan, &done, &gone, &stage.log()] {
        assert!(!said.contains("hook-secret") && !said.contains(API_TOKEN), "{said}");
    }
    assert!(stage.stop().success());
}

/// The `count`th job of the Nest's project.
fn of_nest(stage: &Stage, count: usize) -> u64 {
    stage.gitlab.wait("a job of the Nest's", |world| {
        world.jobs.values().filter(|job| job.project == NEST).nth(count - 1).map(|job| job.id)
    })
}
