//! The loop of `run`: asks for jobs, starts them, heeds signals and changes of the config file.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde_json::Value;
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
    log::{
        self,
        Level::{self, Error, Info, Warning},
        log,
    },
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
    /// The runner that is asked for next, as the configuration was when there was no room.
    held: Option<Runner>,
    running: Running,
    jobs: JoinSet<()>,
    abort: watch::Sender<bool>,
}

/// Runs until it is told to end.
pub(crate) async fn run(file: PathBuf, folder: PathBuf, listen: Option<String>) -> Result<(), String> {
    let start = format!("Starting multi-runner from {}...", file.display());
    log(Info, &start, &[("builds", 0.into()), ("max_builds", 0.into())]);
    log(Info, "Running in system-mode.", &[]);
    log(Info, "", &[]);
    let config = Config::read(&file)?;
    log::configure(config.log_format.as_deref())?;
    let api = Api::new(&config::system_id(&file)?)?;
    let running = Running::default();
    let changed = modified(&file);
    let listen = listen.or_else(|| config.listen_address.clone());
    let mut agent = Agent {
        file,
        folder,
        config,
        changed,
        api,
        health: BTreeMap::new(),
        held: None,
        running,
        jobs: JoinSet::new(),
        abort: watch::Sender::new(false),
    };
    agent.says("Configuration loaded");
    match listen {
        Some(address) => {
            tokio::spawn(metrics::serve(address, agent.running.clone()));
        }
        None => agent.says("listen_address not defined, metrics & debug endpoints disabled"),
    }
    agent.says("[session_server].listen_address not defined, session endpoints disabled");
    agent.says("Initializing executor providers");
    // Only from here on it catches signals, a moment after it has said so.
    let catch = |kind| signal(kind).map_err(|error| error.to_string());
    let mut quit = catch(SignalKind::quit())?;
    let mut terminate = catch(SignalKind::terminate())?;
    let mut interrupt = catch(SignalKind::interrupt())?;
    let mut hangup = catch(SignalKind::hangup())?;
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
            Some(_) = agent.jobs.join_next() => agent.ask_held().await,
            _ = quit.recv() => return agent.finish(&mut terminate, &mut interrupt).await,
            _ = terminate.recv() => return agent.abort("terminated", 15).await,
            _ = interrupt.recv() => return agent.abort("interrupt", 2).await,
        }
    }
}

fn modified(file: &Path) -> Option<SystemTime> {
    std::fs::metadata(file).ok()?.modified().ok()
}

impl Agent {
    /// A line of its log that says how many jobs run.
    fn says(&self, message: &str) {
        self.warns(Info, message, &[]);
    }

    fn warns(&self, level: Level, message: &str, more: &[(&str, Value)]) {
        let mut fields =
            vec![("builds", self.running.all().into()), ("max_builds", self.config.concurrent.into())];
        fields.extend_from_slice(more);
        log(level, message, &fields);
    }

    fn check(&self) -> tokio::time::Interval {
        let seconds = if self.config.check_interval == 0 { 3 } else { self.config.check_interval };
        let mut check = interval(Duration::from_secs(seconds));
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        check
    }

    /// Takes the config file as it is now; a broken one changes nothing.
    fn reload(&mut self) -> bool {
        self.changed = modified(&self.file);
        let read = Config::read(&self.file);
        match read.and_then(|config| log::configure(config.log_format.as_deref()).map(|()| config)) {
            Ok(config) => {
                self.config = config;
                // Whoever was refused is asked for again.
                for health in self.health.values_mut() {
                    (health.refused, health.disabled) = (0, None);
                }
                self.says("Configuration loaded");
                true
            }
            Err(error) => {
                self.warns(Error, &format!("Failed to load config {error}"), &[]);
                false
            }
        }
    }

    /// Asks for jobs, as many as there is room for. When there is none, the next runner of the configuration as it is now is
    /// held until there is, whatever the configuration is by then.
    async fn ask(&mut self) {
        for runner in self.config.runners.clone() {
            while self.has_room(&runner) && self.ask_for(&runner).await {}
            if self.running.all() >= self.config.concurrent {
                self.held.get_or_insert(runner);
                return;
            }
        }
    }

    /// A job has ended: the runner that was held comes first.
    async fn ask_held(&mut self) {
        if let Some(runner) = self.held.take()
            && self.has_room(&runner)
        {
            self.ask_for(&runner).await;
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
                let fields =
                    [("job", job.id.into()), ("repo_url", "".into()), ("runner", short.as_str().into())];
                log(Info, "Checking for jobs... received", &fields);
                if job.asks_too_much() {
                    // It is given back, and none of its own.
                    self.api.update(runner, &job, "failed", Some("runner_system_failure"), None).await;
                    return false;
                }
                let one = self.running.one(&short);
                self.warns(Info, "Added job to processing list", &[("job", job.id.into())]);
                let run = Run {
                    api: self.api.clone(),
                    runner: runner.clone(),
                    job: *job,
                    folder: self.folder.clone(),
                    abort: self.abort.subscribe(),
                };
                self.jobs.spawn(async move {
                    let job = run.job.id;
                    run.run().await;
                    drop(one);
                    log(Info, "Removed job from processing list", &[("job", job.into())]);
                });
                return true;
            }
            Asked::Nothing(update) => {
                *health = Health { last_update: update, ..Health::default() };
            }
            Asked::Forbidden => {
                health.refused += 1;
                let fields = [("runner", short.as_str().into()), ("status", "403 Forbidden".into())];
                log(Error, "Checking for jobs... forbidden", &fields);
                if health.refused >= REFUSALS.0 {
                    health.disabled = Some(Instant::now());
                    health.refused = 0;
                    let text =
                        format!("Runner \"{short}\" is unhealthy and will be disabled for 1h0m0s seconds!");
                    log(Error, &text, &[]);
                }
            }
            Asked::Failed(why) => {
                let fields = [("runner", short.as_str().into()), ("status", why.into())];
                log(Warning, "Checking for jobs... failed", &fields);
            }
        }
        false
    }

    /// Lets jobs end, unless it is told to end at once.
    async fn finish(mut self, terminate: &mut Signal, interrupt: &mut Signal) -> Result<(), String> {
        self.warns(Warning, "[runWait] received stop signal", &[("stop-signal", 3.into())]);
        let text = "Starting graceful shutdown, waiting for builds to finish";
        self.warns(Warning, text, &[("StopSignal", 3.into())]);
        loop {
            tokio::select! {
                ended = self.jobs.join_next() => {
                    if ended.is_none() {
                        self.ends();
                        return Ok(());
                    }
                }
                _ = terminate.recv() => return self.abort("terminated", 15).await,
                _ = interrupt.recv() => return self.abort("interrupt", 2).await,
            }
        }
    }

    /// Ends jobs, and tells GitLab so.
    async fn abort(mut self, signal: &str, number: u32) -> Result<(), String> {
        let fields = [("stop-signal", number.into())];
        self.warns(Warning, "[runWait] received stop signal", &fields);
        let text = format!("Graceful shutdown not finished properly. error=received stop signal: {signal}");
        self.warns(Warning, &text, &[]);
        self.warns(Warning, "Starting forceful shutdown", &[("StopSignal", number.into())]);
        self.abort.send_replace(true);
        let given = match self.config.shutdown_timeout {
            0 => SHUTDOWN,
            seconds => Duration::from_secs(seconds),
        };
        let all = async { while self.jobs.join_next().await.is_some() {} };
        if tokio::time::timeout(given, all).await.is_err() {
            self.warns(Warning, "Forceful shutdown not finished properly", &[]);
            return Err("Service run failed".to_owned());
        }
        self.ends();
        Ok(())
    }

    fn ends(&self) {
        for line in ["All workers stopped.", "All executor providers shut down.", "Can exit now!"] {
            self.says(line);
        }
    }
}
