use super::*;
use crate::artifact::{Cloud, EggKind, EnvValue, Executor, Origin, Repository, Resources, Runner};

pub(super) fn config(provider: Provider) -> EggConfig {
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
        },
        resources: Resources { cpu: 2, memory_mib: 4096, disk_gib: 20 },
        runner: Runner {
            tags: vec!["docker".into(), "linux".into()],
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
            api_token_secret: "yc-lockbox://gitlab/gitlab.com/my-app/api-token".into(),
            token_secret: "yc-lockbox://gitlab/gitlab.com/my-app/runner-token".into(),
            webhook_secret: "yc-lockbox://gitlab/gitlab.com/my-app/webhook-secret".into(),
        }],
        environment: [
            ("DOCKER_DRIVER".to_owned(), EnvValue::Text("overlay2".into())),
            ("API_KEY".to_owned(), EnvValue::Secret("yc-lockbox://api-keys/my-app".into())),
        ]
        .into(),
        rift: None,
    }
}

pub(super) fn origins() -> Origins {
    let origin = |line| Origin { file: "Eggs/my-app/config.fly".into(), line, column: 1 };
    let mut origins = Origins::new(origin(1));
    for (line, path) in ["cloud", "cloud.image", "resources", "resources.memory", "runner"].into_iter().enumerate() {
        origins.insert(path, origin(u32::try_from(line).unwrap() + 2));
    }
    origins
}

#[test]
fn dump() {
    let out = std::env::var("DUMP").unwrap_or("/tmp/dump".into());
    for provider in Provider::ALL {
        for (path, text) in egg(&config(provider), &origins(), &Options::new("nest")).unwrap().into_iter().chain(compute_module(provider)) {
            let path = format!("{out}/{}/{path}", provider.name());
            std::fs::create_dir_all(std::path::Path::new(&path).parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }
}
