//! `gosling link` and `gosling unlink`: what an owner needs in GitLab, and the Nest itself. Runners, webhooks, pipeline
//! schedules and deploy keys are brought to what they should be; what is so already is left alone.
//!
//! Each thing of ours is known by its mark (a webhook by its URL, a runner by its notes, a schedule by its description, a key by
//! its title) or by the id that was written down, so a run that was cut off, and the doubles it left, are made good by the
//! next. A thing that can't be done keeps no other from being done.

mod hooks;
mod keys;
mod runners;
mod schedules;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::{Value as Json, json};

use super::{
    Failure,
    access::{self, Spot},
    register,
    tenure::Tenure,
};
use crate::{
    domain::State,
    ports::{
        gitlab::Place,
        store::{StoreError, Value, Write},
    },
    records::{self, AuditEntry, EggRecord, NestLink, RunnerRecord, Served, Versioned},
    roles::Context,
    wire::{LinkChange, LinkReport, LinkStep, LinkedThing},
};

/// The lease of whoever changes what is in GitLab: one at a time, since several owners may share a project.
const LEASE: &str = "link";

/// How often a lease is asked for, and how long one waits in between.
const TRIES: u32 = 40;
const PAUSE: Duration = Duration::from_millis(250);

/// After so many failures in a row a server is taken to be away, and nothing more is tried on it.
const ENOUGH: u32 = 3;

/// Who is linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// An egg, a bucket, or a job (`jobs/NAME`).
    Owner(String),
    /// The Nest itself: its webhook and its deploy keys.
    Nest,
}

/// Why nothing was begun.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// There is no such owner.
    #[error("there is no egg `{0}`; `gosling list eggs` shows them")]
    Unknown(String),
    /// It is in the Nest no longer.
    #[error("`{0}` is in the Nest no longer; what it has in GitLab is taken away by itself")]
    Removed(String),
    /// Somebody else does the same.
    #[error("somebody links or unlinks just now; try again when that is over")]
    Busy,
    /// Its runners would lose their token.
    #[error(
        "`{owner}` still has runners ({count}); pause it, and drain them first: gosling runner list --egg {owner}"
    )]
    InUse {
        /// The owner.
        owner: String,
        /// How many.
        count: usize,
    },
    /// The database or the like.
    #[error("{0}")]
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for LinkError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Brings what a subject needs in GitLab to what it should be; a dry run only looks.
///
/// # Errors
///
/// When nothing was begun. What failed on the way stands in the report.
pub async fn link(
    context: &Context,
    subject: &Subject,
    dry_run: bool,
    actor: &str,
) -> Result<LinkReport, LinkError> {
    Box::pin(run(context, subject, dry_run, actor, true)).await
}

/// Takes away what was made for a subject in GitLab; a dry run only looks.
///
/// # Errors
///
/// When nothing was begun. What failed on the way stands in the report.
pub async fn unlink(
    context: &Context,
    subject: &Subject,
    dry_run: bool,
    actor: &str,
) -> Result<LinkReport, LinkError> {
    Box::pin(run(context, subject, dry_run, actor, false)).await
}

async fn run(
    context: &Context,
    subject: &Subject,
    dry_run: bool,
    actor: &str,
    is_link: bool,
) -> Result<LinkReport, LinkError> {
    let tenure = if dry_run { None } else { Some(lease(context, LEASE).await?.ok_or(LinkError::Busy)?) };
    let work = Box::pin(async {
        let mut linking = Linking::new(context, tenure.as_ref(), actor).await?;
        match subject {
            Subject::Owner(owner) => linking.owner(owner, is_link).await,
            Subject::Nest => linking.nest(is_link).await.map_err(LinkError::Failed),
        }?;
        Ok::<_, LinkError>(linking.report(subject))
    });
    let done = match &tenure {
        // Whoever loses the lease goes no further.
        Some(tenure) => tenure.during(async { Ok(work.await) }).await,
        None => Ok(work.await),
    };
    if let Some(tenure) = tenure {
        tenure.release().await;
    }
    done.map_err(LinkError::Failed)?
}

/// Takes a lease, waiting a while for it; none when somebody keeps it.
async fn lease<'a>(context: &'a Context, name: &str) -> Result<Option<Tenure<'a>>, StoreError> {
    for left in (0..TRIES).rev() {
        if let Some(tenure) = Tenure::take(context, name).await? {
            return Ok(Some(tenure));
        }
        if left > 0 {
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(None)
}

/// One run.
pub(super) struct Linking<'a> {
    context: &'a Context,
    /// None in a dry run: nothing is changed without it.
    tenure: Option<&'a Tenure<'a>>,
    actor: &'a str,
    /// Everything that was ever in the Nest, as it is while this goes on.
    eggs: Vec<EggRecord>,
    nest: NestLink,
    /// The projects of each group, by server and group, where they were asked for.
    members: BTreeMap<(String, u64), BTreeSet<u64>>,
    steps: Vec<LinkStep>,
    notes: Vec<String>,
    /// How many failures in a row each server has had that may go by.
    trouble: BTreeMap<String, u32>,
}

/// A thing in GitLab, as a step names it.
#[derive(Debug, Clone)]
struct Thing {
    kind: LinkedThing,
    server: String,
    place: Place,
    within: Option<String>,
    name: Option<String>,
}

impl Thing {
    fn place(&self) -> String {
        records::place_key(&self.server, self.place)
    }

    fn step(&self, change: LinkChange, id: Option<u64>, note: Option<String>) -> LinkStep {
        LinkStep {
            change,
            thing: self.kind,
            place: self.place(),
            within: self.within.clone(),
            name: self.name.clone(),
            id,
            note,
            help: None,
        }
    }
}

impl<'a> Linking<'a> {
    pub(super) async fn new(
        context: &'a Context,
        tenure: Option<&'a Tenure<'a>>,
        actor: &'a str,
    ) -> Result<Self, Failure> {
        let store = &*context.ports.store;
        let eggs = records::all::<EggRecord>(store, None, None).await?;
        let mut eggs: Vec<EggRecord> = eggs.into_iter().map(|egg| egg.record).collect();
        eggs.sort_by(|a, b| a.name.cmp(&b.name));
        let nest = records::get::<NestLink>(store, NestLink::id()).await?;
        Ok(Self {
            context,
            tenure,
            actor,
            eggs,
            nest: nest.map(|nest| nest.record).unwrap_or_default(),
            members: BTreeMap::new(),
            steps: Vec::new(),
            notes: Vec::new(),
            trouble: BTreeMap::new(),
        })
    }

    fn report(self, subject: &Subject) -> LinkReport {
        let owner = match subject {
            Subject::Owner(owner) => Some(owner.clone()),
            Subject::Nest => None,
        };
        LinkReport { owner, dry_run: self.tenure.is_none(), steps: self.steps, notes: self.notes }
    }

    const fn is_dry(&self) -> bool {
        self.tenure.is_none()
    }

    fn egg(&self, owner: &str) -> Option<&EggRecord> {
        self.eggs.iter().find(|egg| egg.name == owner)
    }

    fn spots(&self, owner: &str) -> Vec<Spot> {
        self.egg(owner).map(|egg| access::spots(egg, &self.context.settings.nest)).unwrap_or_default()
    }

    async fn owner(&mut self, owner: &str, is_link: bool) -> Result<(), LinkError> {
        let egg = self.egg(owner).ok_or_else(|| LinkError::Unknown(owner.to_owned()))?;
        if egg.removed {
            return Err(LinkError::Removed(owner.to_owned()));
        }
        let is_job = matches!(egg.served, Served::Job(_));
        if !is_link {
            self.has_no_runners(owner).await?;
        }
        let was_linked = !egg.is_unlinked();
        self.mark(owner, !is_link).await?;
        if !is_link
            && was_linked
            && let Err(error) = self.has_no_runners(owner).await
        {
            // One was decided on just before that was written down.
            self.mark(owner, false).await?;
            return Err(error);
        }
        if self.spots(owner).is_empty() {
            self.notes.push(format!(
                "nobody tells which project `{owner}` is for; give `gosling serve` --nest-project and --nest-server"
            ));
        }
        if is_link {
            self.runners(owner).await?;
            self.hooks(owner).await?;
            if is_job {
                self.schedules(owner).await?;
            }
        } else {
            if is_job {
                self.remove_schedules(owner).await?;
            }
            self.remove_hooks(owner).await?;
            self.remove_runners(owner).await?;
        }
        Ok(())
    }

    /// The runners of an owner would be without a token, and nobody would hear of their jobs.
    async fn has_no_runners(&self, owner: &str) -> Result<(), LinkError> {
        let store = &*self.context.ports.store;
        let its = Some(Value::Text(owner.to_owned()));
        let runners = records::all::<RunnerRecord>(store, Some("egg_name_index"), its).await?;
        let count = runners.iter().filter(|one| one.record.runner.state != State::Terminated).count();
        if count > 0 {
            return Err(LinkError::InUse { owner: owner.to_owned(), count });
        }
        Ok(())
    }

    /// Writes down that an owner is to be in GitLab, or is not: before anything is done, so that nobody does the contrary.
    async fn mark(&mut self, owner: &str, unlinked: bool) -> Result<(), Failure> {
        let Some(egg) = self.egg(owner) else { return Ok(()) };
        let keys: Vec<String> = self.spots(owner).iter().map(Spot::key).collect();
        let is_so = egg.is_unlinked() == unlinked;
        let change = |egg: &mut EggRecord| {
            if unlinked {
                for key in &keys {
                    egg.registered.entry(key.clone()).or_default();
                }
            }
            for registered in egg.registered.values_mut() {
                registered.unlinked = unlinked;
            }
        };
        if is_so {
            return Ok(());
        }
        if self.is_dry() {
            // A dry run looks at what would be then.
            self.eggs.iter_mut().filter(|egg| egg.name == owner).for_each(change);
            return Ok(());
        }
        let action = if unlinked { "egg.unlink" } else { "egg.link" };
        let entry = self.entry(action, owner, json!({}));
        self.amend(owner, vec![entry], change).await
    }

    async fn nest(&mut self, is_link: bool) -> Result<(), Failure> {
        if self.nest.unlinked == is_link {
            self.nest.unlinked = !is_link;
            self.amend_nest(Vec::new(), |nest| nest.unlinked = !is_link).await?;
        }
        let Some((server, project)) = self.nest_project() else {
            self.notes.push(
                "nobody tells which project the Nest is in; give `gosling serve` --nest-project and --nest-server"
                    .to_owned(),
            );
            return Ok(());
        };
        if is_link && self.context.settings.nest.webhook_secret.is_none() {
            self.notes.push(
                "the Nest has no webhook secret, so pushes are seen only every few minutes; put one with `gosling secret \
                 put URI`, and give `gosling serve` --nest-webhook-secret URI"
                    .to_owned(),
            );
        }
        let is_kept = self.context.settings.nest.webhook_secret.is_some() && is_link;
        let has_any = !self.recorded(&server, project).is_empty();
        if is_kept || has_any {
            self.load_members().await;
            self.settle(&server, project, None, &[]).await;
        }
        self.keys(&server, project, is_link).await
    }

    /// The server and the project that the Nest itself is in.
    fn nest_project(&self) -> Option<(String, u64)> {
        let nest = &self.context.settings.nest;
        let of_jobs = self.eggs.iter().filter(|egg| !egg.removed).find_map(|egg| match &egg.served {
            Served::Job(job) => Some((job.project.server.clone(), job.project.project_id.or(nest.project)?)),
            Served::Egg(_) => None,
        });
        nest.server.clone().zip(nest.project).or(of_jobs)
    }

    /// What the others have to do with a server that is away.
    fn is_away(&self, server: &str) -> bool {
        self.trouble.get(server).is_some_and(|count| *count >= ENOUGH)
    }

    /// What came of one thing. One that failed stands in the report, and the others are done all the same.
    fn came(&mut self, thing: &Thing, done: Result<(), Failure>) {
        let Err(failure) = done else {
            self.trouble.remove(&thing.server);
            return;
        };
        let help = match &failure {
            Failure::Later { .. } => {
                *self.trouble.entry(thing.server.clone()).or_default() += 1;
                "link again in a moment: what is done already is left alone"
            }
            Failure::Never(_) => "put that right, and link again: what is done already is left alone",
        };
        tracing::warn!(place = thing.place(), error = %failure, "something was not linked in GitLab");
        let mut step = thing.step(LinkChange::Fail, None, Some(failure.to_string()));
        step.help = Some(help.to_owned());
        self.steps.push(step);
    }

    /// An entry of the audit record.
    fn entry(&self, action: &str, owner: &str, details: Json) -> Write {
        let now = self.context.ports.clock.now();
        records::insert(&AuditEntry::new(now, self.actor, action, ("egg", owner), details))
    }

    /// An entry for the Nest itself.
    fn nest_entry(&self, action: &str, details: Json) -> Write {
        let now = self.context.ports.clock.now();
        let name = self.context.settings.nest.name.as_str();
        records::insert(&AuditEntry::new(now, self.actor, action, ("nest", name), details))
    }

    /// Writes something down of an owner.
    async fn amend(
        &mut self,
        owner: &str,
        more: Vec<Write>,
        change: impl Fn(&mut EggRecord),
    ) -> Result<(), Failure> {
        let Some(tenure) = self.tenure else { return Ok(()) };
        register::amend(self.context, tenure, owner, more, &change).await?;
        self.eggs.iter_mut().filter(|egg| egg.name == owner).for_each(change);
        Ok(())
    }

    /// Writes something down of the Nest itself.
    async fn amend_nest(&mut self, more: Vec<Write>, change: impl Fn(&mut NestLink)) -> Result<(), Failure> {
        let Some(tenure) = self.tenure else { return Ok(()) };
        let store = &*self.context.ports.store;
        for _ in 0..TRIES {
            let found = records::get::<NestLink>(store, NestLink::id()).await?;
            let write = match found {
                Some(found) => {
                    let mut record = found.record;
                    change(&mut record);
                    Versioned { record, version: found.version }.update()
                }
                None => {
                    let mut record = NestLink::default();
                    change(&mut record);
                    records::insert(&record)
                }
            };
            if tenure.commit(std::iter::once(write).chain(more.iter().cloned()).collect()).await? {
                change(&mut self.nest);
                return Ok(());
            }
        }
        Err(Failure::later("others write what the Nest has in GitLab all the time"))
    }

    /// Reads an owner's row again, which somebody else has written.
    async fn reload(&mut self, owner: &str) -> Result<(), Failure> {
        let key = vec![Value::Text(owner.to_owned())];
        if let Some(found) = records::get::<EggRecord>(&*self.context.ports.store, key).await? {
            self.eggs.iter_mut().filter(|egg| egg.name == owner).for_each(|egg| *egg = found.record.clone());
        }
        Ok(())
    }
}
