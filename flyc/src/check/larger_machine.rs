//! Machines much larger than what was asked for, because the cloud sells nothing in between.

use super::{
    FileScope,
    offers::{Wanted, cpus, size},
};
use crate::{
    artifact::Resources,
    diag::{Applicability, Diagnostic, Help, declare_diagnostic},
    lower::{Shape, Smaller, Times},
};

declare_diagnostic! { pub LARGER_MACHINE = "larger-machine", Warning, "a machine much larger than what is asked for" }

/// What is told of one size; `shape` is what it comes to.
pub(super) fn check(
    scope: &FileScope<'_>,
    wanted: &Wanted<'_>,
    shape: &Shape,
    diagnostics: &mut Vec<Diagnostic>,
) {
    if wanted.market.is_much_larger(shape, &wanted.resources) {
        diagnostics.push(larger(scope, wanted, shape));
    }
}

fn larger(scope: &FileScope<'_>, wanted: &Wanted<'_>, shape: &Shape) -> Diagnostic {
    let Resources { cpu, memory_mib, .. } = wanted.resources;
    let memory = size(shape.memory_mib);
    let message = format!(
        "the nearest to {} and {} of memory on {} is `{}`: {} and {memory}",
        cpus(cpu),
        size(memory_mib),
        wanted.market.provider.name(),
        shape.name,
        cpus(shape.whole_cpus()),
    );
    let smaller = wanted.market.smaller(shape, &wanted.resources);
    let (attribute, less) = match smaller {
        Some(Smaller { cpu: fewer, .. }) if fewer < cpu => ("cpu", format!("`cpu = {fewer}`")),
        Some(Smaller { memory_mib, .. }) => ("memory", format!("`memory = {}`", size(memory_mib))),
        None => ("", String::new()),
    };
    let label = match smaller {
        Some(Smaller { shape, .. }) => {
            format!("{less} would be {} and {}", cpus(shape.whole_cpus()), size(shape.memory_mib))
        }
        None => "much larger".to_owned(),
    };
    let mut values = Vec::new();
    if shape.whole_cpus() != cpu {
        values.push(("cpu", shape.whole_cpus().to_string()));
    }
    if shape.memory_mib != memory_mib {
        values.push(("memory", memory));
    }
    let all: Vec<String> = values.iter().map(|(name, value)| format!("`{name} = {value}`")).collect();
    let or_less = smaller.map(|_| format!(", or {less}")).unwrap_or_default();
    let text = format!("write {} to use all of it{or_less}", all.join(" and "));
    let place = scope.span(wanted.place(attribute));
    let mut diagnostic = Diagnostic::new(&LARGER_MACHINE, place, message, label).note(
        match wanted.market.times(shape, &wanted.resources) {
            Some(Times::Cpus(times)) => {
                format!("that is {times} times the CPUs asked for: so much memory is not sold with fewer")
            }
            Some(Times::Memory(times)) => {
                format!("that is {times} times the memory asked for: so many CPUs are not sold with less")
            }
            None => "clouds sell sizes in steps, and each is paid for as a whole".to_owned(),
        },
    );
    diagnostic.help =
        Some(Help { text, edits: wanted.edits(&values), applicability: Applicability::Suggested });
    diagnostic
}
