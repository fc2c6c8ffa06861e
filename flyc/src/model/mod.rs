//! The model: what a Nest means. Outlines and the index of names, expressions and their values, and the typed IR.
//!
//! What never lives here: rules about more than one block (see `check`), rendering, files.

mod asserts;
mod assets;
mod blocks;
mod calls;
mod condition;
pub mod definitions;
mod deprecated;
mod eval;
mod flow;
mod ir;
mod locals;
mod messages;
mod names;
mod numbers;
mod operators;
mod profiles;
mod references;
mod strings;
mod syntax_errors;
mod templates;
mod texts;
mod unknown;
mod uses;

mod values;
mod vars;

use std::sync::Arc;

pub use asserts::{
    Assertion, EGG_SUBJECT, JOB_SUBJECT, Subject, Verdict, assertions, nest_value, show_named,
};
pub use assets::{installation_asset, may_read, read_places, reads};
pub use blocks::{
    DUPLICATE_ATTRIBUTE, DUPLICATE_BLOCK, MISPLACED_BLOCK, MISSING_ATTRIBUTE, MISSING_BLOCK,
    UNKNOWN_ATTRIBUTE, UNKNOWN_BLOCK, WRONG_LABEL,
};
pub use calls::{BAD_CALL, UNKNOWN_FUNCTION};
pub use condition::{
    CONDITION_FIELD, CONDITION_SYNTAX, CONDITION_TYPE, ConditionPart, Join, compile_condition,
    condition_parts, condition_texts,
};
pub use deprecated::DEPRECATED;
pub use flow::{Flow, SECRET_FLOW, Step, StepKind};
pub use ir::{Meaning, TypedAttribute, TypedBlock};
pub use names::{Entity, EntityKind, Index, Outline, OutlineBlock, index, outline};
pub use numbers::BAD_NUMBER;
pub use operators::BAD_OPERAND;
pub use profiles::{profile, profile_users};
pub use references::{CYCLIC_DEFINITION, UNKNOWN_ENTITY, UNKNOWN_NAME};
pub use strings::{BAD_CRON, BAD_FORMAT, BAD_SECRET_URI, UNKNOWN_VALUE};
pub use syntax_errors::{BAD_ESCAPE, STRAY_BRACE, SYNTAX_ERROR, TOO_DEEP, UNCLOSED};
pub use texts::text_range;
pub use uses::{Space, Uses, uses_of};
pub use values::{OUT_OF_RANGE, TYPE_MISMATCH};
pub use vars::{Variable, variable, variables};

use crate::{
    db::{Db, SourceFile, parse},
    diag::Diagnostic,
};

/// A file after type checking: its blocks with their values, and what was found wrong on the way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Typed {
    /// The blocks at the top of the file whose kind is known.
    pub blocks: Vec<TypedBlock>,
    /// What is wrong with the file by itself: its form, its names and its types.
    pub diagnostics: Vec<Diagnostic>,
}

/// Checks the form and the types of a file.
#[salsa::tracked(returns(ref))]
pub fn typed(db: &dyn Db, file: SourceFile) -> Typed {
    let parse = parse(db, file);
    let path: Arc<str> = file.path(db).clone();
    let mut diagnostics = syntax_errors::diagnostics(&path, parse);
    let mut checker = blocks::Checker::new(db, path, parse);
    let blocks = checker.file();
    diagnostics.append(&mut checker.diagnostics);
    Typed { blocks, diagnostics }
}
