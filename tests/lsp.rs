//! The language server: a real process spoken to over its standard input and output.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "this is a test")]
#![allow(clippy::needless_pass_by_value, reason = "the `json!` macro makes values, which are given away")]

#[path = "lsp/actions.rs"]
mod actions;
#[path = "lsp/client.rs"]
mod client;
#[allow(dead_code, reason = "other tests read more of it")]
#[path = "properties/corpus.rs"]
mod corpus;
#[path = "lsp/lens.rs"]
mod lens;
#[path = "lsp/nests.rs"]
mod nests;
#[path = "lsp/protocol.rs"]
mod protocol;
#[path = "lsp/robust.rs"]
mod robust;
#[path = "lsp/session.rs"]
mod session;
