//! How the operator's commands ask a running `gosling serve`.

use std::{fs, path::PathBuf, time::Duration};

use clap::Args;
use reqwest::{Method, StatusCode, redirect::Policy};
use serde::de::DeserializeOwned;
use url::Url;

use super::{Failure, text::clean};
use crate::{
    ports::secrets::Secret,
    wire::{Page, Problem},
};

/// How long what may take long takes at most.
const PATIENCE: Duration = Duration::from_mins(16);

/// Which `MotherGoose` is asked, and as whom.
#[derive(Debug, Args)]
pub(super) struct Access {
    /// Where MotherGoose is
    #[arg(long, value_name = "URL", env = "GOSLING_API", default_value = "http://127.0.0.1:8080")]
    api: Url,
    /// The file with the API token; `gosling token` makes one
    #[arg(long, value_name = "FILE", env = "GOSLING_TOKEN_FILE")]
    token_file: Option<PathBuf>,
}

/// What asks.
#[derive(Debug)]
pub(super) struct Api {
    http: reqwest::Client,
    base: Url,
    token: Option<Secret>,
}

impl Access {
    pub(super) fn open(&self) -> Result<Api, Failure> {
        if self.api.cannot_be_a_base() {
            return Err(Failure::usage(
                format!("`{}` is no URL that can be asked", self.api),
                "it begins with http:// or https://",
            ));
        }
        let read = |file: &PathBuf| {
            fs::read_to_string(file)
                .map(|text| Secret::new(text.trim()))
                .map_err(|error| Failure::Io { what: file.display().to_string(), error })
        };
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_secs(30))
            .redirect(Policy::none())
            .user_agent(concat!("gosling/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Failure::Failed { message: error.to_string(), help: None })?;
        let token = self.token_file.as_ref().map(read).transpose()?;
        Ok(Api { http, base: self.api.clone(), token })
    }
}

impl Api {
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, Failure> {
        self.ask(Method::GET, path, query).await
    }

    pub(super) async fn post<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Failure> {
        self.ask(Method::POST, path, &[]).await
    }

    /// Asks for what may take long, because much of GitLab has to be looked at.
    pub(super) async fn post_patiently<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, Failure> {
        self.ask_for(Method::POST, path, query, Some(PATIENCE)).await
    }

    /// All pages of a list.
    pub(super) async fn list<T: DeserializeOwned>(&self, path: &[&str]) -> Result<Vec<T>, Failure> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let query: Vec<_> = cursor.iter().map(|cursor| ("cursor", cursor.as_str())).collect();
            let page: Page<T> = self.get(path, &query).await?;
            items.extend(page.items);
            if page.next.is_none() || page.next == cursor {
                return Ok(items);
            }
            cursor = page.next;
        }
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, Failure> {
        self.ask_for(method, path, query, None).await
    }

    async fn ask_for<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        patience: Option<Duration>,
    ) -> Result<T, Failure> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let mut request = self.http.request(method, url);
        if !query.is_empty() {
            request = request.query(query);
        }
        if let Some(patience) = patience {
            request = request.timeout(patience);
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose());
        }
        let unreachable = |error: &reqwest::Error| {
            let mut cause: &dyn std::error::Error = error;
            while let Some(deeper) = cause.source() {
                cause = deeper;
            }
            Failure::Unreachable {
                message: format!("MotherGoose at {} doesn't answer: {cause}", self.base),
                help: "is `gosling serve` running? --api or GOSLING_API says where it is".to_owned(),
            }
        };
        let response = request.send().await.map_err(|error| unreachable(&error))?;
        let status = response.status();
        let body = response.bytes().await.map_err(|error| unreachable(&error))?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|error| Failure::Failed {
                message: format!("MotherGoose at {} answered what can't be understood: {error}", self.base),
                help: Some("its version and that of this program should be the same".to_owned()),
            });
        }
        Err(refused(&self.base, status, serde_json::from_slice(&body).ok(), self.token.is_some()))
    }
}

fn refused(base: &Url, status: StatusCode, problem: Option<Problem>, token: bool) -> Failure {
    let request = problem.as_ref().and_then(|problem| problem.instance.as_deref()).map(clean);
    let said = problem.map_or_else(
        || format!("MotherGoose at {base} answered {status}"),
        |problem| clean(problem.detail.as_deref().unwrap_or(&problem.title)),
    );
    match status {
        StatusCode::UNAUTHORIZED if !token => Failure::Refused {
            message: said,
            help: "give a token: --token-file FILE or GOSLING_TOKEN_FILE; `gosling token` makes one"
                .to_owned(),
        },
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Failure::Refused {
            message: said,
            help: "the token must be known to this `gosling serve`, and have the scope that this needs"
                .to_owned(),
        },
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            Failure::NotFound { message: said, help: "`gosling status` shows what there is".to_owned() }
        }
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            Failure::Unreachable { message: said, help: "try it again in a moment".to_owned() }
        }
        _ => Failure::Failed {
            message: said,
            help: request.map(|request| format!("the log of MotherGoose has more on the request {request}")),
        },
    }
}
