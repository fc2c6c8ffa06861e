//! A lease that is held while work goes on: it is renewed beside the work, and what is written holds only while it does.

use std::{future::Future, time::Duration};

use tokio::sync::Mutex;
use uuid::Uuid;

use super::Failure;
use crate::{
    domain::{Fence, Time},
    ports::store::{StoreError, Value, Write},
    records::{self, Held, Lease},
    roles::Context,
};

/// How long a lease holds without being renewed.
pub(super) const SPAN: Duration = Duration::from_secs(30);

/// How often it is renewed.
const RENEWAL: Duration = Duration::from_secs(10);

/// A lease that is held.
pub(super) struct Tenure<'a> {
    context: &'a Context,
    held: Mutex<Held>,
    /// Its number.
    pub(super) fence: Fence,
    /// When it was taken.
    pub(super) since: Time,
    /// Whether whoever had it before went away without giving it back.
    pub(super) left_behind: bool,
}

impl<'a> Tenure<'a> {
    /// Takes a lease; none when somebody else has it.
    pub(super) async fn take(context: &'a Context, name: &str) -> Result<Option<Self>, StoreError> {
        let store = &*context.ports.store;
        let now = context.ports.clock.now();
        // Two tasks of one process are two holders.
        let owner = format!("{}/{}", context.instance, Uuid::now_v7().simple());
        let before = records::get::<Lease>(store, vec![Value::Text(name.to_owned())]).await?;
        let left_behind = before.is_some_and(|lease| !lease.record.owner.is_empty());
        let held = records::acquire(store, name, &owner, SPAN, now).await?;
        Ok(held.map(|held| Self {
            context,
            fence: held.record.fence,
            held: Mutex::new(held),
            since: now,
            left_behind,
        }))
    }

    /// Does work while the lease is renewed; a lease that is lost ends the work.
    pub(super) async fn during<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            done = work => done,
            lost = self.renew() => Err(lost),
        }
    }

    async fn renew(&self) -> Failure {
        loop {
            tokio::time::sleep(RENEWAL).await;
            let mut held = self.held.lock().await;
            let now = self.context.ports.clock.now();
            match records::renew(&*self.context.ports.store, &held, SPAN, now).await {
                Ok(Some(next)) => *held = next,
                Ok(None) => return lost(&held.record.name),
                // Until the lease is over it may come back.
                Err(error) if now >= held.record.until => return error.into(),
                Err(_) => {}
            }
        }
    }

    /// Writes all or nothing while the lease holds; `false` when a row is not as it was expected.
    pub(super) async fn commit(&self, mut writes: Vec<Write>) -> Result<bool, Failure> {
        let held = self.held.lock().await;
        writes.push(held.unchanged());
        match self.context.ports.store.commit(writes).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict(_)) => {
                let key = vec![Value::Text(held.record.name.clone())];
                let found = records::get::<Lease>(&*self.context.ports.store, key).await?;
                match found {
                    Some(found) if found.version == held.version => Ok(false),
                    _ => Err(lost(&held.record.name)),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Gives the lease back.
    pub(super) async fn release(self) {
        let held = self.held.into_inner();
        let now = self.context.ports.clock.now();
        if let Err(error) = records::release(&*self.context.ports.store, &held, now).await {
            tracing::warn!(lease = held.record.name, %error, "a lease was not given back; it ends by itself");
        }
    }

    /// Gives the lease back so that the next holder sees that something was left behind.
    pub(super) async fn abandon(self) {
        let held = self.held.into_inner();
        let now = self.context.ports.clock.now();
        let ended = records::renew(&*self.context.ports.store, &held, Duration::ZERO, now).await;
        if let Err(error) = ended {
            tracing::warn!(lease = held.record.name, %error, "a lease was not given back; it ends by itself");
        }
    }
}

fn lost(name: &str) -> Failure {
    Failure::later(format!("the lease `{name}` has gone to somebody else"))
}
