//! An egg goes back to what an earlier plan had.
//!
//! The bytes of a plan are used up by applying it, and a state that has moved on takes none that was made before. So a new
//! plan is made, from the very files that the earlier one was made from: never from today's Nest. When it was applied, the
//! egg's row says so ([`crate::records::Pin`]), and its runners are made from those files until the Nest has another digest for
//! the egg than the one that was gone back from.

use super::{
    Failure,
    deploy::{self, Back},
    put,
};
use crate::{
    domain::PlanStatus,
    ports::store::Value,
    records::{self, EggRecord, PlanRecord},
    roles::{Context, Work},
};

/// How many plans are looked through for the one before.
const PLANS: usize = 200;

/// How long a rollback waits for a deployment that is under way.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// Goes back.
pub(super) async fn rollback(
    context: &Context,
    owner: &str,
    to: Option<&str>,
    actor: &str,
) -> Result<(), Failure> {
    let store = &*context.ports.store;
    let egg = records::get::<EggRecord>(store, vec![Value::Text(owner.to_owned())]).await?;
    let Some(egg) = egg.map(|egg| egg.record).filter(|egg| !egg.removed) else {
        return Err(Failure::Never(format!("there is no egg `{owner}` in the Nest")));
    };
    let current = egg.made_from().0;
    let plan = match to {
        Some(id) => {
            let found = records::get::<PlanRecord>(store, vec![Value::Text(id.to_owned())]).await?;
            let of_egg = found.map(|plan| plan.record).filter(|plan| plan.plan.egg == owner);
            of_egg.ok_or_else(|| Failure::Never(format!("`{owner}` has no plan `{id}`")))?
        }
        None => {
            let plans = deploy::last_plans(context, owner, PLANS).await?;
            let mut applied = plans.into_iter().map(|plan| plan.record).filter(was_applied);
            applied.find(|plan| plan.plan.digest != current).ok_or_else(|| {
                Failure::Never(format!("`{owner}` has never been deployed from anything else than it is now"))
            })?
        }
    };
    if !was_applied(&plan) {
        return Err(Failure::Never(format!(
            "the plan `{}` of `{owner}` was never applied, so there is nothing to go back to",
            plan.plan.id
        )));
    }
    if plan.plan.digest == current {
        tracing::info!(egg = owner, plan = plan.plan.id, "the egg is there already");
        return Ok(());
    }
    let back = Back { plan, actor: actor.to_owned() };
    if deploy::run(context, owner, Some(&back)).await? {
        return Ok(());
    }
    // A deployment is under way; it is no failure to wait for it.
    let now = context.ports.clock.now();
    let to = back.plan.plan.id;
    // Another one, to another plan, may wait as well.
    let key = format!("rollback/{owner}/{to}/{}", now.as_millis() / put::millis(PATIENCE));
    let work = Work::Rollback { egg: owner.to_owned(), to: Some(to), actor: actor.to_owned() };
    let message =
        crate::ports::queue::Message { not_before: Some(now.plus(PATIENCE)), ..work.message(Some(key)) };
    context.ports.queue.put(vec![message]).await?;
    Ok(())
}

fn was_applied(plan: &PlanRecord) -> bool {
    matches!(plan.plan.status, PlanStatus::Applied | PlanStatus::RolledBack)
}
