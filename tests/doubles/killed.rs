//! A process that is ended by `kill -9` in the middle of what it does: the test binary itself, started once more for the
//! same test, which tells the two apart by a variable.

use std::{
    env,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const VARIABLE: &str = "GOSLING_TEST_WORKS_IN";

/// The folder to work in, when this is the process that will be killed.
pub(crate) fn folder() -> Option<PathBuf> {
    env::var_os(VARIABLE).map(PathBuf::from)
}

/// Says to the other process that something is done.
pub(crate) fn tell(what: &str) {
    use std::io::Write;
    // One write a line, so that no line is told in part.
    let _ = std::io::stderr().write_all(format!("{what}\n").as_bytes());
}

/// Starts the test of this name in another process, kills it once it has told so many lines, and gives all of them.
pub(crate) fn after(lines: usize, test: &str, folder: &Path) -> Vec<String> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads", "1"])
        .env(VARIABLE, folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut all: Vec<String> = told.by_ref().take(lines).collect();
    assert_eq!(all.len(), lines, "it ended by itself: {all:?}");
    child.kill().unwrap();
    child.wait().unwrap();
    // What it told between the last line and its end.
    all.extend(told);
    all
}
