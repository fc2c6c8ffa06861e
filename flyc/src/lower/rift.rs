//! Rift servers: a machine with a cache disk of its own in a cloud, or a process of this machine.
//!
//! Here lives what the templates of `tofu/rift` and of the server's cloud-init are filled with. There is one server, which
//! no orchestrator multiplies, so its root module calls no Compute Module.

use std::collections::BTreeMap;

use minijinja::{Value, context};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{
    LowerError, Market,
    render::render,
    root::{self, Parts, Root, Templates},
    vm,
};
use crate::artifact::{ArtifactError, Provider, RiftAuthMethod, RiftCache, RiftConfig, RunnerType, Upstream};

const YANDEX: &Templates = &[
    ("versions.tf", &["tofu/yandex/versions.tf.j2"]),
    ("providers.tf", &["tofu/yandex/providers.tf.j2"]),
    ("variables.tf", VM_VARIABLES),
    ("data.tf", &["tofu/rift/yandex/data.tf.j2"]),
    ("resources.tf", &["tofu/rift/yandex/resources.tf.j2"]),
    ("user_data.tf", &["tofu/rift/user_data.tf.j2"]),
    ("checks.tf", &["tofu/rift/yandex/checks.tf.j2"]),
    ("outputs.tf", VM_OUTPUTS),
];

const AWS: &Templates = &[
    ("versions.tf", &["tofu/aws/versions.tf.j2"]),
    ("providers.tf", &["tofu/aws/providers.tf.j2"]),
    ("variables.tf", VM_VARIABLES),
    ("data.tf", &["tofu/rift/aws/data.tf.j2"]),
    ("resources.tf", &["tofu/rift/aws/resources.tf.j2"]),
    ("user_data.tf", &["tofu/rift/user_data.tf.j2"]),
    ("checks.tf", &["tofu/rift/aws/checks.tf.j2"]),
    ("outputs.tf", VM_OUTPUTS),
];

const LOCAL: &Templates = &[
    ("versions.tf", &["tofu/local/versions.tf.j2"]),
    ("providers.tf", &["tofu/rift/local/providers.tf.j2"]),
    ("variables.tf", &["tofu/rift/variables.tf.j2", "tofu/rift/local/variables.tf.j2"]),
    ("data.tf", &["tofu/rift/local/data.tf.j2"]),
    ("resources.tf", &["tofu/rift/local/resources.tf.j2"]),
    ("checks.tf", &["tofu/rift/local/checks.tf.j2"]),
    ("outputs.tf", &["tofu/rift/outputs.tf.j2"]),
];

const VM_VARIABLES: &[&str] =
    &["tofu/rift/variables.tf.j2", "tofu/vm_variables.tf.j2", "tofu/rift/vm_variables.tf.j2"];
const VM_OUTPUTS: &[&str] = &["tofu/rift/outputs.tf.j2", "tofu/rift/vm_outputs.tf.j2"];

/// The scripts that a process is started and stopped by; a runner's are the same.
const SCRIPTS: [(&str, &str); 4] = [
    ("configure.sh", include_str!("compute/local/configure.sh")),
    ("process.sh", include_str!("compute/local/process.sh")),
    ("start.sh", include_str!("compute/local/start.sh")),
    ("stop.sh", include_str!("compute/local/stop.sh")),
];

const GIB: u64 = 1 << 30;

/// The disk that holds so large a cache, in GiB: a tenth more, for the filesystem and for what is just being fetched.
pub const fn cache_disk_gib(max_size_bytes: u64) -> u64 {
    let tenth = max_size_bytes.div_ceil(10);
    max_size_bytes.saturating_add(if tenth < GIB { GIB } else { tenth }).div_ceil(GIB)
}

/// The largest cache that a disk of a cloud holds, in GiB; none where disks are not sold.
pub fn largest_cache_gib(provider: Provider) -> Option<u64> {
    let disk = Market { provider, runner_type: RunnerType::Vm, location: "" }.largest_disk_gib()?;
    Some(disk * 10 / 11)
}

/// What the server itself is told (`server.json`). Whom it serves the orchestrator tells it, so that another egg makes no
/// other machine.
#[derive(Serialize)]
struct Told<'a> {
    format_version: u32,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<&'a str>,
    port: u16,
    cache: RiftCache,
    upstreams: &'a BTreeMap<String, Upstream>,
    auth: ToldAuth,
}

#[derive(Serialize)]
struct ToldAuth {
    method: RiftAuthMethod,
    token_ttl_s: u64,
}

/// The text of `server.json`.
pub(super) fn told(config: &RiftConfig) -> Result<String, LowerError> {
    let told = Told {
        format_version: config.format_version,
        name: &config.name,
        server: config.server.as_deref(),
        port: config.port,
        cache: config.cache,
        upstreams: &config.upstreams,
        auth: ToldAuth { method: config.auth.method, token_ttl_s: config.auth.token_ttl_s },
    };
    let text = serde_json::to_string_pretty(&told)
        .map_err(|source| ArtifactError::Json { what: "server configuration", source })?;
    Ok(text + "\n")
}

/// Where its root module stands, and what every template sees.
pub(super) fn root(config: &RiftConfig) -> Root<'_> {
    Root {
        folder: format!("rift/{}", config.name),
        // An egg's name holds no `/`, so no egg's key is a server's.
        state_key: format!("tofu-states/rift/{}/terraform.tfstate", config.name),
        cloud: &config.cloud,
        context: context! {
            name => config.name.clone(),
            // Words of ours, which stand where no quotes may be.
            owner => Value::from_safe_string("Rift server".to_owned()),
            resource_name => resource_name(&config.name),
            server => config.server.clone(),
            port => config.port,
        },
    }
}

/// What the server gives to its root module.
pub(super) fn parts(config: &RiftConfig) -> Result<Parts, LowerError> {
    let RiftConfig { cloud, resources, cache, .. } = config;
    let server = told(config)?;
    let (templates, told) = match cloud.provider {
        Provider::Yandex => (YANDEX, vec![("cloud-init.yaml", cloud_init(config, &server)?)]),
        Provider::Aws => (AWS, vec![("cloud-init.yaml", cloud_init(config, &server)?)]),
        Provider::Local => {
            let scripts = SCRIPTS.map(|(file, text)| (file, text.to_owned()));
            (LOCAL, [("server.json", server)].into_iter().chain(scripts).collect())
        }
    };
    Ok(Parts {
        templates,
        context: context! {
            disk_gib => resources.disk_gib,
            cache_gib => cache_disk_gib(cache.max_size_bytes),
            ..context! { ..vm::machine(cloud, resources)?, ..root::place(cloud)? }
        },
        told,
        // A process gets its ticket from a provisioner; a machine finds it in its user data, which the state has.
        ephemeral: cloud.provider == Provider::Local,
    })
}

/// The machine's user data, the same on every cloud.
pub(super) fn cloud_init(config: &RiftConfig, server: &str) -> Result<String, LowerError> {
    let low_port = config.port < 1024;
    let machine = context! { low_port, ..root(config).context };
    let file = |template| render(template, &machine);
    render(
        "cloud_init/rift.yaml.j2",
        &context! {
            server_json => server,
            unit => file("cloud_init/gosling-rift.service.j2")?,
            cache_unit => file("cloud_init/gosling-rift-cache.service.j2")?,
            install => file("cloud_init/install.sh.j2")?,
            mount => file("cloud_init/mount-cache.sh.j2")?,
            ..machine
        },
    )
}

/// A name that every cloud takes: lower-case letters, digits and hyphens, 50 at most. Two servers never share one.
fn resource_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' };
    let slug: String = name.chars().map(plain).collect();
    let slug = slug.trim_matches('-');
    if slug == name && name.len() <= 37 {
        return format!("gosling-rift-{name}");
    }
    let digest = Sha256::digest(name.as_bytes());
    let slug = slug.get(..24).unwrap_or(slug).trim_end_matches('-');
    let mark = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    format!("gosling-rift-{slug}{}{mark:08x}", if slug.is_empty() { "" } else { "-" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_by_every_cloud_and_stay_apart() {
        assert_eq!(resource_name("main"), "gosling-rift-main");
        assert_eq!(resource_name("a.b"), "gosling-rift-a-b-2e7336dc");
        let names =
            ["main", "Main", "main-", "a.b", "a-b", "a_b", "____", &"x".repeat(128), &"x".repeat(127)];
        let made: std::collections::BTreeSet<_> = names.iter().map(|name| resource_name(name)).collect();
        assert_eq!(made.len(), names.len());
        for name in &made {
            assert!(name.len() <= 50 && !name.ends_with('-'), "{name}");
            assert!(
                name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
                "{name}"
            );
        }
    }

    #[test]
    fn the_disk_holds_the_cache_and_the_largest_cache_has_a_disk() {
        assert_eq!(cache_disk_gib(GIB), 2);
        assert_eq!(cache_disk_gib(50 * GIB), 55);
        assert_eq!(cache_disk_gib(50 * GIB + 1), 56);
        for provider in [Provider::Yandex, Provider::Aws] {
            let disk =
                Market { provider, runner_type: RunnerType::Vm, location: "" }.largest_disk_gib().unwrap();
            let largest = largest_cache_gib(provider).unwrap();
            assert!(cache_disk_gib(largest * GIB) <= disk);
            assert!(cache_disk_gib((largest + 1) * GIB) > disk);
        }
        assert_eq!(largest_cache_gib(Provider::Local), None);
    }
}
