//! The Fly compiler as a library.
//!
//! The way of the data, each room importing only from those before it:
//!
//! `text → syntax → { format, diag } → db → model → { config, lower } → check → build → { compiler, plan } → host → cli`
//!
//! `artifact` holds the types of what is written, `config` makes them of the typed blocks, `render` the ways diagnostics are shown, `compiler` the one
//! object that programs hold. `routing` decides which egg takes a GitLab job, `pipeline` reads `.gitlab-ci.yml`, `proof`
//! compares what they say with what an author expects. `translate` shows what OpenTofu complains of at the `.fly` text that caused it. `host` finds, reads and writes files, `cli` is the `flyc` program; no other room
//! touches the outside world.

#![recursion_limit = "256"]

pub mod artifact;
pub mod build;
pub mod check;
pub mod cli;
pub mod compiler;
pub mod config;
pub mod db;
pub mod diag;
pub mod format;
pub mod host;
pub mod lower;
pub mod model;
pub mod pipeline;
pub mod plan;
pub mod proof;
pub mod render;
pub mod routing;
pub mod syntax;
pub mod text;
pub mod translate;
