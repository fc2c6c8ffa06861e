//! What the installation gives an egg's module: its variables, and what opens its cloud.

use std::collections::BTreeMap;

use flyc::artifact::Provider;
use serde_json::{Value as Json, json};

use super::Run;
use crate::{
    ports::{secrets::Secret, tofu::Unset},
    records::{EggRecord, Served},
    roles::worker::Failure,
};

/// How long a local runner gets to finish when it is stopped.
const STOP: u64 = 300;

/// The cloud of an egg or a job.
pub(super) fn cloud(egg: &EggRecord) -> Provider {
    match &egg.served {
        Served::Egg(egg) => egg.cloud.provider,
        Served::Job(job) => job.cloud.provider,
    }
}

impl Run<'_> {
    /// The variables of the egg's module, which takes those that it has.
    pub(super) fn variables(&self, egg: &EggRecord) -> BTreeMap<String, Json> {
        let settings = &self.context.settings;
        let provider = cloud(egg);
        let url = settings.url.as_str().trim_end_matches('/');
        let mut variables = BTreeMap::from([("orchestrator_url".to_owned(), json!(url))]);
        if let Some(gosling) = &settings.gosling {
            variables.insert("gosling".to_owned(), json!(gosling.to_string_lossy()));
        }
        if provider == Provider::Local {
            let folder = self.context.ports.tofu.runners_folder();
            variables.insert("runners_folder".to_owned(), json!(folder.to_string_lossy()));
            variables.insert("stop_timeout".to_owned(), json!(STOP));
        }
        if let Some(more) = settings.variables.get(provider.name()) {
            variables.extend(more.clone());
        }
        variables
    }

    /// What opens the egg's cloud, where it is kept as secrets. What stands in `gosling`'s own environment OpenTofu has anyway.
    pub(super) async fn environment(&self, egg: &EggRecord) -> Result<BTreeMap<String, Secret>, Failure> {
        let mut environment = BTreeMap::new();
        let kept = self.context.settings.clouds.credentials.get(cloud(egg).name());
        for (name, uri) in kept.into_iter().flatten() {
            let secret = self.context.ports.secrets.get(uri).await.map_err(|error| {
                let told = format!("the credential `{name}` of {}: {error}", cloud(egg).name());
                Failure::of(error.is_transient(), &told)
            })?;
            environment.insert(name.clone(), secret);
        }
        Ok(environment)
    }
}

/// Tells which variables nobody gives, in the words of whoever can.
pub(super) fn lacking(owner: &str, cloud: &str, unset: &[Unset]) -> String {
    let named: Vec<String> = unset
        .iter()
        .map(|one| match one.description.trim_end_matches('.') {
            "" => format!("`{}`", one.name),
            description => format!("`{}` ({description})", one.name),
        })
        .collect();
    let (noun, them) = if unset.len() == 1 { ("the variable", "it") } else { ("the variables", "them") };
    let first = unset.first().map_or("", |one| &one.name);
    format!(
        "`{owner}` can't be deployed to {cloud}: its module needs {noun} {}, and this installation doesn't give {them}; \
         put {them} into the file of `gosling serve --variables` (GOSLING_VARIABLES), \
         {{\"{cloud}\": {{\"{first}\": …}}}}, and start gosling anew",
        named.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lacking_is_told_with_where_it_is_given() {
        let unset = |name: &str, description: &str| Unset {
            name: name.to_owned(),
            description: description.to_owned(),
        };
        assert_eq!(
            lacking("web", "yandex", &[unset("subnet_id", "The subnet runners are attached to.")]),
            "`web` can't be deployed to yandex: its module needs the variable `subnet_id` (The subnet runners are attached \
             to), and this installation doesn't give it; put it into the file of `gosling serve --variables` \
             (GOSLING_VARIABLES), {\"yandex\": {\"subnet_id\": …}}, and start gosling anew"
        );
        let two = lacking("web", "aws", &[unset("image", ""), unset("subnet_id", "")]);
        assert!(two.contains("the variables `image`, `subnet_id`,") && two.contains("give them"), "{two}");
    }
}
