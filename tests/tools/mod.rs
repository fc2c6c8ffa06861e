//! The real components that tests drive: `OpenTofu`, the fake cloud, cloud-init, tree-sitter, Neovim, Emacs.
//!
//! A component is taken from `PATH`; when it isn't there it comes through its ordinary package client into a cache that
//! all of the user's checkouts share (`$XDG_CACHE_HOME/polar-gosling/tools`), made once however many tests ask at the
//! same time. When it can't be had, a test on CI (`CI=true`) fails, and elsewhere says that it was skipped: see
//! [`need!`](crate::need).
//!
//! Never here: what is tested with them.

mod emacs;
mod fake_cloud;
mod framing;
mod neovim;
mod python;
mod tree_sitter;
mod wasm;

use std::{
    env,
    fmt::Display,
    fs::{self, File},
    hash::{DefaultHasher, Hash, Hasher},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

pub use emacs::{emacs, emacs_with_clients};
pub use fake_cloud::{FakeCloud, Operation};
pub use framing::read_message;
pub use neovim::{Neovim, neovim, newer_neovim};
pub use python::python_gitlab;
pub use tree_sitter::{TreeSitter, tree_sitter};
pub use wasm::{WASM, cargo_for_wasm};

/// Gives the component, or leaves the test when it can't be had here: `let tofu = need!(tools::tofu());`
#[macro_export]
macro_rules! need {
    ($component:expr) => {
        match $component {
            Some(component) => component,
            None => return,
        }
    };
}

/// `OpenTofu`, 1.10 or later.
pub fn tofu() -> Option<PathBuf> {
    or_skip("OpenTofu", find_tofu())
}

fn find_tofu() -> Result<PathBuf, String> {
    if let Some(found) = on_path("tofu") {
        return Ok(found);
    }
    let source = own("opentofu");
    let modules = read(&source.join("go.mod"))?;
    let version = modules
        .lines()
        .find_map(|line| {
            line.trim().trim_start_matches("require ").strip_prefix("github.com/opentofu/opentofu v")
        })
        .and_then(|rest| rest.split_whitespace().next())
        .ok_or("go.mod names no version of OpenTofu")?;
    let flags = ["-ldflags", "-s -w -X github.com/opentofu/opentofu/version.dev=no"];
    go_build(&format!("opentofu-{version}"), "tofu", &source, &flags, "github.com/opentofu/opentofu/cmd/tofu")
}

/// The fake cloud: a provider that serves the schemas of [`provider_schemas`] and keeps what it makes in a folder; see
/// `fake-cloud/README.md`. As `fake-cloud power` it also does the work of `gosling power`.
pub fn fake_cloud() -> Option<PathBuf> {
    let find = || {
        let source = own("fake-cloud");
        let mut digest = DefaultHasher::new();
        let mut files: Vec<_> =
            fs::read_dir(&source).map_err(text)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.retain(|file| file.extension().is_some_and(|kind| kind == "go" || kind == "sum"));
        files.sort();
        for file in files {
            read(&file)?.hash(&mut digest);
        }
        let name = format!("fake-cloud-{:016x}", digest.finish());
        go_build(&name, "fake-cloud", &source, &["-ldflags", "-s -w"], ".")
    };
    or_skip("the fake cloud", find())
}

/// The folder of the saved schemas of the clouds' providers, for [`fake_cloud`]'s `SCHEMA_JSON`; `FULL_SCHEMAS` names
/// another one.
pub fn provider_schemas() -> PathBuf {
    env::var_os("FULL_SCHEMAS").map_or_else(|| own("schemas"), PathBuf::from)
}

/// cloud-init, for `cloud-init schema`.
pub fn cloud_init() -> Option<PathBuf> {
    or_skip("cloud-init", debian_program("cloud-init", "cloud-init"))
}

/// systemd-analyze, for `systemd-analyze verify`.
pub fn systemd_analyze() -> Option<PathBuf> {
    or_skip("systemd-analyze", debian_program("systemd-analyze", "systemd"))
}

/// The SSH server, which must be called by its whole path.
pub fn sshd() -> Option<PathBuf> {
    let there =
        || on_path("sshd").or_else(|| Some(PathBuf::from("/usr/sbin/sshd")).filter(|sshd| sshd.exists()));
    or_skip("OpenSSH's server", debian("openssh-server", there))
}

/// A program of this name on `PATH`.
pub fn on_path(program: &str) -> Option<PathBuf> {
    let executable = |path: &PathBuf| {
        path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
    };
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(executable)
}

/// A program of a Debian package, installed when this process may.
fn debian_program(program: &str, package: &str) -> Result<PathBuf, String> {
    debian(package, || on_path(program))
}

/// A folder that a Debian package brings, by its beginning: `/usr/share/NAME-*`.
fn debian_file(pattern: &str, package: &str) -> Result<PathBuf, String> {
    let (folder, beginning) = pattern.trim_end_matches('*').rsplit_once('/').unwrap_or_default();
    let begins =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(beginning));
    let entries = || fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path())).find(begins);
    debian(package, entries)
}

/// What a Debian package brings; it is installed when this process may.
fn debian(package: &str, find: impl Fn() -> Option<PathBuf>) -> Result<PathBuf, String> {
    if let Some(found) = find() {
        return Ok(found);
    }
    if fs::metadata("/proc/self").map_err(text)?.uid() != 0 || on_path("apt-get").is_none() {
        return Err(format!("it is not installed; on Debian, `apt-get install {package}` installs it"));
    }
    // One at a time: apt-get has a lock of its own, at which it gives up.
    let _lock = lock(&cache()?.join("apt-get.lock"))?;
    if find().is_none() {
        let apt = |arguments: &[&str]| {
            run(Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
        };
        let install = ["install", "--yes", "--no-install-recommends", package];
        apt(&install).or_else(|_| apt(&["update"]).and_then(|()| apt(&install)))?;
    }
    find().ok_or_else(|| format!("the package {package} brought nothing of the kind"))
}

/// A program that Go builds from `source`, kept in the cache under `name`.
fn go_build(
    name: &str,
    program: &str,
    source: &Path,
    flags: &[&str],
    package: &str,
) -> Result<PathBuf, String> {
    let folder = cache()?.join(name);
    let built = folder.join(program);
    if built.exists() {
        return Ok(built);
    }
    let go = on_path("go").ok_or("it is not on PATH, and there is no Go to build it with")?;
    fs::create_dir_all(&folder).map_err(text)?;
    let _lock = lock(&folder.join("lock"))?;
    if !built.exists() {
        let unfinished = folder.join(format!("{program}.unfinished"));
        let mut compile = Command::new(go);
        compile
            .arg("build")
            .arg("-trimpath")
            .args(flags)
            .arg("-o")
            .arg(&unfinished)
            .arg(package)
            .current_dir(source);
        run(&mut compile)?;
        fs::rename(&unfinished, &built).map_err(text)?;
    }
    Ok(built)
}

/// A component, or the notice that it isn't there.
#[allow(
    clippy::panic,
    clippy::print_stderr,
    reason = "a missing component must be seen: as a failure on CI, as a line elsewhere"
)]
fn or_skip<T>(what: &str, found: Result<T, String>) -> Option<T> {
    match found {
        Ok(found) => Some(found),
        Err(reason) if env::var("CI").is_ok_and(|ci| ci == "true") => panic!("{what} can't be had: {reason}"),
        Err(reason) => {
            let test = std::thread::current().name().unwrap_or("a test").to_owned();
            eprintln!("SKIPPED {test}: {what} can't be had: {reason}");
            None
        }
    }
}

/// Where components are kept.
fn cache() -> Result<PathBuf, String> {
    let folder = |name| env::var_os(name).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let base = folder("XDG_CACHE_HOME")
        .or_else(|| Some(folder("HOME")?.join(".cache")))
        .ok_or("neither XDG_CACHE_HOME nor HOME says where to keep it")?;
    let cache = base.join("polar-gosling").join("tools");
    fs::create_dir_all(&cache).map_err(text)?;
    Ok(cache)
}

/// A folder beside this file.
fn own(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tools").join(folder)
}

/// Waits until no other process holds the lock; it is freed when the file is dropped.
fn lock(path: &Path) -> Result<File, String> {
    let file = File::options().create(true).truncate(false).write(true).open(path).map_err(text)?;
    file.lock().map_err(text)?;
    Ok(file)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(text)?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr)))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn text(error: impl Display) -> String {
    error.to_string()
}

/// The `flyc` program of this checkout, built as the tests were.
///
/// # Panics
///
/// When it can't be built: then nothing of it can be tested.
pub fn flyc() -> &'static Path {
    static FLYC: OnceLock<PathBuf> = OnceLock::new();
    FLYC.get_or_init(|| built("flyc", Target::Program("flyc"), None))
}

/// The `fly-lsp` program of this checkout, built as the tests were.
///
/// # Panics
///
/// When it can't be built: then nothing of it can be tested.
pub fn fly_lsp() -> &'static Path {
    static FLY_LSP: OnceLock<PathBuf> = OnceLock::new();
    FLY_LSP.get_or_init(|| built("fly-lsp", Target::Program("fly-lsp"), None))
}

/// The `gosling` program of this checkout, built as the tests were, with the points at which it can be ended.
///
/// # Panics
///
/// When it can't be built: then nothing of it can be tested.
pub fn gosling() -> &'static Path {
    static GOSLING: OnceLock<PathBuf> = OnceLock::new();
    GOSLING.get_or_init(|| built("orchestrator", Target::Program("gosling"), Some("faults")))
}

/// The stand-in of gitlab-runner, as a program of the name `gitlab-runner`: its folder can stand on a `PATH`.
///
/// # Panics
///
/// When it can't be built: then nothing can be tested with it.
pub fn gitlab_runner() -> &'static Path {
    static GITLAB_RUNNER: OnceLock<PathBuf> = OnceLock::new();
    GITLAB_RUNNER.get_or_init(|| built("polar-gosling-tests", Target::Example("gitlab-runner"), None))
}

/// What runs the jobs of a whole installation: the gitlab-runner that `GITLAB_RUNNER` names, for a trial with a real one, or
/// the stand-in.
///
/// # Panics
///
/// When the stand-in can't be built.
pub fn agent() -> PathBuf {
    env::var_os("GITLAB_RUNNER").map_or_else(|| gitlab_runner().to_owned(), PathBuf::from)
}

/// The fake GitLab as a program; tests of the same process have it as `doubles::gitlab::FakeGitLab`.
///
/// # Panics
///
/// When it can't be built: then nothing can be tested with it.
pub fn fake_gitlab() -> &'static Path {
    static FAKE_GITLAB: OnceLock<PathBuf> = OnceLock::new();
    FAKE_GITLAB.get_or_init(|| built("polar-gosling-tests", Target::Example("fake-gitlab"), None))
}

/// What a package builds.
#[derive(Clone, Copy)]
enum Target {
    Program(&'static str),
    Example(&'static str),
}

#[allow(clippy::expect_used, reason = "without the program there is nothing to test")]
fn built(package: &str, target: Target, features: Option<&str>) -> PathBuf {
    let test = env::current_exe().expect("a test knows its own program");
    // <target>/<profile>/deps/<test>
    let profile = test.ancestors().nth(2).expect("a test stands in a target folder");
    let folder = profile.parent().expect("a profile stands in a target folder");
    let (kind, program, place) = match target {
        Target::Program(program) => ("--bin", program, profile.to_owned()),
        Target::Example(program) => ("--example", program, profile.join("examples")),
    };
    let mut build = Command::new(option_env!("CARGO").unwrap_or("cargo"));
    build.args(["build", "--quiet", "--package", package, kind, program, "--target-dir"]).arg(folder);
    if profile.ends_with("release") {
        build.arg("--release");
    }
    if let Some(features) = features {
        build.args(["--features", features]);
    }
    // What the outer Cargo says of this test's package, build scripts (ring's, for one) take for a change: all that stands on
    // them would be built anew here, and again by whoever builds next.
    let is_outer = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_outer)) {
        build.env_remove(name);
    }
    // Cargo says where the checkout is: a target folder that several share may hold a test built in another.
    let here = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let status = build.current_dir(here).status().expect("cargo starts");
    assert!(status.success(), "{program} can't be built");
    place.join(format!("{program}{}", env::consts::EXE_SUFFIX))
}
