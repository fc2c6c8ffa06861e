//! What is inherited, in the findings of rules: where it comes from, and whom it concerns.
//!
//! What an egg inherits stands at its `extends`; a rule needs to know nothing of it.

use super::{FileScope, check_file};
use crate::{
    config,
    db::{Nest, parse},
    diag::{Diagnostic, Related},
    model::{definitions, profile_users},
    syntax::Item,
    text::TextRange,
};

/// How many users of a profile are named.
const MOST_NAMED: usize = 5;

/// Takes out the findings at `extends` that the profile has as well: it is told there, where it can be mended.
///
/// The file of the profiles is asked only when there is such a finding.
pub(super) fn leave_to_profiles(scope: &FileScope<'_>, diagnostics: &mut Vec<Diagnostic>, from: usize) {
    let Some(nest) = Nest::try_get(scope.db) else { return };
    let eggs = scope.blocks.iter().filter(|block| config::is_egg(block));
    let at: Vec<(TextRange, &str)> =
        eggs.filter_map(|egg| Some((egg.attribute("extends")?.range, egg.label.as_deref()?))).collect();
    let extending =
        |told: &Diagnostic| at.iter().find(|(range, _)| told.span.range == *range).map(|(_, egg)| *egg);
    if !diagnostics[from..].iter().any(|told| extending(told).is_some()) {
        return;
    }
    let Some(file) = nest.find(scope.db, definitions::NEST_FILE).filter(|file| *file != scope.file) else {
        return;
    };
    let users = profile_users(scope.db, nest);
    let profiles: Vec<(TextRange, &[_])> = parse(scope.db, file)
        .items()
        .filter_map(|item| match item {
            Item::Block(block) if block.keyword().is_some_and(|keyword| keyword.text() == "profile") => {
                Some((block.node().range(), users.get(block.labels().next()?.name)?.as_slice()))
            }
            _ => None,
        })
        .collect();
    let known = check_file(scope.db, file);
    let mut position = 0;
    diagnostics.retain(|told| {
        position += 1;
        let Some(egg) = extending(told).filter(|_| position > from) else { return true };
        !known.iter().any(|other| {
            other.kind == told.kind
                && other.message == told.message
                && profiles.iter().any(|(range, users)| {
                    range.contains_range(other.span.range) && users.iter().any(|user| user == egg)
                })
        })
    });
}

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
