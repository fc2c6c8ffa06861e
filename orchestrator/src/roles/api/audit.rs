//! `GET /audit`: who did what.

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Api,
    auth::{Caller, Read},
    page,
    problem::{Answer, Asked, Refusal},
};
use crate::{
    domain::Time,
    ports::store::{Cursor, Query, Store, Value},
    records::{self, AuditEntry, Record, Versioned},
    wire::{AuditView, Page, Problem},
};

/// How many days back one request looks.
const DAYS: u64 = 31;
/// How many days there are entries for.
const KEPT_DAYS: u64 = 366;
const DAY: std::time::Duration = std::time::Duration::from_hours(24);

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only of this thing: a runner's id, an egg's name.
    resource: Option<String>,
    /// Only of things of this kind: `secret`, `runner`, `egg`, `plan`.
    kind: Option<String>,
}

/// What was done, the last first.
#[utoipa::path(
    get, path = "/audit", tag = "operators", params(Which, page::Paging), security(("token" = ["read"])),
    responses(
        (status = 200, body = Page<AuditView>),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem),
    )
)]
pub(super) async fn list(
    _: Caller<Read>,
    State(api): State<Api>,
    Asked(which): Asked<Which>,
    Asked(paging): Asked<page::Paging>,
) -> Answer<Json<Page<AuditView>>> {
    let limit = paging.limit()?;
    let store = api.store();
    let fits = |entry: &Versioned<AuditEntry>| {
        which.kind.as_ref().is_none_or(|kind| *kind == entry.record.resource_type)
    };
    let Some(resource) = which.resource else {
        let after = paging.after("audit")?.map(|cursor| Place::read(&cursor)).transpose()?;
        let (entries, next) = last(store, api.now(), after, limit).await?;
        let next = next.map(|place| Cursor(place.write()));
        let items = entries.into_iter().filter(fits).map(|entry| view(entry.record)).collect();
        return Ok(Json(Page { items, next: page::next("audit", next) }));
    };
    let list = format!("audit/{resource}");
    let after = paging.after(&list)?;
    let given = after.is_some();
    let wanted = query(Some("resource_index"), Value::Text(resource), limit, after);
    let found = records::query::<AuditEntry>(store, &wanted).await;
    let found = found.map_err(|error| page::of_cursor(error, given))?;
    let items = found.records.into_iter().filter(fits).map(|entry| view(entry.record)).collect();
    Ok(Json(Page { items, next: page::next(&list, found.next) }))
}

/// A place in the whole log: a day, and within it.
pub(super) struct Place {
    day: Time,
    after: Option<String>,
}

impl Place {
    fn write(&self) -> String {
        serde_json::json!([self.day.as_millis(), self.after]).to_string()
    }

    fn read(cursor: &Cursor) -> Answer<Self> {
        let (day, after): (u64, Option<String>) = serde_json::from_str(&cursor.0)
            .map_err(|_| Refusal::invalid("`cursor` is not one that this list gave; begin without it"))?;
        Ok(Self { day: Time::from_millis(day), after })
    }
}

/// The last entries of the whole log from a place on. The log is a partition a day; days without entries are skipped, but
/// only so many at once.
pub(super) async fn last(
    store: &dyn Store,
    now: Time,
    from: Option<Place>,
    limit: usize,
) -> Answer<(Vec<Versioned<AuditEntry>>, Option<Place>)> {
    let mut entries = Vec::new();
    let given = from.is_some();
    let mut place = from.unwrap_or(Place { day: now, after: None });
    for _ in 0..DAYS {
        let after = place.after.take().map(Cursor);
        let wanted = query(Some("day_index"), Value::Text(place.day.day()), limit - entries.len(), after);
        let found = records::query::<AuditEntry>(store, &wanted).await;
        let found = found.map_err(|error| page::of_cursor(error, given))?;
        entries.extend(found.records);
        if let Some(Cursor(after)) = found.next {
            place.after = Some(after);
            return Ok((entries, Some(place)));
        }
        let before = place.day.as_millis().saturating_sub(Time::default().plus(DAY).as_millis());
        place.day = Time::from_millis(before);
        if now.since(place.day) > DAY * u32::try_from(KEPT_DAYS).unwrap_or(u32::MAX) || before == 0 {
            return Ok((entries, None));
        }
        if entries.len() >= limit {
            return Ok((entries, Some(place)));
        }
    }
    Ok((entries, Some(place)))
}

fn query(index: Option<&'static str>, partition: Value, limit: usize, after: Option<Cursor>) -> Query {
    Query {
        table: AuditEntry::TABLE,
        index,
        partition: Some(partition),
        from: None,
        until: None,
        descending: true,
        limit,
        after,
    }
}

/// An entry as operators see it.
pub(super) fn view(entry: AuditEntry) -> AuditView {
    AuditView {
        id: entry.id,
        at: entry.at.into(),
        actor: entry.actor,
        action: entry.action,
        resource_type: entry.resource_type,
        resource: entry.resource,
        details: entry.details,
    }
}
