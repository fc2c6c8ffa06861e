//! What an author may wish to be changed: fixes of what is wrong, and rewritings that keep what the Nest means.
//!
//! Each kind makes drafts, which are texts as they would be; a draft becomes an action only when [`proof`] has seen that
//! it keeps its promise. A fix takes its finding away and brings none; a rewriting changes the meaning of nothing. Never
//! here: the protocol, and texts on a disk.

mod all;
mod choices;
mod draft;
mod evaluate;
mod fixes;
mod inline;
mod locals;
mod missing;
mod profile;
mod proof;
mod site;
mod slips;
mod units;

use flyc::{compiler::Compiler, diag::Diagnostic, text::TextRange};

pub use self::all::{Deferred, carry_out};
use self::{draft::Draft, proof::Promise, site::Asked};
use super::names::FileEdit;

/// What an action is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ActionKind {
    /// Something is wrong and this mends it.
    Fix,
    /// Much is wrong in the same way and this mends all of it.
    FixEvery,
    /// A value or some attributes get a name of their own.
    Extract,
    /// A name gives way to what it stands for.
    Inline,
    /// The same is said in another way.
    Rewrite,
    /// Everything that is sure is mended in a file.
    FixAll,
}

impl ActionKind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Fix, Self::FixEvery, Self::Extract, Self::Inline, Self::Rewrite, Self::FixAll];

    /// The name that editors know it by; what stands before a dot is a kind that holds it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fix => "quickfix",
            Self::FixEvery => "quickfix.every.fly",
            Self::Extract => "refactor.extract",
            Self::Inline => "refactor.inline",
            Self::Rewrite => "refactor.rewrite",
            Self::FixAll => "source.fixAll.fly",
        }
    }

    /// Whether somebody who asks for this kind by its name, or one that holds it, means it.
    pub fn is_within(self, wanted: &str) -> bool {
        let name = self.name();
        name.strip_prefix(wanted)
            .is_some_and(|rest| rest.is_empty() || wanted.is_empty() || rest.starts_with('.'))
    }
}

/// Something that can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// What it is for.
    pub kind: ActionKind,
    /// What it does, for a list.
    pub title: String,
    /// The findings that it mends.
    pub findings: Vec<Diagnostic>,
    /// Whether nothing else can be meant.
    pub is_preferred: bool,
    /// What changes.
    pub edits: Edits,
}

/// The edits of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edits {
    /// As they are.
    Ready(Vec<FileEdit>),
    /// What is asked of [`carry_out`] when somebody wants it: it takes a look at much.
    Deferred(Deferred),
}

/// What somebody may wish to be done, before it is known whether it can be.
struct Candidate {
    kind: ActionKind,
    title: String,
    findings: Vec<Diagnostic>,
    is_preferred: bool,
    /// Whether it is offered, as a rewriting, when it brings the next mistake to light and nothing else mends its finding.
    may_bring: bool,
    /// Whether the same can be done to every finding of the kind at once.
    is_general: bool,
    promise: Promise,
    draft: Draft,
}

impl Candidate {
    /// Mends a finding.
    fn fix(title: impl Into<String>, finding: &Diagnostic, draft: Draft) -> Self {
        Self {
            kind: ActionKind::Fix,
            title: title.into(),
            findings: vec![finding.clone()],
            is_preferred: false,
            may_bring: false,
            is_general: false,
            promise: Promise::Mends,
            draft,
        }
    }

    /// Says the same in another way.
    fn rewrite(kind: ActionKind, title: impl Into<String>, draft: Draft) -> Self {
        Self {
            kind,
            title: title.into(),
            findings: Vec::new(),
            is_preferred: false,
            may_bring: false,
            is_general: false,
            promise: Promise::MeansTheSame,
            draft,
        }
    }
}

/// What can be done in a range of a file. `wanted` chooses among the kinds.
pub fn actions(
    compiler: &Compiler,
    path: &str,
    range: TextRange,
    wanted: &dyn Fn(ActionKind) -> bool,
) -> Vec<Action> {
    let Some(asked) = Asked::new(compiler, path, range) else { return Vec::new() };
    let mut candidates = Vec::new();
    // A fix that brings the next mistake to light is a rewriting.
    if [ActionKind::Fix, ActionKind::FixEvery, ActionKind::Rewrite].into_iter().any(wanted) {
        for finding in &asked.findings {
            missing::candidates(&asked, finding, &mut candidates);
            fixes::candidates(&asked, finding, &mut candidates);
            slips::candidates(&asked, finding, &mut candidates);
            choices::candidates(&asked, finding, &mut candidates);
            units::candidates_for(&asked, finding, &mut candidates);
        }
        missing::everything(&asked, &mut candidates);
    }
    if wanted(ActionKind::Extract) {
        profile::candidates(&asked, &mut candidates);
        locals::candidates(&asked, &mut candidates);
    }
    if wanted(ActionKind::Inline) {
        inline::candidates(&asked, &mut candidates);
    }
    if wanted(ActionKind::Rewrite) {
        units::candidates(&asked, &mut candidates);
        evaluate::candidates(&asked, &mut candidates);
    }
    let (mut found, general) = proof::proven(&asked, candidates);
    all::actions(&asked, general, wanted, &mut found);
    found.retain(|action| wanted(action.kind));
    found
}

/// A title: the first letter is a capital.
fn title(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    first + letters.as_str()
}
