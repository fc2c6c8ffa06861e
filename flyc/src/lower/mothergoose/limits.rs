//! What Yandex Cloud can't make, though the language allows it.

use super::{env_size, redelivery, schedule};
use crate::{
    artifact::{Component, MothergooseConfig},
    lower::LowerError,
};

/// The longest names.
const NAME: usize = 63;
/// The shortest names of containers, functions, triggers and gateways; an account's may be a letter.
const SHORTEST: usize = 3;
/// The shortest names of buckets.
const SHORTEST_BUCKET: usize = 3;
/// The longest descriptions, in bytes.
const DESCRIPTION: usize = 256;
/// What is put before a name that begins wrongly, or is too short.
const BEFORE: &str = "gosling-";
/// What is put behind the name of workers to name the trigger that gives them messages.
const QUEUE: &str = "-queue";
/// What is put behind the name of a part to name the account that is made for it.
const ACCOUNT: &str = "-sa";
/// What is put behind the name of a trigger to name its second clock.
const WEEKDAY: &str = "-weekday";

/// Everything that can't be made, in the order of the configuration. Queues are not asked: every name of the language is
/// one of theirs.
pub(super) fn yandex(config: &MothergooseConfig) -> Vec<LowerError> {
    let mut found = Found(Vec::new());
    let gateway = &config.api_gateway;
    found.name("api_gateway.name", "gateway", &gateway.name, "");
    if gateway.auth_function.code.is_some() {
        found.name("api_gateway.auth_function.name", "function", &gateway.auth_function.name, "");
    }
    for component in Component::SERVICES {
        let Some(service) = config.service(component) else { continue };
        let part = component.name();
        let behind = if component == Component::FastapiApp { "" } else { QUEUE };
        found.name(&format!("{part}.name"), "container", &service.name, behind);
        found.0.extend(redelivery::check(config, component));
    }
    for (key, trigger) in &config.triggers {
        let twice = schedule::clock_expressions(&trigger.schedule).len() > 1;
        let behind = if twice { WEEKDAY } else { "" };
        found.name(&format!("triggers.{key}.name"), "trigger", &trigger.name, behind);
        let description = trigger.method.len() + " ".len() + trigger.endpoint.len();
        if description > DESCRIPTION {
            found.add(
                format!("triggers.{key}.endpoint"),
                format!(
                    "a trigger of Yandex Cloud is described by method and endpoint in {DESCRIPTION} bytes at most, found {description}"
                ),
                "write a shorter query".to_owned(),
            );
        }
    }
    for (block, bucket) in
        [("state_bucket", &config.storage.state_bucket), ("binary_bucket", &config.storage.binary_bucket)]
    {
        if !is_bucket(&bucket.name) {
            found.add(
                format!("storage.{block}.name"),
                format!("no bucket of Object Storage can be called `{}`", bucket.name),
                format!(
                    "write `name = \"{}\"`: 3 to {NAME} lower-case letters, digits and inner hyphens",
                    nearest(&bucket.name, SHORTEST_BUCKET, NAME, true)
                ),
            );
        }
    }
    found.accounts(config);
    found.0.extend(env_size::check(config));
    found.0
}

/// Whether a name is lower-case letters, digits and inner hyphens, and begins with a letter.
fn is_name(name: &str, shortest: usize) -> bool {
    (shortest..=NAME).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

fn is_bucket(name: &str) -> bool {
    let end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (SHORTEST_BUCKET..=NAME).contains(&name.len())
        && name.starts_with(end)
        && name.ends_with(end)
        && name.chars().all(|c| end(c) || c == '-' || c == '.')
}

/// The nearest name of this length that the cloud takes.
fn nearest(name: &str, shortest: usize, most: usize, digit_first: bool) -> String {
    let plain: String = name
        .chars()
        .map(|c| c.to_ascii_lowercase())
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' })
        .collect();
    let plain = plain.trim_matches('-');
    let begins = |c: char| c.is_ascii_lowercase() || digit_first && c.is_ascii_digit();
    let before = if plain.len() < shortest || !plain.starts_with(begins) { BEFORE } else { "" };
    let whole: String = before.chars().chain(plain.chars()).take(most).collect();
    whole.trim_end_matches('-').to_owned()
}

struct Found(Vec<LowerError>);

impl Found {
    fn add(&mut self, path: String, message: String, help: String) {
        self.0.push(LowerError::Limit { path, message, help });
    }

    /// A name, and the longer one that is made by putting `behind` behind it.
    fn name(&mut self, path: &str, what: &str, name: &str, behind: &str) {
        let most = NAME - behind.len();
        let (what, shown) = if is_name(name, SHORTEST) {
            if name.len() <= most {
                return;
            }
            ("trigger", format!("{name}{behind}"))
        } else {
            (what, name.to_owned())
        };
        self.wrong(path.to_owned(), what, &shown, &nearest(name, SHORTEST, most, false), (SHORTEST, most));
    }

    fn wrong(&mut self, path: String, what: &str, name: &str, right: &str, (least, most): (usize, usize)) {
        self.add(
            path,
            format!("no {what} of Yandex Cloud can be called `{name}`"),
            format!(
                "write `name = \"{right}\"`: {least} to {most} lower-case letters, digits and inner hyphens, a letter first"
            ),
        );
    }

    /// The accounts. One that nobody wrote is called after its part, so it is told of there, and not when the part's own
    /// name is wrong already.
    fn accounts(&mut self, config: &MothergooseConfig) {
        let gateway = &config.api_gateway;
        let mut parts = vec![
            ("api_gateway".to_owned(), &gateway.name, &gateway.service_account),
            (
                "api_gateway.auth_function".to_owned(),
                &gateway.auth_function.name,
                &gateway.auth_function.service_account,
            ),
        ];
        let services = Component::SERVICES.into_iter().filter_map(|part| Some((part, config.service(part)?)));
        parts.extend(
            services.map(|(part, service)| (part.name().to_owned(), &service.name, &service.service_account)),
        );
        let triggers = config.triggers.iter();
        parts.extend(
            triggers
                .map(|(key, trigger)| (format!("triggers.{key}"), &trigger.name, &trigger.service_account)),
        );
        for (key, account) in &config.service_accounts {
            let part = parts
                .iter()
                .find(|(_, name, used)| *used == key && account.name.strip_suffix(ACCOUNT) == Some(name));
            let (path, most) = match part {
                Some((_, name, _)) if !is_name(name, 1) => continue,
                Some((part, ..)) => (format!("{part}.name"), NAME - ACCOUNT.len()),
                None => (format!("service_accounts.{key}.name"), NAME),
            };
            let name = part.map_or(&account.name, |(_, name, _)| name);
            if !is_name(&account.name, 1) {
                self.wrong(path, "service account", &account.name, &nearest(name, 1, most, false), (1, most));
            }
        }
    }
}
