//! What goes out: whole messages, collected and written by a thread of its own in as few pieces as the pipe takes.
//!
//! An editor that does not read stops nothing but what is said to it: at most [`MOST`] bytes wait here, and whoever wants to
//! say more waits, while texts go on being taken. Never here: what is said.

use std::{
    io::{self, Write},
    pin::Pin,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    thread,
};

use serde::Serialize;
use tokio::io::AsyncWrite;

/// How much may wait, in bytes, before whoever says something waits; one message may be larger.
const MOST: usize = 1 << 20;

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    /// Whether some of it is being written at this moment.
    is_writing: bool,
    /// Nobody listens any more.
    is_closed: bool,
    wakers: Vec<Waker>,
}

/// The way out.
#[derive(Clone, Default)]
pub(crate) struct Output(Arc<(Mutex<Waiting>, Condvar)>);

impl Output {
    /// Everything goes to this writer, from a thread of its own.
    pub(crate) fn to(mut writer: impl Write + Send + 'static) -> Self {
        let output = Self::default();
        let own = output.clone();
        thread::spawn(move || {
            let mut bytes = Vec::new();
            while own.next(&mut bytes) {
                let failed = writer.write_all(&bytes).and_then(|()| writer.flush()).is_err();
                bytes.clear();
                own.written(failed);
            }
        });
        output
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be written next, given an empty buffer for it; false at the end.
    fn next(&self, bytes: &mut Vec<u8>) -> bool {
        let mut waiting = self.lock();
        while waiting.bytes.is_empty() && !waiting.is_closed {
            waiting = self.0.1.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::swap(&mut waiting.bytes, bytes);
        waiting.is_writing = true;
        // A buffer that was large once is not kept.
        waiting.bytes.shrink_to(MOST);
        !bytes.is_empty()
    }

    fn written(&self, failed: bool) {
        let mut waiting = self.lock();
        waiting.is_writing = false;
        waiting.is_closed |= failed;
        waiting.wakers.drain(..).for_each(Waker::wake);
        self.0.1.notify_all();
    }

    /// Whether something can be said without waiting.
    pub(crate) fn has_room(&self) -> bool {
        self.lock().bytes.len() <= MOST
    }

    /// Sends a notification, and waits while too much waits before it.
    pub(crate) fn notify(&self, method: &str, params: impl Serialize) {
        #[derive(Serialize)]
        struct Notification<'a, P> {
            jsonrpc: &'a str,
            method: &'a str,
            params: P,
        }
        let Ok(body) = serde_json::to_vec(&Notification { jsonrpc: "2.0", method, params }) else { return };
        let mut waiting = self.lock();
        while waiting.bytes.len() > MOST && !waiting.is_closed {
            waiting = self.0.1.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        if !waiting.is_closed {
            waiting.bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
            waiting.bytes.extend_from_slice(&body);
            self.0.1.notify_all();
        }
    }
}

fn closed() -> io::Error {
    io::ErrorKind::BrokenPipe.into()
}

// Each write is taken whole, so that messages of others stand between its messages and never in one.
impl AsyncWrite for Output {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut waiting = self.lock();
        if waiting.is_closed {
            return Poll::Ready(Err(closed()));
        }
        if waiting.bytes.len() > MOST {
            waiting.wakers.push(context.waker().clone());
            return Poll::Pending;
        }
        waiting.bytes.extend_from_slice(bytes);
        self.0.1.notify_all();
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(if self.lock().is_closed { Err(closed()) } else { Ok(()) })
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut waiting = self.lock();
        if waiting.is_closed || waiting.bytes.is_empty() && !waiting.is_writing {
            return Poll::Ready(Ok(()));
        }
        waiting.wakers.push(context.waker().clone());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use tokio::io::AsyncWriteExt;

    use super::*;

    /// A pipe that takes a piece only when it is told to.
    struct Slow(Receiver<()>, Sender<Vec<u8>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(|_| closed())?;
            self.1.send(bytes.to_vec()).map_err(|_| closed())?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn nothing_is_lost_and_not_too_much_waits() {
        let (go, wait) = channel();
        let (sender, written) = channel();
        let mut output = Output::to(Slow(wait, sender));
        let piece = vec![b'x'; MOST];
        // The pipe takes nothing: one piece is being written at most, one waits, one more is let in.
        let mut sent = 0;
        loop {
            let mut context = Context::from_waker(Waker::noop());
            match Pin::new(&mut output).poll_write(&mut context, &piece) {
                Poll::Ready(Ok(_)) => sent += 1,
                Poll::Ready(Err(error)) => panic!("{error}"),
                Poll::Pending => break,
            }
            assert!(sent <= 4, "the queue has an end");
        }
        for _ in 0..8 {
            let _ = go.send(());
        }
        output.write_all(b"end").await.unwrap();
        output.shutdown().await.unwrap();
        let all: usize = written.try_iter().map(|piece| piece.len()).sum();
        assert_eq!(all, sent * MOST + 3);
        drop((go, written));
        output.write_all(b"x").await.unwrap();
        assert!(output.shutdown().await.is_ok(), "nobody listens, so nothing is left to write");
    }
}
