//! IAM roles: one for each service account, with what its `roles` grant.
//!
//! An action in `roles` comes without a resource. Where everything of the action's service is made here, it is allowed on
//! that alone.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::{Value, context};

use super::text::{Labels, padded, safe};
use crate::{
    artifact::{Component, MothergooseConfig, ServiceAccount},
    lower::LowerError,
};

/// The accounts of an installation, and the labels of their roles.
pub(super) struct Accounts {
    labels: Labels,
    /// The key of the account that the authentication function acts as.
    auth: String,
}

/// What the authentication function's account is called when the configuration has none.
const AUTH: &str = "auth_function";

impl Accounts {
    pub(super) fn of(config: &MothergooseConfig) -> Self {
        let named = &config.api_gateway.auth_function.service_account;
        let mut auth = if named.is_empty() { AUTH.to_owned() } else { named.clone() };
        if named.is_empty() {
            while config.service_accounts.contains_key(&auth) {
                auth.push_str("_own");
            }
        }
        let mut keys: BTreeSet<&str> = config.service_accounts.keys().map(String::as_str).collect();
        keys.insert(&auth);
        Self { labels: Labels::of(keys.into_iter(), &[]), auth }
    }

    /// The label of an account's role.
    pub(super) fn label(&self, key: &str) -> Value {
        self.labels.label(key)
    }

    /// The label of the authentication function's role.
    pub(super) fn auth(&self) -> Value {
        self.label(&self.auth)
    }

    /// What the templates see of each account.
    pub(super) fn contexts(&self, config: &MothergooseConfig) -> Result<Vec<Value>, LowerError> {
        let own = (!config.service_accounts.contains_key(&self.auth)).then(|| ServiceAccount {
            name: format!("{}-sa", config.api_gateway.auth_function.name),
            roles: Vec::new(),
            derived: true,
        });
        let accounts = config.service_accounts.iter().chain(own.iter().map(|own| (&self.auth, own)));
        padded(accounts.map(|(key, account)| {
            let mut users = self.functions(config, key);
            let runs = !users.is_empty();
            let clock = config.triggers.values().any(|trigger| trigger.service_account == *key);
            if clock {
                users.push("triggers");
            }
            let doc = if users.is_empty() { "nothing yet".to_owned() } else { users.join(", ") };
            let policies = account.roles.iter().filter(|role| is_policy(role)).cloned();
            let context = context! {
                label => self.label(key),
                path => format!("service_accounts.{key}"),
                name => account.name.clone(),
                description => format!("Polar Gosling: {doc}."),
                // A role that nothing acts as yet must be somebody's all the same.
                functions => runs || !clock,
                clock,
                grants => grants(config, &account.roles),
                policies => policies.collect::<Vec<_>>(),
            };
            (key.as_str(), context)
        }))
    }

    /// The functions that act as an account.
    fn functions(&self, config: &MothergooseConfig, key: &str) -> Vec<&'static str> {
        let services = Component::SERVICES.into_iter().filter(|component| {
            config.service(*component).is_some_and(|service| service.service_account == key)
        });
        let mut users: Vec<&str> = services.map(Component::name).collect();
        if self.auth == key {
            users.push(AUTH);
        }
        users
    }

    /// The accounts that the clock calls as, each with the services it calls.
    pub(super) fn callers(&self, config: &MothergooseConfig) -> Vec<Value> {
        let mut calls: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for trigger in config.triggers.values() {
            calls.entry(&trigger.service_account).or_default().insert(trigger.target.name());
        }
        calls
            .into_iter()
            .map(|(key, targets)| {
                let arns: Vec<_> =
                    targets.iter().map(|target| format!("aws_lambda_alias.{target}.arn")).collect();
                context! { label => self.label(key), targets => safe(&arns.join(", ")) }
            })
            .collect()
    }
}

/// Whether a role is the ARN of a policy.
pub(super) fn is_policy(role: &str) -> bool {
    let mut parts = role.split(':');
    parts.next() == Some("arn")
        && parts.next().is_some_and(|partition| partition.starts_with("aws"))
        && parts.next() == Some("iam")
        && parts.nth(2).is_some_and(|name| name.starts_with("policy/"))
}

/// Whether a role is an IAM action, such as `ec2:StartInstances`; `*` is every action there is.
pub(super) fn is_action(role: &str) -> bool {
    let Some((service, action)) = role.split_once(':') else { return role == "*" };
    !service.is_empty()
        && service.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !action.is_empty()
        && action.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'?'))
}

/// Statements for the actions among the roles, one a service.
fn grants(config: &MothergooseConfig, roles: &[String]) -> Vec<Value> {
    let mut statements: BTreeMap<(String, bool), BTreeSet<&str>> = BTreeMap::new();
    for role in roles.iter().filter(|role| is_action(role)) {
        // IAM knows no difference between small and large letters.
        let service = role.split_once(':').map_or("any", |(service, _)| service).to_ascii_lowercase();
        let of_nothing = OF_NOTHING.iter().any(|action| action.eq_ignore_ascii_case(role));
        statements.entry((service, of_nothing)).or_default().insert(role);
    }
    statements
        .into_iter()
        .map(|((service, of_nothing), actions)| {
            let resources = if of_nothing { None } else { resources(config, &service) };
            let why = if of_nothing {
                "These actions have no narrower resource."
            } else {
                "Nothing of this service is made here, so nothing narrower is known."
            };
            context! {
                sid => format!("{}{}", sid(&service), if of_nothing { "All" } else { "" }),
                actions => actions.into_iter().map(str::to_owned).collect::<Vec<_>>(),
                resources => safe(resources.as_deref().unwrap_or_default()),
                why => safe(why),
            }
        })
        .collect()
}

/// A statement's name: letters and digits alone.
fn sid(service: &str) -> String {
    service.split('-').fold("Use".to_owned(), |mut sid, word| {
        let mut letters = word.chars();
        sid.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        sid.push_str(letters.as_str());
        sid
    })
}

/// What is made here of a service, as an expression; none when nothing is.
fn resources(config: &MothergooseConfig, service: &str) -> Option<String> {
    let arn = |rest: &str| {
        format!("arn:${{local.partition}}:{service}:${{local.region}}:${{local.account}}:{rest}")
    };
    let arns: Vec<String> = match service {
        "s3" => ["state_bucket", "binary_bucket"]
            .into_iter()
            .flat_map(|bucket| {
                let arn = format!("arn:${{local.partition}}:s3:::${{local.{bucket}}}");
                [format!("{arn}/*"), arn]
            })
            .collect(),
        "dynamodb" => [arn(&format!("table/{}-*", plain(&config.database.name)))].into(),
        "sqs" => {
            let queues = &config.message_queues;
            let names = [&queues.webhook_queue.name, &queues.uglyfox_queue.name];
            let dead = queues.dead_letter_queues.iter().map(|queue| &queue.name);
            names.into_iter().chain(dead).map(|name| arn(&plain(name))).collect()
        }
        "secretsmanager" => return Some("local.secret_arns".to_owned()),
        _ => return None,
    };
    let lines: Vec<String> = arns.iter().map(|arn| format!("          \"{arn}\",")).collect();
    Some(format!("[\n{}\n        ]", lines.join("\n")))
}

/// Actions of these services that are about nothing that is made here.
const OF_NOTHING: [&str; 6] = [
    "dynamodb:DescribeLimits",
    "dynamodb:ListTables",
    "s3:ListAllMyBuckets",
    "secretsmanager:GetRandomPassword",
    "secretsmanager:ListSecrets",
    "sqs:ListQueues",
];

/// A name within an ARN. Names are letters, digits, `-` and `_`; whatever else came here is no name, and matches none.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect()
}
