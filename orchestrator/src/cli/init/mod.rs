//! `gosling init`: the files of a Nest, deploy keys, and what is left to do. Run again, it makes what is missing and changes
//! nothing that is there.

mod git;
mod told;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use fly_std::{
    formats::{fqdn, name},
    schema,
};
use flyc::{artifact::Provider, config, host};
use git::Git;
use told::{Begun, Key, NestUrl, Note};

use super::{
    Failure, Global,
    desk::{self, Desk, Kept},
    place, prompt,
};
use crate::{
    ports::secrets::Secret,
    scaffold::{Bench, DEPLOY_KEYS, NewNest, Pair, Prefix, skeleton},
};

#[derive(Debug, Args)]
#[command(after_help = "Run again, it makes what is missing and changes nothing that is there.\n\n\
    Example: gosling init --path nest --cloud yandex --secret-backend lockbox")]
pub(super) struct Init {
    /// The folder of the Nest; it is made when it isn't there
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    path: PathBuf,
    /// The cloud of the installation, and of eggs that name none [default: yandex]
    #[arg(long, value_parser = clouds())]
    cloud: Option<String>,
    /// Where secrets are kept: lockbox, aws-sm, vault, or the beginning of a URI [default: the store of the cloud]
    #[arg(long, value_name = "BACKEND", env = "GOSLING_SECRET_BACKEND")]
    secret_backend: Option<Prefix>,
    /// What the Nest is called [default: the folder's name]
    #[arg(long)]
    name: Option<String>,
    /// The GitLab server of the Nest, and of eggs that name none [default: that of `origin`]
    #[arg(long, value_name = "HOST")]
    gitlab_server: Option<String>,
    /// The number of the GitLab project that holds the Nest; the jobs of the Nest need it
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(u64).range(1..))]
    gitlab_project_id: Option<u64>,
    /// The branch that counts [default: main]
    #[arg(long)]
    branch: Option<String>,
    /// The URL of the Nest's repository [default: that of `origin`]
    #[arg(long, value_name = "URL", env = "GOSLING_NEST_URL", hide_env_values = true)]
    nest: Option<String>,
    /// Run `git init` where there is no repository yet
    #[arg(long = "git-init")]
    make_repository: bool,
    /// Ask nothing, and say yes
    #[arg(long, short = 'y')]
    yes: bool,
    #[command(flatten)]
    at: desk::At,
}

/// The clouds, as the language has them.
fn clouds() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(
        variants().into_iter().map(|(name, doc)| clap::builder::PossibleValue::new(name).help(doc)),
    )
}

/// Their names, and what they are.
fn variants() -> Vec<(&'static str, &'static str)> {
    let cloud = schema::MOTHERGOOSE.child("cloud").and_then(|child| child.block.attribute("provider"));
    match cloud.map(|attribute| attribute.ty) {
        Some(fly_std::Type::Enum(variants)) => {
            variants.iter().map(|variant| (variant.name, variant.doc)).collect()
        }
        _ => Vec::new(),
    }
}

/// What is typed to be in a folder; nothing for who is there.
pub(super) fn enter(folder: &Path) -> String {
    if std::env::current_dir().is_ok_and(|here| here == folder) {
        return String::new();
    }
    format!("cd {} && ", told::word(&folder.display().to_string()))
}

/// Whether the repository of a Nest is known elsewhere.
pub(super) fn has_origin(nest: &Path) -> bool {
    Git::of(nest).origin.is_some()
}

impl Init {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode, Failure> {
        let folder = self.folder()?;
        let git = self.git(global, &folder)?;
        let known = folder.is_dir().then(|| Bench::new(host::load(&folder).compiler));
        let before = known.as_ref().and_then(Bench::cloud);
        let cloud = self.cloud(global, before)?;
        let prefix = self.secret_backend.clone().unwrap_or_else(|| Prefix::of(config::backend(cloud)));
        let url = self.nest.clone().or_else(|| git.origin.clone());
        let nest = self.new_nest(&folder, cloud, &git, url.as_deref())?;
        let files = skeleton(&nest);

        fs::create_dir_all(&folder).map_err(|error| io(&folder, error))?;
        let desk = Desk::open(&self.at, &folder)?;
        let (mut made, mut kept) = (Vec::new(), Vec::new());
        for (path, text) in files {
            let place = folder.join(path);
            // A folder that is in use needs no file to be kept.
            let idle = path.ends_with(".gitkeep") && in_use(&place);
            let put = !idle && place::put_new(&place, &text).map_err(|error| io(&place, error))?;
            if put {
                made.push(path);
            } else if !idle {
                kept.push(path);
            }
        }
        let keys = keys(&desk, &prefix, cloud)?;
        let nest_url = store_url(&desk, &prefix, url.as_deref())?;
        let mut notes = notes(&git, &folder, &nest.branch, nest_url.as_ref());
        if let Some(other) = self.cloud.as_deref().filter(|name| *name != cloud.name()) {
            notes.push(Note::new(
                format!(
                    "MG/config.fly has the cloud `{}`, and not `{other}`; it was not changed",
                    cloud.name()
                ),
                "gosling validate".to_owned(),
            ));
        }
        let errors = Bench::new(host::load(&folder).compiler).errors_before();
        if errors > 0 {
            notes.push(Note::new(
                format!("the Nest has {errors} errors, and nothing is deployed until they are mended"),
                "gosling validate".to_owned(),
            ));
        }
        let begun = Begun {
            nest: nest.name,
            folder: folder.display().to_string(),
            cloud: cloud.name(),
            secret_backend: prefix.as_str().to_owned(),
            made,
            kept,
            keys,
            nest_url,
            notes,
            next: told::next(&told::Next {
                url: url.as_deref(),
                folder: &folder,
                data: &self.at.data()?,
                branch: &nest.branch,
                prefix: &prefix,
                own_backend: self.secret_backend.is_some(),
            }),
        };
        global.show(&begun, |colour| begun.table(colour))
    }

    /// The folder, which may not be there yet.
    fn folder(&self) -> Result<PathBuf, Failure> {
        let folder = std::path::absolute(&self.path).map_err(|error| io(&self.path, error))?;
        let folder = folder.canonicalize().unwrap_or(folder);
        if folder.exists() && !folder.is_dir() {
            return Err(Failure::usage(
                format!("`{}` is no folder", self.path.display()),
                "give the folder that becomes the Nest: --path FOLDER",
            ));
        }
        match host::find_root(&folder) {
            Some(root) if root != folder => Err(Failure::Refused {
                message: format!(
                    "`{}` lies in the Nest `{}` already; nothing was changed",
                    self.path.display(),
                    root.display()
                ),
                help: "a Nest holds no other one; run it there, or choose another folder with --path"
                    .to_owned(),
            }),
            _ => Ok(folder),
        }
    }

    /// Looks at the repository, and makes one when that is wanted.
    fn git(&self, global: &Global, folder: &Path) -> Result<Git, Failure> {
        let existing = folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(folder);
        let git = Git::of(existing);
        if !git.installed || git.repository {
            return Ok(git);
        }
        let ask = !self.make_repository && !self.yes && prompt::somebody();
        let wanted = self.make_repository
            || self.yes
            || (ask && prompt::confirm(global, "There is no git repository here. Run `git init`?", true)?);
        if !wanted {
            return Ok(git);
        }
        fs::create_dir_all(folder).map_err(|error| io(folder, error))?;
        Git::init(folder, self.branch.as_deref().unwrap_or("main"));
        Ok(Git::of(folder))
    }

    fn cloud(&self, global: &Global, known: Option<Provider>) -> Result<Provider, Failure> {
        let named = |name: &str| Provider::ALL.into_iter().find(|provider| provider.name() == name);
        match (&self.cloud, known) {
            // It was said when the Nest was begun.
            (_, Some(known)) => Ok(known),
            (Some(name), None) => Ok(named(name).unwrap_or(Provider::Yandex)),
            (None, None) if self.yes || !prompt::somebody() => Ok(Provider::Yandex),
            (None, None) => {
                let options: Vec<String> =
                    variants().iter().map(|(name, doc)| format!("{name} – {doc}")).collect();
                let help = "Where the system itself and its runners are made, unless an egg says otherwise";
                let chosen = prompt::select(global, "cloud", help, &options, 0)?;
                let name = variants().get(chosen).map(|(name, _)| *name);
                Ok(name.and_then(named).unwrap_or(Provider::Yandex))
            }
        }
    }

    fn new_nest(
        &self,
        folder: &Path,
        cloud: Provider,
        git: &Git,
        url: Option<&str>,
    ) -> Result<NewNest, Failure> {
        let nearest = |error: fly_std::formats::FormatError| {
            let help = error.suggestion.map(|meant| format!("did you mean `{meant}`?"));
            (error.message, help)
        };
        let name = match &self.name {
            Some(given) => name::parse(given)
                .map_err(nearest)
                .map_err(|(message, help)| {
                    Failure::usage(
                        format!("this is no name of a Nest: {message}"),
                        help.unwrap_or_else(|| "such as: --name platform".to_owned()),
                    )
                })?
                .to_string(),
            None => {
                let own =
                    folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                match name::parse(&own) {
                    Ok(name) => name.to_string(),
                    Err(error) => error.suggestion.unwrap_or_else(|| "nest".to_owned()),
                }
            }
        };
        let server = match &self.gitlab_server {
            Some(given) => {
                fqdn::parse(given).map_err(nearest).map_err(|(message, help)| {
                    Failure::usage(
                        format!("`{given}` is no host of a GitLab server: {message}"),
                        help.unwrap_or_else(|| "such as: --gitlab-server gitlab.example.com".to_owned()),
                    )
                })?;
                Some(given.clone())
            }
            None => url.and_then(git::host),
        };
        let branch = self.branch.clone().or_else(|| git.branch.clone().filter(|name| name == "master"));
        let branch = branch.unwrap_or_else(|| "main".to_owned());
        if !branch.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | '.')) {
            return Err(Failure::usage(
                "this is no name of a branch: letters, digits, `-`, `_`, `/` and `.`",
                "such as: --branch main",
            ));
        }
        Ok(NewNest { name, cloud, server, project_id: self.gitlab_project_id, branch })
    }
}

fn io(path: &Path, error: std::io::Error) -> Failure {
    Failure::Io { what: path.display().to_string(), error }
}

/// Whether there is anything else in the folder of a file.
fn in_use(file: &Path) -> bool {
    let entries = file.parent().and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    let mut entries = entries.filter(|entry| {
        entry.path() != file && !entry.file_name().to_string_lossy().ends_with(".gosling-new")
    });
    entries.next().is_some()
}

/// The deploy keys: each is there afterwards, both parts of it.
fn keys(desk: &Desk, prefix: &Prefix, cloud: Provider) -> Result<Vec<Key>, Failure> {
    let jobs = Prefix::of(config::backend(cloud));
    DEPLOY_KEYS
        .into_iter()
        .map(|key| {
            // A job's key is where jobs of this cloud look for it, wherever the rest is kept.
            let prefix = if key.writes { &jobs } else { prefix };
            let uri = |name: &str| {
                prefix.uri(name).ok_or_else(|| Failure::Failed {
                    message: format!("there can be no secret `{name}` in this backend"),
                    help: None,
                })
            };
            let (private, public) = (uri(&key.private())?, uri(&key.public())?);
            let failed = |error: crate::scaffold::KeyError| Failure::Failed {
                message: format!("the deploy key of {}: {error}", key.name),
                help: Some(format!("`gosling secret remove {}` lets a new one be made", private.uri())),
            };
            let kept = desk.put_new(&private, || Ok(Pair::generate(key).map_err(failed)?.private))?;
            let stored = desk.read(&private)?.ok_or_else(|| failed(crate::scaffold::KeyError::NoKey))?;
            // Whatever ended an earlier run, the public part is that of the private one.
            let pair = Pair::read(&stored).map_err(failed)?;
            desk.put_new(&public, || Ok(Secret::new(pair.public.clone())))?;
            Ok(Key {
                name: key.name,
                title: key.title(),
                access: if key.writes { "read-write" } else { "read-only" },
                purpose: key.purpose,
                line: pair.public,
                private: private.uri(),
                public: public.uri(),
                kept,
            })
        })
        .collect()
}

/// Keeps the URL of the repository, which may have a password in it.
fn store_url(desk: &Desk, prefix: &Prefix, url: Option<&str>) -> Result<Option<NestUrl>, Failure> {
    let (Some(url), Some(uri)) = (url, prefix.uri("nest/repo-url")) else { return Ok(None) };
    let kept = desk.put_new(&uri, || Ok(Secret::new(url)))?;
    let other = kept == Kept::There && desk.read(&uri)?.is_some_and(|stored| stored.expose() != url);
    Ok(Some(NestUrl { secret: uri.uri(), kept, other }))
}

/// What is left to do in git.
fn notes(git: &Git, folder: &Path, branch: &str, url: Option<&NestUrl>) -> Vec<Note> {
    let at = told::word(&folder.display().to_string());
    let mut notes = Vec::new();
    let mut note = |what: String, command: String| notes.push(Note::new(what, command));
    if !git.installed {
        note("git isn't installed, so nothing is known of the repository".to_owned(), "git init".to_owned());
    } else if !git.repository {
        note(
            "the folder is no git repository".to_owned(),
            format!("git -C {at} init --initial-branch={branch}"),
        );
    } else if git.below_top {
        note(
            "the Nest lies within a repository; gosling serve wants it at the top of one".to_owned(),
            format!("git -C {at} init --initial-branch={branch}"),
        );
    }
    if git.origin.is_none() {
        let again = if url.is_none() { "; once it has one, `gosling init` keeps its URL" } else { "" };
        note(
            format!("the repository has no remote `origin`{again}"),
            format!("git -C {at} remote add origin git@gitlab.example.com:infra/nest.git"),
        );
    }
    if let Some(current) = git.branch.as_deref().filter(|current| *current != branch) {
        note(
            format!(
                "the branch is `{}`, and `{branch}` is the one that is deployed",
                super::text::clean(current)
            ),
            format!("git -C {at} switch -c {branch}"),
        );
    }
    if let Some(url) = url.filter(|url| url.other) {
        note(
            "another URL of the repository is kept; it was not changed".to_owned(),
            format!("gosling secret put {}", url.secret),
        );
    }
    notes
}
