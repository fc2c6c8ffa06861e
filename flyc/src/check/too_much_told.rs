//! What a new machine or container is told is no more than its cloud lets it be told.
//!
//! Never here: how much that is (`lower`).

use fly_std::Value;

use super::{FileScope, not_deployable::NOT_DEPLOYABLE};
use crate::{
    config,
    diag::Diagnostic,
    lower::{self, Room},
    model::{TypedAttribute, TypedBlock},
};

/// Who writes less than so many bytes has room everywhere, even when each is written as six, so that nothing is
/// rendered for it.
const ROOM_EVERYWHERE: usize = 1024;

pub(super) fn check(scope: &FileScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let (mut eggs, mut jobs, mut rifts) = (0, 0, 0);
    for block in scope.blocks {
        let at = match block.name.as_str() {
            "egg" | "eggsbucket" => &mut eggs,
            "job" => &mut jobs,
            "rift" => &mut rifts,
            _ => continue,
        };
        let position = *at;
        *at += 1;
        if told(block).map(|(_, length)| length).sum::<usize>() >= ROOM_EVERYWHERE {
            diagnostics.extend(no_room(scope, block, position));
        }
    }
}

/// What runners are told of a block, with its length in bytes: all but what stands in the block itself, such as a job's
/// script, which the job has in GitLab.
fn told(block: &TypedBlock) -> impl Iterator<Item = (&TypedAttribute, usize)> {
    let inner = block.blocks.iter().flat_map(TypedBlock::walk);
    inner.flat_map(|block| &block.attributes).map(|attribute| {
        let value = attribute.value.as_ref().map_or(0, length);
        (attribute, attribute.name.len() + value)
    })
}

fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Secret(uri) => uri.uri().len(),
        Value::List(values) => values.iter().map(length).sum(),
        Value::Map(values) => values.iter().map(|(name, value)| name.len() + length(value)).sum(),
        _ => 8,
    }
}

fn no_room(scope: &FileScope<'_>, block: &TypedBlock, position: usize) -> Option<Diagnostic> {
    let (db, file) = (scope.db, scope.file);
    let room = match block.name.as_str() {
        "job" => lower::job_room(&config::job_configs(db, file).get(position)?.as_ref()?.config),
        "rift" => lower::rift_room(&config::rift_configs(db, file).get(position)?.as_ref()?.config),
        _ => lower::egg_room(&config::egg_configs(db, file).get(position)?.as_ref()?.config),
    };
    let Room { holder, most, needs } = room.ok()??;
    let excess = needs.checked_sub(most).filter(|excess| *excess > 0)?;
    let (largest, length) = told(block).max_by_key(|(_, length)| *length)?;
    let message = format!("{holder} has no room for all that is written here: {excess} bytes are too many");
    let label = format!("`{}` is the longest, with {length} bytes", largest.name);
    let mut diagnostic = Diagnostic::new(&NOT_DEPLOYABLE, scope.span(largest.range), message, label);
    if largest.range != block.header {
        diagnostic = diagnostic.related(scope.span(block.header), "too much for the runners made here");
    }
    Some(
        diagnostic
            .note(format!("it holds {most} bytes, and some of them are what every runner is told"))
            .help(format!(
                "shorten it by {excess} bytes, or keep the text where jobs can fetch it: in a secret, whose URI is short, or in the repository"
            )),
    )
}
