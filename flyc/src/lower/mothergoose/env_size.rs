//! Whether the variables of a service fit in what its cloud has room for.
//!
//! Names and values count together, those the author wrote and MotherGoose's own. Of its own, what is known before
//! anything is made counts as it is; ids, addresses and ARNs that the cloud gives count as the longest they can be. A
//! service's own `env` takes the place of a variable of the same name.

use std::collections::BTreeMap;

use super::role;
use crate::{
    artifact::{Component, EnvValue, MothergooseConfig, Provider},
    lower::LowerError,
};

/// The most bytes of all names and values together: of Lambda, Cloud Functions and Serverless Containers alike.
const MOST: usize = 4096;

/// The longest name of a Nest.
const NEST: usize = 63;
/// The longest address of a gateway that has no domain of its own.
const URL: usize = 72;
/// The most subnets of a network that is there already, where nobody said which.
const SUBNETS: usize = 6;

/// What one variable comes to, name and value.
type Sizes<'a> = BTreeMap<&'a str, usize>;

/// The services whose variables don't fit.
pub(super) fn check(config: &MothergooseConfig) -> Vec<LowerError> {
    let provider = config.cloud.provider;
    let services = Component::SERVICES.into_iter().filter_map(|component| {
        let service = config.service(component)?;
        let own = own(config, role(component), component != Component::FastapiApp);
        one(component.name(), provider, &own, &service.env)
    });
    let auth = &config.api_gateway.auth_function;
    let own = match provider {
        // The author's own function is told nothing.
        Provider::Yandex | Provider::Local => Sizes::new(),
        Provider::Aws => own(config, "authorizer", true),
    };
    services.chain(one("api_gateway.auth_function", provider, &own, &auth.env)).collect()
}

fn one(
    part: &str,
    provider: Provider,
    own: &Sizes<'_>,
    env: &BTreeMap<String, EnvValue>,
) -> Option<LowerError> {
    let written: Sizes<'_> = env
        .iter()
        .map(|(name, EnvValue::Text(value) | EnvValue::Secret(value))| {
            (name.as_str(), name.len() + value.len())
        })
        .collect();
    let own: usize = own.iter().filter(|(name, _)| !written.contains_key(*name)).map(|(_, size)| size).sum();
    let total = own + written.values().sum::<usize>();
    if total <= MOST {
        return None;
    }
    let place = match provider {
        Provider::Aws => "a function of Lambda",
        Provider::Yandex | Provider::Local => "a container or function of Yandex Cloud",
    };
    let room = MOST.saturating_sub(own);
    let largest = written.iter().max_by_key(|(name, size)| (**size, std::cmp::Reverse(**name)));
    let (path, help) = match largest {
        Some((name, size)) => (
            format!("{part}.env.{name}"),
            format!(
                "`{name}` is the largest with {size} bytes, and {room} are left for all of `env`: make it shorter, or put the text into the image or into a secret"
            ),
        ),
        None => (
            part.to_owned(),
            "write fewer or shorter names of tables, queues, buckets and subnets: they are among the variables"
                .to_owned(),
        ),
    };
    Some(LowerError::Limit {
        path,
        message: format!(
            "the variables of `{part}` come to {total} bytes with their names, {own} of them MotherGoose's own, and {place} has room for {MOST}"
        ),
        help,
    })
}

/// MotherGoose's own variables of a service.
fn own<'a>(config: &MothergooseConfig, roles: &str, told_url: bool) -> Sizes<'a> {
    let queues = &config.message_queues;
    let storage = &config.storage;
    let network = &config.network;
    let aws = config.cloud.provider == Provider::Aws;
    // `https://sqs.<region>.amazonaws.com/<account>/`, `https://message-queue.api.cloud.yandex.net/<folder>/<id>/`.
    let queue = if aws { 64 } else { 96 };
    // `subnet-0123456789abcdef0`, `e9b0123456789abcdefg`, and a comma.
    let subnet = if aws { 25 } else { 21 };
    let subnets = match (network.subnets.len(), &network.id) {
        (0, None) => config.cloud.zones.len(),
        (0, Some(_)) => SUBNETS,
        (written, _) => written,
    };
    let url = match &config.api_gateway.domain {
        Some(domain) => "https://".len() + domain.len(),
        None => URL,
    };
    let mut values: Vec<(&str, usize)> = vec![
        ("GOSLING_NEST", NEST),
        ("GOSLING_ROLES", roles.len()),
        ("GOSLING_CLOUD", "yandex".len()),
        ("GOSLING_SECRETS", "yc-lockbox".len()),
        ("GOSLING_STORE", "dynamodb".len()),
        ("GOSLING_QUEUE", "sqs".len()),
        ("GOSLING_WEBHOOK_QUEUE_URL", queue + queues.webhook_queue.name.len()),
        ("GOSLING_UGLYFOX_QUEUE_URL", queue + queues.uglyfox_queue.name.len()),
        // On AWS the account's number may stand behind it.
        ("GOSLING_STATE_BUCKET", storage.state_bucket.name.len() + if aws { 13 } else { 0 }),
        ("GOSLING_BINARY_BUCKET", storage.binary_bucket.name.len() + if aws { 13 } else { 0 }),
        ("GOSLING_SUBNET_IDS", subnet * subnets),
        ("GOSLING_SECURITY_GROUP_IDS", 21 * network.security_groups.len().max(1)),
    ];
    // The API of Yandex Cloud is told only of a domain: the gateway is made after it.
    if aws || told_url || config.api_gateway.domain.is_some() {
        values.push(("GOSLING_URL", url));
    }
    if aws {
        values.extend([
            ("GOSLING_TABLES", tables(config)),
            ("GOSLING_PUBLIC_ADDRESS", "false".len()),
            ("GOSLING_CLUSTER", 64),
            ("GOSLING_RUNNER_BOUNDARY", 128),
        ]);
    } else {
        // `grpcs://ydb.serverless.yandexcloud.net:2135/?database=/ru-central1/<cloud>/<id>`.
        values.extend([("GOSLING_FOLDER_ID", 20), ("GOSLING_YDB_ENDPOINT", 128)]);
    }
    values.into_iter().map(|(name, value)| (name, name.len() + value)).collect()
}

/// `{"key":"database-table",…}`
fn tables(config: &MothergooseConfig) -> usize {
    let database = config.database.name.len();
    let entries = config.database.tables.iter();
    let all: usize =
        entries.map(|(key, table)| key.len() + database + table.name.len() + "\"\":\"-\",".len()).sum();
    all + "{}".len()
}
