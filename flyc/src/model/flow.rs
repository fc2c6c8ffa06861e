//! Where a value came from on its way to where it is used, and whether a secret is on that way.
//!
//! What never lives here: positions. A way is told by names; where they stand is looked up only for a diagnostic, so
//! that moving a definition changes no value.

use fly_std::{Type, Value};
use smol_str::SmolStr;

use super::{blocks::Checker, calls::BAD_CALL, definitions, operators::BAD_OPERAND, values::Want};
use crate::{
    db::Nest,
    diag::{Diagnostic, Span, declare_diagnostic},
    text::TextRange,
};

declare_diagnostic! { pub SECRET_FLOW = "secret-flow", Error, "a secret on its way to where it could be read" }

/// How many steps of a way are remembered; nobody reads more.
const MOST_STEPS: usize = 6;

/// One step of a way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Step {
    /// What was referred to.
    pub kind: StepKind,
    /// Its name.
    pub name: SmolStr,
}

/// What a step went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepKind {
    /// `local.NAME` of the same file.
    Local,
    /// `local.NAME` of `nest.fly`.
    NestLocal,
    /// `var.NAME`
    Variable,
    /// `self.NAME`
    Own,
}

impl Step {
    /// The reference as written.
    pub fn written(&self) -> String {
        match self.kind {
            StepKind::Local | StepKind::NestLocal => format!("local.{}", self.name),
            StepKind::Variable => format!("var.{}", self.name),
            StepKind::Own => format!("self.{}", self.name),
        }
    }
}

/// The way of a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flow {
    /// The references it came through, nearest first.
    pub steps: Vec<Step>,
    /// The sensitive variable that is in it.
    pub sensitive: Option<SmolStr>,
    /// The profile it is inherited from; the attribute stands at `extends` then.
    pub profile: Option<SmolStr>,
}

impl Flow {
    /// Adds a reference and what it came through itself.
    pub(super) fn through(&mut self, step: Step, further: &Flow) {
        self.add(step);
        self.join(further);
    }

    /// Adds the way of another value that this one is made of.
    pub(super) fn join(&mut self, other: &Flow) {
        for step in &other.steps {
            self.add(step.clone());
        }
        if self.sensitive.is_none() {
            self.sensitive.clone_from(&other.sensitive);
        }
    }

    fn add(&mut self, step: Step) {
        if self.steps.len() < MOST_STEPS && !self.steps.contains(&step) {
            self.steps.push(step);
        }
    }
}

/// A value that has a name, and its way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// Absent when it came to nothing, which has been told where it is defined.
    pub(super) value: Option<Value>,
    pub(super) flow: Flow,
}

/// Whether a value is a secret, or holds one.
pub(super) fn holds_secret(value: &Value) -> bool {
    match value {
        Value::Secret(_) => true,
        Value::List(values) => values.iter().any(holds_secret),
        Value::Map(entries) => entries.iter().any(|(_, value)| holds_secret(value)),
        _ => false,
    }
}

/// Whether secrets may go where this type is wanted.
fn is_sink(ty: Type) -> bool {
    match ty {
        Type::Secret | Type::EnvValue | Type::Any => true,
        Type::List(item) | Type::Map(item) => is_sink(*item),
        // Each of its fields is looked at by itself.
        Type::Object(_) => true,
        Type::String
        | Type::Int { .. }
        | Type::Float
        | Type::Bool
        | Type::Duration { .. }
        | Type::Size { .. }
        | Type::Percent
        | Type::Cron
        | Type::Timezone
        | Type::Fqdn
        | Type::Url
        | Type::Email
        | Type::Image
        | Type::Name
        | Type::Script
        | Type::Condition
        | Type::Enum(_)
        | Type::Entity(_)
        | Type::Keyword(_)
        | Type::TypeName
        | Type::Profile
        | Type::Predicate => false,
    }
}

impl Checker<'_> {
    /// A computed value as the type wants it. What does not fit is told with the way it came.
    pub(super) fn arrive(
        &mut self,
        value: Value,
        flow: &Flow,
        range: TextRange,
        want: Want<'_>,
    ) -> Option<Value> {
        if let Some(variable) = &flow.sensitive {
            // The value of a sensitive variable is written nowhere, not even into an environment, where its URI may be.
            let written = !matches!(want.ty, Type::Any) && !holds_secret(&value);
            if written || !is_sink(want.ty) {
                let diagnostic = self.sensitive_flow(variable, range, want);
                self.diagnostics.push(self.with_way(diagnostic, flow));
                return None;
            }
        }
        if holds_secret(&value) && !is_sink(want.ty) {
            let diagnostic = self.secret_flow(range, want);
            self.diagnostics.push(self.with_way(diagnostic, flow));
            return None;
        }
        let told = self.diagnostics.len();
        let value = self.fit(value, range, want);
        if !flow.steps.is_empty() {
            for diagnostic in self.diagnostics.split_off(told) {
                let diagnostic = self.with_way(diagnostic, flow);
                self.diagnostics.push(diagnostic);
            }
        }
        value
    }

    /// A secret where none may go.
    pub(super) fn secret_flow(&self, range: TextRange, want: Want<'_>) -> Diagnostic {
        Diagnostic::new(
            &SECRET_FLOW,
            self.span(range),
            format!("a secret can't go into {}", want.subject()),
            "a secret",
        )
        .note(want.note())
        .note("anybody who sees the runner would see it")
        .help(
            "secrets go into attributes that take a secret URI, and into `environment`, where jobs read them",
        )
    }

    fn sensitive_flow(&self, variable: &str, range: TextRange, want: Want<'_>) -> Diagnostic {
        let diagnostic = Diagnostic::new(
            &SECRET_FLOW,
            self.span(range),
            format!("the sensitive `var.{variable}` can't go into {}", want.subject()),
            "holds a secret",
        );
        if is_sink(want.ty) {
            diagnostic
                .note("what is built from the Nest holds the URIs of secrets, never the secrets themselves")
                .help(format!("keep the secret in a secret store, and its URI in `var.{variable}`"))
        } else {
            diagnostic.note(want.note()).note("anybody who sees the runner would see it").help(format!(
                "use a value that is no secret here, or let `var.{variable}` be no `sensitive` one"
            ))
        }
    }

    /// The same with the places the operands came through, when it is about operands.
    pub(super) fn with_way_of_operands(&self, diagnostic: Diagnostic, flow: &Flow) -> Diagnostic {
        if *diagnostic.kind == BAD_OPERAND || *diagnostic.kind == BAD_CALL {
            self.with_way(diagnostic, flow)
        } else {
            diagnostic
        }
    }

    /// The same with the places the value came through.
    pub(super) fn with_way(&self, mut diagnostic: Diagnostic, flow: &Flow) -> Diagnostic {
        if self.interpolates || !diagnostic.related.is_empty() {
            // What stands in `${…}` is told by the text around it, which knows where that stands.
            return diagnostic;
        }
        for step in &flow.steps {
            let sensitive = flow.sensitive.as_ref() == Some(&step.name);
            // What came from the command line stands in no file.
            let outside = step.kind == StepKind::Variable && self.is_given_outside(&step.name);
            if let Some(span) = self.definition(step, sensitive || outside) {
                let written = step.written();
                diagnostic = diagnostic.related(
                    span,
                    if outside {
                        format!("the value of `{written}` was given with `--var`")
                    } else {
                        format!("the value comes from `{written}`, defined here")
                    },
                );
            }
        }
        diagnostic
    }

    /// Whether the command line gives the value of a variable.
    fn is_given_outside(&self, name: &str) -> bool {
        Nest::try_get(self.db).is_some_and(|nest| nest.variables(self.db).contains_key(name))
    }

    /// Where the value of a step is given; of one that is not shown, where it is declared.
    fn definition(&self, step: &Step, hidden: bool) -> Option<Span> {
        match step.kind {
            StepKind::Local => self.locals.range(&step.name).map(|range| self.span(range)),
            StepKind::Own => None,
            StepKind::NestLocal => definitions::local(self.db, &step.name),
            StepKind::Variable if hidden => definitions::header(self.db, "variable", &step.name),
            StepKind::Variable => definitions::variable(self.db, &step.name),
        }
    }
}
