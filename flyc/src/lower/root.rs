//! A root module of `OpenTofu`: the files of an egg, a job or a Rift server, whatever is made of it.
//!
//! Never here: what one kind of them needs; that is `vm`'s, `serverless`'s and `rift`'s.

use minijinja::{Value, context};

use super::{Backend, File, LowerError, Options, marks, render::render};
use crate::artifact::{Artifact, Cloud, Origins, Provider, SourceMap};

/// The files of a root module that are made of templates, each with its templates.
pub(super) type Templates = [(&'static str, &'static [&'static str])];

/// Whose root module it is.
pub(super) struct Root<'a> {
    /// The folder in the build.
    pub(super) folder: String,
    /// The key of the state in the bucket.
    pub(super) state_key: String,
    /// Where things are made.
    pub(super) cloud: &'a Cloud,
    /// What every template sees of it.
    pub(super) context: Value,
}

/// What one kind of runner or server gives to the root module.
pub(super) struct Parts {
    /// The files that are made of templates.
    pub(super) templates: &'static Templates,
    /// What their templates see beside what all see.
    pub(super) context: Value,
    /// The files that are no templates of the module: what runners are told by, with their names.
    pub(super) told: Vec<(&'static str, String)>,
    /// Whether tickets are kept from plans and states.
    pub(super) ephemeral: bool,
}

/// The files; `config` is the text of `config.json`.
pub(super) fn files(
    root: &Root<'_>,
    config: String,
    origins: &Origins,
    options: &Options,
    parts: Parts,
) -> Result<Vec<File>, LowerError> {
    let Parts { templates, context: own, told, ephemeral } = parts;
    let context = root_context(root, options, own, ephemeral)?;
    let mut rendered = vec![("config.json", config)];
    for (file, parts) in templates {
        let mut text = render("tofu/header.tf.j2", &context)?;
        for part in *parts {
            text.push_str(&render(part, &context)?);
        }
        rendered.push((file, text));
    }
    rendered.push(("tofu.rc", render("tofu/tofu.rc.j2", &context)?));
    rendered.extend(told);

    let mut map = SourceMap::new();
    let folder = &root.folder;
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

/// What the templates of every root module see.
fn root_context(
    root: &Root<'_>,
    options: &Options,
    own: Value,
    ephemeral: bool,
) -> Result<Value, LowerError> {
    let cloud = root.cloud;
    let backend = match options.backend.unwrap_or_else(|| Backend::of(cloud.provider)) {
        Backend::S3 => "s3",
        Backend::Local => "local",
    };
    let common = context! {
        nest => options.nest.clone(),
        provider => cloud.provider.name(),
        backend,
        ephemeral,
        state_key => root.state_key.clone(),
        network => cloud.network.clone(),
        subnet => cloud.subnet.clone(),
        ..root.context.clone()
    };
    let block = Value::from_safe_string(render("tofu/backend.tf.j2", &common)?.trim_end().to_owned());
    Ok(context! { backend_block => block, ..context! { ..own, ..common } })
}

/// The region and zone of a cloud that must have them.
pub(super) fn place(cloud: &Cloud) -> Result<Value, LowerError> {
    let missing = |path| LowerError::Missing { path, provider: cloud.provider.name() };
    match cloud.provider {
        Provider::Yandex => {
            let zone = if cloud.zone.is_empty() { &cloud.region } else { &cloud.zone };
            if zone.is_empty() {
                return Err(missing("cloud.zone"));
            }
            Ok(context! { zone })
        }
        Provider::Aws if cloud.region.is_empty() => Err(missing("cloud.region")),
        Provider::Aws => Ok(context! { region => cloud.region.clone(), zone => cloud.zone.clone() }),
        Provider::Local => Ok(context! {}),
    }
}
