//! Plans of an egg.

use super::{
    Api, page,
    problem::{Answer, Refusal},
    runners::word,
};
use crate::{
    domain::PlanStatus,
    ports::store::{Cursor, Query, Value},
    records::{self, PlanRecord, Record},
    wire::{Page, PlanView},
};

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

/// Whether an egg can go back to a plan: one that was in force once.
pub(super) fn may_go_back_to(plan: &PlanRecord) -> Answer<()> {
    match plan.plan.status {
        PlanStatus::Applied | PlanStatus::RolledBack => Ok(()),
        status => {
            let (id, status) = (&plan.plan.id, word(&status));
            let detail =
                format!("the plan `{id}` is {status} and was never in force; choose one that is applied");
            Err(Refusal::conflict(detail))
        }
    }
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
