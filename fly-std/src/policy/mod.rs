//! Policies: what the rules of UglyFox may ask of a runner, conditions in their compiled form, what they come to for
//! one runner, and what can be known of them before there is one.
//!
//! What never lives here: the syntax of conditions (the compiler reads it), and where anything stands in a file.

mod evaluate;
mod facts;
mod fields;
mod predicate;
pub mod solve;

pub use facts::{Fact, Facts};
pub use fields::{FIELDS, Field, FieldId, FieldType, STATES, find};
pub use predicate::{Comparison, Condition, Constant, Predicate};
