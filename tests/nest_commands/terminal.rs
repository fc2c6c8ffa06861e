//! A program on a terminal of its own, with somebody who reads what it asks before answering.

use std::{
    io::{Read, Write},
    os::fd::{AsFd, OwnedFd},
    path::Path,
    process::Child,
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

use polar_gosling_tests::tools;

/// What isn't asked in so long isn't asked.
const PATIENCE: Duration = Duration::from_mins(2);

/// What the program has printed, and whether it has gone.
#[derive(Default)]
struct Screen {
    text: Vec<u8>,
    over: bool,
}

pub(crate) struct Terminal {
    child: Child,
    hand: OwnedFd,
    /// Held, so that the terminal is there when the program has gone.
    own: Option<pty_process::blocking::Pts>,
    screen: Arc<(Mutex<Screen>, Condvar)>,
    /// How much was read.
    seen: usize,
    before: rustix::termios::Termios,
}

/// How a program ended, and what was on its terminal.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) text: String,
    /// Whether the terminal is as it was.
    pub(crate) restored: bool,
}

impl Terminal {
    /// Starts gosling in a folder.
    pub(crate) fn gosling(folder: &Path, data: &Path, arguments: &[&str]) -> Self {
        let (pty, pts) = pty_process::blocking::open().unwrap();
        pty.resize(pty_process::Size::new(50, 200)).unwrap();
        let hand: OwnedFd = pty.into();
        let before = rustix::termios::tcgetattr(&hand).unwrap();
        let mut command = pty_process::blocking::Command::new(tools::gosling());
        for variable in super::world::VARIABLES {
            command = command.env_remove(variable);
        }
        let command = command.args(arguments).current_dir(folder).env("GOSLING_DATA", data);
        let child = command.env("TERM", "xterm").env("NO_COLOR", "1").spawn_borrowed(&pts).unwrap();
        let screen = Arc::new((Mutex::new(Screen::default()), Condvar::new()));
        let (shared, reader) = (Arc::clone(&screen), hand.try_clone().unwrap());
        thread::spawn(move || {
            let mut file = std::fs::File::from(reader);
            let mut bytes = [0; 4096];
            loop {
                let read = file.read(&mut bytes).unwrap_or(0);
                let mut screen = shared.0.lock().unwrap();
                screen.text.extend_from_slice(&bytes[..read]);
                screen.over |= read == 0;
                let over = screen.over;
                drop(screen);
                shared.1.notify_all();
                if over {
                    return;
                }
            }
        });
        Self { child, hand, own: Some(pts), screen, seen: 0, before }
    }

    /// Waits until this is on the terminal.
    pub(crate) fn wait(&mut self, text: &str) {
        let (lock, change) = &*self.screen;
        let (begin, mut gone) = (Instant::now(), None);
        let mut screen = lock.lock().unwrap();
        loop {
            let found = screen.text[self.seen..].windows(text.len()).position(|part| part == text.as_bytes());
            if let Some(at) = found {
                self.seen += at + text.len();
                return;
            }
            if gone.is_none() && self.child.try_wait().unwrap().is_some() {
                gone = Some(Instant::now());
            }
            // What it printed at last may be on its way.
            let late = gone.is_some_and(|gone| gone.elapsed() > Duration::from_secs(5));
            let told = String::from_utf8_lossy(&screen.text[self.seen..]);
            assert!(!late && begin.elapsed() < PATIENCE, "{text:?} isn't asked:\n{told}");
            screen = change.wait_timeout(screen, Duration::from_millis(200)).unwrap().0;
        }
    }

    /// Somebody makes the window smaller or larger.
    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        let size = rustix::termios::Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&self.hand, size).unwrap();
    }

    pub(crate) fn send(&self, keys: &str) {
        let mut file = std::fs::File::from(self.hand.try_clone().unwrap());
        file.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for a question, and answers it.
    pub(crate) fn answer(&mut self, question: &str, answer: &str) {
        self.wait(&format!("? {question}"));
        self.send(&format!("{answer}\r"));
    }

    pub(crate) fn end(mut self) -> Ended {
        let begin = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            let (lock, change) = &*self.screen;
            let screen = lock.lock().unwrap();
            let told = String::from_utf8_lossy(&screen.text[self.seen..]).into_owned();
            if begin.elapsed() > PATIENCE {
                let _ = self.child.kill();
                panic!("it doesn't end:\n{told}");
            }
            drop(change.wait_timeout(screen, Duration::from_millis(20)).unwrap());
        };
        let after = rustix::termios::tcgetattr(self.hand.as_fd()).unwrap();
        let modes = |it: &rustix::termios::Termios| (it.local_modes, it.input_modes, it.output_modes);
        let restored = modes(&self.before) == modes(&after);
        // With this end closed as well, what was printed is read to its end.
        drop(self.own.take());
        let (lock, change) = &*self.screen;
        let mut screen = lock.lock().unwrap();
        while !screen.over {
            assert!(begin.elapsed() < PATIENCE, "the terminal isn't read to its end");
            screen = change.wait_timeout(screen, Duration::from_millis(200)).unwrap().0;
        }
        let text = String::from_utf8_lossy(&screen.text).into_owned();
        drop(screen);
        Ended { code: status.code(), text, restored }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It has ended, unless the test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
