//! Pages of lists.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use utoipa::IntoParams;

use super::problem::{Answer, Refusal};
use crate::{
    ports::store::{Cursor, Query, Store},
    records::{self, Record},
    wire::Page,
};

/// How many come without being asked for a number, and at most.
const USUAL: usize = 100;
const MOST: usize = 1000;

/// Which page.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// How many at most: 1 to 1000, 100 unless it is said.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
}

impl Paging {
    #[cfg(test)]
    pub(super) fn new(limit: Option<usize>, cursor: Option<String>) -> Self {
        Self { limit, cursor }
    }

    /// How many are asked for.
    pub(super) fn limit(&self) -> Answer<usize> {
        match self.limit.unwrap_or(USUAL) {
            limit @ 1..=MOST => Ok(limit),
            _ => Err(Refusal::invalid(format!("`limit` is a number from 1 to {MOST}"))),
        }
    }

    /// Where the page begins. A cursor is good for the list that gave it alone.
    pub(super) fn after(&self, list: &str) -> Answer<Option<Cursor>> {
        let Some(shown) = &self.cursor else { return Ok(None) };
        let read = || {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(shown).ok()?;
            let (of, after): (String, String) = serde_json::from_slice(&bytes).ok()?;
            (of == list).then_some(Cursor(after))
        };
        let wrong = || Refusal::invalid("`cursor` is not one that this list gave; begin without it");
        read().ok_or_else(wrong).map(Some)
    }
}

/// A page of what fits: what doesn't is left out, until the page is full.
pub(super) async fn full<R: Record, T>(
    store: &dyn Store,
    list: &str,
    paging: &Paging,
    wanted: Query,
    fit: impl Fn(R) -> Option<T>,
) -> Answer<Page<T>> {
    let limit = paging.limit()?;
    let mut after = paging.after(list)?;
    let mut given = after.is_some();
    let mut items = Vec::new();
    loop {
        let wanted = Query { limit: limit - items.len(), after, ..wanted.clone() };
        let found = records::query::<R>(store, &wanted).await;
        let found = found.map_err(|error| of_cursor(error, given))?;
        items.extend(found.records.into_iter().filter_map(|known| fit(known.record)));
        given = false;
        match found.next {
            Some(next) if items.len() < limit => after = Some(next),
            end => return Ok(Page { items, next: next(list, end) }),
        }
    }
}

/// The end of a page, as callers get it.
pub(super) fn next(list: &str, cursor: Option<Cursor>) -> Option<String> {
    let Cursor(after) = cursor?;
    // Two texts can always be written.
    serde_json::to_vec(&(list, after)).ok().map(|bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// A mistake in a page's end is the caller's.
pub(super) fn of_cursor(error: crate::ports::store::StoreError, given: bool) -> Refusal {
    match error {
        crate::ports::store::StoreError::Wrong(_) if given => {
            Refusal::invalid("`cursor` is not one that this list gave; begin without it")
        }
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_list_alone() {
        let given = next("runners", Some(Cursor("[\"a\"]".to_owned())));
        let paging = Paging::new(None, given);
        assert_eq!(paging.after("runners").ok().flatten(), Some(Cursor("[\"a\"]".to_owned())));
        assert!(paging.after("eggs").is_err());
        assert!(Paging::new(None, Some("rubbish".to_owned())).after("runners").is_err());
    }

    #[test]
    fn a_page_has_its_bounds() {
        assert_eq!(Paging::default().limit().ok(), Some(100));
        assert!(Paging::new(Some(0), None).limit().is_err());
        assert!(Paging::new(Some(1001), None).limit().is_err());
    }
}
