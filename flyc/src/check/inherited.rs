//! What is inherited, in the findings of rules: where it comes from, and whom it concerns.
//!
//! What an egg inherits stands at its `extends`; a rule needs to know nothing of it.

use rustc_hash::FxHashSet;

use super::{FileScope, check_file};
use crate::{
    config,
    db::{Db, Nest, parse},
    diag::{Diagnostic, Related},
    model::{definitions, profile_users},
};

/// How many users of a profile are named.
const MOST_NAMED: usize = 5;

/// What is told of the profiles of `nest.fly`, without positions: so most edits there leave it as it is.
#[salsa::tracked(returns(ref))]
fn told_of_profiles(db: &dyn Db, nest: Nest) -> FxHashSet<(&'static str, String)> {
    let Some(file) = nest.find(db, definitions::NEST_FILE) else { return FxHashSet::default() };
    let profiles: Vec<_> = parse(db, file)
        .blocks()
        .filter(|block| block.is("profile"))
        .map(|block| block.node().range())
        .collect();
    let told = check_file(db, file).iter();
    told.filter(|told| profiles.iter().any(|range| range.contains_range(told.span.range)))
        .map(|told| (told.kind.id, told.message.clone()))
        .collect()
}

/// Takes out what is told of the profile itself: a mistake of a profile is told once, there.
pub(super) fn leave_to_profile(scope: &FileScope<'_>, diagnostics: &mut Vec<Diagnostic>, from: usize) {
    if &**scope.path == definitions::NEST_FILE {
        return;
    }
    let eggs = scope.blocks.iter().filter(|block| config::is_egg(block));
    let places: Vec<_> = eggs.filter_map(|egg| Some(egg.attribute("extends")?.range)).collect();
    let is_inherited = |diagnostic: &Diagnostic| places.contains(&diagnostic.span.range);
    if !diagnostics[from..].iter().any(is_inherited) {
        return;
    }
    let Some(nest) = Nest::try_get(scope.db) else { return };
    let told = told_of_profiles(scope.db, nest);
    let own = diagnostics.split_off(from);
    diagnostics.extend(own.into_iter().filter(|diagnostic| {
        !is_inherited(diagnostic) || !told.contains(&(diagnostic.kind.id, diagnostic.message.clone()))
    }));
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
    for block in scope.parse.blocks().filter(|block| block.is("profile")) {
        let Some(label) = block.labels().next() else { continue };
        let range = block.node().range();
        let users = profile_users(scope.db, nest).get(label.name).map_or(&[][..], Vec::as_slice);
        let mut named: Vec<String> = users.iter().take(MOST_NAMED).map(|name| format!("`{name}`")).collect();
        if users.len() > MOST_NAMED {
            named.push(format!("{} more", users.len() - MOST_NAMED));
        }
        let Some(list) = fly_std::words::list(&named, "and") else { continue };
        for diagnostic in diagnostics.iter_mut() {
            if range.contains_range(diagnostic.span.range) {
                diagnostic.notes.push(format!("the profile is used by {list}"));
            }
        }
    }
}
