//! The order of messages: what changes a text reaches the session as it is read, before any handler runs.
//!
//! The library runs handlers at the same time and begins them when it comes to it. So texts are not changed by handlers at
//! all: this layer sees each message as it arrives, hands what changes texts to the session's queue, and gives every
//! request the number of changes that came before it.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use serde_json::{Value, from_value};
use tower::Service;
use tower_lsp_server::jsonrpc::{Error, Id, Request, Response};

use super::{
    input::{INVALID, UNREADABLE},
    session::{Change, Inbox},
};

tokio::task_local! {
    /// How many changes arrived before the message that is being handled.
    pub(crate) static SEEN: u64;
}

/// How many changes have arrived.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arrived(Arc<AtomicU64>);

/// The layer.
pub(crate) struct Ordered<S> {
    inner: S,
    inbox: Inbox,
    arrived: Arrived,
    stage: Stage,
}

/// How far the conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing counts before `initialize`.
    Before,
    /// The editor has, or will have, its answer.
    Greeted,
    /// It has said something after that, so it listens.
    Listens,
    /// It has said `shutdown`: nothing counts any more.
    Over,
}

impl<S> Ordered<S> {
    pub(crate) fn new(inner: S, inbox: Inbox) -> Self {
        Self { inner, inbox, arrived: Arrived::default(), stage: Stage::Before }
    }
}

fn refused<E: Send + 'static>(id: Id, error: Error) -> Answer<E> {
    Box::pin(std::future::ready(Ok(Some(Response::from_error(id, error)))))
}

type Answer<E> = Pin<Box<dyn Future<Output = Result<Option<Response>, E>> + Send>>;

impl<S> Service<Request> for Ordered<S>
where
    S: Service<Request, Response = Option<Response>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Option<Response>;
    type Error = S::Error;
    type Future = Answer<S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if request.method() == UNREADABLE {
            return refused(Id::Null, Error::parse_error());
        }
        if request.method() == INVALID {
            return refused(request.id().cloned().unwrap_or_default(), Error::invalid_request());
        }
        // The library is silent about all of these; only a notification may be left alone.
        if request.method().starts_with("$/")
            && let Some(id) = request.id()
        {
            return refused(id.clone(), Error::method_not_found());
        }
        let is_hello = request.method() == "initialize";
        if self.stage == Stage::Greeted && !is_hello {
            self.stage = Stage::Listens;
            self.inbox.listens();
        }
        if self.stage == Stage::Listens {
            self.take(&request);
        }
        let is_question = request.id().is_some();
        let seen = self.arrived.0.load(Ordering::SeqCst);
        let mut answer: Answer<S::Error> = Box::pin(SEEN.scope(seen, self.inner.call(request)));
        if is_question && !is_hello {
            return answer;
        }
        // A notification counts at once, however many questions are open: one of them may be cancelled by it. And what
        // comes after `initialize` is to find the session begun, although the library would begin it later.
        match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => answer,
            Poll::Ready(done) => {
                let is_greeted = matches!(&done, Ok(Some(answer)) if answer.is_ok());
                if is_hello && is_greeted && self.stage == Stage::Before {
                    self.stage = Stage::Greeted;
                }
                Box::pin(std::future::ready(done))
            }
        }
    }
}

impl<S> Ordered<S> {
    /// Takes what a message tells the session.
    fn take(&mut self, request: &Request) {
        match request.method() {
            "shutdown" => self.stage = Stage::Over,
            "workspace/didChangeConfiguration" => {
                let given = request.params().and_then(|params| params.get("settings"));
                self.inbox.configuration(given.cloned().unwrap_or(Value::Null));
            }
            _ => {
                if let Some(change) = change_of(request) {
                    let number = self.arrived.0.fetch_add(1, Ordering::SeqCst) + 1;
                    self.inbox.change(number, change);
                }
            }
        }
    }
}

/// What a message changes. One whose parameters are wrong changes nothing; a notification has no answer to say so in.
fn change_of(request: &Request) -> Option<Change> {
    let params = || request.params().cloned();
    let change = match request.method() {
        "textDocument/didOpen" => Change::Opened(from_value(params()?).ok()?),
        "textDocument/didChange" => Change::Edited(from_value(params()?).ok()?),
        "textDocument/didSave" => Change::Saved(from_value(params()?).ok()?),
        "textDocument/didClose" => Change::Closed(from_value(params()?).ok()?),
        "workspace/didChangeWatchedFiles" => Change::Watched(from_value(params()?).ok()?),
        "workspace/didChangeWorkspaceFolders" => Change::Folders(from_value(params()?).ok()?),
        _ => return None,
    };
    Some(change)
}
