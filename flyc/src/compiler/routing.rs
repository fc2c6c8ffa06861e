//! Routing as programs ask for it: the eggs as jobs meet them, tests, and the proof of a CI configuration.

use super::Compiler;
use crate::{
    config::{self, NestProject},
    pipeline::Pipeline,
    proof::{self, Egg, Scope, TestResult, Verdict},
};

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
}
