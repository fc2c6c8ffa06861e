//! The protocol: what an editor says and is told, over standard input and output.
//!
//! Here lives everything that knows the protocol. Never here: what an answer says, which is `ide`'s.

mod backend;
mod convert;
mod features;
mod input;
mod ordered;
mod publish;
mod session;

use std::process::ExitCode;

use tower_lsp_server::{LspService, Server};

use backend::Backend;
use ordered::Ordered;

/// How many requests are answered at the same time; more wait.
const CONCURRENCY: usize = 32;

/// Serves an editor over standard input and output until it says `exit` or goes away.
pub fn serve() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let Ok(runtime) = runtime else { return ExitCode::from(2) };
    let orderly = runtime.block_on(async {
        let (service, socket) = LspService::new(Backend::new);
        let backend = service.inner();
        let (inbox, ended) = (backend.inbox.clone(), backend.ended.clone());
        Server::new(input::readable(tokio::io::stdin()), tokio::io::stdout(), socket)
            .concurrency_level(CONCURRENCY)
            .serve(Ordered::new(service, inbox))
            .await;
        ended.load(std::sync::atomic::Ordering::SeqCst)
    });
    // What is still being read is of no use to anybody.
    runtime.shutdown_background();
    // As the protocol asks: an end without `shutdown` before it is a failure.
    if orderly { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
