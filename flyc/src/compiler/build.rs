//! Building as programs ask for it: a Nest that checks clean, as files.

use super::Compiler;
use crate::{
    build::{self, Build, Options, Previous, Snapshot},
    diag::{Diagnostic, Severity},
    lower::File,
};

impl Compiler {
    /// Everything `flyc build` writes, as texts.
    ///
    /// Refused when anything about the Nest is an error: then all that was found comes back, warnings with it.
    pub fn build(&self, options: &Options) -> Result<Build, Vec<Diagnostic>> {
        self.build_after(options, &Previous::default())
    }

    /// The same, where a build is already: what it has made of the same inputs stays, and is not among the texts.
    pub fn build_after(&self, options: &Options, previous: &Previous) -> Result<Build, Vec<Diagnostic>> {
        let mut diagnostics = self.check();
        if diagnostics.iter().any(|diagnostic| diagnostic.severity() == Severity::Error) {
            return Err(diagnostics);
        }
        build::nest(&self.db, self.nest, options, previous).map_err(|errors| {
            diagnostics.extend(errors);
            super::sort(&mut diagnostics);
            diagnostics
        })
    }

    /// What `flyc build` writes for what stands in one file, by path, and then the Compute Modules that it calls;
    /// nothing for a file with nothing to build, or one that is not there.
    ///
    /// Refused like [`Self::build`]: when anything about the Nest is an error.
    pub fn build_file(&self, path: &str, options: &Options) -> Result<Vec<File>, Vec<Diagnostic>> {
        let diagnostics = self.check();
        if diagnostics.iter().any(|diagnostic| diagnostic.severity() == Severity::Error) {
            return Err(diagnostics);
        }
        let Some(file) = self.file(path) else { return Ok(Vec::new()) };
        build::of_file(&self.db, self.nest, file, options)
    }

    /// What can be built of the Nest, whether it has errors or not.
    pub fn snapshot(&self, options: &Options) -> Result<Snapshot, Vec<Diagnostic>> {
        build::snapshot(&self.db, self.nest, options)
    }
}
