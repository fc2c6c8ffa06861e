//! What the black-box tests of Polar Gosling share.
//!
//! Test files stand beside this one and see every package; helpers live here. Nothing here is part of the product.

#![allow(clippy::disallowed_methods, reason = "tests drive real programs and files")]

pub mod doubles;
pub mod tools;
