//! The Nest's repository: real git, real SSH, and what a sync makes of what it finds.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "this is a test")]

#[path = "sync/apply.rs"]
mod apply;
#[path = "properties/cases.rs"]
mod cases;
#[path = "sync/cut_off.rs"]
mod cut_off;
#[path = "sync/git.rs"]
mod git;
#[path = "sync/repository.rs"]
mod repository;
#[path = "sync/routes.rs"]
mod routes;
#[path = "sync/ssh.rs"]
mod ssh;
#[path = "sync/world.rs"]
mod world;
