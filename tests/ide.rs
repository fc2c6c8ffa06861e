//! What the language server answers, without the protocol: completion, names and every position of every example.
//!
//! What never lives here: single cases of one question, which are `fly-lsp`'s own, and the protocol, which is `lsp`'s.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "this is a test")]

#[path = "properties/cases.rs"]
mod cases;
#[path = "ide/completion.rs"]
mod completion;
#[allow(dead_code, reason = "other tests read more of it")]
#[path = "properties/corpus.rs"]
mod corpus;
#[allow(dead_code, reason = "other tests draw more from it")]
#[path = "properties/generate.rs"]
mod generate;
#[path = "properties/installation.rs"]
mod installation;
#[path = "ide/nests.rs"]
mod nests;
#[path = "ide/offered.rs"]
mod offered;
#[path = "ide/positions.rs"]
mod positions;
#[path = "ide/rename.rs"]
mod rename;
#[allow(dead_code, reason = "other tests draw more from it")]
#[path = "properties/values.rs"]
mod values;

use cases::cases;
