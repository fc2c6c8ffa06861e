//! How many webhooks `gosling serve` takes at once, how long each waits for its answer, that none which was accepted is lost
//! when it is killed meanwhile, and how long deployments of many eggs take side by side.
//!
//! `cargo run --release -p polar-gosling-tests --example gosling_load -- --help` says how. The service, the fake GitLab and
//! this client share the machine. What never lives here: what must hold; `tests/load.rs` has that.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that can't go on says why and ends"
)]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is a program of its own"
)]

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use clap::Parser;
use polar_gosling_tests::{
    doubles::{
        gitlab::{NewJob, Status},
        stage::Stage,
        storm::{self, Answer, Asked, Hook},
    },
    tools,
};

/// How long the service may take to come to rest.
const PATIENCE: Duration = Duration::from_mins(30);

/// Sends many webhooks to `gosling serve` at once, and tells how long they waited
#[derive(Debug, Parser)]
#[command(after_help = "Example: gosling_load --gosling target/release/gosling --eggs 1000 --kill")]
struct Arguments {
    /// The gosling program [default: this build's]
    #[arg(long, value_name = "PROGRAM")]
    gosling: Option<PathBuf>,
    /// How many eggs the Nest has
    #[arg(long, default_value_t = 100)]
    eggs: usize,
    /// How many webhooks are sent in a round
    #[arg(long, default_value_t = 1000)]
    hooks: usize,
    /// Over how many connections at once
    #[arg(long, default_value_t = 1000)]
    connections: usize,
    /// How many rounds
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Send each round twice: the second time with the same ids
    #[arg(long)]
    twice: bool,
    /// Kill the service at a random moment of each round, start it again, and look whether anything was lost
    #[arg(long)]
    kill: bool,
    /// Instead: queue a job for each of so many eggs at once, and wait until each has a runner that did it
    #[arg(long, value_name = "EGGS")]
    deployments: Option<usize>,
    /// How many messages the service works on at once
    #[arg(long)]
    workers: Option<u16>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let program = arguments.gosling.clone().unwrap_or_else(|| tools::gosling().to_owned());
    let program = fs::canonicalize(program).expect("the program is there");
    let eggs = arguments.deployments.unwrap_or(arguments.eggs);
    let began = Instant::now();
    let Some(mut stage) = storm::installation(&program, eggs) else {
        eprintln!("error: OpenTofu is needed, and could not be had");
        return ExitCode::FAILURE;
    };
    if let Some(workers) = arguments.workers {
        stage.options.extend(["--workers".to_owned(), workers.to_string()]);
    }
    println!("a Nest of {eggs} eggs and their secrets: made in {:.1} s", began.elapsed().as_secs_f64());
    let began = Instant::now();
    stage.serve(&[]);
    println!("serves after {:.2} s", began.elapsed().as_secs_f64());
    storm::rest(&stage, PATIENCE, |world| world.runners.len() >= eggs);
    println!("every egg has its runner in GitLab after {:.1} s", began.elapsed().as_secs_f64());
    match arguments.deployments {
        Some(eggs) => deployments(&stage, eggs),
        None => webhooks(&mut stage, &arguments),
    }
}

fn webhooks(stage: &mut Stage, arguments: &Arguments) -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be had");
    let mut asked = Asked::default();
    let mut is_whole = true;
    for round in 1..=arguments.rounds {
        let hooks = storm::hooks(stage, arguments.eggs, arguments.hooks);
        let url = stage.url();
        let began = Instant::now();
        let killer = arguments.kill.then(|| {
            // Anywhere from the first webhook to about the last.
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let after = Duration::from_micros(u64::from(since.subsec_nanos()) % 400_000);
            (stage.process(), after)
        });
        let (mut answers, after) = runtime.block_on(async {
            let sent = storm::send(&url, &hooks, arguments.connections);
            let kill = async {
                let (process, after) = killer?;
                tokio::time::sleep(after).await;
                let _ = std::process::Command::new("kill").args(["-9", &process.to_string()]).status();
                Some(after)
            };
            tokio::join!(sent, kill)
        });
        tell(round, &answers, began.elapsed());
        if let Some(after) = after {
            stage.killed();
            stage.serve(&[]);
            println!("  killed after {:.0} ms, started again", after.as_secs_f64() * 1000.0);
        }
        if arguments.twice || arguments.kill {
            // GitLab's ids are the same: what was taken is not taken again.
            let again = runtime.block_on(storm::send(&stage.url(), &hooks, arguments.connections));
            tell(round, &again, began.elapsed());
            let twice = answers
                .iter()
                .zip(&again)
                .filter(|(first, then)| first.is_taken() && then.outcome != "duplicate");
            println!("  accepted again although accepted before: {}", twice.count());
            // What was accepted at all must be worked on.
            for (first, then) in answers.iter_mut().zip(again) {
                if !first.is_taken() {
                    *first = then;
                }
            }
        }
        is_whole &= settle(stage, &hooks, &answers, &mut asked, began);
    }
    if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Waits until the service has nothing to do, and looks whether each job was asked for that an accepted webhook told of.
fn settle(stage: &Stage, hooks: &[Hook], answers: &[Answer], asked: &mut Asked, began: Instant) -> bool {
    storm::rest(stage, PATIENCE, |_| true);
    let took = began.elapsed();
    let jobs = stage.gitlab.look(|world| asked.read(world).clone());
    let taken: Vec<&Hook> =
        hooks.iter().zip(answers).filter(|(_, answer)| answer.is_taken()).map(|(hook, _)| hook).collect();
    let lost = taken.iter().filter(|hook| !jobs.contains_key(&hook.job)).count();
    let more = hooks.iter().filter(|hook| jobs.get(&hook.job).is_some_and(|times| *times > 1)).count();
    println!(
        "  worked on: {} of {} accepted, {lost} lost, {more} asked for more than once; at rest after {:.1} s, {} MiB",
        taken.len() - lost,
        taken.len(),
        took.as_secs_f64(),
        resident(stage.process()) / 1024,
    );
    lost == 0
}

fn tell(round: usize, answers: &[Answer], took: Duration) {
    let mut times: Vec<Duration> =
        answers.iter().filter(|answer| answer.is_taken()).map(|answer| answer.took).collect();
    times.sort_unstable();
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for answer in answers {
        let outcome = match answer.status {
            Some(200) => answer.outcome.clone(),
            Some(status) => status.to_string(),
            None => "no answer".to_owned(),
        };
        *outcomes.entry(outcome).or_default() += 1;
    }
    let outcomes: Vec<String> = outcomes.iter().map(|(what, count)| format!("{count} {what}")).collect();
    let at = |share: f64| {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a place in a list"
        )]
        let place = ((times.len() as f64 * share).ceil() as usize).saturating_sub(1);
        times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
    };
    println!(
        "round {round}: {} in {:.0} ms: p50 {:.0} ms, p95 {:.0} ms, p99 {:.0} ms, most {:.0} ms",
        outcomes.join(", "),
        took.as_secs_f64() * 1000.0,
        at(0.5),
        at(0.95),
        at(0.99),
        at(1.0),
    );
}

/// A job for each egg, all at once.
fn deployments(stage: &Stage, eggs: usize) -> ExitCode {
    for number in 0..eggs {
        stage.hook(storm::project(number));
    }
    let over = Arc::new(AtomicBool::new(false));
    let watch = std::thread::spawn({
        let (over, folder, service) = (Arc::clone(&over), stage.folder().to_owned(), stage.process());
        move || {
            // The most `tofu` at once, the most memory of all, of the service, and of all `tofu`.
            let mut most = [0_u64; 4];
            while !over.load(Ordering::Relaxed) {
                let mut now = [0_u64; 4];
                for (id, line) in polar_gosling_tests::doubles::stage::processes_in(&folder) {
                    let memory = resident(id);
                    let is_tofu = line.split(' ').next().is_some_and(|program| program.ends_with("tofu"));
                    now[0] += u64::from(is_tofu);
                    now[1] += memory;
                    now[2] += if id == service { memory } else { 0 };
                    now[3] += if is_tofu { memory } else { 0 };
                }
                for (most, now) in most.iter_mut().zip(now) {
                    *most = (*most).max(now);
                }
                std::thread::sleep(Duration::from_millis(200));
            }
            most
        }
    });
    let began = Instant::now();
    let jobs: Vec<u64> = stage.gitlab.change(|world| {
        let queue =
            |number| world.queue(storm::project(number), vec![NewJob::new("load", &["load"], &["true"])]).1;
        (0..eggs).flat_map(queue).collect()
    });
    let end = began + PATIENCE;
    let mut told = 0;
    loop {
        let done = stage
            .gitlab
            .look(|world| jobs.iter().filter(|job| world.jobs[job].status == Status::Success).count());
        if done == eggs || done >= told + eggs.div_ceil(10) {
            told = done;
            println!("{done} of {eggs} jobs done after {:.1} s", began.elapsed().as_secs_f64());
        }
        if done == eggs || Instant::now() > end {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    over.store(true, Ordering::Relaxed);
    let [tofu, all, service, tofus] = watch.join().expect("it ends");
    println!(
        "at most {tofu} tofu at once; memory at most: gosling serve {} MiB, all tofu {} MiB, with all runners {} MiB",
        service / 1024,
        tofus / 1024,
        all / 1024
    );
    if told == eggs { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The memory of a process, in KiB.
fn resident(process: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
