//! `gosling serve`: arguments and variables to settings; all else is the service's.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    fs,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use fly_std::formats::SecretUri;
use flyc::artifact::{Artifact, MothergooseConfig};
use ipnet::IpNet;
use url::Url;

use super::{Failure, Global};
use crate::{
    domain::Deadlines,
    logging::Logging,
    ports::secrets::unread,
    settings::{CloudSettings, Intervals, NestSettings, Role, Settings, TlsSettings},
};

#[derive(Debug, Args)]
#[command(
    after_help = "Example: gosling serve --data /var/lib/gosling --nest git@gitlab.example.com:infra/nest.git \\\n           \
    --deploy-key vault://gosling/deploy-keys/nest --known-hosts known_hosts \\\n           \
    --url https://gosling.example.com\n\n\
    Secrets are never arguments: `gosling secret put URI` keeps them where the Nest's URIs lead."
)]
pub(super) struct Serve {
    /// The folder for everything that is kept on this machine
    #[arg(long, value_name = "FOLDER", env = "GOSLING_DATA", default_value = "gosling-data")]
    data: PathBuf,
    /// The file with the key that secrets are sealed with [default: `key` in the folder, made at the first start]
    #[arg(long, value_name = "FILE", env = "GOSLING_KEY_FILE")]
    key_file: Option<PathBuf>,
    /// Where the API listens
    #[arg(long, value_name = "ADDRESS:PORT", env = "GOSLING_LISTEN", default_value = "127.0.0.1:8080")]
    listen: String,
    /// Where runners and GitLab reach the API [default: where it listens]
    #[arg(long, value_name = "URL", env = "GOSLING_URL")]
    url: Option<Url>,
    /// The Nest's repository: a URL of git, or a folder
    #[arg(long, value_name = "URL", env = "GOSLING_NEST_URL")]
    nest: String,
    /// The Nest's name, for what is shared with others [default: the last part of its URL]
    #[arg(long, value_name = "NAME", env = "GOSLING_NEST")]
    nest_name: Option<String>,
    /// The branch of the Nest that counts
    #[arg(long, env = "GOSLING_BRANCH", default_value = "main")]
    branch: String,
    /// Where the deploy key of the Nest's repository is kept
    #[arg(long, value_name = "URI", env = "GOSLING_DEPLOY_KEY")]
    deploy_key: Option<String>,
    /// The keys of git servers, as ssh knows them
    #[arg(long, value_name = "FILE", env = "GOSLING_KNOWN_HOSTS")]
    known_hosts: Option<PathBuf>,
    /// The GitLab project that holds the Nest
    #[arg(long, value_name = "ID", env = "GOSLING_NEST_PROJECT", requires = "nest_server")]
    nest_project: Option<u64>,
    /// The host of the GitLab server that holds the Nest
    #[arg(long, value_name = "HOST", env = "GOSLING_NEST_SERVER")]
    nest_server: Option<String>,
    /// Where the secret of the Nest's own webhook is kept
    #[arg(long, value_name = "URI", env = "GOSLING_NEST_WEBHOOK_SECRET")]
    nest_webhook_secret: Option<String>,
    /// Where the API token of the Nest's own project is kept [default: that of an egg which opens it]
    #[arg(long, value_name = "URI", env = "GOSLING_NEST_API_TOKEN")]
    nest_api_token: Option<String>,
    #[arg(long, value_name = "HOST=URL", env = "GOSLING_GITLAB", value_delimiter = ',', value_parser = server,
          help = "The URL of a GitLab server that is not at https://HOST; may be given more than once")]
    gitlab: Vec<(String, Url)>,
    /// What this process does: api, worker, uglyfox
    #[arg(long, env = "GOSLING_ROLES", value_delimiter = ',', default_value = "api,worker,uglyfox",
          value_parser = role)]
    roles: Vec<Role>,
    /// The certificate that the API shows, PEM
    #[arg(long, value_name = "FILE", env = "GOSLING_TLS_CERT", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The key of that certificate, PEM
    #[arg(long, value_name = "FILE", env = "GOSLING_TLS_KEY", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// The tofu program [default: the one on PATH]
    #[arg(long, value_name = "PROGRAM", env = "GOSLING_TOFU")]
    tofu: Option<PathBuf>,
    /// The gosling program that local runners are started with [default: this one]
    #[arg(long, value_name = "PROGRAM", env = "GOSLING_PROGRAM")]
    gosling: Option<PathBuf>,
    #[arg(
        long,
        value_name = "FILE",
        env = "GOSLING_VARIABLES",
        help = r#"Variables of the eggs' modules by cloud, JSON: {"aws":{"subnet_id":"…"}}"#
    )]
    variables: Option<PathBuf>,
    #[arg(
        long,
        value_name = "CLOUD.NAME=URI",
        env = "GOSLING_CREDENTIALS",
        value_delimiter = ',',
        help = "Where a variable is kept that opens a cloud: yandex.YC_TOKEN=vault://clouds/yandex; may be given more than once"
    )]
    credential: Vec<String>,
    /// A variable of this environment that tofu gets besides; those called AWS_… and YC_… eggs in a cloud get anyway
    #[arg(long, value_name = "NAME", env = "GOSLING_TOFU_ENV", value_delimiter = ',')]
    tofu_env: Vec<String>,
    /// Settings of tofu in the place of its own, for a mirror of providers
    #[arg(long, value_name = "FILE", env = "GOSLING_TOFU_CONFIG")]
    tofu_config: Option<PathBuf>,
    /// A value of a variable of the Nest; may be given more than once
    #[arg(long, value_name = "NAME=VALUE", value_parser = var)]
    var: Vec<(String, String)>,
    /// Values of variables of the Nest, JSON: {"NAME": "VALUE"}; --var goes before it
    #[arg(long, value_name = "FILE", env = "GOSLING_VARS")]
    vars: Option<PathBuf>,
    /// The configuration of this installation that `flyc build` wrote
    #[arg(long, value_name = "FILE", env = "GOSLING_CONFIG")]
    config: Option<PathBuf>,
    /// How often the Nest's repository is looked at: 30s, 5m
    #[arg(long, value_name = "TIME", env = "GOSLING_SYNC_INTERVAL", default_value = "5m", value_parser = duration)]
    sync_interval: Duration,
    /// How often GitLab is asked for the jobs that wait
    #[arg(long, value_name = "TIME", env = "GOSLING_SWEEP_INTERVAL", default_value = "5m", value_parser = duration)]
    sweep_interval: Duration,
    /// How often it is decided anew
    #[arg(long, value_name = "TIME", env = "GOSLING_DECIDE_INTERVAL", default_value = "15s", value_parser = duration)]
    decide_interval: Duration,
    /// How many messages are worked on at one time, and beside them how many runs of tofu
    #[arg(long, value_name = "NUMBER", env = "GOSLING_WORKERS", default_value_t = 8,
          value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: u16,
    /// The most requests a second from one address, and at once [default: 5000,20000]
    #[arg(long, value_name = "RATE,BURST", env = "GOSLING_RATE", value_parser = rate)]
    rate: Option<(u32, u32)>,
    #[arg(long, value_name = "NETWORK", env = "GOSLING_TRUSTED_PROXIES", value_delimiter = ',', value_parser = network,
          help = "The address or network of a proxy before the API, which tells whom a request is from; may be given more than once")]
    trusted_proxy: Vec<IpNet>,
    /// The largest body of a request [default: 1MiB]
    #[arg(long, value_name = "SIZE", env = "GOSLING_BODY_LIMIT", value_parser = size)]
    body_limit: Option<usize>,
}

impl Serve {
    pub(super) fn run<F, D, E>(self, global: &Global, serve: F) -> Result<ExitCode, Failure>
    where
        F: FnOnce(Settings, Logging) -> D,
        D: Future<Output = Result<(), E>>,
        E: Display,
    {
        let settings = self.settings()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::Io { what: "the program can't begin".to_owned(), error })?;
        let ended = runtime.block_on(serve(settings, global.logging()));
        // What still blocks in the background has nothing more to say.
        runtime.shutdown_timeout(Duration::from_secs(5));
        match ended {
            Ok(()) => Ok(ExitCode::SUCCESS),
            Err(error) => Err(Failure::Failed { message: error.to_string(), help: None }),
        }
    }

    fn settings(self) -> Result<Settings, Failure> {
        if let Some(file) = &self.config {
            let text = read(file)?;
            MothergooseConfig::from_json(&text).map_err(|error| {
                Failure::usage(
                    format!("{}: {}", file.display(), unread(&error)),
                    "build the Nest anew with the flyc of this version",
                )
            })?;
        }
        let listen = listen(&self.listen)?;
        let tls = match (self.tls_cert, self.tls_key) {
            (Some(certificate), Some(key)) => {
                Some(TlsSettings { certificate: absolute(&certificate)?, key: absolute(&key)? })
            }
            _ => None,
        };
        let url = match self.url {
            Some(url) => url,
            None => own_url(listen, tls.is_some())?,
        };
        let name = self.nest_name.unwrap_or_else(|| name_of(&self.nest));
        let nest = NestSettings {
            name,
            // A folder may have been meant from where we are.
            url: if Path::new(&self.nest).is_dir() {
                absolute(Path::new(&self.nest))?.display().to_string()
            } else {
                self.nest
            },
            branch: self.branch,
            deploy_key: secret_uri("--deploy-key", self.deploy_key.as_deref())?,
            known_hosts: self.known_hosts.as_deref().map(read).transpose()?,
            project: self.nest_project,
            server: self.nest_server,
            webhook_secret: secret_uri("--nest-webhook-secret", self.nest_webhook_secret.as_deref())?,
            api_token: secret_uri("--nest-api-token", self.nest_api_token.as_deref())?,
            variables: vars(self.vars.as_deref(), self.var)?,
        };
        let clouds = CloudSettings {
            credentials: credentials(&self.credential)?,
            pass: self.tofu_env,
            tofu_config: self.tofu_config.as_deref().map(absolute).transpose()?,
        };
        let variables = match &self.variables {
            Some(file) => serde_json::from_str(&read(file)?).map_err(|error| {
                Failure::usage(
                    format!("{}: {}", file.display(), unread(&error)),
                    "it is an object by cloud: {\"aws\": {\"subnet_id\": \"…\"}}",
                )
            })?,
            None => BTreeMap::new(),
        };
        Ok(Settings {
            roles: self.roles.into_iter().collect::<BTreeSet<_>>(),
            data: absolute(&self.data)?,
            key_file: self.key_file.as_deref().map(absolute).transpose()?,
            listen,
            url,
            tls,
            nest,
            gitlab: self.gitlab.into_iter().collect(),
            tofu: self.tofu.as_deref().map(absolute).transpose()?,
            gosling: self.gosling.as_deref().map(absolute).transpose()?,
            variables,
            clouds,
            intervals: Intervals {
                sync: self.sync_interval,
                sweep: self.sweep_interval,
                decide: self.decide_interval,
            },
            deadlines: Deadlines::default(),
            workers: usize::from(self.workers),
            rate: self.rate.unwrap_or(Settings::RATE),
            proxies: self.trusted_proxy,
            body_limit: self.body_limit.unwrap_or(Settings::BODY_LIMIT),
            tokens: super::token::known(&self.data)?,
        })
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    fs::read_to_string(file).map_err(|error| Failure::Io { what: file.display().to_string(), error })
}

/// The path from the root on. A bare name of a program is looked for as a shell does.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| Failure::Io { what: path.display().to_string(), error })
}

/// A network, or an address alone.
fn network(text: &str) -> Result<IpNet, String> {
    let parsed = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    parsed
        .map(|network| network.trunc())
        .map_err(|_| "write it as 10.0.0.0/8, 192.0.2.7 or fd00::/8".to_owned())
}

fn listen(text: &str) -> Result<SocketAddr, Failure> {
    let found = text.to_socket_addrs().ok().and_then(|mut found| found.next());
    found.ok_or_else(|| {
        Failure::usage(format!("`{text}` can't be listened on"), "give an address and a port: 127.0.0.1:8080")
    })
}

/// Where the API is reached when nobody says.
fn own_url(listen: SocketAddr, tls: bool) -> Result<Url, Failure> {
    let scheme = if tls { "https" } else { "http" };
    let address = match listen.ip() {
        address if !address.is_unspecified() => address,
        IpAddr::V4(_) => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(_) => IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
    };
    let text = format!("{scheme}://{}", SocketAddr::new(address, listen.port()));
    Url::parse(&text).map_err(|_| {
        Failure::usage(format!("`{text}` is no URL"), "say where runners reach the API: --url URL")
    })
}

/// The last part of a URL or path, without `.git`.
fn name_of(url: &str) -> String {
    let url = url.trim_end_matches('/');
    let last = url.rsplit(['/', ':']).next().unwrap_or(url);
    let last = last.strip_suffix(".git").unwrap_or(last);
    if last.is_empty() || last == "." { "nest".to_owned() } else { last.to_owned() }
}

/// What is no URI may be a secret, so it is never shown.
fn secret_uri(argument: &str, text: Option<&str>) -> Result<Option<SecretUri>, Failure> {
    text.map(|text| {
        fly_std::formats::secret_uri::parse(text).map_err(|error| {
            Failure::usage(
                format!("what is given as {argument} is no URI of a secret: {}", error.message),
                "say where the secret is kept, and never the secret itself: vault://gosling/deploy-keys/nest",
            )
        })
    })
    .transpose()
}

/// `CLOUD.NAME=URI`, by cloud and name.
fn credentials(given: &[String]) -> Result<BTreeMap<String, BTreeMap<String, SecretUri>>, Failure> {
    // Where the URI should be somebody may have put the secret, so nothing of it is shown.
    let wrong = |what: &str| {
        Failure::usage(
            format!("what is given as --credential {what}"),
            "write the cloud, the variable, and where it is kept: yandex.YC_TOKEN=vault://clouds/yandex",
        )
    };
    let mut credentials: BTreeMap<String, BTreeMap<String, SecretUri>> = BTreeMap::new();
    for text in given {
        let (place, uri) = text.split_once('=').ok_or_else(|| wrong("has no `=`"))?;
        let (cloud, name) = place.split_once('.').ok_or_else(|| wrong("names no cloud and variable"))?;
        if !["aws", "yandex"].contains(&cloud) {
            return Err(wrong("is for no cloud that there is: aws, yandex"));
        }
        let is_name = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        if name.is_empty() || !name.bytes().all(is_name) || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(wrong("has no name of a variable of the environment"));
        }
        if let Some(uri) = secret_uri("--credential", Some(uri))? {
            credentials.entry(cloud.to_owned()).or_default().insert(name.to_owned(), uri);
        }
    }
    Ok(credentials)
}

/// The values of the Nest's variables, of a file and of the command line, which goes before.
fn vars(file: Option<&Path>, given: Vec<(String, String)>) -> Result<BTreeMap<String, String>, Failure> {
    let mut vars: BTreeMap<String, String> = match file {
        Some(file) => serde_json::from_str(&read(file)?).map_err(|error| {
            Failure::usage(
                format!("{}: {}", file.display(), unread(&error)),
                "it is an object of texts: {\"region\": \"eu-central-1\", \"count\": \"3\"}",
            )
        })?,
        None => BTreeMap::new(),
    };
    let mut seen = BTreeSet::new();
    for (name, value) in given {
        if !seen.insert(name.clone()) {
            return Err(Failure::usage(
                format!("the variable `{name}` is given twice"),
                "give each variable one value",
            ));
        }
        vars.insert(name, value);
    }
    Ok(vars)
}

fn var(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE, such as region=eu-central-1".to_owned()),
    }
}

fn server(text: &str) -> Result<(String, Url), String> {
    let (host, url) = text.split_once('=').ok_or("it is written HOST=URL")?;
    // It may have a password in it, so it isn't repeated.
    let url = Url::parse(url).map_err(|error| format!("what follows `{host}=` is no URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("what follows `{host}=` is no URL of http or https"));
    }
    Ok((host.to_owned(), url))
}

fn role(text: &str) -> Result<Role, String> {
    match text {
        "api" => Ok(Role::Api),
        "worker" => Ok(Role::Worker),
        "uglyfox" => Ok(Role::UglyFox),
        _ => Err("the roles are api, worker and uglyfox".to_owned()),
    }
}

/// A length of time: `30s`, `5m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "a time is a whole number with a unit: 500ms, 30s, 5m, 2h, 7d".to_owned();
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let duration = match &text[digits..] {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.checked_mul(60).ok_or_else(wrong)?),
        "h" => Duration::from_secs(number.checked_mul(3600).ok_or_else(wrong)?),
        "d" => Duration::from_secs(number.checked_mul(86_400).ok_or_else(wrong)?),
        _ => return Err(wrong()),
    };
    if duration.is_zero() { Err("it is more than nothing".to_owned()) } else { Ok(duration) }
}

fn rate(text: &str) -> Result<(u32, u32), String> {
    let wrong = || "it is two numbers of 1 or more: 200,1000".to_owned();
    let (rate, burst) = text.split_once(',').ok_or_else(wrong)?;
    match (rate.trim().parse(), burst.trim().parse()) {
        (Ok(rate @ 1..), Ok(burst @ 1..)) => Ok((rate, burst)),
        _ => Err(wrong()),
    }
}

fn size(text: &str) -> Result<usize, String> {
    let wrong = || "a size is a whole number with a unit: 512KiB, 10MiB".to_owned();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: usize = text[..digits].parse().map_err(|_| wrong())?;
    let unit = match &text[digits..] {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit).filter(|size| *size > 0).ok_or_else(wrong)
}

#[cfg(test)]
mod tests;
