//! `flyc build`

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    time::Instant,
};

use clap::{Args, ValueEnum};
use fly_std::{formats::closest, words};

use super::{
    Failure, Global, Outcome, outlet,
    target::{Target, shown},
};
use crate::{
    artifact::{Component, Components},
    build,
    diag::Diagnostic,
    host::{self, BuildError, Built},
    lower,
    render::{OutputFormat, Sources},
};

/// Build OpenTofu modules and cloud-init from a Nest.
///
/// Nothing is built from a Nest with errors. The same Nest gives the same bytes; files that are as they were stay
/// untouched, and a build that is interrupted leaves the one before it whole.
#[derive(Debug, Args)]
pub(super) struct Build {
    /// The folder of the Nest [default: the Nest around this folder]
    #[arg(value_name = "NEST")]
    nest: Option<PathBuf>,
    /// Where to write to [default: .fly/build in the Nest]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Where OpenTofu keeps its state [default: s3 for the clouds, local for this machine]
    #[arg(long, value_enum, value_name = "BACKEND")]
    backend: Option<Backend>,
    /// Make only these parts of MotherGoose, and those they need, with commas between
    ///
    /// They are `api_gateway`, `fastapi_app` (or `api`), `celery_workers` (or `workers`), `uglyfox_workers`,
    /// `message_queues`, `triggers`, `database`, `storage`, `service_accounts` and `network`.
    ///
    /// The module keeps its state where that of the whole installation is kept. Never apply it over the state of a larger
    /// installation: OpenTofu would destroy what the module no longer holds. To update a part of one, build all of it and
    /// give `tofu plan` the part's `-target-file`.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    components: Vec<String>,
    #[command(flatten)]
    vars: super::vars::Vars,
    #[command(flatten)]
    reporting: outlet::Reporting,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Backend {
    /// A bucket with a lock file, given to `tofu init`
    S3,
    /// A file beside the module
    Local,
}

impl Build {
    pub(super) fn run(&self, global: &Global) -> Result<Outcome, Failure> {
        let start = Instant::now();
        let given = self.nest.clone().unwrap_or_else(|| PathBuf::from("."));
        let root = Target::root_of(&given)?;
        let Some(root) = root else {
            let diagnostics = [super::target::no_nest(&given)];
            return self.reporting.report(global, &diagnostics, &Nothing);
        };
        let out = self.out.clone().unwrap_or_else(|| root.join(".fly/build"));
        let backend = self.backend.map(|backend| match backend {
            Backend::S3 => lower::Backend::S3,
            Backend::Local => lower::Backend::Local,
        });
        let options = build::Options { backend, components: self.components()? };
        let mut loaded = host::load(&root);
        self.vars.apply([&mut loaded.compiler])?;
        let outcome = match host::build(&loaded, &root, &out, &options) {
            Ok(built) => {
                // What is wrong but not an error.
                let diagnostics = loaded.compiler.check();
                let outcome = self.reporting.report(global, &diagnostics, &loaded.compiler)?;
                self.summary(&built, &out, start, &diagnostics);
                outcome
            }
            Err(BuildError::Nest(diagnostics)) => {
                let outcome = self.reporting.report(global, &diagnostics, &loaded.compiler)?;
                if self.reporting.for_people() {
                    let gap = if self.reporting.output_format == OutputFormat::Full { "\n" } else { "" };
                    let counts = outlet::counts(&diagnostics);
                    let _ = writeln!(io::stderr().lock(), "{gap}nothing was built: {counts}");
                }
                outcome
            }
            Err(BuildError::NoInstallation) => {
                return Err(Failure::usage(
                    "`--components` chooses parts of MotherGoose, and this Nest has no `mothergoose`",
                    "leave out `--components`, or write a `mothergoose` block in `MG/config.fly`",
                ));
            }
            Err(BuildError::Output(error)) => {
                return Err(Failure::io(format!("the build can't be written to `{}`", shown(&out)), error));
            }
        };
        std::mem::forget(loaded);
        Ok(outcome)
    }

    /// The components that were asked for.
    fn components(&self) -> Result<Option<Components>, Failure> {
        if self.components.is_empty() {
            return Ok(None);
        }
        let chosen = self.components.iter().map(|name| {
            let name = name.trim();
            Component::of_name(name).ok_or_else(|| {
                let names = Component::ALL.map(Component::name);
                let all = words::list(&names, "and").unwrap_or_default();
                if name.is_empty() {
                    let hint =
                        format!("leave out `--components` to make all of them; the components are {all}");
                    return Failure::usage("`--components` has an empty name", hint);
                }
                let hint = match closest(name, names) {
                    Some(nearest) => format!("did you mean `{nearest}`? The components are {all}"),
                    None => format!("the components are {all}"),
                };
                Failure::usage(format!("MotherGoose has no component `{name}`"), hint)
            })
        });
        Ok(Some(Components::with_needs(chosen.collect::<Result<Vec<_>, _>>()?)))
    }

    fn summary(&self, built: &Built, out: &Path, start: Instant, diagnostics: &[Diagnostic]) {
        if !self.reporting.for_people() {
            return;
        }
        let mut stderr = io::stderr().lock();
        let gap = if diagnostics.is_empty() { "" } else { "\n" };
        let count = built.build.manifest.entries.len();
        let what = if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") };
        let written = built.written;
        let files = if written.written == 1 { "file" } else { "files" };
        let out = shown(out.strip_prefix(std::env::current_dir().unwrap_or_default()).unwrap_or(out));
        // Nobody may be listening; the build is there all the same.
        let _ = writeln!(
            stderr,
            "{gap}built {what} into {out} in {} ms: {} {files} written, {} unchanged, {} removed",
            start.elapsed().as_millis(),
            written.written,
            written.unchanged,
            written.removed
        );
        for folder in &built.states {
            let _ = writeln!(
                stderr,
                "warning: `{folder}` is no longer in the Nest, but OpenTofu has a state of it, and what was made may still \
                 exist\nhelp: build the Nest as it was, run `tofu destroy` in that folder, and build again"
            );
        }
    }
}

/// No sources: for what is wrong before anything was read.
struct Nothing;

impl Sources for Nothing {
    fn source(&self, _: &str) -> Option<crate::text::Source> {
        None
    }
}
