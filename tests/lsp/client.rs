//! A client of the language server: a real process, spoken to as an editor does.

use std::{
    collections::VecDeque,
    io::{BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    time::Duration,
};

use polar_gosling_tests::tools;
use serde_json::{Value, json};

/// How long an answer may take before the test fails; no test waits this long when all is well.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running server.
pub(crate) struct Client {
    process: Child,
    /// While it is there, nothing is read.
    deaf: Option<Sender<()>>,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    waiting: VecDeque<Value>,
    next: i64,
    pub(crate) root: PathBuf,
}

impl Client {
    /// Starts a server for a Nest and says hello.
    pub(crate) fn start(root: &Path) -> Self {
        let mut client = Self::spawn(root);
        let answer = client.request("initialize", client.hello());
        assert!(answer["result"]["capabilities"].is_object(), "{answer}");
        client.notify("initialized", json!({}));
        client
    }

    /// Starts a server and says hello as another editor would: the hello is changed before it is said.
    pub(crate) fn start_as(root: &Path, change: impl FnOnce(&mut Value)) -> Self {
        let mut client = Self::spawn(root);
        let mut hello = client.hello();
        change(&mut hello);
        let answer = client.request("initialize", hello);
        assert!(answer["result"]["capabilities"].is_object(), "{answer}");
        client.notify("initialized", json!({}));
        client
    }

    /// Starts a server without saying anything.
    pub(crate) fn spawn(root: &Path) -> Self {
        let mut client = Self::deaf(root);
        client.listen();
        client
    }

    /// Begins to read what the server says.
    pub(crate) fn listen(&mut self) {
        drop(self.deaf.take());
    }

    /// Starts a server whose output is not read before [`Self::listen`].
    pub(crate) fn deaf(root: &Path) -> Self {
        let mut process = Command::new(tools::fly_lsp())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let (sender, messages) = channel();
        let (deaf, listens) = channel::<()>();
        std::thread::spawn(move || {
            // Nothing is ever sent: it ends.
            let _ = listens.recv();
            let mut next = || serde_json::from_slice::<Value>(&tools::read_message(&mut output)?).ok();
            while let Some(message) = next() {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let input = process.stdin.take();
        let root = root.canonicalize().unwrap();
        Self { process, deaf: Some(deaf), input, messages, waiting: VecDeque::new(), next: 0, root }
    }

    pub(crate) fn hello(&self) -> Value {
        json!({
            "processId": null,
            "rootUri": null,
            "workspaceFolders": [{ "uri": self.uri(""), "name": "nest" }],
            "capabilities": {
                "general": { "positionEncodings": ["utf-16"] },
                "textDocument": {
                    "codeAction": { "codeActionLiteralSupport": { "codeActionKind": { "valueSet": [] } } },
                    "documentSymbol": { "hierarchicalDocumentSymbolSupport": true },
                    "completion": { "completionItem": { "snippetSupport": true } },
                    "publishDiagnostics": {
                        "relatedInformation": true,
                        "versionSupport": true,
                        "codeDescriptionSupport": true,
                        "dataSupport": true,
                        "tagSupport": { "valueSet": [1, 2] },
                    },
                },
                "workspace": { "workspaceEdit": { "documentChanges": true, "resourceOperations": ["rename"] } },
            },
        })
    }

    pub(crate) fn uri(&self, path: &str) -> String {
        format!("file://{}/{path}", self.root.display()).trim_end_matches('/').to_owned()
    }

    pub(crate) fn write(&mut self, text: &str) {
        let input = self.input.as_mut().unwrap();
        write!(input, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        input.flush().unwrap();
    }

    /// Writes what need be neither text nor a message.
    pub(crate) fn write_bytes(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(bytes).unwrap();
        input.flush().unwrap();
    }

    pub(crate) fn notify(&mut self, method: &str, params: Value) {
        self.write(&json!({ "jsonrpc": "2.0", "method": method, "params": params }).to_string());
    }

    /// Asks without waiting; the number of the question.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> i64 {
        self.next += 1;
        let id = self.next;
        self.write(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string());
        id
    }

    pub(crate) fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.ask(method, params);
        self.answer(id)
    }

    /// The answer to a question.
    pub(crate) fn answer(&mut self, id: i64) -> Value {
        self.until(|message| message["id"] == id && message["method"].is_null())
    }

    /// The next message that is wanted; the others wait.
    pub(crate) fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.waiting.iter().position(&wanted) {
            return self.waiting.remove(at).unwrap();
        }
        loop {
            match self.messages.recv_timeout(PATIENCE) {
                Ok(message) if wanted(&message) => return message,
                Ok(message) => self.waiting.push_back(message),
                Err(RecvTimeoutError::Timeout) => panic!("no answer; waiting: {:?}", self.waiting),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("the server has gone; waiting: {:?}", self.waiting)
                }
            }
        }
    }

    /// The next notification or request of a method.
    pub(crate) fn told(&mut self, method: &str) -> Value {
        self.until(|message| message["method"] == method)
    }

    /// Whether a message of a method has come and waits.
    pub(crate) fn has(&self, wanted: impl Fn(&Value) -> bool) -> bool {
        self.waiting.iter().any(wanted)
    }

    /// Takes what has come so far into account: an answer shows that it is there.
    pub(crate) fn settle(&mut self) {
        let answer = self.request("workspace/symbol", json!({ "query": "settled" }));
        assert!(answer["error"].is_null(), "{answer}");
    }

    /// Answers what the server asks.
    pub(crate) fn reply(&mut self, asked: &Value, result: Value) {
        self.write(&json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result }).to_string());
    }

    pub(crate) fn close(&mut self, path: &str) {
        let document = json!({ "textDocument": { "uri": self.uri(path) } });
        self.notify("textDocument/didClose", document);
    }

    /// Tells that files are others on disk: 1 is new, 2 another, 3 gone.
    pub(crate) fn watched(&mut self, files: &[(&str, i64)]) {
        let changes: Vec<_> =
            files.iter().map(|(path, kind)| json!({ "uri": self.uri(path), "type": kind })).collect();
        self.notify("workspace/didChangeWatchedFiles", json!({ "changes": changes }));
    }

    /// Asks for the diagnostics of a file; their codes.
    pub(crate) fn pulled(&mut self, path: &str) -> Vec<String> {
        let document = json!({ "textDocument": { "uri": self.uri(path) } });
        let answer = self.request("textDocument/diagnostic", document);
        let items = answer["result"]["items"].as_array().unwrap_or_else(|| panic!("{answer}"));
        items.iter().map(|item| item["code"].as_str().unwrap().to_owned()).collect()
    }

    /// The labels that are offered at a position.
    pub(crate) fn completed(&mut self, path: &str, line: u32, character: u32) -> Vec<String> {
        let at = self.at(path, line, character);
        let answer = self.request("textDocument/completion", at);
        let found = answer["result"].as_array().or(answer["result"]["items"].as_array());
        let items = found.unwrap_or_else(|| panic!("{answer}"));
        items.iter().map(|item| item["label"].as_str().unwrap().to_owned()).collect()
    }

    /// The memory the server holds, in KiB; none where the system does not tell.
    pub(crate) fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.split_whitespace().next()?.parse().ok()
    }

    /// Waits for the server's end; the exit code.
    pub(crate) fn end(mut self) -> Option<i32> {
        self.process.wait().unwrap().code()
    }

    /// The diagnostics of a file at a version.
    pub(crate) fn diagnostics(&mut self, path: &str, version: Option<i64>) -> Vec<Value> {
        let uri = self.uri(path);
        let told = self.until(|message| {
            message["method"] == "textDocument/publishDiagnostics"
                && message["params"]["uri"] == *uri
                && version.is_none_or(|version| message["params"]["version"] == version)
        });
        told["params"]["diagnostics"].as_array().unwrap().clone()
    }

    pub(crate) fn open(&mut self, path: &str, text: &str) {
        let uri = self.uri(path);
        self.notify(
            "textDocument/didOpen",
            json!({ "textDocument": { "uri": uri, "languageId": "fly", "version": 1, "text": text } }),
        );
    }

    pub(crate) fn change(&mut self, path: &str, version: i64, changes: Value) {
        let uri = self.uri(path);
        self.notify(
            "textDocument/didChange",
            json!({ "textDocument": { "uri": uri, "version": version }, "contentChanges": changes }),
        );
    }

    pub(crate) fn at(&self, path: &str, line: u32, character: u32) -> Value {
        json!({ "textDocument": { "uri": self.uri(path) }, "position": { "line": line, "character": character } })
    }

    /// Says goodbye; the exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        let answer = self.request("shutdown", Value::Null);
        assert!(answer["error"].is_null(), "{answer}");
        self.notify("exit", Value::Null);
        self.process.wait().unwrap().code()
    }

    /// Goes away without a word; the exit code.
    pub(crate) fn leave(mut self) -> Option<i32> {
        drop(self.input.take());
        self.process.wait().unwrap().code()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
