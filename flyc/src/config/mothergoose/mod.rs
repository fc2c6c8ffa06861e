//! The installation as [`MothergooseConfig`]: what was written, every default, and the parts nobody wrote.
//!
//! Here live the parts themselves; `tables` has the tables MotherGoose needs, `accounts` who the parts act as and what
//! each of them does.

mod accounts;
mod tables;

use std::collections::BTreeMap;

use fly_std::{clouds, endpoints, schema};

pub use accounts::{Need, needs, users};
pub use tables::{own_table, own_tables, written_table};

use super::{
    Places,
    defaults::Reader,
    derived,
    egg::{environment, provider_in},
};
use crate::{
    artifact::{
        ApiGateway, AuthFunction, Bucket, Code, Component, Cors, Database, DatabaseMode, DeadLetterQueue,
        LifecycleRule, MessageQueues, Metric, MothergooseConfig, Network, Provider, Queue, Scaling, Service,
        Site, Storage, Trigger,
    },
    model::TypedBlock,
};

const MIB: u64 = 1 << 20;

/// The triggers that are there even when not written, and how often each goes off.
const TRIGGERS: &[(&str, &str)] =
    &[("git_sync", "*/5 * * * *"), ("health_check", "*/10 * * * *"), ("metrics_collection", "* * * * *")];

/// How often any other trigger goes off when it does not say.
const EVERY_MINUTE: &str = "* * * * *";

/// What a dead letter queue that nobody wrote keeps its messages.
const WEEK: u64 = 7 * 24 * 3600;

/// The configuration of an installation, and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// The configuration, with every default and every part that is there even when not written.
    pub config: MothergooseConfig,
    /// Where its parts stand.
    pub places: Places,
}

/// The configuration of a `mothergoose` block; none when an error in it, which has been told, leaves it unknown.
pub fn installation(block: &TypedBlock) -> Option<Installation> {
    let root = Reader::of(block);
    let cloud = site(block)?;
    let names = names(root)?;
    let step = memory_step(cloud.provider);
    let services = |component: Component| service(root.child(component.name())?, component, step);
    let mut config = MothergooseConfig {
        format_version: MothergooseConfig::FORMAT_VERSION,
        api_gateway: api_gateway(root.child("api_gateway")?, step)?,
        fastapi_app: services(Component::FastapiApp)?,
        celery_workers: services(Component::CeleryWorkers)?,
        uglyfox_workers: services(Component::UglyfoxWorkers)?,
        message_queues: message_queues(root.child("message_queues")?)?,
        triggers: triggers(block.block("triggers"), &names)?,
        database: database(root.child("database")?, block.block("database"))?,
        storage: storage(root.child("storage")?)?,
        service_accounts: BTreeMap::new(),
        network: network(root.child("network")?)?,
        cloud,
    };
    accounts::settle(&mut config, block)?;
    Some(Installation { config, places: Places::of(block) })
}

/// The steps, in MiB, that a cloud sells the memory of a service in; what is asked for is rounded up to them.
const fn memory_step(provider: Provider) -> u64 {
    match provider {
        Provider::Yandex => 128,
        Provider::Aws | Provider::Local => 1,
    }
}

/// The cloud of an installation: the one it names, or else that of the services it names, or else the default.
pub fn installation_provider(block: &TypedBlock) -> Option<Provider> {
    if block.block("cloud").is_none()
        && let Some((provider, _)) = service_types(block).first()
    {
        return Some(*provider);
    }
    provider_in(Reader::of(block).child("cloud")?)
}

/// The `type`s an installation names, each with the cloud it is of.
pub fn service_types(block: &TypedBlock) -> Vec<(Provider, &crate::model::TypedAttribute)> {
    let types = block.walk().into_iter().filter_map(|block| block.attribute("type"));
    types
        .filter_map(|attribute| Some((provider_of_type(attribute.value.as_ref()?.as_str()?)?, attribute)))
        .collect()
}

/// The cloud a `type` is of.
fn provider_of_type(name: &str) -> Option<Provider> {
    match name {
        "ydb" => Some(Provider::Yandex),
        "dynamodb" => Some(Provider::Aws),
        "sqlite" | "local" => Some(Provider::Local),
        _ if name.starts_with("yandex_") => Some(Provider::Yandex),
        _ if name.starts_with("aws_") => Some(Provider::Aws),
        _ => None,
    }
}

fn site(block: &TypedBlock) -> Option<Site> {
    let provider = installation_provider(block)?;
    let region = Reader::of(block).child("cloud")?.text("region");
    let region = region.unwrap_or_else(|| derived::region(provider).to_owned());
    let (region, zones) = match provider {
        Provider::Local => (String::new(), Vec::new()),
        Provider::Yandex => {
            let cloud = clouds::Cloud::Yandex;
            let within = cloud.region_of(&region);
            if within.len() < region.len() {
                // Containers want a subnet in every zone; the one that is named comes first.
                let others = cloud.zones().filter(|zone| cloud.region_of(zone) == within && *zone != region);
                let zones = std::iter::once(region.clone()).chain(others).collect();
                (region, zones)
            } else {
                let listed: Vec<String> =
                    cloud.zones().filter(|zone| cloud.region_of(zone) == region).collect();
                let zones = if listed.is_empty() { vec![format!("{region}-a")] } else { listed };
                (region, zones)
            }
        }
        Provider::Aws => {
            let within = clouds::Cloud::Aws.region_of(&region).to_owned();
            if within.len() < region.len() {
                (within, vec![region])
            } else {
                let zones = ["a", "b"].map(|letter| format!("{region}{letter}")).to_vec();
                (region, zones)
            }
        }
    };
    Some(Site { provider, region, zones })
}

/// The services by their names.
fn names(root: Reader<'_>) -> Option<Vec<(String, Component)>> {
    Component::SERVICES
        .into_iter()
        .map(|component| Some((root.child(component.name())?.text("name")?, component)))
        .collect()
}

fn api_gateway(gateway: Reader<'_>, step: u64) -> Option<ApiGateway> {
    let auth = gateway.child("auth_function")?;
    let code = match (auth.text("runtime"), auth.text("handler")) {
        (Some(runtime), Some(handler)) => Some(Code { runtime, handler }),
        _ => None,
    };
    let cors = match gateway.written("cors") {
        Some(block) => Some(cors(Reader::of(block))?),
        None => None,
    };
    Some(ApiGateway {
        name: gateway.text("name")?,
        openapi_spec: gateway.text("openapi_spec"),
        domain: gateway.text("domain"),
        service_account: String::new(),
        auth_function: AuthFunction {
            name: auth.text("name")?,
            code,
            memory_mib: auth.size("memory")?.div_ceil(MIB).next_multiple_of(step),
            timeout_s: auth.duration("timeout")?,
            service_account: auth.text("service_account").unwrap_or_default(),
            env: environment(auth.written("env"))?,
        },
        cors,
    })
}

fn cors(cors: Reader<'_>) -> Option<Cors> {
    Some(Cors {
        allowed_origins: cors.texts("allowed_origins")?,
        allowed_methods: cors.texts("allowed_methods")?,
        allowed_headers: cors.texts("allowed_headers")?,
    })
}

fn service(service: Reader<'_>, component: Component, step: u64) -> Option<Service> {
    // Requests wait for the API itself; tasks wait in a queue.
    let scaling = service.child("scaling")?;
    let metric = match (service.written("scaling"), component) {
        (None, Component::FastapiApp) => Metric::Concurrency,
        _ => match scaling.text("metric")?.as_str() {
            "queue_depth" => Metric::QueueDepth,
            "concurrency" => Metric::Concurrency,
            "cpu_usage" => Metric::CpuUsage,
            _ => return None,
        },
    };
    Some(Service {
        name: service.text("name")?,
        runtime: service.text("runtime"),
        memory_mib: service.size("memory")?.div_ceil(MIB).next_multiple_of(step),
        timeout_s: service.duration("timeout")?,
        min_instances: service.int("min_instances")?,
        max_instances: service.int("max_instances")?,
        image: service.text("image"),
        command: service.texts("command").unwrap_or_default(),
        service_account: service.text("service_account").unwrap_or_default(),
        env: environment(service.written("env"))?,
        scaling: Scaling {
            metric,
            target_value: scaling.int("target_value")?,
            scale_up_threshold: scaling.int("scale_up_threshold")?,
            scale_down_threshold: scaling.int("scale_down_threshold")?,
        },
    })
}

fn message_queues(queues: Reader<'_>) -> Option<MessageQueues> {
    let written = queues.block().into_iter().flat_map(|block| block.blocks("dead_letter_queue"));
    let mut dead: Vec<DeadLetterQueue> = written
        .map(|block| {
            let queue = Reader::of(block);
            Some(DeadLetterQueue {
                name: queue.text("name")?,
                message_retention_s: queue.duration("message_retention")?,
            })
        })
        .collect::<Option<_>>()?;
    let mut queue = |kind: &str| {
        let queue = queues.child(kind)?;
        let name = queue.text("name")?;
        let dead_letter_queue = queue.text("dead_letter_queue").unwrap_or_else(|| {
            let own = format!("{name}-dlq");
            if !dead.iter().any(|dead| dead.name == own) {
                dead.push(DeadLetterQueue { name: own.clone(), message_retention_s: WEEK });
            }
            own
        });
        Some(Queue {
            name,
            visibility_timeout_s: queue.duration("visibility_timeout")?,
            message_retention_s: queue.duration("message_retention")?,
            max_receives: queue.int("max_receives")?,
            dead_letter_queue,
        })
    };
    let (webhook_queue, uglyfox_queue) = (queue("webhook_queue")?, queue("uglyfox_queue")?);
    Some(MessageQueues { webhook_queue, uglyfox_queue, dead_letter_queues: dead })
}

fn triggers(
    block: Option<&TypedBlock>,
    services: &[(String, Component)],
) -> Option<BTreeMap<String, Trigger>> {
    let schema = schema::MOTHERGOOSE.child("triggers")?.block.free_blocks?;
    let written = block.map_or(&[][..], |block| &block.blocks);
    let silent = TRIGGERS
        .iter()
        .filter(|(name, _)| !written.iter().any(|block| block.name == *name))
        .map(|(name, _)| (*name, Reader::new(schema, None)));
    written
        .iter()
        .map(|block| (block.name.as_str(), Reader::of(block)))
        .chain(silent)
        .map(|(key, trigger)| {
            let known = TRIGGERS.iter().find(|(name, _)| *name == key);
            let usual = known.map_or(EVERY_MINUTE, |(_, schedule)| schedule);
            let target = match trigger.text("target_function") {
                Some(name) => services.iter().find(|(known, _)| *known == name)?.1,
                None => Component::FastapiApp,
            };
            let trigger = Trigger {
                name: trigger.text("name").unwrap_or_else(|| format!("{}-trigger", key.replace('_', "-"))),
                schedule: trigger.text("schedule").unwrap_or_else(|| usual.to_owned()),
                target,
                endpoint: trigger.text("endpoint").unwrap_or_else(|| endpoints::of_trigger(key)),
                method: trigger.text("method")?,
                service_account: trigger.text("service_account").unwrap_or_default(),
            };
            Some((key.to_owned(), trigger))
        })
        .collect()
}

fn database(database: Reader<'_>, block: Option<&TypedBlock>) -> Option<Database> {
    Some(Database {
        name: database.text("name")?,
        mode: match database.text("mode")?.as_str() {
            "serverless" => DatabaseMode::Serverless,
            "dedicated" => DatabaseMode::Dedicated,
            _ => return None,
        },
        tables: tables::merged(block.and_then(|block| block.block("tables")))?,
    })
}

fn storage(storage: Reader<'_>) -> Option<Storage> {
    let bucket = |name: &str| {
        let bucket = storage.child(name)?;
        let rules = bucket.written("lifecycle_rules").map_or(&[][..], |rules| &rules.blocks);
        let rules = rules.iter().map(|block| {
            let rule = Reader::of(block);
            let rule = LifecycleRule {
                expiration_days: rule.int("expiration_days")?,
                prefix: rule.text("prefix").unwrap_or_default(),
            };
            Some((block.name.to_string(), rule))
        });
        Some(Bucket {
            name: bucket.text("name")?,
            versioning: bucket.flag("versioning")?,
            lifecycle_rules: rules.collect::<Option<_>>()?,
        })
    };
    Some(Storage { state_bucket: bucket("state_bucket")?, binary_bucket: bucket("binary_bucket")? })
}

fn network(network: Reader<'_>) -> Option<Network> {
    Some(Network {
        id: network.text("id"),
        subnets: network.texts("subnets").unwrap_or_default(),
        security_groups: network.texts("security_groups").unwrap_or_default(),
        cidr: network.text("cidr")?,
        nat: network.flag("nat")?,
    })
}

#[cfg(test)]
mod tests;
