//! Who the parts act as, and what each part does: the one table that roles of derived accounts and the check of written
//! ones come from.

use crate::{
    artifact::{Component, MothergooseConfig, Provider, ServiceAccount},
    config::defaults::Reader,
    model::TypedBlock,
};

/// Something a part does that its account must be allowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Need {
    /// Reads the values of secrets.
    ReadSecrets,
    /// Reads rows of the database.
    ReadRows,
    /// Reads and writes rows of the database.
    WriteRows,
    /// Sends messages to the queues.
    SendMessages,
    /// Takes messages from the queues.
    TakeMessages,
    /// Reads and writes files of the buckets.
    WriteFiles,
    /// Makes, stops and ends machines: runners and Rift servers.
    MakeRunners,
    /// Attaches runners to subnets and security groups.
    UseNetworks,
    /// Gives runners addresses of the internet.
    UsePublicAddresses,
    /// Makes the security group of a Rift server.
    MakeSecurityGroups,
    /// Makes serverless runners, and lets their invoker in.
    MakeContainers,
    /// Lets serverless runners and their invocations act as accounts.
    LendAccounts,
    /// Keeps the tokens of runners as secrets.
    WriteSecrets,
}

impl Need {
    /// Those that every installation has, whatever its eggs are.
    pub const CERTAIN: [Self; 7] = [
        Self::ReadSecrets,
        Self::ReadRows,
        Self::WriteRows,
        Self::SendMessages,
        Self::TakeMessages,
        Self::WriteFiles,
        Self::MakeRunners,
    ];

    /// What is done, as the end of "it may not …".
    pub const fn doc(self) -> &'static str {
        match self {
            Self::ReadSecrets => "read secrets",
            Self::ReadRows => "read the database",
            Self::WriteRows => "write to the database",
            Self::SendMessages => "send messages to the queues",
            Self::TakeMessages => "take messages from the queues",
            Self::WriteFiles => "keep files in the buckets",
            Self::MakeRunners => "make and end runners",
            Self::UseNetworks => "attach runners to networks",
            Self::UsePublicAddresses => "give runners public addresses",
            Self::MakeSecurityGroups => "make security groups",
            Self::MakeContainers => "make and end serverless runners",
            Self::LendAccounts => "let runners act as accounts",
            Self::WriteSecrets => "keep secrets",
        }
    }

    /// The roles of Yandex Cloud each of which is enough; the first is the least.
    pub const fn yandex_roles(self) -> &'static [&'static str] {
        match self {
            Self::ReadSecrets => &["lockbox.payloadViewer", "lockbox.editor", "lockbox.admin"],
            Self::ReadRows => &["ydb.viewer", "ydb.editor", "ydb.admin"],
            Self::WriteRows => &["ydb.editor", "ydb.admin"],
            Self::SendMessages => &["ymq.writer", "ymq.admin"],
            Self::TakeMessages => &["ymq.reader", "ymq.admin"],
            Self::WriteFiles => &["storage.editor", "storage.admin"],
            Self::MakeRunners => &["compute.editor", "compute.admin"],
            Self::UseNetworks => &["vpc.user", "vpc.admin"],
            Self::UsePublicAddresses => &["vpc.publicAdmin", "vpc.admin"],
            Self::MakeSecurityGroups => &["vpc.securityGroups.admin", "vpc.admin"],
            // An editor of containers can't say who may call them.
            Self::MakeContainers => &["serverless-containers.admin", "serverless.containers.admin"],
            Self::LendAccounts => &["iam.serviceAccounts.user", "iam.serviceAccounts.admin"],
            Self::WriteSecrets => &["lockbox.editor", "lockbox.admin"],
        }
    }
}

/// What a component does.
pub const fn needs(component: Component) -> &'static [Need] {
    match component {
        Component::FastapiApp => &[Need::ReadSecrets, Need::WriteRows, Need::SendMessages],
        Component::CeleryWorkers => &[
            Need::ReadSecrets,
            Need::WriteRows,
            Need::SendMessages,
            Need::TakeMessages,
            Need::WriteFiles,
            Need::MakeRunners,
            Need::UseNetworks,
            Need::MakeSecurityGroups,
            Need::MakeContainers,
            Need::LendAccounts,
            Need::WriteSecrets,
        ],
        Component::UglyfoxWorkers => {
            &[Need::ReadSecrets, Need::ReadRows, Need::SendMessages, Need::TakeMessages]
        }
        _ => &[],
    }
}

/// The services that act as the account with this key.
pub fn users(config: &MothergooseConfig, key: &str) -> Vec<Component> {
    let acts = |component: &Component| {
        config.service(*component).is_some_and(|service| service.service_account == key)
    };
    Component::SERVICES.into_iter().filter(acts).collect()
}

/// Fills in the accounts: the written ones, and one for each part that names none. Until now parts hold the names of
/// accounts; from here on their keys.
pub(super) fn settle(config: &mut MothergooseConfig, block: &TypedBlock) -> Option<()> {
    for block in block.block("service_accounts").map_or(&[][..], |block| &block.blocks) {
        let account = Reader::of(block);
        let name = account.text("name").unwrap_or_else(|| format!("{}-sa", block.name.replace('_', "-")));
        let roles = account.texts("roles")?;
        let account = ServiceAccount { name, roles, derived: false };
        config.service_accounts.insert(block.name.to_string(), account);
    }
    let provider = config.cloud.provider;
    let public = !config.network.nat;
    let roles = |component| match provider {
        Provider::Yandex => {
            let mut needs = needs(component).to_vec();
            if public && needs.contains(&Need::UseNetworks) {
                needs.push(Need::UsePublicAddresses);
            }
            yandex_roles(&needs)
        }
        Provider::Aws | Provider::Local => Vec::new(),
    };
    let accounts = &mut config.service_accounts;
    let mut own = |wanted: &str, part: &str, name: &str, roles: Vec<String>| {
        match accounts.iter().find(|(_, account)| account.name == wanted && !wanted.is_empty()) {
            Some((key, _)) => Some(key.clone()),
            // Whoever owns this machine acts for everything on it.
            None if wanted.is_empty() && provider == Provider::Local => Some(String::new()),
            None if wanted.is_empty() => {
                let mut key = part.to_owned();
                while accounts.contains_key(&key) {
                    key.push_str("_own");
                }
                let mut name = format!("{name}-sa");
                while accounts.values().any(|account| account.name == name) {
                    name.push_str("-own");
                }
                accounts.insert(key.clone(), ServiceAccount { name, roles, derived: true });
                Some(key)
            }
            // A name that nobody has, which was told.
            None => None,
        }
    };
    for (component, service) in [
        (Component::FastapiApp, &mut config.fastapi_app),
        (Component::CeleryWorkers, &mut config.celery_workers),
        (Component::UglyfoxWorkers, &mut config.uglyfox_workers),
    ] {
        service.service_account =
            own(&service.service_account, component.name(), &service.name, roles(component))?;
    }
    let auth = &mut config.api_gateway.auth_function;
    if auth.code.is_some() {
        let roles = match provider {
            Provider::Yandex => yandex_roles(&[Need::ReadSecrets]),
            Provider::Aws | Provider::Local => Vec::new(),
        };
        auth.service_account = own(&auth.service_account, "auth_function", &auth.name, roles)?;
    }
    if provider == Provider::Yandex {
        config.api_gateway.service_account = own("", "api_gateway", &config.api_gateway.name, Vec::new())?;
    }
    let mut clock: Option<String> = None;
    for trigger in config.triggers.values_mut() {
        trigger.service_account = match (&clock, trigger.service_account.as_str()) {
            (Some(clock), "") => clock.clone(),
            (None, "") => clock.insert(own("", "triggers", "mothergoose-triggers", Vec::new())?).clone(),
            (_, named) => own(named, "triggers", "", Vec::new())?,
        };
    }
    Some(())
}

/// The least roles that are enough.
fn yandex_roles(needs: &[Need]) -> Vec<String> {
    let roles = needs.iter().filter_map(|need| need.yandex_roles().first());
    roles.map(ToString::to_string).collect()
}
