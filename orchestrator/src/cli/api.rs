//! How the operator's commands ask a running `gosling serve`.

use std::{fs, path::PathBuf, time::Duration};

use clap::Args;
use reqwest::{Method, StatusCode, redirect::Policy};
use serde::{Serialize, de::DeserializeOwned};
use url::Url;

use super::{Failure, text::clean};
use crate::{
    ports::secrets::Secret,
    wire::{Page, Problem},
};

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
    pub(super) const fn new(api: Url, token_file: Option<PathBuf>) -> Self {
        Self { api, token_file }
    }

    /// Whether nobody on the way can read what is sent.
    pub(super) fn is_private(&self) -> bool {
        let is_here = match self.api.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        self.api.scheme() == "https" || is_here
    }

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
        self.ask(Method::GET, path, query, None).await
    }

    pub(super) async fn post<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Failure> {
        self.ask(Method::POST, path, &[], None).await
    }

    /// With a body.
    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body);
        let body = body.map_err(|error| Failure::Failed { message: error.to_string(), help: None })?;
        self.ask(Method::POST, path, &[], Some(body)).await
    }

    pub(super) async fn delete<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, Failure> {
        self.ask(Method::DELETE, path, query, None).await
    }

    /// All pages of a list.
    pub(super) async fn list<T: DeserializeOwned>(&self, path: &[&str]) -> Result<Vec<T>, Failure> {
        self.list_of(path, &[], usize::MAX).await
    }

    /// All pages of a list of which only some is wanted, until there are `most`.
    pub(super) async fn list_of<T: DeserializeOwned>(
        &self,
        path: &[&str],
        which: &[(&str, &str)],
        most: usize,
    ) -> Result<Vec<T>, Failure> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut query = which.to_vec();
            query.extend(cursor.iter().map(|cursor| ("cursor", cursor.as_str())));
            let page: Page<T> = self.get(path, &query).await?;
            items.extend(page.items);
            if page.next.is_none() || page.next == cursor || items.len() >= most {
                items.truncate(most);
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
        body: Option<Vec<u8>>,
    ) -> Result<T, Failure> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let mut request = self.http.request(method, url);
        if !query.is_empty() {
            request = request.query(query);
        }
        if let Some(body) = body {
            request = request.header(reqwest::header::CONTENT_TYPE, "application/json").body(body);
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
