//! What the roles of a process share. The eggs, kept in memory for as long as nobody has written one: every webhook needs
//! them, and they seldom change. The places for `OpenTofu`, whoever runs it. The tokens of the API, which come and go.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use tokio::sync::{Mutex, Semaphore};

use super::Context;
use crate::{
    nest::Routes,
    ports::store::StoreError,
    records::{self, EggRecord, Record},
    settings::ApiToken,
};

/// All eggs at a moment.
#[derive(Debug, Default)]
pub struct Eggs {
    /// Everything that was ever in the Nest, by name.
    pub all: Vec<EggRecord>,
    /// Who takes which job.
    pub routes: Routes,
}

/// What is kept.
#[derive(Debug, Clone, Default)]
pub struct Kept(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    eggs: Mutex<Option<Read>>,
    places: OnceLock<Arc<Semaphore>>,
    /// None for as long as they are those of the settings.
    tokens: RwLock<Option<Arc<[ApiToken]>>>,
}

/// What was read, and the revision that it is good for.
type Read = (u64, Arc<Eggs>);

impl Context {
    /// All eggs, as they are now: what this process has written is seen at once. A database that can't tell whether others
    /// have written is read each time.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub async fn eggs(&self) -> Result<Arc<Eggs>, StoreError> {
        let store = &*self.ports.store;
        // Who comes while they are read waits here, and finds them read.
        let mut kept = self.kept.0.eggs.lock().await;
        // Before they are read: what is written meanwhile makes them old.
        let revision = store.revision(EggRecord::TABLE);
        if let (Some(now), Some((then, eggs))) = (revision, &*kept)
            && now == *then
        {
            return Ok(Arc::clone(eggs));
        }
        let all = records::all::<EggRecord>(store, None, None).await?;
        let all: Vec<EggRecord> = all.into_iter().map(|egg| egg.record).collect();
        let routes = Routes::of(&all, &self.settings.nest);
        let eggs = Arc::new(Eggs { all, routes });
        *kept = revision.map(|revision| (revision, Arc::clone(&eggs)));
        Ok(eggs)
    }

    /// The places for work that takes minutes, as many as there are workers: no more of `OpenTofu` runs at once in this
    /// process, whoever asks for it.
    #[must_use]
    pub fn places(&self) -> Arc<Semaphore> {
        let make = || Arc::new(Semaphore::new(self.settings.workers.max(1)));
        Arc::clone(self.kept.0.places.get_or_init(make))
    }

    /// The tokens that the API takes now.
    #[must_use]
    pub fn tokens(&self) -> Arc<[ApiToken]> {
        let changed = self.kept.0.tokens.read().unwrap_or_else(PoisonError::into_inner).clone();
        changed.unwrap_or_else(|| self.settings.tokens.as_slice().into())
    }

    /// From now on the API takes these.
    pub fn set_tokens(&self, tokens: Vec<ApiToken>) {
        *self.kept.0.tokens.write().unwrap_or_else(PoisonError::into_inner) = Some(tokens.into());
    }
}
