//! A runner that is told by a request: an HTTP server whose every request is one life of a runner, one at a time. That is how
//! Yandex Serverless Containers invoke.

use std::{net::SocketAddr, sync::Arc};

use axum::{Json, Router, extract::State, http::StatusCode, response::IntoResponse, routing::post};
use serde::Deserialize;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
};

use super::{Ending, Options, Order, Orders, RunnerError, Told, run};
use crate::{ports::secrets::Secret, wire::Problem};

/// The body of the request.
#[derive(Deserialize)]
struct Body {
    egg_config: Text,
    runner_config: Text,
    #[serde(default)]
    ticket: Option<String>,
}

/// JSON, as it is or as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Text(String),
    Value(serde_json::Value),
}

impl Text {
    fn get(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Value(value) => value.to_string(),
        }
    }
}

type Asked = (Told, oneshot::Sender<Result<Ending, String>>);

/// Serves until it is stopped.
pub async fn serve(port: u16, options: &Options, orders: &mut Orders) -> Result<Ending, RunnerError> {
    let address = SocketAddr::from(([0, 0, 0, 0], port));
    let listener = TcpListener::bind(address).await.map_err(|source| RunnerError::System {
        what: "the port of requests can't be listened on",
        source,
    })?;
    let (ask, mut asked) = mpsc::channel::<Asked>(1);
    // A life that waits would be one that nobody has asked for any more.
    let app = Router::new().fallback(post(take)).with_state(Arc::new(ask));
    let server = tokio::spawn(axum::serve(listener, app).into_future());
    loop {
        let (told, reply) = tokio::select! {
            order = orders.next() => match order {
                Order::Finish => break,
                Order::End => { server.abort(); return Ok(Ending::Interrupted) }
                Order::Reload => continue,
            },
            asked = asked.recv() => match asked {
                Some(asked) => asked,
                None => break,
            },
        };
        let again = told.clone();
        let ending = run(told, || Ok(again.clone()), options, orders).await;
        let stopped = matches!(ending, Ok(Ending::Interrupted));
        let _ = reply.send(ending.map_err(|error| {
            tracing::error!("{error}");
            error.to_string()
        }));
        if stopped {
            server.abort();
            return Ok(Ending::Interrupted);
        }
    }
    server.abort();
    Ok(Ending::Done)
}

async fn take(State(ask): State<Arc<mpsc::Sender<Asked>>>, Json(body): Json<Body>) -> impl IntoResponse {
    let names = ["`runner_config` of the request", "`egg_config` of the request"];
    let ticket = body.ticket.map(Secret::new);
    let told = match Told::from_texts(names, &body.runner_config.get(), &body.egg_config.get(), ticket) {
        Ok(told) => told,
        Err(error) => return problem(StatusCode::UNPROCESSABLE_ENTITY, "told", &error.to_string()),
    };
    let (reply, ended) = oneshot::channel();
    if ask.try_send((told, reply)).is_err() {
        return problem(StatusCode::TOO_MANY_REQUESTS, "busy", "this container has a runner at work");
    }
    match ended.await {
        Ok(Ok(_)) => StatusCode::OK.into_response(),
        Ok(Err(error)) => problem(StatusCode::BAD_GATEWAY, "failed", &error),
        Err(_) => problem(StatusCode::SERVICE_UNAVAILABLE, "stopped", "the runner was stopped"),
    }
}

fn problem(status: StatusCode, kind: &str, detail: &str) -> axum::response::Response {
    let problem = Problem {
        kind: format!("urn:gosling:problem:{kind}"),
        title: status.canonical_reason().unwrap_or_default().to_owned(),
        status: status.as_u16(),
        detail: Some(detail.to_owned()),
        instance: None,
    };
    (status, [("content-type", "application/problem+json")], Json(problem)).into_response()
}
