//! What a runner shows: its credential, which opens nothing but its own paths.

use axum::http::HeaderMap;

use super::{
    Api, auth,
    problem::{Answer, Refusal},
    runners,
};
use crate::{
    records::{RunnerRecord, Versioned},
    seal,
};

/// What every runner is told that isn't let in, whatever the reason.
const REFUSED: &str = "this is not what the runner was given last; one that lost it is replaced";

/// A runner is not let in.
pub(super) fn refused() -> Refusal {
    Refusal::forbidden(REFUSED)
}

/// What a runner shows as `Authorization: Bearer`.
pub(super) fn shown(headers: &HeaderMap) -> Answer<&str> {
    auth::bearer(headers)
        .ok_or_else(|| Refusal::unknown_caller("a runner shows its credential as `Authorization: Bearer …`"))
}

/// The runner whose credential this is.
pub(super) async fn runner(api: &Api, id: &str, shown: &str) -> Answer<Versioned<RunnerRecord>> {
    let found = runners::find(api, id).await?.ok_or_else(refused)?;
    let is_its = found.record.credential.as_deref().is_some_and(|own| seal::has_fingerprint(shown, own));
    if is_its { Ok(found) } else { Err(refused()) }
}
