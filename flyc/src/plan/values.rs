//! Configurations as flat lists of attributes, and values as they are written in Fly.
//!
//! What never lives here: which of them matter.

use std::{collections::BTreeMap, fmt::Write as _};

use fly_std::formats::{duration, size};
use serde_json::Value as Json;

use crate::{
    artifact::{
        Block, BlockValue, Cloud, EggConfig, EggKind, EnvValue, Executor, MothergooseConfig, Repository,
        Resources, RiftReference, Runner, RunnerType,
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
/// forgotten.
pub(super) fn of_egg(egg: &EggConfig) -> Attributes {
    let EggConfig {
        format_version: _,
        kind,
        name: _,
        runner_type,
        cloud: Cloud { provider, region, zone, network, subnet, image },
        resources: Resources { cpu, memory_mib, disk_gib },
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
    let text = |text: &str| Some(BlockValue::Text(text.to_owned()));
    let filled = |value: &str| (!value.is_empty()).then(|| BlockValue::Text(value.to_owned()));
    let switch = |on: &bool| Some(BlockValue::Bool(*on));
    let runner_type = match runner_type {
        RunnerType::Vm => "vm",
        RunnerType::Serverless => "serverless",
    };
    let executor = match executor {
        Executor::Docker => "docker",
        Executor::Shell => "shell",
    };
    let tags = tags.iter().cloned().map(BlockValue::Text).collect();
    let mut flat = Attributes::new();
    let mut add = |key: &'static str, path: String, value: Option<BlockValue>| {
        if let Some(value) = value {
            flat.insert(path, Flat { key, value });
        }
    };
    for (key, value) in [
        ("type", text(runner_type)),
        ("cloud.provider", text(provider.name())),
        ("cloud.region", filled(region)),
        ("cloud.zone", filled(zone)),
        ("cloud.network", network.as_deref().and_then(text)),
        ("cloud.subnet", subnet.as_deref().and_then(text)),
        ("cloud.image", text(image)),
        ("resources.cpu", Some(BlockValue::Int((*cpu).into()))),
        ("resources.memory", Some(BlockValue::SizeBytes(memory_mib.saturating_mul(MIB)))),
        ("resources.disk", Some(BlockValue::SizeBytes(disk_gib.saturating_mul(GIB)))),
        ("runner.tags", Some(BlockValue::List(tags))),
        ("runner.concurrent", Some(BlockValue::Int((*concurrent).into()))),
        ("runner.idle_timeout", Some(BlockValue::DurationS(*idle_timeout_s))),
        ("runner.timeout", Some(BlockValue::DurationS(*timeout_s))),
        ("runner.run_untagged", switch(run_untagged)),
        ("runner.protected", switch(protected)),
        ("runner.executor", text(executor)),
        ("runner.image", text(container)),
        ("runner.privileged", switch(privileged)),
        ("runner.ephemeral", switch(ephemeral)),
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
        let number = |id: &Option<u64>| id.map(|id| BlockValue::Int(i64::try_from(id).unwrap_or(i64::MAX)));
        let secret = |uri: &String| Some(BlockValue::Secret(uri.clone()));
        for (key, value) in [
            ("gitlab.server", text(server)),
            ("gitlab.project_id", number(project_id)),
            ("gitlab.group_id", number(group_id)),
            ("gitlab.api_token_secret", secret(api_token_secret)),
            ("gitlab.token_secret", secret(token_secret)),
            ("gitlab.webhook_secret", secret(webhook_secret)),
        ] {
            add(key, format!("{prefix}{key}"), value);
        }
    }
    for (name, value) in environment {
        let value = match value {
            EnvValue::Text(text) => BlockValue::Text(text.clone()),
            EnvValue::Secret(uri) => BlockValue::Secret(uri.clone()),
        };
        add("environment.NAME", format!("environment.{name}"), Some(value));
    }
    if let Some(RiftReference { name, docker_proxy, artifact_cache }) = rift {
        for (key, value) in [
            ("rift.name", text(name)),
            ("rift.docker", switch(docker_proxy)),
            ("rift.cache", switch(artifact_cache)),
        ] {
            add(key, key.to_owned(), value);
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
