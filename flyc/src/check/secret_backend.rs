//! Secrets in the store of another cloud than the one their readers run in.
//!
//! The runners of one cloud have an identity there, and none in the other: reading from the other's store needs a key
//! of its own. Vault stands outside of both, and the machine of `provider = "local"` is in neither.

use fly_std::{Value, formats::SecretBackend};

use super::FileScope;
use crate::{
    artifact::Provider,
    config,
    diag::{Diagnostic, declare_diagnostic},
    model::TypedBlock,
};

declare_diagnostic! { pub FOREIGN_SECRET_BACKEND = "foreign-secret-backend", Warning, "a secret in the store of another cloud" }

pub(super) fn check(scope: &FileScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let readers = scope.blocks.iter().filter(|block| block.schema.child("cloud").is_some());
    for reader in readers {
        let Some(provider) = config::provider(reader) else { continue };
        let cloud = reader.block("cloud").and_then(|cloud| cloud.attribute("provider"));
        for attribute in reader.walk().into_iter().flat_map(|block: &TypedBlock| &block.attributes) {
            let Some(backend) = attribute.value.as_ref().and_then(|value| foreign(value, provider)) else {
                continue;
            };
            let (here, there) = (provider.name(), of(backend).map_or("", Provider::name));
            let own =
                if provider == Provider::Yandex { SecretBackend::YcLockbox } else { SecretBackend::AwsSm };
            let mut diagnostic = Diagnostic::new(
                &FOREIGN_SECRET_BACKEND,
                scope.span(attribute.range),
                format!("`{}` is kept on {there}, and what reads it runs on {here}", attribute.name),
                format!("a store of {there}"),
            )
            .note(format!("on {here} there is an identity for the stores of {here}, and none for {there}"));
            diagnostic = match cloud {
                Some(cloud) => diagnostic.related(scope.span(cloud.range), "the cloud is chosen here"),
                None if reader.name == "mothergoose" && !config::service_types(reader).is_empty() => {
                    diagnostic.note(format!("the `type`s of the services are of {here}"))
                }
                None => diagnostic.note(format!("`provider` is \"{here}\" when it is not given")),
            };
            diagnostics.push(diagnostic.help(format!(
                "keep it on {here}, as `{}`, or in a vault, as `{}`",
                own.form(),
                SecretBackend::Vault.form()
            )));
        }
    }
}

/// The cloud that a store belongs to.
const fn of(backend: SecretBackend) -> Option<Provider> {
    match backend {
        SecretBackend::YcLockbox => Some(Provider::Yandex),
        SecretBackend::AwsSm => Some(Provider::Aws),
        SecretBackend::Vault => None,
    }
}

/// The store of a secret in a value that belongs to another cloud.
fn foreign(value: &Value, provider: Provider) -> Option<SecretBackend> {
    match value {
        Value::Secret(uri) => {
            let apart = provider != Provider::Local && of(uri.backend).is_some_and(|cloud| cloud != provider);
            apart.then_some(uri.backend)
        }
        Value::List(values) => values.iter().find_map(|value| foreign(value, provider)),
        Value::Map(entries) => entries.iter().find_map(|(_, value)| foreign(value, provider)),
        Value::String(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Bool(_)
        | Value::Duration(_)
        | Value::Size(_)
        | Value::Percent(_)
        | Value::Condition(_) => None,
    }
}
