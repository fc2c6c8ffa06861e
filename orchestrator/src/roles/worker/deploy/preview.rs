//! What the next deployment would do: planned as it would be, under the same lease, and thrown away. No row, no ticket and no
//! runner comes of it.

use std::{collections::BTreeMap, time::Duration};

use super::{LONGEST, Run, apply, given, put};
use crate::{
    ports::tofu::TofuError,
    records::Made,
    roles::{
        Context,
        worker::{Failure, tenure::Tenure},
    },
    wire::PlanPreview,
};

/// What came of asking for a plan.
#[derive(Debug, Clone, PartialEq)]
pub enum Previewed {
    /// What the next deployment would do.
    Plan(Box<PlanPreview>),
    /// One goes on all the while.
    Deploying,
    /// Others have all the places for `OpenTofu`.
    Full,
}

/// How often one looks whether a deployment that goes on has come to its end, and how long one waits between.
const LOOKS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(250);

/// What the next deployment of an egg would do. It takes one of the places that deployments have.
///
/// # Errors
///
/// When the database or the queue is away. What `OpenTofu` says against it stands in the answer.
pub async fn preview(context: &Context, owner: &str) -> Result<Previewed, Failure> {
    let name = format!("egg/{owner}");
    let mut looks = 1;
    let tenure = loop {
        match Tenure::take(context, &name).await? {
            Some(tenure) => break tenure,
            None if looks == LOOKS => return Ok(Previewed::Deploying),
            None => {
                looks += 1;
                tokio::time::sleep(PAUSE).await;
            }
        }
    };
    let evidence = tenure.left_behind;
    let run = Run { context, tenure: &tenure, owner, back: None, evidence, is_clean: !evidence, plan: None };
    let done = tenure.during(Box::pin(run.pretend_in_place())).await;
    if evidence {
        // Whoever deploys next has to see it.
        tenure.abandon().await;
    } else {
        tenure.release().await;
    }
    // A deployment that came by meanwhile has left its work to whoever had the lease.
    put::decide(context).await?;
    done
}

impl Run<'_> {
    /// Once there is a place. Whoever waits for one keeps none from somebody else.
    async fn pretend_in_place(&self) -> Result<Previewed, Failure> {
        let places = self.context.places();
        let Ok(place) = tokio::time::timeout(PAUSE * LOOKS, places.acquire()).await else {
            return Ok(Previewed::Full);
        };
        let done = self.pretend().await;
        drop(place);
        done.map(|preview| Previewed::Plan(Box::new(preview)))
    }

    async fn pretend(&self) -> Result<PlanPreview, Failure> {
        let ports = &self.context.ports;
        let Some(egg) = self.egg().await? else {
            return Err(Failure::Never(format!("there is no egg `{}`", self.owner)));
        };
        let mut runners = self.runners().await?;
        // Of these a deployment makes nothing.
        runners.retain(|known| known.record.care.made != Made::Not || known.record.runner.ending.is_none());
        let (digest, commit) = egg.record.made_from();
        let tickets = self.pretended_tickets(&runners);
        let (environment, unread) = match self.environment(&egg.record).await {
            Ok(environment) => (environment, None),
            Err(error) => (BTreeMap::new(), Some(error.to_string())),
        };
        let (wanted, request) = self.request(&egg.record, &runners, digest, (tickets, environment));
        let (changes, error) = match unread {
            // Without what opens its cloud nothing can be asked of it.
            Some(error) => (BTreeMap::new(), Some(error)),
            None => match ports.tofu.plan(&request).await {
                Ok(planned) => (planned.changes, None),
                Err(TofuError::Unset { owner, unset }) => {
                    let cloud = given::cloud(&egg.record).name();
                    (BTreeMap::new(), Some(given::lacking(&owner, cloud, &unset)))
                }
                Err(error) => (BTreeMap::new(), Some(error.to_string().chars().take(LONGEST).collect())),
            },
        };
        Ok(PlanPreview {
            egg: self.owner.to_owned(),
            at: ports.clock.now().into(),
            digest: digest.to_owned(),
            commit: commit.to_owned(),
            runners: wanted
                .iter()
                .map(|(id, pool)| (id.to_string(), apply::word(*pool).to_owned()))
                .collect(),
            changes,
            error,
        })
    }
}
