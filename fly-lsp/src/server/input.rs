//! What comes in: messages that can't be read are answered and skipped, where the library would end.

use serde_json::Value;
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex,
};

/// What stands in for a message that can't be read, so that it is answered in its turn.
pub(crate) const UNREADABLE: &str = "fly/unreadable";

/// The largest message, in bytes; a file of Fly is at most a quarter of it.
const MOST: usize = 64 << 20;

/// How much may wait between the two ends, in bytes.
const BUFFER: usize = 64 << 10;

/// The messages of an input, each of which can be read.
pub(crate) fn readable(input: impl AsyncRead + Unpin + Send + 'static) -> DuplexStream {
    let (mut into, out) = duplex(BUFFER);
    tokio::spawn(async move {
        let mut input = BufReader::new(input);
        while let Some(message) = next(&mut input).await {
            let body = message.unwrap_or_else(|| {
                format!("{{\"jsonrpc\":\"2.0\",\"method\":\"{UNREADABLE}\"}}").into_bytes()
            });
            let head = format!("Content-Length: {}\r\n\r\n", body.len());
            if into.write_all(head.as_bytes()).await.is_err() || into.write_all(&body).await.is_err() {
                break;
            }
        }
    });
    out
}

/// The next message; none within when it can't be read, none at all at the end.
async fn next(input: &mut (impl AsyncBufRead + Unpin)) -> Option<Option<Vec<u8>>> {
    let mut length: Option<usize> = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line).await.ok()? == 0 {
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
            let there = input.fill_buf().await.ok()?.len();
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
    input.read_exact(&mut body).await.ok()?;
    let is_message = serde_json::from_slice::<Value>(&body).is_ok_and(|value| value.is_object());
    Some(is_message.then_some(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn messages(text: &str) -> Vec<Option<String>> {
        let mut input = BufReader::new(text.as_bytes());
        let mut found = Vec::new();
        while let Some(message) = next(&mut input).await {
            found.push(message.map(|body| String::from_utf8(body).unwrap()));
        }
        found
    }

    #[tokio::test]
    async fn what_cannot_be_read_does_not_end_the_rest() {
        let text = "Content-Length: 2\r\n\r\n{}Content-Length: 3\r\n\r\n{x}\r\nnonsense\r\ncontent-length: 2\r\n\r\n[]Content-Length: 8\r\n\r\n{\"a\": 1}";
        let expected = [Some("{}"), None, None, Some("{\"a\": 1}")].map(|body| body.map(str::to_owned));
        assert_eq!(messages(text).await, expected);
        assert_eq!(messages("Content-Length: 99\r\n\r\n{}").await, []);
    }
}
