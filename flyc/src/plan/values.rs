//! Configurations as flat lists of attributes, and values as they are written in Fly.
//!
//! What never lives here: which of them matter.

use std::{collections::BTreeMap, fmt::Write as _};

use fly_std::formats::{duration, size};
use serde_json::Value as Json;

use crate::{
    artifact::{
        Block, BlockValue, Cloud, EggConfig, EggKind, EnvValue, Executor, JobConfig, JobProject,
        MothergooseConfig, Repository, Resources, RiftAuth, RiftCache, RiftConfig, RiftReference, Runner,
        RunnerType, Schedule, Upstream,
    },
    render::{is_unprintable, mask},
};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The longest value a report for people shows.
const SHOWN: usize = 60;

/// An attribute of a configuration.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Flat {
    /// Its key in the table of effects.
    pub(super) key: &'static str,
    /// Its value.
    pub(super) value: BlockValue,
}

/// Attributes by path.
pub(super) type Attributes = BTreeMap<String, Flat>;

/// The attributes of an egg or bucket; what is not there has no entry. Every field is named, so that a new one can't be
/// forgotten; the cloud's offer follows from the others.
pub(super) fn of_egg(egg: &EggConfig) -> Attributes {
    let EggConfig {
        format_version: _,
        kind,
        name: _,
        runner_type,
        cloud,
        resources,
        runner:
            Runner {
                tags,
                concurrent,
                idle_timeout_s,
                timeout_s,
                run_untagged,
                protected,
                executor,
                image: container,
                privileged,
                ephemeral,
            },
        repositories,
        environment,
        rift,
    } = egg;
    let mut flat = Attributes::new();
    add_machine(cloud, resources, &mut flat);
    add_environment(environment, &mut flat);
    let mut add = |key: &'static str, path: String, value: Option<BlockValue>| {
        if let Some(value) = value {
            flat.insert(path, Flat { key, value });
        }
    };
    for (key, value) in [
        ("type", Some(text(type_word(*runner_type)))),
        ("runner.tags", Some(list(tags))),
        ("runner.concurrent", Some(BlockValue::Int((*concurrent).into()))),
        ("runner.idle_timeout", Some(BlockValue::DurationS(*idle_timeout_s))),
        ("runner.timeout", Some(BlockValue::DurationS(*timeout_s))),
        ("runner.run_untagged", Some(switch(run_untagged))),
        ("runner.protected", Some(switch(protected))),
        ("runner.executor", Some(text(executor_word(*executor)))),
        ("runner.image", filled(container)),
        ("runner.privileged", Some(switch(privileged))),
        ("runner.ephemeral", Some(switch(ephemeral))),
    ] {
        add(key, key.to_owned(), value);
    }
    for repository in repositories {
        let Repository { name, server, project_id, group_id, api_token_secret, token_secret, webhook_secret } =
            repository;
        let prefix = match (kind, name) {
            (EggKind::Bucket, Some(name)) => format!("repositories.repo.{name}."),
            _ => String::new(),
        };
        for (key, value) in [
            ("gitlab.server", Some(text(server))),
            ("gitlab.project_id", number(*project_id)),
            ("gitlab.group_id", number(*group_id)),
            ("gitlab.api_token_secret", Some(secret(api_token_secret))),
            ("gitlab.token_secret", Some(secret(token_secret))),
            ("gitlab.webhook_secret", Some(secret(webhook_secret))),
        ] {
            add(key, format!("{prefix}{key}"), value);
        }
    }
    if let Some(RiftReference { name, docker_proxy, artifact_cache }) = rift {
        for (key, value) in [
            ("rift.name", Some(text(name))),
            ("rift.docker", Some(switch(docker_proxy))),
            ("rift.cache", Some(switch(artifact_cache))),
        ] {
            add(key, key.to_owned(), value);
        }
    }
    flat
}

/// The attributes of a job, by the names of its block; what it takes from its Nest stands under `gitlab`.
pub(super) fn of_job(job: &JobConfig) -> Attributes {
    let JobConfig {
        format_version: _,
        name: _,
        runner_type,
        cloud,
        resources,
        // The rest of it is every job's.
        runner: Runner { tags, executor, image, privileged, .. },
        schedule: Schedule { description: _, git_ref, cron, cron_timezone, active: _, variables: _ },
        script,
        timeout_s,
        project: JobProject { server, project_id, token_secret, deploy_key_secret },
        environment,
        notify,
    } = job;
    let mut flat = Attributes::new();
    add_machine(cloud, resources, &mut flat);
    add_environment(environment, &mut flat);
    for (key, value) in [
        ("schedule", Some(text(cron))),
        ("timezone", Some(text(cron_timezone))),
        ("script", Some(text(script))),
        ("timeout", Some(BlockValue::DurationS(*timeout_s))),
        ("runner.type", Some(text(type_word(*runner_type)))),
        ("runner.tags", Some(list(tags))),
        ("runner.executor", Some(text(executor_word(*executor)))),
        ("runner.image", filled(image)),
        ("runner.privileged", Some(switch(privileged))),
        ("gitlab.server", Some(text(server))),
        ("gitlab.project_id", number(*project_id)),
        ("gitlab.branch", Some(text(git_ref))),
        ("gitlab.token_secret", Some(secret(token_secret))),
        ("gitlab.deploy_key_secret", Some(secret(deploy_key_secret))),
        ("on_failure.notify", (!notify.is_empty()).then(|| list(notify))),
    ] {
        if let Some(value) = value {
            flat.insert(key.to_owned(), Flat { key, value });
        }
    }
    flat
}

/// The attributes of the installation, by the paths they have in `.fly`.
pub(super) fn of_installation(config: &MothergooseConfig) -> Attributes {
    let mut flat = Attributes::new();
    if let Ok(Json::Object(fields)) = serde_json::to_value(config) {
        for (name, value) in fields.iter().filter(|(name, _)| *name != "format_version") {
            add_json(name, value, &mut flat);
        }
    }
    flat
}

/// The attributes of a Rift server, by the names of its block.
pub(super) fn of_rift(rift: &RiftConfig) -> Attributes {
    let RiftConfig { format_version: _, name: _, server, port, cloud, resources, cache, upstreams, auth } =
        rift;
    let RiftCache { max_size_bytes, max_age_s, eviction } = cache;
    let RiftAuth { method, token_ttl_s, eggs } = auth;
    let mut flat = Attributes::new();
    add_machine(cloud, resources, &mut flat);
    for (key, value) in [
        ("server", server.as_deref().map(text)),
        ("port", Some(BlockValue::Int((*port).into()))),
        ("cache.max_size", Some(BlockValue::SizeBytes(*max_size_bytes))),
        ("cache.max_age", Some(BlockValue::DurationS(*max_age_s))),
        ("cache.eviction", Some(text(eviction.name()))),
        ("auth.method", Some(text(method.name()))),
        ("auth.token_ttl", Some(BlockValue::DurationS(*token_ttl_s))),
        ("auth.eggs", Some(list(eggs))),
    ] {
        if let Some(value) = value {
            flat.insert(key.to_owned(), Flat { key, value });
        }
    }
    for (name, Upstream { url, username, password_secret }) in upstreams {
        for (attribute, value) in [
            ("url", Some(text(url))),
            ("username", username.as_deref().map(text)),
            ("password_secret", password_secret.as_deref().map(secret)),
        ] {
            if let Some(value) = value {
                flat.insert(format!("upstreams.{name}.{attribute}"), Flat { key: "", value });
            }
        }
    }
    flat
}

/// Where runners are made, and how large.
fn add_machine(cloud: &Cloud, resources: &Resources, flat: &mut Attributes) {
    let Cloud { provider, region, zone, network, subnet, image, offer: _ } = cloud;
    let Resources { cpu, memory_mib, disk_gib } = resources;
    for (key, value) in [
        ("cloud.provider", Some(text(provider.name()))),
        ("cloud.region", filled(region)),
        ("cloud.zone", filled(zone)),
        ("cloud.network", network.as_deref().map(text)),
        ("cloud.subnet", subnet.as_deref().map(text)),
        ("cloud.image", Some(text(image))),
        ("resources.cpu", Some(BlockValue::Int((*cpu).into()))),
        ("resources.memory", Some(BlockValue::SizeBytes(memory_mib.saturating_mul(MIB)))),
        ("resources.disk", Some(BlockValue::SizeBytes(disk_gib.saturating_mul(GIB)))),
    ] {
        if let Some(value) = value {
            flat.insert(key.to_owned(), Flat { key, value });
        }
    }
}

/// Maps are blocks within; a field's end says what its number counts.
fn add_json(path: &str, value: &Json, flat: &mut Attributes) {
    let mut add = |path: &str, value| drop(flat.insert(path.to_owned(), Flat { key: "", value }));
    match value {
        Json::Object(fields) => match fields.iter().next() {
            Some((kind, Json::String(text))) if fields.len() == 1 && kind == "text" => {
                add(path, BlockValue::Text(text.clone()));
            }
            Some((kind, Json::String(uri))) if fields.len() == 1 && kind == "secret" => {
                add(path, BlockValue::Secret(uri.clone()));
            }
            _ => fields.iter().for_each(|(name, value)| add_json(&format!("{path}.{name}"), value, flat)),
        },
        Json::Number(number) => {
            let number = number.as_u64().unwrap_or_default();
            if let Some(path) = path.strip_suffix("_s") {
                add(path, BlockValue::DurationS(number));
            } else if let Some(path) = path.strip_suffix("_mib") {
                add(path, BlockValue::SizeBytes(number.saturating_mul(MIB)));
            } else {
                add(path, BlockValue::Int(i64::try_from(number).unwrap_or(i64::MAX)));
            }
        }
        other => add(path, from_json(other)),
    }
}

fn from_json(value: &Json) -> BlockValue {
    match value {
        Json::Null => BlockValue::List(Vec::new()),
        Json::Bool(flag) => BlockValue::Bool(*flag),
        Json::Number(number) => BlockValue::Int(number.as_i64().unwrap_or(i64::MAX)),
        Json::String(text) => BlockValue::Text(text.clone()),
        Json::Array(items) => BlockValue::List(items.iter().map(from_json).collect()),
        Json::Object(fields) => {
            BlockValue::Map(fields.iter().map(|(name, value)| (name.clone(), from_json(value))).collect())
        }
    }
}

fn add_environment(environment: &BTreeMap<String, EnvValue>, flat: &mut Attributes) {
    for (name, value) in environment {
        let value = match value {
            EnvValue::Text(text) => BlockValue::Text(text.clone()),
            EnvValue::Secret(uri) => BlockValue::Secret(uri.clone()),
        };
        flat.insert(format!("environment.{name}"), Flat { key: "environment.NAME", value });
    }
}

const fn type_word(runner_type: RunnerType) -> &'static str {
    match runner_type {
        RunnerType::Vm => "vm",
        RunnerType::Serverless => "serverless",
    }
}

const fn executor_word(executor: Executor) -> &'static str {
    match executor {
        Executor::Docker => "docker",
        Executor::Shell => "shell",
    }
}

fn text(text: &str) -> BlockValue {
    BlockValue::Text(text.to_owned())
}

fn filled(value: &str) -> Option<BlockValue> {
    (!value.is_empty()).then(|| BlockValue::Text(value.to_owned()))
}

fn list(texts: &[String]) -> BlockValue {
    BlockValue::List(texts.iter().cloned().map(BlockValue::Text).collect())
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the fields that are matched by name are references")]
fn switch(on: &bool) -> BlockValue {
    BlockValue::Bool(*on)
}

fn number(id: Option<u64>) -> Option<BlockValue> {
    id.map(|id| BlockValue::Int(i64::try_from(id).unwrap_or(i64::MAX)))
}

fn secret(uri: &str) -> BlockValue {
    BlockValue::Secret(uri.to_owned())
}

/// The attributes of any other block, and the order of its rules, which is a part of what they mean.
pub(super) fn of_block(block: &Block) -> Attributes {
    let mut flat = Attributes::new();
    add_block(block, "", &mut flat);
    flat
}

fn add_block(block: &Block, path: &str, flat: &mut Attributes) {
    for (name, value) in &block.attributes {
        flat.insert(format!("{path}{name}"), Flat { key: "", value: value.clone() });
    }
    for (at, inner) in block.blocks.iter().enumerate() {
        let mut below = format!("{path}{}", inner.kind);
        if let Some(name) = &inner.name {
            let _ = write!(below, ".{name}");
        } else {
            let before = block.blocks[..at].iter().filter(|other| other.kind == inner.kind).count();
            if before > 0 {
                let _ = write!(below, "[{before}]");
            }
        }
        below.push('.');
        add_block(inner, &below, flat);
    }
    let rules: Vec<_> = block.blocks.iter().filter(|inner| inner.kind == "rule").collect();
    if rules.len() > 1 {
        let names = rules.iter().filter_map(|rule| rule.name.clone()).map(BlockValue::Text).collect();
        flat.insert(format!("{path}rule"), Flat { key: ORDER, value: BlockValue::List(names) });
    }
}

/// The key of an order.
const ORDER: &str = "order";

/// Whether this is the order of rules and no attribute.
pub(super) fn is_order(flat: &Flat) -> bool {
    flat.key == ORDER
}

/// Whether two values say the same. An order differs only when the same things stand in another one: what was added or
/// removed is told by itself.
pub(super) fn same(old: &Flat, new: &Flat) -> bool {
    if old.value == new.value {
        return true;
    }
    let names = |value: &BlockValue| match value {
        BlockValue::List(names) => {
            let mut names: Vec<String> = names.iter().map(write).collect();
            names.sort();
            names
        }
        _ => Vec::new(),
    };
    is_order(old) && names(&old.value) != names(&new.value)
}

/// A value in Fly notation. The path of a secret's URI is masked, in any text.
pub(super) fn write(value: &BlockValue) -> String {
    match value {
        BlockValue::Text(text) => quoted(&mask(text)),
        BlockValue::Secret(uri) => mask(uri).into_owned(),
        BlockValue::Condition(condition) => quoted(&mask(&condition.text)),
        BlockValue::Int(number) => number.to_string(),
        BlockValue::Float(number) => number.to_string(),
        BlockValue::Bool(flag) => flag.to_string(),
        BlockValue::DurationS(seconds) => duration::print(*seconds),
        BlockValue::SizeBytes(bytes) => size::print(*bytes),
        BlockValue::Percent(number) => format!("{number}%"),
        BlockValue::List(values) => {
            let values: Vec<_> = values.iter().map(write).collect();
            format!("[{}]", values.join(", "))
        }
        BlockValue::Map(values) => {
            let values: Vec<_> =
                values.iter().map(|(name, value)| format!("{name} = {}", write(value))).collect();
            if values.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", values.join(", ")) }
        }
    }
}

/// A string literal; nothing in it can steer a terminal.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' if rest.peek() == Some(&'{') => out.push_str("$$"),
            c if is_unprintable(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// An earlier and a later value as people are shown them, short; they differ even where the values do so further on or
/// only in what is masked.
pub(super) fn shown(old: Option<&str>, new: Option<&str>) -> (String, String) {
    let short = |value: Option<&str>| {
        let Some(value) = value else { return "nothing".to_owned() };
        if value.chars().count() <= SHOWN {
            return value.to_owned();
        }
        let lines = value.matches("\\n").count();
        let cut: String = value.chars().take(SHOWN - 1).collect();
        if lines > 0 {
            format!("{cut}… ({} lines)", lines + usize::from(!value.ends_with("\\n\"")))
        } else {
            format!("{cut}…")
        }
    };
    let (old, mut new) = (short(old), short(new));
    if old == new {
        new.push_str(if new.contains("***MASKED***") { " (another one)" } else { " (differs further on)" });
    }
    (old, new)
}
