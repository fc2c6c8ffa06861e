//! What `OpenTofu` can't start or stop in a cloud is asked of the cloud's own API. Asking for what is so already does nothing.

mod ecs;
mod signature;
mod yandex;

use std::{collections::BTreeMap, time::Duration};

use reqwest::{Client, redirect};
use serde_json::Value;

pub use ecs::{Ecs, NewTask};
pub use yandex::{Invocation, Yandex};

/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How much of an answer that is no message is told.
const TOLD: usize = 300;

/// Why something was not started or stopped. It holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum PowerError {
    /// There is nothing that opens the cloud.
    #[error("there are no credentials of {cloud}: {reason}")]
    Credentials {
        /// The cloud.
        cloud: &'static str,
        /// What was looked for.
        reason: String,
    },
    /// The cloud says no.
    #[error("{cloud} refuses to {what}: {reason}")]
    Refused {
        /// The cloud.
        cloud: &'static str,
        /// What was asked.
        what: String,
        /// What it says.
        reason: String,
    },
    /// The cloud is not there, or has trouble of its own.
    #[error("{cloud} can't be asked to {what}: {reason}")]
    Away {
        /// The cloud.
        cloud: &'static str,
        /// What was asked.
        what: String,
        /// Why.
        reason: String,
    },
    /// What it was told makes no sense.
    #[error("{0}")]
    Told(String),
}

/// The environment it is told by.
pub type Environment = BTreeMap<String, String>;

/// A variable that is not empty.
fn given<'a>(environment: &'a Environment, name: &str) -> Option<&'a str> {
    environment.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
}

fn client(cloud: &'static str) -> Result<Client, PowerError> {
    let built = Client::builder().timeout(PATIENCE).redirect(redirect::Policy::none()).build();
    built.map_err(|error| PowerError::Away {
        cloud,
        what: "do anything".to_owned(),
        reason: error.to_string(),
    })
}

/// Sends a request, and reads the JSON of its answer; an empty one is `null`. The first answer that says to come again later
/// is not the last.
async fn send(
    cloud: &'static str,
    what: &str,
    request: impl Fn() -> reqwest::RequestBuilder,
) -> Result<Value, PowerError> {
    send_while(cloud, what, request, |_| true).await
}

/// The same of what must not be done twice: it is sent again only when the cloud has certainly not begun it.
async fn send_once(
    cloud: &'static str,
    what: &str,
    request: impl Fn() -> reqwest::RequestBuilder,
) -> Result<Value, PowerError> {
    send_while(cloud, what, request, |missed| matches!(missed, Missed::Unbegun)).await
}

/// What is known of a request that came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missed {
    /// It never got there, or was turned away at the door.
    Unbegun,
    /// It may have been carried out.
    Unsure,
}

async fn send_while(
    cloud: &'static str,
    what: &str,
    request: impl Fn() -> reqwest::RequestBuilder,
    may_again: impl Fn(Missed) -> bool,
) -> Result<Value, PowerError> {
    let mut wait = Duration::from_millis(500);
    for last in [false, false, true] {
        let (failure, missed) = match request().send().await {
            Ok(answer) => {
                let status = answer.status();
                let text = answer.text().await.unwrap_or_default();
                if status.is_success() {
                    return Ok(serde_json::from_str(&text).unwrap_or(Value::Null));
                }
                let reason = format!("{status}: {}", message(&text));
                if status.as_u16() != 429 && !status.is_server_error() {
                    return Err(PowerError::Refused { cloud, what: what.to_owned(), reason });
                }
                // Only who is busy has not looked at it.
                (reason, if status.as_u16() == 429 { Missed::Unbegun } else { Missed::Unsure })
            }
            Err(error) => {
                let missed = if error.is_connect() { Missed::Unbegun } else { Missed::Unsure };
                (without_url(error), missed)
            }
        };
        if !may_again(missed) {
            let reason =
                format!("{failure}; it may have been done all the same, so it is not asked again at once");
            return Err(PowerError::Away { cloud, what: what.to_owned(), reason });
        }
        if last {
            return Err(PowerError::Away { cloud, what: what.to_owned(), reason: failure });
        }
        tokio::time::sleep(wait).await;
        wait *= 4;
    }
    Err(PowerError::Away { cloud, what: what.to_owned(), reason: "it was not asked".to_owned() })
}

/// What went wrong down to its cause, without the address: it may hold more than it should.
fn without_url(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

/// The message of an answer that is an error.
fn message(text: &str) -> String {
    let found = serde_json::from_str::<Value>(text).ok().and_then(|value| {
        let message =
            ["message", "Message"].into_iter().find_map(|name| value[name].as_str().map(str::to_owned));
        let kind = value["__type"].as_str().and_then(|kind| kind.rsplit('#').next()).map(str::to_owned);
        match (kind, message) {
            (Some(kind), Some(message)) => Some(format!("{kind}: {message}")),
            (kind, message) => message.or(kind),
        }
    });
    found.unwrap_or_else(|| text.chars().take(TOLD).collect())
}
