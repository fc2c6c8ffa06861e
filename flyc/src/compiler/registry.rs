//! Every kind of diagnostic there is, for `flyc explain`, the reference and the tests that hold it whole.

use crate::{
    check,
    diag::{Declaration, files},
    model, pipeline, proof, translate,
};

/// Every kind of diagnostic, ordered by id.
pub fn all_diagnostics() -> Vec<&'static Declaration> {
    let mut all: Vec<&'static Declaration> = vec![
        &model::BAD_CALL,
        &model::BAD_CRON,
        &model::BAD_ESCAPE,
        &model::BAD_FORMAT,
        &model::BAD_NUMBER,
        &model::BAD_OPERAND,
        &model::BAD_SECRET_URI,
        &model::CONDITION_FIELD,
        &model::CONDITION_SYNTAX,
        &model::CONDITION_TYPE,
        &model::CYCLIC_DEFINITION,
        &model::DEPRECATED,
        &model::DUPLICATE_ATTRIBUTE,
        &model::DUPLICATE_BLOCK,
        &model::MISPLACED_BLOCK,
        &model::MISSING_ATTRIBUTE,
        &model::MISSING_BLOCK,
        &model::OUT_OF_RANGE,
        &model::SECRET_FLOW,
        &model::STRAY_BRACE,
        &model::SYNTAX_ERROR,
        &model::TOO_DEEP,
        &model::TYPE_MISMATCH,
        &model::UNCLOSED,
        &model::UNKNOWN_ATTRIBUTE,
        &model::UNKNOWN_BLOCK,
        &model::UNKNOWN_FUNCTION,
        &model::UNKNOWN_NAME,
        &model::UNKNOWN_VALUE,
        &model::WRONG_LABEL,
        &check::ASSERT_FAILED,
        &check::ASSERT_WARNING,
        &check::CONDITION_ALWAYS_FALSE,
        &check::CONDITION_ALWAYS_TRUE,
        &check::BAD_CIDR,
        &check::BAD_OPENAPI,
        &check::BAD_TABLE,
        &check::BAD_TAG,
        &check::DEAD_CONDITION,
        &check::DUPLICATE_NAME,
        &check::ENDPOINT_METHOD,
        &check::ENTITY_IN_TWO_CONDITIONS,
        &check::EXACTLY_ONE_OF,
        &check::FOREIGN_SECRET_BACKEND,
        &check::FOREIGN_SERVICE,
        &check::FRACTION_PERCENT,
        &check::JOB_LIMITS,
        &check::LARGER_MACHINE,
        &check::MIN_ABOVE_MAX,
        &check::MISSING_OPENAPI,
        &check::MISSING_ROLE,
        &check::NOT_DEPLOYABLE,
        &check::OVERLAPPING_EGGS,
        &check::PLAIN_SECRET,
        &check::REPEATED_TAG,
        &check::SERVERLESS_EXECUTOR,
        &check::SERVERLESS_LIMITS,
        &model::UNKNOWN_ENTITY,
        &check::SERVICE_LIMITS,
        &check::SHADOWED_RULE,
        &check::TAKES_NO_JOB,
        &check::TOO_FREQUENT,
        &check::UNANSWERED_API,
        &check::UNKNOWN_ENDPOINT,
        &check::UNKNOWN_PART,
        &check::UNKNOWN_REGION,
        &check::UNKNOWN_RIFT,
        &check::UNPLACED_FILE,
        &check::UNUSED_LOCAL,
        &check::UNUSED_PROFILE,
        &check::UNUSED_VARIABLE,
        &check::WIDE_ROLE,
        &check::WRONG_REGION,
        &files::NO_NEST,
        &files::NOT_UTF8,
        &pipeline::CI_UNREADABLE,
        &proof::JOB_WITHOUT_RUNNER,
        &proof::JOB_WITH_SEVERAL_EGGS,
        &proof::TEST_FAILED,
        &proof::UNREACHABLE_TAG,
        &translate::TOFU_ERROR,
        &translate::TOFU_WARNING,
        &files::TOO_LARGE,
        &files::UNREADABLE,
    ];
    all.sort_by_key(|declaration| declaration.id);
    all
}

/// The kind of diagnostic with this id.
pub fn find_diagnostic(id: &str) -> Option<&'static Declaration> {
    all_diagnostics().into_iter().find(|declaration| declaration.id == id)
}

/// No diagnostic has the id that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no diagnostic `{id}`")]
pub struct UnknownDiagnostic {
    /// What was asked for.
    pub id: String,
    /// The id that was probably meant.
    pub nearest: Option<&'static str>,
}

/// The page of a diagnostic. The id may be given as it is shown, `error[type-mismatch]`.
pub fn explain(id: &str) -> Result<&'static str, UnknownDiagnostic> {
    // People paste what they see.
    let id = id.trim_start_matches("error").trim_start_matches("warning").trim_matches(['[', ']']);
    if let Some(declaration) = find_diagnostic(id) {
        return Ok(declaration.page);
    }
    let ids = all_diagnostics().into_iter().map(|declaration| declaration.id);
    Err(UnknownDiagnostic { id: id.to_owned(), nearest: fly_std::formats::closest(id, ids) })
}
