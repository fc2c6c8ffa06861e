//! What the clouds sell as virtual machines and disks.
//!
//! Never here: how one is chosen (`sizing`), and which regions lack what (`fly_std::clouds`).

/// The machines of a platform of Yandex Cloud that have these vCPUs. Memory comes in steps of so much a vCPU.
pub(super) struct YandexRow {
    /// The platform.
    pub(super) platform: &'static str,
    /// vCPUs.
    pub(super) cores: u32,
    /// The share of each that is guaranteed, in percent.
    pub(super) core_fraction: u32,
    /// The step of the memory of all vCPUs together, in GiB; it is the least as well.
    pub(super) step: u64,
    /// The most memory of all vCPUs together, in GiB.
    pub(super) most: u64,
}

const fn whole(platform: &'static str, cores: u32, gib_a_core: u64) -> YandexRow {
    let step = cores as u64;
    YandexRow { platform, cores, core_fraction: 100, step, most: step * gib_a_core }
}

/// The platform that machines are made on as long as it has them.
pub(super) const YANDEX_PLATFORM: &str = "standard-v3";

/// From small to large: `standard-v3`, and what only `standard-v2` has, which is more memory. After "vCPU performance
/// levels" of the documentation of Compute Cloud. Shares of vCPUs are sold of 2 and 4 of them, with up to 4 GiB each;
/// 20 percent of four are less than one CPU, and 50 percent of four cost more than two whole ones, so that one row
/// remains.
pub(super) const YANDEX: &[YandexRow] = &[
    YandexRow { platform: "standard-v3", cores: 2, core_fraction: 50, step: 1, most: 8 },
    whole("standard-v3", 2, 16),
    whole("standard-v3", 4, 16),
    whole("standard-v3", 6, 16),
    whole("standard-v3", 8, 16),
    whole("standard-v3", 10, 16),
    whole("standard-v3", 12, 16),
    whole("standard-v3", 14, 16),
    whole("standard-v3", 16, 16),
    whole("standard-v3", 20, 16),
    whole("standard-v3", 24, 16),
    whole("standard-v3", 28, 16),
    whole("standard-v3", 32, 16),
    whole("standard-v3", 36, 16),
    whole("standard-v3", 40, 16),
    whole("standard-v3", 44, 14),
    whole("standard-v3", 48, 13),
    whole("standard-v3", 52, 12),
    whole("standard-v3", 56, 11),
    whole("standard-v3", 60, 10),
    whole("standard-v3", 64, 10),
    whole("standard-v3", 68, 9),
    whole("standard-v3", 72, 8),
    whole("standard-v3", 76, 8),
    whole("standard-v3", 80, 8),
    whole("standard-v3", 84, 7),
    whole("standard-v3", 88, 7),
    whole("standard-v3", 92, 6),
    whole("standard-v3", 96, 6),
    whole("standard-v2", 44, 16),
    whole("standard-v2", 48, 16),
    whole("standard-v2", 52, 16),
    whole("standard-v2", 56, 16),
    whole("standard-v2", 60, 16),
    whole("standard-v2", 64, 16),
    whole("standard-v2", 68, 16),
    whole("standard-v2", 72, 16),
    whole("standard-v2", 76, 16),
    whole("standard-v2", 80, 16),
];

/// The largest `network-ssd` disk with blocks of 4 KiB, in GiB.
pub(super) const YANDEX_DISK_GIB: u64 = 8 * 1024;

/// An EC2 instance type: name, vCPUs, memory in GiB.
pub(super) type InstanceType = (&'static str, u32, u64);

/// The x86-64 types that runners are made of, in the order of their prices in us-east-1 (AWS's price list of 2026-07).
/// Burstable ones serve the smallest sizes only; `7i` types stand in where a region lacks the `6i` ones.
pub(super) const AWS: &[InstanceType] = &[
    ("t3.micro", 2, 1),
    ("t3.small", 2, 2),
    ("t3.medium", 2, 4),
    ("m6i.large", 2, 8),
    ("m7i.large", 2, 8),
    ("r6i.large", 2, 16),
    ("r7i.large", 2, 16),
    ("c6i.xlarge", 4, 8),
    ("c7i.xlarge", 4, 8),
    ("m6i.xlarge", 4, 16),
    ("m7i.xlarge", 4, 16),
    ("r6i.xlarge", 4, 32),
    ("r7i.xlarge", 4, 32),
    ("c6i.2xlarge", 8, 16),
    ("c7i.2xlarge", 8, 16),
    ("m6i.2xlarge", 8, 32),
    ("m7i.2xlarge", 8, 32),
    ("r6i.2xlarge", 8, 64),
    ("r7i.2xlarge", 8, 64),
    ("c6i.4xlarge", 16, 32),
    ("c7i.4xlarge", 16, 32),
    ("m6i.4xlarge", 16, 64),
    ("m7i.4xlarge", 16, 64),
    ("x2iedn.xlarge", 4, 128),
    ("r6i.4xlarge", 16, 128),
    ("r7i.4xlarge", 16, 128),
    ("c6i.8xlarge", 32, 64),
    ("c7i.8xlarge", 32, 64),
    ("m6i.8xlarge", 32, 128),
    ("m7i.8xlarge", 32, 128),
    ("x2iedn.2xlarge", 8, 256),
    ("r6i.8xlarge", 32, 256),
    ("c6i.12xlarge", 48, 96),
    ("r7i.8xlarge", 32, 256),
    ("c7i.12xlarge", 48, 96),
    ("m6i.12xlarge", 48, 192),
    ("m7i.12xlarge", 48, 192),
    ("c6i.16xlarge", 64, 128),
    ("c7i.16xlarge", 64, 128),
    ("r6i.12xlarge", 48, 384),
    ("m6i.16xlarge", 64, 256),
    ("r7i.12xlarge", 48, 384),
    ("m7i.16xlarge", 64, 256),
    ("x2iedn.4xlarge", 16, 512),
    ("r6i.16xlarge", 64, 512),
    ("c6i.24xlarge", 96, 192),
    ("r7i.16xlarge", 64, 512),
    ("c7i.24xlarge", 96, 192),
    ("m6i.24xlarge", 96, 384),
    ("m7i.24xlarge", 96, 384),
    ("c6i.32xlarge", 128, 256),
    ("r6i.24xlarge", 96, 768),
    ("m6i.32xlarge", 128, 512),
    ("r7i.24xlarge", 96, 768),
    ("x2iedn.8xlarge", 32, 1024),
    ("r6i.32xlarge", 128, 1024),
    ("c7i.48xlarge", 192, 384),
    ("m7i.48xlarge", 192, 768),
    ("r7i.48xlarge", 192, 1536),
    ("x2iedn.16xlarge", 64, 2048),
    ("x2iedn.24xlarge", 96, 3072),
    ("x2iedn.32xlarge", 128, 4096),
];

/// The largest gp3 volume, in GiB (64 TiB since September 2025).
pub(super) const AWS_DISK_GIB: u64 = 64 * 1024;

/// How the containers are called that runners are made of: tasks of Fargate on AWS, Serverless Containers on Yandex
/// Cloud.
pub(super) const FARGATE: &str = "fargate";
pub(super) const CONTAINER: &str = "serverless-container";
