//! Valid configurations of any shape, made from the tables of fly-std: a new attribute or block is generated without
//! a change here. Values are made in `values`.

use std::collections::BTreeSet;

use fly_std::{
    Type, Value,
    policy::FieldId,
    schema::{self, Attribute, Block, Child, Constraint, Label, Place, Presence, Times},
};
use flyc::{
    compiler::Compiler,
    model::{Meaning, condition_texts},
};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    installation,
    values::{Written, heredoc, name, parenthesized, value},
};

/// One file with one block at its top.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) path: &'static str,
    pub(crate) root: Node,
    /// Decides about spaces, line ends, commas and comments.
    pub(crate) noise: Vec<u8>,
}

/// A block.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) schema: &'static Block,
    /// The word it is written with: its name, an alias or the user's own.
    pub(crate) keyword: String,
    /// What the compiler calls it.
    pub(crate) name: String,
    pub(crate) label: Option<String>,
    pub(crate) attributes: Vec<Attr>,
    pub(crate) blocks: Vec<Node>,
}

/// An attribute.
#[derive(Clone)]
pub(crate) struct Attr {
    pub(crate) schema: &'static Attribute,
    pub(crate) name: String,
    pub(crate) written: Written,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:\n{}", self.path, self.print().text)
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let written = (&self.keyword, &self.label, &self.attributes, &self.blocks);
        written.fmt(f)
    }
}

impl std::fmt::Debug for Attr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} = {}", self.name, self.written.source)
    }
}

/// A file's text and where each attribute's value stands in it, in the order of [`Node::walk`].
pub(crate) struct Printed {
    pub(crate) text: String,
    pub(crate) values: Vec<std::ops::Range<usize>>,
}

impl Config {
    /// The Nest the file needs around it: every egg and Rift server that it names.
    pub(crate) fn nest(&self, text: &str) -> Vec<(String, String)> {
        let egg = |name: &String| {
            format!("egg \"{name}\" {{\n  type = \"vm\"\n  gitlab {{\n    project_id = 1\n  }}\n}}\n")
        };
        let eggs = self.entities().iter().map(egg).collect::<Vec<_>>().concat();
        let mut files =
            vec![(self.path.to_owned(), text.to_owned()), ("Eggs/named/config.fly".to_owned(), eggs)];
        if self.path != path(Place::MotherGoose) {
            let rifts = self.rifts().map(|name| format!("rift \"{name}\" {{\n}}\n"));
            files.push((path(Place::MotherGoose).to_owned(), rifts.collect()));
        }
        files
    }

    /// The Rift servers that eggs name.
    fn rifts(&self) -> impl Iterator<Item = String> {
        let references = self.root.walk().into_iter().filter(|node| node.schema.name == "rift");
        references.filter_map(|node| text_of(&node.attribute("name")?.written.value))
    }

    fn entities(&self) -> Vec<String> {
        let mut names = Vec::new();
        for node in self.root.walk() {
            for attribute in node.attributes.iter().filter(|a| names_entities(a.schema.ty)) {
                match &attribute.written.value {
                    Value::List(values) => names.extend(values.iter().filter_map(text_of)),
                    value => names.extend(text_of(value)),
                }
            }
            let conditions = node.attributes.iter().filter_map(|a| a.written.value.as_condition());
            for condition in conditions {
                let texts = condition_texts(&condition.text, FieldId::Egg);
                names.extend(texts.into_iter().map(|(name, _)| name));
            }
        }
        let mut seen = BTreeSet::new();
        names.retain(|name| seen.insert(name.clone()));
        names
    }

    /// The text, laid out by the noise.
    pub(crate) fn print(&self) -> Printed {
        let mut printer = Printer { noise: &self.noise, at: 0, text: String::new(), values: Vec::new() };
        printer.node(&self.root, 0);
        Printed { text: printer.text, values: printer.values }
    }

    /// What the file must mean.
    pub(crate) fn meaning(&self) -> Vec<Meaning> {
        vec![self.root.meaning()]
    }
}

fn text_of(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn names_entities(ty: Type) -> bool {
    matches!(ty, Type::Entity(_) | Type::List(&Type::Entity(_)))
}

impl Node {
    /// The block and all blocks within, in the order written.
    pub(crate) fn walk(&self) -> Vec<&Node> {
        let mut all = vec![self];
        for block in &self.blocks {
            all.extend(block.walk());
        }
        all
    }

    /// The block that stands at this place of [`Node::walk`].
    pub(crate) fn at(&mut self, index: usize) -> Option<&mut Node> {
        fn find<'a>(node: &'a mut Node, left: &mut usize) -> Option<&'a mut Node> {
            if *left == 0 {
                return Some(node);
            }
            *left -= 1;
            node.blocks.iter_mut().find_map(|block| find(block, left))
        }
        let mut left = index;
        find(self, &mut left)
    }

    pub(crate) fn meaning(&self) -> Meaning {
        Meaning {
            name: self.name.as_str().into(),
            label: self.label.as_deref().map(Into::into),
            attributes: self
                .attributes
                .iter()
                .map(|a| (a.name.as_str().into(), Some(a.written.value.clone())))
                .collect(),
            blocks: self.blocks.iter().map(Self::meaning).collect(),
        }
    }

    /// Makes what was drawn hold the rules between attributes and blocks.
    fn settle(&mut self, serverless: bool, entities: &mut usize) {
        if self.schema.name == "mothergoose" {
            installation::settle(self);
        }
        // A job says it in its `runner`.
        let runner = self.blocks.iter().find(|block| block.schema.name == "runner");
        let kinds = [self.attribute("type"), runner.and_then(|runner| runner.attribute("type"))];
        let is_serverless = |a: &Attr| text_of(&a.written.value).as_deref() == Some("serverless");
        let serverless = serverless || kinds.into_iter().flatten().any(is_serverless);
        for constraint in self.schema.constraints {
            match constraint {
                Constraint::ExactlyOneOf(names) => {
                    let mut kept = false;
                    self.attributes
                        .retain(|a| !names.contains(&a.name.as_str()) || !std::mem::replace(&mut kept, true));
                }
                Constraint::NotAbove(low, high) => {
                    let number = |node: &Self, name: &str| match node.attribute(name) {
                        Some(attribute) => attribute.written.value.as_int(),
                        None => match node.schema.attribute(name).map(|a| a.presence) {
                            Some(Presence::Default(text)) => text.parse().ok(),
                            _ => None,
                        },
                    };
                    if number(self, low).zip(number(self, high)).is_some_and(|(low, high)| low > high) {
                        self.attributes.retain(|a| a.name != *low && a.name != *high);
                    }
                }
            }
        }
        // The profiles and variables that these name are made by tests of their own.
        self.attributes.retain(|a| a.schema.ty != Type::Profile);
        match self.schema.name {
            // Without a type, a default is whatever it is.
            "variable" => self.attributes.retain(|a| !matches!(a.name.as_str(), "type" | "allowed")),
            "variables" => self.attributes.clear(),
            _ => {}
        }
        // A machine of this size is on sale everywhere, and near to it.
        let largest_disk = if serverless { 10 << 30 } else { 8 << 40 };
        self.attributes.retain(|a| match (self.schema.name, a.name.as_str(), &a.written.value) {
            ("resources", "cpu", Value::Int(cpus)) => matches!(cpus, 1 | 2 | 4),
            ("resources", "memory", Value::Size(bytes)) => *bytes <= 8 << 30,
            ("resources", "disk", Value::Size(bytes)) => *bytes <= largest_disk,
            ("cache", "max_size", Value::Size(bytes)) => *bytes <= 7 << 40,
            _ => true,
        });
        let longest = match self.schema.name {
            "job" => 600,
            "runner" if serverless => 3600,
            _ => u64::MAX,
        };
        self.attributes.retain(|a| {
            a.name != "timeout" || !matches!(a.written.value, Value::Duration(found) if found > longest)
        });
        // Jobs run in a serverless runner's own container.
        self.attributes.retain(|a| {
            let docker = a.name == "executor" && text_of(&a.written.value).as_deref() == Some("docker");
            let privileged = a.name == "privileged" && a.written.value == Value::Bool(true);
            !(serverless && self.schema.name == "runner" && (docker || privileged))
        });
        for attribute in self.attributes.iter_mut().filter(|a| names_entities(a.schema.ty)) {
            let names: Vec<String> = match &attribute.written.value {
                Value::List(values) => values.iter().map(|_| next_entity(entities)).collect(),
                _ => vec![next_entity(entities)],
            };
            let sources: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
            let values = names.iter().map(|name| Value::String(name.as_str().into()));
            attribute.written = match attribute.schema.ty {
                Type::List(_) => Written {
                    source: format!("[{}]", sources.join(", ")),
                    value: Value::List(values.collect()),
                },
                _ => Written { source: sources.concat(), value: Value::String(names.concat().into()) },
            };
        }
        self.settle_names();
        for block in &mut self.blocks {
            if self.schema.name == "runners_condition"
                && block.attribute("min_count").is_some() != block.attribute("max_count").is_some()
            {
                // The other one comes from the block around it.
                block.attributes.retain(|a| !matches!(a.name.as_str(), "min_count" | "max_count"));
            }
            block.settle(serverless, entities);
        }
    }

    /// Makes what was drawn name only what is there.
    fn settle_names(&mut self) {
        let provider = self.attribute("provider").and_then(|a| text_of(&a.written.value));
        let zone = if provider.as_deref() == Some("aws") { "eu-central-1a" } else { "ru-central1-a" };
        let kind = self.schema.name;
        self.attributes.retain(|a| {
            !matches!(a.name.as_str(), "dead_letter_queue" | "service_account" | "target_function")
        });
        // The parts of MotherGoose have names that differ, as their blocks do.
        let is_part = (kind.ends_with("_queue") && kind != "dead_letter_queue")
            || kind.ends_with("_workers")
            || matches!(kind, "fastapi_app" | "trigger" | "service_account");
        let own = self.keyword.replace('_', "-");
        for (at, queue) in self.blocks.iter_mut().filter(|b| b.name == "dead_letter_queue").enumerate() {
            for attribute in queue.attributes.iter_mut().filter(|a| a.name == "name") {
                let name = format!("dead-{at}");
                attribute.written.source = format!("\"{name}\"");
                attribute.written.value = Value::String(name.into());
            }
        }
        for (at, attribute) in self.attributes.iter_mut().enumerate() {
            let fixed = match (kind, attribute.name.as_str()) {
                ("cloud", "region" | "zone") => zone,
                (_, "name") if is_part => &own,
                ("trigger", "endpoint") => "/internal/sync-git",
                ("trigger", "method") => "POST",
                ("runner" | "expect", "tags") => {
                    let Value::List(values) = &mut attribute.written.value else { continue };
                    let tags: Vec<String> = (0..values.len()).map(|tag| format!("tag-{at}-{tag}")).collect();
                    let sources: Vec<String> = tags.iter().map(|tag| format!("\"{tag}\"")).collect();
                    *values = tags.iter().map(|tag| Value::String(tag.as_str().into())).collect();
                    attribute.written.source = format!("[{}]", sources.join(", "));
                    continue;
                }
                _ => continue,
            };
            attribute.written =
                Written { source: format!("\"{fixed}\""), value: Value::String(fixed.into()) };
        }
        if let Some(endpoint) =
            self.schema.attribute("endpoint").filter(|_| self.attribute("endpoint").is_none())
        {
            // Without one it follows from the trigger's name.
            let value = Value::String("/internal/sync-git".into());
            let written = Written { source: "\"/internal/sync-git\"".to_owned(), value };
            self.attributes.push(Attr { schema: endpoint, name: "endpoint".to_owned(), written });
        }
        let has_tags = self
            .attribute("tags")
            .is_some_and(|a| matches!(&a.written.value, Value::List(tags) if !tags.is_empty()));
        let takes_all = self.attribute("run_untagged").is_some_and(|a| a.written.value == Value::Bool(true));
        if kind == "runner" && !has_tags && !takes_all {
            self.attributes.retain(|a| !matches!(a.name.as_str(), "tags" | "run_untagged"));
        }
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&Attr> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }
}

fn next_entity(count: &mut usize) -> String {
    *count += 1;
    format!("egg-{count}")
}

/// Prints a block; every decision about layout takes the next byte of the noise.
struct Printer<'a> {
    noise: &'a [u8],
    at: usize,
    text: String,
    values: Vec<std::ops::Range<usize>>,
}

impl Printer<'_> {
    fn choose<'c>(&mut self, choices: &[&'c str]) -> &'c str {
        let byte = self.noise.get(self.at % self.noise.len().max(1)).copied().unwrap_or(0);
        self.at += 1;
        choices[usize::from(byte) % choices.len()]
    }

    fn add(&mut self, choices: &[&str]) {
        let chosen = self.choose(choices);
        self.text.push_str(chosen);
    }

    fn node(&mut self, node: &Node, level: usize) {
        self.text.push_str(&node.keyword);
        self.add(&[" ", " ", "  ", "\t", " /* kind */ "]);
        if let Some(label) = &node.label {
            self.text.extend(["\"", label, "\""]);
            self.add(&[" ", " ", "", "  "]);
        }
        self.text.push('{');
        let heredoc = node.attributes.iter().any(|a| a.written.source.contains('\n'));
        if node.blocks.is_empty() && !heredoc && self.choose(&["lines", "lines", "one"]) == "one" {
            for (at, attribute) in node.attributes.iter().enumerate() {
                self.add(&[" ", "", "\n"]);
                self.attribute(attribute);
                if at + 1 < node.attributes.len() {
                    self.add(&[",", ", ", "\n", " ,"]);
                }
            }
            self.add(&[" ", ""]);
        } else {
            self.line_end();
            for attribute in &node.attributes {
                self.indent(level + 1);
                self.attribute(attribute);
                if !attribute.written.source.contains('\n') {
                    self.add(&["", "", "", ","]);
                }
                if attribute.written.source.contains("\nEOT") {
                    self.text.push('\n');
                } else {
                    self.line_end();
                }
            }
            for block in &node.blocks {
                self.indent(level + 1);
                self.node(block, level + 1);
            }
            self.indent(level);
        }
        self.text.push('}');
        self.line_end();
    }

    fn attribute(&mut self, attribute: &Attr) {
        self.text.push_str(&attribute.name);
        self.add(&[" ", " ", "", "   ", " /* of */"]);
        self.text.push('=');
        self.add(&[" ", " ", "", "\t", " /* a */ "]);
        let start = self.text.len();
        self.text.push_str(&attribute.written.source);
        self.values.push(start..self.text.len());
    }

    fn indent(&mut self, level: usize) {
        match self.choose(&["even", "even", "odd"]) {
            "even" => self.text.push_str(&"  ".repeat(level)),
            _ => self.add(&["", "\t", "     "]),
        }
    }

    fn line_end(&mut self) {
        self.add(&[
            "\n",
            "\n",
            "\n",
            "\n\n",
            "\r\n",
            " \n",
            " # a note\n",
            " // x\n",
            "\n\n\n# above\n",
            "\n/// doc\n",
            " /* b */\n",
        ]);
    }
}

/// A valid file of any kind.
pub(crate) fn config() -> impl Strategy<Value = Config> {
    let roots = schema::ROOTS.iter().map(|root| (root, root.places.first().copied()));
    let each: Vec<_> = roots
        .filter_map(|(root, place)| Some((root.block, path(place?))))
        .map(|(block, path)| config_of(block, path).boxed())
        .collect();
    proptest::strategy::Union::new(each)
}

/// A valid file with this block, of which its cloud refuses nothing for its size or its name.
pub(crate) fn config_of(block: &'static Block, path: &'static str) -> impl Strategy<Value = Config> {
    let drawn = (node(block, block.name.to_owned(), true), noise()).prop_map(move |(mut root, noise)| {
        root.settle(false, &mut 0);
        Config { path, root, noise }
    });
    drawn.prop_filter("its cloud takes it", |config| config.root.name != "mothergoose" || is_taken(config))
}

/// Whether the limits of its cloud let an installation be; they are tried in fixtures of their own.
fn is_taken(config: &Config) -> bool {
    let compiler = Compiler::new(config.nest(&config.print().text));
    compiler.check_file(config.path).iter().all(|found| found.kind.id != "service-limits")
}

/// A valid file with a bucket of exactly so many repositories.
pub(crate) fn bucket(repositories: std::ops::Range<usize>) -> impl Strategy<Value = Config> {
    let repository = schema::EGGSBUCKET.child("repositories").and_then(|c| c.block.child("repo")).unwrap();
    let repositories = vec(node(repository.block, "repo".to_owned(), false), repositories);
    (config_of(&schema::EGGSBUCKET, path(Place::Egg)), repositories).prop_map(|(mut config, mut repos)| {
        for (at, repo) in repos.iter_mut().enumerate() {
            repo.label = Some(format!("repo-{at}"));
        }
        if let Some(block) = config.root.blocks.iter_mut().find(|block| block.name == "repositories") {
            block.blocks = repos;
        }
        config.root.settle(false, &mut 0);
        config
    })
}

/// The path of a file of a kind.
pub(crate) const fn path(place: Place) -> &'static str {
    match place {
        Place::Nest => "nest.fly",
        Place::Egg => "Eggs/made/config.fly",
        Place::Job => "Jobs/made.fly",
        Place::UglyFox => "UF/config.fly",
        Place::MotherGoose => "MG/config.fly",
        Place::Test => "routing.test.fly",
    }
}

fn noise() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![Just(vec![0]), vec(any::<u8>(), 1..40)]
}

/// `rare` blocks leave out most of what is optional, so that large schemas stay small.
fn node(block: &'static Block, keyword: String, top: bool) -> BoxedStrategy<Node> {
    let label = match block.label {
        Label::None => Just(None).boxed(),
        Label::Name(_) => name().prop_map(Some).boxed(),
        Label::Text(_) => "[a-z][a-z ]{0,9}[a-z]".prop_map(Some).boxed(),
        Label::Identifier(_) => "[a-z_][a-z0-9_]{0,9}".prop_map(Some).boxed(),
    };
    let attributes: Vec<BoxedStrategy<Option<Attr>>> = block
        .attributes
        .iter()
        .map(|attribute| {
            let made = attr(attribute, attribute.name.to_owned());
            let needed = block.constraints.iter().any(|constraint| match constraint {
                Constraint::ExactlyOneOf(names) => names.first() == Some(&attribute.name),
                Constraint::NotAbove(..) => false,
            });
            // A variable has a value.
            let needed = needed || block.name == "variable" && attribute.name == "default";
            if attribute.presence == Presence::Required || needed {
                made.prop_map(Some).boxed()
            } else {
                prop::option::weighted(0.4, made).boxed()
            }
        })
        .collect();
    let free = match &block.free_attributes {
        Some(attribute) => {
            let named = ("V_[A-Z0-9]{1,5}", any::<()>()).prop_map(|(name, ())| name);
            vec(named.prop_flat_map(move |name| attr(attribute, name)), 0..4).boxed()
        }
        None => Just(Vec::new()).boxed(),
    };
    let children: Vec<BoxedStrategy<Vec<Node>>> =
        block.blocks.iter().map(|child| child_nodes(child, top)).collect();
    let free_blocks = match block.free_blocks {
        Some(inner) => {
            let named = "[a-z][a-z0-9_]{0,8}".prop_flat_map(move |name| node(inner, name, false));
            vec(named, 0..3).boxed()
        }
        None => Just(Vec::new()).boxed(),
    };
    (label, attributes, free, children, free_blocks, any::<u8>())
        .prop_map(move |(label, attributes, free, children, free_blocks, order)| {
            let mut names = BTreeSet::new();
            let mut attributes: Vec<Attr> = attributes
                .into_iter()
                .flatten()
                .chain(free)
                .filter(|attribute| names.insert(attribute.name.clone()))
                .collect();
            let mut seen = BTreeSet::new();
            let mut blocks: Vec<Node> = children
                .into_iter()
                .flatten()
                .chain(free_blocks)
                .filter(|b| {
                    b.label.is_none() && block.free_blocks.is_none() || {
                        seen.insert((b.keyword.clone(), b.label.clone()))
                    }
                })
                .collect();
            // Any order means the same to the user.
            let turn = usize::from(order) % attributes.len().max(1);
            attributes.rotate_left(turn);
            let turn = usize::from(order) % blocks.len().max(1);
            blocks.rotate_left(turn);
            Node { schema: block, keyword: keyword.clone(), name: keyword.clone(), label, attributes, blocks }
        })
        .boxed()
}

fn child_nodes(child: &'static Child, top: bool) -> BoxedStrategy<Vec<Node>> {
    let words: Vec<&'static str> =
        std::iter::once(child.block.name).chain(child.aliases.iter().copied()).collect();
    let made = (select(words), node(child.block, child.block.name.to_owned(), false)).prop_map(
        |(keyword, mut node)| {
            keyword.clone_into(&mut node.keyword);
            node
        },
    );
    match child.times {
        Times::Once => made.prop_map(|node| vec![node]).boxed(),
        Times::AtMostOnce => {
            let likely = if top { 0.4 } else { 0.3 };
            prop::option::weighted(likely, made).prop_map(|node| node.into_iter().collect()).boxed()
        }
        Times::Many => vec(made, 0..3).boxed(),
        Times::Never(_) => Just(Vec::new()).boxed(),
    }
}

fn attr(attribute: &'static Attribute, name: String) -> BoxedStrategy<Attr> {
    let made = match attribute.ty {
        Type::String | Type::EnvValue => prop_oneof![4 => value(attribute.ty), 1 => heredoc(false)].boxed(),
        Type::Script => prop_oneof![1 => value(attribute.ty), 2 => heredoc(true)].boxed(),
        Type::Keyword(_) | Type::TypeName | Type::Profile | Type::Predicate => value(attribute.ty),
        ty => prop_oneof![9 => value(ty), 1 => value(ty).prop_map(parenthesized)].boxed(),
    };
    made.prop_map(move |written| Attr { schema: attribute, name: name.clone(), written }).boxed()
}
