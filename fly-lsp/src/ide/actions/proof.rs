//! Seeing that a draft keeps its promise before it is offered, in a small Nest: the file that is asked about, those
//! that everything depends on, and those it names.
//!
//! Never here: how a draft comes about.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use fly_std::schema::Place;
use flyc::{
    compiler::Compiler,
    diag::{Applicability, Diagnostic, Edit, Severity},
    model::{Meaning, STRAY_BRACE, SYNTAX_ERROR, Space, UNCLOSED, definitions::NEST_FILE, outline, uses_of},
};

use super::{Action, ActionKind, Candidate, Edits, draft::Draft, site::Asked, title};

/// The most files of a small Nest, beyond those that everything depends on.
const MOST_FILES: usize = 64;

/// How many files that use a name that files share are looked at, when nothing of that name changes.
const FEW_USERS: usize = 2;

/// How many findings that a change brings are followed up.
const MOST_LINKS: usize = 16;

/// What a draft must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Promise {
    /// Take its findings away, and bring none.
    Mends,
    /// Bring no finding, and leave what everything means.
    MeansTheSame,
}

/// What a finding is, wherever it stands: positions move with every edit.
type Counts = HashMap<(Arc<str>, &'static str, String), usize>;

fn counts(found: &[Diagnostic]) -> Counts {
    let mut counts = Counts::new();
    for found in found {
        *counts.entry(key(found)).or_default() += 1;
    }
    counts
}

fn key(found: &Diagnostic) -> (Arc<str>, &'static str, String) {
    (Arc::clone(&found.span.file), found.kind.id, found.message.clone())
}

/// What is found in a small Nest.
struct Seen {
    counts: Counts,
    errors: usize,
    /// Errors of form, after which little is known of what stands there.
    form: usize,
}

impl Seen {
    fn of(found: &[Diagnostic]) -> Self {
        let is_form = |found: &&Diagnostic| {
            [&SYNTAX_ERROR, &UNCLOSED, &STRAY_BRACE].iter().any(|kind| *found.kind == **kind)
        };
        Self {
            counts: counts(found),
            errors: found.iter().filter(|found| found.severity() == Severity::Error).count(),
            form: found.iter().filter(is_form).count(),
        }
    }
}

/// Whether the first has anything more often than the second.
fn has_more(one: &Counts, other: &Counts) -> bool {
    one.iter().any(|(key, count)| *count > other.get(key).copied().unwrap_or(0))
}

/// The candidates that keep their promise, as actions; each edit is offered once. With them the kinds of findings that one
/// of them mends in the way all of the kind can be mended.
pub(super) fn proven(asked: &Asked<'_>, candidates: Vec<Candidate>) -> (Vec<Action>, BTreeSet<&'static str>) {
    let mut general = BTreeSet::new();
    if candidates.is_empty() {
        return (Vec::new(), general);
    }
    let mut trial = Trial::new(asked, &candidates);
    let mut found: Vec<Action> = Vec::new();
    let mut brought: Vec<Action> = Vec::new();
    for mut candidate in candidates {
        candidate.draft.tidy(asked.compiler);
        let brings = match candidate.promise {
            Promise::Mends => match trial.mends(&candidate.findings, &mut candidate.draft) {
                Some(true) if !candidate.may_bring => continue,
                Some(brings) => brings,
                None => continue,
            },
            Promise::MeansTheSame if trial.means_the_same(&mut candidate.draft) => false,
            Promise::MeansTheSame => continue,
        };
        let edits = candidate.draft.edits(asked.compiler);
        if edits.is_empty() {
            continue;
        }
        let edits = Edits::Ready(edits);
        let mut title = title(&candidate.title);
        let Candidate { kind, findings, is_preferred, is_general, .. } = candidate;
        if brings {
            title.push_str(" (another mistake shows then)");
            let kind = ActionKind::Rewrite;
            brought.push(Action { kind, title, findings, is_preferred: false, edits });
            continue;
        }
        if is_general && kind == ActionKind::Fix && findings.len() == 1 {
            general.extend(findings.iter().map(|finding| finding.kind.id));
        }
        if let Some(known) = found.iter_mut().find(|known| known.edits == edits) {
            // The same edit mends another finding as well.
            let new = findings.into_iter().filter(|new| !known.findings.contains(new));
            let new: Vec<_> = new.collect();
            known.findings.extend(new);
            known.is_preferred |= is_preferred;
            continue;
        }
        found.push(Action { kind, title, findings, is_preferred, edits });
    }
    brought.retain(|action| {
        let is_mended = |finding: &Diagnostic| found.iter().any(|other| other.findings.contains(finding));
        !action.findings.iter().all(is_mended)
    });
    found.extend(brought);
    (found, general)
}

/// A small Nest in which drafts are tried.
pub(super) struct Trial {
    pub(super) nest: Compiler,
    texts: BTreeMap<Arc<str>, Arc<str>>,
    before: Seen,
    meaning: Option<Vec<Meaning>>,
}

impl Trial {
    fn new(asked: &Asked<'_>, candidates: &[Candidate]) -> Self {
        let drafts = candidates.iter().map(|candidate| &candidate.draft);
        Self::over(small(asked.compiler, asked.path, drafts))
    }

    /// Tries drafts in this Nest.
    pub(super) fn over(nest: Compiler) -> Self {
        let texts: BTreeMap<_, _> =
            nest.paths().filter_map(|path| Some((Arc::clone(path), nest.text(path)?))).collect();
        let before = Seen::of(&nest.check());
        Self { nest, texts, before, meaning: None }
    }

    /// What is tried from now on is tried with this draft.
    pub(super) fn accept(&mut self, draft: &Draft) {
        self.set(draft);
        self.texts
            .extend(draft.texts.iter().map(|(path, text)| (Arc::clone(path), Arc::from(text.as_str()))));
        self.before = Seen::of(&self.nest.check());
        self.meaning = None;
    }

    fn set(&mut self, draft: &Draft) {
        for (path, text) in &draft.texts {
            self.nest.set(path, text.as_str());
        }
    }

    fn reset(&mut self, draft: &Draft) {
        for path in draft.texts.keys() {
            match self.texts.get(path) {
                Some(text) => self.nest.set(path, Arc::clone(text)),
                None => self.nest.remove(path),
            }
        }
    }

    /// Whether a draft takes findings away, and whether it brings another; none when it does not, or when what it brings is
    /// no better than what it takes away.
    pub(super) fn mends(&mut self, findings: &[Diagnostic], draft: &mut Draft) -> Option<bool> {
        let seen = self.follow(draft);
        let after = &seen.counts;
        let mut left = self.before.counts.clone();
        for finding in findings {
            let count = left.get_mut(&key(finding))?;
            *count = count.checked_sub(1)?;
        }
        let gone = |found: &Diagnostic| {
            after.get(&key(found)).copied().unwrap_or(0) <= left.get(&key(found)).copied().unwrap_or(0)
        };
        if !findings.iter().all(gone) {
            return None;
        }
        let brings = has_more(after, &left);
        // Where the form is wrong it is a guess what is meant.
        let is_better = seen.errors < self.before.errors && seen.form == 0;
        (!brings || is_better).then_some(brings)
    }

    /// Whether a draft brings no finding and leaves what the Nest means.
    fn means_the_same(&mut self, draft: &mut Draft) -> bool {
        if self.meaning.is_none() {
            self.meaning = Some(meaning(&self.nest));
        }
        self.set(draft);
        // Most that don't keep the meaning are seen here, before rules are asked.
        let same = self.meaning.as_ref() == Some(&meaning(&self.nest));
        self.reset(draft);
        if !same {
            return false;
        }
        let after = self.follow(draft);
        if has_more(&after.counts, &self.before.counts) {
            return false;
        }
        self.set(draft);
        let same = self.meaning.as_ref() == Some(&meaning(&self.nest));
        self.reset(draft);
        same
    }

    /// What is found with a draft. What nobody uses any more then goes with it, and what can only be meant in one way is
    /// written so.
    fn follow(&mut self, draft: &mut Draft) -> Seen {
        self.set(draft);
        let mut found = self.nest.check();
        for _ in 0..MOST_LINKS {
            let after = counts(&found);
            let is_new = |found: &&Diagnostic| {
                after.get(&key(found)).copied().unwrap_or(0)
                    > self.before.counts.get(&key(found)).copied().unwrap_or(0)
            };
            let follows = |found: &&Diagnostic| {
                let help = found.help.as_ref().filter(|help| !help.edits.is_empty());
                help.is_some_and(|help| {
                    found.kind.id.starts_with("unused-") || help.applicability == Applicability::Safe
                })
            };
            let Some(next) = found.iter().filter(is_new).find(follows) else { break };
            let edits: &[Edit] = next.help.as_ref().map_or(&[], |help| &help.edits);
            let Some(further) = draft.clone().with(&self.nest, &next.span.file, edits) else { break };
            if &further == draft {
                break;
            }
            *draft = further;
            self.set(draft);
            found = self.nest.check();
        }
        self.reset(draft);
        Seen::of(&found)
    }
}

/// What the eggs, jobs and the rest of a Nest mean: names of values and what is inherited do not count.
pub(super) fn meaning(nest: &Compiler) -> Vec<Meaning> {
    let is_means = |name: &str| matches!(name, "locals" | "profile");
    let typed = nest.paths().filter_map(|path| nest.typed(path)).flat_map(|typed| &typed.blocks);
    let mut all: Vec<Meaning> =
        typed.filter(|block| !is_means(&block.name)).map(|block| block.meaning()).collect();
    all.iter_mut().for_each(settle);
    all
}

/// Takes out what does not matter: the order of blocks of different kinds, and by which profile something came.
fn settle(meaning: &mut Meaning) {
    meaning.attributes.remove("extends");
    meaning.blocks.sort_by(|one, other| one.name.cmp(&other.name));
    meaning.blocks.iter_mut().for_each(settle);
}

/// The files of a Nest that a change of some of them can be judged by: those that are touched, those that everything
/// depends on, those that are named, and some that use each name that files share.
pub(super) fn small<'d>(
    compiler: &Compiler,
    path: &str,
    drafts: impl Iterator<Item = &'d Draft>,
) -> Compiler {
    let mut texts: Vec<Arc<str>> = compiler.text(path).into_iter().collect();
    let mut touched: Vec<Arc<str>> = vec![Arc::from(path)];
    for draft in drafts {
        touched.extend(draft.texts.keys().cloned());
        texts.extend(draft.texts.values().map(|text| Arc::from(text.as_str())));
    }
    let most = if touched.iter().any(|path| **path == *NEST_FILE) { MOST_FILES } else { FEW_USERS };
    let words: HashSet<&str> = texts.iter().flat_map(|text| text.split(|c| !is_of_name(c))).collect();
    // What `nest.fly` does not give, no file can share.
    let gives_names = compiler.file(NEST_FILE).is_some_and(|nest| {
        let blocks = &outline(compiler.database(), nest).blocks;
        blocks.iter().any(|block| matches!(block.keyword, Some("locals" | "variable" | "profile")))
    });
    let mut chosen: BTreeMap<Arc<str>, Arc<str>> = BTreeMap::new();
    let mut used: HashMap<String, usize> = HashMap::new();
    let mut named = 0;
    // To look for each name of a large Nest in the texts takes longer than to take these apart once.
    let is_word_of = |name: &str| {
        words.contains(name) || !name.chars().all(is_of_name) && texts.iter().any(|text| text.contains(name))
    };
    for known in compiler.paths() {
        let Some(text) = compiler.text(known) else { continue };
        let place = Place::of(known);
        let is_shared = matches!(place, Some(Place::Nest | Place::UglyFox | Place::MotherGoose));
        let name = match place {
            Some(Place::Egg) => known.split('/').nth(1),
            Some(Place::Job) => known.rsplit('/').next().and_then(|file| file.strip_suffix(".fly")),
            _ => None,
        };
        let is_named = || named < MOST_FILES && name.is_some_and(&is_word_of);
        let is_needed = is_shared || touched.contains(known) || is_named();
        // Who uses a name tells that it is used; a few of them are as good as all.
        let mut shared = if gives_names { shared_names(compiler, known, &text) } else { Vec::new() };
        shared.retain(|name| used.get(name).is_none_or(|count| *count < most));
        if !is_needed && shared.is_empty() {
            continue;
        }
        if **known != *NEST_FILE {
            for name in shared {
                *used.entry(name).or_default() += 1;
            }
        }
        named += usize::from(!is_shared);
        chosen.insert(Arc::clone(known), text);
    }
    with_surroundings(compiler, Compiler::new(chosen))
}

/// Whether a letter is part of the names that nearly all eggs and jobs have.
fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

/// The names that a file may use of what `nest.fly` gives, each with what it is taken from; some may be none.
fn shared_names(compiler: &Compiler, path: &str, text: &str) -> Vec<String> {
    let uses = compiler.file(path).map(|file| uses_of(compiler.database(), file));
    if let Some(uses) = uses.filter(|uses| uses.complete) {
        let named = |(space, name): &(Space, _)| {
            let from = match space {
                Space::Local => "local",
                Space::Variable => "var",
                Space::Profile => "profile",
                Space::Egg | Space::Bucket => return None,
            };
            Some(format!("{from}.{name}"))
        };
        return uses.names.iter().filter_map(named).collect();
    }
    // What was not understood may use more than is seen.
    let mut found = Vec::new();
    for prefix in ["local.", "var.", "profile."] {
        for (at, _) in text.match_indices(prefix) {
            let rest = &text[at + prefix.len()..];
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            found.push(text[at..at + prefix.len() + end].to_owned());
        }
    }
    found
}

/// A Nest with the values and files that another was given.
pub(super) fn with_surroundings(from: &Compiler, mut nest: Compiler) -> Compiler {
    let (db, known) = (from.database(), from.nest());
    nest.set_variables((**known.variables(db)).clone());
    let assets = known.assets(db).iter();
    nest.set_assets(assets.map(|(path, asset)| (path.clone(), asset.content(db).clone())));
    nest.set_unreadable(*known.unreadable(db));
    nest
}
