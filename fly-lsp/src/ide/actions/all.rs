//! Fixing everything at once: what is sure in a file, and all findings of one kind in a file or in the Nest.
//!
//! Many are tried together, and fewer when those don't keep the promise of a fix: what they are for is gone, and nothing
//! else has come. Never here: what is fixed in which way.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use flyc::{
    compiler::Compiler,
    diag::{Applicability, Diagnostic, Edit},
    model::UNKNOWN_ATTRIBUTE,
    text::{TextRange, TextSize},
};

use super::{
    Action, ActionKind, Edits, choices,
    draft::Draft,
    fixes, missing,
    proof::{Trial, small, with_surroundings},
    site::Asked,
};
use crate::ide::{formatting::smallest, names::FileEdit};

/// How often a Nest is looked at anew: a fix can make room for the next, but not for ever.
const MOST_ROUNDS: usize = 32;

/// How many drafts are tried at most.
const MOST_TRIED: usize = 256;

/// What is worked out when somebody wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deferred {
    /// Everything that is sure in a file.
    File,
    /// All findings of one kind in a file.
    KindInFile(String),
    /// All findings of one kind in the Nest.
    KindInNest(String),
    /// All attributes of a file that nobody knows, and that are like none that is known.
    UnknownInFile,
    /// All such attributes of the Nest.
    UnknownInNest,
}

impl Deferred {
    /// Whether a finding is among those that are meant, asked about a file.
    fn means(&self, path: &str, finding: &Diagnostic) -> bool {
        let is_here = &*finding.span.file == path;
        match self {
            Self::File => is_here && is_sure(finding, Applicability::Safe),
            Self::KindInFile(id) => {
                is_here && finding.kind.id == id && is_sure(finding, Applicability::Suggested)
            }
            Self::KindInNest(id) => finding.kind.id == id && is_sure(finding, Applicability::Suggested),
            Self::UnknownInFile => is_here && is_like_none(finding),
            Self::UnknownInNest => is_like_none(finding),
        }
    }

    /// Whether the whole Nest is looked at.
    pub const fn is_everywhere(&self) -> bool {
        matches!(self, Self::KindInNest(_) | Self::UnknownInNest)
    }
}

/// Whether a finding is about an attribute that can only be removed.
fn is_like_none(finding: &Diagnostic) -> bool {
    *finding.kind == UNKNOWN_ATTRIBUTE && !is_sure(finding, Applicability::Suggested)
}

fn is_sure(finding: &Diagnostic, least: Applicability) -> bool {
    let help = finding.help.as_ref().filter(|help| !help.edits.is_empty());
    help.is_some_and(|help| help.applicability >= least)
}

/// What can be asked for in a file; `general` are the kinds of which one finding is mended in a way that is for all.
pub(super) fn actions(
    asked: &Asked<'_>,
    general: BTreeSet<&'static str>,
    wanted: &dyn Fn(ActionKind) -> bool,
    found: &mut Vec<Action>,
) {
    let action = |title: String, kind, deferred| Action {
        kind,
        title,
        findings: Vec::new(),
        is_preferred: false,
        edits: Edits::Deferred(deferred),
    };
    if wanted(ActionKind::FixAll)
        && !tried(asked.compiler, asked.path, &Deferred::File, true).texts.is_empty()
    {
        let title = "Apply all safe fixes in this file".to_owned();
        found.push(action(title, ActionKind::FixAll, Deferred::File));
    }
    if !wanted(ActionKind::FixEvery) {
        return;
    }
    let is_asked = asked.findings.iter().any(is_like_none);
    let mut all: Vec<(String, Deferred, Deferred)> = Vec::new();
    for id in general {
        if id == UNKNOWN_ATTRIBUTE.id && is_asked {
            let title = "Remove every attribute that is not known".to_owned();
            all.push((title, Deferred::UnknownInFile, Deferred::UnknownInNest));
        }
        let (file, nest) = (Deferred::KindInFile(id.to_owned()), Deferred::KindInNest(id.to_owned()));
        all.push((format!("Fix every `{id}`"), file, nest));
    }
    for (title, file, nest) in all {
        let here = asked.all.iter().filter(|finding| file.means(asked.path, finding)).count();
        let elsewhere =
            |finding: &Diagnostic| *finding.span.file != *asked.path && nest.means(asked.path, finding);
        let there = asked.compiler.finds(elsewhere);
        if here > 1 {
            found.push(action(format!("{title} in this file"), ActionKind::FixEvery, file));
        }
        if there {
            found.push(action(format!("{title} in the Nest"), ActionKind::FixEvery, nest));
        }
    }
}

/// The edits of something that was put off.
pub fn carry_out(compiler: &Compiler, path: &str, deferred: &Deferred) -> Vec<FileEdit> {
    tried(compiler, path, deferred, false).edits(compiler)
}

/// One way to mend a finding.
struct Way {
    finding: Diagnostic,
    path: Arc<str>,
    edit: Edit,
}

impl Way {
    /// What it writes, in which names may stand.
    fn text(self) -> Draft {
        Draft { texts: BTreeMap::from([(self.path, self.edit.text)]) }
    }
}

/// The texts with everything mended that can be; or, when it is asked for no more, with anything mended.
fn tried(compiler: &Compiler, path: &str, deferred: &Deferred, is_enough: bool) -> Draft {
    let mut done = Draft::default();
    let is_everywhere = deferred.is_everywhere();
    if !is_everywhere && !compiler.check_file(path).iter().any(|finding| deferred.means(path, finding)) {
        return done;
    }
    let nest = if is_everywhere {
        let texts = compiler.paths().filter_map(|path| Some((Arc::clone(path), compiler.text(path)?)));
        with_surroundings(compiler, Compiler::new(texts))
    } else {
        let drafts: Vec<Draft> = ways(compiler, path, deferred).into_iter().map(Way::text).collect();
        small(compiler, path, drafts.iter())
    };
    let mut batches = Batches { compiler, trial: Trial::over(nest), left: MOST_TRIED, is_enough };
    for _ in 0..MOST_ROUNDS {
        let mut ways = ways(&batches.trial.nest, path, deferred);
        let mut step = None;
        // What several ways mend, the first mends; the others are tried when it does not.
        while step.is_none() && !ways.is_empty() {
            let (now, later) = apart(ways);
            step = batches.settle(Vec::new(), &now).1;
            ways = later;
        }
        let Some(step) = step else { break };
        batches.trial.accept(&step);
        done.texts.extend(step.texts);
        if is_enough {
            break;
        }
    }
    done
}

/// Every way in which every finding that is meant can be mended.
fn ways(nest: &Compiler, path: &str, deferred: &Deferred) -> Vec<Way> {
    let found = if deferred.is_everywhere() { nest.check() } else { nest.check_file(path) };
    let mut by_file: BTreeMap<Arc<str>, Vec<Diagnostic>> = BTreeMap::new();
    for finding in found.into_iter().filter(|finding| deferred.means(path, finding)) {
        by_file.entry(Arc::clone(&finding.span.file)).or_default().push(finding);
    }
    let mut ways = Vec::new();
    for (path, findings) in by_file {
        let Some(asked) = Asked::new(nest, &path, TextRange::empty(TextSize::from(0))) else { continue };
        for finding in findings {
            let mut candidates = Vec::new();
            missing::candidates(&asked, &finding, &mut candidates);
            fixes::candidates(&asked, &finding, &mut candidates);
            choices::candidates(&asked, &finding, &mut candidates);
            let drafts = candidates.into_iter().filter(|candidate| candidate.is_general);
            for text in drafts.filter_map(|mut candidate| candidate.draft.texts.remove(&path)) {
                if text != asked.text() {
                    let edit = smallest(asked.text(), &text, 0);
                    ways.push(Way { finding: finding.clone(), path: Arc::clone(&path), edit });
                }
            }
        }
    }
    ways
}

/// Those whose edits touch no other and that mend different findings, and the rest.
fn apart(ways: Vec<Way>) -> (Vec<Way>, Vec<Way>) {
    let mut taken: BTreeMap<Arc<str>, BTreeMap<TextSize, TextSize>> = BTreeMap::new();
    let mut last: Option<Diagnostic> = None;
    ways.into_iter().partition(|way| {
        let taken = taken.entry(Arc::clone(&way.path)).or_default();
        let before = taken.range(..=way.edit.range.end()).next_back();
        // Two insertions at one place overlap as well: nobody knows which comes first.
        if last.as_ref() == Some(&way.finding)
            || before.is_some_and(|(_, end)| *end >= way.edit.range.start())
        {
            return false;
        }
        taken.insert(way.edit.range.start(), way.edit.range.end());
        last = Some(way.finding.clone());
        true
    })
}

/// Drafts of many fixes, tried together.
struct Batches<'c> {
    compiler: &'c Compiler,
    trial: Trial,
    /// How many more may be tried.
    left: usize,
    /// Whether it is enough that something is mended.
    is_enough: bool,
}

impl Batches<'_> {
    /// As many of the batch, with those that are accepted, as keep the promise; and the draft of all of them.
    fn settle<'w>(&mut self, accepted: Vec<&'w Way>, batch: &'w [Way]) -> (Vec<&'w Way>, Option<Draft>) {
        if batch.is_empty() || self.left == 0 {
            return (accepted, None);
        }
        self.left -= 1;
        let all: Vec<&Way> = accepted.iter().copied().chain(batch).collect();
        if let Some(draft) = self.kept(&all) {
            return (all, Some(draft));
        }
        if batch.len() == 1 {
            return (accepted, None);
        }
        let (first, second) = batch.split_at(batch.len() / 2);
        let (accepted, one) = self.settle(accepted, first);
        if self.is_enough && one.is_some() {
            return (accepted, one);
        }
        let (accepted, both) = self.settle(accepted, second);
        (accepted, both.or(one))
    }

    /// The draft of some fixes, when it mends what they are for and brings nothing.
    fn kept(&mut self, ways: &[&Way]) -> Option<Draft> {
        let mut edits: BTreeMap<&Arc<str>, Vec<Edit>> = BTreeMap::new();
        for way in ways {
            edits.entry(&way.path).or_default().push(way.edit.clone());
        }
        let mut draft = Draft::default();
        for (path, edits) in edits {
            draft = draft.with(&self.trial.nest, path, &edits)?;
        }
        draft.tidy(self.compiler);
        let findings: Vec<Diagnostic> = ways.iter().map(|way| way.finding.clone()).collect();
        (self.trial.mends(&findings, &mut draft) == Some(false)).then_some(draft)
    }
}
