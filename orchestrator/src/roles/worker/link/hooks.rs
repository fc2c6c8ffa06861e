//! Webhooks. A project has one of ours, whoever serves it: its keeper's secret is what it shows. The Nest keeps that of its own
//! project, else the first egg that names the project, else the first of a group around it. When a keeper goes, the next takes
//! over.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{Linking, Thing};
use crate::{
    ports::{
        gitlab::{Access, GitLabError, Hook, Place},
        secrets::Secret,
        store::Write,
    },
    records::{self, EggRecord, LinkedHook, Registered, Served},
    roles::worker::{Failure, access},
    wire::{LinkChange, LinkedThing},
};

/// The events that eggs need. Hooks of jobs carry no tags, so each is only a hint to ask.
const EVENTS: [&str; 2] = ["job_events", "pipeline_events"];

/// What the Nest's own project needs besides: pushes are looked at when they come.
const NEST_EVENTS: &str = "push_events";

/// Who answers for the webhook of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Keeper {
    /// The Nest.
    Nest,
    /// An egg, and which of its places.
    Egg {
        /// Its name.
        name: String,
        /// The key in what it has registered.
        key: String,
    },
}

/// A webhook that was written down.
#[derive(Debug, Clone)]
pub(super) struct Recorded {
    by: Keeper,
    hook: LinkedHook,
}

impl Linking<'_> {
    fn hook_url(&self) -> String {
        format!("{}/webhooks/gitlab", self.context.settings.url.as_str().trim_end_matches('/'))
    }

    /// Who answers for the webhook of a project, and the URI of its secret.
    fn keeper(&self, server: &str, project: u64) -> Option<(Keeper, String)> {
        let nest = &self.context.settings.nest;
        if let Some(uri) = &nest.webhook_secret
            && !self.nest.unlinked
            && self
                .nest_project()
                .is_some_and(|(own, id)| id == project && access::is_same_server(&own, server))
        {
            return Some((Keeper::Nest, uri.uri()));
        }
        let living = || self.eggs.iter().filter(|egg| !egg.removed && !egg.is_unlinked());
        let of = |fits: &dyn Fn(Place) -> bool| {
            living().find_map(|egg| {
                let Served::Egg(config) = &egg.served else { return None };
                config.repositories.iter().find_map(|one| {
                    let place = one.project_id.map(Place::Project).or(one.group_id.map(Place::Group))?;
                    let is_it = fits(place) && access::is_same_server(&one.server, server);
                    let key = records::place_key(&one.server, place);
                    is_it.then(|| (Keeper::Egg { name: egg.name.clone(), key }, one.webhook_secret.clone()))
                })
            })
        };
        of(&|place| place == Place::Project(project)).or_else(|| {
            of(&|place| match place {
                Place::Project(_) => false,
                Place::Group(group) => self.members.iter().any(|((of, id), members)| {
                    *id == group && access::is_same_server(of, server) && members.contains(&project)
                }),
            })
        })
    }

    /// What was written down of a project's webhook.
    pub(super) fn recorded(&self, server: &str, project: u64) -> Vec<Recorded> {
        let is_here =
            |key: &str| records::place_of(key).is_some_and(|(of, _)| access::is_same_server(of, server));
        let mut found = Vec::new();
        for (key, hook) in &self.nest.hooks {
            if is_here(key)
                && records::place_of(key).is_some_and(|(_, place)| place == Place::Project(project))
            {
                found.push(Recorded { by: Keeper::Nest, hook: hook.clone() });
            }
        }
        for egg in &self.eggs {
            for (key, registered) in egg.registered.iter().filter(|(key, _)| is_here(key)) {
                let hook = registered.hooks.get(&project);
                found.extend(hook.map(|hook| Recorded {
                    by: Keeper::Egg { name: egg.name.clone(), key: key.clone() },
                    hook: hook.clone(),
                }));
            }
        }
        found
    }

    /// The webhooks of an owner, in every project it serves.
    pub(super) async fn hooks(&mut self, owner: &str) -> Result<(), Failure> {
        let spots = self.spots(owner);
        if spots.iter().any(|spot| matches!(spot.place, Place::Group(_))) {
            self.load_members().await;
        }
        let first = [owner.to_owned()];
        let mut done: BTreeSet<(String, u64)> = BTreeSet::new();
        for spot in &spots {
            match spot.place {
                Place::Project(project) => {
                    if done.insert((spot.server.clone(), project)) {
                        self.settle(&spot.server, project, None, &first).await;
                    }
                }
                Place::Group(group) => {
                    let within = spot.key();
                    let Some(members) = self.members.get(&(spot.server.clone(), group)).cloned() else {
                        let thing = webhook(&spot.server, spot.place, None);
                        let why = Failure::later(format!("the projects of group {group} are not to be had"));
                        let why = match self.group_members(owner, spot).await {
                            Err(failure) => failure,
                            Ok(_) => why,
                        };
                        self.came(&thing, Err(why));
                        continue;
                    };
                    for project in members {
                        if done.insert((spot.server.clone(), project)) {
                            self.settle(&spot.server, project, Some(within.clone()), &first).await;
                        }
                    }
                }
            }
        }
        // What it had made where it serves nothing any more.
        for (server, project) in self.hooks_of(owner) {
            let is_left = |(of, id): &(String, u64)| *id == project && access::is_same_server(of, &server);
            let group_is_known = self.is_known(owner, &server, project);
            if !done.iter().any(is_left) && group_is_known {
                self.settle(&server, project, None, &first).await;
            }
        }
        Ok(())
    }

    /// Whether the place for which a webhook was made is gone, or was looked at.
    fn is_known(&self, owner: &str, server: &str, project: u64) -> bool {
        let Some(egg) = self.egg(owner) else { return true };
        egg.registered.iter().filter(|(_, registered)| registered.hooks.contains_key(&project)).all(
            |(key, _)| match records::place_of(key) {
                Some((of, Place::Group(group))) if access::is_same_server(of, server) => {
                    let is_left = self.spots(owner).iter().all(|spot| spot.key() != *key);
                    is_left || self.members.contains_key(&(of.to_owned(), group))
                }
                _ => true,
            },
        )
    }

    /// The projects in which an owner keeps a webhook.
    fn hooks_of(&self, owner: &str) -> Vec<(String, u64)> {
        let registered = self.egg(owner).into_iter().flat_map(|egg| &egg.registered);
        let of = |(key, registered): (&String, &Registered)| {
            let server = records::place_of(key).map(|(server, _)| server.to_owned());
            let projects: Vec<u64> = registered.hooks.keys().copied().collect();
            projects.into_iter().filter_map(move |project| Some((server.clone()?, project)))
        };
        registered.flat_map(of).collect()
    }

    /// Takes away the webhooks that an owner keeps, or hands them over to whoever is next.
    pub(super) async fn remove_hooks(&mut self, owner: &str) -> Result<(), Failure> {
        self.load_members().await;
        let mut projects: BTreeSet<(String, u64)> = self.hooks_of(owner).into_iter().collect();
        let is_job = self.egg(owner).is_some_and(|egg| matches!(egg.served, Served::Job(_)));
        // One that was made just before a crash is written down nowhere.
        for spot in self.spots(owner).into_iter().filter(|_| !is_job) {
            let all: Vec<u64> = match spot.place {
                Place::Project(project) => vec![project],
                Place::Group(group) => {
                    self.members.get(&(spot.server.clone(), group)).into_iter().flatten().copied().collect()
                }
            };
            let orphans = all.into_iter().filter(|project| self.keeper(&spot.server, *project).is_none());
            projects.extend(orphans.map(|project| (spot.server.clone(), project)));
        }
        for (server, project) in projects {
            self.settle(&server, project, None, &[owner.to_owned()]).await;
        }
        Ok(())
    }

    /// The projects of a group.
    async fn group_members(&self, owner: &str, spot: &access::Spot) -> Result<BTreeSet<u64>, Failure> {
        let Place::Group(group) = spot.place else { return Ok(BTreeSet::new()) };
        let access = access::to_spot(self.context, owner, spot, &self.eggs).await?;
        Ok(self.context.ports.gitlab.projects_of(&access, group).await?.into_iter().collect())
    }

    /// Which projects the groups have that eggs serve: a project may be in several.
    pub(super) async fn load_members(&mut self) {
        let mut groups = BTreeMap::new();
        for egg in self.eggs.iter().filter(|egg| !egg.removed) {
            for spot in access::spots(egg, &self.context.settings.nest) {
                if let Place::Group(group) = spot.place {
                    groups.entry((spot.server.clone(), group)).or_insert((egg.name.clone(), spot));
                }
            }
        }
        for (key, (owner, spot)) in groups {
            if self.members.contains_key(&key) {
                continue;
            }
            match self.group_members(&owner, &spot).await {
                Ok(members) => drop(self.members.insert(key, members)),
                Err(error) => {
                    tracing::warn!(group = spot.key(), %error, "the projects of a group are not known");
                }
            }
        }
    }

    /// Brings the webhook of a project to what it should be; without a keeper it goes.
    pub(super) async fn settle(
        &mut self,
        server: &str,
        project: u64,
        within: Option<String>,
        first: &[String],
    ) {
        let thing = webhook(server, Place::Project(project), within);
        let done = if self.is_away(server) {
            Err(Failure::later(format!("{server} is away; this was not tried")))
        } else {
            self.try_settle(&thing, project, first).await
        };
        self.came(&thing, done);
    }

    async fn try_settle(&mut self, thing: &Thing, project: u64, first: &[String]) -> Result<(), Failure> {
        let server = thing.server.clone();
        let place = Place::Project(project);
        let recorded = self.recorded(&server, project);
        let kept = self.keeper(&server, project);
        let is_job = |egg: &EggRecord| matches!(egg.served, Served::Job(_)) && !egg.is_unlinked();
        if kept.is_none()
            && recorded.is_empty()
            && first.iter().any(|owner| self.egg(owner).is_some_and(is_job))
        {
            if self.nest.unlinked && self.context.settings.nest.webhook_secret.is_some() {
                let why =
                    "the webhook of the Nest's own project was taken away; `gosling link --nest` makes it";
                return Err(Failure::Never(why.to_owned()));
            }
            return Err(Failure::Never(format!(
                "the Nest's own project {project} has no webhook secret, so hooks of its jobs would be turned away; put \
                 one with `gosling secret put URI`, and give `gosling serve` --nest-webhook-secret URI"
            )));
        }
        let (access, found) = self.open(&server, project, first).await?;
        let url = self.hook_url();
        let is_ours =
            |hook: &Hook| hook.url == url || recorded.iter().any(|one| Some(one.hook.id) == hook.id);
        let mut ours: Vec<Hook> = found.into_iter().filter(is_ours).collect();
        let Some((keeper, uri)) = kept else {
            for hook in ours {
                self.remove_hook(thing, &access, place, &hook, None, &recorded).await?;
            }
            return self.write_down(project, &server, None, &recorded, Vec::new()).await;
        };
        let secret = access::secret(self.context, &uri).await?;
        let mark = self.tell_apart(&secret, project);
        let by_keeper =
            |hook: &Hook| recorded.iter().any(|one| one.by == keeper && Some(one.hook.id) == hook.id);
        let by_anybody = |hook: &Hook| recorded.iter().any(|one| Some(one.hook.id) == hook.id);
        // The one that was written down is the one; else the oldest.
        ours.sort_by_key(|hook| (!by_keeper(hook), !by_anybody(hook), hook.id));
        let doubles = if ours.is_empty() { Vec::new() } else { ours.split_off(1) };
        let mut events: BTreeMap<String, bool> =
            EVENTS.iter().map(|event| ((*event).to_owned(), true)).collect();
        events.insert(NEST_EVENTS.to_owned(), keeper == Keeper::Nest);
        let behind = self.behind(&keeper, project, &secret);
        let mut wanted = Hook { id: None, url, secret: Some(secret), events, ssl_verification: true };
        let owner = match &keeper {
            Keeper::Nest => None,
            Keeper::Egg { name, .. } => Some(name.clone()),
        };
        let details = |id: u64, what: &str| json!({ "place": thing.place(), "webhook": id, "what": what });
        let id = match ours.pop() {
            None => {
                if self.is_dry() {
                    self.steps.push(thing.step(LinkChange::Make, None, None));
                    None
                } else {
                    let id = self.context.ports.gitlab.put_hook(&access, place, &wanted).await?;
                    self.steps.push(thing.step(LinkChange::Make, Some(id), None));
                    let entry = self.hook_entry("webhook.make", owner.as_deref(), details(id, "all of it"));
                    Some((id, vec![entry]))
                }
            }
            Some(there) => {
                let told = recorded.iter().find(|one| Some(one.hook.id) == there.id);
                let why = difference(&there, &wanted, told.is_some_and(|one| one.hook.secret == mark));
                let id = there.id.unwrap_or_default();
                if why.is_empty() {
                    self.steps.push(thing.step(LinkChange::Keep, Some(id), None));
                    Some((id, Vec::new()))
                } else {
                    let why = why.join(", ");
                    // Events that nobody asked for are switched off.
                    for event in there.events.keys() {
                        wanted.events.entry(event.clone()).or_insert(false);
                    }
                    wanted.id = Some(id);
                    let entry = self.hook_entry("webhook.change", owner.as_deref(), details(id, &why));
                    if !self.is_dry() {
                        self.context.ports.gitlab.put_hook(&access, place, &wanted).await?;
                    }
                    self.steps.push(thing.step(LinkChange::Change, Some(id), Some(why)));
                    Some((id, vec![entry]))
                }
            }
        };
        if let Some((id, entries)) = id {
            let hook = LinkedHook { id, secret: mark };
            self.write_down(project, &server, Some((&keeper, hook, behind)), &recorded, entries).await?;
        }
        for double in doubles {
            self.remove_hook(thing, &access, place, &double, Some("a double"), &recorded).await?;
        }
        Ok(())
    }

    /// The other projects of a keeper whose webhooks show another secret than this.
    fn behind(&self, keeper: &Keeper, project: u64, secret: &Secret) -> BTreeSet<u64> {
        let Keeper::Egg { name, key } = keeper else { return BTreeSet::new() };
        let registered = self.egg(name).and_then(|egg| egg.registered.get(key));
        let hooks = registered.into_iter().flat_map(|registered| &registered.hooks);
        let others =
            hooks.filter(|(id, hook)| **id != project && hook.secret != self.tell_apart(secret, **id));
        others.map(|(id, _)| *id).collect()
    }

    /// Tells the secret that a project's webhook shows from others.
    fn tell_apart(&self, secret: &Secret, project: u64) -> String {
        self.context.seal.mark(secret.expose(), &format!("webhook/{project}"))
    }

    /// The first access that shows the webhooks of a project, and the webhooks.
    async fn open(
        &self,
        server: &str,
        project: u64,
        first: &[String],
    ) -> Result<(Access, Vec<Hook>), Failure> {
        let mut refused = None;
        for access in access::to_project(self.context, &self.eggs, first, server, project).await? {
            match self.context.ports.gitlab.hooks(&access, Place::Project(project)).await {
                Ok(hooks) => return Ok((access, hooks)),
                Err(error @ (GitLabError::Forbidden { .. } | GitLabError::NotFound { .. })) => {
                    refused.get_or_insert(error);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(refused.map_or_else(
            || {
                Failure::Never(format!(
                    "nothing in the Nest tells an API token for project {project} of {server}"
                ))
            },
            Failure::from,
        ))
    }

    async fn remove_hook(
        &mut self,
        thing: &Thing,
        access: &Access,
        place: Place,
        hook: &Hook,
        why: Option<&str>,
        recorded: &[Recorded],
    ) -> Result<(), Failure> {
        let Some(id) = hook.id else { return Ok(()) };
        if !self.is_dry() {
            self.context.ports.gitlab.delete_hook(access, place, id).await?;
            let owner = recorded.iter().find(|one| one.hook.id == id).and_then(|one| match &one.by {
                Keeper::Egg { name, .. } => Some(name.as_str()),
                Keeper::Nest => None,
            });
            let entry =
                self.hook_entry("webhook.remove", owner, json!({ "place": thing.place(), "webhook": id }));
            if let Some(tenure) = self.tenure {
                tenure.commit(vec![entry]).await?;
            }
        }
        self.steps.push(thing.step(LinkChange::Remove, Some(id), why.map(str::to_owned)));
        Ok(())
    }

    fn hook_entry(&self, action: &str, owner: Option<&str>, details: serde_json::Value) -> Write {
        match owner {
            Some(owner) => self.entry(action, owner, details),
            None => self.nest_entry(action, details),
        }
    }

    /// Writes down the webhook of a project with its keeper, and with nobody else.
    async fn write_down(
        &mut self,
        project: u64,
        server: &str,
        kept: Option<(&Keeper, LinkedHook, BTreeSet<u64>)>,
        recorded: &[Recorded],
        entries: Vec<Write>,
    ) -> Result<(), Failure> {
        let place = Place::Project(project);
        let is_so = kept.as_ref().is_some_and(|(keeper, hook, _)| {
            recorded.iter().any(|one| one.by == **keeper && one.hook == *hook)
        });
        if let Some((keeper, hook, behind)) = &kept
            && (!is_so || !entries.is_empty())
        {
            match keeper {
                Keeper::Nest => {
                    let key = records::place_key(server, place);
                    self.amend_nest(entries, |nest| {
                        nest.hooks.insert(key.clone(), hook.clone());
                        // It shows the new secret, so the one before opens nothing any more.
                        nest.stale = None;
                    })
                    .await?;
                }
                Keeper::Egg { name, key } => {
                    self.amend(name, entries, |egg| {
                        let registered = egg.registered.entry(key.clone()).or_default();
                        registered.hooks.insert(project, hook.clone());
                        // Once every webhook shows the new secret, the one before opens nothing any more.
                        if registered.hooks.keys().all(|one| one == &project || !behind.contains(one)) {
                            registered.stale = None;
                        }
                        if matches!(records::place_of(key), Some((_, Place::Project(_)))) {
                            registered.webhook = Some(hook.id);
                        }
                    })
                    .await?;
                }
            }
        }
        for other in recorded.iter().filter(|one| kept.as_ref().is_none_or(|(keeper, ..)| one.by != **keeper))
        {
            match &other.by {
                Keeper::Nest => {
                    let is_it = |key: &String| {
                        records::place_of(key)
                            .is_some_and(|(of, id)| id == place && access::is_same_server(of, server))
                    };
                    self.amend_nest(Vec::new(), |nest| nest.hooks.retain(|key, _| !is_it(key))).await?;
                }
                Keeper::Egg { name, key } => {
                    self.amend(name, Vec::new(), |egg| {
                        if let Some(registered) = egg.registered.get_mut(key) {
                            let gone = registered.hooks.remove(&project).map(|hook| hook.id);
                            if registered.webhook == gone {
                                registered.webhook = None;
                            }
                        }
                    })
                    .await?;
                }
            }
        }
        Ok(())
    }

    /// Whether somebody else answers for a project's webhook, so that it is handed over and not taken away.
    pub(in crate::roles::worker) fn has_keeper(&self, server: &str, project: u64) -> bool {
        self.keeper(server, project).is_some()
    }
}

fn webhook(server: &str, place: Place, within: Option<String>) -> Thing {
    Thing { kind: LinkedThing::Webhook, server: server.to_owned(), place, within, name: None }
}

/// What of a webhook is not as it should be.
fn difference(there: &Hook, wanted: &Hook, shows_it: bool) -> Vec<&'static str> {
    let mut why = Vec::new();
    if there.url != wanted.url {
        why.push("its URL");
    }
    let sent = |event: &String| wanted.events.get(event).copied().unwrap_or(false);
    let is_asked_for = there.events.iter().all(|(event, is_sent)| *is_sent == sent(event));
    let is_sent =
        |(event, wanted): (&String, &bool)| there.events.get(event).copied().unwrap_or(false) == *wanted;
    if !is_asked_for || !wanted.events.iter().all(is_sent) {
        why.push("its events");
    }
    if there.ssl_verification != wanted.ssl_verification {
        why.push("whether the certificate is checked");
    }
    if !shows_it {
        why.push("its secret");
    }
    why
}
