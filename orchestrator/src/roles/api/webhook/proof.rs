//! What a request shows to prove that it comes from GitLab: the secret itself, or a signature made with it.

use std::time::Duration;

use axum::http::HeaderMap;
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::{domain::Time, ports::secrets::Secret};

/// How old a signature may be, and how far ahead GitLab's clock.
const FRESH: Duration = Duration::from_mins(5);

/// How the keys of signatures begin, with base64 behind it.
const SIGNING: &str = "whsec_";

/// A secret, ready to be compared with.
pub(super) struct Known {
    digest: [u8; 32],
    key: Secret,
}

impl Known {
    pub(super) fn new(secret: Secret) -> Option<Self> {
        // An empty secret is none: everybody knows it.
        (!secret.expose().is_empty())
            .then(|| Self { digest: Sha256::digest(secret.expose()).into(), key: secret })
    }
}

/// What a request shows.
pub(super) struct Proof<'r> {
    /// The digest of the secret it shows: digests are all of one length, so comparing tells nothing of that either.
    token: Option<[u8; 32]>,
    signed: Option<Signed<'r>>,
}

/// What was signed, and the signatures of it.
struct Signed<'r> {
    id: &'r str,
    timestamp: &'r str,
    body: &'r [u8],
    signatures: Vec<Vec<u8>>,
}

impl<'r> Proof<'r> {
    /// What a request shows; none when it shows nothing, or nothing but an old signature.
    pub(super) fn of(headers: &'r HeaderMap, body: &'r [u8], now: Time) -> Option<Self> {
        let token = headers.get("x-gitlab-token").map(|token| Sha256::digest(token.as_bytes()).into());
        let signed = Signed::of(headers, body, now);
        (token.is_some() || signed.is_some()).then_some(Self { token, signed })
    }

    /// Whether it was made with this secret.
    pub(super) fn is_by(&self, known: &Known) -> bool {
        let token = self.token.map_or(Choice::from(0), |token| token.ct_eq(&known.digest));
        let signed = self.signed.as_ref().map_or(Choice::from(0), |signed| signed.is_by(&known.key));
        (token | signed).into()
    }
}

impl<'r> Signed<'r> {
    fn of(headers: &'r HeaderMap, body: &'r [u8], now: Time) -> Option<Self> {
        let header = |name: &str| headers.get(name)?.to_str().ok();
        let (id, timestamp) = (header("webhook-id")?, header("webhook-timestamp")?);
        let made = Time::from_millis(timestamp.parse::<u64>().ok()?.checked_mul(1000)?);
        if now.since(made) > FRESH || made.since(now) > FRESH {
            return None;
        }
        let signatures = header("webhook-signature")?.split_ascii_whitespace();
        let signatures = signatures
            .filter_map(|signature| BASE64_STANDARD.decode(signature.strip_prefix("v1,")?).ok())
            .collect();
        Some(Self { id, timestamp, body, signatures })
    }

    fn is_by(&self, key: &Secret) -> Choice {
        let text = key.expose();
        let decoded = text.strip_prefix(SIGNING).and_then(|rest| BASE64_STANDARD.decode(rest).ok());
        let key = decoded.as_deref().unwrap_or(text.as_bytes());
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Choice::from(0) };
        for part in [self.id.as_bytes(), b".", self.timestamp.as_bytes(), b".", self.body] {
            mac.update(part);
        }
        let made: [u8; 32] = mac.finalize().into_bytes().into();
        self.signatures.iter().fold(Choice::from(0), |found, shown| found | shown.ct_eq(&made))
    }
}
