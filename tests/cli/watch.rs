//! `flyc check --watch` in a real folder, through pipes. Nothing waits by sleeping: a line that should come is waited for
//! until it is there, or too late.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use crate::harness::{Nest, nest};

const EGG: &str = "egg \"a\" {\n  type = \"vm\"\n\n  gitlab {\n    project_id = 7\n  }\n}\n";

/// Longer than any change takes on a busy machine.
const DEADLINE: Duration = Duration::from_mins(1);

/// A watching flyc.
struct Watching {
    child: Child,
    lines: Receiver<String>,
}

impl Watching {
    fn of(nest: &Nest) -> Self {
        let mut child = Command::new(polar_gosling_tests::tools::flyc())
            .args(["check", "--watch", "--output-format", "concise"])
            .current_dir(nest.path(""))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("flyc starts");
        let (sender, lines) = channel();
        let stdout = child.stdout.take().expect("standard output is a pipe");
        let stderr = child.stderr.take().expect("standard error is a pipe");
        let errors = sender.clone();
        thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).all(|line| sender.send(line).is_ok())
        });
        thread::spawn(move || {
            BufReader::new(stderr).lines().map_while(Result::ok).all(|line| errors.send(line).is_ok())
        });
        let watching = Self { child, lines };
        watching.until(&["watching for changes"]);
        watching
    }

    /// Waits until there was a line with each of these words, in any order: two pipes have none. Gives all that came.
    fn until(&self, words: &[&str]) -> Vec<String> {
        let end = Instant::now() + DEADLINE;
        let mut seen: Vec<String> = Vec::new();
        let missing =
            |seen: &[String]| words.iter().any(|words| !seen.iter().any(|line| line.contains(words)));
        while missing(&seen) {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("{words:?} did not come, but {seen:#?}")
            };
            seen.push(line);
        }
        seen
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_mistake_comes_and_goes() {
    let nest = nest(&[("Eggs/a/config.fly", EGG)]);
    let watching = Watching::of(&nest);
    nest.write_bytes("Eggs/a/config.fly", EGG.replace("vm", "wm").as_bytes());
    watching.until(&["Eggs/a/config.fly:2:10: error[unknown-value]", ": 1 error"]);
    nest.write_bytes("Eggs/a/config.fly", EGG.as_bytes());
    watching.until(&[": nothing wrong"]);
}

/// As editors save: a file beside, renamed over the other.
#[test]
fn a_file_that_is_renamed_over_another() {
    let nest = nest(&[("Eggs/a/config.fly", EGG)]);
    let watching = Watching::of(&nest);
    for (text, told) in [(EGG.replace("vm", "wm"), ": 1 error"), (EGG.to_owned(), ": nothing wrong")] {
        nest.write_bytes("Eggs/a/.config.fly.swp", text.as_bytes());
        fs::rename(nest.path("Eggs/a/.config.fly.swp"), nest.path("Eggs/a/config.fly")).unwrap();
        watching.until(&[told]);
    }
}

/// A save that is interrupted half-way is a file with a mistake, and whole again when the rest comes.
#[test]
fn a_file_that_is_written_in_halves() {
    let nest = nest(&[("Eggs/a/config.fly", EGG)]);
    let watching = Watching::of(&nest);
    let (first, _) = EGG.split_at(EGG.find("gitlab").unwrap() + 8);
    nest.write_bytes("Eggs/a/config.fly", first.as_bytes());
    watching.until(&["error["]);
    nest.write_bytes("Eggs/a/config.fly", EGG.as_bytes());
    watching.until(&[": nothing wrong"]);
    nest.write_bytes("Eggs/a/config.fly", b"\xff");
    watching.until(&["error[not-utf8]"]);
    nest.write_bytes("Eggs/a/config.fly", EGG.as_bytes());
    watching.until(&[": nothing wrong"]);
}

#[test]
fn eggs_that_come_and_folders_that_go_and_come_again() {
    let nest = nest(&[("Eggs/a/config.fly", EGG)]);
    let watching = Watching::of(&nest);
    // A new egg of a name that is taken is the other file's business too.
    nest.write_bytes("Eggs/b/config.fly", EGG.as_bytes());
    watching.until(&["error[duplicate-name]", "checked 2 files"]);
    fs::remove_dir_all(nest.path("Eggs/b")).unwrap();
    watching.until(&["checked 1 file "]);
    fs::remove_dir_all(nest.path("Eggs")).unwrap();
    watching.until(&["checked 0 files"]);
    nest.write_bytes("Eggs/a/config.fly", EGG.replace("vm", "wm").as_bytes());
    watching.until(&[": 1 error"]);
    nest.write_bytes("Eggs/a/config.fly", EGG.as_bytes());
    watching.until(&[": nothing wrong"]);
}

/// Builds are written into the Nest's own folder; what they write is nobody's change.
#[test]
fn a_file_that_is_none_of_the_nest_is_no_change() {
    let nest = nest(&[("Eggs/a/config.fly", EGG)]);
    let watching = Watching::of(&nest);
    nest.write_bytes("notes.txt", b"nothing");
    nest.write_bytes(".fly/build/manifest.json", b"{}");
    nest.write_bytes("Eggs/a/new", EGG.replace("vm", "wm").as_bytes());
    fs::rename(nest.path("Eggs/a/new"), nest.path("Eggs/a/config.fly")).unwrap();
    let told = watching.until(&["error[unknown-value]", "checked "]);
    assert!(!told.iter().any(|line| line.contains("nothing wrong")), "{told:#?}");
}

#[test]
fn what_can_not_be_watched() {
    let nest = nest(&[("Eggs/a/config.fly", EGG)]);
    let run = nest.flyc_with(&["check", "--watch", "-"], "");
    assert_eq!((run.code, run.stderr.lines().next()), (2, Some("error: standard input can't be watched")));
    assert_eq!(nest.flyc(&["check", "--watch", "--fix"]).code, 2);
}
