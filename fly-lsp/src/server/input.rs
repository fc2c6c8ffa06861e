//! What comes in: messages that can't be read are answered and skipped, where the library would end.
//!
//! A thread of its own reads, so that a message is handed on as soon as it is whole. Never here: what a message means.

use std::{
    io::{self, BufRead, BufReader, Read},
    pin::Pin,
    task::{Context, Poll},
    thread,
};

use serde::de::IgnoredAny;
use tokio::{
    io::{AsyncRead, ReadBuf},
    sync::mpsc::{Receiver, channel},
};

/// What stands in for a message that can't be read, so that it is answered in its turn.
pub(crate) const UNREADABLE: &str = "fly/unreadable";

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
                let body = message.unwrap_or_else(|| {
                    format!("{{\"jsonrpc\":\"2.0\",\"method\":\"{UNREADABLE}\"}}").into_bytes()
                });
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

#[allow(clippy::option_option, reason = "the end is another thing than what can't be read")]
/// The next message; none within when it can't be read, none at all at the end.
fn next(input: &mut impl BufRead) -> Option<Option<Vec<u8>>> {
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
        return Some(None);
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body).ok()?;
    let is_message =
        body.trim_ascii_start().starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(&body).is_ok();
    Some(is_message.then_some(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str) -> Vec<Option<String>> {
        let mut input = BufReader::new(text.as_bytes());
        let mut found = Vec::new();
        while let Some(message) = next(&mut input) {
            found.push(message.map(|body| String::from_utf8(body).unwrap()));
        }
        found
    }

    #[test]
    fn what_cannot_be_read_does_not_end_the_rest() {
        let text = "Content-Length: 2\r\n\r\n{}Content-Length: 3\r\n\r\n{x}\r\nnonsense\r\ncontent-length: 2\r\n\r\n[]Content-Length: 8\r\n\r\n{\"a\": 1}";
        let expected = [Some("{}"), None, None, Some("{\"a\": 1}")].map(|body| body.map(str::to_owned));
        assert_eq!(messages(text), expected);
        assert_eq!(messages("Content-Length: 99\r\n\r\n{}"), []);
    }
}
