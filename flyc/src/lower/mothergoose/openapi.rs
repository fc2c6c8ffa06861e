//! The `OpenAPI` description MotherGoose brings along: the paths of its API, as the cloud's gateway reads them.

use fly_std::endpoints::{ENDPOINTS, Endpoint};
use minijinja::{Value, context};

use super::render;
use crate::{artifact::MothergooseConfig, lower::LowerError};

/// Where paths begin that only the system's own clocks and queues call.
const INTERNAL: &str = "/internal/";
/// Where GitLab's webhooks come in.
const WEBHOOKS: &str = "/webhooks/";

/// The description. `missing` is the author's own one that is not there, as a path from the Nest's root.
pub(super) fn description(
    config: &MothergooseConfig,
    root: &Value,
    missing: Option<&str>,
) -> Result<String, LowerError> {
    let gateway = &config.api_gateway;
    let authoriser = gateway.auth_function.code.is_some();
    let outside = ENDPOINTS.iter().filter(|endpoint| !endpoint.path.starts_with(INTERNAL));
    let paths: Vec<Value> = outside.map(|endpoint| path(endpoint, authoriser)).collect();
    let cors = gateway.cors.as_ref().filter(|cors| !cors.allowed_origins.is_empty()).map(|cors| {
        context! {
            origins => &cors.allowed_origins,
            methods => &cors.allowed_methods,
            headers => &cors.allowed_headers,
        }
    });
    let mut context = context! { paths, authoriser, ..root.clone() };
    if let Some(cors) = cors {
        context = context! { cors, ..context };
    }
    if let Some(missing) = missing {
        context = context! { missing, ..context };
    }
    render("mothergoose/openapi.yaml.j2", &context)
}

fn path(endpoint: &Endpoint, authoriser: bool) -> Value {
    let parameters: Vec<&str> = endpoint
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{').and_then(|part| part.strip_suffix('}')))
        .collect();
    // "lists eggs, or sets one": what each method does, in their order.
    let docs: Vec<&str> = endpoint.doc.split(", or ").collect();
    let operations = endpoint.methods.iter().enumerate().map(|(at, method)| {
        let doc = if docs.len() == endpoint.methods.len() { docs[at] } else { endpoint.doc };
        context! {
            summary => doc,
            method => method.to_ascii_lowercase(),
            id => operation_id(method, endpoint.path),
            authorised => authoriser && endpoint.path.starts_with(WEBHOOKS),
        }
    });
    context! {
        path => endpoint.path,
        parameters,
        operations => operations.collect::<Vec<_>>(),
    }
}

/// `getRunnersId` for `GET /runners/{id}`: no two operations have the same words.
fn operation_id(method: &str, path: &str) -> String {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut id = method.to_ascii_lowercase();
    for word in words {
        let mut letters = word.chars();
        id.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        id.push_str(letters.as_str());
    }
    id
}
