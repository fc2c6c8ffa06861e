//! Eggs whose runners are virtual machines, or processes of this machine.
//!
//! Here lives what the templates of `tofu` and `cloud_init` are filled with, and which of them make which file.

use minijinja::{Value, context};
use serde::Serialize;

use super::{Backend, File, LowerError, Market, Options, marks, render::render};
use crate::artifact::{
    Artifact, EggConfig, EnvValue, Executor, Offer, Origins, Provider, RiftReference, Runner, SourceMap,
};

/// What the runner itself is told of its egg (`egg.json`): never where its tokens are kept.
#[derive(Serialize)]
struct RunnerFile<'a> {
    format_version: u32,
    name: &'a str,
    runner: &'a Runner,
    environment: &'a std::collections::BTreeMap<String, EnvValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rift: Option<&'a RiftReference>,
}

/// The files of a root module that are made of templates, with the templates.
fn templates(provider: Provider) -> [(&'static str, &'static [&'static str]); 7] {
    match provider {
        Provider::Yandex => [
            ("versions.tf", &["tofu/yandex/versions.tf.j2"]),
            ("providers.tf", &["tofu/yandex/providers.tf.j2"]),
            (
                "variables.tf",
                &["tofu/variables.tf.j2", "tofu/vm_variables.tf.j2", "tofu/yandex/variables.tf.j2"],
            ),
            ("data.tf", &["tofu/yandex/data.tf.j2"]),
            ("resources.tf", &["tofu/yandex/resources.tf.j2"]),
            ("checks.tf", &["tofu/yandex/checks.tf.j2"]),
            ("outputs.tf", &["tofu/outputs.tf.j2"]),
        ],
        Provider::Aws => [
            ("versions.tf", &["tofu/aws/versions.tf.j2"]),
            ("providers.tf", &["tofu/aws/providers.tf.j2"]),
            ("variables.tf", &["tofu/variables.tf.j2", "tofu/vm_variables.tf.j2"]),
            ("data.tf", &["tofu/aws/data.tf.j2"]),
            ("resources.tf", &["tofu/aws/resources.tf.j2"]),
            ("checks.tf", &["tofu/aws/checks.tf.j2"]),
            ("outputs.tf", &["tofu/outputs.tf.j2"]),
        ],
        Provider::Local => [
            ("versions.tf", &["tofu/local/versions.tf.j2"]),
            ("providers.tf", &["tofu/local/providers.tf.j2"]),
            ("variables.tf", &["tofu/variables.tf.j2", "tofu/local/variables.tf.j2"]),
            ("data.tf", &["tofu/local/data.tf.j2"]),
            ("resources.tf", &["tofu/local/resources.tf.j2"]),
            ("checks.tf", &["tofu/local/checks.tf.j2"]),
            ("outputs.tf", &["tofu/local/outputs.tf.j2"]),
        ],
    }
}

/// The egg's files.
pub(super) fn files(
    config: &EggConfig,
    origins: &Origins,
    options: &Options,
) -> Result<Vec<File>, LowerError> {
    let provider = config.cloud.provider;
    let root = root_context(config, options)?;
    let egg_json = runner_file(config)?;

    let mut rendered = vec![("config.json", config.to_json()?)];
    for (file, parts) in templates(provider) {
        let mut text = render("tofu/header.tf.j2", &root)?;
        for part in parts {
            text.push_str(&render(part, &root)?);
        }
        rendered.push((file, text));
    }
    rendered.push(("tofu.rc", render("tofu/tofu.rc.j2", &root)?));
    if provider == Provider::Local {
        rendered.push(("egg.json", egg_json));
    } else {
        rendered.push(("cloud-init.yaml", cloud_init(config, egg_json)?));
    }

    let mut map = SourceMap::new();
    let folder = format!("eggs/{}", config.name);
    let mut files = Vec::with_capacity(rendered.len() + 1);
    for (file, text) in rendered {
        let (text, mappings) = marks::strip(file, &text, origins);
        if !mappings.is_empty() {
            map.files.insert(file.to_owned(), mappings);
        }
        files.push((format!("{folder}/{file}"), text));
    }
    files.push((format!("{folder}/source-map.json"), map.to_json()?));
    Ok(files)
}

/// What the templates of the root module see.
fn root_context(config: &EggConfig, options: &Options) -> Result<Value, LowerError> {
    let EggConfig { name, cloud, resources, .. } = config;
    let missing = |path| LowerError::Missing { path, provider: cloud.provider.name() };
    let backend = match options.backend.unwrap_or_else(|| Backend::of(cloud.provider)) {
        Backend::S3 => "s3",
        Backend::Local => "local",
    };
    let common = context! {
        name => name.clone(),
        nest => options.nest.clone(),
        provider => cloud.provider.name(),
        backend,
        state_key => format!("tofu-states/{name}/terraform.tfstate"),
        network => cloud.network.clone(),
        subnet => cloud.subnet.clone(),
        image => cloud.image.clone(),
        disk_gib => resources.disk_gib,
    };
    let block = Value::from_safe_string(render("tofu/backend.tf.j2", &common)?.trim_end().to_owned());
    let own = match cloud.provider {
        Provider::Yandex => {
            let zone = if cloud.zone.is_empty() { &cloud.region } else { &cloud.zone };
            if zone.is_empty() {
                return Err(missing("cloud.zone"));
            }
            context! {
                zone,
                offer => offer(config)?,
                image_is_id => is_yandex_image_id(&cloud.image),
            }
        }
        Provider::Aws => {
            if cloud.region.is_empty() {
                return Err(missing("cloud.region"));
            }
            context! {
                region => cloud.region.clone(),
                zone => cloud.zone.clone(),
                offer => offer(config)?,
                image_is_id => cloud.image.starts_with("ami-"),
                image_names => [cloud.image.clone(), format!("{}-*", cloud.image)],
            }
        }
        Provider::Local => context! {},
    };
    Ok(context! { ..own, ..context! { backend_block => block, ..common } })
}

/// The machine that was chosen for the egg; one whose configuration names none gets it here.
fn offer(config: &EggConfig) -> Result<Value, LowerError> {
    let EggConfig { cloud, resources, .. } = config;
    let location = if cloud.zone.is_empty() { &cloud.region } else { &cloud.zone };
    let chosen = match &cloud.offer {
        Some(offer) => Some(offer.clone()),
        None => {
            let market = Market { provider: cloud.provider, runner_type: config.runner_type, location };
            market.offer(resources)?.map(Offer::from)
        }
    };
    Ok(chosen.map_or(Value::UNDEFINED, |offer| {
        context! {
            name => offer.name,
            cpu => offer.cpu,
            core_fraction => offer.core_fraction,
            memory_gib => offer.memory_mib / 1024,
        }
    }))
}

/// Yandex Cloud's image ids: `fd` and eighteen letters and digits.
fn is_yandex_image_id(image: &str) -> bool {
    image.len() == 20
        && image.starts_with("fd")
        && image.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

fn runner_file(config: &EggConfig) -> Result<String, LowerError> {
    let file = RunnerFile {
        format_version: config.format_version,
        name: &config.name,
        runner: &config.runner,
        environment: &config.environment,
        rift: config.rift.as_ref(),
    };
    let text = serde_json::to_string_pretty(&file)
        .map_err(|source| crate::artifact::ArtifactError::Json { what: "runner configuration", source })?;
    Ok(text + "\n")
}

/// The egg's user data, the same on every cloud.
fn cloud_init(config: &EggConfig, egg_json: String) -> Result<String, LowerError> {
    let machine =
        context! { name => config.name.clone(), docker => config.runner.executor == Executor::Docker };
    let unit = render("cloud_init/gosling-runner.service.j2", &machine)?;
    let install = render("cloud_init/install.sh.j2", &machine)?;
    render(
        "cloud_init/cloud-init.yaml.j2",
        &context! { unit => unit, install => install, egg_json => egg_json, ..machine },
    )
}
