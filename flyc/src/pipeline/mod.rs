//! `.gitlab-ci.yml`: which jobs a project has, which tags they ask for and how long they may take, each with its place
//! in the text.
//!
//! Read as GitLab reads it, as far as tags and timeouts go: anchors and merge keys, `extends`, `default`, `inherit`,
//! `!reference` and local includes. What can't be known (variables, includes from elsewhere) stays unknown and is never
//! guessed. What never lives here: which egg takes a job, and reading files, which come through [`Files`].

mod expand;
mod include;
mod timeout;
mod yaml;

#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc};

use crate::{
    diag::{Diagnostic, Span, declare_diagnostic},
    text::Source,
};

declare_diagnostic! { pub CI_UNREADABLE = "ci-unreadable", Error, "a CI configuration that can't be read to its end" }

/// The name of the file that a project's CI configuration begins in.
pub const MAIN: &str = ".gitlab-ci.yml";

/// The files of a project.
pub trait Files {
    /// The text of a file by its path in the project with `/`; none when it isn't there. The error is a sentence that
    /// says why it can't be read.
    fn read(&self, path: &str) -> Result<Option<Arc<str>>, String>;
    /// The paths of the project's YAML files, in order: what `*` in an include is matched against.
    fn list(&self) -> Vec<String>;
    /// What a file is called in diagnostics.
    fn shown(&self, path: &str) -> String;
}

/// The CI configuration of a project.
#[derive(Debug, Default)]
pub struct Pipeline {
    /// The jobs that run on runners, in the order of the files.
    pub jobs: Vec<PipelineJob>,
    /// What could not be read.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether everything was read: no include from elsewhere, nothing that could not be read.
    pub whole: bool,
    /// The includes that are kept elsewhere, as they are written.
    pub elsewhere: Vec<String>,
    /// The texts, by the name they have in diagnostics.
    pub sources: HashMap<String, Source>,
}

/// A job of a CI configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineJob {
    /// Its name.
    pub name: String,
    /// Where its name stands.
    pub span: Span,
    /// Its tags; none when they can't be known.
    pub tags: Option<Vec<PipelineTag>>,
    /// Where all of its tags stand, when they stand somewhere.
    pub tags_span: Option<Span>,
    /// Its timeout in seconds, when it has one of its own that is known.
    pub timeout_s: Option<u64>,
}

/// A tag that a job asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineTag {
    /// The tag.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

/// Reads the CI configuration that begins in the file `main`.
pub fn read(main: &str, files: &dyn Files) -> Pipeline {
    let mut read = include::Reading::new(files);
    let whole = read.file(main, None);
    let include::Reading { config, diagnostics, elsewhere, sources, .. } = read;
    let mut pipeline =
        Pipeline { whole: whole && elsewhere.is_empty(), diagnostics, elsewhere, sources, jobs: Vec::new() };
    expand::jobs(&config, &mut pipeline);
    pipeline
}
