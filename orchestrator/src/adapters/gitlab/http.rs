//! Calls of GitLab's API: tokens, pages, tries, time-outs, and what became of a call. Tokens never get into an error.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use reqwest::{
    Client, Method, StatusCode,
    header::{HeaderMap, HeaderName, HeaderValue, LINK, RETRY_AFTER},
    redirect,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::{Patience, shapes};
use crate::ports::{
    gitlab::{Access, GitLabError},
    secrets::{MASKED, Secret},
};

/// How many entries a page has: GitLab's most.
const PAGE: &str = "100";

/// How many pages are turned at most.
const MOST_PAGES: usize = 1000;

/// The largest answer that is read.
const LARGEST: usize = 32 << 20;

/// How much of an answer that is no message is told.
const TOLD: usize = 300;

/// What a token needs that GitLab doesn't know.
const UNKNOWN: &str = "to be one that is known there: it is wrong, has expired or was revoked; `gosling secret put` takes another";

/// How pages are turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paging {
    /// By number; for what hardly changes.
    Offset,
    /// By the last entry's id, the newest first: what goes meanwhile moves nothing.
    Keyset,
}

/// What is asked.
#[derive(Clone)]
pub(super) struct Call<'a> {
    server: &'a str,
    token: Option<&'a Secret>,
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Value>,
    hidden: Option<&'a Secret>,
    needs: &'static str,
}

impl<'a> Call<'a> {
    fn new(
        access: &'a Access,
        method: Method,
        path: String,
        body: Option<Value>,
        needs: &'static str,
    ) -> Self {
        let (server, token) = (&*access.server, Some(&access.token));
        Self { server, token, method, path, query: Vec::new(), body, hidden: None, needs }
    }

    pub(super) fn get(access: &'a Access, path: String, needs: &'static str) -> Self {
        Self::new(access, Method::GET, path, None, needs)
    }

    pub(super) fn post(access: &'a Access, path: String, body: Value, needs: &'static str) -> Self {
        Self::new(access, Method::POST, path, Some(body), needs)
    }

    pub(super) fn put(access: &'a Access, path: String, body: Value, needs: &'static str) -> Self {
        Self::new(access, Method::PUT, path, Some(body), needs)
    }

    pub(super) fn delete(access: &'a Access, path: String, needs: &'static str) -> Self {
        Self::new(access, Method::DELETE, path, None, needs)
    }

    /// A runner takes something away, with its own token in the body.
    pub(super) fn of_runner(
        server: &'a str,
        token: &'a Secret,
        path: &str,
        body: Value,
        needs: &'static str,
    ) -> Self {
        Self {
            server,
            token: None,
            method: Method::DELETE,
            path: path.to_owned(),
            query: Vec::new(),
            body: Some(body),
            hidden: Some(token),
            needs,
        }
    }

    pub(super) fn query(mut self, key: &str, value: &str) -> Self {
        self.query.push((key.to_owned(), value.to_owned()));
        self
    }

    /// With a value in the body that no error may tell.
    pub(super) fn hiding(mut self, secret: Option<&'a Secret>) -> Self {
        self.hidden = secret;
        self
    }

    fn request(&self) -> String {
        format!("{} /{}", self.method, self.path)
    }

    /// A text without what nobody may see.
    fn masked(&self, text: &str) -> String {
        let secrets = [self.token, self.hidden].into_iter().flatten().map(Secret::expose);
        secrets
            .filter(|secret| !secret.is_empty())
            .fold(text.to_owned(), |text, secret| text.replace(secret, MASKED))
    }

    pub(super) fn wrong(&self, reason: &str) -> GitLabError {
        GitLabError::Wrong {
            server: self.server.to_owned(),
            request: self.request(),
            reason: self.masked(reason),
        }
    }

    fn away(&self, reason: &str, wait: Option<Duration>) -> GitLabError {
        GitLabError::Away { server: self.server.to_owned(), reason: self.masked(reason), wait }
    }

    /// What an answer that is no success says.
    fn refused(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> GitLabError {
        let wait = headers.get(RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.trim().parse().ok());
        let wait = wait.map(Duration::from_secs);
        let reason = match shapes::message(body) {
            // GitLab's own words often begin with it.
            Some(message) if message.starts_with(status.as_str()) => message,
            Some(message) => format!("{}: {message}", status.as_u16()),
            None => told(status, body),
        };
        let (server, request) = (self.server.to_owned(), self.request());
        match status {
            StatusCode::TOO_MANY_REQUESTS => {
                self.away(&format!("it has had too many requests of us: {reason}"), wait)
            }
            status if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
                self.away(&format!("it answers `{request}` with {reason}"), wait)
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let needs = if status == StatusCode::UNAUTHORIZED { UNKNOWN } else { self.needs };
                GitLabError::Forbidden { server, request, reason: self.masked(&reason), needs }
            }
            StatusCode::NOT_FOUND => GitLabError::NotFound { server, request },
            status if status.is_redirection() => self.wrong(&format!(
                "{reason}: it sends us elsewhere, where the token may not go; name the server by the host it has"
            )),
            _ => self.wrong(&reason),
        }
    }
}

/// An answer that holds no message.
fn told(status: StatusCode, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    // A page for people says nothing in its first lines.
    if text.is_empty() || text.starts_with('<') {
        return status.to_string();
    }
    let mut said = format!("{}: ", status.as_u16());
    said.extend(text.chars().take(TOLD).map(|c| if c.is_control() { ' ' } else { c }));
    said
}

/// A segment of a path.
pub(super) fn escaped(segment: &str) -> String {
    let mut out = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// A successful answer.
struct Answer {
    headers: HeaderMap,
    body: Vec<u8>,
}

pub(super) struct Http {
    client: Client,
    servers: BTreeMap<String, Url>,
    patience: Patience,
}

impl Http {
    pub(super) fn new(servers: BTreeMap<String, Url>, patience: Patience) -> Result<Self, String> {
        // Fails when there is one already, which is as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .connect_timeout(patience.connect)
            .timeout(patience.whole)
            // Followed, they would take the token to whoever the answer names.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("gosling/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("no HTTP client can be had: {error}"))?;
        let servers = servers.into_iter().map(|(host, url)| (host.to_lowercase(), url)).collect();
        Ok(Self { client, servers, patience })
    }

    fn url(&self, call: &Call<'_>) -> Result<Url, GitLabError> {
        let host = call.server.to_lowercase();
        let mut url = match self.servers.get(&host) {
            Some(url) => url.clone(),
            None => {
                let url = Url::parse(&format!("https://{host}"));
                let plain = |url: &Url| {
                    url.path() == "/"
                        && url.username().is_empty()
                        && url.password().is_none()
                        && url.query().is_none()
                        && url.fragment().is_none()
                };
                url.ok().filter(plain).ok_or_else(|| call.wrong("nothing: that is no host's name"))?
            }
        };
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/api/v4/{}", call.path));
        url.set_query(None);
        Ok(url)
    }

    /// One answer, as JSON; nothing where GitLab answers with nothing.
    pub(super) async fn send(&self, call: &Call<'_>) -> Result<Value, GitLabError> {
        let mut url = self.url(call)?;
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let answer = self.ask(call, &url).await?;
        if answer.body.is_empty() {
            return Ok(Value::Null);
        }
        json(call, &answer.body)
    }

    /// A whole list.
    pub(super) async fn all<T: DeserializeOwned>(
        &self,
        call: &Call<'_>,
        paging: Paging,
    ) -> Result<Vec<T>, GitLabError> {
        let mut url = self.url(call)?;
        url.query_pairs_mut().extend_pairs(&call.query).append_pair("per_page", PAGE);
        if paging == Paging::Keyset {
            url.query_pairs_mut().extend_pairs([
                ("pagination", "keyset"),
                ("order_by", "id"),
                ("sort", "desc"),
            ]);
        }
        let mut all = Vec::new();
        for _ in 0..MOST_PAGES {
            let answer = self.ask(call, &url).await?;
            let page: Vec<T> = json(call, &answer.body)?;
            all.extend(page);
            let Some(next) = next(&answer.headers, &url) else { return Ok(all) };
            if next == url {
                return Err(call.wrong("a page that names itself as the next"));
            }
            url = next;
        }
        Err(call.wrong(&format!("more than {MOST_PAGES} pages")))
    }

    /// Asks; what only reads is asked again when that may help.
    async fn ask(&self, call: &Call<'_>, url: &Url) -> Result<Answer, GitLabError> {
        let mut pause = self.patience.pause;
        let mut left = if call.method == Method::GET { self.patience.tries } else { 1 };
        loop {
            left = left.saturating_sub(1);
            match self.once(call, url).await {
                // Who says how long to wait is waited for by whoever asked for this.
                Err(GitLabError::Away { wait: None, .. }) if left > 0 => {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Err(error) => return Err(error),
                Ok((status, answer)) if status.is_success() => return Ok(answer),
                Ok((status, answer)) => {
                    let refused = call.refused(status, &answer.headers, &answer.body);
                    let again = matches!(refused, GitLabError::Away { wait: None, .. })
                        && status != StatusCode::TOO_MANY_REQUESTS;
                    if !again || left == 0 {
                        return Err(refused);
                    }
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
            }
        }
    }

    async fn once(&self, call: &Call<'_>, url: &Url) -> Result<(StatusCode, Answer), GitLabError> {
        let mut request = self.client.request(call.method.clone(), url.clone());
        if let Some(token) = call.token {
            let mut value = HeaderValue::from_str(token.expose())
                .map_err(|_| call.wrong("nothing: the token has characters that no token has"))?;
            value.set_sensitive(true);
            request = request.header(HeaderName::from_static("private-token"), value);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        let failed = |error: reqwest::Error| call.away(&why(&error.without_url()), None);
        let mut response = request.send().await.map_err(failed)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > LARGEST {
                return Err(call.wrong("more than anybody could want to read"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, Answer { headers, body }))
    }
}

/// An error with what caused it, the innermost last.
fn why(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return if error.is_connect() {
            "it can't be connected to in time".to_owned()
        } else {
            "it doesn't answer in time".to_owned()
        };
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            let _ = write!(text, ": {inner_text}");
        }
        cause = inner.source();
    }
    text
}

fn json<T: DeserializeOwned>(call: &Call<'_>, body: &[u8]) -> Result<T, GitLabError> {
    serde_json::from_slice(body)
        .map_err(|error| call.wrong(&format!("something else than expected: {}", shapes::place(&error))))
}

/// Where the next page is. Of a link only the query counts: whatever else it names, the token goes where it went before.
fn next(headers: &HeaderMap, url: &Url) -> Option<Url> {
    let linked = headers.get_all(LINK).iter().filter_map(|link| link.to_str().ok()).find_map(next_link);
    let mut next = url.clone();
    if let Some(link) = linked {
        let query = link.split_once('?')?.1;
        next.set_query(Some(query.split_once('#').map_or(query, |(query, _)| query)));
        return Some(next);
    }
    let page = headers.get("x-next-page")?.to_str().ok()?.trim();
    page.parse::<u64>().ok()?;
    let others: Vec<(String, String)> =
        url.query_pairs().filter(|(key, _)| key != "page").map(|(k, v)| (k.into(), v.into())).collect();
    next.query_pairs_mut().clear().extend_pairs(others).append_pair("page", page);
    Some(next)
}

/// The target of `rel="next"` in a `Link` header.
fn next_link(header: &str) -> Option<&str> {
    header.split('<').skip(1).find_map(|one| {
        let (target, rest) = one.split_once('>')?;
        let is_next = rest.split([';', ',']).any(|part| matches!(part.trim(), "rel=\"next\"" | "rel=next"));
        is_next.then_some(target)
    })
}

#[cfg(test)]
mod tests;
