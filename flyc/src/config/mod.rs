//! Configurations: the typed blocks of a Nest as the types of `artifact`, with every default filled in.
//!
//! Defaults come from `fly-std`'s tables and from nowhere else; those that depend on the rest of the egg stand in
//! `derived`, each beside a test that its documentation says the same. What never lives here: checks of what an author
//! may write, and the texts that configurations are lowered to.

mod block;
mod defaults;
mod derived;
mod egg;
mod job;
mod mothergoose;
mod places;
mod rift;
mod subject;

use std::collections::{BTreeMap, BTreeSet};

use fly_std::{
    Value,
    formats::{SecretBackend, SecretUri},
    schema,
};
use smol_str::SmolStr;

pub use block::{block_config, silent_nest};
pub use derived::backend;
pub use egg::{Resolved, Unresolved, market, provider, provider_of, resources, runner_type};
pub use job::ResolvedJob;
pub use mothergoose::{
    Installation, Need, installation, installation_provider, needs, own_table, own_tables, service_types,
    users, written_table,
};
pub use places::Places;
pub use rift::ResolvedRift;
pub use subject::subjects;

use crate::{
    db::{Db, Nest, SourceFile},
    model::{EntityKind, TypedBlock, definitions::NEST_FILE, index, typed},
};

/// What a Nest says for all of its eggs. Nothing else of `nest.fly` reaches an egg's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NestDefaults {
    /// The edition of the language.
    pub edition: u16,
    /// The Nest's name.
    pub name: SmolStr,
    /// The GitLab server of eggs that name none.
    pub server: SmolStr,
    /// The Nest's Rift server, when there is exactly one.
    pub rift: Option<SmolStr>,
}

/// What the Nest says for all of its eggs.
#[salsa::tracked(returns(ref))]
pub fn nest_defaults(db: &dyn Db, nest: Nest) -> NestDefaults {
    let file = nest.find(db, NEST_FILE);
    let block = file.and_then(|file| typed(db, file).blocks.iter().find(|block| block.name == "nest"));
    let own = defaults::Reader::new(&schema::NEST, block);
    let gitlab = own.child("gitlab");
    let text = |value: Value| value.as_str().map(SmolStr::new);
    let mut rifts = index(db, nest).names(EntityKind::Rift);
    NestDefaults {
        edition: own
            .get("edition")
            .and_then(|value| u16::try_from(value.as_int()?).ok())
            .unwrap_or(fly_std::DEFAULT_EDITION),
        name: own.get("name").and_then(text).unwrap_or_default(),
        server: gitlab.and_then(|gitlab| gitlab.get("server")).and_then(text).unwrap_or_default(),
        rift: rifts.next().filter(|_| rifts.next().is_none()).map(SmolStr::new),
    }
}

/// The GitLab project that holds the Nest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NestProject {
    /// The host of its server.
    pub server: String,
    /// Its number, when `nest.fly` tells it.
    pub project_id: Option<u64>,
    /// The branch that is deployed.
    pub branch: String,
}

/// The GitLab project that holds the Nest.
#[salsa::tracked(returns(ref))]
pub fn nest_project(db: &dyn Db, nest: Nest) -> NestProject {
    let file = nest.find(db, NEST_FILE);
    let block = file.and_then(|file| typed(db, file).blocks.iter().find(|block| block.name == "nest"));
    let gitlab = defaults::Reader::new(&schema::NEST, block).child("gitlab");
    NestProject {
        server: nest_defaults(db, nest).server.to_string(),
        project_id: gitlab.and_then(|gitlab| gitlab.int("project_id")),
        branch: gitlab.and_then(|gitlab| gitlab.text("branch")).unwrap_or_default(),
    }
}

/// The configurations of a file's eggs and buckets, in the order of the file; none for one whose configuration an error
/// in the file leaves unknown.
#[salsa::tracked(returns(ref))]
pub fn egg_configs(db: &dyn Db, file: SourceFile) -> Vec<Option<Resolved>> {
    let mut eggs = typed(db, file).blocks.iter().filter(|block| is_egg(block)).peekable();
    if eggs.peek().is_none() {
        return Vec::new();
    }
    let nest = nest_defaults(db, Nest::get(db));
    eggs.map(|block| egg::resolve(block, nest)).collect()
}

/// The configurations of a file's jobs, in the order of the file; none for one whose configuration an error in the file
/// leaves unknown.
#[salsa::tracked(returns(ref))]
pub fn job_configs(db: &dyn Db, file: SourceFile) -> Vec<Option<ResolvedJob>> {
    let mut jobs = typed(db, file).blocks.iter().filter(|block| block.name == "job").peekable();
    if jobs.peek().is_none() {
        return Vec::new();
    }
    let nest = nest_project(db, Nest::get(db));
    jobs.map(|block| job::resolve(block, nest)).collect()
}

/// The configurations of a file's Rift servers, in the order of the file; none for one whose configuration an error in
/// the file leaves unknown.
#[salsa::tracked(returns(ref))]
pub fn rift_configs(db: &dyn Db, file: SourceFile) -> Vec<Option<ResolvedRift>> {
    let mut rifts = typed(db, file).blocks.iter().filter(|block| block.name == "rift").peekable();
    if rifts.peek().is_none() {
        return Vec::new();
    }
    let users = rift_users(db, Nest::get(db));
    let of = |block: &TypedBlock| block.label.as_ref().and_then(|name| users.get(name.as_str()));
    rifts.map(|block| rift::resolve(block, of(block).map_or(&[], Vec::as_slice))).collect()
}

/// The eggs and buckets that use a Rift server, by the server's name, in the order of their names.
#[salsa::tracked(returns(ref))]
fn rift_users(db: &dyn Db, nest: Nest) -> BTreeMap<String, Vec<String>> {
    let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let placed = nest.files(db).iter().filter(|file| schema::Place::of(file.path(db)).is_some());
    let eggs = placed.flat_map(|&file| egg_configs(db, file)).flatten();
    for Resolved { config, .. } in eggs {
        if let Some(rift) = &config.rift {
            users.entry(rift.name.clone()).or_default().push(config.name.clone());
        }
    }
    for names in users.values_mut() {
        names.sort();
    }
    users
}

/// What a whole Nest names of a backend: the first parts of its secrets' URIs, wherever they are written. Those that a
/// part has without writing them are not among them.
pub fn secret_names(db: &dyn Db, nest: Nest, backend: SecretBackend) -> BTreeSet<String> {
    fn collect<'a>(value: &'a Value, found: &mut Vec<&'a SecretUri>) {
        match value {
            Value::Secret(uri) => found.push(uri),
            Value::List(values) => values.iter().for_each(|value| collect(value, found)),
            Value::Map(entries) => entries.iter().for_each(|(_, value)| collect(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    let placed = nest.files(db).iter().filter(|file| schema::Place::of(file.path(db)).is_some());
    for block in placed.flat_map(|&file| &typed(db, file).blocks).flat_map(TypedBlock::walk) {
        for value in block.attributes.iter().filter_map(|attribute| attribute.value.as_ref()) {
            collect(value, &mut found);
        }
    }
    found.into_iter().filter(|uri| uri.backend == backend).map(|uri| uri.id.to_string()).collect()
}

/// Whether the block is an egg or a bucket.
pub fn is_egg(block: &TypedBlock) -> bool {
    matches!(block.name.as_str(), "egg" | "eggsbucket")
}

#[cfg(test)]
mod tests;
