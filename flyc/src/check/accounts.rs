//! What the service accounts of an installation may do: what the parts that act as them need, and no more than a role
//! can say.

use fly_std::{Value, words};

use super::{FileScope, shown};
use crate::{
    artifact::{Component, MothergooseConfig, Provider},
    config::{self, Need},
    diag::{Diagnostic, declare_diagnostic},
    model::{TypedAttribute, TypedBlock},
};

declare_diagnostic! { pub MISSING_ROLE = "missing-role", Warning, "a service account that may not do what a part acting as it does" }
declare_diagnostic! { pub WIDE_ROLE = "wide-role", Warning, "a role of a service account that allows everything" }

/// Roles of Yandex Cloud that reach beyond one service.
const WIDE_YANDEX: &[&str] =
    &["admin", "editor", "resource-manager.admin", "resource-manager.clouds.owner", "iam.admin"];
/// Policies of AWS that reach beyond one service.
const WIDE_AWS: &[&str] = &["AdministratorAccess", "PowerUserAccess", "IAMFullAccess"];

pub(super) fn check(scope: &FileScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for root in scope.blocks.iter().filter(|block| block.name == "mothergoose") {
        let Some(provider) = config::installation_provider(root) else { continue };
        for account in root.block("service_accounts").map_or(&[][..], |accounts| &accounts.blocks) {
            let Some(roles) = account.attribute("roles") else { continue };
            diagnostics.extend(wide(scope, roles, provider));
        }
        // On AWS each part is granted what it does beside what its account's roles say. Who acts as an account follows
        // only from an installation without errors.
        if provider == Provider::Yandex
            && let Some(installation) = config::installation(root)
        {
            missing(scope, root, &installation.config, diagnostics);
        }
    }
}

/// The roles as they are written.
fn texts(roles: &TypedAttribute) -> Option<Vec<&str>> {
    let Some(Value::List(values)) = &roles.value else { return None };
    values.iter().map(Value::as_str).collect()
}

fn wide(scope: &FileScope<'_>, roles: &TypedAttribute, provider: Provider) -> Vec<Diagnostic> {
    let too_wide = |role: &str| match provider {
        Provider::Yandex => WIDE_YANDEX.contains(&role) || role.contains('*'),
        Provider::Aws => {
            role == "*"
                || role.split_once(':').is_some_and(|(_, action)| action == "*")
                || WIDE_AWS.iter().any(|name| role.ends_with(&format!("/{name}")))
        }
        Provider::Local => false,
    };
    let written = texts(roles).unwrap_or_default();
    let tell = |(at, role): (usize, &&str)| {
        let range = roles.elements.get(at).copied().unwrap_or(roles.range);
        let message = format!("`{}` allows far more than any part of MotherGoose does", shown(role));
        let example = match provider {
            Provider::Aws => "\"sqs:SendMessage\"",
            Provider::Yandex | Provider::Local => "\"ymq.writer\"",
        };
        Diagnostic::new(&WIDE_ROLE, scope.span(range), message, "too wide")
            .note("whoever gets hold of one part gets everything that its account may do")
            .help(format!(
                "name what is needed, as in `{example}`; without a `service_account`, a part has an account of its own with just that"
            ))
    };
    written.iter().enumerate().filter(|(_, role)| too_wide(role)).map(tell).collect()
}

fn missing(
    scope: &FileScope<'_>,
    root: &TypedBlock,
    config: &MothergooseConfig,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let accounts = root.block("service_accounts").map_or(&[][..], |accounts| &accounts.blocks);
    for (block, account) in
        accounts.iter().filter_map(|block| Some((block, config.service_accounts.get(block.name.as_str())?)))
    {
        let Some(attribute) = block.attribute("roles") else { continue };
        let acting = config::users(config, &block.name);
        let (mut deeds, mut remedies, mut parts) = (Vec::new(), Vec::new(), Vec::new());
        // What only some kinds of eggs need is the author's to judge: the workers deploy eggs that nobody has written yet.
        for need in Need::CERTAIN {
            let mut needing = acting.iter().filter(|part| config::needs(**part).contains(&need)).peekable();
            if needing.peek().is_some()
                && let Some(remedy) = lacking(need, &account.roles)
            {
                deeds.push(need.doc());
                remedies.push(format!("`\"{remedy}\"`"));
                parts.extend(needing.map(|part| format!("`{}`", Component::name(*part))));
            }
        }
        parts.sort_unstable();
        parts.dedup();
        let all = |items: &[String]| words::list(items, "and");
        let (Some(deeds), Some(remedies), Some(list)) =
            (words::list(&deeds, "or"), all(&remedies), all(&parts))
        else {
            continue;
        };
        let message = format!("the service account `{}` may not {deeds}", account.name);
        let act = if parts.len() == 1 { "acts as it, and does that" } else { "act as it, and do that" };
        diagnostics.push(
            Diagnostic::new(&MISSING_ROLE, scope.span(attribute.range), message, "lacks a role")
                .note(format!("{list} {act}"))
                .help(format!("add {remedies} to `roles`")),
        );
    }
}

/// The role of Yandex Cloud that an account must be given before it may do something; none when it may.
fn lacking(need: Need, roles: &[String]) -> Option<&'static str> {
    let enough = need.yandex_roles();
    let may = |role: &String| {
        enough.contains(&role.as_str())
            || matches!(role.as_str(), "admin" | "editor")
            || (role == "viewer" && need == Need::ReadRows)
    };
    if roles.iter().any(may) { None } else { enough.first().copied() }
}
