//! What a change of each attribute of an egg or bucket does to its runners.
//!
//! The table follows from what is generated: the Compute Modules ignore every change of a machine that exists (tests
//! hold the table against them), `config.json` is what the orchestrator goes by, `egg.json` what a new runner is told.
//! What never lives here: which attributes differ.

use serde::Serialize;

use crate::artifact::Provider;

/// What a change does to runners, the gravest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing happens to runners: the orchestrator alone goes by it, from its next sync on.
    Orchestrator,
    /// The owner labels of machines are changed in place; no job notices.
    Labels,
    /// How many runners there are, and for how long, follows the change at once; no machine is changed by it.
    Fleet,
    /// The next run of a job goes by it; every run has a runner of its own.
    NextRun,
    /// Runners made from now on have it; those that exist keep what they were made with until they are drained.
    NewRunners,
    /// The runners are registered with GitLab anew; those that exist serve as they did until they are drained.
    Registration,
    /// No runner that exists can stay: each is drained and destroyed, and new ones are made elsewhere.
    Replaced,
}

impl Effect {
    /// Every effect, in their order.
    pub const ALL: [Self; 7] = [
        Self::Orchestrator,
        Self::Labels,
        Self::Fleet,
        Self::NextRun,
        Self::NewRunners,
        Self::Registration,
        Self::Replaced,
    ];

    /// As it stands in JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Orchestrator => "orchestrator",
            Self::Labels => "labels",
            Self::Fleet => "fleet",
            Self::NextRun => "next_run",
            Self::NewRunners => "new_runners",
            Self::Registration => "registration",
            Self::Replaced => "replaced",
        }
    }

    /// In a few words, for a table.
    pub const fn short(self) -> &'static str {
        match self {
            Self::Orchestrator => "runners untouched",
            Self::Labels => "labels change in place",
            Self::Fleet => "more or fewer runners",
            Self::NextRun => "from the next run on",
            Self::NewRunners => "new runners only",
            Self::Registration => "registered anew",
            Self::Replaced => "runners replaced",
        }
    }

    /// In a sentence, for an egg or bucket.
    pub(super) const fn sentence(self) -> &'static str {
        match self {
            Self::Orchestrator => {
                "runners stay as they are; the orchestrator goes by the change from its next sync on"
            }
            Self::Labels => "the owner labels of its machines change in place; no job notices",
            Self::Fleet => {
                "no machine changes; from its next sync on the orchestrator makes, wakes and drains runners by it"
            }
            Self::NextRun => "the next run goes by it; every run has a runner of its own",
            Self::NewRunners => {
                "runners made from now on have it; those that exist keep what they were made with until they are \
                 drained"
            }
            Self::Registration => {
                "the runners are registered with GitLab anew; those that exist serve as they did until they are drained"
            }
            Self::Replaced => {
                "no runner that exists can stay: each is drained and destroyed, and new ones are made"
            }
        }
    }
}

/// What one attribute does.
#[derive(Debug)]
pub(super) struct Rule {
    /// The path within an egg; within a bucket, that of `gitlab` stands inside a `repo`.
    pub(super) path: &'static str,
    /// The cloud it holds for; none for all.
    pub(super) cloud: Option<Provider>,
    /// What a change of it does.
    pub(super) effect: Effect,
    /// Why, as a phrase without a full stop.
    pub(super) why: &'static str,
}

const fn rule(path: &'static str, effect: Effect, why: &'static str) -> Rule {
    Rule { path, cloud: None, effect, why }
}

const fn on(cloud: Provider, path: &'static str, effect: Effect, why: &'static str) -> Rule {
    Rule { path, cloud: Some(cloud), effect, why }
}

use Effect::{Fleet, NewRunners, Orchestrator, Registration, Replaced};

const SIZE: &str = "a machine keeps the size it was made with: nothing is resized";
const TOLD: &str = "a runner is told when it is made, and not again";

/// Every attribute of an egg and bucket. The first row that fits counts; those of one cloud stand before the others.
pub(super) static RULES: &[Rule] = &[
    rule("type", Replaced, "a machine can't become a container, nor a container a machine"),
    rule("cloud.provider", Replaced, "the runners of one cloud can't move to another"),
    on(
        Provider::Aws,
        "cloud.region",
        Replaced,
        "OpenTofu looks for the egg's machines in the new region only, so those of the old one must be gone before",
    ),
    rule("cloud.region", NewRunners, "a machine stays where it was made"),
    on(
        Provider::Aws,
        "cloud.zone",
        Orchestrator,
        "machines stand in the zone of their subnet; only the check of that subnet changes",
    ),
    rule("cloud.zone", NewRunners, "a machine stays where it was made"),
    rule("cloud.network", Orchestrator, "machines are attached to the subnet; only the check of it changes"),
    rule("cloud.subnet", NewRunners, "a machine stays in the subnet it was made in"),
    rule("cloud.image", NewRunners, "a machine keeps the disk it was made with"),
    rule("resources.cpu", NewRunners, SIZE),
    rule("resources.memory", NewRunners, SIZE),
    rule("resources.disk", NewRunners, SIZE),
    rule("runner.tags", NewRunners, TOLD),
    rule("runner.concurrent", Fleet, "the orchestrator counts the runners"),
    rule("runner.idle_timeout", Fleet, "the orchestrator puts idle runners to sleep"),
    rule("runner.timeout", NewRunners, TOLD),
    rule("runner.run_untagged", NewRunners, TOLD),
    rule("runner.protected", NewRunners, TOLD),
    rule("runner.executor", NewRunners, TOLD),
    rule("runner.image", NewRunners, TOLD),
    rule("runner.privileged", NewRunners, TOLD),
    rule("runner.ephemeral", NewRunners, TOLD),
    rule("gitlab.server", Registration, "a runner is registered with one server"),
    rule("gitlab.project_id", Registration, "a runner is registered for one project or group"),
    rule("gitlab.group_id", Registration, "a runner is registered for one project or group"),
    rule(
        "gitlab.api_token_secret",
        Orchestrator,
        "the orchestrator reads the token there from its next call on; see that it is there",
    ),
    rule(
        "gitlab.token_secret",
        Registration,
        "the token is kept elsewhere: a new one is made there unless the old one is moved first",
    ),
    rule(
        "gitlab.webhook_secret",
        Orchestrator,
        "the webhook is signed with the secret kept there; hooks signed with the old one are refused",
    ),
    rule("environment.NAME", NewRunners, TOLD),
    rule("rift.name", NewRunners, TOLD),
    rule("rift.docker", NewRunners, TOLD),
    rule("rift.cache", NewRunners, TOLD),
];

/// What a change of a Rift server does to the server, the gravest last. Runners stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ServerEffect {
    /// Its machine stays as it is.
    Kept,
    /// The orchestrator alone goes by it.
    Told,
    /// Its process is started anew.
    Restarted,
    /// Its machine is stopped and comes back.
    Resized,
    /// Its own disk is another size.
    OwnDisk,
    /// Its machine goes to another subnet.
    Subnet,
    /// Another machine takes over the cache.
    NewMachine,
    /// Another machine takes over the cache, whose disk grows.
    NewMachineAndDisk,
    /// It is made anew in another place.
    Elsewhere,
}

impl ServerEffect {
    /// What a change of an attribute does; `key` is empty for those of upstreams.
    pub(super) fn of(key: &str, cloud: Provider) -> Self {
        match (key, cloud) {
            ("cloud.provider", _) => Self::Elsewhere,
            ("auth.eggs", _) => Self::Told,
            (_, Provider::Local) if key.starts_with("cloud.") || key.starts_with("resources.") => Self::Kept,
            (_, Provider::Local) => Self::Restarted,
            ("resources.cpu" | "resources.memory", _) => Self::Resized,
            ("resources.disk", _) => Self::OwnDisk,
            ("cloud.image" | "cloud.network", _) | ("cloud.zone", Provider::Aws) => Self::Kept,
            ("cloud.region", Provider::Aws) | ("cloud.zone", Provider::Yandex) => Self::Elsewhere,
            // The zone, which follows from it, is told by itself.
            ("cloud.region", Provider::Yandex) => Self::Kept,
            ("cloud.subnet", _) => Self::Subnet,
            ("cache.max_size", _) => Self::NewMachineAndDisk,
            _ => Self::NewMachine,
        }
    }

    /// In a sentence.
    pub(super) const fn sentence(self) -> &'static str {
        match self {
            Self::Kept => "the server stays as it is; the next one that is made goes by it",
            Self::Told => "the server's machine stays as it is; the orchestrator tells it whom it serves",
            Self::Restarted => "the next `tofu apply` starts the server's process anew; its cache stays",
            Self::Resized => {
                "the next `tofu apply` stops the server's machine for a minute and brings it back in another size"
            }
            Self::OwnDisk => {
                "the next `tofu apply` makes the machine's own disk larger, with a new machine and a new ticket where the \
                 plan of OpenTofu says so; the cache stays"
            }
            Self::Subnet => {
                "the next `tofu apply` moves the server to another subnet, with a new machine and a new ticket where the \
                 plan of OpenTofu says so"
            }
            Self::NewMachine => {
                "the next `tofu apply` makes a new machine, which takes over the cache and needs a new ticket"
            }
            Self::NewMachineAndDisk => {
                "the next `tofu apply` makes a new machine, which takes over the cache and needs a new ticket; the \
                 cache's disk grows, and never shrinks"
            }
            Self::Elsewhere => {
                "the next `tofu apply` makes the server anew in another place, with an empty cache and a new ticket"
            }
        }
    }
}

/// The row of an attribute by its key in the table.
pub(super) fn find(key: &str, cloud: Provider) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.path == key && rule.cloud.is_none_or(|only| only == cloud))
}
