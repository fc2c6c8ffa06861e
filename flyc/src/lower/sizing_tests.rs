//! What is chosen from the tables: single sizes, and what holds of all. Never here: what an author is told.

use proptest::prelude::*;

use super::*;

fn market(provider: Provider, location: &str) -> Market<'_> {
    Market { provider, runner_type: RunnerType::Vm, location }
}

fn containers(provider: Provider) -> Market<'static> {
    Market { provider, runner_type: RunnerType::Serverless, location: "" }
}

fn resources(cpu: u32, gib: u64) -> Resources {
    Resources { cpu, memory_mib: gib * MIB_PER_GIB, disk_gib: 20 }
}

/// Every listed region, and one that is not.
fn regions() -> Vec<&'static str> {
    Cloud::Aws.regions().chain(["eu-nowhere-1"]).collect()
}

#[test]
fn yandex_takes_the_next_step_up() {
    let shape = |cpu, gib| {
        let shape = market(Provider::Yandex, "ru-central1-a").nearest(cpu, gib * MIB_PER_GIB)?;
        assert!(shape.name == "standard-v3" || gib > 640, "{shape:?}");
        Some((shape.cpu, shape.core_fraction, shape.memory_mib / MIB_PER_GIB))
    };
    assert_eq!(shape(1, 2), Some((2, 50, 2)));
    assert_eq!(shape(1, 3), Some((2, 50, 3)));
    assert_eq!(shape(1, 16), Some((2, 100, 16)));
    assert_eq!(shape(2, 4), Some((2, 100, 4)));
    // Memory comes in whole gigabytes for each core.
    assert_eq!(shape(2, 5), Some((2, 100, 6)));
    assert_eq!(shape(4, 9), Some((4, 100, 12)));
    assert_eq!(shape(3, 4), Some((4, 100, 4)));
    assert_eq!(shape(4, 1), Some((4, 100, 4)));
    assert_eq!(shape(2, 100), Some((8, 100, 104)));
    // Four more cores, and less memory: less in all.
    assert_eq!(shape(28, 30), Some((32, 100, 32)));
    assert_eq!(shape(96, 576), Some((96, 100, 576)));
    assert_eq!(shape(96, 577), None);
    assert_eq!(shape(97, 100), None);
    assert_eq!(shape(2, 640), Some((40, 100, 640)));
    assert_eq!(shape(2, 641), Some((44, 100, 660)));
    assert_eq!(shape(2, 1280), Some((80, 100, 1280)));
    assert_eq!(shape(2, 1281), None);
}

#[test]
fn aws_takes_the_cheapest_type_that_is_large_enough() {
    let name = |region, cpu, gib: u64| {
        market(Provider::Aws, region).nearest(cpu, gib * MIB_PER_GIB).map(|shape| shape.name)
    };
    let here = |cpu, gib| name("eu-central-1", cpu, gib);
    assert_eq!(here(1, 1), Some("t3.micro"));
    assert_eq!(here(2, 4), Some("t3.medium"));
    assert_eq!(here(2, 5), Some("m6i.large"));
    assert_eq!(here(2, 16), Some("r6i.large"));
    assert_eq!(here(2, 64), Some("r6i.2xlarge"));
    assert_eq!(here(4, 4), Some("c6i.xlarge"));
    assert_eq!(here(100, 2000), Some("x2iedn.32xlarge"));
    assert_eq!(here(193, 1), None);
    // A region or zone without the family takes the next one.
    assert_eq!(name("eu-south-2", 2, 8), Some("m7i.large"));
    assert_eq!(name("eu-central-2b", 4, 8), Some("c7i.xlarge"));
    assert_eq!(name("ap-east-2", 90, 100), Some("c7i.24xlarge"));
    assert_eq!(name("il-central-1", 100, 2000), None);
    assert_eq!(name("il-central-1", 4, 120), Some("r6i.4xlarge"));
    // Nothing is guessed of a region that is not listed.
    assert_eq!(name("eu-nowhere-1", 100, 2000), Some("x2iedn.32xlarge"));
}

#[test]
fn every_region_has_the_sizes_that_people_use() {
    for region in regions() {
        for (cpu, gib) in [(1, 1), (2, 4), (2, 8), (2, 16), (4, 8), (8, 32), (16, 128), (96, 384)] {
            let market = market(Provider::Aws, region);
            let shape = market.nearest(cpu, gib * MIB_PER_GIB);
            let shape = shape.unwrap_or_else(|| panic!("{region} has nothing with {cpu} CPUs and {gib} GiB"));
            assert!(!market.is_much_larger(&shape, &resources(cpu, gib)), "{region} {shape:?}");
        }
    }
}

#[test]
fn the_tables_are_in_order() {
    let mut names: Vec<_> = tables::AWS.iter().map(|(name, ..)| *name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), tables::AWS.len());
    // Of one family, the larger is the dearer.
    for (at, (name, cpu, memory)) in tables::AWS.iter().enumerate() {
        let family = name.split_once('.').map(|(family, _)| family);
        for (other, fewer, less) in &tables::AWS[..at] {
            if other.split_once('.').map(|(family, _)| family) == family {
                assert!(fewer <= cpu && less < memory, "{other} before {name}");
            }
        }
    }
    for row in tables::YANDEX {
        assert!(row.most.is_multiple_of(row.step) && row.most >= row.step);
    }
    // What regions lack is in the table.
    for lacks in Cloud::Aws.regions().flat_map(clouds::lacking) {
        assert!(tables::AWS.iter().any(|(name, ..)| is_lacking(&[*lacks], name)), "{lacks}");
    }
    assert!(is_lacking(&["m6i"], "m6i.large") && !is_lacking(&["m6i.large", "m6"], "m6i.xlarge"));
}

#[test]
fn much_larger_means_that_less_would_do() {
    let aws = market(Provider::Aws, "eu-central-1");
    let told = |cpu, gib| {
        let resources = resources(cpu, gib);
        let shape = aws.offer(&resources).ok()??;
        let smaller = aws.smaller(&shape, &resources);
        aws.is_much_larger(&shape, &resources).then_some((
            shape.name,
            smaller.map(|smaller| (smaller.cpu, smaller.memory_mib / MIB_PER_GIB, smaller.shape.name)),
        ))
    };
    assert_eq!(told(5, 8), Some(("c6i.2xlarge", Some((4, 8, "c6i.xlarge")))));
    assert_eq!(told(2, 17), Some(("r6i.xlarge", Some((2, 16, "r6i.large")))));
    assert_eq!(told(1, 1), None);
    assert_eq!(told(3, 8), None);
    assert_eq!(told(8, 2), None);
    // The steps of Yandex Cloud are too near for it, but where a CPU comes with more memory than was asked for.
    let yandex = market(Provider::Yandex, "ru-central1-a");
    for cpu in 1..=96 {
        for gib in cpu.into()..=400 {
            let resources = resources(cpu, gib);
            if let Ok(Some(shape)) = yandex.offer(&resources) {
                let is_told = yandex.is_much_larger(&shape, &resources);
                assert_eq!(is_told, yandex.times(&shape, &resources).is_some(), "{resources:?} {shape:?}");
            }
        }
    }
}

#[test]
fn several_times_as_much_of_one_is_much_larger() {
    let told = |market: Market<'_>, cpu, memory_mib| {
        let asked = Resources { cpu, memory_mib, disk_gib: 20 };
        let shape = market.offer(&asked).ok()??;
        let times = market.times(&shape, &asked)?;
        assert!(market.is_much_larger(&shape, &asked));
        // What is named instead gets rid of it, both what is less and what uses all of it.
        let smaller = market.smaller(&shape, &asked).unwrap();
        let less = Resources { cpu: smaller.cpu, memory_mib: smaller.memory_mib, disk_gib: 20 };
        assert!(!market.is_much_larger(&smaller.shape, &less), "{smaller:?}");
        Some((times, shape.whole_cpus(), shape.memory_mib / MIB_PER_GIB))
    };
    let (yandex, aws) = (market(Provider::Yandex, "ru-central1-a"), market(Provider::Aws, "eu-central-1"));
    assert_eq!(told(yandex, 2, 641 * MIB_PER_GIB), Some((Times::Cpus(22), 44, 660)));
    assert_eq!(told(aws, 2, 4096 * MIB_PER_GIB), Some((Times::Cpus(64), 128, 4096)));
    assert_eq!(told(aws, 192, MIB_PER_GIB), Some((Times::Memory(384), 192, 384)));
    assert_eq!(told(containers(Provider::Yandex), 3, 700), Some((Times::Memory(8), 3, 6)));
    assert_eq!(told(containers(Provider::Yandex), 4, 512), Some((Times::Memory(16), 4, 8)));
    // A few more are no surprise.
    assert_eq!(told(yandex, 2, 100 * MIB_PER_GIB), None);
    assert_eq!(told(aws, 8, 2 * MIB_PER_GIB), None);
    assert_eq!(told(containers(Provider::Yandex), 2, 1024), None);
}

#[test]
fn containers_are_sold_by_their_own_tables() {
    let shape = |provider, cpu, gib: u64| {
        let shape = containers(provider).nearest(cpu, gib * MIB_PER_GIB)?;
        Some((shape.name, shape.cpu, shape.memory_mib / MIB_PER_GIB))
    };
    assert_eq!(shape(Provider::Aws, 3, 31), Some(("fargate", 8, 32)));
    assert_eq!(shape(Provider::Aws, 17, 4), None);
    assert_eq!(shape(Provider::Yandex, 2, 1), Some(("serverless-container", 2, 4)));
    assert_eq!(shape(Provider::Yandex, 1, 9), None);
    assert_eq!(shape(Provider::Local, 1, 1), None);
    assert_eq!(containers(Provider::Aws).largest_disk_gib(), Some(200));
    assert_eq!(containers(Provider::Yandex).largest_disk_gib(), Some(10));
}

#[test]
fn local_sells_nothing() {
    let local = market(Provider::Local, "");
    assert_eq!(local.offer(&resources(1000, 100_000)).ok(), Some(None));
    assert_eq!((local.largest().count(), local.largest_disk_gib()), (0, None));
}

/// Every machine that a market sells, at every step of its memory.
fn all(market: &Market<'_>) -> Vec<Shape> {
    let gib = |gib: u64| gib * MIB_PER_GIB;
    match (market.provider, market.runner_type) {
        (Provider::Yandex, RunnerType::Vm) => tables::YANDEX
            .iter()
            .flat_map(|row| (1..=row.most / row.step).map(|steps| yandex(row, steps * row.step)))
            .collect(),
        (Provider::Yandex, RunnerType::Serverless) => serverless::CONTAINER
            .iter()
            .flat_map(|&(cores, least)| {
                let steps = (gib(least).max(128)..=gib(8)).step_by(128);
                steps.map(move |memory| Shape::new(tables::CONTAINER, cores, memory))
            })
            .collect(),
        (_, RunnerType::Serverless) => serverless::FARGATE
            .iter()
            .flat_map(|&(cpu, least, most, step)| {
                let steps = (gib(least)..=gib(most)).step_by(usize::try_from(gib(step)).unwrap());
                steps.map(move |memory| Shape::new(tables::FARGATE, cpu, memory))
            })
            .collect(),
        _ => market.largest().collect(),
    }
}

/// The machines of both clouds, as the book shows them.
fn book() -> String {
    use std::{collections::BTreeMap, fmt::Write};
    let mut text =
        "| platform | share of a CPU | CPUs | memory for each CPU |\n|---|---|---|---|\n".to_owned();
    let kind = |row: &tables::YandexRow| {
        (
            row.platform,
            row.core_fraction,
            row.step * 2 / u64::from(row.cores),
            row.most / u64::from(row.cores),
        )
    };
    for rows in tables::YANDEX.chunk_by(|one, other| kind(one) == kind(other)) {
        let (platform, share, halves, most) = kind(&rows[0]);
        let cores: Vec<_> = rows.iter().map(|row| row.cores.to_string()).collect();
        let step = if halves == 1 { "512MiB" } else { "1GiB" };
        writeln!(text, "| `{platform}` | {share}% | {} | {step} to {most}GiB by {step} |", cores.join(", "))
            .unwrap();
    }
    text.push_str("\n| CPUs | instance types, by their memory |\n|---|---|\n");
    let mut types: BTreeMap<u32, BTreeMap<u64, Vec<String>>> = BTreeMap::new();
    for (name, cpus, memory) in tables::AWS {
        types.entry(*cpus).or_default().entry(*memory).or_default().push(format!("`{name}`"));
    }
    for (cpus, sizes) in types {
        let sizes: Vec<_> =
            sizes.iter().map(|(gib, names)| format!("{gib}GiB {}", names.join(" or "))).collect();
        writeln!(text, "| {cpus} | {} |", sizes.join(", ")).unwrap();
    }
    text.push_str("\n| containers | CPUs | memory |\n|---|---|---|\n");
    for (cpus, least, most, step) in serverless::FARGATE {
        writeln!(text, "| `{}` | {cpus} | {least}GiB to {most}GiB by {step}GiB |", tables::FARGATE).unwrap();
    }
    let most = serverless::CONTAINER_MOST.memory_mib / MIB_PER_GIB;
    for (cpus, least) in serverless::CONTAINER {
        let least = if *least == 0 { "128MiB".to_owned() } else { format!("{least}GiB") };
        writeln!(text, "| `{}` | {cpus} | {least} to {most}GiB by 128MiB |", tables::CONTAINER).unwrap();
    }
    text.push_str("\n| region | lacks |\n|---|---|\n");
    for region in Cloud::Aws.regions() {
        let lacks: Vec<_> = clouds::lacking(region).iter().map(|name| format!("`{name}`")).collect();
        if !lacks.is_empty() {
            writeln!(text, "| `{region}` | {} |", lacks.join(", ")).unwrap();
        }
    }
    text
}

#[test]
fn the_book_shows_the_tables() {
    let page = include_str!("../../../docs/src/deploying.md");
    assert!(page.contains(&book()), "docs/src/deploying.md should hold:\n{}", book());
}

proptest! {
    #[test]
    fn the_nearest_gives_what_is_asked_and_no_lesser_one_does(
        provider in prop::sample::select(&[Provider::Yandex, Provider::Aws][..]),
        runner_type in prop::sample::select(&[RunnerType::Vm, RunnerType::Serverless][..]),
        region in prop::sample::select(regions()),
        cpu in prop_oneof![1..12u32, 1..260u32],
        memory_mib in prop_oneof![512..40_000u64, 512..5_000_000u64],
    ) {
        let market = Market { provider, runner_type, location: region };
        let all = all(&market);
        let fitting = || all.iter().filter(|shape| shape.gives(cpu, memory_mib));
        let Some(shape) = market.nearest(cpu, memory_mib) else {
            prop_assert_eq!(fitting().next(), None);
            return Ok(());
        };
        prop_assert!(shape.gives(cpu, memory_mib));
        prop_assert!(all.contains(&shape));
        // No other has fewer CPUs and less memory, or is as good and comes before.
        for other in fitting().filter(|other| other.name == shape.name || provider == Provider::Aws) {
            let lesser = other.whole_cpus() <= shape.whole_cpus() && other.memory_mib <= shape.memory_mib;
            let equal = (other.whole_cpus(), other.memory_mib) == (shape.whole_cpus(), shape.memory_mib);
            prop_assert!(!lesser || equal, "{:?} was taken, {:?} is less", shape, other);
            if (provider, runner_type) == (Provider::Yandex, RunnerType::Vm) {
                prop_assert!(market.weight_of(&shape) <= market.weight_of(other));
            }
        }
    }

    #[test]
    fn what_is_named_as_smaller_is_smaller(
        provider in prop::sample::select(&[Provider::Yandex, Provider::Aws][..]),
        runner_type in prop::sample::select(&[RunnerType::Vm, RunnerType::Serverless][..]),
        region in prop::sample::select(regions()),
        cpu in 1..200u32,
        memory_mib in 512..2_000_000u64,
    ) {
        let market = Market { provider, runner_type, location: region };
        let asked = Resources { cpu, memory_mib, disk_gib: 20 };
        if let Ok(Some(shape)) = market.offer(&asked)
            && let Some(smaller) = market.smaller(&shape, &asked)
        {
            prop_assert!(smaller.cpu <= cpu && smaller.memory_mib <= memory_mib);
            prop_assert!((smaller.cpu, smaller.memory_mib) != (cpu, memory_mib));
            prop_assert_eq!(market.nearest(smaller.cpu, smaller.memory_mib), Some(smaller.shape));
            prop_assert!(market.weight_of(&smaller.shape) < market.weight_of(&shape));
        }
    }

    /// Asking for all of a machine gives that machine, or one that costs no more, so that the hint ends the warning.
    #[test]
    fn using_all_of_a_machine_is_never_much_larger(
        provider in prop::sample::select(&[Provider::Yandex, Provider::Aws][..]),
        runner_type in prop::sample::select(&[RunnerType::Vm, RunnerType::Serverless][..]),
        region in prop::sample::select(regions()),
        at in any::<prop::sample::Index>(),
    ) {
        let market = Market { provider, runner_type, location: region };
        let shape = *at.get(&all(&market));
        let asked = Resources { cpu: shape.whole_cpus(), memory_mib: shape.memory_mib, disk_gib: 20 };
        let found = market.offer(&asked).unwrap().unwrap();
        prop_assert!(!market.is_much_larger(&found, &asked));
    }
}
