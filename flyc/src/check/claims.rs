//! Projects and groups that more than one egg or bucket claims, with tags that let a job go to either.
//!
//! Several eggs may serve one project: GitLab gives a job to any runner whose tags hold all of the job's tags. It is
//! open which egg takes it only when such a job can exist, that is when two share a tag or both take jobs without
//! tags. What never lives here: groups against projects, since who is in a group is not known here.
//!
//! Each file's claims are read without positions, so an edit elsewhere in a file leaves the join of all files as it is.

use std::{fmt, sync::Arc};

use fly_std::Value;
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;

use super::NestScope;
use crate::{
    config,
    db::{Db, Nest, Part, SourceFile, parts},
    diag::{Diagnostic, Span, declare_diagnostic},
    model::{EntityKind, TypedBlock, index, typed},
};

declare_diagnostic! { pub OVERLAPPING_EGGS = "overlapping-eggs", Warning, "two eggs that take the same jobs of one project or group" }

/// What runners are registered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Target {
    Project(i64),
    Group(i64),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Project(id) => write!(f, "project {id}"),
            Self::Group(id) => write!(f, "group {id}"),
        }
    }
}

/// One project or group that an egg, or a repository of a bucket, claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    /// The place of the egg among the typed blocks of its file.
    egg: usize,
    /// The place of the repository within its bucket.
    repository: Option<usize>,
    /// The server, as it is compared; none for the Nest's own.
    server: Option<SmolStr>,
    target: Target,
    tags: Arc<[SmolStr]>,
    untagged: bool,
}

/// What the eggs of a file say that speaks to other files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Facts {
    /// What they claim. Eggs of which a part is not known claim nothing.
    claims: Vec<Claim>,
    /// The Rift servers they name, each with the place of the egg among the typed blocks of its file.
    rifts: Vec<(usize, SmolStr)>,
}

/// What the eggs of a file say that speaks to other files.
#[salsa::tracked(returns(ref))]
pub(super) fn facts(db: &dyn Db, file: SourceFile) -> Arc<Facts> {
    let (mut claims, mut rifts) = (Vec::new(), Vec::new());
    for (egg, block) in typed(db, file).blocks.iter().enumerate() {
        if !config::is_egg(block) {
            continue;
        }
        let rift = block.block("rift").and_then(|rift| rift.value("name")).and_then(Value::as_str);
        rifts.extend(rift.map(|name| (egg, name.into())));
        let Some((tags, untagged)) = takes(block) else { continue };
        let mut claim = |repository, gitlab: &TypedBlock| {
            let server = match gitlab.attribute("server") {
                Some(server) => match server.value.as_ref().and_then(Value::as_str) {
                    Some(server) => Some(comparable(server)),
                    None => return,
                },
                None => None,
            };
            let id = |name| gitlab.value(name).and_then(Value::as_int);
            let target = match (id("project_id"), id("group_id")) {
                (Some(id), None) => Target::Project(id),
                (None, Some(id)) => Target::Group(id),
                _ => return,
            };
            claims.push(Claim { egg, repository, server, target, tags: Arc::clone(&tags), untagged });
        };
        if let Some(gitlab) = block.block("gitlab") {
            claim(None, gitlab);
        }
        let repositories = block.block("repositories").into_iter().flat_map(|all| all.blocks("repo"));
        for (at, repository) in repositories.enumerate() {
            if let Some(gitlab) = repository.block("gitlab") {
                claim(Some(at), gitlab);
            }
        }
    }
    Arc::new(Facts { claims, rifts })
}

/// The facts of a part's files.
#[salsa::tracked(returns(ref))]
fn facts_of<'db>(db: &'db dyn Db, part: Part<'db>) -> Box<[(SourceFile, Arc<Facts>)]> {
    part.files(db).iter().map(|&file| (file, Arc::clone(facts(db, file)))).collect()
}

fn claims(db: &dyn Db, file: SourceFile) -> &[Claim] {
    &facts(db, file).claims
}

/// The tags of an egg's runners, and whether they take jobs without tags.
fn takes(egg: &TypedBlock) -> Option<(Arc<[SmolStr]>, bool)> {
    let Some(runner) = egg.block("runner") else { return Some((Arc::from([]), false)) };
    let tags = match runner.attribute("tags").map(|tags| tags.value.as_ref()) {
        None => Arc::from([]),
        Some(Some(Value::List(tags))) => {
            tags.iter().map(|tag| tag.as_str().map(SmolStr::new)).collect::<Option<_>>()?
        }
        Some(_) => return None,
    };
    let untagged = match runner.attribute("run_untagged").map(|flag| flag.value.as_ref()) {
        None => false,
        Some(Some(Value::Bool(flag))) => *flag,
        Some(_) => return None,
    };
    Some((tags, untagged))
}

/// A server's name as it is compared: names of hosts have no case, and 443 is the port of https.
fn comparable(server: &str) -> SmolStr {
    let lower = server.to_ascii_lowercase();
    SmolStr::new(lower.strip_suffix(":443").unwrap_or(&lower))
}

/// A claim, by where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct At {
    file: SourceFile,
    /// The place among the claims of the file.
    claim: usize,
}

/// Two claims that a job can go to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Overlap {
    first: At,
    again: At,
    /// A tag that both have; none when it is jobs without tags that both take.
    tag: Option<SmolStr>,
}

/// What the facts of all files come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Joined {
    /// The claims that overlap with an earlier one, each with the first of these.
    overlaps: Vec<Overlap>,
    /// The eggs that name a Rift server which the Nest does not have.
    pub(super) without_rift: Vec<(SourceFile, usize)>,
}

/// Every file's facts, in one pass.
#[salsa::tracked(returns(ref))]
pub(super) fn joined(db: &dyn Db, nest: Nest) -> Joined {
    let servers: FxHashSet<&str> = index(db, nest).names(EntityKind::Rift).collect();
    let mut without_rift = Vec::new();
    let own = comparable(&config::nest_defaults(db, nest).server);
    let mut first: FxHashMap<(&str, Target), (At, &Claim)> = FxHashMap::default();
    // Most targets are claimed once, so only those claimed again get a list.
    let mut crowded: FxHashMap<(&str, Target), Vec<(At, &Claim)>> = FxHashMap::default();
    let mut order = Vec::new();
    for (file, facts) in parts(db, nest).iter().flat_map(|&part| facts_of(db, part)) {
        let unknown = facts.rifts.iter().filter(|(_, name)| !servers.contains(name.as_str()));
        without_rift.extend(unknown.map(|(egg, _)| (*file, *egg)));
        for (at, claim) in facts.claims.iter().enumerate() {
            let key = (claim.server.as_deref().unwrap_or(&own), claim.target);
            let here = (At { file: *file, claim: at }, claim);
            let before = *first.entry(key).or_insert(here);
            if before.0 != here.0 {
                let all = crowded.entry(key).or_insert_with(|| {
                    order.push(key);
                    vec![before]
                });
                all.push(here);
            }
        }
    }
    let overlaps = order.iter().filter_map(|key| crowded.get(key)).flat_map(|all| overlaps_of(all));
    Joined { overlaps: overlaps.collect(), without_rift }
}

/// The overlaps among the claims of one target.
fn overlaps_of(all: &[(At, &Claim)]) -> Vec<Overlap> {
    let mut found = Vec::new();
    let mut by_tag: FxHashMap<&str, At> = FxHashMap::default();
    let mut untagged: Option<At> = None;
    for &(again, claim) in all {
        let shared = claim.tags.iter().find_map(|tag| Some((*by_tag.get(tag.as_str())?, Some(tag.clone()))));
        let shared = shared.or_else(|| Some((untagged.filter(|_| claim.untagged)?, None)));
        if let Some((first, tag)) = shared {
            found.push(Overlap { first, again, tag });
        }
        for tag in claim.tags.iter() {
            by_tag.entry(tag).or_insert(again);
        }
        if claim.untagged {
            untagged = untagged.or(Some(again));
        }
    }
    found
}

pub(super) fn check(scope: &NestScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let own = || scope.nest_defaults().server.clone();
    for Overlap { first, again, tag } in &joined(scope.db, scope.nest).overlaps {
        let Some(claim) = claims(scope.db, again.file).get(again.claim) else { continue };
        let (Some(one), Some(other)) = (place(scope, *first), place(scope, *again)) else { continue };
        // Two eggs of one name are one mistake, which has been told.
        let same_egg = first.file == again.file
            && claims(scope.db, first.file).get(first.claim).is_some_and(|first| first.egg == claim.egg);
        if !same_egg && one.egg == other.egg {
            continue;
        }
        let server = claim.server.clone().unwrap_or_else(own);
        let target = claim.target;
        let message = if same_egg {
            format!("`{}` claims {target} of {server} twice", other.egg)
        } else {
            format!("`{}` and `{}` both claim {target} of {server}", one.egg, other.egg)
        };
        let (label, job) = match tag {
            Some(tag) => (format!("again with the tag `{tag}`"), format!("a job tagged `{tag}`")),
            None => ("again for jobs without tags".to_owned(), "a job without tags".to_owned()),
        };
        let diagnostic = Diagnostic::new(&OVERLAPPING_EGGS, other.span, message, label)
            .note(format!("{job} goes to whichever runner asks first, so it is open where it runs"))
            .related(one.span, "first claimed here");
        diagnostics.push(if same_egg {
            diagnostic.help("remove one of the two")
        } else {
            diagnostic.help("give each egg tags of its own, or remove one of the two")
        });
    }
}

/// What a diagnostic needs of a claim.
struct Claimed<'a> {
    egg: &'a str,
    span: Span,
}

fn place<'a>(scope: &NestScope<'a>, at: At) -> Option<Claimed<'a>> {
    let claim = claims(scope.db, at.file).get(at.claim)?;
    let egg = typed(scope.db, at.file).blocks.get(claim.egg)?;
    let gitlab = match claim.repository {
        None => egg.block("gitlab")?,
        Some(repository) => egg.block("repositories")?.blocks("repo").nth(repository)?.block("gitlab")?,
    };
    let id = match claim.target {
        Target::Project(_) => gitlab.attribute("project_id")?,
        Target::Group(_) => gitlab.attribute("group_id")?,
    };
    Some(Claimed { egg: egg.label.as_deref().unwrap_or(&egg.name), span: scope.span(at.file, id.range) })
}

#[cfg(test)]
mod tests;
