//! `test` blocks: the job of the block through the real routing, and what is expected of it.

use std::sync::Arc;

use fly_std::{Value, formats::duration};

use super::Egg;
use crate::{
    artifact::RunnerType,
    db::{Db, Nest},
    diag::{Diagnostic, Span, declare_diagnostic},
    model::{TypedAttribute, TypedBlock, index, typed},
    routing::{Candidate, Decision, Fleet, Job},
    text::TextRange,
};

declare_diagnostic! { pub TEST_FAILED = "test-failed", Error, "a test that expects something else than the Nest does" }

/// How many eggs are told of when none takes a job.
const MOST_EGGS: usize = 5;

/// What a test came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestResult {
    /// The test's name.
    pub name: String,
    /// Where it stands.
    pub span: Span,
    /// The job that was routed.
    pub job: Job,
    /// The egg that takes it.
    pub egg: Option<String>,
    /// What did not come out as expected; empty when the test passed.
    pub failures: Vec<Diagnostic>,
}

/// Runs the tests whose name the filter takes, in the order of the files. Of a Nest with errors some may be missing.
pub fn run(
    db: &dyn Db,
    nest: Nest,
    eggs: &[Egg<'_>],
    server: &str,
    filter: &dyn Fn(&str) -> bool,
) -> Vec<TestResult> {
    let configs = eggs.iter().filter_map(|egg| Some(&egg.resolved?.config));
    let fleet = Fleet::new(configs, Some(server));
    let mut results = Vec::new();
    for &file in index(db, nest).files_with("test") {
        for block in typed(db, file).blocks.iter().filter(|block| block.name == "test") {
            let Some(name) = block.label.as_deref().filter(|name| filter(name)) else { continue };
            let (Some(job), Some(expect)) = (job(block, name), block.block("expect")) else { continue };
            let decision = fleet.decide(&job);
            let test = Test { name, file: file.path(db), expect, job: &job, decision: &decision, eggs };
            let failures = test.failures();
            let egg = decision.chosen().map(|chosen| chosen.egg.name.clone());
            let span = Span::new(Arc::clone(file.path(db)), block.header);
            results.push(TestResult { name: name.to_owned(), span, job, egg, failures });
        }
    }
    results
}

/// The job that a test speaks of.
fn job(test: &TypedBlock, name: &str) -> Option<Job> {
    let Value::Map(event) = test.value("event")? else { return None };
    let get = |key: &str| event.iter().find(|(name, _)| name == key).map(|(_, value)| value);
    let list = |key: &str| match get(key) {
        Some(Value::List(values)) => values.as_slice(),
        _ => &[],
    };
    let string = |key: &str| get(key).and_then(Value::as_str).map(str::to_owned);
    let number = |value: &Value| value.as_int().and_then(|number| u64::try_from(number).ok());
    Some(Job {
        name: string("name").unwrap_or_else(|| name.to_owned()),
        server: string("server"),
        project_id: number(get("project_id")?)?,
        groups: list("group_ids").iter().filter_map(number).collect(),
        tags: list("tags").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        ref_protected: matches!(get("protected"), Some(Value::Bool(true))),
        timeout_s: match get("timeout") {
            Some(Value::Duration(seconds)) => Some(*seconds),
            _ => None,
        },
    })
}

/// The job in a sentence.
fn described(job: &Job) -> String {
    let mut parts = vec![format!("project {}", job.project_id)];
    if !job.groups.is_empty() {
        let groups: Vec<String> = job.groups.iter().map(u64::to_string).collect();
        parts.push(format!("groups {}", groups.join(", ")));
    }
    parts.push(if job.tags.is_empty() {
        "no tags".to_owned()
    } else {
        format!("tags `{}`", job.tags.join("`, `"))
    });
    if job.ref_protected {
        parts.push("a protected ref".to_owned());
    }
    parts.extend(job.timeout_s.map(|seconds| format!("{} at most", duration::print(seconds))));
    format!("the job: {}", parts.join(", "))
}

struct Test<'a> {
    name: &'a str,
    file: &'a Arc<str>,
    expect: &'a TypedBlock,
    job: &'a Job,
    decision: &'a Decision<'a>,
    eggs: &'a [Egg<'a>],
}

impl Test<'_> {
    fn failures(&self) -> Vec<Diagnostic> {
        let served = !matches!(self.expect.value("served"), Some(Value::Bool(false)));
        let others = || self.expect.attributes.iter().filter(|attribute| attribute.name != "served");
        if !served && let Some(other) = others().next() {
            let message =
                format!("test `{}` expects `{}` of a job that nobody is to take", self.name, other.name);
            let failure = self.failure(other.range, message, "of which runner?");
            return vec![failure.help("remove it, or `served = false`")];
        }
        match (served, self.decision.chosen()) {
            (false, None) => Vec::new(),
            (false, Some(chosen)) => {
                let range = self.expect.attribute("served").map_or(self.expect.header, |served| served.range);
                let egg = &chosen.egg.name;
                let message =
                    format!("test `{}` expects that nobody takes the job, and `{egg}` does", self.name);
                vec![self.at_egg(self.failure(range, message, format!("`{egg}` takes it")), egg)]
            }
            (true, None) => vec![self.unserved()],
            (true, Some(chosen)) => match self.wrong_egg(chosen) {
                // The rest follows from the egg.
                Some(failure) => vec![failure],
                None => others().filter_map(|attribute| self.compare(attribute, chosen)).collect(),
            },
        }
    }

    fn failure(&self, range: TextRange, message: String, label: impl Into<String>) -> Diagnostic {
        Diagnostic::new(&TEST_FAILED, Span::new(Arc::clone(self.file), range), message, label)
            .note(described(self.job))
    }

    /// The same with the egg's own place.
    fn at_egg(&self, failure: Diagnostic, name: &str) -> Diagnostic {
        match self.eggs.iter().find(|egg| egg.name == name) {
            Some(egg) => failure.related(egg.span(), format!("`{name}` stands here")),
            None => failure,
        }
    }

    /// Why an egg does not take the job.
    fn why_not(&self, failure: Diagnostic, egg: &str) -> Diagnostic {
        let Some(reasons) = self.decision.reasons(egg) else { return failure };
        let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
        failure.note(format!("`{egg}`: {}", reasons.join("; ")))
    }

    fn unserved(&self) -> Diagnostic {
        if let Some(egg) = self.expect.attribute("egg")
            && let Some(name) = egg.value.as_ref().and_then(Value::as_str)
        {
            let message = format!("test `{}` expects `{name}`, and no egg takes the job", self.name);
            let failure = self.failure(egg.range, message, "doesn't take it");
            return self.at_egg(self.why_not(failure, name), name);
        }
        let range = self.expect.attributes.first().map_or(self.expect.header, |attribute| attribute.range);
        let message = format!("test `{}` expects a runner, and no egg takes the job", self.name);
        let mut failure = self.failure(range, message, "nobody takes it");
        for rejected in self.decision.rejected.iter().take(MOST_EGGS) {
            failure = self.why_not(failure, &rejected.egg.name);
        }
        match self.decision.rejected.len().saturating_sub(MOST_EGGS) {
            0 => failure,
            more => failure.note(format!("and {more} more eggs don't take it")),
        }
    }

    fn wrong_egg(&self, chosen: &Candidate<'_>) -> Option<Diagnostic> {
        let attribute = self.expect.attribute("egg")?;
        let wanted = attribute.value.as_ref()?.as_str()?;
        let found = &chosen.egg.name;
        if wanted == found {
            return None;
        }
        let message = format!("test `{}` expects `{wanted}`, and `{found}` takes the job", self.name);
        let failure = self.failure(attribute.range, message, format!("`{found}` takes it"));
        let failure = match self.decision.candidates.iter().find(|other| other.egg.name == wanted) {
            Some(other) => failure
                .note(format!("`{wanted}` takes such jobs too, but {}", chosen.before(other, self.job))),
            None => self.why_not(failure, wanted),
        };
        Some(self.at_egg(failure, wanted))
    }

    /// Everything but the egg itself.
    fn compare(&self, attribute: &TypedAttribute, chosen: &Candidate<'_>) -> Option<Diagnostic> {
        let egg = chosen.egg;
        let wanted = attribute.value.as_ref()?;
        let found = match attribute.name.as_str() {
            "repository" => chosen.repository.name.clone().unwrap_or_default(),
            "runner_type" => match egg.runner_type {
                RunnerType::Vm => "vm".to_owned(),
                RunnerType::Serverless => "serverless".to_owned(),
            },
            "cloud" => egg.cloud.provider.name().to_owned(),
            "region" => egg.cloud.region.clone(),
            "tags" => return self.compare_tags(attribute, chosen),
            _ => return None,
        };
        let wanted = wanted.as_str()?;
        if wanted == found {
            return None;
        }
        let name = &attribute.name;
        let (message, label) = if found.is_empty() {
            (
                format!("test `{}` expects the {name} `{wanted}`, and `{}` has none", self.name, egg.name),
                "there is none".to_owned(),
            )
        } else {
            (
                format!(
                    "test `{}` expects the {} `{wanted}`, and that of `{}` is `{found}`",
                    self.name,
                    name.replace('_', " "),
                    egg.name
                ),
                format!("it is `{found}`"),
            )
        };
        Some(self.at_egg(self.failure(attribute.range, message, label), &egg.name))
    }

    fn compare_tags(&self, attribute: &TypedAttribute, chosen: &Candidate<'_>) -> Option<Diagnostic> {
        let Some(Value::List(wanted)) = &attribute.value else { return None };
        let egg = chosen.egg;
        let mut wanted = wanted.iter().filter_map(Value::as_str).enumerate();
        let (at, missing) = wanted.find(|(_, tag)| !egg.runner.tags.iter().any(|known| known == tag))?;
        let range = attribute.elements.get(at).copied().unwrap_or(attribute.range);
        let message = format!(
            "test `{}` expects a runner with the tag `{missing}`, and `{}` doesn't have it",
            self.name, egg.name
        );
        let failure =
            self.failure(range, message, "not a tag of this runner").note(if egg.runner.tags.is_empty() {
                format!("`{}` has no tags", egg.name)
            } else {
                format!("`{}` has the tags `{}`", egg.name, egg.runner.tags.join("`, `"))
            });
        Some(self.at_egg(failure, &egg.name))
    }
}
