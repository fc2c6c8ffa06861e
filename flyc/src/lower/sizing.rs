//! From `resources` to the machine or container a cloud sells.
//!
//! Clouds sell steps, not any number: the nearest step that gives at least what was asked for is taken. `check` asks the
//! same functions, so what checks clean can be built.
//!
//! Never here: the tables (`sizing_tables`, `sizing_serverless`), quotas of an account.

use fly_std::clouds::{self, Cloud};

use super::{LowerError, sizing_serverless as serverless, sizing_tables as tables};
use crate::artifact::{Offer, Provider, Resources, RunnerType};

const MIB_PER_GIB: u64 = 1024;

/// A machine or container that is sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    /// The platform of a machine on Yandex Cloud, the instance type on AWS, the service for containers.
    pub name: &'static str,
    /// vCPUs.
    pub cpu: u32,
    /// The share of each that is guaranteed, in percent.
    pub core_fraction: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
}

impl Shape {
    /// With whole CPUs.
    const fn new(name: &'static str, cpu: u32, memory_mib: u64) -> Self {
        Self { name, cpu, core_fraction: 100, memory_mib }
    }

    /// CPUs that are there all the time.
    pub const fn whole_cpus(&self) -> u32 {
        self.cpu * self.core_fraction / 100
    }

    /// Whether it gives at least this.
    const fn gives(&self, cpu: u32, memory_mib: u64) -> bool {
        self.whole_cpus() >= cpu && self.memory_mib >= memory_mib
    }
}

impl From<Shape> for Offer {
    fn from(Shape { name, cpu, core_fraction, memory_mib }: Shape) -> Self {
        Self { name: name.to_owned(), cpu, core_fraction, memory_mib }
    }
}

/// Resources a little less than others, and the smaller machine that gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Smaller {
    /// CPUs.
    pub cpu: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// The machine.
    pub shape: Shape,
}

/// What there is several times as much of as was asked for, and how many times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// CPUs.
    Cpus(u64),
    /// Memory.
    Memory(u64),
}

/// What is bought where: machines or containers, of a cloud, in a region or zone of it.
#[derive(Debug, Clone, Copy)]
pub struct Market<'a> {
    /// The cloud.
    pub provider: Provider,
    /// Machines or containers.
    pub runner_type: RunnerType,
    /// The region, or a zone in it.
    pub location: &'a str,
}

/// The tables a market sells from.
#[derive(Clone, Copy)]
enum Shop {
    YandexMachines,
    YandexContainers,
    Ec2,
    Fargate,
}

impl<'a> Market<'a> {
    const fn shop(&self) -> Option<Shop> {
        match (self.provider, self.runner_type) {
            (Provider::Yandex, RunnerType::Vm) => Some(Shop::YandexMachines),
            (Provider::Yandex, RunnerType::Serverless) => Some(Shop::YandexContainers),
            (Provider::Aws, RunnerType::Vm) => Some(Shop::Ec2),
            (Provider::Aws, RunnerType::Serverless) => Some(Shop::Fargate),
            (Provider::Local, _) => None,
        }
    }

    /// The region, on clouds that have regions.
    pub fn region(&self) -> Option<&'a str> {
        match self.provider {
            Provider::Yandex => Some(Cloud::Yandex.region_of(self.location)),
            Provider::Aws => Some(Cloud::Aws.region_of(self.location)),
            Provider::Local => None,
        }
    }

    /// What the resources come to; none on a cloud that sells nothing.
    pub fn offer(&self, resources: &Resources) -> Result<Option<Shape>, LowerError> {
        let Resources { cpu, memory_mib, .. } = *resources;
        if self.shop().is_none() {
            return Ok(None);
        }
        self.nearest(cpu, memory_mib).map(Some).ok_or_else(|| LowerError::TooLarge {
            cloud: self.provider.name(),
            cpu,
            memory_gib: memory_mib.div_ceil(MIB_PER_GIB),
        })
    }

    /// The nearest that gives this much: the lightest of Yandex Cloud's machines, else the first in its table.
    pub fn nearest(&self, cpu: u32, memory_mib: u64) -> Option<Shape> {
        let asked = Resources { cpu, memory_mib, disk_gib: 0 };
        match self.shop()? {
            Shop::YandexMachines => {
                let wanted = memory_mib.div_ceil(MIB_PER_GIB).max(1);
                let fitting = tables::YANDEX.iter().filter(|row| row.most >= wanted).filter_map(|row| {
                    let shape = yandex(row, wanted.div_ceil(row.step).checked_mul(row.step)?);
                    shape.gives(cpu, memory_mib).then_some(shape)
                });
                // Another platform is for what the first does not have.
                fitting.min_by_key(|shape| (shape.name != tables::YANDEX_PLATFORM, self.weight_of(shape)))
            }
            Shop::Ec2 => ec2(self.location).find(|shape| shape.gives(cpu, memory_mib)),
            Shop::Fargate => serverless::fargate(&asked)
                .ok()
                .map(|task| Shape::new(tables::FARGATE, task.resources().cpu, task.memory_mib)),
            Shop::YandexContainers => serverless::container(&asked)
                .ok()
                .map(|container| Shape::new(tables::CONTAINER, container.cores, container.memory_mib)),
        }
    }

    /// What is sold there; of what has the same CPUs, the one with the most memory.
    pub fn largest(&self) -> impl Iterator<Item = Shape> {
        let shop = self.shop();
        let machines = matches!(shop, Some(Shop::YandexMachines)).then(|| tables::YANDEX.iter());
        let types = matches!(shop, Some(Shop::Ec2)).then(|| ec2(self.location));
        let tasks = matches!(shop, Some(Shop::Fargate)).then(|| serverless::FARGATE.iter());
        let containers = matches!(shop, Some(Shop::YandexContainers)).then(|| serverless::CONTAINER.iter());
        let most = serverless::CONTAINER_MOST.memory_mib;
        (machines.into_iter().flatten().map(|row| yandex(row, row.most)))
            .chain(types.into_iter().flatten())
            .chain(
                tasks
                    .into_iter()
                    .flatten()
                    .map(|&(cpu, _, most, _)| Shape::new(tables::FARGATE, cpu, most * MIB_PER_GIB)),
            )
            .chain(
                containers
                    .into_iter()
                    .flatten()
                    .map(move |&(cores, _)| Shape::new(tables::CONTAINER, cores, most)),
            )
    }

    /// The largest disk, in GiB; none where it is not sold.
    pub const fn largest_disk_gib(&self) -> Option<u64> {
        match self.shop() {
            Some(Shop::YandexMachines) => Some(tables::YANDEX_DISK_GIB),
            Some(Shop::YandexContainers) => Some(serverless::CONTAINER_MOST.disk_gib),
            Some(Shop::Ec2) => Some(tables::AWS_DISK_GIB),
            Some(Shop::Fargate) => Some(serverless::FARGATE_DISK.1),
            None => None,
        }
    }

    /// How large something is as one number, in MiB of memory: a CPU costs about as much as so many, by the clouds'
    /// price lists.
    pub fn weight(&self, cpu: u32, memory_mib: u64) -> u64 {
        let gib_a_cpu = match self.provider {
            Provider::Yandex => 4,
            Provider::Aws | Provider::Local => 10,
        };
        (u64::from(cpu) * gib_a_cpu * MIB_PER_GIB).saturating_add(memory_mib)
    }

    fn weight_of(&self, shape: &Shape) -> u64 {
        self.weight(shape.whole_cpus(), shape.memory_mib)
    }

    /// Whether it is much larger than what it was taken for: by half or more of both together, or several times in one,
    /// and not because the cloud sells nothing smaller.
    pub fn is_much_larger(&self, shape: &Shape, resources: &Resources) -> bool {
        let Some(least) = self.nearest(1, 1) else { return false };
        let Resources { cpu, memory_mib, .. } = *resources;
        let asked = self.weight(cpu.max(least.whole_cpus()), memory_mib.max(least.memory_mib));
        self.weight_of(shape).saturating_mul(2) >= asked.saturating_mul(3)
            || self.times(shape, resources).is_some()
    }

    /// Of what it has several times as much as was asked for, since little of one is not sold with much of the other.
    /// A few CPUs or some memory more are no surprise, however little was asked for.
    pub fn times(&self, shape: &Shape, resources: &Resources) -> Option<Times> {
        let Resources { cpu, memory_mib, .. } = *resources;
        let few_gib = match self.runner_type {
            RunnerType::Vm => FEW_GIB_OF_A_MACHINE,
            RunnerType::Serverless => FEW_GIB_OF_A_CONTAINER,
        };
        let times = |has: u64, asked: u64, few: u64| {
            let times = has / asked.max(1);
            (times >= SEVERAL && has - asked > few).then_some(times)
        };
        let cpus = times(shape.whole_cpus().into(), cpu.into(), FEW_CPUS);
        let memory = times(shape.memory_mib, memory_mib, few_gib * MIB_PER_GIB);
        cpus.map(Times::Cpus).or(memory.map(Times::Memory))
    }

    /// What asks least less and gets something smaller, which is not much larger itself.
    pub fn smaller(&self, shape: &Shape, resources: &Resources) -> Option<Smaller> {
        let Resources { cpu, memory_mib, .. } = *resources;
        let lighter = |cpu, memory_mib| {
            let shape_there = self.nearest(cpu, memory_mib)?;
            let is_lighter = self.weight_of(&shape_there) < self.weight_of(shape);
            let asked = Resources { cpu, memory_mib, disk_gib: 0 };
            (is_lighter && !self.is_much_larger(&shape_there, &asked)).then_some(Smaller {
                cpu,
                memory_mib,
                shape: shape_there,
            })
        };
        // What others have at most, and a few steps down from here.
        let steps = (1..=STEPS).filter_map(|step| (memory_mib.div_ceil(MIB_PER_GIB)).checked_sub(step));
        let memories = self.largest().map(|shape| shape.memory_mib).chain(steps.map(|gib| gib * MIB_PER_GIB));
        let memory = memories
            .filter(|less| (MIB_PER_GIB..memory_mib).contains(less))
            .filter_map(|less| lighter(cpu, less))
            .max_by_key(|smaller| smaller.memory_mib);
        let fewer = (self.largest().map(|shape| shape.whole_cpus()))
            .filter(|fewer| *fewer < cpu)
            .filter_map(|fewer| lighter(fewer, memory_mib))
            .max_by_key(|smaller| smaller.cpu);
        match (memory, fewer) {
            // Which keeps the larger part of what it lessens.
            (Some(memory), Some(fewer)) => {
                let keeps_memory = u128::from(memory.memory_mib) * u128::from(cpu);
                let keeps_cpus = u128::from(fewer.cpu) * u128::from(memory_mib);
                Some(if keeps_memory >= keeps_cpus { memory } else { fewer })
            }
            (memory, fewer) => memory.or(fewer),
        }
    }
}

/// So many times as much is much, when it is more than a few on top: CPUs, and memory of a machine or a container.
const SEVERAL: u64 = 4;
const FEW_CPUS: u64 = 8;
const FEW_GIB_OF_A_MACHINE: u64 = 32;
const FEW_GIB_OF_A_CONTAINER: u64 = 4;

/// The longest step of memory that is sold, in GiB, is less.
const STEPS: u64 = 16;

fn yandex(row: &tables::YandexRow, memory_gib: u64) -> Shape {
    let tables::YandexRow { platform, cores, core_fraction, .. } = *row;
    Shape { name: platform, cpu: cores, core_fraction, memory_mib: memory_gib * MIB_PER_GIB }
}

/// The instance types of a region or zone.
fn ec2(location: &str) -> impl Iterator<Item = Shape> + use<> {
    let lacking = clouds::lacking(Cloud::Aws.region_of(location));
    let sold = tables::AWS.iter().filter(|(name, ..)| !is_lacking(lacking, name));
    sold.map(|&(name, cpu, memory_gib)| Shape::new(name, cpu, memory_gib * MIB_PER_GIB))
}

/// Whether a region lacks the type, or its family.
fn is_lacking(lacking: &[&str], name: &str) -> bool {
    lacking
        .iter()
        .any(|lacks| name.strip_prefix(lacks).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

#[cfg(test)]
#[path = "sizing_tests.rs"]
mod tests;
