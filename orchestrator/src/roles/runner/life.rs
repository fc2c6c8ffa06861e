//! One life of a runner, from its ticket to its end: what happens, and what is done about it.

use std::{future::pending, path::PathBuf, sync::Arc, time::Duration};

use nix::sys::signal::Signal;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{
    Ending, Options, Order, Orders, RunnerError, Told,
    agent::{self, Agent, Sign},
    client::{AskError, Client, Waits},
    condition::{Condition, Phase},
    heart::{Heart, Reply},
    home::Home,
    lines::{Event, Level, Line},
    settings,
};
use crate::{
    domain::Config,
    ports::secrets::{MASKED, Secret},
    wire::runner::{TicketAnswer, Wanted},
};

/// How long an agent that says nothing is thought to be starting.
const STARTING: Duration = Duration::from_secs(5);
/// How long an agent that was told to take no more jobs may be silent before it is told again.
const HEARD: Duration = Duration::from_secs(5);
/// How long an agent that was told to end now is waited for.
const ENDING: Duration = Duration::from_secs(45);
/// An agent that has worked for so long was well.
const WELL: Duration = Duration::from_mins(5);
/// How often in a row a heartbeat is refused before it is believed.
const REFUSALS: u32 = 5;

/// A task that asks with the credential for what the ticket gave.
type Asking = JoinHandle<Result<TicketAnswer, RunnerError>>;

/// A runner at work.
pub(super) struct Life<'a> {
    told: Told,
    options: &'a Options,
    home: Home,
    client: Arc<Client>,
    system_id: String,
    answer: TicketAnswer,
    condition: Condition,
    agent: Option<Agent>,
    agent_since: Instant,
    /// When the agent is started again.
    restart: Option<Instant>,
    waits: Waits,
    /// When an agent that doesn't end is killed.
    kill_at: Option<Instant>,
    /// When no further job fits into what is left of its life.
    last_call: Option<Instant>,
    asking: Option<Asking>,
    /// The agent is to take no more jobs.
    quitting: bool,
    /// When it is told so, until it says that it has heard: it may miss a signal, and before it has set itself up one would
    /// end it as a crash does.
    quit_at: Option<Instant>,
    /// The process ends when the agent has.
    leaving: Option<Ending>,
    refused: Option<String>,
    ticket_shown: bool,
}

impl<'a> Life<'a> {
    pub(super) async fn begin(told: Told, options: &'a Options) -> Result<Self, RunnerError> {
        let id = &told.runner.runner_id;
        tracing::info!(runner = id, serves = told.egg.name, "gosling runner {}", env!("CARGO_PKG_VERSION"));
        let home = Home::open(&options.folder, told.runner.ticket_file.clone())?;
        agent::adopt_strays();
        agent::end_earlier(&home).await;
        let client = Arc::new(Client::new(&told.runner.orchestrator_url, id)?);
        let system_id = home.system_id()?;
        let now = Instant::now();
        let timeout = Duration::from_secs(told.egg.runner.timeout_s);
        let last_call = told.serverless.then(|| now + last_call(timeout));
        let nothing = TicketAnswer {
            credential: String::new(),
            registrations: Vec::new(),
            environment: std::collections::BTreeMap::new(),
            revision: 0,
        };
        Ok(Self {
            told,
            options,
            home,
            client,
            system_id,
            answer: nothing,
            condition: Condition::new(),
            agent: None,
            agent_since: now,
            restart: None,
            waits: Waits::new(Duration::from_secs(1), Duration::from_mins(1)),
            kill_at: None,
            last_call,
            asking: None,
            quitting: false,
            quit_at: None,
            leaving: None,
            refused: None,
            ticket_shown: true,
        })
    }

    /// All of it, to the end.
    pub(super) async fn live(
        mut self,
        again: impl Fn() -> Result<Told, RunnerError>,
        orders: &mut Orders,
    ) -> Result<Ending, RunnerError> {
        let joined = loop {
            tokio::select! {
                joined = self.join() => break joined?,
                order = orders.next() => match order {
                    Order::Finish => return Ok(Ending::Done),
                    Order::End => return Ok(Ending::Interrupted),
                    Order::Reload => {}
                },
            }
        };
        self.take(joined)?;
        let mut heart = Heart::start(
            Arc::clone(&self.client),
            self.options.started,
            self.options.heartbeat,
            self.home.folder(),
            self.condition.clone(),
        );
        self.start_agent().await;
        loop {
            heart.tell(&self.condition);
            if self.agent.is_none() && self.is_over() {
                break;
            }
            let starting_until = self.starting_until();
            tokio::select! {
                order = orders.next() => self.ordered(order, &again),
                reply = heart.replies.recv() => if let Some(reply) = reply { self.replied(reply) },
                sign = next_sign(&mut self.agent) => self.signed(sign),
                asked = finished(&mut self.asking) => self.asked(asked),
                () = at(self.restart) => self.start_agent().await,
                () = at(self.quit_at), if self.condition.phase != Phase::Starting => self.tell_to_quit(),
                () = at(starting_until) => self.condition.phase = Phase::Working,
                () = at(self.kill_at) => {
                    tracing::warn!("the agent does not end, and is killed");
                    self.kill_at = None;
                    if let Some(agent) = &self.agent { agent.kill(); }
                }
                () = at(self.last_call) => {
                    tracing::info!("no further job fits into what is left of this runner's time");
                    self.last_call = None;
                    self.drain();
                }
            }
        }
        if let Some(asking) = self.asking.take() {
            asking.abort();
        }
        self.unregister().await;
        heart.end(&self.condition).await;
        match (self.refused, self.leaving) {
            (Some(reason), _) => {
                Err(RunnerError::Refused { runner: self.told.runner.runner_id.clone(), reason })
            }
            (None, leaving) => {
                tracing::info!("the runner has ended");
                Ok(leaving.unwrap_or(Ending::Done))
            }
        }
    }

    /// Whether the process has nothing more to do once the agent is gone.
    fn is_over(&self) -> bool {
        self.leaving.is_some() || self.refused.is_some() || self.told.serverless && self.quitting
    }

    fn starting_until(&self) -> Option<Instant> {
        (self.agent.is_some() && self.condition.phase == Phase::Starting).then(|| self.agent_since + STARTING)
    }

    /// Asks for tokens, with the credential of an earlier life or the ticket.
    async fn join(&self) -> Result<TicketAnswer, RunnerError> {
        let runner = self.told.runner.runner_id.clone();
        let mut refused = None;
        if let Some(credential) = self.home.credential()? {
            self.client.use_credential(credential);
            match ask(&self.client, None, &self.system_id).await {
                Ok(answer) => return Ok(answer),
                Err(reason) => refused = Some(reason),
            }
        }
        let ticket = match &self.told.ticket {
            Some(ticket) => Some(ticket.clone()),
            None => self.home.ticket()?,
        };
        let Some(ticket) = ticket else {
            return Err(match refused {
                Some(reason) => RunnerError::Refused { runner, reason },
                None => RunnerError::NoTicket { runner },
            });
        };
        ask(&self.client, Some(&ticket), &self.system_id)
            .await
            .map_err(|reason| RunnerError::Refused { runner, reason })
    }

    /// Takes what was asked for: the credential is kept and the agent told.
    fn take(&mut self, answer: TicketAnswer) -> Result<(), RunnerError> {
        let credential = Secret::new(answer.credential.clone());
        self.home.write_credential(&credential)?;
        self.client.use_credential(credential);
        self.answer = answer;
        self.write_config()?;
        let registrations = self.answer.registrations.len();
        tracing::info!(
            revision = self.answer.revision,
            registrations,
            "the agent's configuration is written"
        );
        Ok(())
    }

    fn write_config(&self) -> Result<(), RunnerError> {
        let text = settings::render(&self.told.runner.runner_id, &self.told.egg.runner, &self.answer)
            .map_err(|error| RunnerError::Folder {
                path: self.home.config(),
                reason: format!("it can't be written: {error}"),
            })?;
        self.home.write_config(&text)
    }

    async fn start_agent(&mut self) {
        self.restart = None;
        if self.quitting || self.leaving.is_some() {
            return;
        }
        if let Err(reason) = self.try_agent().await {
            self.condition.died();
            let wait = self.waits.next();
            self.restart = Some(Instant::now() + wait);
            tracing::error!("{reason}; it is tried again in {} s", wait.as_secs());
        }
    }

    async fn try_agent(&mut self) -> Result<(), String> {
        let found = || agent::find(self.options.path.as_ref());
        let program: PathBuf = self
            .options
            .agent
            .clone()
            .or_else(found)
            .ok_or("there is no gitlab-runner on PATH; install it, or name it with --agent")?;
        let version = agent::version(&program)
            .await
            .map_err(|error| format!("{} can't be started: {error}", program.display()))?;
        let agent = Agent::start(&program, &self.home, &self.options.hidden)
            .map_err(|error| format!("{} can't be started: {error}", program.display()))?;
        tracing::info!(version, "the agent is started");
        self.condition.agent_version = version;
        self.condition.started();
        self.agent = Some(agent);
        self.agent_since = Instant::now();
        Ok(())
    }

    fn ordered(&mut self, order: Order, again: impl Fn() -> Result<Told, RunnerError>) {
        match order {
            Order::Finish if self.leaving.is_some() => {}
            Order::Finish => {
                tracing::info!("SIGTERM: the job is finished, then the runner ends");
                self.leaving = Some(Ending::Done);
                self.drain();
            }
            Order::End if self.leaving == Some(Ending::Interrupted) => {
                tracing::warn!("SIGINT again: the agent is killed");
                if let Some(agent) = &self.agent {
                    agent.kill();
                }
            }
            Order::End => {
                tracing::info!("SIGINT: the job is aborted and the runner ends");
                self.leaving = Some(Ending::Interrupted);
                self.condition.draining = true;
                self.restart = None;
                self.kill_at = Some(Instant::now() + ENDING);
                if let Some(agent) = &self.agent {
                    agent.signal(Signal::SIGTERM);
                }
            }
            Order::Reload => {
                tracing::info!("SIGHUP: what the runner was told is read anew");
                match again() {
                    Ok(told) if told.runner.runner_id == self.told.runner.runner_id => self.told = told,
                    Ok(told) => tracing::error!(
                        "what it was told is now another runner's, `{}`; nothing of it is used",
                        told.runner.runner_id
                    ),
                    Err(error) => tracing::error!("nothing of it is used: {error}"),
                }
                self.ask_again();
            }
        }
    }

    /// It takes no job any more, and finishes the one it has.
    fn drain(&mut self) {
        self.condition.draining = true;
        self.quit();
    }

    fn quit(&mut self) {
        self.restart = None;
        if !std::mem::replace(&mut self.quitting, true) {
            self.quit_at = self.agent.is_some().then(Instant::now);
        }
    }

    fn tell_to_quit(&mut self) {
        self.quit_at = Some(Instant::now() + HEARD);
        if let Some(agent) = &self.agent {
            agent.signal(Signal::SIGQUIT);
        }
    }

    fn ask_again(&mut self) {
        if self.asking.is_some() {
            return;
        }
        let (client, system_id) = (Arc::clone(&self.client), self.system_id.clone());
        let runner = self.told.runner.runner_id.clone();
        self.asking = Some(tokio::spawn(async move {
            ask(&client, None, &system_id).await.map_err(|reason| RunnerError::Refused { runner, reason })
        }));
    }

    fn asked(&mut self, asked: Result<TicketAnswer, RunnerError>) {
        self.asking = None;
        match asked.and_then(|answer| self.take(answer)) {
            // The agent looks at its configuration by itself too, but not at once.
            Ok(()) => {
                // Before it has set itself up, which is a moment after it says so, the signal would end it.
                if let Some(agent) = &self.agent
                    && self.condition.phase == Phase::Working
                    && self.agent_since.elapsed() >= STARTING
                {
                    agent.signal(Signal::SIGHUP);
                }
            }
            Err(error) => tracing::error!("the agent keeps the configuration it has: {error}"),
        }
    }

    fn replied(&mut self, reply: Reply) {
        match reply {
            Reply::Answer(answer) => {
                if std::mem::take(&mut self.ticket_shown) {
                    self.home.forget_ticket();
                }
                if answer.wanted == Wanted::Drain && !self.condition.draining {
                    tracing::info!("MotherGoose wants this runner to take no more jobs");
                    self.drain();
                }
                if answer.revision != self.answer.revision && !self.quitting {
                    self.ask_again();
                }
            }
            Reply::Refused(reason, times) => {
                tracing::warn!(reason, times, "MotherGoose refuses the heartbeat");
                if times >= REFUSALS && self.refused.is_none() {
                    tracing::error!("the runner is not known any more; it finishes its job and ends");
                    self.refused = Some(reason);
                    self.drain();
                }
            }
        }
    }

    fn signed(&mut self, sign: std::io::Result<Sign>) {
        match sign {
            Ok(Sign::Said(line)) => self.said(&line),
            Ok(Sign::Ended(status)) => self.agent_ended(&status.to_string()),
            Err(error) => self.agent_ended(&error.to_string()),
        }
    }

    fn said(&mut self, line: &Line) {
        let message = self.masked(&line.message);
        match line.level {
            Level::Quiet => tracing::debug!(target: "gitlab-runner", job = line.job, "{message}"),
            Level::Info => tracing::info!(target: "gitlab-runner", job = line.job, "{message}"),
            Level::Warning => tracing::warn!(target: "gitlab-runner", job = line.job, "{message}"),
            Level::Error => tracing::error!(target: "gitlab-runner", job = line.job, "{message}"),
        }
        let Some(event) = line.event() else { return };
        self.condition.heard(event);
        match event {
            Event::Loaded => self.condition.revision = Some(self.answer.revision),
            Event::Stopping => self.quit_at = None,
            _ => {}
        }
        if matches!(event, Event::Took(_)) && self.told.egg.runner.ephemeral && !self.quitting {
            tracing::info!(job = line.job, "this runner takes one job, and this is it");
            self.quit();
        }
    }

    fn agent_ended(&mut self, how: &str) {
        self.agent = None;
        self.kill_at = None;
        self.quit_at = None;
        self.home.forget_agent();
        agent::end_strays();
        if self.quitting || self.leaving.is_some() {
            tracing::info!("the agent has ended: {how}");
            self.condition.draining = true;
            self.condition.stopped();
            return;
        }
        if self.agent_since.elapsed() >= WELL {
            self.waits.reset();
        }
        self.condition.died();
        let wait = self.waits.next();
        self.restart = Some(Instant::now() + wait);
        tracing::error!("the agent has ended by itself: {how}; it is started again in {} s", wait.as_secs());
    }

    /// GitLab forgets this machine. That it doesn't is no reason to stay.
    async fn unregister(&self) {
        for registration in &self.answer.registrations {
            let asked = self.client.unregister(registration, &self.system_id);
            let server = &registration.url;
            match timeout(Duration::from_secs(15), asked).await {
                Ok(Ok(())) => {
                    tracing::info!(server, runner = registration.runner, "unregistered from GitLab");
                }
                Ok(Err(error)) => tracing::warn!(server, "not unregistered from GitLab: {error}"),
                Err(_) => tracing::warn!(server, "not unregistered from GitLab: it doesn't answer"),
            }
        }
    }

    /// A text of the agent without what nobody may see.
    fn masked(&self, text: &str) -> String {
        let tokens = self.answer.registrations.iter().map(|registration| &registration.token);
        let values = self.answer.environment.iter();
        let values = values.filter(|(name, _)| self.told.is_secret(name)).map(|(_, value)| value);
        let mut text = text.to_owned();
        // Shorter values would make any text unreadable.
        for secret in tokens.chain([&self.answer.credential]).chain(values).filter(|value| value.len() >= 4) {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), MASKED);
            }
        }
        text
    }
}

/// How long after its start a serverless runner takes a job that may run for as long as this: its cloud ends it after an hour,
/// whatever it works on.
fn last_call(timeout: Duration) -> Duration {
    let end = Config::SERVERLESS.saturating_sub(Config::SERVERLESS_MARGIN);
    end.saturating_sub(timeout.min(Config::SERVERLESS_JOB))
}

/// Asks until an answer comes. An error is a refusal.
async fn ask(client: &Client, ticket: Option<&Secret>, system_id: &str) -> Result<TicketAnswer, String> {
    let mut waits = Waits::new(Duration::from_secs(1), Duration::from_secs(30));
    let mut away = false;
    loop {
        match client.ticket(ticket, system_id).await {
            Ok(answer) => return Ok(answer),
            Err(AskError::Refused(reason)) => return Err(reason),
            Err(AskError::Away(reason)) => {
                if !std::mem::replace(&mut away, true) {
                    tracing::warn!(reason, "MotherGoose is away; it is asked until it answers");
                }
                sleep(waits.next()).await;
            }
        }
    }
}

/// What comes from the agent; never anything without one.
async fn next_sign(agent: &mut Option<Agent>) -> std::io::Result<Sign> {
    match agent {
        Some(agent) => agent.next().await,
        None => pending().await,
    }
}

async fn finished(asking: &mut Option<Asking>) -> Result<TicketAnswer, RunnerError> {
    match asking {
        Some(task) => task.await.unwrap_or_else(|error| {
            Err(RunnerError::System { what: "asking came to no end", source: std::io::Error::other(error) })
        }),
        None => pending().await,
    }
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serverless_runner_waits_for_a_job_however_long_its_jobs_may_take() {
        let after = |timeout| last_call(Duration::from_mins(timeout));
        assert_eq!(after(10), Duration::from_mins(48));
        assert_eq!(after(56), Duration::from_mins(2));
        // The usual one.
        assert_eq!(after(60), Duration::from_mins(2));
        assert_eq!(after(24 * 60), Duration::from_mins(2));
    }
}
