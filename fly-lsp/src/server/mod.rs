//! The protocol: what an editor says and is told, over standard input and output.
//!
//! Here lives everything that knows the protocol. Never here: what an answer says, which is `ide`'s.

mod abilities;
mod backend;
mod capabilities;
mod checker;
mod convert;
mod documents;
mod features;
mod input;
mod nests;
mod ordered;
mod outbox;
mod output;
mod parent;
mod publish;
mod session;
mod settings;
mod watching;

use std::{
    io,
    process::ExitCode,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{io::AsyncWriteExt, sync::Notify, time::sleep};
use tower_lsp_server::{LspService, Server};

use backend::Backend;
use input::Input;
use ordered::Ordered;
use output::Output;

/// How many requests are answered at the same time; more wait.
const CONCURRENCY: usize = 32;

/// How long an editor that says no more may take to read what it was told.
const FAREWELL: Duration = Duration::from_secs(5);

/// Serves an editor over standard input and output until it says `exit` or goes away.
pub fn serve() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let Ok(runtime) = runtime else { return ExitCode::from(2) };
    let orderly = runtime.block_on(async {
        let output = Output::to(io::stdout());
        let (service, socket) = LspService::new(|client| Backend::new(client, output.clone()));
        let backend = service.inner();
        let (inbox, ended, parent) = (backend.inbox.clone(), backend.ended.clone(), backend.parent.clone());
        let silent = Arc::new(Notify::new());
        let told = Arc::clone(&silent);
        let input = Input::from(io::stdin(), move || told.notify_one());
        let serve = async {
            Server::new(input, output.clone(), socket)
                .concurrency_level(CONCURRENCY)
                .serve(Ordered::new(service, inbox))
                .await;
            // What was said last is still on its way.
            let _ = output.clone().shutdown().await;
        };
        tokio::select! {
            () = serve => {}
            () = parent::gone(parent) => {}
            () = async { silent.notified().await; sleep(FAREWELL).await } => {}
        }
        ended.load(Ordering::SeqCst)
    });
    // What is still being read is of no use to anybody.
    runtime.shutdown_background();
    // As the protocol asks: an end without `shutdown` before it is a failure.
    if orderly { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
