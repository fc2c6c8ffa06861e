//! The vocabulary of the Fly language as plain data.
//!
//! Here live the types and values of Fly, its literal formats, the schema of every block, the function table
//! and the fields of policy conditions, each with its documentation and an example. Whoever needs to know what
//! Fly *is* (checker, editor, reference pages, JSON Schema) renders it from these tables; nobody keeps a second
//! list.
//!
//! What never lives here: syntax, files, salsa, diagnostics.

pub mod clouds;
pub mod credentials;
pub mod endpoints;
pub mod formats;
pub mod functions;
pub mod policy;
pub mod reference;
pub mod schema;
mod types;
mod value;
pub mod words;

pub use types::{Entities, SizeUnit, TYPE_NAMES, Type, Variant};
pub use value::{Float, Value};

/// The editions of the language that this version knows, the oldest first.
pub const EDITIONS: &[u16] = &[2026];

/// The edition a Nest has when its `nest.fly` names none.
pub const DEFAULT_EDITION: u16 = 2026;
