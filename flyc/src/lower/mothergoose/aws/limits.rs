//! What AWS can't make, though the language allows it.

use fly_std::formats::eventbridge;

use super::{
    accounts::{is_action, is_policy},
    key_type,
};
use crate::{
    artifact::{Component, MothergooseConfig, Service, Table},
    lower::{LowerError, mothergoose::redelivery},
};

/// The longest time a function of Lambda runs, in seconds.
const LAMBDA_S: u64 = 900;

/// The longest names of functions, roles and schedules.
const NAME: usize = 64;

/// The shortest length of a network's addresses: they are no more than these.
const LARGEST_NETWORK: u8 = 16;

/// The fewest instances that Lambda can be held to when it works on a queue.
const LEAST_INSTANCES: u32 = 2;

/// The names of variables that are Lambda's own; those that begin with `AWS_LAMBDA_` are too.
const RESERVED: [&str; 13] = [
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "_AWS_XRAY_DAEMON_ADDRESS",
    "_AWS_XRAY_DAEMON_PORT",
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
];

/// Everything that can't be made, in the order of the configuration.
pub(in crate::lower::mothergoose) fn check(config: &MothergooseConfig) -> Vec<LowerError> {
    let mut found = Found(Vec::new());
    for component in Component::SERVICES {
        if let Some(service) = config.service(component) {
            found.service(config, component, service);
        }
    }
    let auth = &config.api_gateway.auth_function;
    found.name("api_gateway.auth_function.name", &auth.name);
    found.environment("api_gateway.auth_function.env", auth.env.keys());
    for (key, trigger) in &config.triggers {
        if let Err(error) = eventbridge::expressions(&trigger.schedule) {
            found.add(
                format!("triggers.{key}.schedule"),
                format!("the schedule can't be made on AWS: {}", error.message),
                "write it in another way",
            );
        }
        found.name(&format!("triggers.{key}.name"), &trigger.name);
    }
    if arns(config) > MOST_ARNS {
        found.add(
            "database.tables".to_owned(),
            "the names of so many tables don't fit in a policy of IAM".to_owned(),
            "write fewer tables, or shorter names",
        );
    }
    for (key, table) in &config.database.tables {
        found.table(&format!("database.tables.{key}"), table);
    }
    for (block, bucket) in
        [("state_bucket", &config.storage.state_bucket), ("binary_bucket", &config.storage.binary_bucket)]
    {
        let right = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if bucket.name.len() < 3 || !bucket.name.chars().all(right) || bucket.name.ends_with('-') {
            found.add(
                format!("storage.{block}.name"),
                format!("no bucket of S3 can be called `{}`", bucket.name),
                "write 3 or more lower-case letters, digits and inner hyphens",
            );
        }
    }
    let network = &config.network;
    let length = network.cidr.split_once('/').and_then(|(_, length)| length.parse::<u8>().ok());
    if network.id.is_none()
        && network.subnets.is_empty()
        && length.is_some_and(|length| length < LARGEST_NETWORK)
    {
        found.add(
            "network.cidr".to_owned(),
            format!("a network of AWS has a /{LARGEST_NETWORK} at most"),
            format!("write a range of /{LARGEST_NETWORK} to /24"),
        );
    }
    for (key, account) in &config.service_accounts {
        found.name(&format!("service_accounts.{key}.name"), &account.name);
        for role in account.roles.iter().filter(|role| !is_action(role) && !is_policy(role)) {
            found.add(
                format!("service_accounts.{key}.roles"),
                format!("`{role}` is neither an IAM action nor the ARN of a policy"),
                "write an action such as `s3:GetObject`, or an ARN such as `arn:aws:iam::aws:policy/ReadOnlyAccess`",
            );
        }
    }
    found.0
}

struct Found(Vec<LowerError>);

impl Found {
    fn add(&mut self, path: String, message: String, help: impl Into<String>) {
        self.0.push(LowerError::Limit { path, message, help: help.into() });
    }

    fn name(&mut self, path: &str, name: &str) {
        if name.chars().count() > NAME {
            self.add(
                path.to_owned(),
                format!("`{name}` is too long for AWS"),
                format!("write a `name` of {NAME} characters at most"),
            );
        }
    }

    fn environment<'a>(&mut self, path: &str, names: impl Iterator<Item = &'a String>) {
        for name in names {
            let own = RESERVED.contains(&name.as_str()) || name.starts_with("AWS_LAMBDA_");
            let right = name.len() > 1
                && name.starts_with(|c: char| c.is_ascii_alphabetic())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if own || !right {
                self.add(
                    format!("{path}.{name}"),
                    if own {
                        format!("the variable `{name}` is Lambda's own")
                    } else {
                        format!("Lambda has no variables with a name such as `{name}`")
                    },
                    "give it another name: two or more letters, digits and `_`, a letter first",
                );
            }
        }
    }

    fn service(&mut self, config: &MothergooseConfig, component: Component, service: &Service) {
        let part = component.name();
        self.name(&format!("{part}.name"), &service.name);
        if service.timeout_s > LAMBDA_S {
            self.add(
                format!("{part}.timeout"),
                "a function of Lambda runs for 15 minutes at most".to_owned(),
                "write `timeout = 15m` or less",
            );
        }
        self.environment(&format!("{part}.env"), service.env.keys());
        // What works on no queue may be held to one instance.
        if redelivery::queue_of(config, component).is_none() {
            return;
        }
        self.0.extend(redelivery::check(config, component));
        if service.max_instances < LEAST_INSTANCES {
            self.add(
                format!("{part}.max_instances"),
                format!("Lambda can't hold `{}` to one instance", service.name),
                format!("write `max_instances = {LEAST_INSTANCES}` or more"),
            );
        }
    }

    fn table(&mut self, path: &str, table: &Table) {
        if table.primary_key.is_empty() || table.primary_key.len() > 2 {
            self.add(
                format!("{path}.primary_key"),
                format!(
                    "a table of DynamoDB has one or two key columns, and `{}` has {}",
                    table.name,
                    table.primary_key.len()
                ),
                "name one or two columns",
            );
        }
        let index_keys = table
            .indexes
            .iter()
            .flat_map(|index| [Some(&index.partition_key), index.sort_key.as_ref()])
            .flatten()
            .map(|key| ("global_secondary_index", key));
        for (attribute, key) in table.primary_key.iter().map(|key| ("primary_key", key)).chain(index_keys) {
            let column = table.columns.iter().find(|column| column.name == *key);
            let message = match column.map(|column| key_type(column.ty)) {
                Some(Some(_)) => continue,
                Some(None) => {
                    format!("the column `{key}` can't be a key on DynamoDB: it is no text, number or bytes")
                }
                None => format!("`{}` has no column `{key}`", table.name),
            };
            self.add(format!("{path}.{attribute}"), message, "name another column, or change `columns`");
        }
        if table.indexes.len() > MOST_INDEXES {
            self.add(
                path.to_owned(),
                format!(
                    "a table of DynamoDB has {MOST_INDEXES} indexes at most, and `{}` has {}",
                    table.name,
                    table.indexes.len()
                ),
                "remove some of them",
            );
        }
    }
}

/// How long the ARNs of the tables and their indexes are together, as the policy of a service names them.
fn arns(config: &MothergooseConfig) -> usize {
    let arn =
        "\"arn:aws-us-gov:dynamodb:ap-southeast-1:123456789012:table/-\",".len() + config.database.name.len();
    let tables = config.database.tables.values();
    tables
        .map(|table| {
            (arn + table.name.len()) * if table.indexes.is_empty() { 1 } else { 2 } + "/index/*".len()
        })
        .sum()
}

/// What is left for the ARNs of tables of the 6144 characters of a policy.
const MOST_ARNS: usize = 3500;

/// The most indexes of a table.
const MOST_INDEXES: usize = 20;
