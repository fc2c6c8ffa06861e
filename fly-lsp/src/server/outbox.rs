//! What the editor is asked and told besides diagnostics: messages, progress, configuration, what to watch.
//!
//! Nothing here waits for the editor in the way of anything else, and nothing grows with what it does not answer. Never
//! here: when something is asked.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI32, Ordering},
    },
};

use serde_json::Value;
use tokio::{
    runtime::Handle,
    sync::{mpsc, watch},
};
use tower_lsp_server::{
    Client,
    ls_types::{
        self as lsp, ConfigurationItem, MessageType, ProgressToken, Registration, notification, request,
    },
};

use super::settings::SECTION;

/// The way to the editor.
#[derive(Clone)]
pub(crate) struct Outbox(Arc<Shared>);

struct Shared {
    client: Client,
    runtime: Handle,
    /// Whether the editor listens: before it has its answer to `initialize`, nothing may be said to it.
    listens: watch::Sender<bool>,
    /// The next token of a progress.
    token: AtomicI32,
    /// An editor that has not yet answered whether it shows a progress is not asked about another.
    asks_progress: AtomicBool,
    /// An editor that has not yet answered that it asks anew is told once more when it has.
    refreshes: Mutex<HashMap<Shown, Refresh>>,
    /// What was told once.
    told: Mutex<HashSet<String>>,
}

/// What an editor shows until it asks anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Shown {
    Diagnostics,
    Lenses,
    Hints,
}

#[derive(Default)]
struct Refresh {
    is_asked: bool,
    again: bool,
}

impl Outbox {
    pub(crate) fn new(client: Client) -> Self {
        Self(Arc::new(Shared {
            client,
            runtime: Handle::current(),
            listens: watch::Sender::new(false),
            token: AtomicI32::new(0),
            asks_progress: AtomicBool::new(false),
            refreshes: Mutex::default(),
            told: Mutex::default(),
        }))
    }

    /// The editor listens from now on.
    pub(crate) fn open(&self) {
        self.0.listens.send_replace(true);
    }

    fn spawn<F: Future<Output = ()> + Send + 'static>(&self, say: impl FnOnce(Self) -> F + Send + 'static) {
        let own = self.clone();
        self.0.runtime.spawn(async move {
            let mut listens = own.0.listens.subscribe();
            if listens.wait_for(|listens| *listens).await.is_ok() {
                drop(listens);
                say(own).await;
            }
        });
    }

    /// Shows a message to the user, once however often it is said.
    pub(crate) fn show_once(&self, message: String) {
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(message.clone()) {
            drop(told);
            self.spawn(|own| async move { own.0.client.show_message(MessageType::WARNING, message).await });
        }
    }

    /// Writes a line into the editor's log.
    pub(crate) fn log(&self, kind: MessageType, message: String) {
        self.spawn(move |own| async move { own.0.client.log_message(kind, message).await });
    }

    /// Tells the editor to ask anew for what it shows.
    pub(crate) fn refresh(&self, shown: Shown) {
        let mut refreshes = self.0.refreshes.lock().unwrap_or_else(PoisonError::into_inner);
        let refresh = refreshes.entry(shown).or_default();
        if std::mem::replace(&mut refresh.is_asked, true) {
            refresh.again = true;
            return;
        }
        drop(refreshes);
        self.spawn(move |own| async move {
            loop {
                let client = &own.0.client;
                // An editor that can't is left in peace.
                let _ = match shown {
                    Shown::Diagnostics => client.workspace_diagnostic_refresh().await,
                    Shown::Lenses => client.code_lens_refresh().await,
                    Shown::Hints => client.inlay_hint_refresh().await,
                };
                let mut refreshes = own.0.refreshes.lock().unwrap_or_else(PoisonError::into_inner);
                let refresh = refreshes.entry(shown).or_default();
                if !std::mem::take(&mut refresh.again) {
                    refresh.is_asked = false;
                    break;
                }
            }
        });
    }

    /// Asks for the configuration; `answer` is run with it.
    pub(crate) fn ask_configuration(&self, answer: impl FnOnce(Value) + Send + 'static) {
        self.spawn(|own| async move {
            let item = ConfigurationItem { scope_uri: None, section: Some(SECTION.to_owned()) };
            if let Ok(mut values) = own.0.client.configuration(vec![item]).await {
                answer(values.pop().unwrap_or_default());
            }
        });
    }

    /// Asks the editor to watch files.
    pub(crate) fn register(&self, registration: Registration) {
        self.spawn(|own| async move {
            // An editor that refuses is as one that can't watch.
            let _ = own.0.client.register_capability(vec![registration]).await;
        });
    }

    /// Asks the editor to watch these no more.
    pub(crate) fn unregister(&self, id: &str, method: &str) {
        let gone = lsp::Unregistration { id: id.to_owned(), method: method.to_owned() };
        self.spawn(|own| async move {
            let _ = own.0.client.unregister_capability(vec![gone]).await;
        });
    }

    /// Begins a progress of the server's own, if the editor answers that it shows one before the work is done.
    pub(crate) fn progress(&self, title: &str) -> Option<Progress> {
        if self.0.asks_progress.swap(true, Ordering::SeqCst) {
            return None;
        }
        let number = self.0.token.fetch_add(1, Ordering::SeqCst);
        let token = ProgressToken::String(format!("fly/{number}"));
        let (progress, steps) = Progress::new();
        let title = title.to_owned();
        self.spawn(move |own| async move {
            let client = &own.0.client;
            let created = client
                .send_request::<request::WorkDoneProgressCreate>(lsp::WorkDoneProgressCreateParams {
                    token: token.clone(),
                })
                .await;
            own.0.asks_progress.store(false, Ordering::SeqCst);
            if created.is_ok() && !steps.is_closed() {
                show(client, token, title, steps).await;
            }
        });
        Some(progress)
    }

    /// Begins a progress under a token that the editor gave with its question.
    pub(crate) fn progress_of(&self, token: Option<ProgressToken>, title: &str) -> Option<Progress> {
        let (progress, steps) = Progress::new();
        let (token, title) = (token?, title.to_owned());
        self.spawn(|own| async move { show(&own.0.client, token, title, steps).await });
        Some(progress)
    }

    /// Sends a part of an answer.
    pub(crate) async fn partial(&self, token: ProgressToken, part: Value) {
        // The library knows progress of work alone by its type.
        enum Partial {}
        impl notification::Notification for Partial {
            type Params = Value;
            const METHOD: &'static str = "$/progress";
        }
        let params = serde_json::json!({ "token": token, "value": part });
        self.0.client.send_notification::<Partial>(params).await;
    }
}

/// Work that is shown; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Progress(mpsc::UnboundedSender<String>);

impl Progress {
    fn new() -> (Self, mpsc::UnboundedReceiver<String>) {
        let (sender, steps) = mpsc::unbounded_channel();
        (Self(sender), steps)
    }

    /// What is done now.
    pub(crate) fn step(&self, message: String) {
        let _ = self.0.send(message);
    }
}

async fn show(
    client: &Client,
    token: ProgressToken,
    title: String,
    mut steps: mpsc::UnboundedReceiver<String>,
) {
    let begin = lsp::WorkDoneProgressBegin { title, ..lsp::WorkDoneProgressBegin::default() };
    let mut value = lsp::WorkDoneProgress::Begin(begin);
    loop {
        let params =
            lsp::ProgressParams { token: token.clone(), value: lsp::ProgressParamsValue::WorkDone(value) };
        let is_end =
            matches!(&params.value, lsp::ProgressParamsValue::WorkDone(lsp::WorkDoneProgress::End(_)));
        client.send_notification::<notification::Progress>(params).await;
        if is_end {
            break;
        }
        value = match steps.recv().await {
            Some(message) => lsp::WorkDoneProgress::Report(lsp::WorkDoneProgressReport {
                message: Some(message),
                ..lsp::WorkDoneProgressReport::default()
            }),
            None => lsp::WorkDoneProgress::End(lsp::WorkDoneProgressEnd { message: None }),
        };
    }
}
