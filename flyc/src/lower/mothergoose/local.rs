//! What the templates of this machine see beside the configuration, and its scripts: one process is the whole system.

use std::collections::BTreeMap;

use minijinja::{Value, context};

use super::{aligned, env_value};
use crate::artifact::{Component, Components, MothergooseConfig};

/// The scripts, which are no templates; what stops a process is the same for a runner.
pub(super) const SCRIPTS: [(&str, &str); 3] = [
    ("process.sh", include_str!("../compute/local/process.sh")),
    ("start.sh", include_str!("local/start.sh")),
    ("stop.sh", include_str!("../compute/local/stop.sh")),
];

/// What every file sees.
pub(super) fn context(config: &MothergooseConfig, components: Components) -> Value {
    // One process has one environment: where two services say different things, the first of them counts.
    let mut all: BTreeMap<&str, Value> = BTreeMap::new();
    for component in Component::SERVICES.into_iter().filter(|part| components.contains(*part)) {
        let Some(service) = config.service(component) else { continue };
        for (name, value) in &service.env {
            let path = format!("{}.env.{name}", component.name());
            all.entry(name).or_insert_with(|| context! { path, text => env_value(value) });
        }
    }
    context! { environment => aligned(all.into_iter()) }
}
