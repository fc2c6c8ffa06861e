//! Eggs, buckets and jobs that are right, as flags and as answers on a terminal.

use proptest::{prelude::*, sample::select};

use super::terminal::Terminal;

/// Something to be added.
#[derive(Debug, Clone)]
pub(crate) enum Wanted {
    Egg {
        common: Common,
        server: Option<&'static str>,
        group: bool,
        id: u32,
    },
    Bucket {
        common: Common,
        server: Option<&'static str>,
        repos: Vec<(bool, u32)>,
    },
    Job {
        schedule: &'static str,
        timezone: Option<&'static str>,
        script: String,
        common: Common,
        notify: Option<&'static str>,
    },
}

#[derive(Debug, Clone)]
pub(crate) struct Common {
    runner_type: &'static str,
    cloud: &'static str,
    region: Option<&'static str>,
    memory: Option<&'static str>,
    tags: Vec<String>,
    concurrent: Option<u32>,
}

const SERVERS: &[&str] = &["gitlab.example.com", "git.internal.example.com:8443"];

fn common() -> impl Strategy<Value = Common> {
    let place = select(vec![
        ("yandex", None),
        ("yandex", Some("ru-central1-b")),
        ("aws", None),
        ("aws", Some("eu-west-1")),
        ("local", None),
    ]);
    let tags = prop::collection::vec("[a-z][a-z0-9-]{0,8}", 0..4).prop_map(|mut tags| {
        tags.sort();
        tags.dedup();
        tags
    });
    let memory = prop::option::of(select(&["2GiB", "4GiB", "8192", "8GiB"][..]));
    let kind = select(&["vm", "serverless"][..]);
    (kind, place, memory, tags, prop::option::of(1..20_u32)).prop_map(
        |(runner_type, (cloud, region), memory, tags, concurrent)| {
            // How much a serverless container has depends on its cloud; that is not what is tried here.
            let memory = memory.filter(|_| runner_type == "vm");
            Common { runner_type, cloud, region, memory, tags, concurrent }
        },
    )
}

pub(crate) fn wanted() -> impl Strategy<Value = Wanted> {
    let server = || prop::option::of(select(SERVERS));
    let egg = (common(), server(), any::<bool>(), 1..u32::MAX)
        .prop_map(|(common, server, group, id)| Wanted::Egg { common, server, group, id });
    let repos = prop::collection::btree_map(1..u32::MAX, any::<bool>(), 1..4);
    let bucket = (common(), server(), repos).prop_map(|(common, server, repos)| Wanted::Bucket {
        common,
        server,
        repos: repos.into_iter().map(|(id, group)| (group, id)).collect(),
    });
    let schedule = select(&["0 2 * * *", "*/15 * * * *", "30 6 1 * 1"][..]);
    let zone = prop::option::of(select(&["Europe/Berlin", "UTC"][..]));
    let script = "[a-z][ -~]{0,30}[a-z]";
    let notify = prop::option::of(Just("ops@example.com"));
    let job = (schedule, zone, script, common(), notify).prop_map(
        |(schedule, timezone, script, common, notify)| Wanted::Job {
            schedule,
            timezone,
            script,
            common,
            notify,
        },
    );
    prop_oneof![egg, bucket, job]
}

/// The name of the repository at a place.
fn repo(at: usize) -> String {
    format!("repo-{at}")
}

impl Wanted {
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Egg { .. } => "egg",
            Self::Bucket { .. } => "bucket",
            Self::Job { .. } => "job",
        }
    }

    /// As flags.
    pub(crate) fn flags(&self) -> Vec<String> {
        let mut flags = Vec::new();
        let mut flag = |name: &str, value: Option<String>| {
            flags.extend(value.map(|value| format!("--{name}={value}")));
        };
        let (common, server) = match self {
            Self::Egg { common, server, .. } | Self::Bucket { common, server, .. } => (common, *server),
            Self::Job { common, .. } => (common, None),
        };
        flag("type", Some(common.runner_type.to_owned()));
        flag("cloud", Some(common.cloud.to_owned()));
        flag("region", common.region.map(str::to_owned));
        flag("tags", (!common.tags.is_empty()).then(|| common.tags.join(",")));
        flag("gitlab-server", server.map(str::to_owned));
        if !matches!(self, Self::Job { .. }) {
            flag("memory", common.memory.map(str::to_owned));
            flag("concurrent", common.concurrent.map(|number| number.to_string()));
        }
        match self {
            Self::Egg { group, id, .. } => {
                flag(if *group { "gitlab-group-id" } else { "gitlab-project-id" }, Some(id.to_string()));
            }
            Self::Bucket { repos, .. } => {
                for (at, (group, id)) in repos.iter().enumerate() {
                    let kind = if *group { "group" } else { "project" };
                    flag("repo", Some(format!("{}={kind}:{id}", repo(at))));
                }
            }
            Self::Job { schedule, timezone, script, notify, .. } => {
                flag("schedule", Some((*schedule).to_owned()));
                flag("timezone", timezone.map(str::to_owned));
                flag("script", Some(script.clone()));
                flag("notify", notify.map(str::to_owned));
            }
        }
        flags
    }

    /// As answers to what is asked.
    pub(crate) fn answer(&self, terminal: &mut Terminal) {
        let number = |number: Option<u32>| number.map_or_else(String::new, |number| number.to_string());
        match self {
            Self::Egg { common, server, group, id } => {
                common.answer(terminal);
                terminal.answer("memory", common.memory.unwrap_or(""));
                terminal.answer("tags", &common.tags.join(", "));
                terminal.answer("concurrent", &number(common.concurrent));
                terminal.answer("gitlab-server", server.unwrap_or(""));
                terminal.answer("what the runners serve", if *group { "group" } else { "one" });
                let asked = if *group { "gitlab-group-id" } else { "gitlab-project-id" };
                terminal.answer(asked, &id.to_string());
            }
            Self::Bucket { common, server, repos } => {
                common.answer(terminal);
                terminal.answer("memory", common.memory.unwrap_or(""));
                terminal.answer("tags", &common.tags.join(","));
                terminal.answer("concurrent", &number(common.concurrent));
                terminal.answer("gitlab-server", server.unwrap_or(""));
                for (at, (group, id)) in repos.iter().enumerate() {
                    terminal.answer("repository", &repo(at));
                    terminal.answer("what it is", if *group { "group" } else { "one" });
                    terminal.answer("id", &id.to_string());
                }
                terminal.answer("repository", "");
            }
            Self::Job { schedule, timezone, script, common, notify } => {
                terminal.answer("schedule", schedule);
                terminal.answer("timezone", timezone.unwrap_or(""));
                terminal.answer("script", script);
                terminal.answer("type", common.runner_type);
                terminal.answer("tags", &common.tags.join(","));
                terminal.answer("cloud", common.cloud);
                if common.cloud != "local" {
                    terminal.answer("region", common.region.unwrap_or(""));
                }
                terminal.answer("memory", "");
                terminal.answer("notify", notify.unwrap_or(""));
            }
        }
    }
}

impl Common {
    fn answer(&self, terminal: &mut Terminal) {
        terminal.answer("type", self.runner_type);
        terminal.answer("cloud", self.cloud);
        if self.cloud != "local" {
            terminal.answer("region", self.region.unwrap_or(""));
        }
    }
}
