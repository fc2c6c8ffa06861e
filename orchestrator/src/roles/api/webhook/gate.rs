//! Whose secret a webhook shows. The eggs' projects and the URIs of their secrets are kept in memory for a second, so that a
//! thousand webhooks at once read the database once.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use fly_std::formats::SecretUri;
use tokio::{
    sync::{Mutex, OnceCell},
    time::Instant,
};

use super::{
    hook::Seen,
    proof::{Known, Proof},
};
use crate::{
    domain::Time,
    ports::{
        secrets::{self, Secret, SecretError, Secrets},
        store::StoreError,
    },
    records::{self, EggRecord, NestLink, Record, Served, Stale},
    roles::{
        Context,
        api::{
            eggs::place,
            problem::{Answer, Refusal},
        },
        kept::Eggs,
    },
    settings::NestSettings,
};

/// How long what was read is good for.
const FRESH: Duration = Duration::from_secs(1);

/// How long it is good enough when the database is away.
const STALE: Duration = Duration::from_mins(5);

/// A webhook that isn't let in has everything read anew, unless that was just done.
const JUST: Duration = Duration::from_millis(200);

/// A secret, read once it is needed.
struct Lock {
    uri: SecretUri,
    known: OnceCell<Option<Known>>,
    /// The version that GitLab still shows after the secret was changed, until it is told.
    before: Option<Before>,
}

/// What a secret was.
#[derive(Clone)]
struct Before {
    version: u64,
    until: Time,
    known: Arc<OnceCell<Option<Known>>>,
}

/// Versions of secrets that were read: they never change, and each reading stands in the audit log.
type Versions = HashMap<(String, u64), Arc<OnceCell<Option<Known>>>>;

/// Who a webhook may be from.
struct Gate {
    /// The egg; none is the Nest.
    egg: Option<String>,
    /// The host of its server.
    server: Option<String>,
    lock: Arc<Lock>,
}

/// Whom a webhook is from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Owners {
    /// The eggs whose secret it shows, by name.
    pub(super) eggs: Vec<String>,
    /// Whether it shows the Nest's.
    pub(super) nest: bool,
}

/// All gates as they were at a moment.
#[derive(Default)]
struct Index {
    projects: HashMap<u64, Vec<Gate>>,
    /// Those of groups, and of what has no certain project: for every webhook.
    everywhere: Vec<Gate>,
}

/// All gates, and when they were read.
type Read = (Instant, Arc<Index>);

/// The gates, read when they are needed and kept for a while.
#[derive(Default)]
pub(in crate::roles::api) struct Gates(Mutex<(Option<Read>, Versions)>);

impl Gates {
    /// Whom a webhook is from; none when it shows nobody's secret.
    pub(super) async fn open(
        &self,
        context: &Context,
        proof: &Proof<'_>,
        seen: &Seen,
    ) -> Answer<Option<Owners>> {
        let index = self.index(context, FRESH).await?;
        let (secrets, now) = (&*context.ports.secrets, context.ports.clock.now());
        let found = index.open(secrets, proof, seen, now).await;
        if let Ok(Some(owners)) = found {
            return Ok(Some(owners));
        }
        // An egg or a secret may have come a moment ago.
        let newer = self.index(context, JUST).await?;
        if Arc::ptr_eq(&index, &newer) { found } else { newer.open(secrets, proof, seen, now).await }
    }

    async fn index(&self, context: &Context, fresh: Duration) -> Answer<Arc<Index>> {
        // Who comes while it is read waits here, and finds it read.
        let mut guard = self.0.lock().await;
        let (kept, versions) = &mut *guard;
        if let Some((read, index)) = &*kept
            && read.elapsed() < fresh
        {
            return Ok(Arc::clone(index));
        }
        match Self::read(context).await {
            Ok((eggs, stale)) => {
                let nest = (&context.settings.nest, stale.as_ref());
                let index = Arc::new(Index::new(&eggs.all, nest, versions));
                *kept = Some((Instant::now(), Arc::clone(&index)));
                Ok(index)
            }
            Err(error) => match &*kept {
                Some((read, index)) if error.is_transient() && read.elapsed() < STALE => {
                    Ok(Arc::clone(index))
                }
                _ => Err(error.into()),
            },
        }
    }

    /// The eggs, and what the Nest's own webhook still shows.
    async fn read(context: &Context) -> Result<(Arc<Eggs>, Option<Stale>), StoreError> {
        let eggs = context.eggs().await?;
        let link = match &context.settings.nest.webhook_secret {
            Some(_) => records::get::<NestLink>(&*context.ports.store, NestLink::id()).await?,
            None => None,
        };
        Ok((eggs, link.and_then(|link| link.record.stale)))
    }
}

/// What was read before a webhook needed it.
#[derive(Default)]
pub(in crate::roles::api) struct Warmed {
    /// The eggs as they were then.
    revision: Option<u64>,
    secrets: BTreeSet<String>,
}

impl Warmed {
    /// Reads the secrets of gates that have come since, all at once: the first webhooks of many eggs wait for none. Where the
    /// database can't tell whether eggs have come, each is read when it is needed.
    pub(in crate::roles::api) async fn warm(&mut self, context: &Context) {
        let revision = context.ports.store.revision(EggRecord::TABLE);
        if revision.is_none() || revision == self.revision {
            return;
        }
        let Ok(eggs) = context.eggs().await else { return };
        let living = eggs.all.iter().filter(|egg| !egg.removed);
        let repositories = living.flat_map(|egg| match &egg.served {
            Served::Egg(config) => config.repositories.as_slice(),
            Served::Job(_) => &[],
        });
        let uris = repositories.filter_map(|one| secrets::parse(&one.webhook_secret).ok());
        let uris = uris.chain(context.settings.nest.webhook_secret.clone());
        let uris: BTreeMap<String, SecretUri> = uris.map(|uri| (uri.uri(), uri)).collect();
        let new = uris.iter().filter(|(name, _)| !self.secrets.contains(*name));
        let new: Vec<SecretUri> = new.map(|(_, uri)| uri.clone()).collect();
        if !new.is_empty() {
            let found = context.ports.secrets.get_all(&new).await;
            let missed = found.iter().filter(|one| one.is_err()).count();
            tracing::debug!(read = new.len() - missed, missed, "the secrets of webhooks were read");
        }
        *self = Self { revision, secrets: uris.into_keys().collect() };
    }
}

impl Index {
    fn new(
        eggs: &[EggRecord],
        (nest, shown): (&NestSettings, Option<&Stale>),
        versions: &mut Versions,
    ) -> Self {
        let mut index = Self::default();
        let mut locks: HashMap<String, Arc<Lock>> = HashMap::new();
        let mut used = Versions::new();
        let mut lock = |uri: SecretUri, stale: Option<&Stale>| {
            let name = uri.uri();
            let before = stale.and_then(|stale| {
                let key = (name.clone(), stale.version?);
                let known = versions.get(&key).cloned().unwrap_or_default();
                used.insert(key, Arc::clone(&known));
                Some(Before { version: stale.version?, until: stale.until, known })
            });
            // One secret of several places may have been told to some of them.
            let (name, tells) = match &before {
                Some(before) => (format!("{name} {}", before.version), before.clone()),
                None => return Arc::clone(locks.entry(name).or_insert_with(|| Lock::new(uri, None))),
            };
            Arc::clone(locks.entry(name).or_insert_with(|| Lock::new(uri, Some(tells))))
        };
        if let Some(uri) = &nest.webhook_secret {
            index.add(
                nest.project,
                Gate { egg: None, server: nest.server.clone(), lock: lock(uri.clone(), shown) },
            );
        }
        for egg in eggs {
            // A job's hooks are the Nest's.
            let Served::Egg(config) = &egg.served else { continue };
            if egg.removed {
                continue;
            }
            for repository in &config.repositories {
                // What the compiler wrote is a URI.
                let Ok(uri) = secrets::parse(&repository.webhook_secret) else { continue };
                let known = egg.registered.get(&place(repository));
                let lock = lock(uri, known.and_then(|known| known.stale.as_ref()));
                let gate =
                    Gate { egg: Some(egg.name.clone()), server: Some(repository.server.clone()), lock };
                index.add(repository.project_id, gate);
            }
        }
        *versions = used;
        index
    }

    fn add(&mut self, project: Option<u64>, gate: Gate) {
        match project {
            Some(project) => self.projects.entry(project).or_default().push(gate),
            None => self.everywhere.push(gate),
        }
    }

    /// All gates are tried, whichever opens.
    async fn open(
        &self,
        secrets: &dyn Secrets,
        proof: &Proof<'_>,
        seen: &Seen,
        now: Time,
    ) -> Answer<Option<Owners>> {
        let own = seen.project.and_then(|project| self.projects.get(&project));
        let mut open = Vec::new();
        let mut away = false;
        for gate in own.into_iter().flatten().chain(&self.everywhere) {
            match gate.lock.opens(secrets, proof, now).await {
                Ok(true) => open.push(gate),
                Ok(false) => {}
                Err(Unreadable) => away = true,
            }
        }
        if open.is_empty() {
            return if away {
                Err(Refusal::away("a secret can't be read just now; try again later"))
            } else {
                Ok(None)
            };
        }
        // Two servers may have a project of the same number, and one secret. A server that tells another name than the Nest
        // has for it is no reason to refuse what shows the secret.
        if let Some(server) = &seen.server
            && open.iter().any(|gate| gate.server.as_ref() == Some(server))
        {
            open.retain(|gate| gate.server.as_ref() == Some(server));
        }
        let eggs: BTreeSet<&String> = open.iter().filter_map(|gate| gate.egg.as_ref()).collect();
        let nest = open.iter().any(|gate| gate.egg.is_none());
        Ok(Some(Owners { eggs: eggs.into_iter().cloned().collect(), nest }))
    }
}

/// A secret can't be read just now.
struct Unreadable;

impl Lock {
    fn new(uri: SecretUri, before: Option<Before>) -> Arc<Self> {
        Arc::new(Self { uri, known: OnceCell::new(), before })
    }

    /// Whether it was proven that the secret is known, or what it was until not long ago.
    async fn opens(&self, secrets: &dyn Secrets, proof: &Proof<'_>, now: Time) -> Result<bool, Unreadable> {
        let current = match self.known(secrets).await {
            Ok(Some(known)) if proof.is_by(known) => return Ok(true),
            Ok(_) => Ok(false),
            Err(Unreadable) => Err(Unreadable),
        };
        match &self.before {
            Some(before) if now < before.until => {
                let read = || read(secrets.get_version(&self.uri, before.version));
                match before.known.get_or_try_init(read).await {
                    Ok(Some(known)) if proof.is_by(known) => Ok(true),
                    Ok(_) => current,
                    Err(unreadable) => Err(unreadable),
                }
            }
            _ => current,
        }
    }

    /// The secret; none when there is none, which opens to nobody.
    async fn known(&self, secrets: &dyn Secrets) -> Result<Option<&Known>, Unreadable> {
        self.known.get_or_try_init(|| read(secrets.get(&self.uri))).await.map(Option::as_ref)
    }
}

async fn read(asked: impl Future<Output = Result<Secret, SecretError>>) -> Result<Option<Known>, Unreadable> {
    match asked.await {
        Ok(secret) => Ok(Known::new(secret)),
        Err(error) => {
            tracing::warn!(%error, "a webhook's secret can't be read");
            if error.is_transient() { Err(Unreadable) } else { Ok(None) }
        }
    }
}
