//! What things are called when the author gave no name.
//!
//! Names of functions, roles, queues and tables are one for an account (and region), so two installations in one account
//! would take each other's: the default ones begin with the Nest's name.

use fly_std::schema::{self, Presence};

use super::text::slug;
use crate::artifact::MothergooseConfig;

/// The longest name of a function or role.
const LONGEST: usize = 64;

/// The configuration with the Nest's name in all names that are defaults.
pub(in crate::lower::mothergoose) fn named(config: &MothergooseConfig, nest: &str) -> MothergooseConfig {
    let mut config = config.clone();
    let own = format!("{}-", slug(nest));
    let rename = |name: &mut String, path: &[&str]| {
        if usual(path) == Some(name.as_str()) {
            name.insert_str(0, &own);
        }
    };
    rename(&mut config.fastapi_app.name, &["fastapi_app", "name"]);
    rename(&mut config.celery_workers.name, &["celery_workers", "name"]);
    rename(&mut config.uglyfox_workers.name, &["uglyfox_workers", "name"]);
    rename(&mut config.api_gateway.name, &["api_gateway", "name"]);
    rename(&mut config.api_gateway.auth_function.name, &["api_gateway", "auth_function", "name"]);
    rename(&mut config.database.name, &["database", "name"]);
    let queues = &mut config.message_queues;
    rename(&mut queues.webhook_queue.name, &["message_queues", "webhook_queue", "name"]);
    rename(&mut queues.uglyfox_queue.name, &["message_queues", "uglyfox_queue", "name"]);
    // A dead letter queue that nobody named is called after its queue.
    let dead = ["webhook_queue", "uglyfox_queue"]
        .map(|queue| usual(&["message_queues", queue, "name"]).map(|name| format!("{name}-dlq")));
    let names = queues.dead_letter_queues.iter_mut().map(|queue| &mut queue.name);
    let uses = [&mut queues.webhook_queue.dead_letter_queue, &mut queues.uglyfox_queue.dead_letter_queue];
    for name in names.chain(uses) {
        if dead.iter().flatten().any(|known| known == name) {
            name.insert_str(0, &own);
        }
    }
    for account in config.service_accounts.values_mut().filter(|account| account.derived) {
        if !account.name.starts_with(&own) && own.len() + account.name.len() <= LONGEST {
            account.name.insert_str(0, &own);
        }
    }
    config
}

/// What comes before the account's number in the name of a bucket that nobody named; 63 characters in all are the most.
pub(super) fn of_bucket(block: &str, name: &str, nest: &str) -> Option<String> {
    (usual(&["storage", block, "name"]) == Some(name)).then(|| {
        let what = name.strip_prefix("polar-").unwrap_or(name);
        format!("{}-{what}", slug(nest))
    })
}

/// The default text of an attribute of `mothergoose`.
fn usual(path: &[&str]) -> Option<&'static str> {
    let (name, blocks) = path.split_last()?;
    let block = blocks.iter().try_fold(&schema::MOTHERGOOSE, |block, name| Some(block.child(name)?.block))?;
    match block.attribute(name)?.presence {
        Presence::Default(literal) => Some(literal.trim_matches('"')),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_known() {
        for path in [
            &["fastapi_app", "name"][..],
            &["celery_workers", "name"],
            &["uglyfox_workers", "name"],
            &["api_gateway", "name"],
            &["api_gateway", "auth_function", "name"],
            &["database", "name"],
            &["message_queues", "webhook_queue", "name"],
            &["message_queues", "uglyfox_queue", "name"],
            &["storage", "state_bucket", "name"],
            &["storage", "binary_bucket", "name"],
        ] {
            assert!(usual(path).is_some(), "{path:?}");
        }
    }

    #[test]
    fn the_name_of_a_bucket_is_not_too_long() {
        for block in ["state_bucket", "binary_bucket"] {
            let name = usual(&["storage", block, "name"]).unwrap_or_default();
            let name = of_bucket(block, name, &"n".repeat(100)).unwrap_or_default();
            assert!(name.starts_with("nnn") && name.len() + "-123456789012".len() <= 63, "{name}");
            assert_eq!(of_bucket(block, "my-own", "nest"), None);
        }
    }
}
