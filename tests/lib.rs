//! What the black-box tests of Polar Gosling share.
//!
//! Test files stand beside this one and see every package; helpers live here. Nothing here is part of the product.

pub mod tools;
