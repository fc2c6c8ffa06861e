//! Builds that are killed, stopped, refused by the disk, or run at one time: one whole build stands there afterwards.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use flyc::{
    artifact::{Artifact, Manifest},
    host,
};
use polar_gosling_tests::tools;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::tree;

/// Enough eggs that a build takes long beside a look at its stage.
const EGGS: usize = 150;

/// A Nest of many eggs, and where it is built.
struct Large {
    folder: TempDir,
}

impl Large {
    fn new() -> Self {
        let large = Self { folder: tempfile::tempdir().unwrap() };
        large.name("first");
        for number in 0..EGGS {
            let provider = if number % 2 == 0 { "yandex" } else { "aws" };
            let text = format!(
                "egg \"egg-{number}\" {{\n  type = \"vm\"\n  cloud {{\n    provider = \"{provider}\"\n  }}\n  gitlab {{\n    project_id = {}\n  }}\n}}\n",
                number + 1
            );
            large.write(&format!("Eggs/egg-{number}/config.fly"), &text);
        }
        large
    }

    fn nest(&self) -> PathBuf {
        self.folder.path().join("nest")
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.nest().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Names the Nest; every egg's labels change with it.
    fn name(&self, name: &str) {
        self.write("nest.fly", &format!("nest {{\n  edition = 2026\n  name    = \"{name}\"\n}}\n"));
    }

    /// Ctrl-C stops it even where the tests run in the background of a shell, which has its children ignore that.
    fn flyc(&self) -> Command {
        let mut command = Command::new("env");
        command.arg("--default-signal=INT").arg(tools::flyc());
        command.arg("build").arg(self.nest()).arg("--out").arg(self.out());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn builds(&self) -> BTreeMap<String, String> {
        let output = self.flyc().output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        tree(&self.out())
    }

    /// Kills a build when a folder holds that many entries; whether it was in time.
    fn killed(&self, signal: Signal, counted: &str, at_least: usize) -> bool {
        let mut child = self.flyc().spawn().unwrap();
        let counted = self.folder.path().join(counted);
        let ended = loop {
            if fs::read_dir(&counted).is_ok_and(|entries| entries.count() >= at_least) {
                send(signal, &child);
                break child.wait().unwrap();
            }
            if let Some(ended) = child.try_wait().unwrap() {
                break ended;
            }
            std::thread::yield_now();
        };
        ended.signal().is_some()
    }
}

fn send(signal: Signal, child: &Child) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn manifest(out: &Path) -> Manifest {
    Manifest::from_json(&fs::read_to_string(out.join("manifest.json")).unwrap()).unwrap()
}

/// Where the new files wait, and where the old ones do while the new ones take their places.
const STAGED: &str = "out/.flyc-stage/new/eggs";
const REPLACED: &str = "out/.flyc-stage/old/eggs";

#[test]
fn a_killed_build_leaves_the_one_before_it_or_its_own() {
    let large = Large::new();
    let mut before = large.builds();
    let mut in_time = 0;
    let points = [
        (STAGED, 1),
        (STAGED, EGGS / 3),
        (STAGED, EGGS),
        (REPLACED, 1),
        (REPLACED, EGGS / 2),
        (REPLACED, EGGS - 1),
    ];
    for (round, (counted, at_least)) in points.into_iter().enumerate() {
        large.name(&format!("round-{round}"));
        in_time += usize::from(large.killed(Signal::KILL, counted, at_least));
        let out = large.out();
        let told = manifest(&out);
        host::recover(&out).unwrap();
        let left = tree(&out);
        // Whatever was left, the next build is whole.
        let after = large.builds();
        assert_ne!(before, after);
        let whole = if told.nest_digest == manifest_of(&before).nest_digest { &before } else { &after };
        assert_eq!(left, *whole, "killed at {at_least} of {counted}");
        before = after;
    }
    assert!(in_time >= 3, "builds are killed in the middle, and not behind their end: {in_time}");
}

/// Where much changes, the whole build is exchanged: nothing need be put in order, whenever it was killed.
#[test]
fn a_killed_build_of_much_leaves_one_or_the_other_untouched() {
    let large = Large::new();
    let mut before = large.builds();
    let mut in_time = 0;
    for round in 0..8 {
        for egg in 0..EGGS {
            let path = format!("Eggs/egg-{egg}/config.fly");
            let text = fs::read_to_string(large.nest().join(&path)).unwrap();
            let text =
                text.lines().filter(|line| !line.contains("concurrent")).collect::<Vec<_>>().join("\n");
            let runner = format!("  runner {{ concurrent = {} }}\n  gitlab", round + 2);
            large.write(&path, &(text.replace("  gitlab", &runner) + "\n"));
        }
        let signal = if round % 2 == 0 { Signal::KILL } else { Signal::INT };
        in_time += usize::from(large.killed(signal, ".out.flyc-new/eggs", 1 + round * EGGS / 8));
        let left = tree(&large.out());
        let after = large.builds();
        assert_ne!(before, after);
        assert!(left == before || left == after, "round {round}");
        let beside = fs::read_dir(large.folder.path()).unwrap().count();
        assert_eq!(beside, 2, "what the killed build left is gone");
        before = after;
    }
    assert!(in_time >= 3, "builds are killed in the middle: {in_time}");
}

fn manifest_of(tree: &BTreeMap<String, String>) -> Manifest {
    Manifest::from_json(&tree["manifest.json"]).unwrap()
}

#[test]
fn a_killed_first_build_leaves_nothing_in_its_place() {
    let large = Large::new();
    let mut in_time = 0;
    for (signal, at_least) in [(Signal::KILL, 1), (Signal::INT, EGGS / 2), (Signal::KILL, EGGS)] {
        let killed = large.killed(signal, ".out.flyc-new/eggs", at_least);
        in_time += usize::from(killed);
        assert!(!killed || !large.out().exists(), "a part of a build is no build");
        assert!(large.builds().len() > EGGS);
        let beside: Vec<_> =
            fs::read_dir(large.folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(beside.len(), 2, "what the killed build left is gone: {beside:?}");
        fs::remove_dir_all(large.out()).unwrap();
    }
    assert!(in_time >= 2, "builds are killed in the middle: {in_time}");
}

#[test]
fn ctrl_c_stops_a_build_and_leaves_the_one_before_it() {
    let large = Large::new();
    let mut first = large.builds();
    // A build may be done before the signal is there; then the next is tried.
    let in_time = (0..50).any(|round| {
        large.name(&format!("round-{round}"));
        let in_time = large.killed(Signal::INT, STAGED, 1);
        if !in_time {
            first = tree(&large.out());
        }
        in_time
    });
    assert!(in_time);
    assert_eq!(manifest(&large.out()), manifest_of(&first));
    host::recover(&large.out()).unwrap();
    assert_eq!(tree(&large.out()), first);
}

/// A limit on the size of files is the full disk that a test can have: a write fails in the middle.
#[test]
fn a_disk_that_takes_no_more_leaves_the_build_before() {
    let large = Large::new();
    let first = large.builds();
    large.name("second");
    // The manifest is larger than that, and is written after all others; the signal is told as an error then.
    let limited = |limit: usize| {
        let script = format!("ulimit -f {limit}; trap '' XFSZ; exec \"$0\" \"$@\"");
        let flyc = large.flyc();
        Command::new("bash")
            .args(["-c", &script])
            .arg(flyc.get_program())
            .args(flyc.get_args())
            .output()
            .unwrap()
    };
    for limit in [1, 30] {
        let output = limited(limit);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).starts_with("error: the build can't be written to "), "{}", said(&output));
        assert_eq!(tree(&large.out()), first, "and nothing of the new one");
    }
    // A first build leaves nothing.
    fs::remove_dir_all(large.out()).unwrap();
    assert_eq!(limited(30).status.code(), Some(2));
    assert!(!large.out().exists() && !large.folder.path().join(".out.flyc-new").exists());
}

#[test]
fn a_place_that_can_not_be_written_is_told() {
    let large = Large::new();
    fs::write(large.folder.path().join("file"), "mine").unwrap();
    let mut flyc = Command::new(tools::flyc());
    let output = flyc.arg("build").arg(large.nest()).arg("--out").arg(large.folder.path().join("file/out"));
    let output = output.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("the build can't be written to"), "{}", said(&output));
    assert_eq!(fs::read_to_string(large.folder.path().join("file")).unwrap(), "mine");
}

#[test]
fn builds_at_one_time_leave_one_of_them_whole() {
    let large = Large::new();
    let first = large.builds();
    large.name("second");
    for round in 0..3 {
        let both: Vec<Child> = (0..3).map(|_| large.flyc().spawn().unwrap()).collect();
        let mut done = 0;
        for child in both {
            let output = child.wait_with_output().unwrap();
            match output.status.code() {
                Some(0) => done += 1,
                Some(2) => {
                    assert!(said(&output).contains("another build is being written to"), "{}", said(&output));
                }
                code => panic!("{code:?} {}", said(&output)),
            }
        }
        assert!(done >= 1, "one of them is written");
        let built = tree(&large.out());
        assert_eq!(built.len(), first.len());
        assert_ne!(built["manifest.json"], first["manifest.json"]);
        assert_eq!(built, large.builds(), "what stands there is whole");
        if round == 1 {
            // And where there was nothing.
            fs::remove_dir_all(large.out()).unwrap();
        } else {
            large.name(&format!("round-{round}"));
        }
    }
}
