//! What each file of a Nest gives to the build.

use std::{cell::LazyCell, collections::BTreeSet, sync::Arc};

use fly_std::formats::SecretBackend;

use super::Piece;
use crate::{
    artifact::{Artifact, ArtifactError, Components, EggKind, EntryKind, Provider},
    check::NOT_DEPLOYABLE,
    config::{
        self, Installation, Places, Resolved, ResolvedJob, ResolvedRift, Unresolved, block_config,
        egg_configs, job_configs, rift_configs,
    },
    db::{Db, Nest, SourceFile},
    diag::{Diagnostic, Span},
    lower::{self, ComputeModule, File, LowerError},
    model::{TypedBlock, installation_asset, typed},
    text::{Source, TextRange, TextSize},
};

/// The pieces of a file, and what can't be built of it.
pub(super) fn of_file(
    db: &dyn Db,
    file: SourceFile,
    options: &lower::Options,
    components: Components,
) -> Vec<Result<Piece, Box<Diagnostic>>> {
    let path = file.path(db);
    let blocks = &typed(db, file).blocks;
    let mut eggs = egg_configs(db, file).iter();
    let mut jobs = job_configs(db, file).iter();
    let mut rifts = rift_configs(db, file).iter();
    let source = LazyCell::new(|| Source::new(Arc::clone(path), Arc::clone(file.text(db))));
    let mut pieces = Vec::new();
    for block in blocks {
        if config::is_egg(block) {
            pieces.push(match eggs.next() {
                Some(Some(egg)) => egg_piece(egg, &source, options),
                _ => Err(unknown(path, block)),
            });
        } else if block.name == "job" {
            pieces.push(match jobs.next() {
                Some(Some(job)) => job_piece(job, &source, options),
                _ => Err(unknown(path, block)),
            });
        } else if block.name == "rift" {
            pieces.push(match rifts.next() {
                Some(Some(rift)) => rift_piece(rift, &source, options),
                _ => Err(unknown(path, block)),
            });
        } else if block.name == "mothergoose" {
            pieces.push(installation_piece(db, block, &source, options, components));
        } else if block.name == "uglyfox" {
            pieces.push(policies_piece(path, block));
        }
    }
    pieces
}

fn egg_piece(egg: &Resolved, source: &Source, options: &lower::Options) -> Result<Piece, Box<Diagnostic>> {
    let Resolved { config, places, unresolved } = egg;
    let span = |path: &str| Span::new(Arc::clone(&source.path), places.range(path));
    match unresolved {
        None => {}
        Some(Unresolved::Rift) => {
            let message = format!("it is not clear which Rift server the runners of `{}` use", config.name);
            let diagnostic = Diagnostic::new(&NOT_DEPLOYABLE, span("rift"), message, "names no server");
            return Err(Box::new(diagnostic
            .note("`name` may be left out in a Nest with exactly one Rift server, and this Nest has none or several")
            .help("write `name = \"…\"` with the name of a `rift` block of `MG/config.fly`, or remove this block")));
        }
    }
    let kind = match config.kind {
        EggKind::Egg => EntryKind::Egg,
        EggKind::Bucket => EntryKind::Bucket,
    };
    let module = Some(ComputeModule::of(config.cloud.provider, config.runner_type));
    let files = lower::egg(config, &places.origins(source), options);
    lowered(kind, ("eggs", &config.name), module, source, places, files)
}

fn job_piece(job: &ResolvedJob, source: &Source, options: &lower::Options) -> Result<Piece, Box<Diagnostic>> {
    let ResolvedJob { config, places } = job;
    let module = Some(ComputeModule::of(config.cloud.provider, config.runner_type));
    let files = lower::job(config, &places.origins(source), options);
    lowered(EntryKind::Job, ("jobs", &config.name), module, source, places, files)
}

fn rift_piece(
    rift: &ResolvedRift,
    source: &Source,
    options: &lower::Options,
) -> Result<Piece, Box<Diagnostic>> {
    let ResolvedRift { config, places } = rift;
    let files = lower::rift(config, &places.origins(source), options);
    lowered(EntryKind::Rift, ("rift", &config.name), None, source, places, files)
}

/// A piece in a folder of its own, which is called by its shelf and its name; or why it can't be lowered, told where that
/// was written.
fn lowered(
    kind: EntryKind,
    (shelf, name): (&str, &str),
    module: Option<ComputeModule>,
    source: &Source,
    places: &Places,
    files: Result<Vec<File>, LowerError>,
) -> Result<Piece, Box<Diagnostic>> {
    let files = files.map_err(|error| lower_error(&error, &source.path, &|path| places.range(path)))?;
    Ok(Piece {
        kind,
        name: name.to_owned(),
        folder: format!("{shelf}/{name}"),
        source_file: source.path.to_string(),
        files,
        module,
    })
}

fn installation_piece(
    db: &dyn Db,
    block: &TypedBlock,
    source: &Source,
    options: &lower::Options,
    components: Components,
) -> Result<Piece, Box<Diagnostic>> {
    let Some(Installation { config, places }) = config::installation(block) else {
        return Err(unknown(&source.path, block));
    };
    let spec = config.api_gateway.openapi_spec.as_deref();
    let openapi = spec.and_then(|path| installation_asset(db, path));
    let secret_names = match config.cloud.provider {
        Provider::Aws => config::secret_names(db, Nest::get(db), SecretBackend::AwsSm),
        // Rights are granted for a folder, or are those of whoever runs it.
        Provider::Yandex | Provider::Local => BTreeSet::new(),
    };
    let chosen = lower::Installation {
        components,
        secret_names: Some(&secret_names),
        openapi: openapi.as_deref(),
        missing_openapi: spec.filter(|_| openapi.is_none()),
    };
    let files = lower::mothergoose(&config, &places.origins(source), options, chosen)
        .map_err(|error| lower_error(&error, &source.path, &|path| places.range(path)))?;
    Ok(Piece {
        kind: EntryKind::Mothergoose,
        name: block.name.to_string(),
        folder: "mothergoose".to_owned(),
        source_file: source.path.to_string(),
        files,
        module: None,
    })
}

/// The policies of UglyFox, which are a configuration and nothing to deploy.
fn policies_piece(path: &Arc<str>, block: &TypedBlock) -> Result<Piece, Box<Diagnostic>> {
    const FILE: &str = "uglyfox.json";
    let text = block_config(block)
        .to_json()
        .map_err(|error| lower_error(&LowerError::Artifact(error), path, &|_| block.header))?;
    Ok(Piece {
        kind: EntryKind::Uglyfox,
        name: block.name.to_string(),
        folder: FILE.to_owned(),
        source_file: path.to_string(),
        files: vec![(FILE.to_owned(), text)],
        module: None,
    })
}

/// Why something can't be lowered, told where it was written.
fn lower_error(error: &LowerError, file: &Arc<str>, place: &dyn Fn(&str) -> TextRange) -> Box<Diagnostic> {
    let span = Span::new(Arc::clone(file), place(error.path().unwrap_or_default()));
    let of = |label: &str| Diagnostic::new(&NOT_DEPLOYABLE, span.clone(), error.to_string(), label);
    Box::new(match error {
        LowerError::Name { .. } => of("not a folder's name").help("give it another name"),
        LowerError::Missing { path, .. } => of("not given here").help(format!("write `{path}`")),
        LowerError::Nul { .. } => of("holds a NUL character").help("remove `\\u{0}` from it"),
        LowerError::TooLarge { .. } => of("too large").help("write fewer CPUs, or less memory"),
        LowerError::NoContainer { error, .. } => {
            let nearest = error.attributes().map(|name| match name {
                "cpu" => format!("`cpu = {}`", error.nearest.cpu),
                "memory" => format!("`memory = {}MiB`", error.nearest.memory_mib),
                _ => format!("`disk = {}GiB`", error.nearest.disk_gib),
            });
            let nearest = nearest.collect::<Vec<_>>().join(" and ");
            of("too large").help(format!("write {nearest} or less, or `type = \"vm\"`"))
        }
        LowerError::Limit { help, .. } => of("not on this cloud").help(help.clone()),
        LowerError::Artifact(ArtifactError::Json { .. } | ArtifactError::Version { .. })
        | LowerError::Template { .. } => of("").note("this is a defect of the compiler; please report it"),
    })
}

/// A block whose configuration is unknown although it checked clean.
fn unknown(path: &Arc<str>, block: &TypedBlock) -> Box<Diagnostic> {
    let span = Span::new(Arc::clone(path), block.header);
    let message = format!("the configuration of this `{}` is unknown", block.name);
    let diagnostic = Diagnostic::new(&NOT_DEPLOYABLE, span, message, "");
    Box::new(diagnostic.note("this is a defect of the compiler; please report it"))
}

/// A defect that no place in the Nest caused.
pub(super) fn defect(what: &str) -> Diagnostic {
    let nowhere = Span::new("nest.fly".into(), TextRange::empty(TextSize::new(0)));
    Diagnostic::new(&NOT_DEPLOYABLE, nowhere, what.to_owned(), "")
        .note("this is a defect of the compiler; please report it")
}
