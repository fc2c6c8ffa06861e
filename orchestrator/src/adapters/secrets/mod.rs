//! Secrets: where they are kept, and what stands before every backend.
//!
//! A role that asks goes through [`Cached`], [`Audited`] and [`Masked`], and then by [`Router`] to the backend.

mod audited;
mod cached;
pub mod file;
pub mod key;
mod masked;
mod router;

use std::{path::Path, sync::Arc};

pub use audited::Audited;
pub use cached::{Cached, TTL};
pub use masked::Masked;
pub use router::Router;

use fly_std::formats::secret_uri::SecretUri;

use crate::{
    ports::{
        clock::Clock,
        secrets::{SecretError, Secrets},
        store::Store,
    },
    seal::Seal,
};
use file::SecretsFile;
use key::{KeyError, Keys};

/// The seal of the database's sensitive columns and the file of secrets, both by the key of this folder. The key is in
/// `key_file`, or else in the folder itself, where one is made at the first start.
///
/// # Errors
///
/// When the key can't be read or made, or doesn't open what is there.
pub fn open(
    data: &Path,
    key_file: Option<&Path>,
    clock: Arc<dyn Clock>,
) -> Result<(Seal, SecretsFile), KeyError> {
    let keys = Keys::open(data, key_file)?;
    let seal = keys.seal();
    Ok((seal, SecretsFile::open(data, keys, clock)?))
}

/// What roles have: secrets of these backends, kept for a while, with every access in the audit log in the name of `actor`,
/// and no value in any log line.
pub fn for_roles(
    backends: Router,
    clock: Arc<dyn Clock>,
    store: Arc<dyn Store>,
    actor: &str,
) -> Arc<dyn Secrets> {
    let audited = Audited::new(Masked::new(backends), Arc::clone(&clock), store, actor);
    Arc::new(Cached::new(audited, clock))
}

/// Nobody has answered what a secret is.
fn nothing(uri: &SecretUri) -> SecretError {
    let (backend, id) = (uri.backend.scheme(), uri.id.to_string());
    SecretError::Away { backend, id, reason: "nobody has answered; try it again".to_owned() }
}
