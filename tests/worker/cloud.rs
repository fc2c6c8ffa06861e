//! An `OpenTofu` with its cloud, in memory: states with lineage, serial and lock, and the machines that are in them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use orchestrator::{
    domain::{PoolKind, RunnerId, StateMark, Time},
    ports::{
        clock::Clock,
        tofu::{Applied, Bundle, FoundLock, PlanRequest, Planned, Tofu, TofuError},
    },
};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::doubles::{Fuse, Hands};

/// A machine.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) ticket: String,
    pub(crate) commit: Option<String>,
    pub(crate) digest: String,
    /// When it was last started; none while it sleeps.
    pub(crate) up: Option<Time>,
    pub(crate) system_id: Option<String>,
    /// The token that its agent works with, and the revision that it came with; it asks for them when it comes up.
    pub(crate) token: Option<(String, u64)>,
    pub(crate) job: Option<(u64, Time)>,
    pub(crate) draining: bool,
    pub(crate) done: u64,
    pub(crate) beats: u64,
}

/// The state of an owner.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    pub(crate) serial: u64,
    pub(crate) machines: BTreeMap<RunnerId, Machine>,
    pub(crate) lock: Option<FoundLock>,
}

#[derive(Debug)]
pub(crate) struct Cloud {
    pub(crate) workspaces: Mutex<BTreeMap<String, Workspace>>,
    pub(crate) bundles: Mutex<BTreeSet<(String, String)>>,
    /// The machines that were destroyed while they had a job.
    pub(crate) killed: Mutex<Vec<(RunnerId, u64)>>,
    pub(crate) destroyed: Mutex<BTreeMap<RunnerId, Time>>,
    /// How often a machine of this id was made.
    pub(crate) made: Mutex<BTreeMap<RunnerId, u32>>,
    pub(crate) forgotten: Mutex<Vec<String>>,
    /// How many of the next applies fail.
    pub(crate) failing: Mutex<u32>,
    /// What is made from these digests fails half-way.
    pub(crate) bad: Mutex<BTreeSet<String>>,
    /// What every apply waits for, and how many do.
    pub(crate) gate: Mutex<Option<Arc<Semaphore>>>,
    pub(crate) waiting: AtomicUsize,
    pub(crate) fuse: Arc<Fuse>,
    pub(crate) clock: Arc<Hands>,
}

impl Cloud {
    pub(crate) fn new(fuse: Arc<Fuse>, clock: Arc<Hands>) -> Self {
        Self {
            workspaces: Mutex::default(),
            bundles: Mutex::default(),
            killed: Mutex::default(),
            destroyed: Mutex::default(),
            made: Mutex::default(),
            forgotten: Mutex::default(),
            failing: Mutex::default(),
            bad: Mutex::default(),
            gate: Mutex::default(),
            waiting: AtomicUsize::default(),
            fuse,
            clock,
        }
    }

    /// Every machine with its owner.
    pub(crate) fn machines(&self) -> Vec<(String, RunnerId, Machine)> {
        let workspaces = self.workspaces.lock().unwrap();
        let all = workspaces.iter().flat_map(|(owner, workspace)| {
            workspace.machines.iter().map(|(id, machine)| (owner.clone(), id.clone(), machine.clone()))
        });
        all.collect()
    }

    /// Changes a machine, if it is there.
    pub(crate) fn with<T>(
        &self,
        owner: &str,
        id: &RunnerId,
        change: impl FnOnce(&mut Machine) -> T,
    ) -> Option<T> {
        self.workspaces.lock().unwrap().get_mut(owner)?.machines.get_mut(id).map(change)
    }

    fn mark(workspace: Option<&Workspace>, owner: &str) -> StateMark {
        match workspace {
            Some(workspace) if workspace.serial > 0 => {
                StateMark { lineage: format!("lineage of {owner}"), serial: workspace.serial }
            }
            _ => StateMark { lineage: String::new(), serial: 0 },
        }
    }

    fn locked(workspace: &Workspace, owner: &str) -> Result<(), TofuError> {
        match &workspace.lock {
            Some(lock) => Err(TofuError::Locked { owner: owner.to_owned(), lock: lock.clone() }),
            None => Ok(()),
        }
    }

    /// Brings one machine to what is wanted.
    fn bring(&self, request: &PlanRequest, id: &RunnerId) {
        let now = self.clock.now();
        let mut workspaces = self.workspaces.lock().unwrap();
        let workspace = workspaces.get_mut(&request.bundle.owner).unwrap();
        match request.runners.get(id) {
            Some(wanted) => {
                let machine = workspace.machines.entry(id.clone()).or_insert_with(|| {
                    *self.made.lock().unwrap().entry(id.clone()).or_default() += 1;
                    Machine {
                        ticket: request
                            .tickets
                            .get(id)
                            .expect("a new machine gets a ticket")
                            .expose()
                            .to_owned(),
                        commit: wanted.commit.clone(),
                        digest: request.bundle.digest.clone(),
                        up: None,
                        system_id: None,
                        token: None,
                        job: None,
                        draining: false,
                        done: 0,
                        beats: 0,
                    }
                });
                match wanted.pool {
                    PoolKind::Apex => machine.up = machine.up.or(Some(now)),
                    // A stop lets the job finish.
                    PoolKind::Nadir if machine.job.is_some() => {}
                    PoolKind::Nadir => {
                        machine.up = None;
                        machine.token = None;
                    }
                }
            }
            None => {
                if let Some(machine) = workspace.machines.remove(id) {
                    self.destroyed.lock().unwrap().insert(id.clone(), now);
                    if let Some((job, _)) = machine.job {
                        self.killed.lock().unwrap().push((id.clone(), job));
                    }
                }
            }
        }
    }
}

#[async_trait]
impl Tofu for Cloud {
    async fn version(&self) -> Result<String, TofuError> {
        Ok("1.12.6".to_owned())
    }

    async fn keep(&self, _: &Path) -> Result<Vec<Bundle>, TofuError> {
        Ok(Vec::new())
    }

    async fn holds(&self, bundle: &Bundle) -> Result<bool, TofuError> {
        let bundle = (bundle.owner.clone(), bundle.digest.clone());
        Ok(self.bundles.lock().unwrap().contains(&bundle))
    }

    async fn plan(&self, request: &PlanRequest) -> Result<Planned, TofuError> {
        self.fuse.burn().await;
        let owner = &request.bundle.owner;
        let bundle = (owner.clone(), request.bundle.digest.clone());
        if !self.bundles.lock().unwrap().contains(&bundle) {
            let digest = request.bundle.digest.clone();
            return Err(TofuError::NoBundle { owner: owner.clone(), digest });
        }
        let mut workspaces = self.workspaces.lock().unwrap();
        let workspace = workspaces.entry(owner.clone()).or_default();
        Self::locked(workspace, owner)?;
        let tickets: Vec<&str> = request.tickets.values().map(|ticket| ticket.expose()).collect();
        let on = Self::mark(Some(workspace), owner);
        let binary = json!({ "on": on, "tickets": tickets }).to_string().into_bytes();
        Ok(Planned { binary, on, changes: BTreeMap::new() })
    }

    async fn apply(&self, request: &PlanRequest, plan: &[u8]) -> Result<Applied, TofuError> {
        self.fuse.burn().await;
        let gate = self.gate.lock().unwrap().clone();
        if let Some(gate) = gate {
            self.waiting.fetch_add(1, Ordering::SeqCst);
            drop(gate.acquire().await);
            self.waiting.fetch_sub(1, Ordering::SeqCst);
        }
        let owner = &request.bundle.owner;
        let plan: serde_json::Value = serde_json::from_slice(plan).unwrap();
        let ids: BTreeSet<RunnerId> = {
            let mut workspaces = self.workspaces.lock().unwrap();
            let workspace = workspaces.get_mut(owner).unwrap();
            Self::locked(workspace, owner)?;
            if plan["on"] != json!(Self::mark(Some(workspace), owner)) {
                return Err(TofuError::Stale { owner: owner.clone() });
            }
            let created = self.clock.now();
            workspace.lock = Some(FoundLock {
                id: created.to_string(),
                who: "gosling@here".to_owned(),
                operation: "OperationTypeApply".to_owned(),
                created: moment(created),
            });
            workspace.serial += 1;
            request.runners.keys().chain(workspace.machines.keys()).cloned().collect()
        };
        let fails = {
            let mut failing = self.failing.lock().unwrap();
            let fails = *failing > 0 || self.bad.lock().unwrap().contains(&request.bundle.digest);
            *failing = failing.saturating_sub(1);
            fails
        };
        for (at, id) in ids.iter().enumerate() {
            if fails && at * 2 >= ids.len() {
                self.workspaces.lock().unwrap().get_mut(owner).unwrap().lock = None;
                let message = "the cloud is full".to_owned();
                return Err(TofuError::Failed { owner: owner.clone(), message, transient: true });
            }
            self.fuse.burn().await;
            self.bring(request, id);
        }
        let state = {
            let mut workspaces = self.workspaces.lock().unwrap();
            let workspace = workspaces.get_mut(owner).unwrap();
            workspace.lock = None;
            Self::mark(Some(workspace), owner)
        };
        self.fuse.burn().await;
        Ok(Applied { state, outputs: BTreeMap::new() })
    }

    async fn state(&self, owner: &str) -> Result<StateMark, TofuError> {
        self.fuse.burn().await;
        Ok(Self::mark(self.workspaces.lock().unwrap().get(owner), owner))
    }

    async fn unlock(&self, owner: &str, lock: &FoundLock) -> Result<(), TofuError> {
        self.fuse.burn().await;
        let mut workspaces = self.workspaces.lock().unwrap();
        let workspace = workspaces.get_mut(owner).unwrap();
        assert_eq!(workspace.lock.as_ref(), Some(lock));
        workspace.lock = None;
        Ok(())
    }

    async fn forget(&self, owner: &str) -> Result<(), TofuError> {
        self.fuse.burn().await;
        let gone = self.workspaces.lock().unwrap().remove(owner);
        assert!(gone.is_none_or(|workspace| workspace.machines.is_empty()), "{owner} still has machines");
        self.forgotten.lock().unwrap().push(owner.to_owned());
        Ok(())
    }

    async fn prune(&self, _: &[Bundle]) -> Result<(), TofuError> {
        Ok(())
    }

    fn runners_folder(&self) -> PathBuf {
        PathBuf::from("/nonexistent/runners")
    }
}

/// As `OpenTofu` writes a moment; the clock of the tests stands at whole days of 2027 and after.
fn moment(time: Time) -> String {
    let seconds = time.as_millis() / 1000 % 86_400;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let millis = time.as_millis() % 1000;
    format!("{} {hours:02}:{minutes:02}:{:02}.{millis:03} +0000 UTC", time.day(), seconds % 60)
}
