//! The editors' packages: their word lists are those of fly-std, they see a file as flyc does, and what is written about
//! them is so.
//!
//! `UPDATE_EXPECT=1 cargo test --test editors` brings their generated files up to date.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "this is a test")]

#[path = "lsp/client.rs"]
#[allow(dead_code, reason = "the server's own tests use the rest")]
#[allow(clippy::needless_pass_by_value, reason = "the `json!` macro makes values, which are given away")]
mod client;
#[path = "properties/corpus.rs"]
#[allow(dead_code, reason = "the properties use the rest")]
mod corpus;
#[path = "properties/generate.rs"]
#[allow(dead_code, reason = "the properties use the rest")]
mod generate;
#[path = "editors/homes.rs"]
mod homes;
#[path = "properties/installation.rs"]
mod installation;
#[path = "mdtest/mod.rs"]
mod mdtest;
#[path = "properties/mutate.rs"]
#[allow(dead_code, reason = "the properties use the rest")]
mod mutate;
#[path = "editors/textmate.rs"]
mod textmate;
#[path = "editors/treesitter.rs"]
mod treesitter;
#[path = "properties/values.rs"]
#[allow(dead_code, reason = "the properties use the rest")]
mod values;
