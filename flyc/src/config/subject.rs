//! Blocks as asserts see them: every attribute with its default, every block a map.

use fly_std::{Value, schema};
use smol_str::SmolStr;

use super::{
    Resolved,
    defaults::{self, Reader},
    derived,
    egg::{provider_in, runner_type_in},
    is_egg,
};
use crate::{
    artifact::{Executor, Repository},
    model::TypedBlock,
};

/// The blocks that an egg, bucket or job always has, with their defaults when they are left out.
const ALWAYS: &[&str] = &["cloud", "resources", "runner", "gitlab", "environment"];

/// The subjects of an egg, a bucket or a job: one, but for a bucket one for each of its repositories.
pub fn subjects(block: &TypedBlock, resolved: Option<&Resolved>) -> Vec<Value> {
    let mut entries = entries(block.schema, Some(block));
    entries.retain(|(name, _)| name != "extends" && name != "repositories");
    let name = block.label.clone().unwrap_or_default();
    entries.push(("name".into(), Value::String(name)));
    if !is_egg(block) {
        fill_job(&mut entries, block);
        return vec![Value::Map(entries)];
    }
    entries.push(("kind".into(), Value::String(block.name.clone())));
    let Some(Resolved { config, .. }) = resolved else { return Vec::new() };
    let text = |text: &str| Value::String(text.into());
    let cloud = [("region", text(&config.cloud.region)), ("zone", text(&config.cloud.zone))];
    fill(&mut entries, "cloud", cloud.into_iter().filter(|(_, value)| value.as_str() != Some("")));
    let runner = &config.runner;
    let executor = match runner.executor {
        Executor::Docker => "docker",
        Executor::Shell => "shell",
    };
    let derived = [
        ("timeout", Value::Duration(runner.timeout_s)),
        ("executor", text(executor)),
        ("image", text(&runner.image)),
        ("ephemeral", Value::Bool(runner.ephemeral)),
    ];
    fill(&mut entries, "runner", derived.into_iter().filter(|(_, value)| value.as_str() != Some("")));
    fill(&mut entries, "resources", [("disk", disk(config.resources.disk_gib))].into_iter());
    config
        .repositories
        .iter()
        .map(|repository| {
            let mut entries = entries.clone();
            fill(&mut entries, "gitlab", gitlab(repository).into_iter());
            Value::Map(entries)
        })
        .collect()
}

/// What a job leaves out and has no plain default.
fn fill_job(entries: &mut [(SmolStr, Value)], block: &TypedBlock) {
    let job = Reader::of(block);
    let Some(runner_type) = job.child("runner").and_then(runner_type_in) else { return };
    let Some(provider) = job.child("cloud").and_then(provider_in) else { return };
    let gib = derived::disk_gib(runner_type, provider);
    fill(entries, "resources", [("disk", disk(gib))].into_iter());
    let image = derived::image(None, runner_type);
    let image = (!image.is_empty()).then(|| ("image", Value::String(image.into())));
    fill(entries, "runner", image.into_iter());
}

fn disk(gib: u64) -> Value {
    Value::Size(gib.saturating_mul(1 << 30))
}

fn gitlab(repository: &Repository) -> Vec<(&'static str, Value)> {
    let id = |id: u64| i64::try_from(id).map_or(Value::Int(i64::MAX), Value::Int);
    let secret = |uri: &str| {
        fly_std::formats::secret_uri::parse(uri).ok().map(|secret| Value::Secret(Box::new(secret)))
    };
    [
        ("server", Some(Value::String(repository.server.as_str().into()))),
        ("project_id", repository.project_id.map(id)),
        ("group_id", repository.group_id.map(id)),
        ("api_token_secret", secret(&repository.api_token_secret)),
        ("token_secret", secret(&repository.token_secret)),
        ("webhook_secret", secret(&repository.webhook_secret)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

fn entries(schema: &'static schema::Block, block: Option<&TypedBlock>) -> Vec<(SmolStr, Value)> {
    let written = block.map_or(&[][..], |block| &block.attributes);
    let mut entries: Vec<(SmolStr, Value)> = written
        .iter()
        .filter_map(|attribute| Some((attribute.name.clone(), attribute.value.clone()?)))
        .collect();
    for attribute in schema.attributes {
        if !written.iter().any(|written| written.name == attribute.name)
            && let Some(value) = defaults::default(attribute)
        {
            entries.push((attribute.name.into(), value));
        }
    }
    for child in schema.blocks.iter().filter(|child| !matches!(child.times, schema::Times::Many)) {
        let inner = block.and_then(|block| block.block(child.block.name));
        if inner.is_some() || ALWAYS.contains(&child.block.name) {
            entries.push((child.block.name.into(), Value::Map(self::entries(child.block, inner))));
        }
    }
    entries
}

/// Adds what a block lacks.
fn fill(entries: &mut [(SmolStr, Value)], block: &str, values: impl Iterator<Item = (&'static str, Value)>) {
    let Some((_, Value::Map(inner))) = entries.iter_mut().find(|(name, _)| name == block) else { return };
    for (name, value) in values {
        if !inner.iter().any(|(known, _)| known == name) {
            inner.push((name.into(), value));
        }
    }
}
