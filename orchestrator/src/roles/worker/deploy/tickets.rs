//! One-shot tickets: a machine that is made shows its own once, and gets its credential for it.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use flyc::artifact::RunnerType;

use super::Run;
use crate::{
    domain::{PoolKind, RunnerId},
    ports::secrets::Secret,
    records::{Made, RunnerRecord, Versioned},
    roles::worker::Failure,
    seal,
};

/// How many rows are written in one transaction.
const AT_ONCE: usize = 90;

/// Whether a runner begins with nothing when it is brought to where it is wanted.
fn needs_ticket(record: &RunnerRecord) -> bool {
    let runner = &record.runner;
    let wakes_empty = runner.runner_type == RunnerType::Serverless
        && runner.cloud != "local"
        && runner.settled == PoolKind::Nadir
        && runner.pool == PoolKind::Apex;
    runner.wanted().is_some() && (record.care.made != Made::Yes || wakes_empty)
}

/// Where a ticket is sealed for.
fn place(id: &RunnerId) -> String {
    format!("runners/{id}/ticket")
}

/// What stands in a plan that is thrown away for a ticket that is yet to be made.
const NO_TICKET: &str = "a-ticket-is-made-when-it-is-applied";

impl Run<'_> {
    /// The ticket that a runner was planned with before, if it was.
    fn kept_ticket(&self, record: &RunnerRecord) -> Option<String> {
        let sealed = URL_SAFE_NO_PAD.decode(record.care.ticket.as_ref()?).ok()?;
        String::from_utf8(self.context.seal.open(&sealed, &place(&record.runner.id)).ok()?).ok()
    }

    /// The tickets of a plan that is thrown away: none is made for it.
    pub(super) fn pretended_tickets(
        &self,
        runners: &[Versioned<RunnerRecord>],
    ) -> BTreeMap<RunnerId, Secret> {
        let needing = runners.iter().map(|known| &known.record).filter(|record| needs_ticket(record));
        let ticket = |record| self.kept_ticket(record).unwrap_or_else(|| NO_TICKET.to_owned());
        needing.map(|record| (record.runner.id.clone(), Secret::new(ticket(record)))).collect()
    }

    /// The tickets of a plan; none when somebody else wrote one of the runners. A runner that was planned before keeps the
    /// one it had: its machine may be there. What was never made is made of `bundle`, and says so from now on.
    pub(super) async fn tickets(
        &self,
        runners: &mut [Versioned<RunnerRecord>],
        (digest, commit): (&str, &str),
    ) -> Result<Option<BTreeMap<RunnerId, Secret>>, Failure> {
        let mut tickets = BTreeMap::new();
        let mut changed = Vec::new();
        let now = self.context.ports.clock.now();
        for (at, known) in runners.iter_mut().enumerate() {
            if !needs_ticket(&known.record) {
                continue;
            }
            let before = known.record.clone();
            let kept = self.kept_ticket(&before);
            let record = &mut known.record;
            let id = record.runner.id.clone();
            let ticket = match kept {
                Some(ticket) => ticket,
                None => {
                    let ticket = new_ticket()?;
                    let sealed = self.context.seal.seal(ticket.as_bytes(), &place(&id)).map_err(no_chance)?;
                    record.care.ticket = Some(URL_SAFE_NO_PAD.encode(sealed));
                    record.ticket = Some(seal::fingerprint(&ticket));
                    record.credential = None;
                    ticket
                }
            };
            if record.care.made == Made::Not {
                digest.clone_into(&mut record.runner.digest);
                commit.clone_into(&mut record.commit);
            }
            tickets.insert(id, Secret::new(ticket));
            if *record != before {
                record.updated = now;
                changed.push(at);
            }
        }
        for some in changed.chunks(AT_ONCE) {
            let writes = some.iter().map(|at| runners[*at].update()).collect();
            if !self.tenure.commit(writes).await? {
                return Ok(None);
            }
            for at in some {
                runners[*at].version += 1;
            }
        }
        Ok(Some(tickets))
    }
}

fn new_ticket() -> Result<String, Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(no_chance)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn no_chance(error: getrandom::Error) -> Failure {
    Failure::later(format!("the system gives no random bytes: {error}"))
}
