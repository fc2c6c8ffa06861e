//! Proofs of routing: what the Nest does with jobs, compared with what its author says of them in `test` blocks, and with
//! the jobs that a project's `.gitlab-ci.yml` holds.
//!
//! What never lives here: the rule itself, which is `routing`'s, and reading YAML, which is `pipeline`'s.

mod ci;
mod expectation;

use std::sync::Arc;

use fly_std::schema::Place;

pub use ci::{JOB_WITH_SEVERAL_EGGS, JOB_WITHOUT_RUNNER, Scope, UNREACHABLE_TAG, Verdict, check};
pub use expectation::{TEST_FAILED, TestResult, run};

use crate::{
    config::{Resolved, egg_configs, is_egg},
    db::{Db, Nest},
    diag::Span,
    model::{TypedBlock, typed},
};

/// An egg or bucket of the Nest, with the place it stands at.
#[derive(Debug, Clone, Copy)]
pub struct Egg<'a> {
    /// Its name.
    pub name: &'a str,
    /// The file it stands in.
    pub file: &'a Arc<str>,
    /// Its configuration; none when an error in it leaves that unknown.
    pub resolved: Option<&'a Resolved>,
    block: &'a TypedBlock,
}

impl Egg<'_> {
    /// Where it begins.
    pub fn span(&self) -> Span {
        Span::new(Arc::clone(self.file), self.block.header)
    }

    /// Where one of its tags stands.
    fn tag_span(&self, at: usize) -> Span {
        let tags = self.block.block("runner").and_then(|runner| runner.attribute("tags"));
        let range =
            tags.map_or(self.block.header, |tags| tags.elements.get(at).copied().unwrap_or(tags.range));
        Span::new(Arc::clone(self.file), range)
    }
}

/// Every egg and bucket of the Nest that has a name, in the order of the files.
pub fn eggs(db: &dyn Db, nest: Nest) -> Vec<Egg<'_>> {
    let files = nest.files(db).iter().copied().filter(|file| Place::of(file.path(db)) == Some(Place::Egg));
    files
        .flat_map(|file| {
            let blocks = typed(db, file).blocks.iter().filter(|block| is_egg(block));
            blocks.zip(egg_configs(db, file)).filter_map(move |(block, resolved)| {
                let name = block.label.as_deref()?;
                Some(Egg { name, file: file.path(db), resolved: resolved.as_ref(), block })
            })
        })
        .collect()
}
