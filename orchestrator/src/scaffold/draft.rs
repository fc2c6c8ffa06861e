//! From answers to the text of a block. A text is always one block, whatever the answers hold; whether it is right is told by
//! the check of the whole Nest.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use fly_std::{
    Type,
    formats::name,
    schema::{Block as Schema, Label},
};
use flyc::{format::format, syntax::parse};

use super::{Field, Kind};

/// What is known of an egg, bucket or job that is begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// What was said, by flag.
    pub said: BTreeMap<&'static str, Vec<String>>,
    /// The repositories of a bucket.
    pub repos: Vec<Repo>,
    /// Variables of the jobs.
    pub environment: Vec<(String, String)>,
    /// The attributes of each `gitlab` block that lead to its secrets, in the order of the repositories.
    pub secrets: Vec<Vec<(&'static str, String)>>,
}

/// A repository of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repo {
    /// Its name within the bucket.
    pub name: String,
    /// What it serves.
    pub serves: Serves,
}

/// A project, or every project of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Serves {
    /// The project of this number.
    Project(String),
    /// The group of this number.
    Group(String),
}

impl Serves {
    const fn attribute(&self) -> (&'static str, &String) {
        match self {
            Self::Project(number) => ("project_id", number),
            Self::Group(number) => ("group_id", number),
        }
    }
}

/// A block that is written.
#[derive(Debug, Default)]
struct Block {
    head: String,
    lines: Vec<String>,
    within: Vec<Self>,
}

impl Draft {
    /// Nothing but its name.
    pub fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            said: BTreeMap::new(),
            repos: Vec::new(),
            environment: Vec::new(),
            secrets: Vec::new(),
        }
    }

    /// Its file in the Nest.
    pub fn file(&self) -> String {
        self.kind.file(&self.name)
    }

    /// The text of its file, formatted.
    pub fn text(&self) -> String {
        let schema = self.kind.block();
        let mut root = Block::new(&head(schema, &self.name));
        for field in self.kind.fields() {
            let Some(line) = self.line(field) else { continue };
            if self.kind == Kind::Bucket && field.path == ["gitlab"] {
                continue;
            }
            root.at(field.path).lines.push(line);
        }
        match self.kind {
            Kind::Egg => root.at(&["gitlab"]).lines.extend(self.secrets_of(0)),
            Kind::Bucket => {
                let repos: Vec<Block> =
                    self.repos.iter().enumerate().map(|(at, repo)| self.repo(at, repo)).collect();
                root.at(&["repositories"]).within = repos;
            }
            Kind::Job => {}
        }
        if !self.environment.is_empty() {
            let line = |(name, value): &(String, String)| format!("{name} = {}", quoted(value));
            root.at(&["environment"]).lines = self.environment.iter().map(line).collect();
        }
        let place = |block: &Block| schema.blocks.iter().position(|child| child.block.name == block.head);
        root.within.sort_by_key(place);
        let mut text = String::new();
        root.write(&mut text);
        format(&parse(Arc::from(text)))
    }

    fn line(&self, field: Field) -> Option<String> {
        let said = self.said.get(field.flag)?;
        let attribute = field.attribute(self.kind)?;
        Some(format!("{} = {}", field.name, value(attribute.ty, said)))
    }

    fn repo(&self, at: usize, repo: &Repo) -> Block {
        let mut block = Block::new(&format!("repo {}", quoted(&repo.name)));
        let gitlab = block.at(&["gitlab"]);
        let server = self.kind.fields().into_iter().find(|field| field.flag == "gitlab-server");
        gitlab.lines.extend(server.and_then(|server| self.line(server)));
        let (name, number) = repo.serves.attribute();
        gitlab.lines.push(format!("{name} = {}", bare(number)));
        gitlab.lines.extend(self.secrets_of(at));
        block
    }

    fn secrets_of(&self, at: usize) -> impl Iterator<Item = String> {
        let secrets = self.secrets.get(at).into_iter().flatten();
        secrets.map(|(name, uri)| format!("{name} = {}", quoted(uri)))
    }
}

/// The keyword with its label.
fn head(schema: &Schema, name: &str) -> String {
    match schema.label {
        Label::None => schema.name.to_owned(),
        _ => format!("{} {}", schema.name, quoted(name)),
    }
}

impl Block {
    fn new(head: &str) -> Self {
        Self { head: head.to_owned(), ..Self::default() }
    }

    /// The block within that this path leads to; it is made when it isn't there.
    fn at(&mut self, path: &[&str]) -> &mut Self {
        let Some((first, rest)) = path.split_first() else { return self };
        let known = self.within.iter().position(|block| block.head == *first);
        let at = known.unwrap_or_else(|| {
            self.within.push(Self::new(first));
            self.within.len() - 1
        });
        self.within[at].at(rest)
    }

    fn write(&self, out: &mut String) {
        // Writing to a string fails for nobody.
        let _ = writeln!(out, "{} {{", self.head);
        for line in &self.lines {
            let _ = writeln!(out, "{line}");
        }
        for (at, block) in self.within.iter().enumerate() {
            if at > 0 || !self.lines.is_empty() {
                out.push('\n');
            }
            block.write(out);
        }
        out.push_str("}\n");
    }
}

/// A value as Fly has it.
fn value(ty: Type, said: &[String]) -> String {
    let one = said.first().map_or("", String::as_str);
    match ty {
        Type::List(item) => {
            let items: Vec<String> =
                said.iter().map(|text| value(*item, std::slice::from_ref(text))).collect();
            format!("[{}]", items.join(", "))
        }
        Type::Int { .. }
        | Type::Float
        | Type::Bool
        | Type::Duration { .. }
        | Type::Size { .. }
        | Type::Percent => bare(one),
        Type::Profile => {
            let profile = one.strip_prefix("profile.").unwrap_or(one);
            if name::parse(profile).is_ok() { format!("profile.{profile}") } else { quoted(one) }
        }
        Type::Script => script(one),
        _ => quoted(one),
    }
}

/// A number, a size or a word as it was said, unless it is anything else.
fn bare(text: &str) -> String {
    let number = text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '%'));
    if number || matches!(text, "true" | "false") { text.to_owned() } else { quoted(text) }
}

/// A string with exactly this text.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{{{:X}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out.replace("${", "$${")
}

/// A script: in quotes when it is one plain line, and else as a heredoc, which the shell's own marks do nothing to.
fn script(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let plain = !text.chars().any(|c| c.is_control() || matches!(c, '"' | '\\' | '$'));
    let shown = |c: char| c == '\n' || c == '\t' || !c.is_control();
    if plain || !text.chars().all(shown) {
        return quoted(&text).replace("$${", "${");
    }
    let body = text.strip_suffix('\n').unwrap_or(&text);
    let mut mark = "EOT".to_owned();
    while body.lines().any(|line| line.trim() == mark) {
        mark.push('T');
    }
    let lines = || body.lines().filter(|line| !line.trim().is_empty());
    // What all lines have in common is taken away, so one of them must stand at the very left.
    let deep = lines().any(|line| !line.starts_with([' ', '\t']));
    let (arrow, indent) = if deep { ("<<-", "    ") } else { ("<<", "") };
    let mut out = format!("{arrow}{mark}\n");
    for line in body.split('\n') {
        let indent = if line.is_empty() { "" } else { indent };
        let _ = writeln!(out, "{indent}{line}");
    }
    let _ = write!(out, "  {mark}");
    out
}

#[cfg(test)]
mod tests;
