//! What the templates of Yandex Cloud see beside the configuration.

use minijinja::{Value, context, value::Serde};

use super::{aligned, environment, part_environment, plain, schedule};
use crate::artifact::{
    Bucket, ColumnType, Component, Components, DatabaseMode, Metric, MothergooseConfig, Queue, Service,
};

/// The most requests one instance of a container is given at one time.
const MOST_CONCURRENT: u32 = 16;
/// The most messages a trigger hands over at one time.
const LARGEST_BATCH: u32 = 1000;

/// What every file sees.
pub(super) fn context(config: &MothergooseConfig, components: Components) -> Value {
    let chosen = |component: &Component| components.contains(*component);
    let services: Vec<&Service> = Component::SERVICES
        .iter()
        .filter(|part| chosen(part))
        .filter_map(|part| config.service(*part))
        .collect();
    let database = match config.database.mode {
        DatabaseMode::Serverless => "yandex_ydb_database_serverless.database",
        DatabaseMode::Dedicated => "yandex_ydb_database_dedicated.database",
    };
    let queues = &config.message_queues;
    context! {
        services => !services.is_empty(),
        image_wanted => services.iter().any(|service| service.image.is_none()),
        db => plain(database),
        accounts => accounts(config),
        tables => tables(config),
        buckets => [
            bucket("state_bucket", "OpenTofu's state of every egg; earlier versions are what a repair starts from.", &config.storage.state_bucket),
            bucket("binary_bucket", "The programs that runners download.", &config.storage.binary_bucket),
        ],
        queues => [
            queue("webhook_queue", "Webhooks wait here for a worker.", &queues.webhook_queue),
            queue("uglyfox_queue", "UglyFox's tasks wait here.", &queues.uglyfox_queue),
        ],
        dead_letter_queues => aligned(
            queues.dead_letter_queues.iter().map(|queue| (queue.name.as_str(), queue.message_retention_s.into())),
        ),
        clocks => clocks(config, components),
        auth_environment => environment(&config.api_gateway.auth_function.env),
    }
}

/// What the file of a service sees.
pub(super) fn service(
    component: Component,
    service: &Service,
    config: &MothergooseConfig,
    components: Components,
) -> Value {
    let (doc, queue) = match component {
        Component::CeleryWorkers => {
            ("The workers: sync the Nest, plan and deploy runners", Some("webhook_queue"))
        }
        Component::UglyfoxWorkers => ("UglyFox: looks after runners, and prunes them", Some("uglyfox_queue")),
        _ => ("The API: takes webhooks, and answers runners and operators", None),
    };
    let concurrency = match (queue, service.scaling.metric) {
        (Some(_), _) => 1,
        (None, Metric::Concurrency) => service.scaling.target_value.min(MOST_CONCURRENT),
        (None, Metric::QueueDepth | Metric::CpuUsage) => MOST_CONCURRENT,
    };
    // Who makes runners tells them where MotherGoose is. The API can't be told: the gateway is made after it.
    let url = components.contains(Component::ApiGateway)
        && config.api_gateway.domain.is_none()
        && component != Component::FastapiApp;
    let url = url.then_some(("GOSLING_URL", "\"https://${yandex_api_gateway.api_gateway.domain}\""));
    let context = context! {
        doc,
        concurrency,
        environment => part_environment(component, service, url),
        callers => Value::from_iter(callers(component, config, components)),
    };
    let Some(key) = queue else { return context };
    let queue = match component {
        Component::CeleryWorkers => &config.message_queues.webhook_queue,
        _ => &config.message_queues.uglyfox_queue,
    };
    let queue = context! {
        key,
        name => queue.name.as_str(),
        batch_size => service.scaling.target_value.min(LARGEST_BATCH).to_string(),
        visibility_timeout => queue.visibility_timeout_s.to_string(),
    };
    context! { queue, ..context }
}

/// The accounts that may call a service.
fn callers(component: Component, config: &MothergooseConfig, components: Components) -> Vec<&str> {
    let mut callers = Vec::new();
    if component == Component::FastapiApp && components.contains(Component::ApiGateway) {
        callers.push(config.api_gateway.service_account.as_str());
    }
    if let Some(service) = config.service(component).filter(|_| component != Component::FastapiApp) {
        callers.push(&service.service_account);
    }
    if components.contains(Component::Triggers) {
        let calling = config.triggers.values().filter(|trigger| trigger.target == component);
        callers.extend(calling.map(|trigger| trigger.service_account.as_str()));
    }
    callers.sort_unstable();
    callers.dedup();
    callers
}

fn accounts(config: &MothergooseConfig) -> Vec<Value> {
    let width = config.service_accounts.keys().map(String::len).max().unwrap_or_default();
    config
        .service_accounts
        .iter()
        .map(|(key, account)| {
            let users: Vec<&str> = Component::SERVICES
                .into_iter()
                .filter(|part| config.service(*part).is_some_and(|service| service.service_account == *key))
                .map(Component::name)
                .collect();
            let others = [
                ("api_gateway", config.api_gateway.service_account == *key),
                ("auth_function", config.api_gateway.auth_function.service_account == *key),
                ("triggers", config.triggers.values().any(|trigger| trigger.service_account == *key)),
            ];
            let others = others.into_iter().filter_map(|(name, acts)| acts.then_some(name));
            let acting: Vec<&str> = users.iter().copied().chain(others).collect();
            let description = if acting.is_empty() {
                "Nothing acts as it".to_owned()
            } else {
                format!("Acts for {}", acting.join(", "))
            };
            context! {
                key => key.as_str(),
                pad => plain(&" ".repeat(width - key.len())),
                name => account.name.as_str(),
                description,
                roles => &account.roles,
                static_key => !users.is_empty(),
            }
        })
        .collect()
}

fn tables(config: &MothergooseConfig) -> Vec<Value> {
    config
        .database
        .tables
        .iter()
        .map(|(key, table)| {
            let columns = table.columns.iter().map(|column| (column.name.as_str(), yql(column.ty).into()));
            let indexes = table.indexes.iter().map(|index| {
                let columns: Vec<&str> = [Some(index.partition_key.as_str()), index.sort_key.as_deref()]
                    .into_iter()
                    .flatten()
                    .collect();
                (index.name.as_str(), Value::from_iter(columns))
            });
            let context = context! {
                key => key.as_str(),
                name => table.name.as_str(),
                primary_key => &table.primary_key,
                columns => aligned(columns),
                indexes => aligned(indexes),
            };
            match &table.ttl_column {
                Some(column) => context! { ttl_column => column.as_str(), ..context },
                None => context,
            }
        })
        .collect()
}

/// What YDB calls a type.
const fn yql(ty: ColumnType) -> &'static str {
    match ty {
        ColumnType::String => "Utf8",
        ColumnType::Int64 => "Int64",
        ColumnType::Uint64 => "Uint64",
        ColumnType::Double => "Double",
        ColumnType::Bool => "Bool",
        ColumnType::Json => "Json",
        ColumnType::Timestamp => "Timestamp",
        ColumnType::Bytes => "String",
    }
}

fn bucket(key: &'static str, comment: &'static str, bucket: &Bucket) -> Value {
    let rules = bucket.lifecycle_rules.iter().map(|(key, rule)| {
        let context = context! { key => key.as_str(), expiration_days => rule.expiration_days };
        if rule.prefix.is_empty() {
            context
        } else {
            context! { prefix => rule.prefix.as_str(), ..context }
        }
    });
    context! {
        key,
        comment => plain(comment),
        name => bucket.name.as_str(),
        versioning => bucket.versioning,
        rules => rules.collect::<Vec<_>>(),
    }
}

fn queue(key: &'static str, comment: &'static str, queue: &Queue) -> Value {
    context! { key, comment => plain(comment), ..Value::from(Serde(queue)) }
}

/// The triggers, one for each expression that it takes to say when they go off.
fn clocks(config: &MothergooseConfig, components: Components) -> Vec<Value> {
    let made = config.triggers.iter().filter(|(_, trigger)| components.contains(trigger.target));
    made.flat_map(|(key, trigger)| {
        schedule::clock_expressions(&trigger.schedule).into_iter().enumerate().map(move |(at, expression)| {
            let end = if at == 0 { "" } else { "_weekday" };
            context! {
                key => key.as_str(),
                label => format!("{key}{end}"),
                name => format!("{}{}", trigger.name, end.replace('_', "-")),
                expression,
                method => trigger.method.as_str(),
                endpoint => trigger.endpoint.as_str(),
                target => trigger.target.name(),
                service_account => trigger.service_account.as_str(),
            }
        })
    })
    .collect()
}
