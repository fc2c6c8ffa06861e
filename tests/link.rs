//! `gosling link`: what eggs, jobs and the Nest need in GitLab, made and mended, with the real client against the fake.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "this is a test")]

#[allow(dead_code, reason = "the API's tests use more of them")]
#[path = "api/doubles.rs"]
mod doubles;
#[path = "link/laws.rs"]
mod laws;
#[path = "link/road.rs"]
mod road;
#[path = "link/steps.rs"]
mod steps;
#[path = "link/world.rs"]
mod world;
