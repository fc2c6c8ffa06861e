//! What comes in: messages that can't be read are answered and skipped, where the library would end.
//!
//! A thread of its own reads, so that a message is handed on as soon as it is whole. Never here: what a message means.

use std::{
    io::{self, BufRead, BufReader, Read},
    pin::Pin,
    task::{Context, Poll},
    thread,
};

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, ReadBuf},
    sync::mpsc::{Receiver, channel},
};
use tower_lsp_server::jsonrpc::{Id, Request, Response};

/// What stands in for a message that can't be read, so that it is answered in its turn.
pub(crate) const UNREADABLE: &str = "fly/unreadable";

/// What stands in for JSON that is no message, with its number when it has one.
pub(crate) const INVALID: &str = "fly/invalid";

/// The largest message, in bytes; a file of Fly is at most a quarter of it.
const MOST: usize = 64 << 20;

/// How many messages may wait; when more come, they wait in the pipe.
const WAITING: usize = 256;

/// The messages of an input, each of which can be read.
pub(crate) struct Input {
    messages: Receiver<Vec<u8>>,
    /// The message that is being handed on, and how much of it has been.
    message: Vec<u8>,
    taken: usize,
}

impl Input {
    /// Reads on a thread of its own; `ended` is told when there is no more.
    pub(crate) fn from(input: impl Read + Send + 'static, ended: impl FnOnce() + Send + 'static) -> Self {
        let (sender, messages) = channel(WAITING);
        thread::spawn(move || {
            let mut input = BufReader::with_capacity(64 << 10, input);
            while let Some(message) = next(&mut input) {
                let body = message.unwrap_or_else(|wrong| wrong.stand_in().to_string().into_bytes());
                let mut whole = format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes();
                whole.extend_from_slice(&body);
                if sender.blocking_send(whole).is_err() {
                    break;
                }
            }
            ended();
        });
        Self { messages, message: Vec::new(), taken: 0 }
    }
}

impl AsyncRead for Input {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.taken == self.message.len() {
            match self.messages.poll_recv(context) {
                Poll::Ready(Some(message)) => (self.message, self.taken) = (message, 0),
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Pending => return Poll::Pending,
            }
        }
        let rest = &self.message[self.taken..];
        let some = &rest[..rest.len().min(into.remaining())];
        into.put_slice(some);
        self.taken += some.len();
        Poll::Ready(Ok(()))
    }
}

/// Why a message is not handed on.
#[derive(Debug, PartialEq)]
enum Wrong {
    /// It is no JSON.
    Unreadable,
    /// It is JSON, and neither a request nor an answer.
    Invalid(Option<Id>),
}

impl Wrong {
    /// What is handed on instead.
    fn stand_in(&self) -> Value {
        match self {
            Self::Unreadable => json!({ "jsonrpc": "2.0", "method": UNREADABLE }),
            Self::Invalid(None) => json!({ "jsonrpc": "2.0", "method": INVALID }),
            Self::Invalid(Some(id)) => json!({ "jsonrpc": "2.0", "method": INVALID, "id": id }),
        }
    }
}

/// A message as the library reads it, which ends at what is none.
#[derive(Deserialize)]
#[serde(untagged)]
enum Message {
    Response(#[allow(dead_code, reason = "it is only tried")] Response),
    Request(#[allow(dead_code, reason = "it is only tried")] Request),
}

/// A body that the library can read.
fn judged(body: Vec<u8>) -> Result<Vec<u8>, Wrong> {
    let text = str::from_utf8(&body).map_err(|_| Wrong::Unreadable)?;
    if serde_json::from_str::<Message>(text).is_ok() {
        return Ok(body);
    }
    // The only text that JSON can write and nobody can read: halves of letters. An editor may have some in its document,
    // and an edit that was lost would shift all that come after it.
    let whole = with_whole_letters(text);
    if whole.as_ref().is_some_and(|whole| serde_json::from_str::<Message>(whole).is_ok()) {
        return whole.map(String::into_bytes).ok_or(Wrong::Unreadable);
    }
    let value: Value = serde_json::from_str(text).map_err(|_| Wrong::Unreadable)?;
    // To an answer nobody answers under its number.
    let id = value.get("id").filter(|_| value.get("method").is_some());
    Err(Wrong::Invalid(id.and_then(|id| Id::deserialize(id).ok()).filter(|id| *id != Id::Null)))
}

/// A text of JSON with a letter for each half of one, which is as long in UTF-16; none when there is no half.
fn with_whole_letters(text: &str) -> Option<String> {
    let unit = |rest: &str| u16::from_str_radix(rest.strip_prefix("\\u")?.get(..4)?, 16).ok();
    let mut mended = String::with_capacity(text.len());
    let (mut rest, mut is_mended) = (text, false);
    while let Some(at) = rest.find('\\') {
        mended.push_str(&rest[..at]);
        rest = &rest[at..];
        let next = rest.get(6..).and_then(unit);
        let taken = match (unit(rest), next) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                mended.push_str("\\ufffd");
                is_mended = true;
                rest = &rest[6..];
                continue;
            }
            // The backslash and what it stands before.
            _ => rest.chars().take(2).map(char::len_utf8).sum(),
        };
        mended.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    mended.push_str(rest);
    is_mended.then_some(mended)
}

/// The next message; none at the end.
fn next(input: &mut impl BufRead) -> Option<Result<Vec<u8>, Wrong>> {
    let mut length: Option<usize> = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        // What never ends is no header, and is taken in pieces.
        if input.take(8 << 10).read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        let header = String::from_utf8_lossy(&line);
        let header = header.trim();
        if header.is_empty() {
            match length {
                Some(_) => break,
                // Blank lines between messages are nobody's.
                None => continue,
            }
        }
        // A broken header may be followed by a whole one: the last that says a length counts.
        if let Some((name, value)) = header.rsplit_once(':')
            && name.to_ascii_lowercase().ends_with("content-length")
        {
            length = value.trim().parse().ok();
        }
    }
    let length = length?;
    if length > MOST {
        let mut left = u64::try_from(length).ok()?;
        while left > 0 {
            let there = input.fill_buf().ok()?.len();
            let taken = there.min(usize::try_from(left).unwrap_or(there));
            if taken == 0 {
                return None;
            }
            input.consume(taken);
            left -= u64::try_from(taken).ok()?;
        }
        return Some(Err(Wrong::Unreadable));
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body).ok()?;
    Some(judged(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &[u8]) -> Vec<Result<String, Wrong>> {
        let mut input = BufReader::new(text);
        let mut found = Vec::new();
        while let Some(message) = next(&mut input) {
            found.push(message.map(|body| String::from_utf8(body).unwrap()));
        }
        found
    }

    #[test]
    fn what_cannot_be_read_does_not_end_the_rest() {
        let hello = r#"{"jsonrpc":"2.0","method":"a"}"#;
        let text = format!(
            "Content-Length: 30\r\n\r\n{hello}Content-Length: 3\r\n\r\n{{x}}\r\nnonsense\r\ncontent-length: 2\r\n\r\n[]Content-Length: 30\r\n\r\n{hello}"
        );
        let whole = || Ok(hello.to_owned());
        let expected = [whole(), Err(Wrong::Unreadable), Err(Wrong::Invalid(None)), whole()];
        assert_eq!(messages(text.as_bytes()), expected);
        assert_eq!(messages(b"Content-Length: 99\r\n\r\n{}"), []);
        assert_eq!(messages(b"X: \xff\r\nContent-Length: 2\r\n\r\n{}"), [Err(Wrong::Invalid(None))]);
    }

    #[test]
    fn halves_of_letters_are_letters() {
        let message = |text: &str| format!(r#"{{"jsonrpc":"2.0","method":"x","params":["{text}"]}}"#);
        for (written, read) in [
            (r"\ud800", r"\ufffd"),
            (r"a\udc00\ud83d\udd11\ud83d", r"a\ufffd\ud83d\udd11\ufffd"),
            (r"\\ud800\ud800\n", r"\\ud800\ufffd\n"),
            (r"\ud800\u0041ключ\\", r"\ufffd\u0041ключ\\"),
        ] {
            let read = message(read).into_bytes();
            assert_eq!(judged(message(written).into_bytes()).as_ref(), Ok(&read), "{written}");
        }
        assert_eq!(with_whole_letters(r"\ud83d\udd11 \"), None);
        assert_eq!(judged(message(r"\ud8").into_bytes()), Err(Wrong::Unreadable));
    }

    #[test]
    fn only_messages_are_handed_on() {
        let deep = format!("{{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"params\":{}", "[".repeat(9000));
        for (body, expected) in [
            (
                &b"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"x\",\"params\":{\"a\":\"\xff\xfe\"}}"[..],
                Wrong::Unreadable,
            ),
            (br#"{"jsonrpc":"2.0","method":"x","params":1e999}"#, Wrong::Unreadable),
            (format!("{deep}{}}}", "]".repeat(9000)).as_bytes(), Wrong::Unreadable),
            (br#"{"jsonrpc":"2.0","id":1.5,"method":"x"}"#, Wrong::Invalid(None)),
            (br#"{"jsonrpc":"1.0","id":7,"method":"x"}"#, Wrong::Invalid(Some(Id::Number(7)))),
            (br#"{"id":"a","method":3}"#, Wrong::Invalid(Some("a".into()))),
            (br#"{"id":7,"result":null}"#, Wrong::Invalid(None)),
            (b"{}", Wrong::Invalid(None)),
            (b"[]", Wrong::Invalid(None)),
        ] {
            assert_eq!(judged(body.to_vec()), Err(expected), "{}", String::from_utf8_lossy(body));
        }
        let answer = br#"{"jsonrpc":"2.0","id":7,"result":null}"#;
        assert_eq!(judged(answer.to_vec()).as_deref(), Ok(&answer[..]));
    }
}
