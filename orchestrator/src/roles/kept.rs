//! The eggs, kept in memory for as long as nobody has written one: every webhook needs them, and they seldom change.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::Context;
use crate::{
    nest::Routes,
    ports::store::StoreError,
    records::{self, EggRecord, Record},
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
pub struct Kept(Arc<Mutex<Option<Read>>>);

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
        let mut kept = self.kept.0.lock().await;
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
}
