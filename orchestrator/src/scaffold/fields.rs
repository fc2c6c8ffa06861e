//! What can be said of an egg, bucket or job when it is begun: each by a flag, with the name, the documentation and the default
//! of the language's own tables.

use fly_std::{
    Type,
    schema::{self, Attribute, Block, Presence},
};

/// What is begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Runners of one project or group.
    Egg,
    /// Runners that several projects and groups share.
    Bucket,
    /// A script that runs by the clock.
    Job,
}

impl Kind {
    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Egg => "egg",
            Self::Bucket => "bucket",
            Self::Job => "job",
        }
    }

    /// Its block.
    pub const fn block(self) -> &'static Block {
        match self {
            Self::Egg => &schema::EGG,
            Self::Bucket => &schema::EGGSBUCKET,
            Self::Job => &schema::JOB,
        }
    }

    /// Its file in the Nest.
    pub fn file(self, name: &str) -> String {
        match self {
            Self::Egg | Self::Bucket => format!("Eggs/{name}/config.fly"),
            Self::Job => format!("Jobs/{name}.fly"),
        }
    }

    /// What can be said of it, in the order of its block.
    pub fn fields(self) -> Vec<Field> {
        match self {
            Self::Egg => [&[EXTENDS, TYPE][..], &CLOUD, &RESOURCES, &RUNNER, &[SERVER], &GITLAB].concat(),
            Self::Bucket => [&[EXTENDS, TYPE][..], &CLOUD, &RESOURCES, &RUNNER, &[SERVER]].concat(),
            Self::Job => [&JOB[..], &CLOUD, &RESOURCES, &[NOTIFY]].concat(),
        }
    }
}

/// Something that can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The flag, without `--`.
    pub flag: &'static str,
    /// The blocks within that lead to the attribute.
    pub path: &'static [&'static str],
    /// The attribute.
    pub name: &'static str,
    /// Whether a person is asked for it.
    pub asked: bool,
}

impl Field {
    const fn asked(flag: &'static str, path: &'static [&'static str], name: &'static str) -> Self {
        Self { flag, path, name, asked: true }
    }

    const fn told(flag: &'static str, path: &'static [&'static str], name: &'static str) -> Self {
        Self { flag, path, name, asked: false }
    }

    /// The attribute in the tables.
    pub fn attribute(&self, kind: Kind) -> Option<&'static Attribute> {
        let block = self.path.iter().try_fold(kind.block(), |block, name| Some(block.child(name)?.block));
        block.and_then(|block| block.attribute(self.name)).or_else(|| {
            // A bucket's repositories have their server each; one flag is for all of them.
            let egg = (self.path == ["gitlab"]).then_some(&schema::EGG)?;
            egg.child("gitlab")?.block.attribute(self.name)
        })
    }

    /// Whether several values may be given.
    pub fn is_list(&self, kind: Kind) -> bool {
        matches!(self.attribute(kind).map(|attribute| attribute.ty), Some(Type::List(_)))
    }
}

/// What holds when nothing is said, for a help text.
pub fn unsaid(attribute: &Attribute) -> Option<&'static str> {
    match attribute.presence {
        Presence::Default(value) => Some(value),
        Presence::Derived(how) => Some(how),
        Presence::Required | Presence::Optional => None,
    }
}

const CLOUD: [Field; 6] = [
    Field::asked("cloud", &["cloud"], "provider"),
    Field::asked("region", &["cloud"], "region"),
    Field::told("zone", &["cloud"], "zone"),
    Field::told("network", &["cloud"], "network"),
    Field::told("subnet", &["cloud"], "subnet"),
    Field::told("disk-image", &["cloud"], "image"),
];

const RESOURCES: [Field; 3] = [
    Field::told("cpu", &["resources"], "cpu"),
    Field::asked("memory", &["resources"], "memory"),
    Field::told("disk", &["resources"], "disk"),
];

const RUNNER: [Field; 10] = [
    Field::asked("tags", &["runner"], "tags"),
    Field::asked("concurrent", &["runner"], "concurrent"),
    Field::told("idle-timeout", &["runner"], "idle_timeout"),
    Field::told("timeout", &["runner"], "timeout"),
    Field::told("run-untagged", &["runner"], "run_untagged"),
    Field::told("protected", &["runner"], "protected"),
    Field::told("executor", &["runner"], "executor"),
    Field::told("image", &["runner"], "image"),
    Field::told("privileged", &["runner"], "privileged"),
    Field::told("ephemeral", &["runner"], "ephemeral"),
];

const EXTENDS: Field = Field::told("extends", &[], "extends");
const TYPE: Field = Field::asked("type", &[], "type");
const SERVER: Field = Field::asked("gitlab-server", &["gitlab"], "server");

const GITLAB: [Field; 2] = [
    Field::asked("gitlab-project-id", &["gitlab"], "project_id"),
    Field::asked("gitlab-group-id", &["gitlab"], "group_id"),
];

const JOB: [Field; 9] = [
    Field::asked("schedule", &[], "schedule"),
    Field::asked("timezone", &[], "timezone"),
    Field::told("timeout", &[], "timeout"),
    Field::asked("script", &[], "script"),
    Field::asked("type", &["runner"], "type"),
    Field::asked("tags", &["runner"], "tags"),
    Field::told("executor", &["runner"], "executor"),
    Field::told("image", &["runner"], "image"),
    Field::told("privileged", &["runner"], "privileged"),
];

const NOTIFY: Field = Field::asked("notify", &["on_failure"], "notify");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_field_stands_in_the_tables_and_every_attribute_has_a_flag() {
        for kind in [Kind::Egg, Kind::Bucket, Kind::Job] {
            let mut said = BTreeSet::new();
            let mut flags = BTreeSet::new();
            for field in kind.fields() {
                assert!(field.attribute(kind).is_some(), "{kind:?} --{}", field.flag);
                assert!(flags.insert(field.flag), "{kind:?} --{} twice", field.flag);
                said.insert((field.path.first().copied(), field.name));
            }
            let own = kind.block().attributes.iter().map(|attribute| (None, attribute.name));
            let within =
                kind.block().blocks.iter().filter(|child| !matches!(child.times, schema::Times::Never(_)));
            let within = within.flat_map(|child| {
                child.block.attributes.iter().map(|attribute| (Some(child.block.name), attribute.name))
            });
            for (block, name) in own.chain(within) {
                // Where secrets are kept is one flag for all of them; a Rift is another matter.
                let other = name.ends_with("_secret") || block == Some("rift");
                assert!(other || said.contains(&(block, name)), "{kind:?}: no flag for {block:?} {name}");
            }
        }
    }
}
