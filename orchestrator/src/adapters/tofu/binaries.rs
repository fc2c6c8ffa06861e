//! Programs that are fetched.
use std::path::{Path, PathBuf};
/// `tofu`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TofuBinary;
pub(super) fn active<P>(_: &Path) -> Option<PathBuf> { None }
