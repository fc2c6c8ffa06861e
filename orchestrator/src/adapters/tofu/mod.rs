//! `OpenTofu` on this machine: bundles kept by their content, one workspace and one state an owner, real `tofu` processes.
//!
//! ```text
//! <data>/tofu/
//!   bundles/<owner>/<digest>/     what was built, as it was: eggs/<name> or jobs/<name>, and the Compute Module it calls
//!   workspaces/<owner>/           the same files, where `tofu` runs: `.terraform` and the lock file stay
//!   states/<owner>/               terraform.tfstate
//!   plugins/                      providers, one copy for everybody
//!   runners/                      the folders of the runners of `provider = "local"`
//! ```
#![allow(clippy::disallowed_methods, reason = "this is where OpenTofu's files and processes are")]

pub mod binaries;
mod bundles;
mod find;
mod leftover;
mod places;
mod run;
mod state;
mod words;
mod workspace;

use std::{
    collections::{BTreeMap, HashMap},
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::OwnedMutexGuard;

use crate::{
    domain::StateMark,
    logging,
    ports::{
        secrets::Secret,
        tofu::{Applied, Bundle, FoundLock, PlanRequest, Planned, Tofu, TofuError},
    },
};
use find::Program;
use places::{Places, folder_of};
use run::{Heard, Run, Work};
use words::{Words, mask};

/// What of the environment every run of `OpenTofu` gets, and with it the runners of this machine. Whatever else `gosling`
/// was started with (its own secrets, settings that would make `OpenTofu` talk differently) stays with it.
const INHERITED: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "DOCKER_HOST",
    "DOCKER_CONFIG",
];

/// The beginnings of names that runs in a cloud get besides: the rights that the machine itself has there.
const INHERITED_BY_CLOUDS: &[&str] = &["AWS_", "YC_"];

/// How `OpenTofu` is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder of everything that is kept on this machine, absolute.
    pub data: PathBuf,
    /// The `tofu` that is used; none takes the active one of those that were fetched, else one of the `PATH`.
    pub program: Option<PathBuf>,
    /// The environment that runs inherit from, which is `gosling`'s own: only names that are known to be harmless go on.
    pub environment: BTreeMap<OsString, OsString>,
    /// Names that go on besides.
    pub pass: Vec<String>,
    /// Settings of `OpenTofu` in the place of each bundle's own `tofu.rc`: for mirrors of providers.
    pub settings: Option<PathBuf>,
    /// How long a run waits for a state that somebody else has.
    pub lock_timeout: Duration,
    /// How long an apply that outlived its `gosling` may take to finish before it is asked to stop.
    pub patience: Duration,
    /// How long it then has until it is killed.
    pub grace: Duration,
}

impl Options {
    /// Those of an installation in this folder, with this environment.
    pub fn new(
        data: impl Into<PathBuf>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Self {
        Self {
            data: data.into(),
            program: None,
            environment: environment.into_iter().collect(),
            pass: Vec::new(),
            settings: None,
            lock_timeout: Duration::from_secs(10),
            patience: Duration::from_mins(2),
            grace: Duration::from_mins(1),
        }
    }

    /// What a run gets of the environment.
    fn inherited(&self, cloud: bool) -> impl Iterator<Item = (&OsString, &OsString)> {
        self.environment.iter().filter(move |(name, _)| {
            name.to_str().is_some_and(|name| {
                INHERITED.contains(&name)
                    || self.pass.iter().any(|passed| passed == name)
                    || cloud && INHERITED_BY_CLOUDS.iter().any(|beginning| name.starts_with(beginning))
            })
        })
    }
}

/// `OpenTofu` on this machine.
#[derive(Debug)]
pub struct OpenTofu {
    options: Options,
    places: Places,
    program: find::Finder,
    /// One run an owner at a time, whoever asks.
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    /// Bundles are kept, or pruned.
    bundles: tokio::sync::Mutex<()>,
}

/// Says which owner's machine failed.
fn machine(owner: &str) -> impl Fn(io::Error) -> TofuError {
    let owner = owner.to_owned();
    move |error| TofuError::Machine { owner: owner.clone(), reason: error.to_string() }
}

/// Does what waits for the disk on a thread that may.
async fn blocking<T: Send + 'static>(
    owner: &str,
    work: impl FnOnce() -> Result<T, TofuError> + Send + 'static,
) -> Result<T, TofuError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(TofuError::Machine { owner: owner.to_owned(), reason: error.to_string() })
    })
}

/// An owner's turn, with all that a run needs.
struct Turn {
    program: Program,
    /// Where it runs.
    folder: PathBuf,
    words: Words,
    secrets: Vec<Secret>,
    environment: Vec<(OsString, OsString)>,
    _alone: OwnedMutexGuard<()>,
}

/// Whether a variable's value opens something. A path to it does not.
fn is_secret(name: &str, value: &str) -> bool {
    let opens = ["TOKEN", "SECRET", "PASSWORD", "KEY", "CREDENTIAL"].iter().any(|word| name.contains(word));
    opens && !Path::new(value).is_absolute()
}

impl OpenTofu {
    /// `OpenTofu` with these options.
    pub fn new(options: Options) -> Self {
        let places = Places::new(&options.data);
        // What opens a cloud may come from gosling's own environment, and OpenTofu may repeat it.
        for (name, value) in options.inherited(true) {
            if let (Some(name), Some(value)) = (name.to_str(), value.to_str())
                && is_secret(name, value)
            {
                logging::hide(value);
            }
        }
        let program = find::Finder::new(options.program.clone(), &options.data, &options.environment);
        Self { options, places, program, turns: Mutex::default(), bundles: tokio::sync::Mutex::default() }
    }

    async fn turn(&self, owner: &str) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            turns.retain(|other, turn| other == owner || Arc::strong_count(turn) > 1);
            Arc::clone(turns.entry(owner.to_owned()).or_default())
        };
        turn.lock_owned().await
    }

    /// Ends, or waits for, what a `gosling` before this one has left behind for an owner.
    async fn settle(&self, owner: &str) -> Result<(), TofuError> {
        let workspace = self.places.workspace(owner);
        leftover::settle(&workspace, self.options.patience, self.options.grace).await.map_err(machine(owner))
    }

    /// Makes everything ready for a run: the owner's turn, a program, a state that nobody left locked, the bundle's files,
    /// and what `tofu init` makes.
    async fn prepare(&self, request: &PlanRequest) -> Result<Turn, TofuError> {
        let owner = &request.bundle.owner;
        let turn = self.turn(owner).await;
        let bundle = self.places.bundle(&request.bundle);
        let folder = folder_of(owner);
        let of = request.bundle.clone();
        let needed = {
            let folder = bundle.join(&folder);
            blocking(owner, move || {
                if !folder.is_dir() {
                    return Err(TofuError::NoBundle { owner: of.owner, digest: of.digest });
                }
                workspace::needs(&folder).map_err(machine(&of.owner))
            })
            .await?
        };
        if !needed.local_state {
            return Err(TofuError::Failed {
                owner: owner.clone(),
                message: "its state is not kept in a file; build the Nest with the state of this machine"
                    .to_owned(),
                transient: false,
            });
        }
        let program = self.program.find(needed.version.as_deref()).await?;
        self.settle(owner).await?;
        {
            let (state, owner) = (self.places.state(owner), owner.clone());
            blocking(&owner.clone(), move || state::left_behind(&state, &owner)).await?;
        }
        let (workspace, state, plugins) =
            (self.places.workspace(owner), self.places.state(owner), self.places.plugins());
        let prepared = {
            let (owner, folder, digest) = (owner.clone(), folder.clone(), request.bundle.digest.clone());
            let (workspace, bundle, runners) = (workspace.clone(), bundle.clone(), self.places.runners());
            blocking(&owner.clone(), move || {
                let parts = [Some(plugins.as_path()), state.parent(), Some(&runners)];
                for part in parts.into_iter().flatten() {
                    places::private(part).map_err(machine(&owner))?;
                }
                workspace::sync(&bundle, &workspace, &folder, &digest).map_err(machine(&owner))
            })
            .await?
        };
        let mut environment: Vec<(OsString, OsString)> =
            self.options.inherited(needed.cloud).map(|(name, value)| (name.clone(), value.clone())).collect();
        environment.extend(
            request.environment.iter().map(|(name, value)| (name.into(), value.expose().to_owned().into())),
        );
        let folder = workspace.join(folder);
        let settings = self.options.settings.clone().unwrap_or_else(|| folder.join("tofu.rc"));
        environment.extend([
            ("TF_IN_AUTOMATION".into(), "1".into()),
            ("TF_CLI_CONFIG_FILE".into(), settings.into_os_string()),
            ("GOSLING_PLUGIN_CACHE".into(), self.places.plugins().into_os_string()),
        ]);
        let secrets = request.tickets.values().chain(request.environment.values()).cloned().collect();
        let words = Words::new(bundle, folder_of(owner));
        let turn = Turn { program, folder, words, secrets, environment, _alone: turn };
        let marker = prepared.marker(&turn.program.version, &self.places.state(owner));
        if !prepared.is_initialised(&marker) {
            self.init(&turn, &prepared, owner).await?;
            let owner = owner.clone();
            blocking(&owner.clone(), move || prepared.initialised(&marker).map_err(machine(&owner))).await?;
        }
        Ok(turn)
    }

    async fn init(&self, turn: &Turn, prepared: &workspace::Prepared, owner: &str) -> Result<(), TofuError> {
        tracing::debug!(owner, "tofu init");
        {
            let (prepared, owner) = (prepared.clone(), owner.to_owned());
            blocking(&owner.clone(), move || prepared.forget_init().map_err(machine(&owner))).await?;
        }
        let mut path = OsString::from("-backend-config=path=");
        path.push(self.places.state(owner));
        let arguments = ["init".into(), "-json".into(), "-input=false".into(), "-reconfigure".into(), path];
        let heard = self.run(turn, owner, Work::Plan, &arguments, None, |_| {}).await?;
        if heard.success { Ok(()) } else { Err(Self::failure(turn, owner, &heard)) }
    }

    /// Runs `tofu` in an owner's turn.
    async fn run(
        &self,
        turn: &Turn,
        owner: &str,
        work: Work,
        arguments: &[OsString],
        input: Option<&str>,
        started: impl FnMut(&str) + Send,
    ) -> Result<Heard, TofuError> {
        let run = Run {
            owner,
            program: &turn.program.path,
            workspace: &self.places.workspace(owner),
            folder: &turn.folder,
            environment: &turn.environment,
            secrets: &turn.secrets,
            work,
        };
        run.go(arguments, input, started).await.map_err(machine(owner))
    }

    fn failure(turn: &Turn, owner: &str, heard: &Heard) -> TofuError {
        turn.words.failure(owner, heard, &turn.secrets)
    }

    fn with_tickets(arguments: &mut Vec<OsString>, request: &PlanRequest) -> Option<String> {
        if request.tickets.is_empty() {
            return None;
        }
        // By no file and by no environment, which the runners of this machine would inherit.
        arguments.push("-var-file=/dev/stdin".into());
        Some(workspace::tickets(&request.tickets))
    }

    async fn mark(&self, owner: &str) -> Result<StateMark, TofuError> {
        let (state, owner) = (self.places.state(owner), owner.to_owned());
        blocking(&owner.clone(), move || state::mark(&state, &owner)).await
    }
}

#[async_trait]
impl Tofu for OpenTofu {
    async fn version(&self) -> Result<String, TofuError> {
        Ok(self.program.find(None).await?.version)
    }

    async fn keep(&self, built: &Path) -> Result<Vec<Bundle>, TofuError> {
        let _alone = self.bundles.lock().await;
        let (built, places) = (built.to_owned(), self.places.clone());
        blocking("the Nest", move || bundles::keep(&built, &places)).await
    }

    async fn plan(&self, request: &PlanRequest) -> Result<Planned, TofuError> {
        let owner = &request.bundle.owner;
        {
            // Before anything is fetched for it.
            let folder = self.places.bundle(&request.bundle).join(folder_of(owner));
            let request = request.clone();
            let unset = blocking(owner, move || {
                workspace::unset(&folder, &request).map_err(machine(&request.bundle.owner))
            });
            let unset = unset.await?;
            if !unset.is_empty() {
                return Err(TofuError::Unset { owner: owner.clone(), unset });
            }
        }
        let turn = self.prepare(request).await?;
        let on = self.mark(owner).await?;
        {
            let (folder, runners, request) = (turn.folder.clone(), self.places.runners(), request.clone());
            blocking(owner, move || {
                workspace::write_variables(&folder, &request, &runners)
                    .map_err(machine(&request.bundle.owner))
            })
            .await?;
        }
        let file = run::folder(&self.places.workspace(owner)).join("plan");
        let mut out = OsString::from("-out=");
        out.push(&file);
        let timeout = format!("-lock-timeout={}s", self.options.lock_timeout.as_secs());
        let mut arguments: Vec<OsString> =
            vec!["plan".into(), "-json".into(), "-input=false".into(), timeout.into(), out];
        let input = Self::with_tickets(&mut arguments, request);
        let heard = self.run(&turn, owner, Work::Plan, &arguments, input.as_deref(), |_| {}).await?;
        if !heard.success {
            return Err(Self::failure(&turn, owner, &heard));
        }
        let binary = heard.plan.ok_or_else(|| TofuError::Machine {
            owner: owner.clone(),
            reason: "OpenTofu wrote no plan".to_owned(),
        })?;
        Ok(Planned { binary, on, changes: heard.changes })
    }

    async fn apply(&self, request: &PlanRequest, plan: &[u8]) -> Result<Applied, TofuError> {
        let owner = &request.bundle.owner;
        let turn = self.prepare(request).await?;
        let workspace = self.places.workspace(owner);
        let file = {
            let (owner, workspace, folder, plan) =
                (owner.clone(), workspace.clone(), turn.folder.clone(), plan.to_vec());
            blocking(&owner.clone(), move || {
                // The plan knows its variables; those of another one would only contradict it.
                workspace::remove_variables(&folder).map_err(machine(&owner))?;
                run::write_plan(&workspace, &plan).map_err(machine(&owner))
            })
            .await?
        };
        let timeout = format!("-lock-timeout={}s", self.options.lock_timeout.as_secs());
        let mut arguments: Vec<OsString> =
            vec!["apply".into(), "-json".into(), "-input=false".into(), timeout.into()];
        let input = Self::with_tickets(&mut arguments, request);
        arguments.push(file.into_os_string());
        let mut begun = false;
        let heard = self
            .run(&turn, owner, Work::Apply, &arguments, input.as_deref(), |kind| {
                if kind == "apply_start" && !begun {
                    begun = true;
                    crate::faults::point("during-apply");
                }
            })
            .await;
        {
            // Whoever looks at the workspace by hand finds the fleet in it.
            let (folder, runners, request) = (turn.folder.clone(), self.places.runners(), request.clone());
            blocking(owner, move || {
                workspace::write_variables(&folder, &request, &runners)
                    .map_err(machine(&request.bundle.owner))
            })
            .await?;
        }
        let heard = heard?;
        if !heard.success {
            return Err(Self::failure(&turn, owner, &heard));
        }
        Ok(Applied { state: self.mark(owner).await?, outputs: heard.outputs })
    }

    async fn state(&self, owner: &str) -> Result<StateMark, TofuError> {
        let _turn = self.turn(owner).await;
        self.settle(owner).await?;
        self.mark(owner).await
    }

    async fn unlock(&self, owner: &str, lock: &FoundLock) -> Result<(), TofuError> {
        let _turn = self.turn(owner).await;
        self.settle(owner).await?;
        let (state, owner, lock) = (self.places.state(owner), owner.to_owned(), lock.clone());
        blocking(&owner.clone(), move || state::unlock(&state, &owner, &lock)).await
    }

    async fn forget(&self, owner: &str) -> Result<(), TofuError> {
        let _turn = self.turn(owner).await;
        self.settle(owner).await?;
        let (places, owner) = (self.places.clone(), owner.to_owned());
        blocking(&owner.clone(), move || {
            state::is_empty(&places.state(&owner), &owner)?;
            for folder in [places.workspace(&owner), places.states(&owner)] {
                places::remove(&folder).map_err(machine(&owner))?;
            }
            Ok(())
        })
        .await
    }

    async fn holds(&self, bundle: &Bundle) -> Result<bool, TofuError> {
        let folder = self.places.bundle(bundle).join(folder_of(&bundle.owner));
        blocking(&bundle.owner, move || Ok(folder.is_dir())).await
    }

    async fn prune(&self, keep: &[Bundle]) -> Result<(), TofuError> {
        let _alone = self.bundles.lock().await;
        let (places, keep) = (self.places.clone(), keep.to_vec());
        blocking("the Nest", move || bundles::prune(&places, &keep)).await
    }

    fn runners_folder(&self) -> PathBuf {
        self.places.runners()
    }
}
