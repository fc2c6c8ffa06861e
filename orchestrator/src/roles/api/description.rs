//! Every path of the API, and the description that says the same: `GET /openapi.json`.

use std::sync::LazyLock;

use axum::Json;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api, audit, auth, eggs, health, heartbeat, link, metrics, preview, queue, rotate, runners, secrets,
    status, ticket, webhook, why, work,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "MotherGoose",
        description = "The API of a Polar Gosling installation. Answers that say no have a problem (RFC 9457) as their body. \
                       Every answer has an `x-request-id`, which stands in the log as well. Names with a slash, such as \
                       `jobs/nightly`, are written with `%2F`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    tags(
        (name = "gitlab", description = "For GitLab's webhooks"),
        (name = "runners", description = "For runners"),
        (name = "operators", description = "For people and their tools"),
        (name = "timers", description = "For the installation's own timers"),
        (name = "health", description = "For balancers and monitors"),
    ),
    modifiers(&Schemes)
)]
struct Description;

/// What callers show.
struct Schemes;

impl Modify for Schemes {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let bearer = |what: &str| {
            SecurityScheme::Http(
                Http::builder().scheme(HttpAuthScheme::Bearer).description(Some(what.to_owned())).build(),
            )
        };
        let header = |name: &str, what: &str| {
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, what)))
        };
        let schemes = [
            (
                "token",
                bearer(
                    "A token of the installation with the scope `read` or `operate`; who may operate may read",
                ),
            ),
            ("credential", bearer("What a runner got for its ticket; good for its own paths alone")),
            ("trigger", header(auth::TRIGGER, "A token of the installation with the scope `trigger`")),
            ("webhook_token", header("X-Gitlab-Token", "The secret of the webhook")),
            (
                "webhook_signature",
                header("webhook-signature", "A signature of the body, in the form of Standard Webhooks"),
            ),
        ];
        let components = description.components.get_or_insert_default();
        for (name, scheme) in schemes {
            components.add_security_scheme(name, scheme);
        }
    }
}

/// Every path, but for those of what may take long.
pub(super) fn paths() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(webhook::gitlab))
        .routes(routes!(work::sync_git))
        .routes(routes!(work::health_check))
        .routes(routes!(work::uglyfox_health_check))
        .routes(routes!(work::collect))
        .routes(routes!(runners::list))
        .routes(routes!(runners::show, runners::drain))
        .routes(routes!(heartbeat::heartbeat))
        .routes(routes!(ticket::ticket))
        .routes(routes!(eggs::list))
        .routes(routes!(eggs::show))
        .routes(routes!(eggs::status))
        .routes(routes!(eggs::plans))
        .routes(routes!(eggs::plan))
        .routes(routes!(eggs::rollback))
        .routes(routes!(rotate::rotate))
        .routes(routes!(eggs::pause))
        .routes(routes!(eggs::resume))
        .routes(routes!(why::trigger))
        .routes(routes!(why::list))
        .routes(routes!(why::job))
        .routes(routes!(status::status))
        .routes(routes!(queue::counts))
        .routes(routes!(queue::dead))
        .routes(routes!(queue::replay))
        .routes(routes!(audit::list))
        .routes(routes!(secrets::put))
        .routes(routes!(secrets::rotate))
        .routes(routes!(secrets::versions))
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .routes(routes!(metrics::metrics))
        .routes(routes!(description))
}

/// The paths of what may take long: as long as GitLab or `OpenTofu` does.
pub(super) fn patient_paths() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(link::egg))
        .routes(routes!(link::unlink_egg))
        .routes(routes!(link::nest))
        .routes(routes!(link::unlink_nest))
        .routes(routes!(preview::plan))
}

static DESCRIPTION: LazyLock<utoipa::openapi::OpenApi> =
    LazyLock::new(|| paths().merge(patient_paths()).into_openapi());

/// The description of the API.
pub fn openapi() -> &'static utoipa::openapi::OpenApi {
    &DESCRIPTION
}

/// The description of the API, which needs no token.
#[utoipa::path(
    get, path = "/openapi.json", tag = "health", security(()), responses((status = 200, body = Object, content_type = "application/json"))
)]
async fn description() -> Json<&'static utoipa::openapi::OpenApi> {
    Json(openapi())
}
