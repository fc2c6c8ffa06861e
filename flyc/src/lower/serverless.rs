//! Runners that are containers of a cloud and live an hour at most: tasks of AWS Fargate, and invocations of Yandex
//! Serverless Containers.
//!
//! Here lives what their templates are filled with, and which of them make which file. Never here: runners of this
//! machine, which are processes whatever their type.

use minijinja::context;

use super::{
    LowerError,
    fleet::Fleet,
    root::{self, Parts, Templates},
    sizing_serverless,
};
use crate::artifact::Provider;

const YANDEX: &Templates = &[
    ("versions.tf", &["tofu/yandex/versions.tf.j2"]),
    ("providers.tf", &["tofu/yandex/providers.tf.j2"]),
    (
        "variables.tf",
        &[
            "tofu/variables.tf.j2",
            "tofu/serverless_variables.tf.j2",
            "tofu/yandex_serverless/variables.tf.j2",
        ],
    ),
    ("data.tf", &["tofu/yandex_serverless/data.tf.j2"]),
    ("resources.tf", &["tofu/yandex_serverless/resources.tf.j2"]),
    ("checks.tf", &["tofu/yandex_serverless/checks.tf.j2"]),
    ("outputs.tf", &["tofu/serverless_outputs.tf.j2"]),
];

const AWS: &Templates = &[
    ("versions.tf", &["tofu/aws/versions.tf.j2"]),
    ("providers.tf", &["tofu/aws/providers.tf.j2"]),
    (
        "variables.tf",
        &[
            "tofu/variables.tf.j2",
            "tofu/serverless_variables.tf.j2",
            "tofu/network_variables.tf.j2",
            "tofu/aws_serverless/variables.tf.j2",
        ],
    ),
    ("data.tf", &["tofu/aws_serverless/data.tf.j2"]),
    ("resources.tf", &["tofu/aws_serverless/resources.tf.j2"]),
    ("checks.tf", &["tofu/aws_serverless/checks.tf.j2"]),
    ("outputs.tf", &["tofu/serverless_outputs.tf.j2"]),
];

/// What containers give to their root module.
pub(super) fn parts(fleet: &Fleet<'_>) -> Result<Parts, LowerError> {
    let provider = fleet.cloud.provider;
    let too_large = |error| LowerError::NoContainer { cloud: provider.name(), error };
    let (templates, shape) = match provider {
        Provider::Yandex => {
            let shape = sizing_serverless::container(fleet.resources).map_err(too_large)?;
            let values = context! {
                cores => shape.cores,
                core_fraction => shape.core_fraction,
                memory => shape.memory_mib,
                disk => shape.disk_gib,
            };
            (YANDEX, values)
        }
        Provider::Aws => {
            let shape = sizing_serverless::fargate(fleet.resources).map_err(too_large)?;
            let values = context! {
                cpu_units => shape.cpu_units,
                memory => shape.memory_mib,
                disk => shape.disk_gib,
            };
            (AWS, values)
        }
        Provider::Local => {
            return Err(LowerError::Unsupported { runner_type: "serverless", provider: provider.name() });
        }
    };
    Ok(Parts {
        templates,
        context: context! { shape, container => fleet.runner.image.clone(), ..root::place(fleet.cloud)? },
        told: ("egg.json", fleet.told()?),
        ephemeral: true,
    })
}
