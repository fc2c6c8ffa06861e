//! The main road as a demo: a Nest in a git repository, a stand-in for GitLab, `gosling serve` with real OpenTofu. A job is
//! queued, a runner is made, serves it, rests, and goes; `gosling status` shows each step.
//!
//! `cargo run -p polar-gosling-tests --example demo`; with `--keep` everything stays up to be tried until Ctrl-C.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people to look at")]

use std::{io::Read, process::ExitCode};

use clap::Parser;
use polar_gosling_tests::{
    doubles::{
        gitlab::Status,
        stage::{EGG, Stage, UGLYFOX},
    },
    tools,
};

/// A job queued in a stand-in for GitLab is served by a runner that OpenTofu made.
#[derive(Debug, Parser)]
struct Arguments {
    /// Leave everything up to be tried, until the end of standard input or Ctrl-C
    #[arg(long)]
    keep: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let Some(mut stage) = Stage::new(&[("Eggs/demo/config.fly", EGG), ("UF/config.fly", UGLYFOX)]) else {
        eprintln!("error: OpenTofu is needed, and could not be had");
        return ExitCode::FAILURE;
    };
    if let Some(program) = tools::on_path("gitlab-runner") {
        println!("Jobs are run by the gitlab-runner on the PATH, {}.\n", program.display());
        stage.use_agent(&program);
    } else {
        println!("There is no gitlab-runner on the PATH: a stand-in runs the jobs.\n");
    }
    println!("The Nest, a git repository with one egg:\n\n{}", indented(EGG));
    stage.serve(&[]);
    println!("gosling serves {}; GitLab (a stand-in) is at {}.\n", stage.url(), stage.gitlab.url());

    let job = stage.queue_job("hello", &["demo"], &["echo \"hello from $CI_JOB_NAME\""]);
    println!("A job with the tag `demo` waits in GitLab: number {job}.\n");
    let runner = stage.transition("demo", "provisioning");
    show(&stage, &format!("OpenTofu makes the runner {runner}"));
    stage.gitlab.wait("the job", |world| world.jobs[&job].started);
    show(&stage, "It took the job");
    let trace = stage.gitlab.wait("the job's end", |world| {
        let job = &world.jobs[&job];
        (job.status == Status::Success).then(|| String::from_utf8_lossy(&job.trace).into_owned())
    });
    println!("The job has succeeded. Its log in GitLab:\n\n{}", indented(trace.trim_end()));
    // It was idle once before it took the job.
    stage.status_shows("an idle runner", |status| (status["runners"][0]["state"] == "idle").then_some(()));
    show(&stage, "The runner waits for the next one");
    stage.transition("demo", "nadir");
    show(&stage, "Three seconds without a job: the rule `rest` puts it to sleep");
    stage.transition("demo", "terminated");
    show(&stage, "Six seconds: the rule `leave` has it destroyed");

    if arguments.keep {
        let nest = stage.nest();
        println!("Everything stays up. Change the Nest and commit it: {}", nest.display());
        println!("Ctrl-D ends it.");
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
    }
    let ended = stage.stop();
    println!("gosling has stopped ({ended}); nothing is left of it: {} processes.", stage.processes().len());
    if ended.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn show(stage: &Stage, what: &str) {
    println!("{what}. `gosling status`:\n\n{}", indented(&stage.run(&["status"])));
}

fn indented(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") }).collect()
}
