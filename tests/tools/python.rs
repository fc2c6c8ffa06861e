//! Clients of others, written in Python, through pip into a folder of their own.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use super::{cache, lock, on_path, or_skip, run, text};

/// The version of `python-gitlab` that the fake GitLab is checked with.
const PYTHON_GITLAB: &str = "8.6.0";

/// A Python that has `python-gitlab`.
pub fn python_gitlab() -> Option<PathBuf> {
    or_skip("python-gitlab", find())
}

fn find() -> Result<PathBuf, String> {
    let folder = cache()?.join(format!("python-gitlab-{PYTHON_GITLAB}"));
    let python = folder.join("bin").join("python");
    let has_it = || {
        let mut import = Command::new(&python);
        import.args(["-c", "import gitlab"]).stdout(Stdio::null()).stderr(Stdio::null());
        import.status().is_ok_and(|status| status.success())
    };
    if has_it() {
        return Ok(python);
    }
    let base = on_path("python3").ok_or("there is no python3 on PATH")?;
    fs::create_dir_all(&folder).map_err(text)?;
    let _lock = lock(&folder.join("lock"))?;
    if !has_it() {
        run(Command::new(base).args(["-m", "venv"]).arg(&folder))?;
        let package = format!("python-gitlab=={PYTHON_GITLAB}");
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", &package]))?;
    }
    Ok(python)
}
