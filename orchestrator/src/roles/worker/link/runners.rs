//! The runners of an owner in GitLab, made and changed by what deployments do it with, and looked at there first.

use serde_json::json;

use super::{LEASE, Linking, Thing, lease};
use crate::{
    ports::store::Value,
    records::{self, EggRecord},
    roles::{
        Context,
        worker::{
            Failure,
            access::Spot,
            put,
            register::{self, Outlook},
            tenure::Tenure,
        },
    },
    wire::{LinkChange, LinkedThing},
};

/// Gives the lease of an owner's deployments back. What one left behind is for the next of them to see, and one that came by
/// meanwhile has left its work to us.
async fn give_back(context: &Context, tenure: Tenure<'_>) -> Result<(), Failure> {
    if tenure.left_behind {
        tenure.abandon().await;
    } else {
        tenure.release().await;
    }
    Ok(put::decide(context).await?)
}

/// What is to become of a runner.
fn change(outlook: &Outlook) -> (LinkChange, Option<u64>, Option<&'static str>) {
    match (&outlook.there, outlook.found) {
        (Some(known), _) if known.is_as(&outlook.wanted) => (LinkChange::Keep, Some(known.id), None),
        (Some(known), _) => (LinkChange::Change, Some(known.id), Some("its settings")),
        (None, Some(found)) => (LinkChange::Change, Some(found), Some("taken over, with a new token")),
        (None, None) => (LinkChange::Make, None, None),
    }
}

impl Linking<'_> {
    fn runner_at(spot: &Spot) -> Thing {
        Thing {
            kind: LinkedThing::Runner,
            server: spot.server.clone(),
            place: spot.place,
            within: None,
            name: None,
        }
    }

    /// Brings the runners of an owner to what they should be.
    pub(super) async fn runners(&mut self, owner: &str) -> Result<(), Failure> {
        for spot in self.spots(owner) {
            let thing = Self::runner_at(&spot);
            if self.is_away(&spot.server) {
                let why = format!("{} is away; this was not tried", spot.server);
                self.came(&thing, Err(Failure::later(why)));
                continue;
            }
            let done = self.runner(owner, &thing, &spot).await;
            self.came(&thing, done);
        }
        Ok(())
    }

    async fn outlook(&self, owner: &str, spot: &Spot) -> Result<Option<Outlook>, Failure> {
        let Some(egg) = self.egg(owner) else { return Ok(None) };
        register::outlook(self.context, egg, spot, &self.eggs).await.map(Some)
    }

    async fn runner(&mut self, owner: &str, thing: &Thing, spot: &Spot) -> Result<(), Failure> {
        let Some(outlook) = self.outlook(owner, spot).await? else { return Ok(()) };
        let (planned, id, why) = change(&outlook);
        if self.is_dry() {
            self.steps.push(thing.step(planned, id, why.map(str::to_owned)));
            for double in outlook.doubles {
                self.steps.push(thing.step(LinkChange::Remove, Some(double), Some("a double".to_owned())));
            }
            return Ok(());
        }
        if planned == LinkChange::Keep && outlook.doubles.is_empty() && outlook.is_noted {
            self.steps.push(thing.step(planned, id, None));
            return Ok(());
        }
        // A deployment does the same, so only who has its lease does it.
        let Some(tenure) = lease(self.context, &format!("egg/{owner}")).await? else {
            return Err(Failure::later(format!(
                "a deployment of `{owner}` runs just now, and registers the runner itself"
            )));
        };
        let done = tenure.during(self.bring(owner, spot, &tenure)).await;
        give_back(self.context, tenure).await?;
        self.reload(owner).await?;
        let (change, id, why, doubles) = done?;
        self.steps.push(thing.step(change, id, why.map(str::to_owned)));
        for double in doubles {
            self.steps.push(thing.step(LinkChange::Remove, Some(double), Some("a double".to_owned())));
        }
        Ok(())
    }

    /// Does it, under the lease of the owner's deployments: what a deployment did just now is done.
    async fn bring(
        &self,
        owner: &str,
        spot: &Spot,
        tenure: &Tenure<'_>,
    ) -> Result<(LinkChange, Option<u64>, Option<&'static str>, Vec<u64>), Failure> {
        let Some(egg) = self.fresh(owner).await? else {
            return Err(Failure::Never(format!("`{owner}` has left the Nest")));
        };
        let outlook = register::outlook(self.context, &egg, spot, &self.eggs).await?;
        let (planned, id, why) = change(&outlook);
        let id = register::bring(self.context, tenure, owner, spot, &outlook, self.actor).await?.or(id);
        Ok((planned, id, why, outlook.doubles))
    }

    /// Takes the runners of an owner away.
    pub(super) async fn remove_runners(&mut self, owner: &str) -> Result<(), Failure> {
        for spot in self.spots(owner) {
            let thing = Self::runner_at(&spot);
            let done = self.remove_runner(owner, &thing, &spot).await;
            self.came(&thing, done);
        }
        Ok(())
    }

    async fn remove_runner(&mut self, owner: &str, thing: &Thing, spot: &Spot) -> Result<(), Failure> {
        let gone = if self.is_dry() {
            let outlook = self.outlook(owner, spot).await?;
            outlook.map(|outlook| outlook.all()).unwrap_or_default()
        } else {
            // A rotation that goes on, or a deployment, makes one under this lease.
            let Some(tenure) = lease(self.context, &format!("egg/{owner}")).await? else {
                return Err(Failure::later(format!(
                    "a deployment or a rotation of `{owner}` goes on just now"
                )));
            };
            let done = tenure.during(self.take_away(owner, spot, &tenure)).await;
            give_back(self.context, tenure).await?;
            self.reload(owner).await?;
            done?
        };
        for id in gone {
            self.steps.push(thing.step(LinkChange::Remove, Some(id), None));
        }
        Ok(())
    }

    /// Does it, under the lease of the owner's deployments; tells what went. Of a rotation both runners go.
    async fn take_away(&self, owner: &str, spot: &Spot, tenure: &Tenure<'_>) -> Result<Vec<u64>, Failure> {
        let Some(egg) = self.fresh(owner).await? else { return Ok(Vec::new()) };
        let outlook = register::outlook(self.context, &egg, spot, &self.eggs).await?;
        let key = spot.key();
        let gone = outlook.all();
        let mut entries = Vec::new();
        for id in &gone {
            self.context.ports.gitlab.delete_runner(&outlook.access, *id).await?;
            let details = json!({ "place": key, "gitlab_runner": id });
            entries.push(self.entry("runner.unregister", owner, details));
        }
        let is_noted = egg.runners_at(&key).next().is_some();
        if is_noted || !entries.is_empty() {
            register::amend(self.context, tenure, owner, entries, |egg| {
                if let Some(registered) = egg.registered.get_mut(&key) {
                    registered.runner = None;
                    registered.settings = None;
                }
                if let Some(rotation) = &mut egg.rotation {
                    rotation.turns.remove(&key);
                }
            })
            .await?;
        }
        Ok(gone)
    }

    /// An owner as it is now.
    async fn fresh(&self, owner: &str) -> Result<Option<EggRecord>, Failure> {
        let key = vec![Value::Text(owner.to_owned())];
        let found = records::get::<EggRecord>(&*self.context.ports.store, key).await?;
        Ok(found.map(|found| found.record))
    }

    /// Before what an owner had at a place is forgotten: webhooks that others need as well are handed over to them, and what
    /// is left of the webhooks is given to `rest`. Several owners share a project, so it is done as `gosling link` does it: one
    /// at a time. Nobody is waited for, since whoever links may wait for this owner.
    pub(in crate::roles::worker) async fn hand_over(
        context: &Context,
        (owner, key): (&str, &str),
        server: &str,
        projects: &[u64],
        rest: impl AsyncFnOnce(Vec<u64>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let Some(tenure) = Tenure::take(context, LEASE).await? else {
            return Err(Failure::later(format!(
                "somebody links or unlinks just now; what `{owner}` has at {key} is taken away after that"
            )));
        };
        let work = async {
            let left = Self::handed_over(context, &tenure, (owner, key), server, projects).await?;
            rest(left).await
        };
        let done = tenure.during(Box::pin(work)).await;
        tenure.release().await;
        done
    }

    /// Does it; the projects whose webhooks nobody needs any more are left.
    async fn handed_over(
        context: &Context,
        tenure: &Tenure<'_>,
        (owner, key): (&str, &str),
        server: &str,
        projects: &[u64],
    ) -> Result<Vec<u64>, Failure> {
        let mut linking = Linking::new(context, Some(tenure), "deploy").await?;
        tracing::debug!(owner, place = key, "the webhooks of a place are handed over");
        linking.load_members().await;
        let mut rest = Vec::new();
        for project in projects {
            if linking.has_keeper(server, *project) {
                linking.settle(server, *project, None, &[]).await;
            } else {
                rest.push(*project);
            }
        }
        Ok(rest)
    }
}
