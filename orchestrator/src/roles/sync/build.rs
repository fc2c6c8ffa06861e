//! From the files of a commit to what it says: check and build by `flyc`, in this process.

use std::{collections::BTreeMap, fmt::Write as _, io, path::Path};

use flyc::{
    artifact::{
        Artifact, ArtifactError, BlockConfig, EggConfig, EntryKind, JobConfig, Manifest, MothergooseConfig,
    },
    build::Options,
    diag::{Diagnostic, Severity},
    host::{self, BuildError, NestFolder},
    lower::Backend,
    render::{self, OutputFormat, Report},
};
use smol_str::SmolStr;

use crate::{records::Served, seal};

/// What the same Nest is built with: another compiler, or other values of its variables, may build it otherwise.
pub(super) fn compiler(variables: &BTreeMap<String, String>) -> String {
    let version = env!("CARGO_PKG_VERSION");
    if variables.is_empty() {
        return version.to_owned();
    }
    format!("{version} {}", seal::fingerprint(&format!("{variables:?}")))
}

/// The most that is kept of what is wrong with a Nest.
const MOST_ERRORS: usize = 100;

/// What a good Nest says.
#[derive(Debug)]
pub(super) struct Found {
    /// The digest of the whole.
    pub(super) digest: String,
    /// Eggs, buckets and jobs by the name they are deployed under.
    pub(super) owners: BTreeMap<String, Owner>,
    pub(super) uglyfox: Option<BlockConfig>,
    pub(super) mothergoose: Option<MothergooseConfig>,
}

/// Something that has runners.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) served: Served,
    /// The digest of its bundle; empty until that was kept.
    pub(super) digest: String,
}

/// Why there is none.
#[derive(Debug)]
pub(super) enum Wrong {
    /// The Nest has errors: as `flyc check` tells them, a line each.
    Nest(String),
    /// The machine's fault, without its paths.
    Machine(String),
}

/// Builds the Nest at `root` to `out`, and reads what was built.
pub(super) fn build(root: &Path, out: &Path, variables: &BTreeMap<String, String>) -> Result<Found, Wrong> {
    if host::find_root(root).as_deref() != Some(root) {
        // Whoever took away everything meant something else; an empty Nest would end every runner.
        return Err(Wrong::Nest(
            "there is no Nest at the top of the repository: no `nest.fly`, and no folder `Eggs`, `Jobs`, `UF` or `MG`\n"
                .to_owned(),
        ));
    }
    let mut loaded = host::load(root);
    if !variables.is_empty() {
        let values = variables.iter().map(|(name, value)| (name.as_str().into(), value.as_str().into()));
        loaded.compiler.set_variables(values.collect());
        let known: Vec<&str> = loaded.compiler.variables().map(SmolStr::as_str).collect();
        if let Some(name) = variables.keys().find(|name| !known.contains(&name.as_str())) {
            let help = match known[..] {
                [] => "it has none at all".to_owned(),
                _ => format!("its variables are {}", known.join(", ")),
            };
            return Err(Wrong::Nest(format!(
                "`gosling serve` is given a value for the variable `{name}`, which the Nest doesn't have; {help}\n"
            )));
        }
    }
    let options = Options { backend: Some(Backend::Local), ..Options::default() };
    let attempt = || {
        host::recover(out).map_err(BuildError::Output)?;
        host::build(&loaded, root, out, &options).map(drop)
    };
    let built = attempt().or_else(|error| match error {
        // Whatever is wrong with what a build that was ended left there, nobody needs it.
        BuildError::Output(_) if out.exists() => {
            std::fs::remove_dir_all(out)?;
            attempt()
        }
        error => Err(error),
    });
    match built {
        Ok(()) => {
            read(out).map_err(|reason| Wrong::Machine(format!("what was built can't be read back: {reason}")))
        }
        Err(BuildError::Nest(diagnostics)) => Err(Wrong::Nest(shown(&diagnostics, root))),
        Err(BuildError::Output(error)) => Err(Wrong::Machine(error.kind().to_string())),
        Err(BuildError::NoInstallation) => Err(Wrong::Machine("no part of it was asked for".to_owned())),
    }
}

/// The errors as `flyc check --output-format concise` shows them.
fn shown(diagnostics: &[Diagnostic], root: &Path) -> String {
    let errors: Vec<Diagnostic> =
        diagnostics.iter().filter(|found| found.severity() == Severity::Error).cloned().collect();
    let sources = NestFolder::new(root);
    let told = &errors[..errors.len().min(MOST_ERRORS)];
    let report = Report { diagnostics: told, sources: &sources };
    let mut text = Vec::new();
    // Writing to memory fails for nobody.
    drop(render::render(OutputFormat::Concise, &report, false, &mut text));
    let mut text = String::from_utf8_lossy(&text).into_owned();
    if errors.len() > told.len() {
        let more = errors.len() - told.len();
        let _ = writeln!(text, "and {more} more errors; `flyc check` shows them all");
    }
    text
}

/// Why a build can't be read.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error("{}", .0.kind())]
    Io(#[from] io::Error),
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
}

fn read(out: &Path) -> Result<Found, Unreadable> {
    let manifest = artifact::<Manifest>(out, flyc::build::MANIFEST)?;
    let mut found = Found {
        digest: manifest.nest_digest.clone(),
        owners: BTreeMap::new(),
        uglyfox: None,
        mothergoose: None,
    };
    for entry in &manifest.entries {
        let config = format!("{}/config.json", entry.folder);
        match entry.kind {
            EntryKind::Egg | EntryKind::Bucket => {
                let served = Served::Egg(Box::new(artifact::<EggConfig>(out, &config)?));
                found.owners.insert(entry.name.clone(), Owner { served, digest: String::new() });
            }
            EntryKind::Job => {
                let served = Served::Job(Box::new(artifact::<JobConfig>(out, &config)?));
                found.owners.insert(format!("jobs/{}", entry.name), Owner { served, digest: String::new() });
            }
            EntryKind::Uglyfox => found.uglyfox = Some(artifact::<BlockConfig>(out, &entry.folder)?),
            EntryKind::Mothergoose => found.mothergoose = Some(artifact::<MothergooseConfig>(out, &config)?),
            EntryKind::Rift | EntryKind::ComputeModule => {}
        }
    }
    Ok(found)
}

fn artifact<T: Artifact>(out: &Path, path: &str) -> Result<T, Unreadable> {
    Ok(T::from_json(&std::fs::read_to_string(out.join(path))?)?)
}
