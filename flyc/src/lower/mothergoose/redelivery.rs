//! What holds on every cloud between a queue and the service that works on it: a message that is at work on is hidden
//! until the work is over.

use crate::{
    artifact::{Component, MothergooseConfig, Queue},
    lower::LowerError,
};

/// A service whose messages would come again while it is still at work on them.
pub(super) fn check(config: &MothergooseConfig, component: Component) -> Option<LowerError> {
    let (block, queue, usual_s) = queue_of(config, component)?;
    let service = config.service(component)?;
    if queue.visibility_timeout_s >= service.timeout_s {
        return None;
    }
    let part = component.name();
    let visible = format!("message_queues.{block}.visibility_timeout");
    Some(LowerError::Limit {
        // By default both are the same, so that one of them was written; the longer time is the likelier one.
        path: if queue.visibility_timeout_s < usual_s { visible } else { format!("{part}.timeout") },
        message: format!(
            "a message of `{}` would come again while `{}` is still at work on it",
            queue.name, service.name
        ),
        help: format!(
            "write `visibility_timeout = {}s` or more for `{block}`, or a shorter `timeout` for `{part}`",
            service.timeout_s
        ),
    })
}

/// The queue a service works on, with the name of its block and the default of its `visibility_timeout`.
pub(super) const fn queue_of(
    config: &MothergooseConfig,
    component: Component,
) -> Option<(&'static str, &Queue, u64)> {
    match component {
        Component::CeleryWorkers => Some(("webhook_queue", &config.message_queues.webhook_queue, 300)),
        Component::UglyfoxWorkers => Some(("uglyfox_queue", &config.message_queues.uglyfox_queue, 180)),
        _ => None,
    }
}
