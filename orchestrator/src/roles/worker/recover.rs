//! At the start: what a process that went away left behind is taken up again.
//!
//! Messages and leases come back by themselves, and a deployment looks for cut-off plans of its egg each time. Here is only
//! what nobody would come by soon: such eggs are put into the queue at once, and folders of runners nobody knows are removed.

#![allow(clippy::disallowed_methods, reason = "folders of local runners are looked at")]

use std::{collections::BTreeSet, path::Path};

use serde_json::json;

use super::{Failure, deploy, put};
use crate::{
    domain::{PlanStatus, State},
    ports::store::{StoreError, Value},
    records::{self, AuditEntry, EggRecord, Lease, RunnerRecord},
    roles::Context,
};

/// How many of an egg's last plans are looked at.
const PLANS: usize = 3;

/// Takes up what was left behind.
pub(super) async fn recover(context: &Context) -> Result<(), Failure> {
    let store = &*context.ports.store;
    let now = context.ports.clock.now();
    for egg in records::all::<EggRecord>(store, None, None).await? {
        let name = &egg.record.name;
        let plans = deploy::last_plans(context, name, PLANS).await?;
        let is_cut_off = plans
            .iter()
            .any(|plan| matches!(plan.record.plan.status, PlanStatus::Pending | PlanStatus::Applying));
        if !is_cut_off {
            continue;
        }
        let lease = records::get::<Lease>(store, vec![Value::Text(format!("egg/{name}"))]).await?;
        let until = lease.filter(|lease| !lease.record.owner.is_empty()).map(|lease| lease.record.until);
        tracing::info!(egg = name, "a deployment that was cut off is taken up again");
        // Whoever has the lease may be alive; else it is over then.
        let key = format!("recover/{}", context.instance);
        put::deploy(context, name, &key, until.filter(|until| *until > now)).await?;
    }
    orphans(context).await
}

/// Folders of local runners that nobody knows: they are removed, unless something still runs in them.
async fn orphans(context: &Context) -> Result<(), Failure> {
    let folder = context.ports.tofu.runners_folder();
    let Ok(mut found) = tokio::fs::read_dir(&folder).await else { return Ok(()) };
    let mut names = BTreeSet::new();
    while let Ok(Some(entry)) = found.next_entry().await {
        if entry.file_type().await.is_ok_and(|kind| kind.is_dir()) {
            names.extend(entry.file_name().into_string());
        }
    }
    for name in names {
        let store = &*context.ports.store;
        let row = records::get::<RunnerRecord>(store, vec![Value::Text(name.clone())]).await?;
        if row.is_some_and(|row| row.record.runner.state != State::Terminated) {
            continue;
        }
        let path = folder.join(&name);
        if is_running(&path).await {
            tracing::warn!(
                runner = name,
                "a process runs in the folder of a runner that is not known; stop it"
            );
            continue;
        }
        match tokio::fs::remove_dir_all(&path).await {
            Ok(()) => {
                let now = context.ports.clock.now();
                let details = json!({ "why": "no runner of this name is there" });
                let entry = AuditEntry::new(now, "recover", "runner.orphan", ("runner", &name), details);
                tracing::warn!(runner = name, "the folder of a runner that is not known is removed");
                match store.commit(vec![records::insert(&entry)]).await {
                    Ok(()) | Err(StoreError::Conflict(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Err(error) => {
                tracing::warn!(runner = name, %error, "the folder of a runner that is not known stays");
            }
        }
    }
    Ok(())
}

/// Whether the process is there that a runner's folder names: its number and when it was started, as the module writes it.
async fn is_running(folder: &Path) -> bool {
    let Ok(text) = tokio::fs::read_to_string(folder.join("gosling.pid")).await else { return false };
    let mut lines = text.lines();
    let Some(number) = lines.next().map(str::trim).filter(|number| number.parse::<u32>().is_ok()) else {
        return false;
    };
    let Ok(stat) = tokio::fs::read_to_string(format!("/proc/{number}/stat")).await else { return false };
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let is_over = matches!(fields.first(), Some(&("Z" | "X")));
    !is_over && lines.next().is_none_or(|started| fields.get(19) == Some(&started.trim()))
}
