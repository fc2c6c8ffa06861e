//! Which owner's runners take a job of GitLab's: `flyc`'s rule, asked of everything the Nest serves.

use flyc::{
    artifact::EggConfig,
    routing::{Fleet, Job, Rejected, own_job},
};

use crate::{
    records::{EggRecord, Served},
    settings::NestSettings,
};

/// How many eggs of other projects are named when no egg takes a job; of a large Nest they are nearly all.
const MOST_ELSEWHERE: usize = 5;

/// Everything that takes jobs.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    owners: Vec<EggConfig>,
    /// The host of the Nest's own GitLab server.
    server: Option<String>,
    /// The jobs of the Nest's own that nothing can be said of, because nobody tells which project the Nest is in.
    homeless: Vec<String>,
}

/// Who takes a job, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The egg or bucket, or `jobs/NAME`; none takes it when it is none.
    pub owner: Option<String>,
    /// Why that one, or for each why not: sentences for `gosling why job`.
    pub reasons: Vec<String>,
}

impl Routes {
    /// What is in the Nest by now. The project of the Nest's own jobs is the one that the Nest names, else the one the
    /// installation was told.
    pub fn of(eggs: &[EggRecord], nest: &NestSettings) -> Self {
        let mut routes = Self { server: nest.server.clone(), ..Self::default() };
        for record in eggs.iter().filter(|record| !record.removed) {
            match &record.served {
                Served::Egg(egg) => routes.owners.push(EggConfig::clone(egg)),
                Served::Job(job) => match job.project.project_id.or(nest.project) {
                    Some(project) => routes.owners.push(own_job(job, project)),
                    None => routes.homeless.push(record.name.clone()),
                },
            }
        }
        // So that a choice need not sort them.
        routes.owners.sort_by(|a, b| a.name.cmp(&b.name));
        routes
    }

    /// Who takes a job.
    pub fn choose(&self, job: &Job) -> Choice {
        let fleet = Fleet::new(&self.owners, self.server.as_deref());
        let decision = fleet.decide(job);
        let notes = decision.notes.iter().map(|note| format!("note: {note}"));
        if let Some(chosen) = decision.chosen() {
            let mut reasons = vec![format!("`{}` {}", chosen.egg.name, chosen.why(job))];
            reasons.extend(decision.candidates.iter().skip(1).map(|other| {
                format!("`{}` takes such jobs too, but {}", other.egg.name, chosen.before(other, job))
            }));
            reasons.extend(notes);
            return Choice { owner: Some(chosen.egg.name.clone()), reasons };
        }
        let (elsewhere, near): (Vec<_>, Vec<_>) =
            decision.rejected.iter().partition(|rejected| is_elsewhere(rejected));
        let mut reasons: Vec<String> = Vec::new();
        if self.owners.is_empty() && self.homeless.is_empty() {
            reasons.push("the Nest has no egg".to_owned());
        }
        let named = elsewhere.len().min(MOST_ELSEWHERE);
        for rejected in near.iter().chain(&elsewhere[..named]) {
            let why: Vec<String> = rejected.reasons.iter().map(ToString::to_string).collect();
            reasons.push(format!("`{}` {}", rejected.egg.name, sentence(&why)));
        }
        match elsewhere.len() - named {
            0 => {}
            1 => reasons.push("1 more egg serves other projects".to_owned()),
            more => reasons.push(format!("{more} more eggs serve other projects")),
        }
        reasons.extend(self.homeless.iter().map(|name| {
            format!(
                "`{name}` takes jobs of the Nest's own project, and nobody tells which that is; write \
                 `nest {{ gitlab {{ project_id = … }} }}`"
            )
        }));
        reasons.extend(notes);
        Choice { owner: None, reasons }
    }
}

/// Reasons after the name of the egg: `serves project 7, not 8; takes no jobs without tags`.
fn sentence(reasons: &[String]) -> String {
    let told = reasons.iter().map(|reason| match reason.strip_prefix("the job asks") {
        Some(rest) => format!("doesn't fit: the job asks{rest}"),
        None => reason.clone(),
    });
    told.collect::<Vec<_>>().join("; ")
}

/// Whether an egg has nothing to do with the job's project.
fn is_elsewhere(rejected: &Rejected<'_>) -> bool {
    rejected.reasons.iter().any(|reason| matches!(reason.id(), "other-project" | "other-server"))
}
