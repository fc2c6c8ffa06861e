//! The loop of `run`: asks for jobs, starts them, heeds signals and changes of the config file.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval},
};

use super::{
    api::{Api, Asked},
    config::{self, Config, Runner},
    job::Run,
    log,
    metrics::{self, Running},
};

/// How often the config file is looked at.
const RELOAD: Duration = Duration::from_secs(3);

/// How many refusals disable a runner, and for how long.
const REFUSALS: (u32, Duration) = (3, Duration::from_hours(1));

/// How long aborted jobs have to be told of, unless the config file says otherwise.
const SHUTDOWN: Duration = Duration::from_secs(30);

/// What is known of a runner besides its config.
#[derive(Debug, Default)]
struct Health {
    last_update: Option<String>,
    refused: u32,
    disabled: Option<Instant>,
}

struct Agent {
    file: PathBuf,
    folder: PathBuf,
    config: Config,
    changed: Option<SystemTime>,
    api: Api,
    health: BTreeMap<String, Health>,
    running: Running,
    jobs: JoinSet<()>,
    abort: watch::Sender<bool>,
}

/// Runs until it is told to end.
pub(crate) async fn run(file: PathBuf, folder: PathBuf, listen: Option<String>) -> Result<(), String> {
    let catch = |kind| signal(kind).map_err(|error| error.to_string());
    let mut quit = catch(SignalKind::quit())?;
    let mut terminate = catch(SignalKind::terminate())?;
    let mut interrupt = catch(SignalKind::interrupt())?;
    let mut hangup = catch(SignalKind::hangup())?;
    let config = Config::read(&file)?;
    let api = Api::new(&config::system_id(&file)?)?;
    let running = Running::default();
    if let Some(address) = listen.or_else(|| config.listen_address.clone()) {
        tokio::spawn(metrics::serve(address, running.clone()));
    }
    log(&format!(
        "Starting multi-runner from {}...  builds=0 max_builds={}",
        file.display(),
        config.concurrent
    ));
    let changed = modified(&file);
    let mut agent = Agent {
        file,
        folder,
        config,
        changed,
        api,
        health: BTreeMap::new(),
        running,
        jobs: JoinSet::new(),
        abort: watch::Sender::new(false),
    };
    log("Initializing executor providers                    builds=0");
    let mut reload = interval(RELOAD);
    let mut check = agent.check();
    loop {
        tokio::select! {
            _ = check.tick() => agent.ask().await,
            _ = reload.tick() => {
                if modified(&agent.file) != agent.changed && agent.reload() {
                    check = agent.check();
                }
            }
            _ = hangup.recv() => {
                if agent.reload() {
                    check = agent.check();
                }
            }
            Some(_) = agent.jobs.join_next() => {}
            _ = quit.recv() => return agent.finish(&mut terminate, &mut interrupt).await,
            _ = terminate.recv() => return agent.abort("terminated").await,
            _ = interrupt.recv() => return agent.abort("interrupt").await,
        }
    }
}

fn modified(file: &Path) -> Option<SystemTime> {
    std::fs::metadata(file).ok()?.modified().ok()
}

impl Agent {
    fn check(&self) -> tokio::time::Interval {
        let seconds = if self.config.check_interval == 0 { 3 } else { self.config.check_interval };
        let mut check = interval(Duration::from_secs(seconds));
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        check
    }

    /// Takes the config file as it is now; a broken one changes nothing.
    fn reload(&mut self) -> bool {
        self.changed = modified(&self.file);
        match Config::read(&self.file) {
            Ok(config) => {
                self.config = config;
                log(&format!(
                    "Configuration loaded                                builds={}",
                    self.running.all()
                ));
                true
            }
            Err(error) => {
                log(&format!("ERROR: Failed to load config {error}"));
                false
            }
        }
    }

    /// Asks for jobs, as many as there is room for.
    async fn ask(&mut self) {
        for runner in self.config.runners.clone() {
            while self.has_room(&runner) && self.ask_for(&runner).await {}
        }
    }

    fn has_room(&self, runner: &Runner) -> bool {
        let disabled = self.health.get(&runner.token).and_then(|health| health.disabled);
        self.running.all() < self.config.concurrent
            && (runner.limit == 0 || self.running.of(runner.short()) < runner.limit)
            && disabled.is_none_or(|since| since.elapsed() >= REFUSALS.1)
    }

    /// Whether there was a job.
    async fn ask_for(&mut self, runner: &Runner) -> bool {
        let health = self.health.entry(runner.token.clone()).or_default();
        let asked = self.api.request(runner, health.last_update.as_deref()).await;
        let short = runner.short().to_owned();
        match asked {
            Asked::Given(job) => {
                // Whoever was given one asks again whatever was last said.
                *health = Health::default();
                log(&format!(
                    "Checking for jobs... received                       job={} repo_url= runner={short}",
                    job.id
                ));
                let one = self.running.one(&short);
                let run = Run {
                    api: self.api.clone(),
                    runner: runner.clone(),
                    job: *job,
                    folder: self.folder.clone(),
                    abort: self.abort.subscribe(),
                };
                self.jobs.spawn(async move {
                    run.run().await;
                    drop(one);
                });
                return true;
            }
            Asked::Nothing(update) => {
                *health = Health { last_update: update, ..Health::default() };
            }
            Asked::Forbidden => {
                health.refused += 1;
                log(&format!(
                    "ERROR: Checking for jobs... forbidden               runner={short} status=POST 403 Forbidden"
                ));
                if health.refused >= REFUSALS.0 {
                    health.disabled = Some(Instant::now());
                    health.refused = 0;
                    log(&format!(
                        "ERROR: Runner \"{short}\" is unhealthy and will be disabled for 1h0m0s seconds!"
                    ));
                }
            }
            Asked::Failed(why) => {
                log(&format!(
                    "WARNING: Checking for jobs... failed                runner={short} status={why}"
                ));
            }
        }
        false
    }

    /// Lets jobs end, unless it is told to end at once.
    async fn finish(mut self, terminate: &mut Signal, interrupt: &mut Signal) -> Result<(), String> {
        log(&format!(
            "WARNING: Starting graceful shutdown, waiting for builds to finish  builds={}",
            self.running.all()
        ));
        loop {
            tokio::select! {
                ended = self.jobs.join_next() => {
                    if ended.is_none() {
                        log("All workers stopped.                                builds=0");
                        return Ok(());
                    }
                }
                _ = terminate.recv() => return self.abort("terminated").await,
                _ = interrupt.recv() => return self.abort("interrupt").await,
            }
        }
    }

    /// Ends jobs, and tells GitLab so.
    async fn abort(mut self, signal: &str) -> Result<(), String> {
        log(&format!(
            "WARNING: Starting forceful shutdown                 StopSignal={signal} builds={}",
            self.running.all()
        ));
        self.abort.send_replace(true);
        let given = match self.config.shutdown_timeout {
            0 => SHUTDOWN,
            seconds => Duration::from_secs(seconds),
        };
        let all = async { while self.jobs.join_next().await.is_some() {} };
        if tokio::time::timeout(given, all).await.is_err() {
            log("WARNING: Graceful shutdown not finished properly");
        }
        log("All workers stopped.                                builds=0");
        Ok(())
    }
}
