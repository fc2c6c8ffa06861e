//! Runners that are containers of a cloud and live an hour at most: tasks of AWS Fargate, and invocations of Yandex
//! Serverless Containers.
//!
//! Here lives what their templates are filled with, and which of them make which file. Never here: runners of this
//! machine, which are processes whatever their type.

use minijinja::{Value, context};

use super::{
    LowerError,
    fleet::Fleet,
    root::{self, Parts, Templates},
    sizing_serverless,
};
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

/// What tasks of AWS Fargate give to their root module.
pub(super) fn aws(fleet: &Fleet<'_>) -> Result<Parts, LowerError> {
    let shape = sizing_serverless::fargate(fleet.resources)
        .map_err(|error| LowerError::NoContainer { cloud: "aws", error })?;
    let shape = context! {
        cpu_units => shape.cpu_units,
        memory => shape.memory_mib,
        disk => shape.disk_gib,
    };
    parts(fleet, AWS, shape)
}

/// What containers of Yandex Cloud give to their root module.
pub(super) fn yandex(fleet: &Fleet<'_>) -> Result<Parts, LowerError> {
    let shape = sizing_serverless::container(fleet.resources)
        .map_err(|error| LowerError::NoContainer { cloud: "yandex", error })?;
    let shape = context! {
        cores => shape.cores,
        core_fraction => shape.core_fraction,
        memory => shape.memory_mib,
        disk => shape.disk_gib,
    };
    parts(fleet, YANDEX, shape)
}

fn parts(fleet: &Fleet<'_>, templates: &'static Templates, shape: Value) -> Result<Parts, LowerError> {
    Ok(Parts {
        templates,
        context: context! { shape, container => fleet.runner.image.clone(), ..root::place(fleet.cloud)? },
        told: vec![("egg.json", fleet.told()?)],
        ephemeral: true,
    })
}
