//! Regions and zones: those of the provider beside them, and the zone in its region.
//!
//! On Yandex Cloud machines are made by zone, so `region` takes a zone as well, on every cloud. The machine of
//! `provider = "local"` is nowhere: what is written for it is ignored, which is said.

use fly_std::{
    Value,
    clouds::{Cloud, Location},
    formats::closest,
};

use super::FileScope;
use crate::{
    artifact::Provider,
    config,
    diag::{Diagnostic, declare_diagnostic},
    model::{TypedAttribute, TypedBlock},
};

declare_diagnostic! { pub WRONG_REGION = "wrong-region", Error, "a region or zone that the provider does not have" }
declare_diagnostic! { pub UNKNOWN_REGION = "unknown-region", Warning, "a region or zone that Fly does not know, or that means nothing" }

pub(super) fn check(scope: &FileScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for block in scope.all_blocks().filter(|block| block.name == "cloud") {
        let Some(provider) = config::provider_of(block) else { continue };
        let cloud = match provider {
            Provider::Yandex => Cloud::Yandex,
            Provider::Aws => Cloud::Aws,
            Provider::Local => {
                let written = ["region", "zone"].iter().filter_map(|name| block.attribute(name));
                diagnostics.extend(written.map(|attribute| nowhere(scope, attribute)));
                continue;
            }
        };
        let found = diagnostics.len();
        for name in ["region", "zone"] {
            if let Some((attribute, text)) = written(block, name) {
                diagnostics.extend(one(scope, block, cloud, attribute, text));
            }
        }
        if found == diagnostics.len() {
            diagnostics.extend(apart(scope, block, cloud));
        }
    }
}

fn written<'a>(block: &'a TypedBlock, name: &str) -> Option<(&'a TypedAttribute, &'a str)> {
    let attribute = block.attribute(name)?;
    Some((attribute, attribute.value.as_ref().and_then(Value::as_str)?))
}

fn nowhere(scope: &FileScope<'_>, attribute: &TypedAttribute) -> Diagnostic {
    Diagnostic::new(
        &UNKNOWN_REGION,
        scope.span(attribute.range),
        format!("`{}` means nothing on the provider \"local\"", attribute.name),
        "ignored",
    )
    .note("runners of \"local\" are processes of the orchestrator's own machine")
    .help("remove it, or name a provider that has regions")
}

/// What is wrong with one of the two by itself.
fn one(
    scope: &FileScope<'_>,
    block: &TypedBlock,
    cloud: Cloud,
    attribute: &TypedAttribute,
    text: &str,
) -> Option<Diagnostic> {
    let (name, here) = (&attribute.name, cloud.name());
    let location = cloud.location(text);
    let zones_only = name == "zone";
    if location == Some(Location::Zone) || (location == Some(Location::Region) && !zones_only) {
        return None;
    }
    let span = scope.span(attribute.range);
    let mut diagnostic = if location == Some(Location::Region) {
        Diagnostic::new(
            &WRONG_REGION,
            span,
            format!("`zone` wants a zone, found the region `{text}`"),
            "a region, and no zone in it",
        )
        .note(format!("a zone of it is named {}", example_zone(cloud, text)))
        .help(format!("write `zone = \"{}\"`, or `region = \"{text}\"`", example_zone(cloud, text)))
    } else if location == Some(Location::Unlisted) {
        Diagnostic::new(
            &UNKNOWN_REGION,
            span,
            format!("`{text}` is no {name} of {here} that Fly knows"),
            "is it spelt right?",
        )
        .note("clouds add regions, so one that is newer than this compiler may be right")
        .help(match nearest(cloud, text, zones_only) {
            Some(nearest) => format!("did you mean `\"{nearest}\"`?"),
            None => format!("write one such as `\"{}\"`", example(cloud, zones_only)),
        })
    } else if let Some(other) = Cloud::ALL.into_iter().find(|other| other.location(text).is_some()) {
        Diagnostic::new(
            &WRONG_REGION,
            span,
            format!("`{name}` wants one of {here}, found `{text}`, which is of {}", other.name()),
            format!("a {name} of {}", other.name()),
        )
        .help(format!(
            "write `provider = \"{}\"`, or a {name} of {here} such as `\"{}\"`",
            other.name(),
            example(cloud, zones_only)
        ))
    } else {
        let diagnostic = Diagnostic::new(
            &WRONG_REGION,
            span,
            format!("`{name}` wants one of {here}, found `{text}`"),
            format!("not a {name}"),
        );
        match nearest(cloud, text, zones_only) {
            Some(nearest) => diagnostic.fix(
                format!("did you mean `\"{nearest}\"`?"),
                attribute.range,
                format!("\"{nearest}\""),
            ),
            None => diagnostic.help(format!("write one such as `\"{}\"`", example(cloud, zones_only))),
        }
    };
    diagnostic = match block.attribute("provider") {
        Some(provider) => diagnostic.related(scope.span(provider.range), "the provider is chosen here"),
        None => diagnostic.note(format!("`provider` is \"{here}\" when it is not given")),
    };
    Some(diagnostic)
}

/// A zone that lies in another region than the one beside it.
fn apart(scope: &FileScope<'_>, block: &TypedBlock, cloud: Cloud) -> Option<Diagnostic> {
    let ((region, area), (zone, place)) = (written(block, "region")?, written(block, "zone")?);
    let inside = cloud.region_of(place);
    let is_zone = cloud.region_of(area).len() < area.len();
    if inside == area || place == area {
        return None;
    }
    let message = if is_zone {
        format!("`region` names the zone `{area}`, and `zone` is `{place}`")
    } else {
        format!("the zone `{place}` is not in the region `{area}`")
    };
    Some(
        Diagnostic::new(&WRONG_REGION, scope.span(zone.range), message, format!("in {inside}"))
            .related(scope.span(region.range), "the region is chosen here")
            .help(format!("write `region = \"{inside}\"`, or leave `zone` out")),
    )
}

fn nearest(cloud: Cloud, text: &str, zones_only: bool) -> Option<String> {
    let zones: Vec<String> = match cloud {
        Cloud::Yandex => cloud.zones().collect(),
        Cloud::Aws => cloud.regions().map(|region| format!("{region}a")).collect(),
    };
    let regions: Vec<&str> = cloud.regions().filter(|_| !zones_only).collect();
    closest(text, regions.into_iter().chain(zones.iter().map(String::as_str))).map(str::to_owned)
}

const fn example(cloud: Cloud, zones_only: bool) -> &'static str {
    match (cloud, zones_only) {
        (Cloud::Yandex, _) => "ru-central1-a",
        (Cloud::Aws, false) => "eu-central-1",
        (Cloud::Aws, true) => "eu-central-1a",
    }
}

fn example_zone(cloud: Cloud, region: &str) -> String {
    match cloud {
        Cloud::Yandex => format!("{region}-a"),
        Cloud::Aws => format!("{region}a"),
    }
}
