//! The shared Compute Modules: one `OpenTofu` module for each cloud and kind of runner, that makes one runner.
//!
//! The files are plain `OpenTofu`, not templates: nothing of an egg stands in them, all comes by variables. What is the
//! same on the clouds is one text, so runners behave the same wherever they are.

use super::{ComputeModule, File};

const OWNER: &str = include_str!("owner.tf");
const VARIABLES: &str = include_str!("variables.tf");
const TICKET: &str = include_str!("ticket.tf");
const EPHEMERAL_TICKET: &str = include_str!("ephemeral_ticket.tf");
const VM_VARIABLES: &str = include_str!("vm_variables.tf");
const SERVERLESS_VARIABLES: &str = include_str!("serverless/variables.tf");
const USER_DATA: &str = include_str!("user_data.tf");

/// The module's files.
pub(super) fn files(module: ComputeModule) -> Vec<File> {
    let parts: &[(&str, &[&str])] = match module {
        ComputeModule::Yandex => &[
            ("checks.tf", &[include_str!("yandex/checks.tf")]),
            ("main.tf", &[include_str!("yandex/main.tf")]),
            ("outputs.tf", &[include_str!("yandex/outputs.tf")]),
            ("owner.tf", &[OWNER]),
            ("user_data.tf", &[USER_DATA]),
            ("variables.tf", &[VARIABLES, TICKET, VM_VARIABLES, include_str!("yandex/variables.tf")]),
            ("versions.tf", &[include_str!("yandex/versions.tf")]),
        ],
        ComputeModule::YandexServerless => &[
            ("checks.tf", &[include_str!("yandex-serverless/checks.tf")]),
            ("main.tf", &[include_str!("yandex-serverless/main.tf")]),
            ("outputs.tf", &[include_str!("yandex-serverless/outputs.tf")]),
            ("owner.tf", &[OWNER]),
            (
                "variables.tf",
                &[
                    VARIABLES,
                    EPHEMERAL_TICKET,
                    SERVERLESS_VARIABLES,
                    include_str!("yandex-serverless/variables.tf"),
                ],
            ),
            ("versions.tf", &[include_str!("yandex-serverless/versions.tf")]),
        ],
        ComputeModule::Aws => &[
            ("checks.tf", &[include_str!("aws/checks.tf")]),
            ("main.tf", &[include_str!("aws/main.tf")]),
            ("outputs.tf", &[include_str!("aws/outputs.tf")]),
            ("owner.tf", &[OWNER]),
            ("user_data.tf", &[USER_DATA]),
            ("variables.tf", &[VARIABLES, TICKET, VM_VARIABLES, include_str!("aws/variables.tf")]),
            ("versions.tf", &[include_str!("aws/versions.tf")]),
        ],
        ComputeModule::AwsServerless => &[
            ("runner/main.tf", &[include_str!("aws-serverless/runner/main.tf")]),
            ("runner/outputs.tf", &[include_str!("aws-serverless/runner/outputs.tf")]),
            ("runner/owner.tf", &[OWNER]),
            (
                "runner/variables.tf",
                &[
                    VARIABLES,
                    EPHEMERAL_TICKET,
                    SERVERLESS_VARIABLES,
                    include_str!("aws-serverless/runner/variables.tf"),
                ],
            ),
            ("shared/checks.tf", &[include_str!("aws-serverless/shared/checks.tf")]),
            ("shared/iam.tf", &[include_str!("aws-serverless/shared/iam.tf")]),
            ("shared/main.tf", &[include_str!("aws-serverless/shared/main.tf")]),
            ("shared/outputs.tf", &[include_str!("aws-serverless/shared/outputs.tf")]),
            ("shared/owner.tf", &[OWNER]),
            ("shared/variables.tf", &[include_str!("aws-serverless/shared/variables.tf")]),
            ("shared/versions.tf", &[include_str!("aws-serverless/shared/versions.tf")]),
        ],
        ComputeModule::Local => &[
            ("checks.tf", &[include_str!("local/checks.tf")]),
            ("main.tf", &[include_str!("local/main.tf")]),
            ("make.sh", &[include_str!("local/make.sh")]),
            ("outputs.tf", &[include_str!("local/outputs.tf")]),
            ("owner.tf", &[OWNER]),
            ("process.sh", &[include_str!("local/process.sh")]),
            ("start.sh", &[include_str!("local/start.sh")]),
            ("stop.sh", &[include_str!("local/stop.sh")]),
            ("variables.tf", &[VARIABLES, EPHEMERAL_TICKET, include_str!("local/variables.tf")]),
        ],
    };
    parts
        .iter()
        .map(|(file, texts)| (format!("compute-module/{}/{file}", module.name()), texts.concat()))
        .collect()
}
