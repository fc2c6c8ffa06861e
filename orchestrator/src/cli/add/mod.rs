//! `gosling add`: a new egg, bucket or job in a Nest. Nothing is written that doesn't check in the context of the whole Nest,
//! and nothing that is there is changed.

mod ask;
mod said;
mod told;

use std::{
    cell::RefCell,
    fs,
    io::{self, IsTerminal, Read},
    path::PathBuf,
    process::ExitCode,
    rc::Rc,
};

use clap::{Args, Subcommand};
use fly_std::{
    formats::{name, secret_uri},
    schema::Presence,
};
use flyc::{
    artifact::Repository,
    diag::Diagnostic,
    host,
    render::{Report, Style, render_full},
};
use said::{OfBucket, OfEgg, OfJob, Said};
use told::{Made, Webhook};
use url::Url;

use super::{Failure, Global, desk, init, output::Output, place, print, prompt, secret};
use crate::scaffold::{Bench, Draft, Kind, Prefix};

#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Example: gosling add egg my-app --type vm --gitlab-project-id 12345"
)]
pub(super) struct Add {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add the runners of one GitLab project or group
    #[command(after_help = "On a terminal, what is needed and not given is asked for.\n\n\
        Example: gosling add egg my-app --type vm --gitlab-project-id 12345 --tags docker,linux --concurrent 3")]
    Egg(Box<One<OfEgg>>),
    /// Add runners that several GitLab projects and groups share
    #[command(after_help = "On a terminal, what is needed and not given is asked for.\n\n\
        Example: gosling add bucket services --type vm --repo api=project:12345 --repo web=group:789")]
    Bucket(Box<One<OfBucket>>),
    /// Add a script that runs by the clock, on a runner made for it
    #[command(after_help = "On a terminal, what is needed and not given is asked for.\n\n\
        Example: gosling add job clean-up --schedule '0 2 * * *' --script-file clean-up.sh --notify ops@example.com")]
    Job(Box<One<OfJob>>),
}

/// One thing that is added.
#[derive(Debug, Args)]
struct One<W: said::Which> {
    /// Its name: letters, digits, `-` and `_`
    name: String,
    #[command(flatten, next_help_heading = "What it is")]
    said: Said<W>,
    #[command(flatten, next_help_heading = "How it is added")]
    how: How,
}

#[derive(Debug, Args)]
struct How {
    /// A folder of the Nest [default: this one]
    #[arg(long, value_name = "FOLDER", default_value = ".", hide_default_value = true)]
    path: PathBuf,
    /// Print the file, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Ask nothing: what isn't given has its default
    #[arg(long, short = 'y')]
    yes: bool,
    /// Where its secrets are kept: lockbox, aws-sm, vault, or the beginning of a URI [default: the store of its cloud]
    #[arg(long, value_name = "BACKEND", env = "GOSLING_SECRET_BACKEND")]
    secret_backend: Option<Prefix>,
    /// Where GitLab reaches `gosling serve`
    #[arg(long, value_name = "URL", env = "GOSLING_URL")]
    url: Option<Url>,
    #[command(flatten)]
    at: desk::At,
}

impl Add {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode, Failure> {
        let (name, mut draft, script, how) = match self.command {
            Command::Egg(one) => (one.name, one.said.draft, one.said.script_file, one.how),
            Command::Bucket(one) => (one.name, one.said.draft, one.said.script_file, one.how),
            Command::Job(one) => (one.name, one.said.draft, one.said.script_file, one.how),
        };
        draft.name = named(draft.kind, &name)?;
        if let Some(file) = script {
            draft.said.insert("script", vec![script_of(&file)?]);
        }
        how.add(global, draft)
    }
}

impl How {
    fn add(self, global: &Global, draft: Draft) -> Result<ExitCode, Failure> {
        let root = self.nest()?;
        let file = draft.file();
        let free = || match fs::symlink_metadata(root.join(&file)) {
            Ok(_) => Err(taken(&file)),
            Err(_) => Ok(()),
        };
        free()?;
        let bench = Rc::new(RefCell::new(Bench::new(host::load(&root).compiler)));
        if let Some(known) = bench.borrow().namesake(draft.kind, &draft.name) {
            return Err(Failure::Refused {
                message: format!(
                    "`{known}` has a {} `{}` already; nothing was changed",
                    draft.kind.name(),
                    draft.name
                ),
                help: "choose another name, or change the one that is there".to_owned(),
            });
        }
        let cloud = bench.borrow().cloud().map_or("yandex", flyc::artifact::Provider::name);
        let mut draft = draft;
        if !missing(&draft).is_empty() {
            if self.yes || !prompt::somebody() {
                return Err(needed(&draft));
            }
            let interview = ask::Interview { global, bench: Rc::clone(&bench), draft, cloud };
            draft = match interview.hold() {
                Err(Failure::Interrupted) => {
                    eprintln!("nothing was written");
                    return Err(Failure::Interrupted);
                }
                held => held?,
            };
        }
        if !draft.said.contains_key("cloud") && !draft.said.contains_key("extends") {
            draft.said.insert("cloud", vec![cloud.to_owned()]);
        }
        let mut bench = bench.borrow_mut();
        let warnings = judge(global, &mut bench, &draft)?;
        let repositories = |bench: &Bench| bench.egg(&file).map(|egg| egg.repositories).unwrap_or_default();
        if let Some(prefix) = &self.secret_backend {
            draft.secrets = repositories(&bench).iter().map(|one| elsewhere(prefix, one)).collect();
            judge(global, &mut bench, &draft)?;
        }
        let repositories = repositories(&bench);
        let text = draft.text();
        if self.dry_run && global.output() == Output::Table {
            tell(global, &bench, &warnings);
            return print(text.as_bytes());
        }
        let mut webhooks = Vec::new();
        let desk = if self.dry_run { None } else { Some(desk::Desk::open(&self.at, &root)?) };
        // Somebody else may have been at work while we asked.
        free()?;
        for one in &repositories {
            // What is shown is the URI; an error repeats nothing of it.
            let uri = secret_uri::parse(&one.webhook_secret)
                .map_err(|error| Failure::Failed { message: error.message, help: None })?;
            let kept = desk.as_ref().map(|desk| desk.put_new(&uri, secret::random_value)).transpose()?;
            webhooks.push(Webhook::new(one, self.url.as_ref(), kept));
        }
        if !self.dry_run {
            let put = place::put_new(&root.join(&file), &text);
            if !put.map_err(|error| Failure::Io { what: file.clone(), error })? {
                return Err(taken(&file));
            }
        }
        tell(global, &bench, &warnings);
        let made = Made {
            kind: draft.kind.name(),
            name: draft.name.clone(),
            file,
            written: !self.dry_run,
            text: self.dry_run.then_some(text),
            webhooks,
            enter: init::enter(&root),
            push: if init::has_origin(&root) { " && git push" } else { "" },
            errors_elsewhere: bench.errors_before(),
        };
        global.show(&made, |colour| made.table(colour))
    }

    /// The root of the Nest.
    fn nest(&self) -> Result<PathBuf, Failure> {
        let io = |error| Failure::Io { what: self.path.display().to_string(), error };
        let folder = self.path.canonicalize().map_err(io)?;
        host::find_root(&folder).ok_or_else(|| Failure::NotFound {
            message: format!("`{}` lies in no Nest", self.path.display()),
            help: "`gosling init` begins one here; --path says where one is".to_owned(),
        })
    }
}

/// The name, if it can be one.
fn named(kind: Kind, given: &str) -> Result<String, Failure> {
    let checked = name::parse(given).map_err(|error| {
        let help = error.suggestion.map_or_else(
            || format!("such as: gosling add {} my-app", kind.name()),
            |meant| format!("did you mean `{meant}`?"),
        );
        Failure::usage(format!("this is no name of {}: {}", article(kind), error.message), help)
    })?;
    Ok(checked.to_string())
}

const fn article(kind: Kind) -> &'static str {
    match kind {
        Kind::Egg => "an egg",
        Kind::Bucket => "a bucket",
        Kind::Job => "a job",
    }
}

fn script_of(file: &str) -> Result<String, Failure> {
    let io = |error| Failure::Io { what: file.to_owned(), error };
    if file != "-" {
        return fs::read_to_string(file).map_err(io);
    }
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text).map_err(io)?;
    Ok(text)
}

/// The flags that are needed and not given.
fn missing(draft: &Draft) -> Vec<String> {
    let said = |flag: &str| draft.said.contains_key(flag);
    let needs = |field: &crate::scaffold::Field| {
        let attribute = field.attribute(draft.kind);
        attribute.is_some_and(|attribute| attribute.presence == Presence::Required) && field.path.is_empty()
    };
    let fields = draft.kind.fields().into_iter().filter(needs);
    // A profile may give the type.
    let fields = fields.filter(|field| !(said(field.flag) || field.flag == "type" && said("extends")));
    let mut missing: Vec<String> = fields.map(|field| format!("--{}", field.flag)).collect();
    match draft.kind {
        Kind::Egg if !said("gitlab-project-id") && !said("gitlab-group-id") => {
            missing.push("--gitlab-project-id or --gitlab-group-id".to_owned());
        }
        Kind::Bucket if draft.repos.is_empty() => missing.push("--repo NAME=project:ID".to_owned()),
        _ => {}
    }
    missing
}

fn needed(draft: &Draft) -> Failure {
    let missing = missing(draft);
    let list = fly_std::words::list(&missing, "and").unwrap_or_default();
    let example = match draft.kind {
        Kind::Egg => "gosling add egg my-app --type vm --gitlab-project-id 12345",
        Kind::Bucket => "gosling add bucket services --type vm --repo api=project:12345",
        Kind::Job => "gosling add job clean-up --schedule '0 2 * * *' --script-file clean-up.sh",
    };
    Failure::usage(
        format!("{} needs {list}", article(draft.kind)),
        format!("give it, as in `{example}`; on a terminal it is asked for"),
    )
}

fn taken(file: &str) -> Failure {
    Failure::Refused {
        message: format!("`{file}` is there already; nothing was changed"),
        help: "change it with an editor and run `gosling validate`, or choose another name".to_owned(),
    }
}

/// Tries the draft in the Nest; what is doubtful in it comes back.
fn judge(global: &Global, bench: &mut Bench, draft: &Draft) -> Result<Vec<Diagnostic>, Failure> {
    let verdict = bench.judge(&draft.file(), &draft.text());
    if verdict.errors.is_empty() {
        return Ok(verdict.warnings);
    }
    tell(global, bench, &verdict.errors);
    let count = match verdict.errors.len() {
        1 => "an error".to_owned(),
        count => format!("{count} errors"),
    };
    Err(Failure::Failed {
        message: format!("with this the Nest has {count}; nothing was written"),
        help: Some("mend what is given; --dry-run shows the file when it checks".to_owned()),
    })
}

/// Shows findings to whoever is there, as `flyc check` does.
fn tell(global: &Global, bench: &Bench, diagnostics: &[Diagnostic]) {
    if diagnostics.is_empty() {
        return;
    }
    let mut stderr = io::stderr().lock();
    let colour = global.colour(&stderr);
    let style = Style { colour, unicode: stderr.is_terminal() || colour };
    // Nobody may be listening; the exit code tells as well.
    let _ = render_full(&Report { diagnostics, sources: bench.compiler() }, style, &mut stderr);
}

/// The secrets of a repository, kept elsewhere than its cloud has them.
fn elsewhere(prefix: &Prefix, repository: &Repository) -> Vec<(&'static str, String)> {
    let own = |uri: &String| uri.split_once("://").map_or_else(String::new, |(_, name)| prefix.text(name));
    vec![
        ("api_token_secret", own(&repository.api_token_secret)),
        ("token_secret", own(&repository.token_secret)),
        ("webhook_secret", own(&repository.webhook_secret)),
    ]
}
