//! What the compiler calls by itself, as a table, so that editors show it like every other function.

use super::{CallError, Function, Kind, Param, Returns};
use crate::value::Value;

const TEXT: &[Kind] = &[Kind::String];

pub(super) const FILE: Function = Function {
    name: "file",
    params: &[Param::new("path", TEXT)],
    rest: None,
    doc: "the text of a file of the Nest; the path is written out and begins at the Nest's root",
    example: ("file(\"files/motd.txt\")", "\"Welcome\""),
    result: Returns::Kind(Kind::String),
    call: |_| refused(),
};

pub(super) const SECRET: Function = Function {
    name: "secret",
    params: &[Param::new("backend", TEXT), Param::new("name", TEXT), Param::new("key", TEXT)],
    rest: None,
    doc: "a reference to a secret, of which nothing but the place is known",
    example: ("secret(\"vault\", \"gitlab\", \"token\")", "\"vault://gitlab/token\""),
    result: Returns::Kind(Kind::Secret),
    call: |_| refused(),
};

fn refused() -> Result<Value, CallError> {
    Err(CallError::whole("only the compiler can call this"))
}
