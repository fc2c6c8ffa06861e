//! The shared Compute Module: one `OpenTofu` module a cloud that makes one runner.
//!
//! The files are plain `OpenTofu`, not templates: nothing of an egg stands in them, all comes by variables. What is the
//! same on the clouds is one text, so runners behave the same wherever they are.

use super::File;
use crate::artifact::Provider;

const VARIABLES: &str = include_str!("variables.tf");
const VM_VARIABLES: &str = include_str!("vm_variables.tf");
const USER_DATA: &str = include_str!("user_data.tf");

/// The module's files.
pub(super) fn files(provider: Provider) -> Vec<File> {
    let parts: &[(&str, &[&str])] = match provider {
        Provider::Yandex => &[
            ("checks.tf", &[include_str!("yandex/checks.tf")]),
            ("main.tf", &[include_str!("yandex/main.tf")]),
            ("outputs.tf", &[include_str!("yandex/outputs.tf")]),
            ("user_data.tf", &[USER_DATA]),
            ("variables.tf", &[VARIABLES, VM_VARIABLES, include_str!("yandex/variables.tf")]),
            ("versions.tf", &[include_str!("yandex/versions.tf")]),
        ],
        Provider::Aws => &[
            ("checks.tf", &[include_str!("aws/checks.tf")]),
            ("main.tf", &[include_str!("aws/main.tf")]),
            ("outputs.tf", &[include_str!("aws/outputs.tf")]),
            ("user_data.tf", &[USER_DATA]),
            ("variables.tf", &[VARIABLES, VM_VARIABLES, include_str!("aws/variables.tf")]),
            ("versions.tf", &[include_str!("aws/versions.tf")]),
        ],
        Provider::Local => &[
            ("checks.tf", &[include_str!("local/checks.tf")]),
            ("main.tf", &[include_str!("local/main.tf")]),
            ("make.sh", &[include_str!("local/make.sh")]),
            ("outputs.tf", &[include_str!("local/outputs.tf")]),
            ("process.sh", &[include_str!("local/process.sh")]),
            ("start.sh", &[include_str!("local/start.sh")]),
            ("stop.sh", &[include_str!("local/stop.sh")]),
            ("variables.tf", &[VARIABLES, include_str!("local/variables.tf")]),
        ],
    };
    parts
        .iter()
        .map(|(file, texts)| (format!("compute-module/{}/{file}", provider.name()), texts.concat()))
        .collect()
}
