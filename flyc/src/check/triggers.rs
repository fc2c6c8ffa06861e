//! What MotherGoose's triggers call: a path of its API, with a method the path takes.

use fly_std::{
    Value,
    endpoints::{self, ENDPOINTS},
    formats::closest,
};

use super::FileScope;
use crate::{
    diag::{Diagnostic, declare_diagnostic},
    model::TypedBlock,
};

declare_diagnostic! { pub UNKNOWN_ENDPOINT = "unknown-endpoint", Error, "a trigger that calls what the API does not have" }
declare_diagnostic! { pub ENDPOINT_METHOD = "endpoint-method", Error, "a trigger that calls the API with a method that the path does not take" }

pub(super) fn check(scope: &FileScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for trigger in scope.all_blocks().filter(|block| block.schema.name == "trigger") {
        diagnostics.extend(one(scope, trigger));
    }
}

fn one(scope: &FileScope<'_>, trigger: &TypedBlock) -> Option<Diagnostic> {
    let (path, range) = match trigger.attribute("endpoint") {
        Some(attribute) => (attribute.value.as_ref()?.as_str()?.to_owned(), attribute.range),
        None if trigger.damaged || trigger.meant.contains(&"endpoint") => return None,
        None => (endpoints::of_trigger(&trigger.name), trigger.header),
    };
    let Some(endpoint) = endpoints::find(&path) else {
        let written = trigger.attribute("endpoint").is_some();
        let message = if written {
            format!("the API has no `{}`", shown(&path))
        } else {
            format!("`{}` calls `{}`, which the API does not have", trigger.name, shown(&path))
        };
        let label = if written { "not a path of the API" } else { "no `endpoint` in here" };
        let diagnostic = Diagnostic::new(&UNKNOWN_ENDPOINT, scope.span(range), message, label);
        let internal: Vec<&str> = ENDPOINTS
            .iter()
            .map(|endpoint| endpoint.path)
            .filter(|path| path.starts_with("/internal/"))
            .collect();
        let diagnostic = diagnostic.note(format!("made for triggers are {}", internal.join(", ")));
        let nearest = closest(&path, ENDPOINTS.iter().map(|endpoint| endpoint.path));
        return Some(match nearest {
            Some(nearest) if written && !nearest.contains('{') => {
                diagnostic.fix(format!("did you mean `\"{nearest}\"`?"), range, format!("\"{nearest}\""))
            }
            Some(nearest) => diagnostic.help(format!("write `endpoint = \"{nearest}\"`")),
            None => diagnostic.help("write `endpoint = \"/internal/sync-git\"`, or another path of the API"),
        });
    };
    let method = trigger.attribute("method");
    let name = match method {
        Some(method) => method.value.as_ref().and_then(Value::as_str)?,
        None => "POST",
    };
    if endpoint.methods.contains(&name) {
        return None;
    }
    let takes = endpoint.methods.join(" or ");
    let range = method.map_or(range, |method| method.range);
    let diagnostic = Diagnostic::new(
        &ENDPOINT_METHOD,
        scope.span(range),
        format!("`{}` takes {takes}, and is called with {name}", endpoint.path),
        format!("{takes} is wanted"),
    )
    .note(format!("`{}` {}", endpoint.path, endpoint.doc));
    Some(match (method, endpoint.methods) {
        (Some(method), [only]) => {
            diagnostic.fix(format!("write `method = \"{only}\"`"), method.range, format!("\"{only}\""))
        }
        _ => diagnostic.help(format!("write `method = \"{}\"`", endpoint.methods[0])),
    })
}

/// A path as a message repeats it.
fn shown(path: &str) -> String {
    const MOST: usize = 60;
    if path.chars().count() <= MOST {
        path.to_owned()
    } else {
        path.chars().take(MOST).chain(['…']).collect()
    }
}
