//! Who asks, and what that one may do.

use std::marker::PhantomData;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use subtle::{Choice, ConstantTimeEq};

use super::{Api, problem::Refusal};
use crate::{
    seal,
    settings::{ApiToken, Scope},
};

/// The header that timers show their token in.
pub(super) const TRIGGER: &str = "x-trigger-auth";

/// A right, as a type: what a handler asks for.
pub(super) trait Right: Send {
    /// The scope that gives it.
    const SCOPE: Scope;
}

/// To look.
pub(super) struct Read;
/// To change what runs.
pub(super) struct Operate;
/// To call what timers call.
pub(super) struct Trigger;

impl Right for Read {
    const SCOPE: Scope = Scope::Read;
}
impl Right for Operate {
    const SCOPE: Scope = Scope::Operate;
}
impl Right for Trigger {
    const SCOPE: Scope = Scope::Trigger;
}

/// Somebody who has the right.
pub(super) struct Caller<R> {
    /// `api:NAME`, as the audit log has it.
    pub(super) actor: String,
    right: PhantomData<R>,
}

impl<R: Right> FromRequestParts<Api> for Caller<R> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Refusal> {
        let shown = match R::SCOPE {
            Scope::Trigger => trigger(&parts.headers),
            _ => bearer(&parts.headers),
        };
        let shown = shown.ok_or_else(|| {
            Refusal::unknown_caller(match R::SCOPE {
                Scope::Trigger => "show a token with the scope `trigger` as `X-Trigger-Auth`",
                _ => "show a token as `Authorization: Bearer …`",
            })
        })?;
        let tokens = api.context.tokens();
        let token = known(&tokens, shown)
            .ok_or_else(|| Refusal::unknown_caller("this installation has no such token"))?;
        let may = token.scopes.contains(&R::SCOPE)
            || R::SCOPE == Scope::Read && token.scopes.contains(&Scope::Operate);
        if !may {
            return Err(Refusal::needs(R::SCOPE.name()));
        }
        Ok(Self { actor: format!("api:{}", token.name), right: PhantomData })
    }
}

/// Whether a request shows a token that may look at everything.
pub(super) fn may_read(headers: &HeaderMap, tokens: &[ApiToken]) -> bool {
    let known = bearer(headers).and_then(|shown| known(tokens, shown));
    known.is_some_and(|token| token.scopes.contains(&Scope::Read) || token.scopes.contains(&Scope::Operate))
}

/// The token of `Authorization: Bearer TOKEN`.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    after_bearer(headers.get(header::AUTHORIZATION)?.to_str().ok()?)
}

fn trigger(headers: &HeaderMap) -> Option<&str> {
    let shown = headers.get(TRIGGER)?.to_str().ok()?;
    Some(after_bearer(shown).unwrap_or(shown).trim()).filter(|token| !token.is_empty())
}

fn after_bearer(text: &str) -> Option<&str> {
    let (scheme, token) = text.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The token that was shown. All are looked at, whichever it is.
fn known<'t>(tokens: &'t [ApiToken], shown: &str) -> Option<&'t ApiToken> {
    let shown = seal::fingerprint(shown);
    let mut found = None;
    for token in tokens {
        let same: Choice = token.sha256.to_ascii_lowercase().as_bytes().ct_eq(shown.as_bytes());
        if same.into() {
            found = Some(token);
        }
    }
    found
}
