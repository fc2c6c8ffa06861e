//! The comparison itself.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Action, AttributeChange, Change, Effect, Kind, Plan,
    effects::{self, Rule, ServerEffect},
    values::{self, Attributes},
};
use crate::{
    artifact::{
        Artifact, ArtifactError, Block, BlockConfig, EggConfig, Entry, EntryKind, JobConfig,
        MothergooseConfig, Provider, RiftConfig, RunnerType,
    },
    build::{Build, Snapshot, Unknown},
};

/// What becomes of the fleet when the Nest goes from one state to another.
///
/// Fails only when a build holds a configuration that can't be read back, which is a defect of the compiler.
pub fn compare(old: &Snapshot, new: &Snapshot) -> Result<Plan, ArtifactError> {
    let mut changes = Vec::new();
    changes.extend(nest(&old.nest.block, &new.nest.block));
    let (before, after) = (pieces(&old.build)?, pieces(&new.build)?);
    let (unknown_before, unknown_after) = (unknown(old), unknown(new));
    let keys: BTreeSet<Key<'_>> = before
        .keys()
        .chain(after.keys())
        .chain(unknown_before.keys())
        .chain(unknown_after.keys())
        .copied()
        .collect();
    let mut not_compared = Vec::new();
    for key in keys {
        let was_unknown = unknown_before.get(&key).copied();
        match (before.get(&key), after.get(&key), unknown_after.get(&key).copied().or(was_unknown)) {
            // It is still there.
            (_, new, Some(unknown)) if new.is_some() || unknown_after.contains_key(&key) => {
                not_compared.push(unknown.clone());
            }
            (Some(old), Some(new), _) => changes.extend(changed(key, old, new)),
            (None, Some(new), _) => changes.push(added(key, new)),
            (Some(old), None, _) => changes.push(removed(key, old.entry.source_file.clone())),
            (None, None, Some(unknown)) => changes.push(removed(key, unknown.source_file.clone())),
            (None, None, None) => {}
        }
    }
    changes.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    renamed(&mut changes, &before, &after);
    Ok(Plan { changes, not_compared })
}

/// A kind and a name.
type Key<'a> = (Kind, &'a str);

/// What nobody knows more of than that it is there, by kind and name.
fn unknown(snapshot: &Snapshot) -> BTreeMap<Key<'_>, &Unknown> {
    let all = snapshot.unknown.iter();
    all.filter_map(|unknown| Some(((kind(unknown.kind)?, unknown.name.as_str()), unknown))).collect()
}

/// Something that was built, read back.
struct Piece<'a> {
    entry: &'a Entry,
    build: &'a Build,
    config: Config,
}

enum Config {
    Egg(Box<EggConfig>),
    Job(Box<JobConfig>),
    Rift(Box<RiftConfig>),
    Installation(Box<MothergooseConfig>),
    Block(Block),
}

impl Piece<'_> {
    fn egg(&self) -> Option<&EggConfig> {
        match &self.config {
            Config::Egg(egg) => Some(egg),
            Config::Job(_) | Config::Rift(_) | Config::Installation(_) | Config::Block(_) => None,
        }
    }

    fn attributes(&self) -> Attributes {
        match &self.config {
            Config::Egg(egg) => values::of_egg(egg),
            Config::Job(job) => values::of_job(job),
            Config::Rift(rift) => values::of_rift(rift),
            Config::Installation(config) => values::of_installation(config),
            Config::Block(block) => values::of_block(block),
        }
    }

    /// The files that machines are made of: all but what the orchestrator and people read.
    fn machine(&self) -> impl Iterator<Item = (&str, Option<&String>)> {
        let folder = format!("{}/", self.entry.folder);
        self.entry.files.iter().filter_map(move |path| {
            let name = path.strip_prefix(&folder)?;
            (name != "config.json" && name != "source-map.json").then(|| (name, self.build.files.get(path)))
        })
    }
}

const fn kind(kind: EntryKind) -> Option<Kind> {
    match kind {
        EntryKind::Egg => Some(Kind::Egg),
        EntryKind::Bucket => Some(Kind::Bucket),
        EntryKind::Job => Some(Kind::Job),
        EntryKind::Uglyfox => Some(Kind::Uglyfox),
        EntryKind::Mothergoose => Some(Kind::Mothergoose),
        EntryKind::Rift => Some(Kind::Rift),
        EntryKind::ComputeModule => None,
    }
}

/// What a build holds, by kind and name; of two with one name, which is an error, the first.
fn pieces(build: &Build) -> Result<BTreeMap<Key<'_>, Piece<'_>>, ArtifactError> {
    let mut pieces = BTreeMap::new();
    for entry in &build.manifest.entries {
        let Some(kind) = kind(entry.kind) else { continue };
        let text = entry
            .files
            .iter()
            .find(|path| path.ends_with("/config.json") || **path == entry.folder)
            .and_then(|path| build.files.get(path));
        let Some(text) = text else { continue };
        let config = if kind.has_runners() {
            Config::Egg(Box::new(EggConfig::from_json(text)?))
        } else if kind == Kind::Job {
            Config::Job(Box::new(JobConfig::from_json(text)?))
        } else if kind == Kind::Rift {
            Config::Rift(Box::new(RiftConfig::from_json(text)?))
        } else if kind == Kind::Mothergoose {
            Config::Installation(Box::new(MothergooseConfig::from_json(text)?))
        } else {
            Config::Block(BlockConfig::from_json(text)?.block)
        };
        pieces.entry((kind, entry.name.as_str())).or_insert(Piece { entry, build, config });
    }
    Ok(pieces)
}

fn added((kind, name): Key<'_>, piece: &Piece<'_>) -> Change {
    let consequence = match kind {
        Kind::Egg | Kind::Bucket => "runners are made when jobs ask for them",
        Kind::Job => "it runs by its schedule, each time on a runner of its own",
        Kind::Uglyfox => POLICIES,
        Kind::Nest | Kind::Mothergoose | Kind::Rift => INSTALLED,
    };
    Change {
        kind,
        name: name.to_owned(),
        file: piece.entry.source_file.clone(),
        action: Action::Added,
        effect: if kind.has_runners() { Effect::NewRunners } else { of_kind(kind).0 },
        consequence: consequence.to_owned(),
        attributes: Vec::new(),
        notes: Vec::new(),
    }
}

fn removed((kind, name): Key<'_>, file: String) -> Change {
    let (effect, consequence) = match kind {
        Kind::Egg | Kind::Bucket => (
            Effect::Replaced,
            "its runners finish their jobs and are destroyed; its webhook and runner at GitLab go",
        ),
        Kind::Job => (Effect::NextRun, "it no longer runs; a run that has begun goes on to its end"),
        Kind::Uglyfox => (Effect::Fleet, "pools and pruning go by their defaults, without policies"),
        Kind::Nest | Kind::Mothergoose | Kind::Rift => (Effect::Orchestrator, INSTALLED),
    };
    Change {
        kind,
        name: name.to_owned(),
        file,
        action: Action::Removed,
        effect,
        consequence: consequence.to_owned(),
        attributes: Vec::new(),
        notes: Vec::new(),
    }
}

const POLICIES: &str =
    "taken from the next sync on: runners may be woken, put to sleep, made or drained to fit the new limits";
const INSTALLED: &str = "runners stay as they are; the next `tofu apply` of its module carries it out";

/// What a change of something without runners of its own does.
const fn of_kind(kind: Kind) -> (Effect, &'static str) {
    match kind {
        Kind::Job => (Effect::NextRun, Effect::NextRun.sentence()),
        Kind::Uglyfox => (Effect::Fleet, POLICIES),
        Kind::Nest => (Effect::Orchestrator, Effect::Orchestrator.sentence()),
        Kind::Mothergoose | Kind::Rift => (Effect::Orchestrator, INSTALLED),
        Kind::Egg | Kind::Bucket => (Effect::NewRunners, Effect::NewRunners.sentence()),
    }
}

fn changed(key: Key<'_>, old: &Piece<'_>, new: &Piece<'_>) -> Option<Change> {
    if old.entry.digest == new.entry.digest {
        return None;
    }
    let (kind, name) = key;
    let change = |attributes: Vec<AttributeChange>, effect: Effect, consequence: String| Change {
        kind,
        name: name.to_owned(),
        file: new.entry.source_file.clone(),
        action: Action::Changed,
        effect,
        consequence,
        attributes,
        notes: Vec::new(),
    };
    if let Config::Rift(rift) = &new.config {
        let of = |key: &str| ServerEffect::of(key, rift.cloud.provider);
        let gravest = std::cell::Cell::new(ServerEffect::Kept);
        let attributes = differing(&old.attributes(), &new.attributes(), &|key| {
            gravest.set(gravest.get().max(of(key)));
            (Effect::Orchestrator, of(key).sentence())
        });
        let consequence = format!("runners stay as they are; {}", gravest.get().sentence());
        return (!attributes.is_empty()).then(|| change(attributes, Effect::Orchestrator, consequence));
    }
    let (Some(before), Some(after)) = (old.egg(), new.egg()) else {
        let (effect, words) = of_kind(kind);
        let attributes = differing(&old.attributes(), &new.attributes(), &|_| (effect, words));
        let mut change = change(attributes, effect, words.to_owned());
        if let (Config::Block(before), Config::Block(after)) = (&old.config, &new.config) {
            change.notes.extend(touched(before, after));
        }
        return (!change.attributes.is_empty()).then_some(change);
    };
    let provider = after.cloud.provider;
    // A container is attached to its network, where a machine is attached to its subnet.
    let container = provider == Provider::Yandex && after.runner_type == RunnerType::Serverless;
    let of_rule = |key: &str| {
        if container && key == "cloud.network" {
            return (Effect::NewRunners, "a container stays in the network it was made in");
        }
        let rule: Option<&Rule> = effects::find(key, provider);
        rule.map_or((Effect::NewRunners, ""), |rule| (rule.effect, rule.why))
    };
    let mut attributes = differing(&values::of_egg(before), &values::of_egg(after), &of_rule);
    let machine = old.machine().ne(new.machine());
    if attributes.is_empty() {
        // The Nest's own name, which the owner labels hold.
        let (effect, words) = if provider == Provider::Local {
            (Effect::NewRunners, Effect::NewRunners.sentence())
        } else {
            (Effect::Labels, Effect::Labels.sentence())
        };
        return machine.then(|| change(attributes, effect, words.to_owned()));
    }
    // Two values that make the same machine (cpu = 3 where the cloud sells 4) reach no runner.
    if !machine {
        for attribute in attributes.iter_mut().filter(|attribute| attribute.effect == Effect::NewRunners) {
            attribute.effect = Effect::Orchestrator;
            attribute.why = "what is made of it is the same as before";
        }
    }
    let effect = attributes.iter().map(|attribute| attribute.effect).max()?;
    Some(change(attributes, effect, effect.sentence().to_owned()))
}

/// The attributes that differ, by path.
fn differing(
    old: &Attributes,
    new: &Attributes,
    effect: &dyn Fn(&str) -> (Effect, &'static str),
) -> Vec<AttributeChange> {
    let paths: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    paths
        .into_iter()
        .filter_map(|path| {
            let (before, after) = (old.get(path), new.get(path));
            let same = match (before, after) {
                (Some(before), Some(after)) => values::same(before, after),
                // An order of one thing is none.
                (one, other) => one.or(other).is_some_and(values::is_order),
            };
            if same {
                return None;
            }
            let (effect, why) = effect(before.or(after)?.key);
            let written = |flat: Option<&values::Flat>| flat.map(|flat| values::write(&flat.value));
            Some(AttributeChange {
                path: path.clone(),
                old: written(before),
                new: written(after),
                effect,
                why,
            })
        })
        .collect()
}

/// What the Nest says of itself; its name stands in the owner labels, which each egg tells.
fn nest(old: &Block, new: &Block) -> Option<Change> {
    let (effect, words) = of_kind(Kind::Nest);
    let attributes = differing(&values::of_block(old), &values::of_block(new), &|_| (effect, words));
    let name = match new.attributes.get("name") {
        Some(crate::artifact::BlockValue::Text(name)) => name.clone(),
        _ => String::new(),
    };
    (!attributes.is_empty()).then(|| Change {
        kind: Kind::Nest,
        name,
        file: "nest.fly".to_owned(),
        action: Action::Changed,
        effect,
        consequence: "the eggs it reaches are listed by themselves".to_owned(),
        attributes,
        notes: Vec::new(),
    })
}

/// Which eggs the conditions that differ speak of.
fn touched(old: &Block, new: &Block) -> Option<String> {
    let conditions = |block: &Block| -> BTreeMap<Option<String>, Block> {
        let all = block.blocks.iter().filter(|block| block.kind == "runners_condition");
        all.map(|block| (block.name.clone(), block.clone())).collect()
    };
    let (old, new) = (conditions(old), conditions(new));
    let mut eggs = BTreeSet::new();
    for name in old.keys().chain(new.keys()) {
        let (before, after) = (old.get(name), new.get(name));
        if before != after {
            for block in [before, after].into_iter().flatten() {
                if let Some(crate::artifact::BlockValue::List(names)) = block.attributes.get("eggs_entities")
                {
                    eggs.extend(names.iter().map(values::write));
                }
            }
        }
    }
    let eggs: Vec<String> = eggs.into_iter().collect();
    (!eggs.is_empty()).then(|| format!("the pools that differ are those of {}", eggs.join(", ")))
}

/// Tells of a removed and an added egg that serve the same project: most likely it was renamed.
fn renamed(
    changes: &mut [Change],
    before: &BTreeMap<Key<'_>, Piece<'_>>,
    after: &BTreeMap<Key<'_>, Piece<'_>>,
) {
    let served = |piece: Option<&Piece<'_>>| -> BTreeSet<(String, Option<u64>, Option<u64>)> {
        let repositories = piece.and_then(Piece::egg).map_or(&[][..], |egg| &egg.repositories);
        repositories.iter().map(|r| (r.server.clone(), r.project_id, r.group_id)).collect()
    };
    let of = |changes: &[Change], action: Action, pieces: &BTreeMap<Key<'_>, Piece<'_>>| -> Vec<_> {
        changes
            .iter()
            .enumerate()
            .filter(|(_, change)| change.action == action && change.kind.has_runners())
            .map(|(at, change)| (at, served(pieces.get(&(change.kind, change.name.as_str())))))
            .collect()
    };
    let (removed, added) = (of(changes, Action::Removed, before), of(changes, Action::Added, after));
    for (old, projects) in &removed {
        for (new, _) in added.iter().filter(|(_, others)| !projects.is_disjoint(others)) {
            let (was, is) = (changes[*old].title(), changes[*new].title());
            changes[*old].notes.push(format!(
                "{is} serves the same project: if this is a new name for the same, its runners are made anew all the same"
            ));
            changes[*new].notes.push(format!(
                "{was} served the same project: a new name means a new runner at GitLab, new machines and secrets at \
                 the new name's default places"
            ));
        }
    }
}
