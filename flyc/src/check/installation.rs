//! What an installation can't be made of: services of another cloud, sizes the cloud does not have, tables whose keys
//! and columns don't fit, a description of the API that is not there.

use std::net::Ipv4Addr;

use fly_std::{
    Value,
    formats::{closest, size},
};

use super::{FileScope, shown};
use crate::{
    artifact::{Component, Provider, Table},
    config::{self, Installation},
    diag::{Diagnostic, declare_diagnostic},
    lower::{self, LowerError},
    model::{TypedAttribute, TypedBlock, installation_asset},
};

declare_diagnostic! { pub FOREIGN_SERVICE = "foreign-service", Error, "a part of MotherGoose on another cloud than the others" }
declare_diagnostic! { pub SERVICE_LIMITS = "service-limits", Error, "a part of MotherGoose that its cloud can't make as it is written" }
declare_diagnostic! { pub BAD_TABLE = "bad-table", Error, "a table whose keys or columns don't fit together" }
declare_diagnostic! { pub BAD_CIDR = "bad-cidr", Error, "a network whose addresses are no range, or too few" }
declare_diagnostic! { pub MISSING_OPENAPI = "missing-openapi", Warning, "an OpenAPI description that is not there" }

const GIB: u64 = 1 << 30;
const MINUTE: u64 = 60;

pub(super) fn check(scope: &FileScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for root in scope.blocks.iter().filter(|block| block.name == "mothergoose") {
        if let Some(provider) = config::installation_provider(root) {
            foreign(scope, root, provider, diagnostics);
            limits(scope, root, provider, diagnostics);
        }
        diagnostics.extend(openapi(scope, root));
        diagnostics.extend(cidr(scope, root));
        let tables = root.block("database").and_then(|database| database.block("tables"));
        for table in tables.map_or(&[][..], |tables| &tables.blocks) {
            self::table(scope, table, diagnostics);
        }
        diagnostics.extend(unmakeable(scope, root, diagnostics));
    }
}

/// What lowering knows that the cloud can't make, unless something else is wrong at the same place.
fn unmakeable(scope: &FileScope<'_>, root: &TypedBlock, told: &[Diagnostic]) -> Vec<Diagnostic> {
    let Some(Installation { config, places }) = config::installation(root) else { return Vec::new() };
    let limits = lower::installation_limits(&config).into_iter().filter_map(|error| match error {
        LowerError::Limit { path, message, help } => {
            let span = scope.span(places.range(&path));
            let known = told.iter().any(|other| other.span == span);
            (!known).then(|| Diagnostic::new(&SERVICE_LIMITS, span, message, "not to be had").help(help))
        }
        _ => None,
    });
    limits.collect()
}

const fn named(provider: Provider) -> &'static str {
    match provider {
        Provider::Yandex => "Yandex Cloud",
        Provider::Aws => "AWS",
        Provider::Local => "this machine",
    }
}

fn foreign(scope: &FileScope<'_>, root: &TypedBlock, provider: Provider, diagnostics: &mut Vec<Diagnostic>) {
    let types = config::service_types(root);
    let chosen =
        root.block("cloud").map(|cloud| cloud.attribute("provider").map_or(cloud.header, |a| a.range));
    let chosen = chosen.or_else(|| types.first().map(|(_, attribute)| attribute.range));
    for (other, attribute) in types.iter().filter(|(other, _)| *other != provider) {
        let text = attribute.value.as_ref().and_then(Value::as_str).unwrap_or_default();
        let message =
            format!("`{text}` is of {}, and MotherGoose is installed on {}", named(*other), named(provider));
        let diagnostic =
            Diagnostic::new(&FOREIGN_SERVICE, scope.span(attribute.range), message, "of another cloud");
        let diagnostic = match chosen {
            Some(chosen) => diagnostic.related(scope.span(chosen), "the cloud is chosen here"),
            None => diagnostic,
        };
        diagnostics.push(diagnostic.help(
            "leave `type` out: each part is then made on the installation's cloud; `provider` of `cloud` says which that is",
        ));
    }
}

/// What one instance can have at most.
fn limits(scope: &FileScope<'_>, root: &TypedBlock, provider: Provider, diagnostics: &mut Vec<Diagnostic>) {
    let services = Component::SERVICES.into_iter().filter_map(|component| root.block(component.name()));
    for service in services {
        match provider {
            Provider::Yandex => {
                if let Some((attribute, Value::Size(bytes))) = value(service, "memory")
                    && *bytes > 8 * GIB
                {
                    let message = format!(
                        "a container of Yandex Cloud has at most 8GiB of memory, found {}",
                        size::print(*bytes)
                    );
                    diagnostics.push(
                        Diagnostic::new(&SERVICE_LIMITS, scope.span(attribute.range), message, "too large")
                            .fix("write `memory = 8GiB`", attribute.range, "8GiB"),
                    );
                }
            }
            Provider::Aws => {
                if let Some((attribute, Value::Duration(seconds))) = value(service, "timeout")
                    && *seconds > 15 * MINUTE
                {
                    let message = "a Lambda function runs for 15 minutes at most".to_owned();
                    diagnostics.push(
                        Diagnostic::new(&SERVICE_LIMITS, scope.span(attribute.range), message, "too long")
                            .fix("write `timeout = 15m`", attribute.range, "15m"),
                    );
                }
            }
            Provider::Local => {}
        }
    }
}

fn value<'a>(block: &'a TypedBlock, name: &str) -> Option<(&'a TypedAttribute, &'a Value)> {
    let attribute = block.attribute(name)?;
    Some((attribute, attribute.value.as_ref()?))
}

fn openapi(scope: &FileScope<'_>, root: &TypedBlock) -> Option<Diagnostic> {
    let (attribute, path) = value(root.block("api_gateway")?, "openapi_spec")?;
    let path = path.as_str()?;
    if installation_asset(scope.db, path).is_some() {
        return None;
    }
    let message = format!("there is no text `{}` within `MG/`", shown(path));
    Some(
        Diagnostic::new(&MISSING_OPENAPI, scope.span(attribute.range), message, "not there")
            .note("the description that MotherGoose brings along is used instead")
            .help("put the description there, or leave `openapi_spec` out"),
    )
}

/// The addresses of a network that is made: it is cut into sixteen subnets, which have to hold a machine or two.
fn cidr(scope: &FileScope<'_>, root: &TypedBlock) -> Option<Diagnostic> {
    const LARGEST: u32 = 8;
    const SMALLEST: u32 = 24;
    let (attribute, text) = value(root.block("network")?, "cidr")?;
    let text = text.as_str()?;
    let wrong = |message: String, label: &str| {
        Diagnostic::new(&BAD_CIDR, scope.span(attribute.range), message, label)
    };
    let range = text.split_once('/').and_then(|(address, length)| {
        Some((address.parse::<Ipv4Addr>().ok()?, length.parse::<u32>().ok().filter(|length| *length <= 32)?))
    });
    let Some((address, length)) = range else {
        return Some(
            wrong(
                format!("`cidr` wants a range of addresses, found `{}`", shown(text)),
                "not address/length",
            )
            .help("write a range such as `\"10.128.0.0/16\"`"),
        );
    };
    if !(LARGEST..=SMALLEST).contains(&length) {
        let nearest = length.clamp(LARGEST, SMALLEST);
        let first = Ipv4Addr::from_bits(address.to_bits() & (u32::MAX << (32 - nearest)));
        let written = format!("\"{first}/{nearest}\"");
        let why = if length > SMALLEST { "too few addresses" } else { "more than a cloud's network has" };
        return Some(
            wrong(format!("`cidr` wants a length from /{LARGEST} to /{SMALLEST}, found /{length}"), why)
                .note("the range is cut into sixteen subnets, one for each availability zone")
                .fix(format!("write `{written}`"), attribute.range, written),
        );
    }
    let first = Ipv4Addr::from_bits(address.to_bits() & (u32::MAX << (32 - length)));
    (first != address).then(|| {
        wrong(format!("the range of `{}` begins at {first}", shown(text)), "not the first address").fix(
            format!("write `\"{first}/{length}\"`"),
            attribute.range,
            format!("\"{first}/{length}\""),
        )
    })
}

/// The keys and columns of a table, with those that MotherGoose itself needs of it.
fn table(scope: &FileScope<'_>, block: &TypedBlock, diagnostics: &mut Vec<Diagnostic>) {
    let Some(written) = config::written_table(block) else { return };
    let own = config::own_table(&block.name);
    let mut columns: Vec<&str> = written.columns.iter().map(|column| column.name.as_str()).collect();
    columns.extend(own.iter().flat_map(|own| own.columns.iter().map(|column| column.name.as_str())));
    if let Some(own) = &own {
        diagnostics.extend(own_key(scope, block, &written, own));
        own_columns(scope, block, &written, own, diagnostics);
    }
    twice(scope, block, &written, diagnostics);
    let mut wanted: Vec<(&TypedAttribute, &str)> = Vec::new();
    if let Some(key) = block.attribute("primary_key") {
        wanted.extend(written.primary_key.iter().map(|column| (key, column.as_str())));
    }
    for (index, block) in written.indexes.iter().zip(block.blocks("global_secondary_index")) {
        wanted.extend(block.attribute("partition_key").map(|key| (key, index.partition_key.as_str())));
        wanted.extend(block.attribute("sort_key").zip(index.sort_key.as_deref()));
    }
    for (attribute, name) in wanted.into_iter().filter(|(_, name)| !columns.contains(name)) {
        let message = format!("the table `{}` has no column `{name}`", written.name);
        let diagnostic = Diagnostic::new(&BAD_TABLE, scope.span(attribute.range), message, "names no column");
        diagnostics.push(match closest(name, columns.iter().copied()) {
            Some(nearest) => diagnostic.help(format!("did you mean `\"{nearest}\"`?")),
            None => diagnostic.help("add it to `columns`"),
        });
    }
}

fn own_key(scope: &FileScope<'_>, block: &TypedBlock, written: &Table, own: &Table) -> Option<Diagnostic> {
    if written.primary_key == own.primary_key {
        return None;
    }
    let key = block.attribute("primary_key")?;
    let names: Vec<String> = own.primary_key.iter().map(|name| format!("\"{name}\"")).collect();
    let list = format!("[{}]", names.join(", "));
    let message = format!("MotherGoose tells the rows of `{}` apart by {list}", block.name);
    Some(
        Diagnostic::new(&BAD_TABLE, scope.span(key.range), message, "another key")
            .note("a table that MotherGoose needs may have more columns and indexes, and another name")
            .fix(format!("write `primary_key = {list}`"), key.range, list),
    )
}

fn own_columns(
    scope: &FileScope<'_>,
    block: &TypedBlock,
    written: &Table,
    own: &Table,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let Some(columns) = block.attribute("columns") else { return };
    for (at, column) in written.columns.iter().enumerate() {
        let Some(known) = own.columns.iter().find(|known| known.name == column.name) else { continue };
        if known.ty == column.ty {
            continue;
        }
        let range = columns.elements.get(at).copied().unwrap_or(columns.range);
        let message = format!(
            "MotherGoose keeps {:?} in `{}` of `{}`, found {:?}",
            known.ty, column.name, block.name, column.ty
        );
        diagnostics.push(Diagnostic::new(&BAD_TABLE, scope.span(range), message, "another type").help(
            format!(
                "write `type = \"{:?}\"`, or leave the column out: it is there even when not written",
                known.ty
            ),
        ));
    }
}

fn twice(scope: &FileScope<'_>, block: &TypedBlock, written: &Table, diagnostics: &mut Vec<Diagnostic>) {
    let Some(columns) = block.attribute("columns") else { return };
    for (at, column) in written.columns.iter().enumerate() {
        if written.columns[..at].iter().any(|before| before.name == column.name) {
            let range = columns.elements.get(at).copied().unwrap_or(columns.range);
            let message = format!("the table `{}` has the column `{}` twice", written.name, column.name);
            diagnostics.push(
                Diagnostic::new(&BAD_TABLE, scope.span(range), message, "given again here").help("remove it"),
            );
        }
    }
}
