//! The language server of Fly. Work on it has not begun; this crate holds its place in the dependency graph.
//!
//! Here will live `ide/` (hover, completion, … in offsets and plain structs) and `server/` (the protocol). Never here:
//! parsing or typing anything; all of that is asked of [`flyc::compiler::Compiler`].
