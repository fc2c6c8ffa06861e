//! What an installation is told when it starts: by the command line and by variables `GOSLING_…`. Plain data; reading it is
//! the business of `cli/`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::SocketAddr,
    path::PathBuf,
    time::Duration,
};

use fly_std::formats::SecretUri;
use ipnet::IpNet;
use url::Url;

use crate::domain::Deadlines;

/// What one process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The HTTP API: webhooks, runners, operators.
    Api,
    /// Works on what is in the queue: syncs, decides, deploys.
    Worker,
    /// The timers and the rules of lifecycle.
    UglyFox,
}

/// How often things happen by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intervals {
    /// The Nest's repository is looked at.
    pub sync: Duration,
    /// GitLab is asked for the jobs that wait.
    pub sweep: Duration,
    /// It is decided anew, whatever happened or not.
    pub decide: Duration,
}

impl Default for Intervals {
    fn default() -> Self {
        Self { sync: Duration::from_mins(5), sweep: Duration::from_mins(5), decide: Duration::from_secs(15) }
    }
}

/// Where the Nest is.
#[derive(Clone)]
pub struct NestSettings {
    /// Its name, for what is shared with others.
    pub name: String,
    /// The URL of its repository, or a folder of this machine.
    pub url: String,
    /// The branch that counts.
    pub branch: String,
    /// The private deploy key.
    pub deploy_key: Option<SecretUri>,
    /// Lines of `known_hosts`.
    pub known_hosts: Option<String>,
    /// The GitLab project that the Nest is in: for its push hooks and jobs.
    pub project: Option<u64>,
    /// The host of that GitLab server.
    pub server: Option<String>,
    /// The secret of the Nest's own webhook.
    pub webhook_secret: Option<SecretUri>,
    /// The API token of the Nest's own project; none is that of an egg which opens it.
    pub api_token: Option<SecretUri>,
    /// Values of the Nest's variables, by name.
    pub variables: BTreeMap<String, String>,
}

/// Its URL may have a password in it, and its variables may be anything.
impl fmt::Debug for NestSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.variables.keys().collect();
        f.debug_struct("NestSettings")
            .field("name", &self.name)
            .field("branch", &self.branch)
            .field("project", &self.project)
            .field("server", &self.server)
            .field("variables", &names)
            .finish_non_exhaustive()
    }
}

/// What eggs in a cloud are deployed with, beside the variables of their modules.
#[derive(Debug, Clone, Default)]
pub struct CloudSettings {
    /// Where it is kept what opens a cloud, by cloud and name in the environment: `{ "yandex": { "YC_TOKEN": URI } }`.
    pub credentials: BTreeMap<String, BTreeMap<String, SecretUri>>,
    /// Variables of `gosling`'s own environment that `OpenTofu` gets besides.
    pub pass: Vec<String>,
    /// Settings of `OpenTofu` in the place of its own: for mirrors of providers.
    pub tofu_config: Option<PathBuf>,
}

/// The certificate that the API shows.
#[derive(Debug, Clone)]
pub struct TlsSettings {
    /// The chain, PEM.
    pub certificate: PathBuf,
    /// The key, PEM.
    pub key: PathBuf,
}

/// What the bearer of a token may do. Runners have credentials of their own, which open nothing but their own paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Look at everything.
    Read,
    /// Change what runs: drain, pause, roll back, replay. It may look as well.
    Operate,
    /// Call what the timers call: `/internal/…`.
    Trigger,
}

impl Scope {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Read, Self::Operate, Self::Trigger];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Operate => "operate",
            Self::Trigger => "trigger",
        }
    }
}

/// A bearer token of the API, known by its fingerprint alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Whose it is, for the audit log.
    pub name: String,
    /// The SHA-256 of the token, in hexadecimal.
    pub sha256: String,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
}

/// The whole of it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What this process does.
    pub roles: BTreeSet<Role>,
    /// The folder for everything that is kept on this machine, absolute.
    pub data: PathBuf,
    /// The file with the installation's key; none is `key` in the folder, made at the first start.
    pub key_file: Option<PathBuf>,
    /// Where the API listens.
    pub listen: SocketAddr,
    /// Where runners and GitLab reach the API.
    pub url: Url,
    /// The API's certificate; without one it speaks HTTP.
    pub tls: Option<TlsSettings>,
    /// The Nest.
    pub nest: NestSettings,
    /// The base URLs of GitLab servers that are not `https://HOST`, by host as the Nest names it.
    pub gitlab: BTreeMap<String, Url>,
    /// The `tofu` that is used; none looks for one on the `PATH`.
    pub tofu: Option<PathBuf>,
    /// The `gosling` that local runners are started with; none is this very program.
    pub gosling: Option<PathBuf>,
    /// Variables of every egg's module, by cloud and name: `{ "aws": { "subnet_id": "…" } }`.
    pub variables: BTreeMap<String, BTreeMap<String, serde_json::Value>>,
    /// What eggs in a cloud are deployed with besides.
    pub clouds: CloudSettings,
    /// How often things happen.
    pub intervals: Intervals,
    /// How long things may take.
    pub deadlines: Deadlines,
    /// How many messages are worked on at one time.
    pub workers: usize,
    /// The most requests a second from one address, and how many at once.
    pub rate: (u32, u32),
    /// The networks of the proxies before the API, whose word it takes for where a request is from; nobody else's.
    pub proxies: Vec<IpNet>,
    /// The largest body of a request, in bytes.
    pub body_limit: usize,
    /// The tokens that the API takes.
    pub tokens: Vec<ApiToken>,
}

impl Settings {
    /// As many requests as one busy GitLab server sends, from its one address, and many more.
    pub const RATE: (u32, u32) = (5_000, 20_000);
    /// Larger than the hooks that are of interest ever are.
    pub const BODY_LIMIT: usize = 1024 * 1024;
}
