//! Routing as programs ask for it: the eggs as jobs meet them, tests, and the proof of a CI configuration.

use super::Compiler;
use crate::{
    artifact::EggConfig,
    config::{self, NestProject},
    pipeline::Pipeline,
    proof::{self, Egg, Scope, TestResult, Verdict},
    routing::{
        Answer, AnswerJob, Fleet, Job, TagsFrom,
        event::{Event, EventJob, Push},
    },
};

/// A job of an event as the eggs are asked about it, and where its tags were told.
pub type Asked = (Job, TagsFrom);

impl Compiler {
    /// Every egg and bucket that has a name, with its configuration and its place, in the order of the files.
    pub fn egg_configs(&self) -> Vec<Egg<'_>> {
        proof::eggs(&self.db, self.nest)
    }

    /// The GitLab project that holds the Nest.
    pub fn nest_project(&self) -> NestProject {
        config::nest_project(&self.db, self.nest).clone()
    }

    /// Runs the `test` blocks whose name the filter takes, in the order of the files. What an error of the Nest leaves
    /// unknown takes no part, so ask of a Nest that checks clean.
    pub fn run_tests(&self, filter: &dyn Fn(&str) -> bool) -> Vec<TestResult> {
        let server = self.nest_project().server;
        proof::run(&self.db, self.nest, &self.egg_configs(), &server, filter)
    }

    /// Compares the jobs of a project's CI configuration with the eggs.
    pub fn prove(&self, pipeline: &Pipeline, scope: &Scope) -> Verdict {
        proof::check(&self.egg_configs(), &self.nest_project().server, pipeline, scope)
    }

    /// What an event would deploy. `asked` tells of each of its jobs what the event doesn't: tags, groups, timeouts.
    pub fn simulate(&self, event: &Event, asked: &dyn Fn(&EventJob) -> Asked) -> Answer<'_> {
        let own = self.nest_project();
        let eggs = self.egg_configs();
        let configs: Vec<&EggConfig> = eggs.iter().filter_map(|egg| Some(&egg.resolved?.config)).collect();
        let fleet = Fleet::new(configs, Some(&own.server));
        let mut answer = match event {
            Event::Jobs(jobs) => {
                let mut answer = Answer::of_jobs(jobs);
                for job in &jobs.jobs {
                    let (asked, from) = asked(job);
                    let decision = fleet.decide(&asked);
                    answer.add(AnswerJob { event: job.clone(), asked, from, decision });
                }
                if jobs.jobs.is_empty() {
                    answer.notes.push("this pipeline has no jobs".to_owned());
                }
                if own.project_id == Some(jobs.project_id) {
                    answer.notes.push(
                        "this is the Nest's own project; its pipelines run the Nest's `job` blocks, whose runners are not simulated"
                            .to_owned(),
                    );
                }
                answer
            }
            Event::Push(push) => Answer::of_push(push, own_push(push, &own)),
            Event::MergeRequest { project_id } => Answer::of_merge_request(*project_id),
        };
        answer.unresolved =
            eggs.iter().filter(|egg| egg.resolved.is_none()).map(|egg| egg.name.to_owned()).collect();
        answer
    }
}

/// Whether the push changes what the orchestrator deploys.
fn own_push(push: &Push, own: &NestProject) -> Option<bool> {
    let project_id = own.project_id?;
    Some(project_id == push.project_id && push.branch() == Some(&own.branch))
}
