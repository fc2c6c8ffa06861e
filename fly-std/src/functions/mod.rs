//! The functions of expressions.
