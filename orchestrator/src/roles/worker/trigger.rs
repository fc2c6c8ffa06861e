//! A job's pipeline is started now: its pipeline schedule is played.

use serde_json::json;

use super::{Failure, access};
use crate::{
    ports::gitlab::Place,
    records::{self, AuditEntry, EggRecord},
    roles::Context,
};

/// Starts it.
pub(super) async fn trigger(context: &Context, job: &str, actor: &str) -> Result<(), Failure> {
    let store = &*context.ports.store;
    let eggs = records::all::<EggRecord>(store, None, None).await?;
    let eggs: Vec<EggRecord> = eggs.into_iter().map(|egg| egg.record).collect();
    let owner = format!("jobs/{job}");
    let Some(record) = eggs.iter().find(|egg| egg.name == owner && !egg.removed) else {
        return Err(Failure::Never(format!("there is no job `{job}` in the Nest")));
    };
    for spot in access::spots(record, &context.settings.nest) {
        let registered = record.registered.get(&spot.key());
        let Some(schedule) = registered.and_then(|registered| registered.schedule) else { continue };
        let Place::Project(project) = spot.place else { continue };
        let access = access::to_spot(context, &owner, &spot, &eggs).await?;
        context.ports.gitlab.play_schedule(&access, project, schedule).await?;
        let now = context.ports.clock.now();
        let details = json!({ "egg": owner, "schedule": schedule });
        let entry = AuditEntry::new(now, actor, "job.trigger", ("job", job), details);
        store.commit(vec![records::insert(&entry)]).await?;
        tracing::info!(job, actor, "a job's pipeline is started");
        return Ok(());
    }
    Err(Failure::later(format!("the pipeline schedule of the job `{job}` is not made yet")))
}
