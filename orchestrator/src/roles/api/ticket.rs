//! `POST /runners/{id}/ticket`: a runner that comes for the first time gets its credential, and every time what it registers
//! with and its variables.

use std::collections::BTreeMap;

use axum::{Json, extract::State, http::HeaderMap};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use flyc::artifact::{EnvValue, Repository};

use super::{
    Api, credential,
    eggs::{self, place},
    problem::{Answer, At, Body, Refusal},
    runners::TRIES,
};
use crate::{
    domain::State as RunnerState,
    ports::{
        secrets::{self, Secret},
        store::{StoreError, Value},
    },
    records::{self, AuditEntry, EggRecord, RunnerRecord, Served, Versioned},
    seal,
    wire::{
        Problem,
        runner::{Registration, TicketAnswer, TicketRequest},
    },
};

/// The longest system id and version.
const LONGEST: usize = 128;

/// A ticket, or a credential, for what the runner needs. A ticket that was shown is good for the machine that showed it, until
/// that has used its credential.
#[utoipa::path(
    post, path = "/runners/{id}/ticket", tag = "runners", params(("id" = String, Path)),
    request_body = TicketRequest, security((), ("credential" = [])),
    responses(
        (status = 200, body = TicketAnswer), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 410, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem),
    )
)]
pub(super) async fn ticket(
    State(api): State<Api>,
    At(id): At<String>,
    headers: HeaderMap,
    Body(request): Body<TicketRequest>,
) -> Answer<Json<TicketAnswer>> {
    if request.system_id.is_empty() || request.system_id.len() > LONGEST || request.version.len() > LONGEST {
        let detail = format!("`system_id` has 1 to {LONGEST} letters, `version` as many at most");
        return Err(Refusal::invalid(detail));
    }
    for _ in 0..TRIES {
        let (mut found, given) = admitted(&api, &id, &headers, &request).await?;
        let egg = egg(&api, &found.record.runner.egg).await?;
        // All of it is had before the ticket counts as shown.
        let registrations = registrations(&api, &egg).await?;
        let environment = environment(&api, &egg).await?;
        let now = api.now();
        let record = &mut found.record;
        record.system_id = Some(request.system_id.clone());
        record.version = Some(request.version.clone());
        record.updated = now;
        let own = match &given {
            Given::Ticket(ticket) => {
                let new = new_credential()?;
                record.credential = Some(seal::fingerprint(new.expose()));
                record.redeemed = Some((ticket.clone(), request.system_id.clone()));
                // Another process, maybe on another machine, with another clock: it is counted from the start.
                record.heard = (0, 0);
                record.revision = None;
                new
            }
            Given::Credential(own) => own.clone(),
        };
        let details =
            serde_json::json!({ "egg": egg.name, "system_id": request.system_id, "by": given.name() });
        let actor = format!("runner:{id}");
        let entry = AuditEntry::new(now, &actor, "runner.ticket", ("runner", &id), details);
        match api.store().commit(vec![found.update(), records::insert(&entry)]).await {
            Ok(()) => {
                tracing::info!(runner = id, by = given.name(), "a runner got what it registers with");
                return Ok(Json(TicketAnswer {
                    credential: own.expose().to_owned(),
                    registrations,
                    environment,
                    revision: egg.revision,
                }));
            }
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Refusal::away("others write this runner just now; try again"))
}

/// What a runner has shown.
enum Given {
    /// A ticket, by its fingerprint.
    Ticket(String),
    /// Its credential.
    Credential(Secret),
}

impl Given {
    const fn name(&self) -> &'static str {
        match self {
            Self::Ticket(_) => "ticket",
            Self::Credential(_) => "credential",
        }
    }
}

/// The runner, when it shows what it must.
async fn admitted(
    api: &Api,
    id: &str,
    headers: &HeaderMap,
    request: &TicketRequest,
) -> Answer<(Versioned<RunnerRecord>, Given)> {
    let (found, given) = match &request.ticket {
        Some(ticket) => {
            let found = super::runners::find(api, id).await?.ok_or_else(credential::refused)?;
            let wanted = found.record.ticket.clone().ok_or_else(credential::refused)?;
            let is_somebody_elses = found
                .record
                .redeemed
                .as_ref()
                .is_some_and(|(shown, by)| *shown == wanted && *by != request.system_id);
            if !seal::has_fingerprint(ticket, &wanted) || is_somebody_elses {
                return Err(credential::refused());
            }
            (found, Given::Ticket(wanted))
        }
        None => {
            let shown = credential::shown(headers)?;
            (credential::runner(api, id, shown).await?, Given::Credential(Secret::new(shown)))
        }
    };
    let state = found.record.runner.state;
    let is_over = match &given {
        Given::Ticket(_) => {
            matches!(state, RunnerState::Failed | RunnerState::PendingTermination | RunnerState::Terminated)
        }
        Given::Credential(_) => state == RunnerState::Terminated,
    };
    if is_over {
        return Err(Refusal::gone(format!("the runner is {}; it is not needed any more", state.name())));
    }
    Ok((found, given))
}

fn new_credential() -> Answer<Secret> {
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes).map_err(|_| Refusal::internal())?;
    Ok(Secret::new(BASE64_URL_SAFE_NO_PAD.encode(*bytes)))
}

async fn egg(api: &Api, name: &str) -> Answer<EggRecord> {
    let found = records::get::<EggRecord>(api.store(), vec![Value::Text(name.to_owned())]).await?;
    let gone = || Refusal::gone("the runner's egg is not known any more; it is not needed any more");
    Ok(found.ok_or_else(gone)?.record)
}

async fn registrations(api: &Api, egg: &EggRecord) -> Answer<Vec<Registration>> {
    let mut registrations = Vec::new();
    for repository in eggs::repositories(egg, &api.context.settings.nest) {
        let registered = egg.registered.get(&place(&repository)).and_then(|known| known.runner);
        let runner = registered.ok_or_else(|| {
            Refusal::away(format!("`{}` is not registered in GitLab yet; try again", egg.name))
        })?;
        registrations.push(Registration {
            url: api.gitlab(&repository.server),
            runner,
            token: token(api, egg, &repository).await?.expose().to_owned(),
            name: repository.name,
        });
    }
    Ok(registrations)
}

/// The token of the runner that a place has now.
async fn token(api: &Api, egg: &EggRecord, repository: &Repository) -> Answer<Secret> {
    let rotation = egg.rotation.as_ref();
    let version = rotation.and_then(|rotation| rotation.fresh_version(&place(repository), api.now()));
    let uri = secrets::parse(&repository.token_secret).ok();
    if let Some((uri, version)) = uri.zip(version) {
        // Another process may have changed it, and the one before may be kept here for a while.
        match api.context.ports.secrets.get_version(&uri, version).await {
            Ok(token) => return Ok(token),
            Err(error) => tracing::warn!(%error, "a version of a runner's token can't be read"),
        }
    }
    secret(api, &repository.token_secret).await
}

async fn environment(api: &Api, egg: &EggRecord) -> Answer<BTreeMap<String, String>> {
    let variables = match &egg.served {
        Served::Egg(config) => &config.environment,
        Served::Job(config) => &config.environment,
    };
    let mut environment = BTreeMap::new();
    for (name, value) in variables {
        let value = match value {
            EnvValue::Text(text) => text.clone(),
            EnvValue::Secret(uri) => secret(api, uri).await?.expose().to_owned(),
        };
        environment.insert(name.clone(), value);
    }
    Ok(environment)
}

async fn secret(api: &Api, uri: &str) -> Answer<Secret> {
    let uri = secrets::parse(uri).map_err(|error| {
        tracing::error!(%error, "what was built has something for a secret's URI that is none");
        Refusal::internal()
    })?;
    api.context.ports.secrets.get(&uri).await.map_err(|error| {
        tracing::error!(%error, "a runner's secret can't be read");
        Refusal::away(error.to_string())
    })
}
