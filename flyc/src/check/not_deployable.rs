//! Machines, disks and caches larger than any that their cloud, or the region they are made in, has.
//!
//! Asked of the very tables that lowering takes machines from, so that what checks clean can be built.

use fly_std::{Value, formats};

use super::{
    FileScope,
    offers::{Wanted, cpus, size},
};
use crate::{
    artifact::{Provider, Resources, RunnerType},
    config,
    diag::{Applicability, Diagnostic, Help, declare_diagnostic},
    lower::{self, Market, Shape},
    model::TypedBlock,
};

declare_diagnostic! { pub NOT_DEPLOYABLE = "not-deployable", Error, "runners that their cloud can't make" }

const MIB_PER_GIB: u64 = 1024;

/// What is told of one size that comes to nothing the cloud sells.
pub(super) fn check(scope: &FileScope<'_>, wanted: &Wanted<'_>, diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.extend(no_machine(scope, wanted));
}

/// What no machine that runs processes has: beyond this, a number is a slip.
const LOCAL_MOST: Resources = Resources { cpu: 256, memory_mib: 4 * 1024 * MIB_PER_GIB, disk_gib: 64 * 1024 };

/// Why no machine that somebody owns is as large; there is no table of those.
pub(super) fn beyond_local(scope: &FileScope<'_>, wanted: &Wanted<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if wanted.market.provider != Provider::Local {
        return;
    }
    let Resources { cpu, memory_mib, disk_gib } = wanted.resources;
    let gib = |gib: u64| size(gib * MIB_PER_GIB);
    let asked = [
        ("cpu", cpu > LOCAL_MOST.cpu, cpus(cpu), LOCAL_MOST.cpu.to_string()),
        (
            "memory",
            memory_mib > LOCAL_MOST.memory_mib,
            format!("{} of memory", size(memory_mib)),
            size(LOCAL_MOST.memory_mib),
        ),
        (
            "disk",
            disk_gib > LOCAL_MOST.disk_gib,
            format!("a disk of {}", gib(disk_gib)),
            gib(LOCAL_MOST.disk_gib),
        ),
    ];
    for (name, _, asked, most) in asked.into_iter().filter(|(_, beyond, ..)| *beyond) {
        let place = scope.span(wanted.place(name));
        let message = format!("no machine of one's own has {asked}");
        let mut diagnostic = Diagnostic::new(&NOT_DEPLOYABLE, place, message, "too much");
        if let Some(provider) = wanted.provider() {
            diagnostic = diagnostic.related(scope.span(provider.range), "the cloud is chosen here");
        }
        diagnostic.help = Some(Help {
            text: format!("write `{name} = {most}` or less"),
            edits: wanted.edits(&[(name, most)]),
            applicability: Applicability::Suggested,
        });
        diagnostics.push(diagnostic);
    }
}

/// Why no machine is as large, and what the nearest are.
fn no_machine(scope: &FileScope<'_>, wanted: &Wanted<'_>) -> Option<Diagnostic> {
    let Wanted { market, resources: Resources { cpu, memory_mib, .. }, .. } = *wanted;
    let noun = match market.runner_type {
        RunnerType::Vm => "machine",
        RunnerType::Serverless => "serverless container",
    };
    let most_cpu = market.largest().map(|shape| shape.whole_cpus()).max()?;
    let most_memory = market.largest().map(|shape| shape.memory_mib).max()?;
    let with_cpu = |shape: &Shape| shape.whole_cpus() >= cpu;
    let with_memory = |shape: &Shape| shape.memory_mib >= memory_mib;
    let memory = market.largest().filter(with_cpu).map(|shape| shape.memory_mib).max();
    let fewer = market.largest().filter(with_memory).map(|shape| shape.whole_cpus()).max();
    let anywhere = Market { location: "", ..market }.nearest(cpu, memory_mib);
    let asked = format!("{} and {} of memory", cpus(cpu), size(memory_mib));
    let region = wanted.location().zip(market.region()).zip(anywhere);

    let (range, message, label) = if let Some(((location, region), anywhere)) = region {
        let message = format!("no {noun} in {region} has {asked}");
        (location.range, message, format!("`{}` is not sold here", anywhere.name))
    } else {
        let (attribute, label) = match (memory, fewer) {
            (None, _) => ("cpu", format!("{most_cpu} are the most")),
            (_, None) => ("memory", format!("{} are the most", size(most_memory))),
            (Some(memory), Some(_)) => {
                ("memory", format!("with {}, {} are the most", cpus(cpu), size(memory)))
            }
        };
        let message = format!("no {noun} on {} has {asked}", market.provider.name());
        (wanted.place(attribute), message, label)
    };
    let mut diagnostic = Diagnostic::new(&NOT_DEPLOYABLE, scope.span(range), message, label);
    if region.is_some() {
        diagnostic = diagnostic.related(scope.span(wanted.place("memory")), "so much is asked for here");
    } else if let Some(provider) = wanted.provider() {
        diagnostic = diagnostic.related(scope.span(provider.range), "the cloud is chosen here");
    }

    let (way, values) = match (memory, fewer) {
        (Some(memory), fewer) => {
            let instead = fewer.map(|fewer| format!(" or `cpu = {fewer}`")).unwrap_or_default();
            (format!("`memory = {}`{instead}", size(memory)), vec![("memory", size(memory))])
        }
        (None, Some(fewer)) => (format!("`cpu = {fewer}`"), vec![("cpu", fewer.to_string())]),
        (None, None) => {
            let largest = market.largest().filter(|shape| shape.whole_cpus() == most_cpu);
            let memory = size(largest.map(|shape| shape.memory_mib).max()?);
            let way = format!("`cpu = {most_cpu}` and `memory = {memory}`");
            (way, vec![("cpu", most_cpu.to_string()), ("memory", memory)])
        }
    };
    let mut text = format!("write {way} or less");
    if region.is_some() {
        text.push_str(", or name another region");
    } else if memory.is_none() {
        text.push_str("; more runners (`concurrent`) do more at one time");
    }
    diagnostic.help =
        Some(Help { text, edits: wanted.edits(&values), applicability: Applicability::Suggested });
    Some(diagnostic.note(format!(
        "{}, one {noun} has at most {most_cpu} CPUs, and at most {} of memory",
        match market.region().filter(|_| region.is_some()) {
            Some(region) => format!("in {region}"),
            None => format!("on {}", market.provider.name()),
        },
        size(most_memory)
    )))
}

/// Why no disk is as large.
pub(super) fn no_disk(scope: &FileScope<'_>, wanted: &Wanted<'_>) -> Option<Diagnostic> {
    let most = wanted.market.largest_disk_gib()?;
    let disk = wanted.resources.disk_gib;
    if disk <= most {
        return None;
    }
    let cloud = wanted.market.provider.name();
    let noun = match wanted.market.runner_type {
        RunnerType::Vm => "a machine",
        RunnerType::Serverless => "a serverless container",
    };
    let most = size(most * MIB_PER_GIB);
    let message =
        format!("a disk of {noun} on {cloud} has {most} at most, found {}", size(disk * MIB_PER_GIB));
    let mut diagnostic =
        Diagnostic::new(&NOT_DEPLOYABLE, scope.span(wanted.place("disk")), message, "too large");
    if let Some(provider) = wanted.provider() {
        diagnostic = diagnostic.related(scope.span(provider.range), "the cloud is chosen here");
    }
    diagnostic.help = Some(Help {
        text: format!("write `disk = {most}` or less"),
        edits: wanted.edits(&[("disk", most)]),
        applicability: Applicability::Suggested,
    });
    Some(diagnostic)
}

/// Why no disk holds the cache of a Rift server.
pub(super) fn no_cache(scope: &FileScope<'_>, rift: &TypedBlock) -> Option<Diagnostic> {
    let max_size = rift.block("cache")?.attribute("max_size")?;
    let Some(Value::Size(bytes)) = max_size.value else { return None };
    let provider = config::provider(rift)?;
    let most = lower::largest_cache_gib(provider).unwrap_or(LOCAL_MOST.disk_gib);
    if bytes <= most << 30 {
        return None;
    }
    let cloud = provider.name();
    let disk = size(lower::cache_disk_gib(bytes) * MIB_PER_GIB);
    let most = size(most * MIB_PER_GIB);
    let message = format!("no disk on {cloud} holds a cache of {}", formats::size::print(bytes));
    Some(
        Diagnostic::new(&NOT_DEPLOYABLE, scope.span(max_size.range), message, "too large")
            .note(format!("with a tenth for the filesystem it would be a disk of {disk}"))
            .fix(format!("write `max_size = {most}` or less"), max_size.range, most),
    )
}
