//! From an egg's `resources` to what the clouds sell for containers that live an hour: Fargate tasks on AWS, Serverless
//! Containers on Yandex Cloud.
//!
//! Both sell steps, and tie the memory to the CPUs: the smallest offer that gives at least what was asked for is taken.
//!
//! Never here: prices (more CPUs always cost more), regions, quotas, and what an author is told.

use crate::artifact::Resources;

const MIB_PER_GIB: u64 = 1024;

/// What was asked for is more than any offer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge {
    /// What was asked for.
    pub asked: Resources,
    /// The most of each that is sold; all three can be had together.
    pub most: Resources,
    /// The offer nearest to what was asked for.
    pub nearest: Resources,
}

impl TooLarge {
    /// The attributes of `resources` that are too large, at least one.
    pub fn attributes(&self) -> impl Iterator<Item = &'static str> {
        let Self { asked, most, .. } = *self;
        [
            ("cpu", asked.cpu > most.cpu),
            ("memory", asked.memory_mib > most.memory_mib),
            ("disk", asked.disk_gib > most.disk_gib),
        ]
        .into_iter()
        .filter_map(|(name, too_large)| too_large.then_some(name))
    }
}

/// The size of a Fargate task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FargateShape {
    /// CPU units, 1024 a vCPU.
    pub cpu_units: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// The task's disk in GiB. Every task has 20 GiB; only more than that is asked for.
    pub disk_gib: u64,
}

impl FargateShape {
    /// What the task has.
    pub const fn resources(self) -> Resources {
        Resources { cpu: self.cpu_units / 1024, memory_mib: self.memory_mib, disk_gib: self.disk_gib }
    }
}

/// The tasks with whole vCPUs: how many, the least and the most memory in GiB, and the step between.
pub(super) const FARGATE: &[(u32, u64, u64, u64)] =
    &[(1, 2, 8, 1), (2, 4, 16, 1), (4, 8, 30, 1), (8, 16, 60, 4), (16, 32, 120, 8)];

/// The disk every task has, and the largest, in GiB.
pub const FARGATE_DISK: (u64, u64) = (20, 200);

/// The most of each that a task can have.
pub const FARGATE_MOST: Resources =
    Resources { cpu: 16, memory_mib: 120 * MIB_PER_GIB, disk_gib: FARGATE_DISK.1 };

/// The smallest Fargate task that gives the resources.
pub fn fargate(resources: &Resources) -> Result<FargateShape, TooLarge> {
    let found = FARGATE.iter().find_map(|&(cpus, least, most, step)| {
        let gib = resources.memory_mib.div_ceil(MIB_PER_GIB).max(least);
        // The steps begin at the least.
        let gib = least + (gib - least).div_ceil(step) * step;
        (cpus >= resources.cpu && gib <= most).then(|| FargateShape {
            cpu_units: cpus * 1024,
            memory_mib: gib * MIB_PER_GIB,
            disk_gib: resources.disk_gib.max(FARGATE_DISK.0),
        })
    });
    found.filter(|shape| shape.disk_gib <= FARGATE_DISK.1).ok_or_else(|| {
        too_large(resources, FARGATE_MOST, |least| fargate(least).map(FargateShape::resources))
    })
}

/// The size of a container of Yandex Serverless Containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContainerShape {
    /// vCPUs.
    pub cores: u32,
    /// The share of each that is guaranteed, in percent.
    pub core_fraction: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// The ephemeral disk in GiB.
    pub disk_gib: u64,
}

impl ContainerShape {
    /// What the container has.
    pub const fn resources(self) -> Resources {
        Resources { cpu: self.cores, memory_mib: self.memory_mib, disk_gib: self.disk_gib }
    }
}

/// How much memory in GiB a container needs before it gets so many vCPUs.
pub(super) const CONTAINER: &[(u32, u64)] = &[(1, 0), (2, 4), (3, 6), (4, 8)];

/// Memory is sold in steps of so many MiB.
const CONTAINER_MEMORY_STEP: u64 = 128;

/// The most of each that a container can have.
pub const CONTAINER_MOST: Resources = Resources { cpu: 4, memory_mib: 8 * MIB_PER_GIB, disk_gib: 10 };

/// The smallest container that gives the resources.
pub fn container(resources: &Resources) -> Result<ContainerShape, TooLarge> {
    CONTAINER
        .iter()
        .find(|(cores, _)| *cores >= resources.cpu)
        .map(|&(cores, least)| ContainerShape {
            cores,
            core_fraction: 100,
            memory_mib: resources
                .memory_mib
                .max(1)
                .next_multiple_of(CONTAINER_MEMORY_STEP)
                .max(least * MIB_PER_GIB),
            disk_gib: resources.disk_gib,
        })
        .filter(|shape| {
            shape.memory_mib <= CONTAINER_MOST.memory_mib && shape.disk_gib <= CONTAINER_MOST.disk_gib
        })
        .ok_or_else(|| {
            too_large(resources, CONTAINER_MOST, |least| container(least).map(ContainerShape::resources))
        })
}

/// Why there is no offer, with the offer for what was asked cut down to the most there is.
fn too_large(
    asked: &Resources,
    most: Resources,
    offer: impl Fn(&Resources) -> Result<Resources, TooLarge>,
) -> TooLarge {
    let cut = Resources {
        cpu: asked.cpu.min(most.cpu),
        memory_mib: asked.memory_mib.min(most.memory_mib),
        disk_gib: asked.disk_gib.min(most.disk_gib),
    };
    // What was cut down is on sale; were it not, the largest offer would be the nearest.
    let nearest = if cut == *asked { most } else { offer(&cut).unwrap_or(most) };
    TooLarge { asked: *asked, most, nearest }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resources(cpu: u32, memory_mib: u64, disk_gib: u64) -> Resources {
        Resources { cpu, memory_mib, disk_gib }
    }

    #[test]
    fn fargate_takes_the_next_task_up() {
        let shape = |cpu, gib: u64, disk| {
            fargate(&resources(cpu, gib * MIB_PER_GIB, disk))
                .map(|shape| (shape.cpu_units, shape.memory_mib / MIB_PER_GIB, shape.disk_gib))
                .map_err(|error| error.nearest)
        };
        assert_eq!(shape(1, 1, 8), Ok((1024, 2, 20)));
        assert_eq!(shape(1, 9, 20), Ok((2048, 9, 20)), "one vCPU has 8 GiB at most");
        assert_eq!(shape(2, 4, 21), Ok((2048, 4, 21)));
        assert_eq!(shape(3, 31, 20), Ok((8192, 32, 20)), "four have 30 GiB at most, eight go by four");
        assert_eq!(shape(8, 61, 20), Ok((16384, 64, 20)));
        assert_eq!(shape(16, 120, 200), Ok((16384, 120, 200)));
        assert_eq!(shape(17, 4, 20), Err(resources(16, 32 * MIB_PER_GIB, 20)));
        assert_eq!(shape(2, 200, 20), Err(resources(16, 120 * MIB_PER_GIB, 20)));
        assert_eq!(shape(2, 4, 500), Err(resources(2, 4 * MIB_PER_GIB, 200)));
    }

    #[test]
    fn a_container_takes_the_next_step_up() {
        let shape = |cpu, mib, disk| {
            container(&resources(cpu, mib, disk))
                .map(|shape| (shape.cores, shape.memory_mib, shape.disk_gib))
                .map_err(|error| error.nearest)
        };
        assert_eq!(shape(1, 512, 10), Ok((1, 512, 10)));
        assert_eq!(shape(1, 513, 10), Ok((1, 640, 10)), "memory goes by 128 MiB");
        assert_eq!(shape(2, 1024, 8), Ok((2, 4096, 8)), "two cores come with 4 GiB");
        assert_eq!(shape(4, 1024, 8), Ok((4, 8192, 8)));
        assert_eq!(shape(1, 8192, 8), Ok((1, 8192, 8)));
        assert_eq!(shape(8, 1024, 8), Err(resources(4, 8192, 8)));
        assert_eq!(shape(2, 9000, 20), Err(resources(2, 8192, 10)));
    }

    #[test]
    fn every_offer_gives_at_least_what_was_asked_and_no_step_is_left_out() {
        let enough = |asked: &Resources, given: Resources| {
            given.cpu >= asked.cpu && given.memory_mib >= asked.memory_mib && given.disk_gib >= asked.disk_gib
        };
        for cpu in 1..=18 {
            for memory_mib in (128..=124 * MIB_PER_GIB).step_by(640) {
                for disk_gib in [8, 10, 11, 20, 200, 201] {
                    let asked = resources(cpu, memory_mib, disk_gib);
                    let fargate = fargate(&asked).map(FargateShape::resources);
                    let container = container(&asked).map(ContainerShape::resources);
                    for (offer, most) in [(fargate, FARGATE_MOST), (container, CONTAINER_MOST)] {
                        match offer {
                            Ok(given) => assert!(enough(&asked, given) && enough(&given, most)),
                            Err(error) => {
                                assert!(!enough(&asked, most), "{asked:?}");
                                assert!(error.attributes().count() > 0);
                                assert!(enough(&error.nearest, most));
                            }
                        }
                    }
                }
            }
        }
    }
}
