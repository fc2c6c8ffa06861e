//! The orchestrator, `gosling`. Work on it has not begun; this crate holds its place in the dependency graph.
//!
//! Here will live `domain/` (pure decisions), `ports/`, `adapters/`, `roles/` and `cli/`. Never here: a check of a
//! Nest of its own; the compiler runs in-process through [`flyc::compiler::Compiler`], and what it built is read with
//! the types of [`flyc::artifact`].
