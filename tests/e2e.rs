//! The main road, for real: a job queued in the fake GitLab is served by a runner that OpenTofu made. Everything runs as it
//! does for a user: `gosling serve` and what it starts, git, OpenTofu, and a stand-in for `gitlab-runner`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests drive real programs and files"
)]

use polar_gosling_tests::{
    doubles::{
        gitlab::Status,
        stage::{EGG, Stage, UGLYFOX},
    },
    need,
};

#[test]
fn a_job_is_served_and_its_runner_goes_by_policy() {
    let mut stage = need!(Stage::new(&[("Eggs/demo/config.fly", EGG), ("UF/config.fly", UGLYFOX)]));
    stage.serve(&[]);
    let job = stage.queue_job("hello", &["demo"], &["echo hello from $CI_JOB_NAME"]);
    let trace = stage.gitlab.wait("the job's success", |world| {
        let job = &world.jobs[&job];
        (job.status == Status::Success).then(|| String::from_utf8_lossy(&job.trace).into_owned())
    });
    assert!(trace.contains("hello from hello"), "{trace}");
    let runner = stage.transition("demo", "idle");
    for state in ["nadir", "pending_termination", "terminated"] {
        assert_eq!(stage.transition("demo", state), runner);
    }
    let status = stage.status();
    assert_eq!(status["status"]["waiting_total"], 0, "{status:#}");
    stage.gitlab.wait("no machine of a runner", |world| {
        world.runners.values().all(|runner| runner.managers.is_empty()).then_some(())
    });
    assert!(stage.stop().success(), "{}", stage.log());
    assert_eq!(stage.processes(), [], "nothing is left");
}
