//! Defaults that depend on the rest of a block: what `Presence::Derived` tells in words, here as code.
//!
//! What never lives here: defaults that are plain values; those are `fly-std`'s.

use fly_std::formats::SecretBackend;

use crate::artifact::{Executor, Provider, RunnerType};

/// `cloud.region` when neither it nor a zone is given.
pub(super) const fn region(provider: Provider) -> &'static str {
    match provider {
        Provider::Yandex => "ru-central1-a",
        Provider::Aws => "eu-central-1",
        Provider::Local => "",
    }
}

/// `cloud.region` and `cloud.zone` from what was written of them.
///
/// A region may name a zone. Yandex Cloud makes machines by zone, so there the region stays as written; on AWS the
/// provider wants the region itself, so the zone's letter goes.
pub(super) fn region_and_zone(
    provider: Provider,
    written_region: Option<String>,
    written_zone: Option<String>,
    has_subnet: bool,
) -> (String, String) {
    let (region, zone) = match (written_region, written_zone) {
        (Some(region), zone) => (region, zone),
        (None, Some(zone)) => (region_of(&zone, provider).to_owned(), Some(zone)),
        (None, None) => (region(provider).to_owned(), None),
    };
    match provider {
        Provider::Local => (String::new(), String::new()),
        Provider::Yandex => {
            let zone = zone.unwrap_or_else(|| {
                if names_zone(&region, provider) { region.clone() } else { format!("{region}-a") }
            });
            (region, zone)
        }
        Provider::Aws if names_zone(&region, provider) => {
            let plain = region_of(&region, provider).to_owned();
            (plain, zone.unwrap_or(region))
        }
        // A subnet lies in one zone, and AWS puts the machine there: another zone would only contradict it.
        Provider::Aws if has_subnet => (region, zone.unwrap_or_default()),
        Provider::Aws => {
            let zone = zone.unwrap_or_else(|| format!("{region}a"));
            (region, zone)
        }
    }
}

/// Whether the name is that of a zone: `ru-central1-a`, `eu-central-1a`.
fn names_zone(name: &str, provider: Provider) -> bool {
    region_of(name, provider).len() < name.len()
}

/// The region a zone lies in; a name of another form is returned as it is.
fn region_of(zone: &str, provider: Provider) -> &str {
    let Some(rest) = zone.strip_suffix(|c: char| c.is_ascii_lowercase()) else { return zone };
    let region = match provider {
        Provider::Yandex => rest.strip_suffix('-'),
        Provider::Aws => Some(rest),
        Provider::Local => None,
    };
    region.filter(|region| region.ends_with(|c: char| c.is_ascii_digit())).unwrap_or(zone)
}

/// `runner.timeout`, in seconds.
pub(super) const fn timeout_s(runner_type: RunnerType) -> u64 {
    match runner_type {
        RunnerType::Vm => 24 * 3600,
        RunnerType::Serverless => 60 * 60,
    }
}

/// `runner.executor`. A serverless runner is a container itself and has no Docker in it.
pub(super) const fn executor(runner_type: RunnerType) -> Executor {
    match runner_type {
        RunnerType::Vm => Executor::Docker,
        RunnerType::Serverless => Executor::Shell,
    }
}

/// `runner.ephemeral`. What is left of a serverless runner's hour is not enough for every job.
pub(super) const fn ephemeral(runner_type: RunnerType) -> bool {
    matches!(runner_type, RunnerType::Serverless)
}

/// `runner.image` from what was written of it; empty for the image of the installation.
pub(super) fn image(written: Option<String>, runner_type: RunnerType) -> String {
    written.unwrap_or_else(|| match runner_type {
        RunnerType::Vm => "debian:12-slim".to_owned(),
        RunnerType::Serverless => String::new(),
    })
}

/// `resources.disk`, in GiB.
pub(super) const fn disk_gib(runner_type: RunnerType, provider: Provider) -> u64 {
    match (runner_type, provider) {
        (RunnerType::Serverless, Provider::Yandex) => 10,
        _ => 20,
    }
}

/// The secrets of a `gitlab` block.
#[derive(Clone, Copy)]
pub(super) enum Secret {
    ApiToken,
    RunnerToken,
    Webhook,
}

impl Secret {
    pub(super) const fn attribute(self) -> &'static str {
        match self {
            Self::ApiToken => "api_token_secret",
            Self::RunnerToken => "token_secret",
            Self::Webhook => "webhook_secret",
        }
    }

    const fn key(self) -> &'static str {
        match self {
            Self::ApiToken => "api-token",
            Self::RunnerToken => "runner-token",
            Self::Webhook => "webhook-secret",
        }
    }
}

/// The URI of a secret nobody named; `owner` is the egg, or the repository within its bucket.
pub(super) fn secret_uri(secret: Secret, provider: Provider, server: &str, owner: &str) -> String {
    format!("{}://gitlab/{server}/{owner}/{}", backend(provider).scheme(), secret.key())
}

/// The URI of the key with which jobs write to the Nest.
pub(super) fn deploy_key_uri(provider: Provider) -> String {
    format!("{}://deploy-keys/selfjobs-private", backend(provider).scheme())
}

/// Where a cloud keeps secrets.
pub const fn backend(provider: Provider) -> SecretBackend {
    match provider {
        Provider::Yandex => SecretBackend::YcLockbox,
        Provider::Aws => SecretBackend::AwsSm,
        Provider::Local => SecretBackend::Vault,
    }
}

#[cfg(test)]
mod tests {
    use fly_std::schema::{self, Presence};

    use super::*;

    fn told(block: &str, attribute: &str) -> &'static str {
        match schema::EGG.child(block).unwrap().block.attribute(attribute).unwrap().presence {
            Presence::Derived(how) => how,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_documentation_says_the_same() {
        for provider in [Provider::Yandex, Provider::Aws] {
            let words = format!("`{}` on {}", region(provider), provider.name());
            assert!(told("cloud", "region").contains(&words), "{words}");
        }
        assert_eq!(told("runner", "timeout"), "60m for serverless runners, 24h for vms");
        assert_eq!((timeout_s(RunnerType::Serverless), timeout_s(RunnerType::Vm)), (3600, 86400));
        assert_eq!(told("runner", "executor"), "`docker` for vms, `shell` for serverless runners");
        assert_eq!(
            [RunnerType::Vm, RunnerType::Serverless].map(executor),
            [Executor::Docker, Executor::Shell]
        );
        assert_eq!(told("runner", "ephemeral"), "`true` for serverless runners, `false` for vms");
        assert!(ephemeral(RunnerType::Serverless) && !ephemeral(RunnerType::Vm));
        assert_eq!(
            told("runner", "image"),
            "`debian:12-slim` for vms, for serverless runners the installation's image with gosling in it"
        );
        assert_eq!(image(None, RunnerType::Vm), "debian:12-slim");
        assert_eq!(
            told("resources", "disk"),
            "20GiB, but 10GiB for serverless runners on yandex, the most they have"
        );
        assert_eq!(disk_gib(RunnerType::Serverless, Provider::Yandex), 10);
        assert_eq!(disk_gib(RunnerType::Serverless, Provider::Aws), 20);
        for secret in [Secret::ApiToken, Secret::RunnerToken, Secret::Webhook] {
            let words = format!("`{{backend}}://gitlab/{{server}}/{{egg}}/{}`", secret.key());
            assert!(told("gitlab", secret.attribute()).starts_with(&words), "{words}");
        }
        assert_eq!(told("cloud", "zone"), "the region's first zone");
    }

    #[test]
    fn regions_and_zones_agree() {
        let of = |provider, region: &str, zone: &str, has_subnet| {
            let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            let (region, zone) = region_and_zone(provider, given(region), given(zone), has_subnet);
            format!("{region} {zone}")
        };
        assert_eq!(of(Provider::Yandex, "", "", false), "ru-central1-a ru-central1-a");
        assert_eq!(of(Provider::Yandex, "ru-central1-b", "", true), "ru-central1-b ru-central1-b");
        assert_eq!(of(Provider::Yandex, "ru-central1", "", false), "ru-central1 ru-central1-a");
        assert_eq!(of(Provider::Yandex, "ru-central1", "ru-central1-d", false), "ru-central1 ru-central1-d");
        assert_eq!(of(Provider::Yandex, "", "ru-central1-d", false), "ru-central1 ru-central1-d");
        assert_eq!(of(Provider::Aws, "", "", false), "eu-central-1 eu-central-1a");
        assert_eq!(of(Provider::Aws, "", "", true), "eu-central-1 ");
        assert_eq!(of(Provider::Aws, "us-east-1b", "", true), "us-east-1 us-east-1b");
        assert_eq!(of(Provider::Aws, "", "us-east-1c", false), "us-east-1 us-east-1c");
        assert_eq!(of(Provider::Aws, "us-east-1", "us-east-1c", true), "us-east-1 us-east-1c");
        assert_eq!(of(Provider::Aws, "somewhere", "", false), "somewhere somewherea");
        assert_eq!(of(Provider::Local, "x", "y", true), " ");
    }

    #[test]
    fn derived_secrets_are_secret_uris() {
        for provider in Provider::ALL {
            let uri = secret_uri(Secret::ApiToken, provider, "git.example.com:8443", "my-app");
            assert!(fly_std::formats::secret_uri::parse(&uri).is_ok(), "{uri}");
        }
    }
}
