//! How the operator's commands ask a running `gosling serve`: as whom, how often again, and whether it is of their version.

use std::{
    cell::{Cell, OnceCell},
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use backon::{ExponentialBuilder, Retryable};
use clap::Args;
use fly_std::formats::SecretUri;
use reqwest::{Method, Response, StatusCode, header, redirect::Policy};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use url::Url;

use super::{
    Failure,
    profile::{Named, Profile, TokenAt},
    text::{clean, length},
};
use crate::{
    app,
    domain::Time,
    logging::{hide, mask_values},
    ports::secrets::{Secret, unread},
    wire::{Page, Problem, VERSION_HEADER},
};

/// Where `gosling serve` is when nobody says.
const HERE: &str = "http://127.0.0.1:8080";

/// This program's own version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Between the first try and the second; it doubles from there.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a person is kept waiting without a word.
const QUIET: Duration = Duration::from_secs(1);

/// Which `MotherGoose` is asked, and as whom.
#[derive(Debug, Args)]
pub(super) struct Access {
    // First: what was taken out of the matches before it, it would not see.
    #[command(flatten)]
    named: Named,
    #[arg(
        long,
        value_name = "URL",
        global = true,
        env = "GOSLING_API",
        help = "Where MotherGoose is [default: the profile's, or http://127.0.0.1:8080]"
    )]
    api: Option<Url>,
    /// The file with the API token; `gosling token` makes one [default: the profile's]
    #[arg(long, value_name = "FILE", global = true, env = "GOSLING_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    /// How long to go on trying when it can't be reached for the moment; 0s for one try
    #[arg(long, value_name = "TIME", global = true, env = "GOSLING_RETRY_FOR", default_value = "5s", value_parser = patience)]
    retry_for: Duration,
}

/// What asks.
#[derive(Debug)]
pub(super) struct Api {
    http: reqwest::Client,
    base: Url,
    token: Bearer,
    /// The token out of its secret store, once it was asked for.
    unsealed: tokio::sync::OnceCell<Secret>,
    retry_for: Duration,
    /// How long one answer may take.
    patience: Duration,
    /// The version of who answers, once it did.
    theirs: OnceCell<Option<String>>,
    /// What the clock of who answers said last.
    clock: Cell<Option<Time>>,
}

/// The token that is shown.
#[derive(Debug)]
enum Bearer {
    Nobody,
    Known(Secret),
    /// In the sealed file of an installation on this machine.
    Kept {
        uri: SecretUri,
        data: PathBuf,
        key_file: Option<PathBuf>,
    },
}

/// A request that brought nothing.
struct Missed {
    failure: Failure,
    /// Whether another try may bring more.
    again: bool,
    /// How long it was asked to wait.
    after: Option<Duration>,
}

impl Access {
    /// Whether an installation was named that is asked over its API, and is not a folder of this machine.
    pub(super) fn is_named(&self) -> Result<bool, Failure> {
        if self.named.is_flag("data") {
            return Ok(false);
        }
        let profile = self.named.profile()?;
        let by_profile = profile.data.is_none() && profile.api.is_some();
        Ok(self.named.is_flag("api") || by_profile || (self.api.is_some() && !self.named.is_by_flag()))
    }

    /// The profile that was named, and what stands on the command line.
    pub(super) const fn named(&self) -> &Named {
        &self.named
    }

    pub(super) fn open(&self) -> Result<Api, Failure> {
        let read = OnceCell::new();
        let profile = || -> Result<&Profile, Failure> {
            match read.get() {
                Some(profile) => Ok(profile),
                None => {
                    let profile = self.named.profile()?;
                    Ok(read.get_or_init(|| profile))
                }
            }
        };
        let base = self.named.pick("api", self.api.clone(), || Ok(profile()?.api.clone()))?;
        let base = match base {
            Some(base) => base,
            None => {
                Url::parse(HERE).map_err(|error| Failure::usage(error.to_string(), "give it by --api URL"))?
            }
        };
        if !base.username().is_empty() || base.password().is_some() {
            return Err(Failure::usage(
                "the URL of MotherGoose has a name or a password in it, which it has no use for",
                "leave it out; the token of --token-file, GOSLING_TOKEN_FILE or a profile opens the API",
            ));
        }
        // From here on the URL may be shown.
        if base.query().is_some() || base.fragment().is_some() {
            return Err(Failure::usage(
                "the URL of MotherGoose has something behind its path, which it has no use for",
                "leave out what begins with `?` or `#`",
            ));
        }
        if !matches!(base.scheme(), "http" | "https") {
            return Err(Failure::usage(
                format!("`{base}` is no URL that can be asked"),
                "it begins with http:// or https://",
            ));
        }
        let token = self.named.pick("token_file", self.token_file.clone().map(TokenAt::File), || {
            let profile = profile()?;
            // The token of one installation is not shown to another.
            let is_theirs = profile.api.as_ref().is_none_or(|api| api.origin() == base.origin());
            Ok(profile.token.clone().filter(|_| is_theirs))
        })?;
        let token = match token {
            Some(TokenAt::File(file)) => Bearer::Known(read_token(&file)?),
            Some(TokenAt::Secret(uri)) => {
                Bearer::Kept { uri, data: self.named.data(None)?, key_file: self.named.key_file(None)? }
            }
            None => Bearer::Nobody,
        };
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .redirect(Policy::none())
            .user_agent(concat!("gosling/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Failure::Failed { message: error.to_string(), help: None })?;
        let retry_for = self.retry_for;
        Ok(Api {
            http,
            base,
            token,
            unsealed: tokio::sync::OnceCell::new(),
            retry_for,
            patience: PATIENCE,
            theirs: OnceCell::new(),
            clock: Cell::new(None),
        })
    }
}

async fn unseal(uri: &SecretUri, data: &Path, key_file: Option<&Path>) -> Result<Secret, Failure> {
    let failed = |reason: String| Failure::Failed {
        message: format!("the profile's token can't be read: {reason}"),
        help: Some(
            "`gosling secret put URI` keeps it in the folder that the profile's `data` names".to_owned(),
        ),
    };
    if !data.is_dir() {
        return Err(failed(format!("there is no folder {}", data.display())));
    }
    let secrets = app::secrets_of(data, key_file).map_err(|error| failed(error.to_string()))?;
    let token = secrets.get(uri).await.map_err(|error| failed(error.to_string()))?;
    hide(token.expose());
    Ok(token)
}

fn read_token(file: &Path) -> Result<Secret, Failure> {
    let wrong = |what: String| {
        Failure::usage(
            what,
            "--token-file, GOSLING_TOKEN_FILE or a profile names the file; `gosling token NAME` makes a token",
        )
    };
    let text = fs::read_to_string(file)
        .map_err(|error| wrong(format!("the API token can't be read from {}: {error}", file.display())))?;
    let token = text.trim();
    hide(token);
    if token.is_empty() {
        return Err(wrong(format!("there is no API token in {}: it is empty", file.display())));
    }
    // Anything else could not even be sent.
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong(format!(
            "there is no API token in {}: it is one word, and nothing else stands in the file",
            file.display()
        )));
    }
    Ok(Secret::new(token))
}

impl Api {
    /// What the clock of who answers said last, so that how long something is ago doesn't hang on this machine's; or what this
    /// machine's says, as long as nobody answered.
    pub(super) fn now(&self) -> Time {
        self.clock.get().unwrap_or_else(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Time::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
        })
    }

    /// Whether nobody on the way can read what is sent.
    pub(super) fn is_private(&self) -> bool {
        let is_here = match self.base.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        self.base.scheme() == "https" || is_here
    }

    /// The same, for what takes its time.
    pub(super) fn patient(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The same, for whoever looks again and again: what fails is not tried again here.
    pub(super) fn at_once(self) -> Self {
        Self { retry_for: Duration::ZERO, ..self }
    }

    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, Failure> {
        self.ask(Method::GET, path, query, None, true).await
    }

    /// Has something done. It is not tried again once it may have been begun.
    pub(super) async fn post<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Failure> {
        self.ask(Method::POST, path, &[], None, false).await
    }

    /// Has something done that is the same however often it is done, as a query says.
    pub(super) async fn post_again<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, Failure> {
        self.ask(Method::POST, path, query, None, true).await
    }

    /// Has something done that is described. It is not tried again once it may have been begun.
    pub(super) async fn post_with<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        self.ask(Method::POST, path, &[], Some(written(body)?), false).await
    }

    /// Has something done that is the same however often it is done: it is tried again like a question.
    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&impl Serialize>,
    ) -> Result<T, Failure> {
        self.ask(method, path, &[], body.map(written).transpose()?, true).await
    }

    /// Has something taken away, as a query says.
    pub(super) async fn delete<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, Failure> {
        self.ask(Method::DELETE, path, query, None, true).await
    }

    /// All pages of a list.
    pub(super) async fn list<T: DeserializeOwned>(&self, path: &[&str]) -> Result<Vec<T>, Failure> {
        self.list_where(path, &[]).await
    }

    /// All pages of a part of a list.
    pub(super) async fn list_where<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Vec<T>, Failure> {
        self.list_of(path, query, usize::MAX).await
    }

    /// The pages of a part of a list until there are `most`.
    pub(super) async fn list_of<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        most: usize,
    ) -> Result<Vec<T>, Failure> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut query = query.to_vec();
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

    async fn token(&self) -> Result<Option<&Secret>, Failure> {
        match &self.token {
            Bearer::Nobody => Ok(None),
            Bearer::Known(token) => Ok(Some(token)),
            Bearer::Kept { uri, data, key_file } => {
                let unseal = || async { unseal(uri, data, key_file.as_deref()).await };
                self.unsealed.get_or_try_init(unseal).await.map(Some)
            }
        }
    }

    /// Asks, and asks again for a while when that can help and does no harm.
    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<Value>,
        harmless: bool,
    ) -> Result<T, Failure> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let token = self.token().await?;
        let once = || async {
            let mut request = self.http.request(method.clone(), url.clone()).timeout(self.patience);
            if !query.is_empty() {
                request = request.query(query);
            }
            if let Some(body) = &body {
                request = request.json(body);
            }
            if let Some(token) = token {
                request = request.bearer_auth(token.expose());
            }
            self.once(request, harmless).await
        };
        let pauses = ExponentialBuilder::new()
            .with_min_delay(FIRST_PAUSE)
            .with_max_delay(LONGEST_PAUSE)
            .with_jitter()
            .without_max_times()
            .with_total_delay(Some(self.retry_for));
        let waited = Cell::new(Duration::ZERO);
        let told = Cell::new(false);
        once.retry(pauses)
            .when(|missed| missed.again && !self.retry_for.is_zero())
            .adjust(|missed, pause| {
                let pause = pause.map(|pause| missed.after.map_or(pause, |after| after.max(pause)));
                pause.filter(|pause| waited.get().saturating_add(*pause) <= self.retry_for)
            })
            .notify(|missed: &Missed, pause| {
                waited.set(waited.get() + pause);
                if waited.get() >= QUIET && !told.replace(true) {
                    eprintln!(
                        "{}; trying again for {}",
                        mask_values(&missed.failure.to_string()),
                        length(u64::try_from(self.retry_for.as_millis()).unwrap_or(u64::MAX))
                    );
                }
            })
            .await
            .map_err(|missed| missed.failure)
    }

    async fn once<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
        harmless: bool,
    ) -> Result<T, Missed> {
        let unreachable = |error: &reqwest::Error| {
            let mut cause: &dyn std::error::Error = error;
            while let Some(deeper) = cause.source() {
                cause = deeper;
            }
            let failure = Failure::Unreachable {
                message: format!("MotherGoose at {} doesn't answer: {cause}", self.base),
                help: "is `gosling serve` running? --api, GOSLING_API or a profile says where it is"
                    .to_owned(),
            };
            // What never arrived has done nothing; what took too long would take as long again.
            let again = error.is_connect() || (harmless && !error.is_timeout());
            Missed { failure, again, after: None }
        };
        let response = request.send().await.map_err(|error| unreachable(&error))?;
        self.notice_version(&response);
        self.notice_clock(&response);
        let status = response.status();
        let after = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let after = after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        let body = response.bytes().await.map_err(|error| unreachable(&error))?;
        let last = |failure| Missed { failure, again: false, after: None };
        if status.is_success() {
            // What has nothing to say is as good as `null`.
            let body: &[u8] = if body.is_empty() { b"null" } else { &body };
            return serde_json::from_slice(body).map_err(|error| last(self.not_understood(&error)));
        }
        let problem = serde_json::from_slice(&body).ok();
        let has_token = !matches!(self.token, Bearer::Nobody);
        let failure = refused(&self.base, status, problem, has_token, after);
        let again = match status {
            StatusCode::TOO_MANY_REQUESTS => true,
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                harmless
            }
            _ => false,
        };
        Err(Missed { failure, again, after })
    }

    /// Says once that who answers is of another version.
    fn notice_version(&self, response: &Response) {
        if self.theirs.get().is_some() {
            return;
        }
        let theirs = response
            .headers()
            .get(VERSION_HEADER)
            .and_then(|value| value.to_str().ok())
            .map(|theirs| mask_values(&clean(theirs)));
        if let Some(theirs) = &theirs
            && minor(theirs) != minor(VERSION)
        {
            eprintln!(
                "warning: MotherGoose at {} is gosling {theirs}, and this is gosling {VERSION}: they may misunderstand each other",
                self.base
            );
        }
        let _ = self.theirs.set(theirs);
    }

    fn notice_clock(&self, response: &Response) {
        let date = response.headers().get(header::DATE).and_then(|value| value.to_str().ok());
        let date = date.and_then(|text| jiff::fmt::rfc2822::parse(text).ok());
        let millis = date.and_then(|date| u64::try_from(date.timestamp().as_millisecond()).ok());
        if let Some(millis) = millis {
            self.clock.set(Some(Time::from_millis(millis)));
        }
    }

    fn not_understood(&self, error: &serde_json::Error) -> Failure {
        let help = match self.theirs.get() {
            Some(Some(theirs)) => {
                format!("it is gosling {theirs}, and this is gosling {VERSION}: use the same version of both")
            }
            _ => format!("is there a `gosling serve` of version {VERSION} at that URL, or something else?"),
        };
        let message =
            format!("MotherGoose at {} answered what can't be understood: {}", self.base, unread(error));
        Failure::Failed { message, help: Some(help) }
    }
}

/// What versions have in common that understand each other.
fn minor(version: &str) -> Option<(&str, &str)> {
    let mut parts = version.split('.');
    parts.next().zip(parts.next())
}

fn written(body: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(body).map_err(|error| Failure::Failed { message: error.to_string(), help: None })
}

fn patience(text: &str) -> Result<Duration, String> {
    if matches!(text, "0" | "0s") { Ok(Duration::ZERO) } else { super::serve::duration(text) }
}

fn refused(
    base: &Url,
    status: StatusCode,
    problem: Option<Problem>,
    token: bool,
    after: Option<Duration>,
) -> Failure {
    let request = problem.as_ref().and_then(|problem| problem.instance.as_deref()).map(clean);
    let said = problem.map_or_else(
        || format!("MotherGoose at {base} answered {status}"),
        |problem| clean(problem.detail.as_deref().unwrap_or(&problem.title)),
    );
    match status {
        StatusCode::UNAUTHORIZED if !token => Failure::Refused {
            message: format!("MotherGoose at {base} wants a token, and none was given"),
            help:
                "give a token: --token-file FILE, GOSLING_TOKEN_FILE or a profile; `gosling token` makes one"
                    .to_owned(),
        },
        StatusCode::UNAUTHORIZED => Failure::Refused {
            message: format!("MotherGoose at {base} doesn't know the token"),
            help: "`gosling token NAME` makes one in the folder of that `gosling serve`, which knows it some seconds later"
                .to_owned(),
        },
        StatusCode::FORBIDDEN => Failure::Refused {
            message: said,
            help: "`gosling token NAME --scope SCOPE` makes a token that may do more".to_owned(),
        },
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            Failure::NotFound { message: said, help: "`gosling status` shows what there is".to_owned() }
        }
        StatusCode::CONFLICT => {
            Failure::Failed { message: said, help: Some("`gosling status` shows how things are".to_owned()) }
        }
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            Failure::Unreachable { message: said, help: "try it again in a moment".to_owned() }
        }
        StatusCode::TOO_MANY_REQUESTS => Failure::Unreachable {
            message: said,
            help: match after {
                Some(after) => format!("try it again in {} s", after.as_secs()),
                None => "try it again in a moment".to_owned(),
            },
        },
        _ => Failure::Failed {
            message: said,
            help: request.map(|request| format!("the log of MotherGoose has more on the request {request}")),
        },
    }
}
