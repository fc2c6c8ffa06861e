//! Eggs of any shape for both clouds, and their builds.
//!
//! Blocks and values come from `generate`; here they get what makes an egg deployable on both clouds, values that are
//! written elsewhere (in a local, a variable or a profile), and the Nest around them.

use std::collections::BTreeMap;

use fly_std::{
    Value,
    schema::{self, Place},
};
use flyc::{artifact::Provider, build::Options, compiler::Compiler, diag::Severity};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::json;

use crate::{
    generate::{Attr, Config, Node, config_of, path},
    values::{Written, quoted},
};

pub(crate) const CLOUDS: [Provider; 2] = [Provider::Yandex, Provider::Aws];

/// The Rift server of every Nest here; no other word is like it.
pub(crate) const RIFT: &str = "rift-zq7x";

/// A region and a zone of each cloud, as far as they are written.
const PLACES: [[(Option<&str>, Option<&str>); 2]; 4] = [
    [(None, None), (None, None)],
    [(Some("ru-central1-b"), None), (Some("eu-west-1"), None)],
    [(Some("ru-central1"), Some("ru-central1-d")), (Some("us-east-1"), Some("us-east-1b"))],
    [(Some("ru-central1"), None), (Some("eu-central-1a"), None)],
];

/// What people with bad intent, or bad luck, write into a variable.
const HOSTILE: &[&str] = &[
    "${file(\"/etc/passwd\")} %{ for x in [1] }%{ endfor } $${a} %%{c}",
    "$(touch /tmp/owned) `id` $HOME ; & | > < \\",
    "'single' \"double\" \\n",
    "two\nlines\r\n\ttab\n",
    " spaces around ",
    "--- ",
    "!!binary &anchor *alias",
    "EOT\nEOT",
    "%i %n %% $MAINPID",
    "\u{7f}\u{85}\u{a0}\u{2028}\u{202e}\u{feff}\u{e000}x\u{e001}",
    "null",
    "0644",
    "",
];

/// An egg or a bucket that both clouds can make.
#[derive(Clone)]
pub(crate) struct Egg {
    /// The block, without its cloud, its size as it can be had.
    config: Config,
    /// What stands in the `cloud` block on any cloud.
    cloud: Vec<Attr>,
    place: usize,
    /// Where values are written: for each in turn.
    elsewhere: Vec<u8>,
}

/// A build of one cloud.
#[derive(Clone)]
pub(crate) struct Built {
    pub(crate) provider: Provider,
    pub(crate) serverless: bool,
    /// All files of the build.
    pub(crate) files: BTreeMap<String, String>,
    /// The egg's own, by name. What a runner is told is its `egg.json` on every cloud, a file or in the user data.
    pub(crate) own: BTreeMap<String, String>,
}

impl std::fmt::Debug for Egg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (path, text) in self.nest(Provider::Aws) {
            write!(f, "\n--- {path}\n{text}")?;
        }
        Ok(())
    }
}

pub(crate) fn egg() -> impl Strategy<Value = Egg> {
    let block = prop_oneof![
        3 => config_of(&schema::EGG, path(Place::Egg)).boxed(),
        1 => config_of(&schema::EGGSBUCKET, path(Place::Egg)).boxed(),
    ];
    let name = prop_oneof![9 => "[a-zA-Z0-9][a-zA-Z0-9_-]{2,12}", 1 => "[a-z][a-z0-9_-]{30,40}"];
    let variables = vec(("[A-Za-z_][A-Za-z0-9_]{0,9}", select(HOSTILE)), 0..3);
    let elsewhere = prop_oneof![Just(vec![0]), vec(0..6_u8, 1..12)];
    (block, name, variables, 0..PLACES.len(), elsewhere).prop_map(
        |(mut config, name, variables, place, elsewhere)| {
            let root = &mut config.root;
            root.label = Some(name);
            let serverless = is_serverless(root);
            let mut cloud = Vec::new();
            root.blocks.retain_mut(|block| {
                if block.schema.name == "cloud" {
                    block.attributes.retain(|a| !matches!(a.name.as_str(), "provider" | "region" | "zone"));
                    cloud.append(&mut block.attributes);
                    return false;
                }
                if block.schema.name == "resources" {
                    block.attributes.retain(|attribute| is_sold(attribute, serverless));
                }
                true
            });
            let environment = root.child("environment", &schema::EGG);
            for (name, value) in variables {
                let schema = environment.schema.free_attributes.as_ref().unwrap();
                if environment.attribute(&name).is_none() {
                    environment.attributes.push(Attr { schema, name, written: quoted(value) });
                }
            }
            if let Some(rift) = root.blocks.iter_mut().find(|block| block.schema.name == "rift") {
                rift.set("name", quoted(RIFT));
            }
            Egg { config, cloud, place, elsewhere }
        },
    )
}

fn is_serverless(root: &Node) -> bool {
    root.attribute("type").is_some_and(|kind| kind.written.value.as_str() == Some("serverless"))
}

/// Whether both clouds have it so large.
fn is_sold(attribute: &Attr, serverless: bool) -> bool {
    let most = match attribute.name.as_str() {
        "memory" if serverless => 8 << 30,
        "disk" if serverless => 10 << 30,
        "disk" => 8 << 40,
        _ => u64::MAX,
    };
    match attribute.written.value {
        Value::Size(bytes) => bytes <= most,
        Value::Int(cpus) => !serverless || cpus <= 4,
        _ => true,
    }
}

impl Node {
    /// The child of this name, made when it isn't there.
    fn child(&mut self, name: &str, of: &'static schema::Block) -> &mut Node {
        let at = self.blocks.iter().position(|block| block.schema.name == name).unwrap_or_else(|| {
            self.blocks.push(empty(of.child(name).unwrap().block, name));
            self.blocks.len() - 1
        });
        &mut self.blocks[at]
    }

    fn set(&mut self, name: &str, written: Written) {
        let schema = self.schema.attribute(name).unwrap();
        self.attributes.retain(|attribute| attribute.name != name);
        self.attributes.push(Attr { schema, name: name.to_owned(), written });
    }
}

fn empty(schema: &'static schema::Block, name: &str) -> Node {
    let name = name.to_owned();
    Node { schema, keyword: name.clone(), name, label: None, attributes: Vec::new(), blocks: Vec::new() }
}

impl Egg {
    fn environment_block(&self) -> Option<&Node> {
        self.config.root.blocks.iter().find(|block| block.schema.name == "environment")
    }

    /// What the author's variables mean, as a runner reads them.
    pub(crate) fn environment(&self) -> serde_json::Value {
        let entry = |attribute: &Attr| {
            let value = match &attribute.written.value {
                Value::String(text) => json!({ "text": text.as_str() }),
                // The URI is what stands between the quotes.
                _ => json!({ "secret": attribute.written.source.trim_matches(['"', '(', ')']) }),
            };
            (attribute.name.clone(), value)
        };
        self.environment_block().into_iter().flat_map(|block| block.attributes.iter().map(entry)).collect()
    }

    pub(crate) fn has_rift(&self) -> bool {
        self.config.root.blocks.iter().any(|block| block.schema.name == "rift")
    }

    pub(crate) fn without_rift(&self) -> Self {
        let mut egg = self.clone();
        egg.config.root.blocks.retain(|block| block.schema.name != "rift");
        egg
    }

    pub(crate) fn with_rift(&self) -> Self {
        let mut egg = self.clone();
        egg.config.root.child("rift", &schema::EGG).set("name", quoted(RIFT));
        egg
    }

    /// The files of a Nest with the egg on this cloud.
    pub(crate) fn nest(&self, provider: Provider) -> Vec<(String, String)> {
        let Self { config, cloud, place, elsewhere } = self;
        let mut config = config.clone();
        let at = usize::from(provider == Provider::Aws);
        let mut block = empty(schema::EGG.child("cloud").unwrap().block, "cloud");
        block.attributes.clone_from(cloud);
        let (region, zone) = PLACES[*place][at];
        if provider == Provider::Aws || *place != 0 {
            block.set("provider", quoted(provider.name()));
        }
        for (name, value) in [("region", region), ("zone", zone)] {
            if let Some(value) = value {
                block.set(name, quoted(value));
            }
        }
        config.root.blocks.push(block);

        let mut nest = Vec::new();
        let mut profile = empty(config.root.schema, "profile");
        profile.label = Some("base".to_owned());
        let mut turns = elsewhere.iter().cycle();
        let mut turn = || turns.next().copied().unwrap_or(0);
        config.root.blocks.retain_mut(|block| {
            if matches!(block.schema.name, "runner" | "resources" | "cloud") && turn() == 1 {
                profile.blocks.push(block.clone());
                return false;
            }
            if block.schema.name == "environment" {
                let mut inherited = empty(block.schema, "environment");
                let mut number = 0;
                block.attributes.retain_mut(|attribute| {
                    number += 1;
                    let source = &mut attribute.written.source;
                    let secret = !matches!(attribute.written.value, Value::String(_));
                    match turn() {
                        1 => {
                            inherited.attributes.push(attribute.clone());
                            return false;
                        }
                        2 if !secret => {
                            nest.push(format!("locals {{\n  x{number} = {source}\n}}\n"));
                            *source = format!("local.x{number}");
                        }
                        3 if !secret => {
                            nest.push(format!(
                                "variable \"v{number}\" {{\n  type = string\n  default = {source}\n}}\n"
                            ));
                            *source = format!("var.v{number}");
                        }
                        4 if !secret => {
                            nest.push(format!("locals {{\n  y{number} = {source}\n}}\n"));
                            *source = format!("\"${{local.y{number}}}\"");
                        }
                        _ => {}
                    }
                    true
                });
                if !inherited.attributes.is_empty() {
                    profile.blocks.push(inherited);
                }
            }
            true
        });
        if !profile.blocks.is_empty() {
            let source = "profile.base".to_owned();
            config.root.set("extends", Written { source, value: Value::String("base".into()) });
            let printed = Config { path: "nest.fly", root: profile, noise: config.noise.clone() }.print();
            nest.push(printed.text);
        }
        vec![
            ("nest.fly".to_owned(), nest.concat()),
            ("MG/config.fly".to_owned(), format!("rift \"{RIFT}\" {{\n}}\n")),
            (config.path.to_owned(), config.print().text),
        ]
    }

    /// The build of each cloud; what the check says of it, if anything.
    pub(crate) fn built(&self) -> Result<[Built; 2], String> {
        let [yandex, aws] = CLOUDS.map(|provider| self.built_for(provider));
        Ok([yandex?, aws?])
    }

    fn built_for(&self, provider: Provider) -> Result<Built, String> {
        let nest = self.nest(provider);
        let compiler = Compiler::new(nest.iter().map(|(path, text)| (path.as_str(), text.as_str())));
        let told = |found: &[flyc::diag::Diagnostic]| {
            let lines = found.iter().map(|d| format!("[{}] {} ({})", d.kind.id, d.message, d.label));
            format!("{}: {}", provider.name(), lines.collect::<Vec<_>>().join("\n"))
        };
        let mut errors = compiler.check();
        errors.retain(|diagnostic| diagnostic.severity() == Severity::Error);
        if !errors.is_empty() {
            return Err(told(&errors));
        }
        let build = compiler.build(&Options::default()).map_err(|found| told(&found))?;
        let name = self.config.root.label.clone().unwrap_or_default();
        let folder = format!("eggs/{name}/");
        let own = build
            .files
            .iter()
            .filter_map(|(path, text)| Some((path.strip_prefix(&folder)?.to_owned(), text.clone())));
        let mut own: BTreeMap<_, _> = own.collect();
        if let Some(user_data) = own.get("cloud-init.yaml") {
            let egg = crate::boot::written(user_data)?.remove("/etc/gosling/egg.json");
            own.insert("egg.json".to_owned(), egg.ok_or("no egg.json in the user data")?.text);
        }
        Ok(Built { provider, serverless: is_serverless(&self.config.root), files: build.files, own })
    }
}
