//! A serverless runner is a container itself, and has no Docker in it: jobs run in a shell there.

use fly_std::Value;

use super::FileScope;
use crate::{
    diag::{Diagnostic, declare_diagnostic},
    model::{TypedAttribute, TypedBlock},
};

declare_diagnostic! { pub SERVERLESS_EXECUTOR = "serverless-executor", Error, "a serverless runner that should run containers" }

pub(super) fn check(scope: &FileScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for block in scope.blocks {
        let Some(runner) = block.block("runner") else { continue };
        // An egg says what its runners are beside `runner`, a job within it.
        let Some(kind) = block.attribute("type").or_else(|| runner.attribute("type")) else { continue };
        if kind.value.as_ref().and_then(Value::as_str) == Some("serverless") {
            diagnostics.extend(docker(scope, runner, kind));
            diagnostics.extend(privileged(scope, runner, kind));
        }
    }
}

fn docker(scope: &FileScope<'_>, runner: &TypedBlock, kind: &TypedAttribute) -> Option<Diagnostic> {
    let executor = runner.attribute("executor")?;
    if executor.value.as_ref()?.as_str()? != "docker" {
        return None;
    }
    Some(
        Diagnostic::new(
            &SERVERLESS_EXECUTOR,
            scope.span(executor.range),
            "a serverless runner can't start containers",
            "there is no Docker in it",
        )
        .related(scope.span(kind.range), "made serverless here")
        .note("jobs run in the runner's own container; `image` of `runner` says which")
        .fix("write `executor = \"shell\"`, or `type = \"vm\"`", executor.range, "\"shell\""),
    )
}

fn privileged(scope: &FileScope<'_>, runner: &TypedBlock, kind: &TypedAttribute) -> Option<Diagnostic> {
    let privileged = runner.attribute("privileged")?;
    if privileged.value != Some(Value::Bool(true)) {
        return None;
    }
    Some(
        Diagnostic::new(
            &SERVERLESS_EXECUTOR,
            scope.span(privileged.range),
            "a serverless runner can't be privileged",
            "no cloud allows it",
        )
        .related(scope.span(kind.range), "made serverless here")
        .fix("write `privileged = false`, or `type = \"vm\"`", privileged.range, "false"),
    )
}
