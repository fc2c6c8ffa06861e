//! `flyc translate`

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    path::PathBuf,
};

use clap::Args;

use super::{Failure, Global, Outcome, outlet, target::shown};
use crate::{
    host::{self, BuiltFolder, NestFolder},
    render::{OutputFormat, one_line},
    translate::{Heard, NotBuilt, NotSaid, Reader, translate},
};

/// Show OpenTofu's errors at the .fly lines that caused them.
///
/// Reads what `tofu validate -json`, `plan -json` or `apply -json` says in a folder that was built:
///
///   tofu -chdir=.fly/build/eggs/my-app plan -json | flyc translate .fly/build/eggs/my-app
///
/// What OpenTofu does meanwhile goes to standard error as it comes.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Translate {
    /// The built folder that OpenTofu ran in, such as .fly/build/eggs/my-app
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// The file with what OpenTofu said [default: standard input]
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// The folder of the Nest [default: the Nest around the build, or around this folder]
    #[arg(long, value_name = "DIR")]
    nest: Option<PathBuf>,
    /// Leave out what OpenTofu does meanwhile
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    reporting: outlet::Reporting,
}

impl Translate {
    pub(super) fn run(&self, global: &Global) -> Result<Outcome, Failure> {
        let given = shown(&self.folder);
        if !self.folder.is_dir() {
            return Err(Failure::usage(
                format!("there is no folder `{given}`"),
                "give the built folder that OpenTofu ran in, such as .fly/build/eggs/my-app",
            ));
        }
        let Some((build, folder)) = BuiltFolder::around(&self.folder) else {
            return Err(Failure::usage(
                format!("`{given}` is in no build"),
                "give a folder that `flyc build` wrote, such as .fly/build/eggs/my-app",
            ));
        };
        let sources = NestFolder::new(&self.nest(&build)?);
        let complaints = match self.listen()?.finish() {
            Ok(complaints) => complaints,
            Err(error @ NotSaid::Nothing) => {
                return Err(Failure::usage(
                    error.to_string(),
                    "run OpenTofu with `-json`, and give flyc what it writes to standard output",
                ));
            }
            Err(error @ NotSaid::Unfinished) => {
                return Err(Failure::usage(error.to_string(), "see whether OpenTofu was stopped"));
            }
        };
        let mut diagnostics =
            translate(&complaints, &folder, &build, &sources).map_err(|error| match error {
                NotBuilt::Folder(_) => Failure::usage(
                    error.to_string(),
                    "give the folder of an egg, a bucket or a job, such as .fly/build/eggs/my-app",
                ),
                NotBuilt::Nothing | NotBuilt::Artifact(_) => {
                    Failure::usage(error.to_string(), "build the Nest again with `flyc build`")
                }
            })?;
        // OpenTofu works on many things at one time, and its order is another each time.
        diagnostics.sort_by(|a, b| (a.span.key(), &a.message).cmp(&(b.span.key(), &b.message)));
        let outcome = self.reporting.report(global, &diagnostics, &sources)?;
        if self.reporting.for_people() {
            let full = self.reporting.output_format == OutputFormat::Full;
            let gap = if full && !diagnostics.is_empty() { "\n" } else { "" };
            let _ = writeln!(io::stderr().lock(), "{gap}OpenTofu: {}", outlet::counts(&diagnostics));
        }
        Ok(outcome)
    }

    /// The Nest that the build came from.
    fn nest(&self, build: &BuiltFolder) -> Result<PathBuf, Failure> {
        if let Some(given) = &self.nest {
            return super::target::Target::root_of(given)?.ok_or_else(|| {
                Failure::usage(format!("`{}` is in no Nest", shown(given)), "give the folder of a Nest")
            });
        }
        let here = std::env::current_dir().ok();
        host::find_root(build.root()).or_else(|| host::find_root(&here?)).ok_or_else(|| {
            Failure::usage("the Nest that this was built from is not around it", "give it with `--nest DIR`")
        })
    }

    /// Reads what OpenTofu says, and hands on what is no complaint.
    fn listen(&self) -> Result<Reader, Failure> {
        let (input, name): (Box<dyn BufRead>, String) = match &self.input {
            None => (Box::new(io::stdin().lock()), "standard input".to_owned()),
            Some(path) => {
                let name = shown(path);
                let file = File::open(path)
                    .map_err(|error| Failure::io(format!("`{name}` can't be read"), error))?;
                (Box::new(BufReader::new(file)), name)
            }
        };
        let mut reader = Reader::default();
        let mut stderr = io::stderr();
        for line in input.split(b'\n') {
            let line = line.map_err(|error| Failure::io(format!("{name} can't be read"), error))?;
            let line = String::from_utf8_lossy(&line);
            // Nobody may be listening; what is found is told all the same.
            match reader.line(&line) {
                Heard::Progress(message) if !self.quiet => {
                    let _ = writeln!(stderr, "{}", one_line(&message));
                }
                Heard::Foreign => {
                    let _ = writeln!(stderr, "{}", one_line(&line));
                }
                Heard::Progress(_) | Heard::Taken => {}
            }
        }
        Ok(reader)
    }
}
