//! `/secrets/…`: values are written and changed, and none is ever told.

use std::{collections::BTreeSet, time::Duration};

use axum::{Json, extract::State};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use fly_std::formats::SecretUri;
use serde_json::json;

use super::{
    Api,
    auth::{Caller, Operate, Read},
    eggs::{self, place, repositories},
    problem::{Answer, Body, Refusal},
    rotate,
    runners::TRIES,
    work,
};
use crate::{
    domain::Time,
    ports::{
        secrets::{self, Secret, SecretError},
        store::StoreError,
    },
    records::{self, AuditEntry, EggRecord, NestLink, Served, Stale, Versioned},
    roles::Work,
    settings::Settings,
    wire::{Problem, RotateRequest, SecretName, SecretValue, SecretVersionView, SecretWritten},
};

/// How long a webhook may show the secret that it had: until then `gosling link` has told GitLab the new one.
const GRACE: Duration = Duration::from_hours(24);

/// A value becomes the newest version of a secret.
#[utoipa::path(
    post, path = "/secrets/put", tag = "operators", request_body = SecretValue, security(("token" = ["operate"])),
    responses(
        (status = 200, body = SecretWritten), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 422, body = Problem), (status = 503, body = Problem),
    )
)]
pub(super) async fn put(
    caller: Caller<Operate>,
    State(api): State<Api>,
    Body(request): Body<SecretValue>,
) -> Answer<Json<SecretWritten>> {
    let uri = uri(&request.uri)?;
    let value = request.value.filter(|value| !value.is_empty());
    let value = value.ok_or_else(|| Refusal::invalid("`value` is missing or empty"))?;
    let version = write(&api, &uri, &Secret::new(value), "secret.put", &caller.actor).await?;
    try_again(&api, &uri).await?;
    let users = Users::of(&api, &uri).await?;
    Ok(Json(SecretWritten {
        kind: users.kind().to_owned(),
        version: Some(version),
        eggs: users.eggs(),
        nest: users.nest,
        before_until: None,
    }))
}

/// A secret is changed. A webhook's gets a random value, and what it was is let in for a day; a runner's token is rotated as
/// by `POST /eggs/{name}/rotate`; for any other, the value is given.
#[utoipa::path(
    post, path = "/secrets/rotate", tag = "operators", request_body = SecretValue, security(("token" = ["operate"])),
    responses(
        (status = 200, body = SecretWritten), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem),
    )
)]
pub(super) async fn rotate(
    caller: Caller<Operate>,
    State(api): State<Api>,
    Body(request): Body<SecretValue>,
) -> Answer<Json<SecretWritten>> {
    let uri = uri(&request.uri)?;
    let users = Users::of(&api, &uri).await?;
    let value = request.value.filter(|value| !value.is_empty()).map(Secret::new);
    let (kind, eggs, nest) = (users.kind().to_owned(), users.eggs(), users.nest);
    if !users.tokens.is_empty() {
        if value.is_some() {
            return Err(Refusal::invalid("GitLab makes the tokens of runners; leave out the value"));
        }
        for egg in &users.tokens {
            rotate::ask(&api, egg, &RotateRequest::default(), &caller.actor).await?;
        }
        return Ok(Json(SecretWritten { kind, version: None, eggs, nest, before_until: None }));
    }
    let until = api.now().plus(GRACE);
    let is_hook = users.is_hook();
    let value = match value {
        Some(value) => value,
        None if is_hook => random()?,
        None => {
            return Err(Refusal::invalid(
                "no egg has this as the secret of its webhook or the token of its runner: give the new value",
            ));
        }
    };
    if is_hook {
        // Before it is changed: whoever is cut off in between has let in what is the current one anyway.
        let version = current(&api, &uri).await?;
        for (egg, place) in &users.hooks {
            make_stale(&api, egg, place, version, until, &caller.actor).await?;
        }
        if users.nest {
            make_nest_stale(&api, version, until, &caller.actor).await?;
        }
    }
    let version = write(&api, &uri, &value, "secret.rotate", &caller.actor).await?;
    try_again(&api, &uri).await?;
    Ok(Json(SecretWritten {
        kind,
        version: Some(version),
        eggs,
        nest,
        before_until: is_hook.then(|| until.into()),
    }))
}

/// The versions of a secret, without their values.
#[utoipa::path(
    post, path = "/secrets/versions", tag = "operators", request_body = SecretName, security(("token" = ["read"])),
    responses(
        (status = 200, body = Vec<SecretVersionView>), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem),
    )
)]
pub(super) async fn versions(
    _: Caller<Read>,
    State(api): State<Api>,
    Body(request): Body<SecretName>,
) -> Answer<Json<Vec<SecretVersionView>>> {
    let found = api.context.ports.secrets.versions(&uri(&request.uri)?).await.map_err(refused)?;
    let view = |one: secrets::SecretVersion| SecretVersionView {
        version: one.version,
        made: one.made.into(),
        current: one.current,
    };
    Ok(Json(found.into_iter().map(view).collect()))
}

/// Who uses a secret, and what for.
struct Users {
    /// Eggs and places whose webhook shows it.
    hooks: BTreeSet<(String, String)>,
    /// Whether the webhook of the Nest's own project shows it.
    nest: bool,
    /// Eggs whose runners register with it.
    tokens: BTreeSet<String>,
}

impl Users {
    async fn of(api: &Api, uri: &SecretUri) -> Answer<Self> {
        let (mut hooks, mut tokens) = (BTreeSet::new(), BTreeSet::new());
        let is_it = |text: &str| secrets::parse(text).is_ok_and(|one| one.uri() == uri.uri());
        for egg in records::all::<EggRecord>(api.store(), None, None).await? {
            let egg = egg.record;
            if egg.removed {
                continue;
            }
            for repository in repositories(&egg, &api.context.settings.nest) {
                if is_it(&repository.webhook_secret) {
                    hooks.insert((egg.name.clone(), place(&repository)));
                }
                if is_it(&repository.token_secret) {
                    tokens.insert(egg.name.clone());
                }
            }
        }
        let nest =
            api.context.settings.nest.webhook_secret.as_ref().is_some_and(|own| own.uri() == uri.uri());
        Ok(Self { hooks, nest, tokens })
    }

    fn is_hook(&self) -> bool {
        self.nest || !self.hooks.is_empty()
    }

    fn kind(&self) -> &'static str {
        if !self.tokens.is_empty() {
            "runner_token"
        } else if self.is_hook() {
            "webhook_secret"
        } else {
            "other"
        }
    }

    fn eggs(&self) -> Vec<String> {
        let hooks = self.hooks.iter().map(|(egg, _)| egg);
        let all: BTreeSet<&String> = hooks.chain(&self.tokens).collect();
        all.into_iter().cloned().collect()
    }
}

/// GitLab's webhook has to be told another secret; until then the one that it has is let in.
async fn make_stale(
    api: &Api,
    egg: &str,
    place: &str,
    version: Option<u64>,
    until: Time,
    actor: &str,
) -> Answer<()> {
    for _ in 0..TRIES {
        let mut known = eggs::known(api, egg).await?;
        let now = api.now();
        let registered = known.record.registered.entry(place.to_owned()).or_default();
        registered.stale = Some(Stale::after(registered.stale.take(), version, now, until));
        known.record.updated = now;
        let details = json!({ "place": place });
        let entry = AuditEntry::new(now, actor, "webhook.stale", ("egg", egg), details);
        match api.store().commit(vec![known.update(), records::insert(&entry)]).await {
            Ok(()) => return Ok(()),
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Refusal::away(format!("others write `{egg}` just now; try again")))
}

/// The same of the Nest's own project.
async fn make_nest_stale(api: &Api, version: Option<u64>, until: Time, actor: &str) -> Answer<()> {
    for _ in 0..TRIES {
        let known = records::get::<NestLink>(api.store(), NestLink::id()).await?;
        let now = api.now();
        let change = |mut link: NestLink| {
            link.stale = Some(Stale::after(link.stale.take(), version, now, until));
            link
        };
        let write = match known {
            Some(known) => Versioned { record: change(known.record), version: known.version }.update(),
            None => records::insert(&change(NestLink::default())),
        };
        let name = api.context.settings.nest.name.as_str();
        let entry = AuditEntry::new(now, actor, "webhook.stale", ("nest", name), json!({}));
        match api.store().commit(vec![write, records::insert(&entry)]).await {
            Ok(()) => return Ok(()),
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Refusal::away("others write what the Nest has in GitLab just now; try again"))
}

/// Eggs whose deployment failed and that need this secret are deployed now: it may be what they waited for.
async fn try_again(api: &Api, uri: &SecretUri) -> Answer<()> {
    let settings = &api.context.settings;
    let text = uri.uri();
    for egg in records::all::<EggRecord>(api.store(), None, None).await? {
        if egg.record.failures == 0 || !needs(&egg.record, settings, &text) {
            continue;
        }
        let mut egg = egg;
        egg.record.retry_at = None;
        // What went wrong before says nothing of how long to wait should it fail again.
        egg.record.failures = 1;
        egg.record.updated = api.now();
        match api.store().commit(vec![egg.update()]).await {
            // Whoever writes it just now deploys it.
            Ok(()) | Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
        work::put_own(api, &Work::Deploy { egg: egg.record.name }).await?;
    }
    Ok(())
}

/// Whether an owner can't do without a secret.
fn needs(egg: &EggRecord, settings: &Settings, uri: &str) -> bool {
    let cloud = match &egg.served {
        Served::Egg(config) => &config.cloud,
        Served::Job(config) => &config.cloud,
    };
    let of_cloud = settings.clouds.credentials.get(cloud.provider.name()).into_iter().flatten();
    let own = of_cloud.map(|(_, uri)| uri.uri());
    let nest = settings.nest.api_token.iter().map(SecretUri::uri);
    let named = repositories(egg, &settings.nest).into_iter();
    let named = named.flat_map(|one| [one.api_token_secret, one.token_secret]);
    let named = named.filter_map(|text| secrets::parse(&text).ok()).map(|uri| uri.uri());
    own.chain(nest).chain(named).any(|one| one == uri)
}

async fn write(api: &Api, uri: &SecretUri, value: &Secret, action: &str, actor: &str) -> Answer<u64> {
    let version = api.context.ports.secrets.put(uri, value).await.map_err(refused)?;
    let (backend, id) = (uri.backend.scheme(), uri.id.to_string());
    let details = json!({ "backend": backend, "id": id, "version": version });
    let resource = format!("{backend}/{id}");
    let entry = AuditEntry::new(api.now(), actor, action, ("secret", &resource), details);
    api.store().commit(vec![records::insert(&entry)]).await?;
    tracing::info!(actor, version, "a secret was written");
    Ok(version)
}

async fn current(api: &Api, uri: &SecretUri) -> Answer<Option<u64>> {
    match api.context.ports.secrets.versions(uri).await {
        Ok(versions) => Ok(versions.iter().find(|one| one.current).map(|one| one.version)),
        Err(SecretError::Missing { .. }) => Ok(None),
        Err(error) => Err(refused(error)),
    }
}

fn uri(text: &str) -> Answer<SecretUri> {
    secrets::parse(text).map_err(|error| Refusal::invalid(error.to_string()))
}

#[allow(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn refused(error: SecretError) -> Refusal {
    match &error {
        SecretError::Missing { .. } => Refusal::missing(error.to_string()),
        SecretError::Refused { .. } | SecretError::Wrong { .. } => Refusal::conflict(error.to_string()),
        SecretError::Away { .. } => Refusal::away(error.to_string()),
    }
}

fn random() -> Answer<Secret> {
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes).map_err(|_| Refusal::internal())?;
    Ok(Secret::new(BASE64_URL_SAFE_NO_PAD.encode(*bytes)))
}
