//! What is inherited, in the findings of rules: where it comes from, and whom it concerns.
//!
//! What an egg inherits stands at its `extends`; a rule needs to know nothing of it.

use super::FileScope;
use crate::{
    config,
    db::{Nest, parse},
    diag::{Diagnostic, Related},
    model::{definitions, profile_users},
    syntax::Item,
};

/// How many users of a profile are named.
const MOST_NAMED: usize = 5;

/// Says of findings at `extends` that what they are about is inherited. No edit there would mend it.
pub(super) fn tell(scope: &FileScope<'_>, diagnostics: &mut [Diagnostic]) {
    if diagnostics.is_empty() {
        return;
    }
    for egg in scope.blocks.iter().filter(|block| config::is_egg(block)) {
        let Some(attribute) = egg.attribute("extends") else { continue };
        let Some(profile) = attribute.value.as_ref().and_then(fly_std::Value::as_str) else { continue };
        let told = diagnostics.iter_mut().filter(|diagnostic| diagnostic.span.range == attribute.range);
        for diagnostic in told {
            if let Some(help) = &mut diagnostic.help {
                help.edits.clear();
            }
            diagnostic
                .notes
                .push(format!("it is inherited from `profile.{profile}`; what the egg gives itself wins"));
            if let Some(span) = definitions::header(scope.db, "profile", profile) {
                let message = "the profile is defined here".to_owned();
                diagnostic.related.push(Related { message, span });
            }
        }
    }
}

/// Names the eggs and buckets that use a profile in what is wrong with it.
pub(super) fn name_users(scope: &FileScope<'_>, diagnostics: &mut [Diagnostic]) {
    if diagnostics.is_empty() || &**scope.path != definitions::NEST_FILE {
        return;
    }
    let Some(nest) = Nest::try_get(scope.db) else { return };
    for item in parse(scope.db, scope.file).items() {
        let Item::Block(block) = item else { continue };
        if block.keyword().is_none_or(|keyword| keyword.text() != "profile") {
            continue;
        }
        let Some(label) = block.labels().next() else { continue };
        let range = block.node().range();
        let users = profile_users(scope.db, nest).get(label.name).map_or(&[][..], Vec::as_slice);
        if users.is_empty() {
            continue;
        }
        let mut named: Vec<String> = users.iter().take(MOST_NAMED).map(|name| format!("`{name}`")).collect();
        if users.len() > MOST_NAMED {
            named.push(format!("{} more", users.len() - MOST_NAMED));
        }
        let list = match named.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
            None => continue,
        };
        for diagnostic in diagnostics.iter_mut() {
            if range.contains_range(diagnostic.span.range) {
                diagnostic.notes.push(format!("the profile is used by {list}"));
            }
        }
    }
}
