//! What is told of a runner that has changed: the log and the metrics.

use super::Context;
use crate::domain::{PoolKind, Runner, State};

/// The state as people see it: one that is wanted awake and is not yet is on its way.
pub(super) fn name_of(runner: &Runner) -> &'static str {
    match runner.state {
        State::Nadir if runner.pool == PoolKind::Apex => "waking",
        state => state.name(),
    }
}

/// Tells the log and the metrics that a runner has changed; a change that was only counted is told nobody.
pub(super) fn changed(context: &Context, before: &Runner, after: &Runner, why: &str) {
    let (from, to) = (name_of(before), name_of(after));
    if from != to {
        context.metrics.transitions.with_label_values(&[from, to]).inc();
        tracing::info!(runner = after.id.as_str(), egg = after.egg, from, to, why, "a runner has changed");
    }
}
