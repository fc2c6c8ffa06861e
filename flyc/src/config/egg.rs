//! Eggs and buckets as [`EggConfig`].

use std::collections::BTreeMap;

use fly_std::Value;

use super::{
    NestDefaults, Places,
    defaults::Reader,
    derived::{self, Secret},
};
use crate::{
    artifact::{
        Cloud, EggConfig, EggKind, EnvValue, Executor, Offer, Provider, Repository, Resources, RiftReference,
        Runner, RunnerType,
    },
    lower::Market,
    model::TypedBlock,
};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The configuration of an egg or bucket, and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The configuration, with every default.
    pub config: EggConfig,
    /// Where its parts stand.
    pub places: Places,
    /// What follows neither from the egg nor from its Nest; such an egg can't be built.
    pub unresolved: Option<Unresolved>,
}

/// A value that could not be derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unresolved {
    /// `rift` names no server, and the Nest does not have exactly one.
    Rift,
}

/// The configuration of an egg or bucket; none when an error in it, which has been told, leaves it unknown.
pub(super) fn resolve(block: &TypedBlock, nest: &NestDefaults) -> Option<Resolved> {
    let egg = Reader::of(block);
    let name = block.label.as_ref()?.to_string();
    let runner_type = runner_type(block)?;
    let resources = resources(block)?;
    let cloud = cloud(egg.child("cloud")?, runner_type, &resources)?;
    let runner = runner(egg.child("runner")?, runner_type)?;
    let (kind, repositories) = if block.name == "egg" {
        (EggKind::Egg, vec![repository(egg.child("gitlab")?, None, &name, cloud.provider, nest)?])
    } else {
        let repositories = block.block("repositories")?.blocks("repo").map(|repo| {
            let label = repo.label.as_ref()?;
            let gitlab = Reader::of(repo).child("gitlab")?;
            // Two buckets may hold a repository of one label, and an egg may be called so.
            repository(gitlab, Some(label.to_string()), &format!("{name}/{label}"), cloud.provider, nest)
        });
        (EggKind::Bucket, repositories.collect::<Option<_>>()?)
    };
    let rift = match block.block("rift") {
        Some(rift) => Some(rift_reference(Reader::of(rift), nest)?),
        None => None,
    };
    let unresolved = rift.as_ref().filter(|rift| rift.name.is_empty()).map(|_| Unresolved::Rift);
    let config = EggConfig {
        format_version: EggConfig::FORMAT_VERSION,
        kind,
        name,
        runner_type,
        cloud,
        resources,
        runner,
        repositories,
        environment: environment(block.block("environment"))?,
        rift,
    };
    Some(Resolved { config, places: Places::of(block), unresolved })
}

/// What the runners of an egg, bucket or job are made of, or a Rift server.
pub fn runner_type(owner: &TypedBlock) -> Option<RunnerType> {
    match owner.name.as_str() {
        "rift" => Some(RunnerType::Vm),
        "job" => runner_type_in(Reader::of(owner).child("runner")?),
        _ => runner_type_in(Reader::of(owner)),
    }
}

/// What the runners are made of whose block holds a `type`.
pub(super) fn runner_type_in(block: Reader<'_>) -> Option<RunnerType> {
    match block.text("type")?.as_str() {
        "vm" => Some(RunnerType::Vm),
        "serverless" => Some(RunnerType::Serverless),
        _ => None,
    }
}

/// The cloud of a block that holds a `cloud` block, such as an egg.
pub fn provider(egg: &TypedBlock) -> Option<Provider> {
    if egg.name == "mothergoose" {
        return super::installation_provider(egg);
    }
    provider_in(Reader::of(egg).child("cloud")?)
}

/// The provider of a `cloud` block.
pub fn provider_of(cloud: &TypedBlock) -> Option<Provider> {
    provider_in(Reader::of(cloud))
}

/// The provider that a `cloud` block names, there or not.
pub(super) fn provider_in(cloud: Reader<'_>) -> Option<Provider> {
    let value = cloud.get("provider")?;
    let name = value.as_str()?;
    Provider::ALL.into_iter().find(|provider| provider.name() == name)
}

/// How large a runner of an egg, bucket or job is, in whole MiB and GiB rounded up.
pub fn resources(block: &TypedBlock) -> Option<Resources> {
    let whole = Reader::of(block);
    let resources = whole.child("resources")?;
    // A job says in its `runner` what the runner is; what says it nowhere is a machine.
    let in_runner = || whole.child("runner").and_then(runner_type_in);
    let runner_type = runner_type(block).or_else(in_runner).unwrap_or(RunnerType::Vm);
    let provider = provider(block)?;
    Some(Resources {
        cpu: resources.int("cpu")?,
        memory_mib: resources.size("memory")?.div_ceil(MIB),
        disk_gib: resources
            .size("disk")
            .map_or(derived::disk_gib(runner_type, provider), |disk| disk.div_ceil(GIB)),
    })
}

/// Where runners of a type are made for a block that holds a `cloud` block.
pub fn market(egg: &TypedBlock, runner_type: RunnerType) -> Option<Market<'_>> {
    let provider = provider(egg)?;
    let cloud = egg.block("cloud");
    let written = |name| cloud.and_then(|cloud| cloud.attribute(name));
    let location = match written("zone").or_else(|| written("region")) {
        Some(attribute) => attribute.value.as_ref()?.as_str()?,
        None => derived::region(provider),
    };
    Some(Market { provider, runner_type, location })
}

pub(super) fn cloud(cloud: Reader<'_>, runner_type: RunnerType, resources: &Resources) -> Option<Cloud> {
    let provider = provider_in(cloud)?;
    let subnet = cloud.text("subnet");
    let (region, zone) =
        derived::region_and_zone(provider, cloud.text("region"), cloud.text("zone"), subnet.is_some());
    let location = if zone.is_empty() { &region } else { &zone };
    let market = Market { provider, runner_type, location };
    let offer = market.offer(resources).ok().flatten().map(Offer::from);
    Some(Cloud {
        offer,
        provider,
        region,
        zone,
        network: cloud.text("network"),
        subnet,
        image: cloud.text("image")?,
    })
}

fn runner(runner: Reader<'_>, runner_type: RunnerType) -> Option<Runner> {
    Some(Runner {
        tags: texts(&runner.get("tags")?)?,
        concurrent: runner.int("concurrent")?,
        idle_timeout_s: runner.duration("idle_timeout")?,
        timeout_s: runner.duration("timeout").unwrap_or(derived::timeout_s(runner_type)),
        run_untagged: runner.flag("run_untagged")?,
        protected: runner.flag("protected")?,
        executor: executor(runner, runner_type)?,
        image: derived::image(runner.text("image"), runner_type),
        privileged: runner.flag("privileged")?,
        ephemeral: runner.flag("ephemeral").unwrap_or(derived::ephemeral(runner_type)),
    })
}

/// The executor of a `runner` block.
pub(super) fn executor(runner: Reader<'_>, runner_type: RunnerType) -> Option<Executor> {
    match runner.text("executor").as_deref() {
        None => Some(derived::executor(runner_type)),
        Some("docker") => Some(Executor::Docker),
        Some("shell") => Some(Executor::Shell),
        Some(_) => None,
    }
}

/// The texts of a list.
pub(super) fn texts(value: &Value) -> Option<Vec<String>> {
    let Value::List(texts) = value else { return None };
    texts.iter().map(|text| Some(text.as_str()?.to_owned())).collect()
}

/// A `gitlab` block; `owner` is whose secrets are meant when it names none.
fn repository(
    gitlab: Reader<'_>,
    name: Option<String>,
    owner: &str,
    provider: Provider,
    nest: &NestDefaults,
) -> Option<Repository> {
    let server = gitlab.text("server").unwrap_or_else(|| nest.server.to_string());
    let secret = |secret: Secret| match gitlab.get(secret.attribute()) {
        Some(Value::Secret(uri)) => uri.uri(),
        _ => derived::secret_uri(secret, provider, &server, owner),
    };
    let (project_id, group_id) = (gitlab.int("project_id"), gitlab.int("group_id"));
    if project_id.is_some() == group_id.is_some() {
        return None;
    }
    Some(Repository {
        name,
        project_id,
        group_id,
        api_token_secret: secret(Secret::ApiToken),
        token_secret: secret(Secret::RunnerToken),
        webhook_secret: secret(Secret::Webhook),
        server,
    })
}

fn rift_reference(rift: Reader<'_>, nest: &NestDefaults) -> Option<RiftReference> {
    let own = nest.rift.as_ref().map(ToString::to_string);
    Some(RiftReference {
        name: rift.text("name").or(own).unwrap_or_default(),
        docker_proxy: rift.flag("docker")?,
        artifact_cache: rift.flag("cache")?,
    })
}

pub(super) fn environment(block: Option<&TypedBlock>) -> Option<BTreeMap<String, EnvValue>> {
    let attributes = block.map_or(&[][..], |block| &block.attributes);
    let variables = attributes.iter().map(|attribute| {
        let value = match attribute.value.as_ref()? {
            Value::Secret(uri) => EnvValue::Secret(uri.uri()),
            value => EnvValue::Text(value.to_text()?.to_string()),
        };
        Some((attribute.name.to_string(), value))
    });
    variables.collect()
}
