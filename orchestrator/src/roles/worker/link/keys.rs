//! The deploy keys of the Nest's own project: the public halves of the keys that `gosling init` put into the secret store.
//! One of ours is known by its title.

use std::collections::BTreeMap;

use fly_std::formats::{SecretUri, secret_uri};
use serde_json::json;
use ssh_key::PrivateKey;

use super::{Linking, Thing};
use crate::{
    ports::{
        gitlab::{Access, DeployKey, GitLabError, Place},
        secrets::SecretError,
    },
    records::Served,
    roles::worker::{Failure, access},
    wire::{LinkChange, LinkedThing},
};

/// Who fetches the Nest, who looks after its runners, and the jobs that may push to it.
const KEYS: [(&str, bool); 3] = [("mothergoose", false), ("uglyfox", false), ("selfjobs", true)];

/// A key that the Nest's project should have.
struct Wanted {
    name: &'static str,
    can_push: bool,
    uri: SecretUri,
    /// Whether somebody counts on it; others are there or not.
    needed: bool,
}

impl Linking<'_> {
    /// The keys there should be: the one that the Nest is fetched with, and those that are kept beside it.
    fn wanted_keys(&self) -> Vec<Wanted> {
        let own = self.context.settings.nest.deploy_key.as_ref();
        let beside = |name: &str| {
            let text = own?.uri();
            let at = text.rfind(KEYS[0].0)?;
            let (before, after) = (&text[..at], &text[at + KEYS[0].0.len()..]);
            secret_uri::parse(&format!("{before}{name}{after}")).ok()
        };
        let of_jobs = self.eggs.iter().filter(|egg| !egg.removed).find_map(|egg| match &egg.served {
            Served::Job(job) => secret_uri::parse(&job.project.deploy_key_secret).ok(),
            Served::Egg(_) => None,
        });
        let mut keys = Vec::new();
        for (name, can_push) in KEYS {
            let (uri, needed) = match name {
                "mothergoose" => (own.cloned(), true),
                "selfjobs" => (of_jobs.clone().or_else(|| beside(name)), false),
                _ => (beside(name), false),
            };
            keys.extend(uri.map(|uri| Wanted { name, can_push, uri, needed }));
        }
        keys
    }

    /// Brings the deploy keys of the Nest's project to what they should be, or takes them away.
    pub(super) async fn keys(&mut self, server: &str, project: u64, is_link: bool) -> Result<(), Failure> {
        let thing = |name: &str| Thing {
            kind: LinkedThing::DeployKey,
            server: server.to_owned(),
            place: Place::Project(project),
            within: None,
            name: Some(name.to_owned()),
        };
        let wanted = self.wanted_keys();
        if wanted.is_empty() && self.nest.keys.is_empty() {
            return Ok(());
        }
        let (access, there) = match self.open_keys(server, project).await {
            Ok(opened) => opened,
            Err(failure) => {
                self.came(&thing(KEYS[0].0), Err(failure));
                return Ok(());
            }
        };
        for (name, _) in KEYS {
            let thing = thing(name);
            let wanted = wanted.iter().find(|key| key.name == name).filter(|_| is_link);
            // The keys that nobody tells of any more are left to whoever unlinks.
            if wanted.is_none() && is_link {
                continue;
            }
            let done = self.key(&thing, name, wanted, &access, &there, project).await;
            self.came(&thing, done);
        }
        Ok(())
    }

    async fn open_keys(&self, server: &str, project: u64) -> Result<(Access, Vec<DeployKey>), Failure> {
        let mut refused = None;
        for access in access::to_project(self.context, &self.eggs, &[], server, project).await? {
            match self.context.ports.gitlab.deploy_keys(&access, project).await {
                Ok(keys) => return Ok((access, keys)),
                Err(error @ (GitLabError::Forbidden { .. } | GitLabError::NotFound { .. })) => {
                    refused.get_or_insert(error);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(refused.map_or_else(
            || {
                Failure::Never(format!(
                    "nothing tells an API token for the Nest's project {project} of {server}; put one with `gosling \
                     secret put URI`, and give `gosling serve` --nest-api-token URI"
                ))
            },
            Failure::from,
        ))
    }

    /// The public half of a key; none when there is none and nobody counts on it.
    async fn public(&mut self, wanted: &Wanted) -> Result<Option<String>, Failure> {
        let secret = match self.context.ports.secrets.get(&wanted.uri).await {
            Ok(secret) => secret,
            Err(SecretError::Missing { .. }) if !wanted.needed => {
                self.notes.push(format!(
                    "there is no deploy key `{}` in the secret store; `gosling init` makes one",
                    wanted.name
                ));
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let key = PrivateKey::from_openssh(secret.expose()).ok();
        let public = key.and_then(|key| key.public_key().to_openssh().ok());
        let public = public.as_deref().and_then(material);
        public.map(Some).ok_or_else(|| {
            Failure::Never(format!(
                "the secret of the deploy key `{}` is no private key in OpenSSH's form",
                wanted.name
            ))
        })
    }

    async fn key(
        &mut self,
        thing: &Thing,
        name: &str,
        wanted: Option<&Wanted>,
        access: &Access,
        there: &[DeployKey],
        project: u64,
    ) -> Result<(), Failure> {
        let gitlab = &*self.context.ports.gitlab;
        let title = format!("gosling {}/{name}", self.context.settings.nest.name);
        let recorded = self.nest.keys.get(name).copied();
        let public = match wanted {
            Some(wanted) => match self.public(wanted).await? {
                None => return Ok(()),
                public => public,
            },
            None => None,
        };
        let is_it = |key: &&DeployKey| public.is_some() && material(&key.key) == public;
        let is_ours = |key: &&DeployKey| key.title == title || (key.id.is_some() && key.id == recorded);
        let found = there.iter().find(is_it);
        if let (Some(wanted), Some(public)) = (wanted, &public) {
            let put = DeployKey {
                id: found.and_then(|key| key.id),
                title: title.clone(),
                key: public.clone(),
                can_push: wanted.can_push,
            };
            let right = if wanted.can_push { "may push" } else { "read-only" };
            match found {
                // One that somebody put in as `gosling init` says is as good.
                Some(key)
                    if (key.title == title || key.title == DeployKey::given_title(name))
                        && key.can_push == wanted.can_push =>
                {
                    self.steps.push(thing.step(LinkChange::Keep, key.id, Some(right.to_owned())));
                    self.note_key(name, key.id, recorded, None).await?;
                }
                Some(key) => {
                    if !self.is_dry() {
                        gitlab.put_deploy_key(access, project, &put).await?;
                    }
                    self.steps.push(thing.step(LinkChange::Change, key.id, Some(right.to_owned())));
                    self.note_key(name, key.id, recorded, Some(("deploy_key.change", key.id))).await?;
                }
                None => {
                    let mut id = None;
                    if !self.is_dry() {
                        id = Some(gitlab.put_deploy_key(access, project, &put).await?);
                    }
                    self.steps.push(thing.step(LinkChange::Make, id, Some(right.to_owned())));
                    self.note_key(name, id, recorded, Some(("deploy_key.make", id))).await?;
                }
            }
        }
        for old in there.iter().filter(is_ours).filter(|key| !is_it(key)) {
            let Some(id) = old.id else { continue };
            if !self.is_dry() {
                gitlab.delete_deploy_key(access, project, id).await?;
            }
            let why = wanted.map(|_| "another key".to_owned());
            self.steps.push(thing.step(LinkChange::Remove, Some(id), why));
            let kept = self.nest.keys.get(name).copied().filter(|_| wanted.is_some());
            self.note_key(name, kept, None, Some(("deploy_key.remove", Some(id)))).await?;
        }
        if wanted.is_none() && self.nest.keys.contains_key(name) {
            self.note_key(name, None, recorded, None).await?;
        }
        Ok(())
    }

    /// Writes down which key there is.
    async fn note_key(
        &mut self,
        name: &str,
        id: Option<u64>,
        recorded: Option<u64>,
        done: Option<(&str, Option<u64>)>,
    ) -> Result<(), Failure> {
        if done.is_none() && id == recorded {
            return Ok(());
        }
        let entries = done
            .map(|(action, id)| self.nest_entry(action, json!({ "key": name, "deploy_key": id })))
            .into_iter()
            .collect();
        let change = |keys: &mut BTreeMap<String, u64>| match id {
            Some(id) => drop(keys.insert(name.to_owned(), id)),
            None => drop(keys.remove(name)),
        };
        self.amend_nest(entries, |nest| change(&mut nest.keys)).await
    }
}

/// A public key without its comment.
fn material(key: &str) -> Option<String> {
    let mut parts = key.split_whitespace();
    Some(format!("{} {}", parts.next()?, parts.next()?))
}
