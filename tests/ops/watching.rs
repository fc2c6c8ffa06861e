//! `gosling status --watch` on a terminal, and `gosling logs --follow`: what comes is shown, whoever is away for a while.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read},
    os::unix::process::ExitStatusExt,
    process::{Child, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use polar_gosling_tests::{doubles::stage::Stage, need};

use crate::{stage, terminal::Terminal};

/// What isn't said in so long isn't said.
const PATIENCE: Duration = Duration::from_mins(2);

#[test]
fn watching_draws_anew_and_leaves_the_screen_as_it_was() {
    let mut stage = need!(stage());
    let (url, token) = (stage.url(), stage.folder().join("token"));
    let arguments = ["status", "--watch", "--api", &url, "--token-file", token.to_str().unwrap()];
    let mut terminal = Terminal::gosling(stage.folder(), &stage.data(), &arguments);
    terminal.wait("\u{1b}[?1049h");
    terminal.wait("demo");
    stage.queue_job("one", &["demo"], &["true"]);
    terminal.wait("demo-1");
    // What has no room is left out instead of pushing the rest off the screen.
    terminal.resize(4, 60);
    terminal.wait("more lines");
    terminal.resize(50, 200);
    terminal.wait("demo-1");
    // Whoever is away may come back.
    assert!(stage.stop().success(), "{}", stage.log());
    terminal.wait("still trying");
    stage.serve(&[]);
    terminal.wait("demo-1");
    terminal.send("\u{3}");
    let ended = terminal.end();
    assert_eq!((ended.code, ended.restored), (Some(130), true), "{}", ended.text);
    let last = |what: &str| ended.text.rfind(what);
    assert!(last("\u{1b}[?1049l") > last("\u{1b}[?1049h"), "it is back at the first screen: {}", ended.text);
    assert!(last("\u{1b}[?25h") > last("\u{1b}[?25l"), "with its cursor: {}", ended.text);
}

/// `gosling logs --follow`, and its lines.
struct Followed {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Followed {
    fn start(stage: &Stage) -> Self {
        let mut command = stage.gosling(&["logs", "--follow"]);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (say, lines) = channel();
        let stdout = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                if line.is_ok_and(|line| say.send(line).is_err()) {
                    return;
                }
            }
        });
        Self { child, lines, seen: Vec::new() }
    }

    /// Waits for a line that has all of these words.
    fn wait(&mut self, words: &str) {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            let is_it = words.split(' ').all(|word| line.contains(word));
            self.seen.push(line);
            if is_it {
                return;
            }
        }
        panic!("{words} isn't told of:\n{}", self.seen.join("\n"));
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_is_done_is_followed_over_a_restart() {
    let mut stage = need!(stage());
    stage.run(&["pause", "demo"]);
    let mut followed = Followed::start(&stage);
    followed.wait("egg.pause egg demo by api:stage");
    stage.run(&["resume", "demo"]);
    followed.wait("egg.resume egg demo");
    stage.queue_job("one", &["demo"], &["true"]);
    followed.wait("runner.make runner demo-1");
    assert!(stage.stop().success(), "{}", stage.log());
    let mut errors = BufReader::new(followed.child.stderr.take().unwrap());
    let mut away = String::new();
    errors.read_line(&mut away).unwrap();
    assert!(away.contains("doesn't answer") && away.ends_with("; still trying\n"), "{away}");
    stage.serve(&[]);
    stage.run(&["pause", "demo"]);
    // The first one was told already.
    followed.wait("egg.pause egg demo by api:stage");
    let id = followed.child.id().to_string();
    // Not by SIGINT: what a shell starts in the background ignores that, and so would this.
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(followed.child.wait().unwrap().signal(), Some(15));
    let mut more = String::new();
    errors.read_to_string(&mut more).unwrap();
    assert_eq!(more, "", "it is told once that nobody answers");
    let all: BTreeSet<&String> = followed.seen.iter().collect();
    assert_eq!(all.len(), followed.seen.len(), "an entry is told once:\n{}", followed.seen.join("\n"));
}
