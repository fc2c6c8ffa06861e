//! Amazon Web Services: what the templates of `aws/` are filled with.
//!
//! Services are functions of Lambda made from images, queues are SQS, tables `DynamoDB`, buckets S3, the gateway an HTTP
//! API, the clock `EventBridge` Scheduler. `accounts` has the IAM roles, `limits` what AWS can't make, `names` what things are called when nobody said, `text` how values
//! stand in HCL.
//!
//! Never here: what a part may do beyond its account's roles; that stands in its template, beside the part.

mod accounts;
mod limits;
mod names;
#[cfg(test)]
mod tests;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use fly_std::formats::{SecretBackend, eventbridge, image, secret_uri};
use minijinja::{Value, context};

use self::{
    accounts::Accounts,
    text::{Labels, fragment, padded, safe, slug},
};
pub(super) use self::{limits::check, names::named};
use super::{Installation, Template, aligned, always, env_value, of, part_environment};
use crate::{
    artifact::{Bucket, ColumnType, Component, EnvValue, Metric, MothergooseConfig, Service, Table},
    lower::LowerError,
};

/// The module's files.
pub(super) const TEMPLATES: &[Template] = &[
    always("versions.tf", &["tofu/aws/versions.tf.j2"]),
    always("providers.tf", &["mothergoose/aws/providers.tf.j2"]),
    always("variables.tf", &["mothergoose/aws/variables.tf.j2"]),
    always("registry.tf", &["mothergoose/aws/registry.tf.j2"]),
    always("environment.tf", &["mothergoose/aws/environment.tf.j2"]),
    of(Component::Network, "network.tf", &["mothergoose/aws/network.tf.j2", "mothergoose/aws/runners.tf.j2"]),
    of(Component::ServiceAccounts, "service_accounts.tf", &["mothergoose/aws/service_accounts.tf.j2"]),
    of(Component::Storage, "storage.tf", &["mothergoose/aws/storage.tf.j2"]),
    of(Component::Database, "database.tf", &["mothergoose/aws/database.tf.j2"]),
    of(Component::MessageQueues, "message_queues.tf", &["mothergoose/aws/message_queues.tf.j2"]),
    of(Component::FastapiApp, "fastapi_app.tf", SERVICE),
    of(Component::CeleryWorkers, "celery_workers.tf", SERVICE),
    of(Component::UglyfoxWorkers, "uglyfox_workers.tf", SERVICE),
    of(
        Component::ApiGateway,
        "api_gateway.tf",
        &["mothergoose/aws/api_gateway.tf.j2", "mothergoose/aws/auth_function.tf.j2"],
    ),
    of(Component::Triggers, "triggers.tf", &["mothergoose/aws/triggers.tf.j2"]),
    always("checks.tf", &["mothergoose/aws/checks.tf.j2"]),
    always("outputs.tf", &["mothergoose/aws/outputs.tf.j2"]),
];

const SERVICE: &[&str] = &["mothergoose/aws/service.tf.j2", "mothergoose/aws/service_policy.tf.j2"];

/// What the gateway waits for an answer at most, in seconds.
const GATEWAY_TIMEOUT_S: u64 = 30;

/// The secrets that the system has of its own: GitLab's tokens, deploy keys, and where the Nest is.
const SECRETS: [&str; 3] = ["deploy-keys", "gitlab", "nest"];

/// What every template of AWS sees as `aws`.
pub(super) fn context(
    config: &MothergooseConfig,
    nest: &str,
    installation: Installation<'_>,
) -> Result<Value, LowerError> {
    let components = installation.components;
    if let Some(error) = check(config).into_iter().next() {
        return Err(error);
    }
    let prefix = format!("gosling-{}", slug(nest));
    let images = Images::of(config, &prefix);
    let accounts = Accounts::of(config);
    let functions = Component::SERVICES.into_iter().any(|service| components.contains(service));
    let mut services = BTreeMap::new();
    for component in Component::SERVICES {
        if let Some(service) = config.service(component) {
            services.insert(component.name(), service_context(component, service, &accounts)?);
        }
    }
    let gateway = &config.api_gateway;
    Ok(context! {
        prefix => prefix.clone(),
        prefix_text => safe(&prefix),
        nest_tag => tag(nest),
        nest_text => safe(&log_name(nest)),
        functions,
        public_address => !config.network.nat,
        secret_names => secret_names(config, installation.secret_names),
        gosling_image => images.gosling,
        repositories => images.repositories()?,
        state_bucket => bucket_name("state_bucket", &config.storage.state_bucket, nest)?,
        binary_bucket => bucket_name("binary_bucket", &config.storage.binary_bucket, nest)?,
        network => network(config)?,
        queues => queues(config)?,
        dead_letters => padded(config.message_queues.dead_letter_queues.iter().map(|queue| {
            (queue.name.as_str(), context! { name => queue.name.clone(), message_retention_s => queue.message_retention_s })
        }))?,
        redrives => redrives(config)?,
        tables => tables(config)?,
        indexed => config.database.tables.iter().filter(|(_, table)| !table.indexes.is_empty()).map(|(key, _)| key.clone()).collect::<Vec<_>>(),
        buckets => buckets(config),
        services => Value::from_pairs(services),
        auth => auth(config, &accounts)?,
        accounts => accounts.contexts(config)?,
        callers => accounts.callers(config),
        schedules => schedules(config, &accounts)?,
        domain => gateway.domain.clone().unwrap_or_default(),
        domain_text => fragment(gateway.domain.as_deref().unwrap_or_default())?,
        cors => gateway.cors.as_ref().is_some_and(|cors| !cors.allowed_origins.is_empty()),
        gateway_timeout_ms => config.fastapi_app.timeout_s.min(GATEWAY_TIMEOUT_S) * 1000,
    })
}

/// A value of a tag: letters, digits, spaces and `+ - = . _ : / @`, 256 at most; as the Compute Module writes it.
fn tag(text: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-+=._:/@ ".contains(c);
    text.chars().map(|c| if allowed(c) { c } else { '_' }).take(256).collect()
}

/// A part of the name of a log group, as the modules of serverless eggs write it.
fn log_name(text: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    text.chars().map(|c| if allowed(c) { c } else { '_' }).take(128).collect()
}

/// The names of the secrets: the system's own, and those that its services' environments and the Nest name.
fn secret_names(config: &MothergooseConfig, of_nest: Option<&BTreeSet<String>>) -> Vec<String> {
    let services = [&config.fastapi_app, &config.celery_workers, &config.uglyfox_workers];
    let environments =
        services.into_iter().map(|service| &service.env).chain([&config.api_gateway.auth_function.env]);
    let written = environments.flat_map(BTreeMap::values).filter_map(|value| match value {
        EnvValue::Secret(uri) => secret_uri::parse(uri).ok(),
        EnvValue::Text(_) => None,
    });
    let mut names: BTreeSet<String> = SECRETS.iter().map(ToString::to_string).collect();
    names.extend(of_nest.into_iter().flatten().cloned());
    names.extend(written.filter(|uri| uri.backend == SecretBackend::AwsSm).map(|uri| uri.id.to_string()));
    names.into_iter().collect()
}

/// The images of the services, and the repositories that hold copies of those from elsewhere.
struct Images {
    /// Whether a service runs the gosling image.
    gosling: bool,
    /// By image without its tag: the repository's name, and whether a tag may move.
    copies: BTreeMap<String, (String, bool)>,
}

/// The key of the gosling image among the copies.
const GOSLING: &str = "gosling";

impl Images {
    fn of(config: &MothergooseConfig, prefix: &str) -> Self {
        let mut images =
            Self { gosling: config.api_gateway.auth_function.code.is_none(), copies: BTreeMap::new() };
        for service in [&config.fastapi_app, &config.celery_workers, &config.uglyfox_workers] {
            match service.image.as_deref() {
                None => images.gosling = true,
                Some(image) => {
                    if let Some((source, path, tag)) = foreign(image) {
                        let copy = images.copies.entry(source).or_insert((format!("{prefix}/{path}"), false));
                        copy.1 |= tag == ":latest";
                    }
                }
            }
        }
        if images.gosling {
            images.copies.insert(GOSLING.to_owned(), (format!("{prefix}/gosling"), false));
        }
        images
    }

    /// The expression that names an image.
    fn expression(image: Option<&str>) -> Result<Value, LowerError> {
        let copy = |source: &str, tag: &str| -> Result<Value, LowerError> {
            let source = text::quoted(source)?;
            let tag = fragment(tag)?;
            Ok(safe(&format!("\"${{aws_ecr_repository.image[{source}].repository_url}}{tag}\"")))
        };
        let Some(image) = image else {
            return Ok(safe(&format!(
                "\"${{aws_ecr_repository.image[\"{GOSLING}\"].repository_url}}:${{var.gosling_tag}}\""
            )));
        };
        match foreign(image) {
            Some((source, _, tag)) => copy(&source, &tag),
            None => Ok(Value::from(image)),
        }
    }

    fn repositories(&self) -> Result<Vec<Value>, LowerError> {
        padded(self.copies.iter().map(|(source, (name, moves))| {
            let mutability = if *moves { "MUTABLE" } else { "IMMUTABLE" };
            (source.as_str(), context! { name => name.clone(), mutability })
        }))
    }
}

/// An image that is in no registry of Amazon's: itself without its tag, its path, and `:tag` or `@digest`.
fn foreign(text: &str) -> Option<(String, String, String)> {
    let image = image::parse(text).ok()?;
    let registry = image.registry.as_deref().unwrap_or("docker.io");
    if registry.contains(".dkr.ecr.") && registry.contains(".amazonaws.com") {
        return None;
    }
    let tag = match (&image.digest, &image.tag) {
        (Some(digest), _) => format!("@{digest}"),
        (None, Some(tag)) => format!(":{tag}"),
        (None, None) => ":latest".to_owned(),
    };
    Some((format!("{registry}/{}", image.path), image.path.to_string(), tag))
}

fn service_context(
    component: Component,
    service: &Service,
    accounts: &Accounts,
) -> Result<Value, LowerError> {
    let part = component.name();
    let (doc, queue, sends) = match component {
        Component::CeleryWorkers => (
            "The workers: sync the Nest, plan and deploy runners.",
            "webhook_queue",
            "aws_sqs_queue.uglyfox_queue.arn, aws_sqs_queue.webhook_queue.arn",
        ),
        Component::UglyfoxWorkers => (
            "UglyFox: looks after runners, and tells the workers which to prune.",
            "uglyfox_queue",
            "aws_sqs_queue.webhook_queue.arn",
        ),
        _ => (
            "The API: takes webhooks, and answers runners and operators.",
            "",
            "aws_sqs_queue.uglyfox_queue.arn, aws_sqs_queue.webhook_queue.arn",
        ),
    };
    let (entry_point, command) = service.command.split_at(service.command.len().min(1));
    let batch = match service.scaling.metric {
        Metric::QueueDepth => service.scaling.target_value.min(MOST_MESSAGES),
        Metric::Concurrency | Metric::CpuUsage => 1,
    };
    Ok(context! {
        doc,
        doc_text => safe(doc),
        label => safe(part),
        name_text => fragment(&service.name)?,
        account => accounts.label(&service.service_account),
        image => Images::expression(service.image.as_deref())?,
        entry_point => entry_point.to_vec(),
        command => command.to_vec(),
        env => part_environment(component, service, []),
        queue => safe(queue),
        sends => safe(sends),
        batch,
    })
}

/// The most messages that Lambda hands over at one time.
const MOST_MESSAGES: u32 = 10_000;

fn auth(config: &MothergooseConfig, accounts: &Accounts) -> Result<Value, LowerError> {
    let auth = &config.api_gateway.auth_function;
    let tables = table_labels(config);
    let runtime = auth.code.as_ref().map_or_else(String::new, |code| runtime(&code.runtime));
    let mut env: BTreeMap<&str, Value> = BTreeMap::from([("GOSLING_ROLES", "authorizer".into())]);
    env.extend(auth.env.iter().map(|(name, value)| (name.as_str(), env_value(value))));
    Ok(context! {
        name_text => fragment(&auth.name)?,
        account => accounts.auth(),
        runtime,
        image => Images::expression(None)?,
        env => aligned(env.into_iter()),
        table => tables.label(EGGS_TABLE),
    })
}

/// The table that says which webhooks there are.
const EGGS_TABLE: &str = "eggs_config";

/// A runtime as AWS writes it: `python3.12`, which other clouds write as `python312`.
fn runtime(name: &str) -> String {
    match name.strip_prefix("python3") {
        Some(minor) if !minor.is_empty() && minor.bytes().all(|digit| digit.is_ascii_digit()) => {
            format!("python3.{minor}")
        }
        _ => match name.strip_prefix("nodejs") {
            Some(major) if !major.is_empty() && major.bytes().all(|digit| digit.is_ascii_digit()) => {
                format!("nodejs{major}.x")
            }
            _ => name.to_owned(),
        },
    }
}

fn network(config: &MothergooseConfig) -> Result<Value, LowerError> {
    let network = &config.network;
    let zones = config.cloud.zones.iter().enumerate().map(|(at, zone)| {
        (zone.as_str(), context! { name => zone.clone(), number => zone_number(zone).unwrap_or(at) })
    });
    Ok(context! {
        id => network.id.clone().unwrap_or_default(),
        subnets => network.subnets.clone(),
        security_groups => network.security_groups.clone(),
        made => network.id.is_none() && network.subnets.is_empty(),
        nat => network.nat,
        kind => safe(if network.nat { "private" } else { "public" }),
        zones => padded(zones)?,
    })
}

/// Which of a network's eight places a zone has: that of its letter.
fn zone_number(zone: &str) -> Option<usize> {
    zone.chars().next_back().and_then(|letter| ('a'..='h').position(|known| known == letter))
}

fn queues(config: &MothergooseConfig) -> Result<Vec<Value>, LowerError> {
    let queues = &config.message_queues;
    let all = [
        ("webhook_queue", &queues.webhook_queue, "Where webhooks wait for a worker."),
        ("uglyfox_queue", &queues.uglyfox_queue, "Where UglyFox's tasks wait."),
    ];
    padded(all.into_iter().map(|(block, queue, doc)| {
        let context = context! {
            block,
            label => safe(block),
            doc => safe(doc),
            name => queue.name.clone(),
            visibility_timeout_s => queue.visibility_timeout_s,
            message_retention_s => queue.message_retention_s,
            dead_letter_queue => queue.dead_letter_queue.clone(),
            max_receives => queue.max_receives,
        };
        (queue.name.as_str(), context)
    }))
}

/// The dead letter queues that a queue sends to, each with the queues that do.
fn redrives(config: &MothergooseConfig) -> Result<Vec<Value>, LowerError> {
    let queues = &config.message_queues;
    let mut sources: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (label, queue) in [("webhook_queue", &queues.webhook_queue), ("uglyfox_queue", &queues.uglyfox_queue)]
    {
        sources.entry(&queue.dead_letter_queue).or_default().push(label);
    }
    padded(sources.into_iter().map(|(name, labels)| {
        let arns: Vec<_> = labels.iter().map(|label| format!("aws_sqs_queue.{label}.arn")).collect();
        (name, context! { name => name, sources => safe(&arns.join(", ")) })
    }))
}

fn table_labels(config: &MothergooseConfig) -> Labels {
    Labels::of(config.database.tables.keys().map(String::as_str), &[])
}

fn tables(config: &MothergooseConfig) -> Result<Vec<Value>, LowerError> {
    let labels = table_labels(config);
    let tables = config.database.tables.iter().map(|(key, table)| {
        let context = context! {
            label => labels.label(key),
            path => format!("database.tables.{key}"),
            name => format!("{}-{}", config.database.name, table.name),
            hash_key => table.primary_key.first().cloned().unwrap_or_default(),
            range_key => table.primary_key.get(1).cloned().unwrap_or_default(),
            keys => keys(table),
            indexes => table.indexes.iter().map(|index| context! {
                name => index.name.clone(),
                partition_key => index.partition_key.clone(),
                sort_key => index.sort_key.clone().unwrap_or_default(),
            }).collect::<Vec<_>>(),
            ttl_column => table.ttl_column.clone().unwrap_or_default(),
        };
        (key.as_str(), context)
    });
    padded(tables)
}

/// The columns that `DynamoDB` must know: those of keys, in the order of the columns.
fn keys(table: &Table) -> Vec<Value> {
    let index_keys =
        table.indexes.iter().flat_map(|index| [Some(&index.partition_key), index.sort_key.as_ref()]);
    let used: BTreeSet<&String> = table.primary_key.iter().chain(index_keys.flatten()).collect();
    let columns = table.columns.iter().filter(|column| used.contains(&column.name));
    columns
        .map(|column| context! { name => column.name.clone(), type => key_type(column.ty).unwrap_or("S") })
        .collect()
}

/// What `DynamoDB` calls the type of a key; none for one that can be no key. A moment is a number, so that rows are
/// sorted by it and go by it.
const fn key_type(ty: ColumnType) -> Option<&'static str> {
    match ty {
        ColumnType::String => Some("S"),
        ColumnType::Int64 | ColumnType::Uint64 | ColumnType::Double | ColumnType::Timestamp => Some("N"),
        ColumnType::Bytes => Some("B"),
        ColumnType::Bool | ColumnType::Json => None,
    }
}

/// A bucket's name. The default one is anybody's, so it holds the Nest's name, and the account's number.
fn bucket_name(block: &str, bucket: &Bucket, nest: &str) -> Result<Value, LowerError> {
    let name = match names::of_bucket(block, &bucket.name, nest) {
        Some(name) => safe(&format!("\"{}-${{local.account}}\"", fragment(&name)?)),
        None => Value::from(bucket.name.clone()),
    };
    Ok(context! { name })
}

fn buckets(config: &MothergooseConfig) -> Vec<Value> {
    let storage = &config.storage;
    [
        (
            "state_bucket",
            &storage.state_bucket,
            "",
            "OpenTofu's state, and what eggs' folders keep between runs.",
        ),
        ("binary_bucket", &storage.binary_bucket, "", "The binaries that workers and runners download."),
    ]
    .into_iter()
    .map(|(key, bucket, pad, doc)| {
        let pad = if key == "state_bucket" { " " } else { pad };
        let rules = bucket.lifecycle_rules.iter().map(|(name, rule)| {
            context! {
                key => name.clone(),
                id => name.clone(),
                prefix => rule.prefix.clone(),
                expiration_days => rule.expiration_days,
            }
        });
        context! {
            key,
            label => safe(key),
            pad => safe(pad),
            doc => safe(doc),
            versioning => if bucket.versioning { "Enabled" } else { "Suspended" },
            rules => rules.collect::<Vec<_>>(),
        }
    })
    .collect()
}

fn schedules(config: &MothergooseConfig, accounts: &Accounts) -> Result<Vec<Value>, LowerError> {
    let labels = Labels::of(config.triggers.keys().map(String::as_str), &[]);
    config
        .triggers
        .iter()
        .map(|(key, trigger)| {
            // `check` has told what can't be said.
            let expressions = eventbridge::expressions(&trigger.schedule).unwrap_or_default();
            let (endpoint, query) = trigger.endpoint.split_once('?').unwrap_or((&trigger.endpoint, ""));
            Ok(context! {
                label => labels.label(key),
                path => format!("triggers.{key}"),
                name => trigger.name.clone(),
                name_text => fragment(&trigger.name)?,
                key_text => fragment(key)?,
                more => expressions.len() > 1,
                expressions,
                description => short(&format!("{} {}", trigger.method, trigger.endpoint)),
                route => format!("{} {endpoint}", trigger.method),
                endpoint,
                query,
                method => trigger.method.clone(),
                target => safe(trigger.target.name()),
                account => accounts.label(&trigger.service_account),
            })
        })
        .collect()
}

/// A description of a schedule, which has 512 characters at most.
fn short(text: &str) -> String {
    text.chars().take(512).collect()
}
