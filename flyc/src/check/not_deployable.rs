//! Runners larger than any machine of their cloud.
//!
//! Asked of the very tables that lowering takes machines from, so that what checks clean can be built.

use super::FileScope;
use crate::{
    artifact::{Resources, RunnerType},
    config,
    diag::{Diagnostic, declare_diagnostic},
    lower,
    model::TypedBlock,
};

declare_diagnostic! { pub NOT_DEPLOYABLE = "not-deployable", Error, "runners that their cloud can't make" }

pub(super) fn check(scope: &FileScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for egg in scope.blocks.iter().filter(|block| config::is_egg(block)) {
        // The default size is on sale everywhere.
        let Some(written) = egg.block("resources") else { continue };
        if config::runner_type(egg) == Some(RunnerType::Vm) {
            diagnostics.extend(too_large(scope, egg, written));
        }
    }
}

fn too_large(scope: &FileScope<'_>, egg: &TypedBlock, written: &TypedBlock) -> Option<Diagnostic> {
    let (provider, wanted) = (config::provider(egg)?, config::resources(egg)?);
    let error = lower::fits(provider, &wanted).err()?;
    let (most_cpu, most_memory) = lower::largest(provider)?;
    let Resources { cpu, memory_mib, .. } = wanted;
    let (attribute, label) = if cpu > most_cpu {
        ("cpu", format!("{most_cpu} are the most"))
    } else if memory_mib.div_ceil(1024) > most_memory {
        ("memory", format!("{most_memory}GiB are the most"))
    } else {
        ("", "not both in one machine".to_owned())
    };
    let range = written.attribute(attribute).map_or(written.header, |attribute| attribute.range);
    let mut diagnostic = Diagnostic::new(&NOT_DEPLOYABLE, scope.span(range), error.to_string(), label);
    if let Some(cloud) = egg.block("cloud").and_then(|cloud| cloud.attribute("provider")) {
        diagnostic = diagnostic.related(scope.span(cloud.range), "the cloud is chosen here");
    }
    Some(
        diagnostic
            .note(format!(
                "on {}, one machine has at most {most_cpu} CPUs, and at most {most_memory}GiB of memory",
                provider.name()
            ))
            .help(match attribute {
                "cpu" => format!(
                    "write `cpu = {most_cpu}` or less; more runners (`concurrent`) do more at one time"
                ),
                "memory" => format!("write `memory = {most_memory}GiB` or less"),
                _ => "write fewer CPUs, or less memory".to_owned(),
            }),
    )
}
