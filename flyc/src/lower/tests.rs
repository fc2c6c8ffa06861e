//! The lowering of whole eggs, as far as it can be told without `OpenTofu`; tests/tofu.rs tries the rest for real.

use std::collections::BTreeSet;

use expect_test::expect;
use hcl_edit::structure::{Body, Structure};
use proptest::prelude::*;
use saphyr::{LoadableYamlNode, Yaml};

use super::*;
use crate::artifact::{
    Artifact, Cloud, EggKind, EnvValue, Executor, Origin, Repository, Resources, Runner, SourceMap,
};

fn config(provider: Provider) -> EggConfig {
    let (region, zone) = match provider {
        Provider::Yandex => ("ru-central1", "ru-central1-a"),
        Provider::Aws => ("eu-central-1", "eu-central-1a"),
        Provider::Local => ("", ""),
    };
    EggConfig {
        format_version: EggConfig::FORMAT_VERSION,
        kind: EggKind::Egg,
        name: "my-app".into(),
        runner_type: RunnerType::Vm,
        cloud: Cloud {
            provider,
            region: region.into(),
            zone: zone.into(),
            network: Some("enp1a2b3c".into()),
            subnet: Some("e9b1a2b3c".into()),
            image: "debian-12".into(),
            offer: None,
        },
        resources: Resources { cpu: 2, memory_mib: 4096, disk_gib: 20 },
        runner: Runner {
            tags: vec!["docker".into()],
            concurrent: 3,
            idle_timeout_s: 600,
            timeout_s: 3600,
            run_untagged: false,
            protected: false,
            executor: Executor::Docker,
            image: "debian:12-slim".into(),
            privileged: false,
            ephemeral: false,
        },
        repositories: vec![Repository {
            name: None,
            server: "gitlab.com".into(),
            project_id: Some(12345),
            group_id: None,
            api_token_secret: "vault://gitlab/api-token".into(),
            token_secret: "vault://gitlab/runner-token".into(),
            webhook_secret: "vault://gitlab/webhook-secret".into(),
        }],
        environment: [("DRIVER".to_owned(), EnvValue::Text("overlay2".into()))].into(),
        rift: None,
    }
}

/// One of each kind of module.
fn every_kind() -> Vec<EggConfig> {
    let serverless = [Provider::Yandex, Provider::Aws].map(|provider| EggConfig {
        runner_type: RunnerType::Serverless,
        resources: Resources { cpu: 1, memory_mib: 1024, disk_gib: 10 },
        runner: Runner { executor: Executor::Shell, ..config(provider).runner },
        ..config(provider)
    });
    Provider::ALL.map(config).into_iter().chain(serverless).collect()
}

fn origins() -> Origins {
    let origin = |line| Origin { file: "Eggs/my-app/config.fly".into(), line, column: 3 };
    let mut origins = Origins::new(origin(1));
    origins.insert("cloud", origin(4));
    origins.insert("cloud.image", origin(5));
    origins.insert("resources.memory", origin(9));
    origins
}

fn lowered(config: &EggConfig) -> Vec<File> {
    egg(config, &origins(), &Options::new("nest")).unwrap()
}

fn text<'a>(files: &'a [File], name: &str) -> &'a str {
    let wanted = format!("/{name}");
    files.iter().find(|(path, _)| path.ends_with(&wanted)).map(|(_, text)| text.as_str()).unwrap()
}

#[test]
fn the_same_egg_gives_the_same_bytes() {
    for config in every_kind() {
        assert_eq!(lowered(&config), lowered(&config));
    }
    for module in ComputeModule::ALL {
        assert_eq!(compute_module(module), compute_module(module));
    }
}

#[test]
fn the_configuration_reads_back() {
    for config in every_kind() {
        assert_eq!(EggConfig::from_json(text(&lowered(&config), "config.json")).unwrap(), config);
    }
}

#[test]
fn every_egg_has_its_files_in_its_folder() {
    let names =
        |provider| -> Vec<String> { lowered(&config(provider)).into_iter().map(|(path, _)| path).collect() };
    expect![[r"
        eggs/my-app/config.json
        eggs/my-app/versions.tf
        eggs/my-app/providers.tf
        eggs/my-app/variables.tf
        eggs/my-app/data.tf
        eggs/my-app/resources.tf
        eggs/my-app/checks.tf
        eggs/my-app/outputs.tf
        eggs/my-app/tofu.rc
        eggs/my-app/cloud-init.yaml
        eggs/my-app/source-map.json"]]
    .assert_eq(&names(Provider::Yandex).join("\n"));
    assert_eq!(names(Provider::Yandex), names(Provider::Aws));
    assert!(names(Provider::Local).iter().all(|name| !name.ends_with("cloud-init.yaml")));
}

#[test]
fn a_runner_reads_like_written_by_hand() {
    let files = lowered(&config(Provider::Aws));
    expect![[r#"
        # Written by `flyc build` from the egg "my-app". Change its .fly source; a change here is lost at the next build.

        # One module instance a runner: a new id makes a runner, a removed id destroys that one, and the others stay untouched.
        module "runner" {
          source   = "../../compute-module/aws"
          for_each = var.runners

          runner_id = each.key
          pool      = each.value.pool

          # Owner tags: whoever finds an instance can tell whose it is.
          nest   = "nest"
          egg    = "my-app"
          commit = coalesce(each.value.commit, "none")

          image_id      = coalesce(each.value.image, local.image_id)
          instance_type = "t3.medium"
          disk_size     = 20

          subnet_id          = var.subnet_id
          security_group_ids = var.security_group_ids
          public_address     = var.public_address

          cloud_init       = file("${path.module}/cloud-init.yaml")
          ticket           = lookup(var.tickets, each.key, "")
          orchestrator_url = var.orchestrator_url
          gosling_download = var.gosling_download
        }
    "#]]
    .assert_eq(text(&files, "resources.tf"));
}

#[test]
fn a_fargate_runner_reads_like_written_by_hand() {
    let config = every_kind().pop().unwrap();
    let files = lowered(&config);
    expect![[r#"
        # Written by `flyc build` from the egg "my-app". Change its .fly source; a change here is lost at the next build.

        # What the runners share: the cluster, the log, the role that starts tasks, and the task definitions.
        module "shared" {
          source = "../../compute-module/aws-serverless/shared"

          # Owner tags: whoever finds one of these can tell whose it is.
          nest = "nest"
          egg  = "my-app"

          cluster       = var.cluster
          images        = toset(values(local.images))
          cpu           = 1024
          memory        = 2048
          disk_size     = 20
          egg_config    = file("${path.module}/egg.json")
          log_retention = var.log_retention

          permissions_boundary = var.permissions_boundary
        }

        # One module instance a runner: a new id starts a task, a removed id stops that one, and the others stay untouched.
        module "runner" {
          source   = "../../compute-module/aws-serverless/runner"
          for_each = var.runners

          runner_id = each.key
          pool      = each.value.pool

          # Owner tags of the task.
          nest   = "nest"
          egg    = "my-app"
          commit = coalesce(each.value.commit, "none")

          region          = module.shared.region
          cluster         = module.shared.cluster
          task_definition = module.shared.definitions[local.images[each.key]]

          subnet_id          = var.subnet_id
          security_group_ids = var.security_group_ids
          public_address     = var.public_address

          ticket           = lookup(var.tickets, each.key, "")
          orchestrator_url = var.orchestrator_url
          gosling          = var.gosling
        }
    "#]]
    .assert_eq(text(&files, "resources.tf"));
}

fn is_tofu(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, kind)| kind == "tf")
}

/// The addresses of a body as a real parser sees them.
fn addresses(body: &Body, within: &str, found: &mut BTreeSet<String>) {
    for structure in body {
        match structure {
            Structure::Attribute(attribute) => {
                found.insert(format!("{within}{}", attribute.key.as_str()));
            }
            Structure::Block(block) => {
                let kind = match (within, block.ident.as_str()) {
                    ("", "resource") => None,
                    ("", "variable") => Some("var"),
                    ("", "locals") => Some("local"),
                    (_, kind) => Some(kind),
                };
                let labels = block.labels.iter().map(hcl_edit::structure::BlockLabel::as_str);
                let address =
                    within.to_owned() + &kind.into_iter().chain(labels).collect::<Vec<_>>().join(".");
                addresses(&block.body, &format!("{address}."), found);
                found.insert(address);
            }
        }
    }
}

#[test]
fn the_source_map_has_every_block_and_attribute() {
    for config in every_kind() {
        let files = lowered(&config);
        let map = SourceMap::from_json(text(&files, "source-map.json")).unwrap();
        for (path, content) in files.iter().filter(|(path, _)| is_tofu(path)) {
            let name = path.rsplit('/').next().unwrap();
            let mut expected = BTreeSet::new();
            addresses(&content.parse::<Body>().unwrap(), "", &mut expected);
            let mapped: BTreeSet<String> =
                map.files.get(name).into_iter().flatten().map(|mapping| mapping.address.clone()).collect();
            assert_eq!(mapped, expected, "{path}");
        }
    }
    let files = lowered(&config(Provider::Yandex));
    let map = SourceMap::from_json(text(&files, "source-map.json")).unwrap();
    let line = |address: &str| map.at_address(address).map(|mapping| mapping.line);
    assert_eq!(line("module.runner[\"a\"].yandex_compute_instance.runner"), Some(1));
    assert_eq!(line("module.runner.memory"), Some(9));
    assert_eq!(line("module.runner.cores"), Some(1));
    assert_eq!(line("data.yandex_compute_image.runner"), Some(5));
    assert_eq!(line("provider.yandex"), Some(4));
    assert_eq!(line("write_files./etc/gosling/egg.json"), Some(1));
}

#[test]
fn what_no_artifact_can_hold_is_refused() {
    let refused = |change: &dyn Fn(&mut EggConfig)| {
        let mut config = config(Provider::Yandex);
        change(&mut config);
        egg(&config, &origins(), &Options::new("nest")).unwrap_err()
    };
    for name in ["", ".", "..", "../a", "a/b", "a b", "a\nb", "-a", ".terraform", "ä", "a\0"] {
        let error = refused(&|config| config.name = name.into());
        assert!(matches!(error, LowerError::Name { .. }), "{name:?}: {error}");
    }
    let error = refused(&|config| config.runner.tags = vec!["a".into(), "b\0".into()]);
    assert_eq!(error.path(), Some("runner.tags"));
    let error = refused(&|config| {
        config.environment.insert("A\0".into(), EnvValue::Text(String::new()));
    });
    assert!(matches!(error, LowerError::Nul { .. }));
    assert!(matches!(refused(&|config| config.resources.cpu = 200), LowerError::TooLarge { .. }));
    let error = refused(&|config| {
        config.runner_type = RunnerType::Serverless;
        config.resources.memory_mib = 9000;
    });
    assert_eq!(
        error.to_string(),
        "no serverless runner on yandex has 2 CPUs, 9000 MiB of memory and 20 GiB of disk"
    );
    assert_eq!(error.path(), Some("resources.memory"));
    let error = refused(&|config| {
        config.cloud.zone.clear();
        config.cloud.region.clear();
    });
    assert_eq!(error.path(), Some("cloud.zone"));
}

#[test]
fn where_tokens_are_kept_is_in_the_configuration_alone() {
    for config in every_kind() {
        for (path, text) in lowered(&config) {
            assert_eq!(text.contains("vault://gitlab"), path.ends_with("/config.json"), "{path}");
        }
    }
}

#[test]
fn no_template_switches_escaping_off() {
    for (name, source) in render::TEMPLATES {
        assert!(escape::Target::of_template(name).is_some(), "{name}");
        for forbidden in ["|safe", "| safe", "autoescape"] {
            assert!(!source.contains(forbidden), "{name} has {forbidden}");
        }
    }
}

proptest! {
    #[test]
    fn no_value_changes_the_shape_of_a_module(
        image in "[^\\x00]{0,20}",
        network in prop_oneof!["[^\\x00]{0,20}", Just("\"\n}\nresource \"x\" \"y\" {".to_owned())],
        subnet in prop_oneof!["[^\\x00]{1,20}", Just("${file(\"/etc/passwd\")}".to_owned())],
        tag in "[^\\x00]{0,20}",
        value in prop_oneof!["[^\\x00]{0,40}", Just("\"\nruncmd:\n  - [reboot]\n".to_owned())],
    ) {
        for provider in [Provider::Yandex, Provider::Aws] {
            let mut config = config(provider);
            config.cloud.image = format!("x{image}");
            config.cloud.network = Some(format!("x{network}"));
            config.cloud.subnet = Some(subnet.clone());
            config.runner.tags = vec![tag.clone()];
            config.environment.insert("VALUE".into(), EnvValue::Text(value.clone()));
            let files = lowered(&config);
            let plain = lowered(&super::tests::config(provider));
            for ((path, text), (_, usual)) in files.iter().zip(&plain).filter(|((path, _), _)| is_tofu(path)) {
                let shape = |text: &str| {
                    let mut found = BTreeSet::new();
                    addresses(&text.parse::<Body>().unwrap(), "", &mut found);
                    found
                };
                prop_assert_eq!(shape(text), shape(usual), "{}", path);
            }
            let body: Body = text(&files, "variables.tf").parse().unwrap();
            let variable = body
                .get_blocks("variable")
                .find(|block| block.labels.first().is_some_and(|label| label.as_str() == "subnet_id"))
                .unwrap();
            prop_assert_eq!(variable.body.get_attribute("default").unwrap().value.as_str(), Some(subnet.as_str()));

            let documents = Yaml::load_from_str(text(&files, "cloud-init.yaml")).unwrap();
            prop_assert_eq!(documents.len(), 1);
            prop_assert_eq!(documents[0].as_mapping().unwrap().len(), 4);
            let egg_json = documents[0].as_mapping_get("write_files").unwrap().as_vec().unwrap()[0]
                .as_mapping_get("content").unwrap().as_str().unwrap();
            let told: serde_json::Value = serde_json::from_str(egg_json).unwrap();
            prop_assert_eq!(told["environment"]["VALUE"]["text"].as_str(), Some(value.as_str()));
            prop_assert_eq!(told["runner"]["tags"][0].as_str(), Some(tag.as_str()));
        }
    }
}

#[test]
fn what_a_machine_is_told_is_measured_as_it_is_rendered() {
    for provider in [Provider::Yandex, Provider::Aws] {
        let mut config = config(provider);
        let needs = |config: &EggConfig| egg_room(config).unwrap().unwrap();
        let small = needs(&config);
        config.environment.insert("BIG".into(), EnvValue::Text("x".repeat(14_000)));
        let large = needs(&config);
        assert!(small.needs < small.most && large.needs >= small.needs + 14_000);
        assert_eq!(large.needs > large.most, provider == Provider::Aws);
        let files = egg(&config, &origins(), &Options::new("nest")).unwrap();
        let (_, cloud_init) = files.iter().find(|(path, _)| path.ends_with("cloud-init.yaml")).unwrap();
        // What the runner adds has its margin.
        assert_eq!(large.needs - cloud_init.len(), 3 * 1024);
    }
}
