//! Outlines of files and the index of the Nest: which names there are, without any position, so that an edit
//! inside a block leaves both as they are.

use std::sync::Arc;

use fly_std::schema::{self, Place};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use crate::{
    db::{Db, Nest, Part, SourceFile, parse, parts},
    syntax::{Attribute, Block},
};

use super::references::dotted;

/// The blocks at the top of a file, without positions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outline {
    /// The blocks in order.
    pub blocks: Arc<[OutlineBlock]>,
}

/// A block at the top of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutlineBlock {
    /// Its keyword, when the language knows it.
    pub keyword: Option<&'static str>,
    /// Its first label.
    pub label: Option<SmolStr>,
    /// The profile it extends.
    pub extends: Option<SmolStr>,
}

/// The outline of a file.
#[salsa::tracked(returns(ref))]
pub fn outline(db: &dyn Db, file: SourceFile) -> Outline {
    let blocks = parse(db, file)
        .blocks()
        .map(|block| OutlineBlock {
            keyword: block
                .keyword()
                .and_then(|keyword| schema::root(keyword.text()))
                .map(|root| root.block.name),
            label: block.labels().next().map(|label| label.name.into()),
            extends: extends(block),
        })
        .collect();
    Outline { blocks }
}

/// The outlines of a part's files.
#[salsa::tracked(returns(ref))]
fn outlines_of<'db>(db: &'db dyn Db, part: Part<'db>) -> Box<[(SourceFile, Option<Place>, Outline)]> {
    let files = part.files(db).iter();
    files.map(|&file| (file, Place::of(file.path(db)), outline(db, file).clone())).collect()
}

/// The outline of every file of the Nest, in the order of its list, each with the place the file has in it.
pub(super) fn outlines(
    db: &dyn Db,
    nest: Nest,
) -> impl Iterator<Item = (SourceFile, Option<Place>, &Outline)> {
    let parts = parts(db, nest).iter();
    parts.flat_map(|&part| outlines_of(db, part)).map(|(file, place, outline)| (*file, *place, outline))
}

/// The profile that a block extends.
fn extends(block: Block<'_>) -> Option<SmolStr> {
    let mut attributes = block.attributes().filter(|attribute| attribute.is("extends"));
    let value = attributes.find_map(Attribute::value)?;
    dotted(value).filter(|(base, _)| *base == "profile").map(|(_, name)| name.into())
}

/// Something other files can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entity {
    /// What it is.
    pub kind: EntityKind,
    /// The file it stands in.
    pub file: SourceFile,
    /// Its place among the blocks at the top of the file.
    pub position: u32,
}

/// What an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntityKind {
    /// An egg or an eggsbucket; they share their names.
    Egg,
    /// A job.
    Job,
    /// A Rift server.
    Rift,
}

impl EntityKind {
    fn of(keyword: &str) -> Option<Self> {
        match keyword {
            "egg" | "eggsbucket" => Some(Self::Egg),
            "job" => Some(Self::Job),
            "rift" => Some(Self::Rift),
            _ => None,
        }
    }
}

/// Every name of the Nest and where it is given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Index {
    entities: FxHashMap<(EntityKind, SmolStr), Vec<Entity>>,
    files: FxHashMap<&'static str, Vec<SourceFile>>,
    /// Something under Eggs could not be understood, so a name that seems missing may be there.
    incomplete: bool,
}

impl Index {
    /// Every entity with this name, in the order of the files.
    pub fn find(&self, kind: EntityKind, name: &str) -> &[Entity] {
        self.entities.get(&(kind, SmolStr::new(name))).map_or(&[], Vec::as_slice)
    }

    /// Whether the egg or bucket with this name is a bucket.
    pub fn is_bucket(&self, db: &dyn Db, name: &str) -> bool {
        self.find(EntityKind::Egg, name).first().is_some_and(|entity| {
            let blocks = &outline(db, entity.file).blocks;
            blocks.get(entity.position as usize).is_some_and(|block| block.keyword == Some("eggsbucket"))
        })
    }

    /// Every name of a kind, in no order.
    pub fn names(&self, kind: EntityKind) -> impl Iterator<Item = &str> {
        self.entities.keys().filter(move |(of, _)| *of == kind).map(|(_, name)| name.as_str())
    }

    /// Whether every egg's name is known.
    pub fn is_complete(&self) -> bool {
        !self.incomplete
    }

    /// The files that hold a block with this keyword at their top, in order.
    pub fn files_with(&self, keyword: &str) -> &[SourceFile] {
        self.files.get(keyword).map_or(&[], Vec::as_slice)
    }

    /// Names that are given more than once, and by whom.
    pub fn duplicates(&self) -> impl Iterator<Item = (&str, &[Entity])> {
        self.entities
            .iter()
            .filter(|(_, all)| all.len() > 1)
            .map(|((_, name), all)| (name.as_str(), all.as_slice()))
    }

    /// Names of one kind that differ in nothing but the case of their letters, in order; each with the first who has it.
    pub fn differing_in_case(&self) -> Vec<Vec<(&str, Entity)>> {
        let mut alike: FxHashMap<(EntityKind, String), Vec<(&str, Entity)>> = FxHashMap::default();
        let is_upper = |name: &str| name.bytes().any(|byte| byte.is_ascii_uppercase());
        // Of two such names one has an upper-case letter, so the others need no look.
        for ((kind, name), all) in self.entities.iter().filter(|((_, name), _)| is_upper(name)) {
            let lower = name.to_ascii_lowercase();
            let plain = self.entities.get_key_value(&(*kind, SmolStr::new(&lower)));
            let plain = plain.and_then(|((_, name), all)| Some((name.as_str(), *all.first()?)));
            let names = alike.entry((*kind, lower)).or_insert_with(|| plain.into_iter().collect());
            names.extend(all.first().map(|first| (name.as_str(), *first)));
        }
        let mut alike: Vec<_> = alike.into_values().filter(|names| names.len() > 1).collect();
        for names in &mut alike {
            names.sort_unstable_by(|(one, _), (other, _)| other.cmp(one));
        }
        alike.sort_unstable_by(|one, other| one[0].0.cmp(other[0].0));
        alike
    }
}

/// The index of the Nest.
#[salsa::tracked(returns(ref))]
pub fn index(db: &dyn Db, nest: Nest) -> Arc<Index> {
    let mut index = Index { incomplete: *nest.unreadable(db), ..Index::default() };
    for (file, place, Outline { blocks }) in outlines(db, nest) {
        if place == Some(Place::Egg) {
            let is_egg =
                |block: &OutlineBlock| block.keyword.and_then(EntityKind::of) == Some(EntityKind::Egg);
            let known =
                |block: &OutlineBlock| block.keyword.is_some() && (block.label.is_some() || !is_egg(block));
            index.incomplete |= !blocks.iter().any(is_egg) || !blocks.iter().all(known);
        }
        for (position, block) in blocks.iter().enumerate() {
            let Some(keyword) = block.keyword else { continue };
            let files = index.files.entry(keyword).or_default();
            if files.last() != Some(&file) {
                files.push(file);
            }
            let Some(kind) = EntityKind::of(keyword) else { continue };
            let Some(label) = &block.label else { continue };
            let position = u32::try_from(position).unwrap_or(u32::MAX);
            index.entities.entry((kind, label.clone())).or_default().push(Entity { kind, file, position });
        }
    }
    Arc::new(index)
}
