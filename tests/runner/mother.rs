//! A stand-in of `MotherGoose`, and of the one call of GitLab's that a runner makes: it answers as it is told to, and hands on
//! everything it hears.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Response},
    routing::{delete, post},
};
use orchestrator::wire::runner::{
    Heartbeat, HeartbeatAnswer, Registration, TicketAnswer, TicketRequest, Wanted,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle, time::timeout};

/// How long anything may take: far longer than it does.
pub(crate) const BOUND: Duration = Duration::from_mins(2);

pub(crate) const CREDENTIAL: &str = "credential-of-docs-1";

/// Something it heard.
#[derive(Debug)]
pub(crate) enum Event {
    Ticket(TicketRequest),
    Heartbeat(Heartbeat),
    Unregistered(Value),
}

/// How it answers.
struct Manner {
    refusal: Option<String>,
    wanted: Wanted,
    revision: u64,
    token: String,
    url: String,
    used: bool,
}

#[derive(Clone)]
struct Shared {
    manner: Arc<Mutex<Manner>>,
    events: mpsc::UnboundedSender<Event>,
}

pub(crate) struct Mother {
    pub(crate) address: SocketAddr,
    shared: Shared,
    events: mpsc::UnboundedReceiver<Event>,
    server: JoinHandle<()>,
}

impl Mother {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (send, events) = mpsc::unbounded_channel();
        let manner = Manner {
            refusal: None,
            wanted: Wanted::Work,
            revision: 1,
            token: "glrt-first-token".to_owned(),
            url: format!("http://{address}"),
            used: false,
        };
        let shared = Shared { manner: Arc::new(Mutex::new(manner)), events: send };
        let server = serve(listener, shared.clone());
        Self { address, shared, events, server }
    }

    pub(crate) fn want(&self, wanted: Wanted) {
        self.shared.manner.lock().unwrap().wanted = wanted;
    }

    pub(crate) fn refuse(&self, reason: &str) {
        self.shared.manner.lock().unwrap().refusal = Some(reason.to_owned());
    }

    pub(crate) fn rotate(&self, token: &str) {
        let mut manner = self.shared.manner.lock().unwrap();
        token.clone_into(&mut manner.token);
        manner.revision += 1;
    }

    /// From now on connections are refused.
    pub(crate) async fn leave(&mut self) {
        self.server.abort();
        let _ = (&mut self.server).await;
        while self.events.try_recv().is_ok() {}
    }

    pub(crate) async fn come_back(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.server = serve(listener, self.shared.clone());
    }

    pub(crate) async fn ticket(&mut self) -> TicketRequest {
        self.ticket_with(|_| true).await
    }

    pub(crate) async fn ticket_with(&mut self, wanted: impl Fn(&TicketRequest) -> bool) -> TicketRequest {
        self.next("a ticket", |event| match event {
            Event::Ticket(shown) if wanted(&shown) => Some(shown),
            _ => None,
        })
        .await
    }

    pub(crate) async fn heartbeat(&mut self, what: &str, wanted: impl Fn(&Heartbeat) -> bool) -> Heartbeat {
        self.next(what, |event| match event {
            Event::Heartbeat(beat) if wanted(&beat) => Some(beat),
            _ => None,
        })
        .await
    }

    pub(crate) async fn unregistered(&mut self) -> Value {
        self.next("it is unregistered", |event| match event {
            Event::Unregistered(body) => Some(body),
            _ => None,
        })
        .await
    }

    /// Whether nothing of the kind was heard.
    pub(crate) fn is_quiet(&mut self, kind: impl Fn(&Event) -> bool) -> bool {
        while let Ok(event) = self.events.try_recv() {
            if kind(&event) {
                return false;
            }
        }
        true
    }

    async fn next<T>(&mut self, what: &str, wanted: impl Fn(Event) -> Option<T>) -> T {
        let found = async {
            loop {
                let event = self.events.recv().await.expect("the stand-in is there");
                if let Some(found) = wanted(event) {
                    return found;
                }
            }
        };
        timeout(BOUND, found).await.unwrap_or_else(|_| panic!("never heard: {what}"))
    }
}

fn serve(listener: TcpListener, shared: Shared) -> JoinHandle<()> {
    let app = Router::new()
        .route("/runners/docs-1/ticket", post(ticket))
        .route("/runners/docs-1/heartbeat", post(heartbeat))
        .route("/api/v4/runners/managers", delete(unregister))
        .with_state(shared);
    tokio::spawn(async move {
        let _ = axum::serve(listener, app).await;
    })
}

fn no(status: StatusCode, detail: &str) -> Response {
    let body = json!({ "type": "urn:gosling:problem:x", "title": "no", "status": status.as_u16(), "detail": detail });
    (status, Json(body)).into_response()
}

fn is_known(headers: &HeaderMap) -> bool {
    headers.get(AUTHORIZATION).is_some_and(|value| value == format!("Bearer {CREDENTIAL}").as_str())
}

async fn ticket(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Json(shown): Json<TicketRequest>,
) -> Response {
    let mut manner = shared.manner.lock().unwrap();
    if let Some(reason) = &manner.refusal {
        return no(StatusCode::FORBIDDEN, reason);
    }
    let good = match &shown.ticket {
        Some(ticket) => ticket == "ticket-of-one-use" && !std::mem::replace(&mut manner.used, true),
        None => is_known(&headers),
    };
    if !good {
        return no(StatusCode::FORBIDDEN, "neither ticket nor credential is known");
    }
    let answer = TicketAnswer {
        credential: CREDENTIAL.to_owned(),
        registrations: vec![Registration {
            url: manner.url.clone(),
            runner: 42,
            token: manner.token.clone(),
            name: None,
        }],
        environment: [("PLAIN_VALUE", "plain"), ("SECRET_VALUE", "secret-of-the-egg")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        revision: manner.revision,
    };
    let _ = shared.events.send(Event::Ticket(shown));
    Json(answer).into_response()
}

async fn heartbeat(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Json(beat): Json<Heartbeat>,
) -> Response {
    if !is_known(&headers) {
        return no(StatusCode::UNAUTHORIZED, "the credential is not known");
    }
    let manner = shared.manner.lock().unwrap();
    let answer = HeartbeatAnswer { wanted: manner.wanted, revision: manner.revision };
    let _ = shared.events.send(Event::Heartbeat(beat));
    Json(answer).into_response()
}

async fn unregister(State(shared): State<Shared>, Json(body): Json<Value>) -> StatusCode {
    let _ = shared.events.send(Event::Unregistered(body));
    StatusCode::NO_CONTENT
}
