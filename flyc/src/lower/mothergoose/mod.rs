//! The installation itself: one `OpenTofu` root module that makes everything MotherGoose is made of.
//!
//! Here live the choice of components, which of them gives which file, and what every cloud's templates are filled with;
//! one folder a cloud has the templates. `openapi` describes the API for the gateway.
//!
//! To add a file of a cloud, write its template, name it in [`files_of`] and in `render::TEMPLATES`. A template sees
//!
//! - `config`: the whole [`MothergooseConfig`], by the names of `.fly`;
//! - `has.<component>`: whether the component is made, so that a file shared by all of them refers to nothing that isn't;
//! - `nest`, `version` (the compiler's), `backend_block`, and in a service's own file `part` and `service`.

mod aws;
mod env_size;
mod limits;
mod local;
mod openapi;
mod redelivery;
mod schedule;
mod yandex;

use std::collections::{BTreeMap, BTreeSet};

use minijinja::{Value, context, value::Serde};

use super::{Backend, File, LowerError, Options, config as values, escape, marks, render::render};
use crate::artifact::{
    Artifact, Component, Components, EnvValue, MothergooseConfig, Origins, Provider, Service, SourceMap,
};

/// The folder of the module in a build.
const FOLDER: &str = "mothergoose";

/// What of an installation is lowered, beside its configuration.
#[derive(Debug, Clone, Copy, Default)]
pub struct Installation<'a> {
    /// What is made of it.
    pub components: Components,
    /// The text of the author's own `OpenAPI` description.
    pub openapi: Option<&'a str>,
    /// The path of that text, from the Nest's root, when there is none.
    pub missing_openapi: Option<&'a str>,
    /// The secrets of the cloud's own store that the Nest names.
    pub secret_names: Option<&'a BTreeSet<String>>,
}

/// A file of the module and the templates it is made of, one after the other.
struct Template {
    file: &'static str,
    /// The component it belongs to; none for a file that is always there.
    component: Option<Component>,
    parts: &'static [&'static str],
}

const fn always(file: &'static str, parts: &'static [&'static str]) -> Template {
    Template { file, component: None, parts }
}

const fn of(component: Component, file: &'static str, parts: &'static [&'static str]) -> Template {
    Template { file, component: Some(component), parts }
}

const YANDEX: &[Template] = &[
    always("versions.tf", &["mothergoose/yandex/versions.tf.j2"]),
    always("providers.tf", &["mothergoose/yandex/providers.tf.j2"]),
    always("variables.tf", &["mothergoose/yandex/variables.tf.j2"]),
    always("locals.tf", &["mothergoose/yandex/locals.tf.j2"]),
    of(Component::ApiGateway, "api_gateway.tf", &["mothergoose/yandex/api_gateway.tf.j2"]),
    of(Component::FastapiApp, "fastapi_app.tf", &["mothergoose/yandex/service.tf.j2"]),
    of(Component::CeleryWorkers, "celery_workers.tf", &["mothergoose/yandex/service.tf.j2"]),
    of(Component::UglyfoxWorkers, "uglyfox_workers.tf", &["mothergoose/yandex/service.tf.j2"]),
    of(Component::MessageQueues, "message_queues.tf", &["mothergoose/yandex/message_queues.tf.j2"]),
    of(Component::Triggers, "triggers.tf", &["mothergoose/yandex/triggers.tf.j2"]),
    of(Component::Database, "database.tf", &["mothergoose/yandex/database.tf.j2"]),
    of(Component::Storage, "storage.tf", &["mothergoose/yandex/storage.tf.j2"]),
    of(Component::ServiceAccounts, "service_accounts.tf", &["mothergoose/yandex/service_accounts.tf.j2"]),
    of(Component::Network, "network.tf", &["mothergoose/yandex/network.tf.j2"]),
    always("checks.tf", &["mothergoose/yandex/checks.tf.j2"]),
    always("outputs.tf", &["mothergoose/yandex/outputs.tf.j2"]),
];

const LOCAL: &[Template] = &[
    always("versions.tf", &["mothergoose/local/versions.tf.j2"]),
    always("variables.tf", &["mothergoose/local/variables.tf.j2"]),
    always("main.tf", &["mothergoose/local/main.tf.j2"]),
    always("checks.tf", &["mothergoose/local/checks.tf.j2"]),
    always("outputs.tf", &["mothergoose/local/outputs.tf.j2"]),
];

/// The files of a cloud.
const fn files_of(provider: Provider) -> &'static [Template] {
    match provider {
        Provider::Yandex => YANDEX,
        Provider::Aws => aws::TEMPLATES,
        Provider::Local => LOCAL,
    }
}

/// The module's files, under `mothergoose/`.
pub(super) fn files(
    config: &MothergooseConfig,
    origins: &Origins,
    options: &Options,
    installation: Installation<'_>,
) -> Result<Vec<File>, LowerError> {
    values::without_nul(config, MothergooseConfig::WHAT, options)?;
    let config = &match config.cloud.provider {
        Provider::Aws => aws::named(config, &options.nest),
        Provider::Yandex | Provider::Local => config.clone(),
    };
    let components = installation.components.with_targets(config);
    let installation = Installation { components, ..installation };
    let root = root_context(config, options, installation)?;
    let mut map = SourceMap::new();
    let mut files: Vec<(String, String)> = vec![
        ("config.json".to_owned(), config.to_json()?),
        ("tofu.rc".to_owned(), render("tofu/tofu.rc.j2", &root)?),
    ];
    for template in files_of(config.cloud.provider) {
        let Some(context) = context_of(template.component, config, &root, components) else {
            continue;
        };
        let mut body = String::new();
        for part in template.parts {
            body.push_str(&render(part, &context)?);
        }
        if body.trim().is_empty() {
            continue;
        }
        let text = render("mothergoose/header.tf.j2", &context)? + &body;
        let (text, mappings) = marks::strip(template.file, &text, origins);
        if !mappings.is_empty() {
            map.files.insert(template.file.to_owned(), mappings);
        }
        if let Some(component) = template.component {
            let targets = targets(&text);
            if !targets.is_empty() {
                files.push((format!("targets/{}.targets", component.name()), targets));
            }
        }
        files.push((template.file.to_owned(), text));
    }
    if config.cloud.provider == Provider::Local {
        files.extend(local::SCRIPTS.map(|(file, text)| (file.to_owned(), text.to_owned())));
    } else if components.contains(Component::ApiGateway) {
        let text = match installation.openapi {
            Some(own) => own.to_owned(),
            None => openapi::description(config, &root, installation.missing_openapi)?,
        };
        files.push(("openapi.yaml".to_owned(), text));
    }
    files.push(("source-map.json".to_owned(), map.to_json()?));
    Ok(files.into_iter().map(|(file, text)| (format!("{FOLDER}/{file}"), text)).collect())
}

/// What the installation's cloud can't make of it.
pub(super) fn limits(config: &MothergooseConfig) -> Vec<LowerError> {
    match config.cloud.provider {
        Provider::Aws => aws::check(config).into_iter().chain(env_size::check(config)).collect(),
        Provider::Yandex => limits::yandex(config),
        Provider::Local => Vec::new(),
    }
}

/// The addresses of what a file makes, as `tofu plan -target-file` reads them.
fn targets(text: &str) -> String {
    let resources = text.lines().filter_map(|line| line.strip_prefix("resource \""));
    let mut targets = String::new();
    for resource in resources {
        let mut words = resource.split('"');
        if let (Some(kind), Some(_), Some(name)) = (words.next(), words.next(), words.next()) {
            targets.extend([kind, ".", name, "\n"]);
        }
    }
    targets
}

/// What the templates of a component see; none when it is not made.
fn context_of(
    component: Option<Component>,
    config: &MothergooseConfig,
    root: &Value,
    components: Components,
) -> Option<Value> {
    let Some(component) = component else { return Some(root.clone()) };
    if !components.contains(component) {
        return None;
    }
    let Some(service) = config.service(component) else { return Some(root.clone()) };
    let own = match config.cloud.provider {
        Provider::Yandex => yandex::service(component, service, config, components),
        Provider::Aws | Provider::Local => context! {},
    };
    Some(context! {
        part => component.name(),
        service => Value::from(Serde(service)),
        ..context! { ..own, ..root.clone() }
    })
}

/// What `gosling serve --roles` calls a service.
const fn role(component: Component) -> &'static str {
    match component {
        Component::CeleryWorkers => "worker",
        Component::UglyfoxWorkers => "uglyfox",
        _ => "api",
    }
}

/// What every template sees.
fn root_context(
    config: &MothergooseConfig,
    options: &Options,
    installation: Installation<'_>,
) -> Result<Value, LowerError> {
    let provider = config.cloud.provider;
    let components = installation.components;
    let backend = match options.backend.unwrap_or_else(|| Backend::of(provider)) {
        Backend::S3 => "s3",
        Backend::Local => "local",
    };
    let has = Component::ALL.map(|component| (component.name(), components.contains(component)));
    let roles: Vec<&str> =
        Component::SERVICES.into_iter().filter(|part| components.contains(*part)).map(role).collect();
    let root = context! {
        name => FOLDER,
        nest => options.nest.clone(),
        version => plain(env!("CARGO_PKG_VERSION")),
        provider => provider.name(),
        backend,
        ephemeral => false,
        owner => plain("installation"),
        // No egg can be called so that its key would be this one.
        state_key => format!("tofu-states/{FOLDER}/installation/terraform.tfstate"),
        has => Value::from_pairs(has),
        roles => roles.join(","),
        config => Value::from(Serde(config)),
    };
    let block = Value::from_safe_string(render("tofu/backend.tf.j2", &root)?.trim_end().to_owned());
    let own = match provider {
        Provider::Yandex => yandex::context(config, components),
        Provider::Aws => context! { aws => aws::context(config, &options.nest, installation)? },
        Provider::Local => local::context(config, components),
    };
    Ok(context! { backend_block => block, ..context! { ..own, ..root } })
}

/// A text of the compiler's own, which is written as it is.
fn plain(text: &str) -> Value {
    Value::from_safe_string(text.to_owned())
}

/// The entries of a map of HCL, their keys as wide as the widest, as `tofu fmt` sets them: `key`, `pad`, `value`, and
/// `name`, the key as it is.
fn aligned<'a>(entries: impl Iterator<Item = (&'a str, Value)>) -> Vec<Value> {
    // What no key can hold was refused before anything was rendered.
    let entries: Vec<(&str, String, Value)> =
        entries.filter_map(|(name, value)| Some((name, escape::hcl::key(name).ok()?, value))).collect();
    let width = entries.iter().map(|(_, key, _)| key.chars().count()).max().unwrap_or_default();
    entries
        .into_iter()
        .map(|(name, key, value)| {
            let pad = " ".repeat(width - key.chars().count());
            context! { name, key => Value::from_safe_string(key), pad => plain(&pad), value }
        })
        .collect()
}

/// The variables of an `env`.
fn environment(env: &BTreeMap<String, EnvValue>) -> Vec<Value> {
    aligned(env.iter().map(|(name, value)| (name.as_str(), env_value(value))))
}

/// The variables of a service: its role, what else MotherGoose tells it (expressions of HCL), and what its `env` says. A
/// secret goes as its URI; the service reads it.
fn part_environment<'a>(
    component: Component,
    service: &'a Service,
    told: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Vec<Value> {
    let mut all: BTreeMap<&str, Value> = BTreeMap::from([("GOSLING_ROLES", role(component).into())]);
    all.extend(told.into_iter().map(|(name, expression)| (name, plain(expression))));
    all.extend(service.env.iter().map(|(name, value)| (name.as_str(), env_value(value))));
    aligned(all.into_iter())
}

fn env_value(value: &EnvValue) -> Value {
    match value {
        EnvValue::Text(text) | EnvValue::Secret(text) => text.as_str().into(),
    }
}
