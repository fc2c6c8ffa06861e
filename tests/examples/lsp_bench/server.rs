//! A language server as a process, and when its messages came.

#![allow(clippy::needless_pass_by_value, reason = "the `json!` macro makes values, which are given away")]

use std::{
    collections::{HashMap, VecDeque},
    fs,
    io::{BufReader, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use polar_gosling_tests::tools::read_message;
use serde_json::{Value, json};

/// A server that is silent for so long has failed.
const PATIENCE: Duration = Duration::from_mins(3);

pub(crate) struct Server {
    process: Child,
    input: ChildStdin,
    messages: Receiver<(Value, Instant)>,
    next: i64,
    settings: Value,
    /// What was told of each file: how many diagnostics, about which version, and when.
    told: HashMap<String, (usize, Option<i64>, Instant)>,
    with_some: usize,
    /// What was told of a file, in the order it came, since it was last asked for.
    waiting: VecDeque<(String, Option<i64>, Instant)>,
}

impl Server {
    pub(crate) fn start(command: &[String], settings: Value) -> Self {
        let mut process = Command::new(&command[0])
            .args(&command[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let mut output = BufReader::with_capacity(1 << 20, process.stdout.take().unwrap());
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            while let Some(body) = read_message(&mut output) {
                let came = Instant::now();
                let Ok(message) = serde_json::from_slice(&body) else { continue };
                if sender.send((message, came)).is_err() {
                    break;
                }
            }
        });
        let input = process.stdin.take().unwrap();
        Self {
            process,
            input,
            messages,
            next: 0,
            settings,
            told: HashMap::new(),
            with_some: 0,
            waiting: VecDeque::new(),
        }
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        let whole = format!("Content-Length: {}\r\n\r\n{text}", text.len());
        self.input.write_all(whole.as_bytes()).and_then(|()| self.input.flush()).expect("the server listens");
    }

    pub(crate) fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Asks and waits; the answer and when it came.
    pub(crate) fn request(&mut self, method: &str, params: Value) -> (Value, Instant) {
        self.next += 1;
        let id = self.next;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        loop {
            let (message, came) = self.receive();
            if message["id"] == id && message["method"].is_null() {
                return (message, came);
            }
            self.take(&message, came);
        }
    }

    fn receive(&mut self) -> (Value, Instant) {
        self.messages.recv_timeout(PATIENCE).expect("the server says something")
    }

    /// Takes a message that nobody waits for; what the server asks is answered.
    fn take(&mut self, message: &Value, came: Instant) {
        let Some(method) = message["method"].as_str() else { return };
        if method == "textDocument/publishDiagnostics" {
            let params = &message["params"];
            let uri = params["uri"].as_str().unwrap_or_default().to_owned();
            let count = params["diagnostics"].as_array().map_or(0, Vec::len);
            let version = params["version"].as_i64();
            let before = self.told.insert(uri.clone(), (count, version, came));
            // Counted as it comes: counting anew each time would be measured, too.
            self.with_some -= usize::from(before.is_some_and(|(count, ..)| count > 0));
            self.with_some += usize::from(count > 0);
            self.waiting.push_back((uri, version, came));
        } else if !message["id"].is_null() {
            let result = match method {
                "workspace/configuration" => {
                    let items = message["params"]["items"].as_array().cloned().unwrap_or_default();
                    let setting = |item: &Value| {
                        item["section"]
                            .as_str()
                            .map_or(&self.settings, |section| &self.settings[section])
                            .clone()
                    };
                    items.iter().map(setting).collect()
                }
                _ => Value::Null,
            };
            self.send(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }));
        }
    }

    /// When so many files had been told to have diagnostics, or when this one had been told of.
    pub(crate) fn first_diagnostics(&mut self, expect: Option<usize>, uri: &str) -> Instant {
        loop {
            let last = match expect {
                Some(expect) if self.with_some() >= expect => {
                    self.told.values().map(|(.., came)| *came).max()
                }
                Some(_) => None,
                None => self.told.get(uri).map(|(.., came)| *came),
            };
            if let Some(last) = last {
                return last;
            }
            let (message, came) = self.receive();
            self.take(&message, came);
        }
    }

    /// How many files have diagnostics.
    pub(crate) const fn with_some(&self) -> usize {
        self.with_some
    }

    /// When a file's diagnostics came after the edit that was just sent: those of its version, or the next from a server
    /// that tells no versions.
    pub(crate) fn diagnostics_of(&mut self, uri: &str, version: i64) -> Instant {
        self.waiting.clear();
        loop {
            let (message, came) = self.receive();
            self.take(&message, came);
            while let Some((told, about, came)) = self.waiting.pop_front() {
                if told == uri && about.is_none_or(|about| about >= version) {
                    return came;
                }
            }
        }
    }

    /// When a file had diagnostics where it had none before the edit that was just sent, or none where it had some.
    pub(crate) fn turn_of(&mut self, uri: &str) -> Instant {
        let some = |told: Option<&(usize, Option<i64>, Instant)>| told.is_some_and(|(count, ..)| *count > 0);
        let before = some(self.told.get(uri));
        loop {
            let (message, came) = self.receive();
            self.take(&message, came);
            let now = self.told.get(uri);
            if some(now) != before {
                return now.map_or(came, |(.., came)| *came);
            }
        }
    }

    /// What the process holds and what it held at most, in MiB.
    pub(crate) fn memory(&self) -> Option<(u64, u64)> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.split_whitespace().next()?.parse::<u64>().ok()? >> 10)
        };
        Some((of("VmRSS:")?, of("VmHWM:")?))
    }

    /// The processor time that the process has taken so far; its clock counts hundredths of a second.
    pub(crate) fn worked(&self) -> Option<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id())).ok()?;
        // The name in parentheses may hold anything.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        let user: u64 = fields.next()?.parse().ok()?;
        let system: u64 = fields.next()?.parse().ok()?;
        Some(Duration::from_millis((user + system) * 10))
    }

    pub(crate) fn stop(mut self) {
        self.request("shutdown", Value::Null);
        self.notify("exit", Value::Null);
        let _ = self.process.wait();
    }
}
