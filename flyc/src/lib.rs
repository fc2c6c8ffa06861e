//! The Fly compiler as a library.
//!
//! The way of the data, each room importing only from those before it:
//!
//! `text → syntax → { format, diag } → db → model → check → lower → artifact`, with `render` for diagnostics.
//!
//! `host` finds and reads files, `cli` is the `flyc` program; no other room touches the outside world.

#![recursion_limit = "256"]

pub mod artifact;
pub mod check;
pub mod cli;
pub mod db;
pub mod diag;
pub mod format;
pub mod host;
pub mod lower;
pub mod model;
pub mod render;
pub mod syntax;
pub mod text;
