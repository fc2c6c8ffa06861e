//! The editors' packages: their word lists are those of fly-std, and they see a file as flyc does.
//!
//! `UPDATE_EXPECT=1 cargo test --test editors` brings their generated files up to date.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "this is a test")]

#[path = "editors/textmate.rs"]
mod textmate;
