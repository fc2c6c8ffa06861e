//! `gosling runner` as a process, over a stand-in of `MotherGoose` and one of `gitlab-runner`: what it tells, what it writes,
//! and that nothing of it is left, however it ends.
//!
//! Never here: what `MotherGoose` makes of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test program"
)]
#![cfg(unix)]

#[path = "runner/bench.rs"]
mod bench;
#[path = "runner/mother.rs"]
mod mother;

use bench::{Bench, alive, eventually};
use mother::{Event, Mother};
use nix::sys::signal::Signal;
use orchestrator::wire::runner::{RunnerMood, Wanted};

/// A job is served, SIGTERM lets it finish, and then everything is tidied up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_finishes_the_job() {
    let mut mother = Mother::start().await;
    let bench = Bench::new(&mother);
    let mut runner = bench.start(&[]);
    let shown = mother.ticket().await;
    assert_eq!(shown.ticket.as_deref(), Some("ticket-of-one-use"));
    assert!(shown.system_id.starts_with("r_") && shown.system_id.len() == 14, "{}", shown.system_id);
    let idle = mother.heartbeat("it is idle", |beat| beat.state == RunnerMood::Idle).await;
    assert_eq!(idle.agent_version.as_deref(), Some("17.8.3"));
    eventually("the used ticket is removed", || !bench.folder().join("ticket").exists());

    bench.job(7);
    mother.heartbeat("it is busy", |beat| beat.state == RunnerMood::Busy && beat.jobs == [7]).await;
    assert!(bench.alive_agent().is_some());
    bench.is_discreet(runner.id());
    runner.signal(Signal::SIGTERM);
    mother.heartbeat("it drains", |beat| beat.state == RunnerMood::Draining && beat.jobs == [7]).await;
    bench.finish(7);
    let gone = mother.unregistered().await;
    assert_eq!(gone["token"], "glrt-first-token");
    assert_eq!(gone["system_id"], shown.system_id.as_str());
    let last = mother.heartbeat("the last one", |beat| beat.jobs_done == 1 && beat.jobs.is_empty()).await;
    assert_eq!(last.state, RunnerMood::Draining);
    assert_eq!(runner.ended(), Some(0));
    assert!(bench.alive_agent().is_none() && !bench.folder().join("agent.pid").exists());
    bench.is_discreet(std::process::id());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigint_aborts_the_job() {
    let mut mother = Mother::start().await;
    let bench = Bench::new(&mother);
    let mut runner = bench.start(&[]);
    bench.job(7);
    mother.heartbeat("it is busy", |beat| beat.jobs == [7]).await;
    runner.signal(Signal::SIGINT);
    assert_eq!(runner.ended(), Some(130));
    assert!(bench.alive_agent().is_none());
    assert!(bench.log().contains("aborted: terminated"), "{}", bench.log());
}

/// Who is to drain before its agent has set itself up lets it do so: a signal would end it as a crash does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_starts_is_not_disturbed() {
    let mut mother = Mother::start().await;
    let bench = Bench::new(&mother);
    mother.want(Wanted::Drain);
    let mut runner = bench.start(&[]);
    mother.heartbeat("it drains", |beat| beat.state == RunnerMood::Draining).await;
    eventually("the agent has ended", || bench.log().contains("the agent has ended: exit status: 0"));
    runner.signal(Signal::SIGTERM);
    assert_eq!(runner.ended(), Some(0));
}

/// The agent doesn't hear every signal: it is told to take no more jobs until it says that it has heard.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_that_was_missed_is_sent_again() {
    let mut mother = Mother::start().await;
    let bench = Bench::new(&mother);
    let mut runner = bench.start(&[]);
    mother.heartbeat("it is idle", |beat| beat.state == RunnerMood::Idle).await;
    let deaf = bench.folder().join("deaf");
    std::fs::write(&deaf, "").unwrap();
    runner.signal(Signal::SIGTERM);
    assert_eq!(runner.ended(), Some(0));
    assert!(!deaf.exists(), "it heard the first signal");
}

/// A job is over when GitLab was told how it ended: whoever is idle may be destroyed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runner_is_busy_until_gitlab_knows_the_end() {
    let mut mother = Mother::start().await;
    let bench = Bench::new(&mother);
    let mut runner = bench.start(&["--heartbeat", "1"]);
    let untold = bench.folder().join("untold-7");
    std::fs::write(&untold, "").unwrap();
    bench.job(7);
    bench.finish(7);
    eventually("the job has ended", || bench.log().contains("Job succeeded"));
    // What was on its way by then, and the one after.
    assert!(mother.is_quiet(|_| false));
    for _ in 0..2 {
        let beat = mother.heartbeat("the next one", |_| true).await;
        assert_eq!((beat.state, beat.jobs), (RunnerMood::Busy, vec![7]));
    }
    std::fs::remove_file(untold).unwrap();
    mother.heartbeat("it is idle", |beat| beat.state == RunnerMood::Idle && beat.jobs_done == 1).await;
    runner.signal(Signal::SIGTERM);
    assert_eq!(runner.ended(), Some(0));
}

/// A job that the agent can't work on is received, given back, and told of no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_cannot_be_worked_on_keeps_nobody_busy() {
    let mut mother = Mother::start().await;
    let bench = Bench::new(&mother);
    let mut runner = bench.start(&[]);
    std::fs::write(bench.folder().join("odd-7"), "").unwrap();
    bench.job(7);
    eventually("it was received", || bench.log().contains("Checking for jobs... received"));
    bench.job(8);
    let busy = mother.heartbeat("it is busy", |beat| beat.jobs.contains(&8)).await;
    assert_eq!(busy.jobs, [8]);
    bench.finish(8);
    mother.heartbeat("it is idle", |beat| beat.state == RunnerMood::Idle && beat.jobs_done == 1).await;
    runner.signal(Signal::SIGTERM);
    assert_eq!(runner.ended(), Some(0));
}

/// Who is to drain finishes its job, stays and says that nothing is left, and is stopped then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_heartbeat_drains() {
    let mut mother = Mother::start().await;
    let bench = Bench::new(&mother);
    let mut runner = bench.start(&["--heartbeat", "1"]);
    bench.job(7);
    mother.heartbeat("it is busy", |beat| beat.jobs == [7]).await;
    mother.want(Wanted::Drain);
    mother.heartbeat("it drains", |beat| beat.state == RunnerMood::Draining && beat.jobs == [7]).await;
    bench.job(8);
    bench.finish(7);
    mother.heartbeat("it is empty", |beat| beat.state == RunnerMood::Draining && beat.jobs.is_empty()).await;
    eventually("the agent is gone", || bench.alive_agent().is_none());
    let still = mother.heartbeat("it stays", |beat| beat.state == RunnerMood::Draining).await;
    assert!(still.jobs.is_empty() && still.jobs_done == 1);
    runner.signal(Signal::SIGTERM);
    assert_eq!(runner.ended(), Some(0));
    assert!(bench.folder().join("job").exists(), "it took a job after it was to drain");
}

/// While nobody answers, work goes on; the newest heartbeat arrives when somebody does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_orchestrator_may_be_away() {
    let mut mother = Mother::start().await;
    let bench = Bench::new(&mother);
    let mut runner = bench.start(&["--heartbeat", "1"]);
    mother.heartbeat("it is idle", |beat| beat.state == RunnerMood::Idle).await;
    mother.leave().await;
    bench.job(7);
    eventually("the job is taken", || bench.log().contains("received"));
    bench.finish(7);
    eventually("the job is done", || bench.log().contains("Job succeeded"));
    eventually("it is told", || bench.log().contains("MotherGoose is away"));
    mother.come_back().await;
    let beat = mother.heartbeat("the newest", |beat| beat.jobs_done == 1).await;
    assert_eq!((beat.state, beat.jobs.len()), (RunnerMood::Idle, 0));
    runner.signal(Signal::SIGTERM);
    assert_eq!(runner.ended(), Some(0));
}

/// An agent that dies is a failure, and is started again; what its job has left is ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_agent_is_started_again() {
    let mut mother = Mother::start().await;
    let bench = Bench::new(&mother);
    let mut runner = bench.start(&[]);
    bench.job(7);
    mother.heartbeat("it is busy", |beat| beat.jobs == [7]).await;
    let first = bench.alive_agent().unwrap();
    let stray = bench.stray();
    assert!(alive(stray));
    bench::kill(first, Signal::SIGKILL);
    let dead = mother.heartbeat("it has failed", |beat| beat.state == RunnerMood::Failing).await;
    assert_eq!((dead.failures, dead.jobs.len()), (1, 0));
    mother.heartbeat("it is back", |beat| beat.state == RunnerMood::Idle && beat.failures == 1).await;
    assert!(!alive(stray), "what the job left is still there");
    assert_ne!(bench.alive_agent().unwrap(), first);
    bench.job(8);
    bench.finish(8);
    mother.heartbeat("a job went well", |beat| beat.failures == 0 && beat.jobs_done == 1).await;
    runner.signal(Signal::SIGTERM);
    assert_eq!(runner.ended(), Some(0));
}

/// A `gosling` that is killed takes its agent with it, and the next one has one of its own, and no new ticket.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_outlives_a_killed_gosling() {
    let mut mother = Mother::start().await;
    let bench = Bench::new(&mother);
    let mut runner = bench.start(&[]);
    bench.job(7);
    mother.heartbeat("it is busy", |beat| beat.jobs == [7]).await;
    let first = bench.alive_agent().unwrap();
    runner.signal(Signal::SIGKILL);
    assert_eq!(runner.ended(), None);
    eventually("the agent has gone as well", || !alive(first));
    eventually("and its pipe did not kill it", || bench.folder().join("aborted-7").exists());

    let mut again = bench.start(&[]);
    let shown = mother.ticket_with(|shown| shown.ticket.is_none()).await;
    assert!(shown.system_id.starts_with("r_"));
    mother.heartbeat("it is back", |beat| beat.state == RunnerMood::Idle && beat.jobs.is_empty()).await;
    assert_eq!(bench.starts(), 2);
    assert_ne!(bench.alive_agent().unwrap(), first);
    let mut second = bench.start(&[]);
    assert_eq!(second.ended(), Some(1), "two in one folder");
    again.signal(Signal::SIGTERM);
    assert_eq!(again.ended(), Some(0));
}

/// Other tokens or variables come to the agent without an end of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_revision_is_fetched() {
    let mut mother = Mother::start().await;
    let bench = Bench::new(&mother);
    let mut runner = bench.start(&["--heartbeat", "1"]);
    mother.heartbeat("it is idle", |beat| beat.state == RunnerMood::Idle).await;
    assert!(bench.config().contains("glrt-first-token"));
    mother.rotate("glrt-second-token");
    mother.ticket_with(|shown| shown.ticket.is_none()).await;
    eventually("the new token is written", || bench.config().contains("glrt-second-token"));
    mother.heartbeat("it has gone over", |beat| beat.revision == Some(2)).await;
    assert!(bench.log().matches("Configuration loaded").count() > 1, "and its agent has not");
    assert_eq!(bench.starts(), 1);
    bench.is_discreet(runner.id());
    runner.signal(Signal::SIGTERM);
    assert_eq!(runner.ended(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_runner_says_so_and_ends() {
    let mut mother = Mother::start().await;
    let bench = Bench::new(&mother);
    mother.refuse("the ticket was used by another machine");
    let mut runner = bench.start(&[]);
    assert_eq!(runner.ended(), Some(5));
    let log = bench.log();
    let wanted =
        "error: MotherGoose refuses the runner `docs-1`: the ticket was used by another machine\nhelp: ";
    assert!(log.contains(wanted), "{log}");
    assert!(bench.folder().join("ticket").exists());
    bench.is_discreet(std::process::id());
    assert!(mother.is_quiet(|event| matches!(event, Event::Heartbeat(_))));
}

/// A runner for one job takes no second one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ephemeral_runner_drains_itself() {
    let mut mother = Mother::start().await;
    let bench = Bench::ephemeral(&mother);
    let mut runner = bench.start(&[]);
    bench.job(7);
    mother.heartbeat("it is busy", |beat| beat.state == RunnerMood::Busy && beat.jobs == [7]).await;
    bench.job(8);
    bench.finish(7);
    let empty = mother.heartbeat("it is empty", |beat| beat.state == RunnerMood::Draining).await;
    assert_eq!((empty.jobs.len(), empty.jobs_done), (0, 1));
    runner.signal(Signal::SIGTERM);
    assert_eq!(runner.ended(), Some(0));
    assert!(bench.folder().join("job").exists(), "it took a second job");
}

/// A serverless runner is told by its environment, and ends by itself after its job.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runner_of_the_environment_ends_after_its_job() {
    let mut mother = Mother::start().await;
    let bench = Bench::ephemeral(&mother);
    let mut runner = bench.start_from_environment();
    bench.job(7);
    mother.heartbeat("it is busy", |beat| beat.jobs == [7]).await;
    bench.finish(7);
    mother.unregistered().await;
    assert_eq!(runner.ended(), Some(0));
    assert!(!bench.environment().contains("GOSLING_TICKET"), "jobs see the runner's own variables");
}

/// A container of Yandex Cloud is told by a request, whose answer comes when the runner has ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runner_of_a_request_answers_when_it_has_ended() {
    let mut mother = Mother::start().await;
    let bench = Bench::ephemeral(&mother);
    let (mut runner, port) = bench.start_from_request();
    let asked = tokio::spawn(bench::invoke(port, bench.request()));
    bench.job(7);
    mother.heartbeat("it is busy", |beat| beat.jobs == [7]).await;
    bench.finish(7);
    assert_eq!(asked.await.unwrap(), 200);
    assert_eq!(bench::invoke(port, serde_json::json!({ "egg_config": 1 })).await, 422);
    runner.signal(Signal::SIGTERM);
    assert_eq!(runner.ended(), Some(0));
}
