//! Plans of an egg.

use super::{
    Api, page,
    problem::{Answer, Refusal},
    runners::word,
};
use crate::{
    domain::PlanStatus,
    ports::{
        store::{Cursor, Query, Value},
        tofu::Bundle,
    },
    records::{self, EggRecord, PlanRecord, Record},
    wire::{Page, PlanView},
};

/// How many plans are looked through for the one before.
const PLANS: usize = 200;

/// The plans of an egg, the last first.
pub(super) fn query(egg: &str, limit: usize, after: Option<Cursor>) -> Query {
    Query {
        table: PlanRecord::TABLE,
        index: Some("egg_name_index"),
        partition: Some(Value::Text(egg.to_owned())),
        from: None,
        until: None,
        descending: true,
        limit,
        after,
    }
}

pub(super) async fn list(api: &Api, egg: &str, paging: &page::Paging) -> Answer<Page<PlanView>> {
    let list = format!("plans/{egg}");
    let after = paging.after(&list)?;
    let given = after.is_some();
    let found = records::query::<PlanRecord>(api.store(), &query(egg, paging.limit()?, after)).await;
    let found = found.map_err(|error| page::of_cursor(error, given))?;
    let items = found.records.iter().map(|plan| view(&plan.record)).collect();
    Ok(Page { items, next: page::next(&list, found.next) })
}

/// The plan with this id, of this egg.
pub(super) async fn known(api: &Api, egg: &str, id: &str) -> Answer<PlanRecord> {
    let found = records::get::<PlanRecord>(api.store(), vec![Value::Text(id.to_owned())]).await?;
    let found = found.map(|plan| plan.record).filter(|plan| plan.plan.egg == egg);
    found.ok_or_else(|| {
        Refusal::missing(format!("`{egg}` has no plan `{id}`; `gosling list plans {egg}` shows them"))
    })
}

/// The plan that an egg goes back to: the one that is named, or the last that was made from something else. It is settled
/// when it is asked for, so that doing it a second time, after a crash, leads nowhere else.
pub(super) async fn to_go_back_to(api: &Api, egg: &EggRecord, to: Option<&str>) -> Answer<PlanRecord> {
    let name = &egg.name;
    if egg.removed {
        let detail = format!("`{name}` has left the Nest, and its runners go; put it back there first");
        return Err(Refusal::conflict(detail));
    }
    let current = egg.made_from().0;
    let plan = match to {
        Some(id) => known(api, name, id).await?,
        None => {
            let plans = records::query::<PlanRecord>(api.store(), &query(name, PLANS, None)).await?.records;
            let mut plans = plans.into_iter().map(|plan| plan.record);
            plans.find(|plan| was_in_force(plan) && plan.plan.digest != current).ok_or_else(|| {
                let detail = format!("`{name}` was never deployed from anything else than it is now");
                Refusal::conflict(detail)
            })?
        }
    };
    let (id, status) = (&plan.plan.id, word(&plan.plan.status));
    if !was_in_force(&plan) {
        let detail =
            format!("the plan `{id}` is {status} and was never in force; choose one that was applied");
        return Err(Refusal::conflict(detail));
    }
    let bundle = Bundle { owner: name.clone(), digest: plan.plan.digest.clone() };
    if plan.plan.digest == current || api.context.ports.tofu.holds(&bundle).await.unwrap_or(true) {
        return Ok(plan);
    }
    Err(Refusal::conflict(format!(
        "the files that the plan `{id}` was made from are not kept any more; choose a later one, or bring its commit {} \
         back in the Nest: git revert",
        plan.plan.commit
    )))
}

fn was_in_force(plan: &PlanRecord) -> bool {
    matches!(plan.plan.status, PlanStatus::Applied | PlanStatus::RolledBack)
}

/// A plan as operators see it.
pub(super) fn view(record: &PlanRecord) -> PlanView {
    let plan = &record.plan;
    PlanView {
        id: plan.id.clone(),
        egg: plan.egg.clone(),
        kind: word(&record.kind),
        status: word(&plan.status),
        digest: plan.digest.clone(),
        commit: plan.commit.clone(),
        rollback_of: record.rollback_of.clone(),
        made: plan.made.into(),
        applied: record.applied.map(Into::into),
        runners: record.runners.clone(),
        changes: record.changes.clone(),
        error: record.error.clone(),
    }
}
