//! Which bundles are still wanted: what nothing refers to any more goes.

use std::collections::BTreeSet;

use crate::{
    ports::{
        store::{Query, Store, StoreError, Value},
        tofu::Bundle,
    },
    records::{EggRecord, PlanRecord, Record, all, query},
    roles::Context,
};

/// How many of an egg's last plans a rollback can go back to.
const PLANS: usize = 200;

/// What each egg is made from by now, or would be without its rollback.
pub(super) async fn of_eggs(store: &dyn Store) -> Result<BTreeSet<(String, String)>, StoreError> {
    let mut found = BTreeSet::new();
    for egg in all::<EggRecord>(store, None, None).await? {
        let egg = egg.record;
        found.extend(egg.pinned.iter().map(|pin| (egg.name.clone(), pin.digest.clone())));
        found.insert((egg.name, egg.digest));
    }
    Ok(found)
}

/// Removes the bundles that no egg is made from by now or was `before` this sync, when a deployment may have begun with it,
/// and that no plan was made from that can be gone back to. What can't be removed is tried again after the next sync.
pub(super) async fn prune(context: &Context, before: BTreeSet<(String, String)>) {
    match wanted(&*context.ports.store, before).await {
        Ok(keep) => {
            if let Err(error) = context.ports.tofu.prune(&keep).await {
                tracing::warn!(%error, "what was built for earlier commits stays");
            }
        }
        Err(error) => {
            tracing::warn!(%error, "it is not known what of earlier builds is still wanted; all of it stays");
        }
    }
}

async fn wanted(store: &dyn Store, before: BTreeSet<(String, String)>) -> Result<Vec<Bundle>, StoreError> {
    let mut found = of_eggs(store).await?;
    let owners: BTreeSet<String> = found.iter().map(|(owner, _)| owner.clone()).collect();
    found.extend(before);
    for owner in owners {
        let plans = Query {
            table: PlanRecord::TABLE,
            index: Some("egg_name_index"),
            partition: Some(Value::Text(owner.clone())),
            from: None,
            until: None,
            descending: true,
            limit: PLANS,
            after: None,
        };
        let plans = query::<PlanRecord>(store, &plans).await?.records;
        found.extend(plans.into_iter().map(|plan| (owner.clone(), plan.record.plan.digest)));
    }
    Ok(found.into_iter().map(|(owner, digest)| Bundle { owner, digest }).collect())
}
