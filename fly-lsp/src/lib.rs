//! The language server of Fly.
//!
//! `ide` answers what an editor asks, in offsets and plain structs; `server` speaks the protocol. Never here: parsing or
//! typing anything; all of that is asked of [`flyc::compiler::Compiler`].

pub mod ide;
pub mod server;
