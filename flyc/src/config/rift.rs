//! Rift servers as [`RiftConfig`].

use std::collections::BTreeMap;

use fly_std::Value;

use super::{
    Places,
    defaults::Reader,
    egg::{cloud, resources, texts},
};
use crate::{
    artifact::{Eviction, RiftAuth, RiftAuthMethod, RiftCache, RiftConfig, RunnerType, Upstream},
    model::TypedBlock,
};

/// The configuration of a Rift server, and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedRift {
    /// The configuration, with every default.
    pub config: RiftConfig,
    /// Where its parts stand.
    pub places: Places,
}

/// The configuration of a Rift server; none when an error in it, which has been told, leaves it unknown. `users` are the
/// eggs and buckets that name it.
pub(super) fn resolve(block: &TypedBlock, users: &[String]) -> Option<ResolvedRift> {
    let rift = Reader::of(block);
    let resources = resources(block)?;
    let cache = rift.child("cache")?;
    let eviction = cache.text("eviction")?;
    let auth = rift.child("auth")?;
    let method = auth.text("method")?;
    let upstreams = block.block("upstreams").map_or(&[][..], |upstreams| &upstreams.blocks);
    let config = RiftConfig {
        format_version: RiftConfig::FORMAT_VERSION,
        name: block.label.as_ref()?.to_string(),
        server: rift.text("server"),
        port: rift.int("port")?,
        cloud: cloud(rift.child("cloud")?, RunnerType::Vm, &resources)?,
        resources,
        cache: RiftCache {
            max_size_bytes: cache.size("max_size")?,
            max_age_s: cache.duration("max_age")?,
            eviction: Eviction::ALL.into_iter().find(|known| known.name() == eviction)?,
        },
        upstreams: upstreams.iter().map(upstream).collect::<Option<BTreeMap<_, _>>>()?,
        auth: RiftAuth {
            method: RiftAuthMethod::ALL.into_iter().find(|known| known.name() == method)?,
            token_ttl_s: auth.duration("token_ttl")?,
            eggs: match auth.get("eggs") {
                Some(eggs) => texts(&eggs)?,
                None => users.to_vec(),
            },
        },
    };
    Some(ResolvedRift { config, places: Places::of(block) })
}

fn upstream(block: &TypedBlock) -> Option<(String, Upstream)> {
    let upstream = Reader::of(block);
    let password_secret = match upstream.get("password_secret") {
        Some(Value::Secret(uri)) => Some(uri.uri()),
        Some(_) => return None,
        None => None,
    };
    let config =
        Upstream { url: upstream.text("url")?, username: upstream.text("username"), password_secret };
    Some((block.name.to_string(), config))
}

#[cfg(test)]
mod tests {
    use crate::{
        artifact::{Artifact, RiftConfig},
        db::{Database, Nest, SourceFile},
    };

    fn rifts(files: &[(&str, &str)]) -> Vec<RiftConfig> {
        let db = Database::default();
        let sources: Vec<_> =
            files.iter().map(|(path, text)| SourceFile::new(&db, (*path).into(), (*text).into())).collect();
        Nest::new(&db, sources.clone().into(), false);
        let rifts = super::super::rift_configs(&db, sources[0]).iter();
        rifts
            .map(|rift| {
                let config = rift.clone().unwrap().config;
                assert_eq!(RiftConfig::from_json(&config.to_json().unwrap()).unwrap(), config);
                config
            })
            .collect()
    }

    #[test]
    fn the_shortest_server_has_every_default() {
        let rifts = rifts(&[("MG/config.fly", "rift \"main\" {\n}\n")]);
        expect_test::expect![[r#"
            {
              "format_version": 1,
              "name": "main",
              "port": 8443,
              "cloud": {
                "provider": "yandex",
                "region": "ru-central1-a",
                "zone": "ru-central1-a",
                "image": "debian-12",
                "offer": {
                  "name": "standard-v3",
                  "cpu": 2,
                  "core_fraction": 100,
                  "memory_mib": 4096
                }
              },
              "resources": {
                "cpu": 2,
                "memory_mib": 4096,
                "disk_gib": 20
              },
              "cache": {
                "max_size_bytes": 53687091200,
                "max_age_s": 2592000,
                "eviction": "lru"
              },
              "upstreams": {},
              "auth": {
                "method": "runner_token",
                "token_ttl_s": 3600,
                "eggs": []
              }
            }
        "#]]
        .assert_eq(&rifts[0].to_json().unwrap());
    }

    #[test]
    fn a_server_lets_in_who_names_it_unless_it_says_whom() {
        let egg = |name: &str, rift: &str| {
            format!("egg \"{name}\" {{\n  type = \"vm\"\n  gitlab {{\n    project_id = 1\n  }}\n{rift}}}\n")
        };
        let eggs = [
            egg("b", "  rift {\n    name = \"two\"\n  }\n"),
            egg("a", "  rift {\n    name = \"two\"\n  }\n"),
            egg("none", ""),
        ]
        .concat();
        let servers = "rift \"one\" {\n  auth {\n    eggs = [\"none\"]\n  }\n}\n\nrift \"two\" {\n}\n";
        let rifts = rifts(&[("MG/config.fly", servers), ("Eggs/a/config.fly", &eggs)]);
        assert_eq!(rifts[0].auth.eggs, ["none"]);
        assert_eq!(rifts[1].auth.eggs, ["a", "b"]);
    }

    #[test]
    fn the_nests_only_server_is_meant_where_none_is_named() {
        let egg = "egg \"a\" {\n  type = \"vm\"\n  gitlab {\n    project_id = 1\n  }\n  rift {\n  }\n}\n"
            .to_owned();
        let rifts = rifts(&[
            (
                "MG/config.fly",
                "rift \"main\" {\n  server = \"rift.example.com\"\n  port = 443\n  upstreams {\n    hub {\n      url = \"https://registry-1.docker.io\"\n      username = \"robot\"\n      password_secret = \"yc-lockbox://registries/hub\"\n    }\n  }\n}\n",
            ),
            ("Eggs/a/config.fly", &egg),
        ]);
        assert_eq!(rifts[0].auth.eggs, ["a"]);
        let hub = &rifts[0].upstreams["hub"];
        assert_eq!(hub.password_secret.as_deref(), Some("yc-lockbox://registries/hub"));
        assert_eq!((rifts[0].server.as_deref(), rifts[0].port), (Some("rift.example.com"), 443));
    }
}
