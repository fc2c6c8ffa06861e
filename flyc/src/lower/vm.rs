//! Runners that are virtual machines, or processes of this machine.
//!
//! Here lives what the templates of `tofu` and `cloud_init` are filled with, and which of them make which file.

use minijinja::{Value, context};

use super::{
    LowerError, Market,
    fleet::Fleet,
    render::render,
    root::{self, Parts, Templates},
};
use crate::artifact::{Cloud, Executor, Offer, Provider, Resources, RunnerType};

/// The files of a root module that are made of templates, with the templates.
const fn templates(provider: Provider) -> &'static Templates {
    match provider {
        Provider::Yandex => &[
            ("versions.tf", &["tofu/yandex/versions.tf.j2"]),
            ("providers.tf", &["tofu/yandex/providers.tf.j2"]),
            (
                "variables.tf",
                &[
                    "tofu/variables.tf.j2",
                    "tofu/vm_variables.tf.j2",
                    "tofu/network_variables.tf.j2",
                    "tofu/yandex/variables.tf.j2",
                ],
            ),
            ("data.tf", &["tofu/yandex/data.tf.j2"]),
            ("resources.tf", &["tofu/yandex/resources.tf.j2"]),
            ("checks.tf", &["tofu/yandex/checks.tf.j2"]),
            ("outputs.tf", &["tofu/outputs.tf.j2"]),
        ],
        Provider::Aws => &[
            ("versions.tf", &["tofu/aws/versions.tf.j2"]),
            ("providers.tf", &["tofu/aws/providers.tf.j2"]),
            (
                "variables.tf",
                &["tofu/variables.tf.j2", "tofu/vm_variables.tf.j2", "tofu/network_variables.tf.j2"],
            ),
            ("data.tf", &["tofu/aws/data.tf.j2"]),
            ("resources.tf", &["tofu/aws/resources.tf.j2"]),
            ("checks.tf", &["tofu/aws/checks.tf.j2"]),
            ("outputs.tf", &["tofu/outputs.tf.j2"]),
        ],
        Provider::Local => &[
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

/// What machines give to their root module.
pub(super) fn parts(fleet: &Fleet<'_>) -> Result<Parts, LowerError> {
    let Fleet { cloud, resources, .. } = fleet;
    let told = match cloud.provider {
        Provider::Local => ("egg.json", fleet.told()?),
        Provider::Yandex | Provider::Aws => ("cloud-init.yaml", cloud_init(fleet)?),
    };
    Ok(Parts {
        templates: templates(cloud.provider),
        context: context! {
            disk_gib => resources.disk_gib,
            ..context! { ..machine(cloud, resources)?, ..root::place(cloud)? }
        },
        told: vec![told],
        // A process gets its ticket from a provisioner; a machine finds it in its user data, which the state has.
        ephemeral: cloud.provider == Provider::Local,
    })
}

/// What templates see of the machine that is made and of the image it starts from; the machine is the one that the
/// configuration chose, or else the nearest.
pub(super) fn machine(cloud: &Cloud, resources: &Resources) -> Result<Value, LowerError> {
    let location = if cloud.zone.is_empty() { &cloud.region } else { &cloud.zone };
    let market = Market { provider: cloud.provider, runner_type: RunnerType::Vm, location };
    let offer = match &cloud.offer {
        Some(offer) => Some(offer.clone()),
        None => market.offer(resources)?.map(Offer::from),
    };
    let offer = offer.map(|Offer { name, cpu, core_fraction, memory_mib }| {
        context! { name, cpu, core_fraction, memory_gib => memory_mib / 1024 }
    });
    let image = match cloud.provider {
        Provider::Yandex => context! { image_is_id => is_yandex_image_id(&cloud.image) },
        Provider::Aws => context! {
            image_is_id => cloud.image.starts_with("ami-"),
            image_names => [cloud.image.clone(), format!("{}-*", cloud.image)],
        },
        Provider::Local => context! {},
    };
    Ok(context! { offer, image => cloud.image.clone(), ..image })
}

/// Yandex Cloud's image ids: `fd` and eighteen letters and digits.
fn is_yandex_image_id(image: &str) -> bool {
    image.len() == 20
        && image.starts_with("fd")
        && image.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// The user data, the same on every cloud.
pub(super) fn cloud_init(fleet: &Fleet<'_>) -> Result<String, LowerError> {
    let machine: Value = context! { docker => fleet.runner.executor == Executor::Docker, ..fleet.context() };
    let unit = render("cloud_init/gosling-runner.service.j2", &machine)?;
    let install = render("cloud_init/install.sh.j2", &machine)?;
    render(
        "cloud_init/cloud-init.yaml.j2",
        &context! { unit => unit, install => install, egg_json => fleet.told()?, ..machine },
    )
}
