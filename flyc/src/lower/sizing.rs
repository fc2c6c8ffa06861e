//! From an egg's `resources` to what a cloud sells.
//!
//! Both clouds sell steps, not any number: the smallest step that gives at least what was asked for is taken.
//!
//! Never here: prices (the order of the tables stands in for them), regions, quotas.

use super::LowerError;
use crate::artifact::Resources;

const MIB_PER_GIB: u64 = 1024;

/// The resources of a `yandex_compute_instance` on the `standard-v3` platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct YandexShape {
    /// vCPUs.
    pub(super) cores: u32,
    /// The share of each that is guaranteed, in percent.
    pub(super) core_fraction: u32,
    /// Memory in GB (of 2^30 bytes).
    pub(super) memory: u64,
}

/// The vCPU counts of `standard-v3` with whole cores.
const YANDEX_CORES: &[u32] = &[
    2, 4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 64, 68, 72, 76, 80, 84, 88, 92,
    96,
];

/// Memory in GB that one vCPU can have at most, with whole and with half cores.
const YANDEX_MEMORY_A_CORE: u64 = 16;
const YANDEX_MEMORY_A_HALF_CORE: u64 = 4;

/// The most vCPUs, and the most memory in GB.
pub(super) const YANDEX_LARGEST: (u32, u64) = (96, 96 * YANDEX_MEMORY_A_CORE);

/// The smallest shape on Yandex Cloud that gives the resources. One CPU is two half ones: a single vCPU is not sold.
pub(super) fn yandex(resources: &Resources) -> Result<YandexShape, LowerError> {
    let memory = resources.memory_mib.div_ceil(MIB_PER_GIB).max(1);
    if resources.cpu <= 1 && memory <= 2 * YANDEX_MEMORY_A_HALF_CORE {
        return Ok(YandexShape { cores: 2, core_fraction: 50, memory });
    }
    YANDEX_CORES
        .iter()
        .copied()
        .find(|&cores| cores >= resources.cpu && u64::from(cores) * YANDEX_MEMORY_A_CORE >= memory)
        .map(|cores| YandexShape { cores, core_fraction: 100, memory: memory.max(u64::from(cores)) })
        .ok_or(LowerError::TooLarge { cloud: "yandex", cpu: resources.cpu, memory_gib: memory })
}

/// An EC2 instance type: name, vCPUs, memory in GiB.
type InstanceType = (&'static str, u32, u64);

/// The x86-64 types runners are made of, each family from small to large.
const AWS_TYPES: &[InstanceType] = &[
    ("t3.micro", 2, 1),
    ("t3.small", 2, 2),
    ("t3.medium", 2, 4),
    ("m6i.large", 2, 8),
    ("r6i.large", 2, 16),
    ("c6i.xlarge", 4, 8),
    ("m6i.xlarge", 4, 16),
    ("r6i.xlarge", 4, 32),
    ("c6i.2xlarge", 8, 16),
    ("m6i.2xlarge", 8, 32),
    ("r6i.2xlarge", 8, 64),
    ("c6i.4xlarge", 16, 32),
    ("m6i.4xlarge", 16, 64),
    ("r6i.4xlarge", 16, 128),
    ("c6i.8xlarge", 32, 64),
    ("m6i.8xlarge", 32, 128),
    ("r6i.8xlarge", 32, 256),
    ("c6i.12xlarge", 48, 96),
    ("m6i.12xlarge", 48, 192),
    ("r6i.12xlarge", 48, 384),
    ("c6i.16xlarge", 64, 128),
    ("m6i.16xlarge", 64, 256),
    ("r6i.16xlarge", 64, 512),
    ("c6i.24xlarge", 96, 192),
    ("m6i.24xlarge", 96, 384),
    ("r6i.24xlarge", 96, 768),
    ("c6i.32xlarge", 128, 256),
    ("m6i.32xlarge", 128, 512),
    ("r6i.32xlarge", 128, 1024),
    ("c7a.48xlarge", 192, 384),
    ("m7a.48xlarge", 192, 768),
    ("r7a.48xlarge", 192, 1536),
    ("x2iedn.32xlarge", 128, 4096),
];

/// What a vCPU costs, counted in GiB of memory, over these families.
const AWS_CPU_WEIGHT: u64 = 8;

/// The nearest EC2 instance type that gives the resources.
pub(super) fn aws(resources: &Resources) -> Result<&'static str, LowerError> {
    let memory = resources.memory_mib.div_ceil(MIB_PER_GIB);
    AWS_TYPES
        .iter()
        .filter(|(_, cpu, gib)| *cpu >= resources.cpu && *gib >= memory)
        .min_by_key(|(_, cpu, gib)| u64::from(*cpu) * AWS_CPU_WEIGHT + gib)
        .map(|(name, ..)| *name)
        .ok_or(LowerError::TooLarge { cloud: "aws", cpu: resources.cpu, memory_gib: memory })
}

/// The most vCPUs and the most memory in GiB of any type.
pub(super) fn aws_largest() -> (u32, u64) {
    AWS_TYPES.iter().fold((0, 0), |(cpus, memory), (_, cpu, gib)| (cpus.max(*cpu), memory.max(*gib)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_are_those_of_the_tables() {
        assert_eq!(Some(YANDEX_LARGEST.0), YANDEX_CORES.last().copied());
        assert_eq!(aws_largest(), (192, 4096));
    }

    fn resources(cpu: u32, gib: u64) -> Resources {
        Resources { cpu, memory_mib: gib * MIB_PER_GIB, disk_gib: 20 }
    }

    #[test]
    fn yandex_takes_the_next_step_up() {
        let shape =
            |cpu, gib| yandex(&resources(cpu, gib)).map(|s| (s.cores, s.core_fraction, s.memory)).ok();
        assert_eq!(shape(1, 2), Some((2, 50, 2)));
        assert_eq!(shape(1, 16), Some((2, 100, 16)));
        assert_eq!(shape(2, 4), Some((2, 100, 4)));
        assert_eq!(shape(3, 4), Some((4, 100, 4)));
        assert_eq!(shape(4, 1), Some((4, 100, 4)));
        assert_eq!(shape(2, 100), Some((8, 100, 100)));
        assert_eq!(shape(97, 100), None);
        assert_eq!(
            yandex(&Resources { cpu: 2, memory_mib: 2049, disk_gib: 8 }).map(|shape| shape.memory).ok(),
            Some(3)
        );
    }

    #[test]
    fn aws_takes_the_nearest_type_that_is_large_enough() {
        let name = |cpu, gib| aws(&resources(cpu, gib)).ok();
        assert_eq!(name(1, 1), Some("t3.micro"));
        assert_eq!(name(2, 4), Some("t3.medium"));
        assert_eq!(name(2, 5), Some("m6i.large"));
        assert_eq!(name(2, 16), Some("r6i.large"));
        assert_eq!(name(2, 64), Some("r6i.2xlarge"));
        assert_eq!(name(4, 4), Some("c6i.xlarge"));
        assert_eq!(name(100, 2000), Some("x2iedn.32xlarge"));
        assert_eq!(name(200, 1), None);
    }

    #[test]
    fn every_size_gets_at_least_what_it_asked_for() {
        for cpu in 1..=96 {
            for gib in [1, 3, 7, 31, 200, 700] {
                let asked = resources(cpu, gib);
                let shape = yandex(&asked).unwrap();
                assert!(
                    shape.memory >= gib
                        && u64::from(shape.cores) * u64::from(shape.core_fraction) >= u64::from(cpu) * 100
                );
                let name = aws(&asked).unwrap();
                let (_, cores, memory) = AWS_TYPES.iter().find(|(other, ..)| *other == name).unwrap();
                assert!(*cores >= cpu && *memory >= gib);
            }
        }
    }
}
