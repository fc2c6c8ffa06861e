//! What flags say of an egg, bucket or job. The flags are made of the language's own tables: names, documentation, defaults.

use std::marker::PhantomData;

use clap::{
    Arg, ArgAction, ArgMatches, Command, Error,
    builder::{PossibleValue, PossibleValuesParser},
};
use fly_std::{
    Type,
    formats::{self, name},
};

use crate::scaffold::{Draft, Field, Kind, Repo, Serves, unsaid};

/// Which kind flags are about.
pub(super) trait Which: std::fmt::Debug + Clone + Send + Sync + 'static {
    const KIND: Kind;
}

#[derive(Debug, Clone)]
pub(super) struct OfEgg;
#[derive(Debug, Clone)]
pub(super) struct OfBucket;
#[derive(Debug, Clone)]
pub(super) struct OfJob;

impl Which for OfEgg {
    const KIND: Kind = Kind::Egg;
}

impl Which for OfBucket {
    const KIND: Kind = Kind::Bucket;
}

impl Which for OfJob {
    const KIND: Kind = Kind::Job;
}

/// What the flags of a kind say: a draft that has no name yet.
#[derive(Debug, Clone)]
pub(super) struct Said<W: Which> {
    pub(super) draft: Draft,
    pub(super) script_file: Option<String>,
    which: PhantomData<W>,
}

const REPO: &str = "repo";
const ENVIRONMENT: &str = "environment";
const SCRIPT_FILE: &str = "script-file";

impl<W: Which> clap::Args for Said<W> {
    fn augment_args(command: Command) -> Command {
        let mut command = command;
        for field in W::KIND.fields() {
            command = command.arg(flag(W::KIND, field));
        }
        if W::KIND == Kind::Bucket {
            command = command.arg(
                Arg::new(REPO)
                    .long(REPO)
                    .value_name("NAME=project:ID")
                    .action(ArgAction::Append)
                    .value_parser(repo)
                    .help("A repository that shares the runners: NAME=project:ID, or NAME=group:ID for all of a group; may be given more than once"),
            );
        }
        if W::KIND == Kind::Job {
            command = command.arg(
                Arg::new(SCRIPT_FILE)
                    .long(SCRIPT_FILE)
                    .value_name("FILE")
                    .conflicts_with("script")
                    .help("The file with the script; `-` is standard input"),
            );
        }
        command.arg(
            Arg::new(ENVIRONMENT)
                .long(ENVIRONMENT)
                .value_name("NAME=VALUE")
                .action(ArgAction::Append)
                .value_parser(variable)
                .help("A variable that every job sees: a text, or the URI of a secret; may be given more than once"),
        )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<W: Which> clap::FromArgMatches for Said<W> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut draft = Draft::new(W::KIND, "");
        for field in W::KIND.fields() {
            let Some(given) = matches.get_many::<String>(field.flag) else { continue };
            let mut given: Vec<String> = given.map(|text| text.trim().to_owned()).collect();
            if field.is_list(W::KIND) {
                given.retain(|text| !text.is_empty());
            }
            draft.said.insert(field.flag, given);
        }
        let repos = (W::KIND == Kind::Bucket).then(|| matches.get_many::<Repo>(REPO)).flatten();
        draft.repos = repos.into_iter().flatten().cloned().collect();
        let variables = matches.get_many::<(String, String)>(ENVIRONMENT);
        draft.environment = variables.into_iter().flatten().cloned().collect();
        let file = (W::KIND == Kind::Job).then(|| matches.get_one::<String>(SCRIPT_FILE)).flatten();
        Ok(Self { draft, script_file: file.cloned(), which: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The flag of a field.
fn flag(kind: Kind, field: Field) -> Arg {
    let arg = Arg::new(field.flag).long(field.flag).allow_hyphen_values(field.name == "script");
    let Some(attribute) = field.attribute(kind) else { return arg };
    let default = unsaid(attribute).map(|value| format!(" [default: {value}]")).unwrap_or_default();
    let default =
        if field.flag == "cloud" { " [default: that of MG/config.fly]".to_owned() } else { default };
    let mut doc = attribute.doc.to_owned();
    if let Some(first) = doc.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let arg = arg.help(format!("{doc}{default}"));
    let arg = match attribute.ty {
        Type::Enum(variants) => {
            let values = variants.iter().map(|variant| PossibleValue::new(variant.name).help(variant.doc));
            arg.value_name("KIND").value_parser(PossibleValuesParser::new(values))
        }
        Type::Bool => {
            arg.num_args(0..=1).require_equals(true).default_missing_value("true").value_name("true|false")
        }
        Type::Int { .. } => arg.value_name("NUMBER").allow_negative_numbers(true),
        Type::Duration { .. } => arg.value_name("TIME"),
        Type::Size { .. } => arg.value_name("SIZE").value_parser(size),
        Type::List(_) => arg.action(ArgAction::Append).value_delimiter(',').value_name("A,B"),
        Type::Cron => arg.value_name("CRON"),
        Type::Fqdn => arg.value_name("HOST"),
        _ => arg.value_name("VALUE"),
    };
    match field.flag {
        "gitlab-project-id" => arg.conflicts_with("gitlab-group-id"),
        _ => arg,
    }
}

fn repo(text: &str) -> Result<Repo, String> {
    let wrong = "write NAME=project:ID or NAME=group:ID, as in api=project:12345";
    let (given, serves) = text.split_once('=').ok_or(wrong)?;
    let checked = name::parse(given).map_err(|error| match error.suggestion {
        Some(meant) => format!("{}; did you mean `{meant}`?", error.message),
        None => error.message,
    })?;
    let serves = match serves.split_once(':') {
        Some(("project", number)) => Serves::Project(number.trim().to_owned()),
        Some(("group", number)) => Serves::Group(number.trim().to_owned()),
        Some(_) => return Err(wrong.to_owned()),
        None => Serves::Project(serves.trim().to_owned()),
    };
    Ok(Repo { name: checked.to_string(), serves })
}

/// A size as it was written. One with a unit that is none is told here: the language would take it for a time.
fn size(text: &str) -> Result<String, String> {
    let text = text.trim();
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '_' | '.'));
    if unit.len() < text.len() && unit.starts_with(char::is_alphabetic) {
        formats::size::parse(&text.replace('_', "")).map_err(|error| match error.suggestion {
            Some(meant) => format!("{}; did you mean `{meant}`?", error.message),
            None => error.message,
        })?;
    }
    Ok(text.to_owned())
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if begins && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        Ok((name.to_owned(), value.to_owned()))
    } else {
        // The value may be a secret; only the name is told.
        Err(format!(
            "`{}` is no name of a variable: letters, digits and `_`",
            super::super::text::clean(name)
        ))
    }
}
