//! Where an owner's runners are registered, and which token opens which project.

use std::{borrow::Cow, collections::BTreeSet};

use fly_std::formats::SecretUri;
use flyc::routing::host_of;

use super::Failure;
use crate::{
    ports::{
        gitlab::{Access, Place},
        secrets::{self, Secret},
    },
    records::{self, EggRecord, Served},
    roles::Context,
    settings::NestSettings,
};

/// A project or group that an owner serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    /// The server, as the Nest names it.
    pub(super) server: String,
    /// The project or group.
    pub(super) place: Place,
    /// The URI of the API's token; a job of the Nest's own has none of its own.
    api_token: Option<String>,
    /// The URI of the runner's token.
    pub(super) token: String,
}

impl Spot {
    /// Its key in [`EggRecord::registered`].
    pub(super) fn key(&self) -> String {
        records::place_key(&self.server, self.place)
    }
}

/// The same, looked at where it stands: of every webhook those of all eggs are looked at.
#[derive(Debug, Clone)]
pub(super) struct Seen<'a> {
    /// The server, as the Nest names it.
    pub(super) server: &'a str,
    /// The project or group.
    pub(super) place: Place,
    api_token: Option<Cow<'a, str>>,
    token: &'a str,
}

impl Seen<'_> {
    fn to_spot(&self) -> Spot {
        Spot {
            server: self.server.to_owned(),
            place: self.place,
            api_token: self.api_token.as_deref().map(str::to_owned),
            token: self.token.to_owned(),
        }
    }
}

/// Where an owner's runners work.
pub(super) fn spots(record: &EggRecord, nest: &NestSettings) -> Vec<Spot> {
    seen(record, nest).map(|seen| seen.to_spot()).collect()
}

/// The same, without a copy of anything.
pub(super) fn seen<'a>(
    record: &'a EggRecord,
    nest: &'a NestSettings,
) -> impl Iterator<Item = Seen<'a>> + Clone {
    let (repositories, job) = match &record.served {
        Served::Egg(egg) => (egg.repositories.as_slice(), None),
        Served::Job(job) => (&[][..], Some(&job.project)),
    };
    let of_egg = repositories.iter().filter_map(|one| {
        let place = one.project_id.map(Place::Project).or(one.group_id.map(Place::Group))?;
        let api_token = Some(Cow::Borrowed(one.api_token_secret.as_str()));
        Some(Seen { server: &one.server, place, api_token, token: &one.token_secret })
    });
    let of_job = job.and_then(|own| {
        Some(Seen {
            server: &own.server,
            place: Place::Project(own.project_id.or(nest.project)?),
            // The installation's own token for the Nest's project, when it has one.
            api_token: nest.api_token.as_ref().map(|uri| Cow::Owned(uri.uri())),
            token: &own.token_secret,
        })
    });
    of_egg.chain(of_job)
}

/// Whether two names mean the same server.
pub(super) fn is_same_server(one: &str, other: &str) -> bool {
    one == other || host_of(&format!("https://{one}")) == host_of(&format!("https://{other}"))
}

/// The URI of the token that opens a place, by what the eggs have: one that names the place itself, else one of the same
/// server.
fn token_for(eggs: &[EggRecord], nest: &NestSettings, server: &str, place: Place) -> Option<String> {
    let all = eggs.iter().flat_map(|record| seen(record, nest));
    let fit = all.filter(|spot| spot.api_token.is_some() && is_same_server(spot.server, server));
    let first = fit.min_by_key(|spot| (spot.place != place, matches!(spot.place, Place::Project(_))))?;
    first.api_token.map(Cow::into_owned)
}

/// Access to the place of an owner.
pub(super) async fn to_spot(
    context: &Context,
    owner: &str,
    spot: &Spot,
    eggs: &[EggRecord],
) -> Result<Access, Failure> {
    let uri = spot.api_token.clone();
    let uri = uri.or_else(|| token_for(eggs, &context.settings.nest, &spot.server, spot.place));
    let Some(uri) = uri else {
        return Err(Failure::Never(format!(
            "nothing in the Nest tells an API token for {} of {}, which `{owner}` needs; an egg that serves the project has one",
            words(spot.place),
            spot.server
        )));
    };
    Ok(Access { server: spot.server.clone(), token: secret(context, &uri).await? })
}

/// A place in words.
fn words(place: Place) -> String {
    match place {
        Place::Project(id) => format!("project {id}"),
        Place::Group(id) => format!("group {id}"),
    }
}

/// Every access that may open a project, the likeliest first: eggs that name the project, then those of groups; `first` are
/// eggs that are known to have to do with it.
pub(super) async fn to_project(
    context: &Context,
    eggs: &[EggRecord],
    first: &[String],
    server: &str,
    project: u64,
) -> Result<Vec<Access>, Failure> {
    let mut found: Vec<(bool, bool, String)> = Vec::new();
    for record in eggs.iter().filter(|record| !record.removed) {
        for spot in seen(record, &context.settings.nest) {
            let names = match spot.place {
                Place::Project(id) if id == project => true,
                Place::Project(_) => continue,
                Place::Group(_) => false,
            };
            if !is_same_server(spot.server, server) {
                continue;
            }
            let uri = spot.api_token.map(Cow::into_owned);
            let uri = uri.or_else(|| token_for(eggs, &context.settings.nest, server, spot.place));
            found.extend(uri.map(|uri| (!names, !first.contains(&record.name), uri)));
        }
    }
    if is_nest(&context.settings.nest, server, project) {
        let uri = context.settings.nest.api_token.as_ref().map(SecretUri::uri);
        found.extend(uri.map(|uri| (false, false, uri)));
    }
    found.sort_unstable();
    let mut seen = BTreeSet::new();
    let mut accesses = Vec::new();
    let mut failure = None;
    for (.., uri) in found {
        if seen.insert(uri.clone()) {
            match secret(context, &uri).await {
                Ok(token) => accesses.push(Access { server: server.to_owned(), token }),
                Err(error) => failure = Some(error),
            }
        }
    }
    match failure {
        Some(failure) if accesses.is_empty() => Err(failure),
        _ => Ok(accesses),
    }
}

/// Whether the Nest itself is in this project.
pub(super) fn is_nest(nest: &NestSettings, server: &str, project: u64) -> bool {
    nest.project == Some(project) && nest.server.as_ref().is_none_or(|own| is_same_server(own, server))
}

/// The value of a secret.
pub(super) async fn secret(context: &Context, uri: &str) -> Result<Secret, Failure> {
    Ok(context.ports.secrets.get(&parse(uri)?).await?)
}

/// A secret's URI.
pub(super) fn parse(uri: &str) -> Result<SecretUri, Failure> {
    // The text itself is told nobody; of a known backend, which.
    Ok(secrets::parse(uri)?)
}
