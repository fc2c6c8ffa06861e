//! The processes of an installation.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

/// The processes that have something to do with the installation in this folder, by their command lines.
pub fn processes_in(folder: &Path) -> Vec<(u32, String)> {
    let name = folder.to_string_lossy();
    let of = |entry: fs::DirEntry| {
        let id: u32 = entry.file_name().to_str()?.parse().ok()?;
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        let place = fs::read_link(entry.path().join("cwd")).ok()?;
        (line.contains(&*name) || place.starts_with(folder)).then_some((id, line))
    };
    fs::read_dir("/proc").into_iter().flatten().filter_map(|entry| of(entry.ok()?)).collect()
}

pub(super) fn signal(process: u32, name: &str) {
    let _ =
        Command::new("kill").args([&format!("-{name}"), &process.to_string()]).stderr(Stdio::null()).status();
}
