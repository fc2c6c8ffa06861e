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
    task::{Context, Poll},
};

use serde_json::from_value;
use tower::Service;
use tower_lsp_server::jsonrpc::{Error, Id, Request, Response};

use super::{
    input::UNREADABLE,
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
}

impl<S> Ordered<S> {
    pub(crate) fn new(inner: S, inbox: Inbox) -> Self {
        Self { inner, inbox, arrived: Arrived::default() }
    }
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
            return Box::pin(async { Ok(Some(Response::from_error(Id::Null, Error::parse_error()))) });
        }
        if let Some(change) = change_of(&request) {
            let number = self.arrived.0.fetch_add(1, Ordering::SeqCst) + 1;
            self.inbox.change(number, change);
        }
        let seen = self.arrived.0.load(Ordering::SeqCst);
        Box::pin(SEEN.scope(seen, self.inner.call(request)))
    }
}

/// What a message changes. One whose parameters are wrong changes nothing; a notification has no answer to say so in.
fn change_of(request: &Request) -> Option<Change> {
    let params = || request.params().cloned();
    let change = match request.method() {
        "textDocument/didOpen" => Change::Opened(from_value(params()?).ok()?),
        "textDocument/didChange" => Change::Edited(from_value(params()?).ok()?),
        "textDocument/didClose" => Change::Closed(from_value(params()?).ok()?),
        "workspace/didChangeWatchedFiles" => Change::Watched(from_value(params()?).ok()?),
        "workspace/didChangeWorkspaceFolders" => Change::Folders(from_value(params()?).ok()?),
        _ => return None,
    };
    Some(change)
}
