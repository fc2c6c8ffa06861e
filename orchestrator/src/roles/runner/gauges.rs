//! How busy the machine is.

use std::path::{Path, PathBuf};

use sysinfo::{Disks, System};

/// What is in use, each in percent.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Usage {
    pub(super) cpu: Option<f64>,
    pub(super) memory: Option<f64>,
    pub(super) disk: Option<f64>,
}

/// Looks at the machine.
pub(super) struct Gauges {
    /// None where the system tells nothing.
    system: Option<System>,
    folder: PathBuf,
    /// The use of CPUs is told from one look to the next.
    looked: bool,
}

impl Gauges {
    pub(super) fn new(folder: &Path) -> Self {
        Self { system: System::new().ok(), folder: folder.to_owned(), looked: false }
    }

    /// Looks anew.
    pub(super) fn read(&mut self) -> Usage {
        let mut usage = Usage::default();
        if let Some(system) = &mut self.system {
            system.refresh_cpu_usage();
            system.refresh_memory();
            usage.memory = share(system.used_memory(), system.total_memory());
            if std::mem::replace(&mut self.looked, true) {
                usage.cpu = Some(rounded(f64::from(system.global_cpu_usage())));
            }
        }
        if let Ok(disks) = Disks::new_with_refreshed_list() {
            let own = disks.iter().filter(|disk| self.folder.starts_with(disk.mount_point()));
            usage.disk = own.max_by_key(|disk| disk.mount_point().as_os_str().len()).and_then(|disk| {
                share(disk.total_space().saturating_sub(disk.available_space()), disk.total_space())
            });
        }
        usage
    }
}

#[allow(clippy::cast_precision_loss, reason = "a percentage needs no more")]
fn share(used: u64, total: u64) -> Option<f64> {
    (total > 0).then(|| rounded(used as f64 * 100.0 / total as f64))
}

fn rounded(percent: f64) -> f64 {
    (percent.clamp(0.0, 100.0) * 100.0).round() / 100.0
}
