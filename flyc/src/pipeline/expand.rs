//! Jobs, with what they inherit: `extends`, `default` and `!reference`.

use std::{collections::HashMap, rc::Rc};

use super::{
    CI_UNREADABLE, Pipeline, PipelineJob, PipelineTag,
    include::merge_into,
    timeout,
    yaml::{Data, Entry, Map, Node, find},
};
use crate::diag::{Diagnostic, Span};

/// Keys at the top of a configuration that are no jobs.
const RESERVED: [&str; 12] = [
    "default",
    "include",
    "stages",
    "types",
    "variables",
    "workflow",
    "image",
    "services",
    "cache",
    "before_script",
    "after_script",
    "spec",
];

/// How many jobs one may inherit from through others; GitLab's own limit.
const EXTENDS_DEPTH: usize = 11;
/// How far lists and references may nest; GitLab's own limit.
const NESTING: usize = 10;
/// How many nodes are looked at for the tags of one job; lists that hold lists could repeat without end.
const MOST_VISITS: usize = 1000;

struct Expander<'a> {
    /// The jobs and everything else, by name.
    config: HashMap<&'a str, &'a Entry>,
    expanded: HashMap<String, Option<Rc<Map>>>,
    /// The jobs that are being expanded.
    open: Vec<String>,
    whole: bool,
    /// How many nodes have been looked at for the tags of a job.
    visits: usize,
    diagnostics: Vec<Diagnostic>,
}

/// A value that may not be known.
enum Known<T> {
    Absent,
    Unknown,
    Is(T),
}

/// Adds the jobs of a configuration to the pipeline.
pub(super) fn jobs(config: &Map, pipeline: &mut Pipeline) {
    let mut expander = Expander {
        config: config.iter().map(|entry| (entry.key.as_str(), entry)).collect(),
        expanded: HashMap::new(),
        open: Vec::new(),
        whole: pipeline.whole,
        visits: 0,
        diagnostics: Vec::new(),
    };
    for entry in config {
        let reserved = RESERVED.contains(&entry.key.as_str());
        if reserved || entry.key.starts_with('.') || entry.value.map().is_none() {
            continue;
        }
        let Some(job) = expander.expand(&entry.key, &entry.key_span) else {
            pipeline.jobs.push(PipelineJob {
                name: entry.key.clone(),
                span: entry.key_span.clone(),
                tags: None,
                tags_span: None,
                timeout_s: None,
            });
            continue;
        };
        // It starts another pipeline and runs on no runner.
        if find(&job, "trigger").is_some() {
            continue;
        }
        pipeline.jobs.push(expander.job(&entry.key, &entry.key_span, &job));
    }
    pipeline.whole &= expander.diagnostics.is_empty();
    pipeline.diagnostics.append(&mut expander.diagnostics);
}

impl Expander<'_> {
    /// A job with all it extends; none when that can't be known.
    fn expand(&mut self, name: &str, from: &Span) -> Option<Rc<Map>> {
        if let Some(known) = self.expanded.get(name) {
            return known.clone();
        }
        let Some(entry) = self.config.get(name) else {
            // It may stand in what is kept elsewhere, or in what could not be read, which has been told.
            if self.whole {
                self.problem(from, format!("there is no job `{name}` to extend"), "names nothing");
            }
            return None;
        };
        let own = entry.value.map()?;
        let looped = self.open.iter().any(|open| open == name);
        if looped || self.open.len() > EXTENDS_DEPTH {
            let message = if looped {
                format!("`{name}` extends itself")
            } else {
                format!("`{name}` is extended over more than {EXTENDS_DEPTH} steps")
            };
            self.problem(from, message, "too far");
            return None;
        }
        let bases: Vec<Rc<Node>> = match find(own, "extends").map(|entry| &entry.value) {
            None => Vec::new(),
            Some(value) => match &value.data {
                Data::List(items) => items.clone(),
                _ => vec![Rc::clone(value)],
            },
        };
        self.open.push(name.to_owned());
        let mut complete = true;
        let mut map = Map::new();
        for base in &bases {
            match base.text().and_then(|text| self.expand(text, &base.span)) {
                Some(base) => merge_into(&mut map, &base, 0),
                None => complete = false,
            }
        }
        self.open.pop();
        merge_into(&mut map, own, 0);
        let expanded = complete.then(|| Rc::new(map));
        self.expanded.insert(name.to_owned(), expanded.clone());
        expanded
    }

    fn problem(&mut self, span: &Span, message: String, label: &str) {
        let help = "mend it; GitLab refuses the configuration as well";
        let diagnostic = Diagnostic::new(&CI_UNREADABLE, span.clone(), message, label).help(help);
        if !self.diagnostics.contains(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
    }

    fn job(&mut self, name: &str, span: &Span, job: &Map) -> PipelineJob {
        let tags = self.inherited(job, "tags");
        let tags_span = match &tags {
            Known::Is(node) => Some(node.span.clone()),
            Known::Absent | Known::Unknown => None,
        };
        let tags = match tags {
            Known::Absent => Some(Vec::new()),
            Known::Unknown => None,
            Known::Is(node) => {
                let mut found = Vec::new();
                self.visits = 0;
                self.tags(&node, 0, &mut found).then_some(found)
            }
        };
        let timeout_s = match self.inherited(job, "timeout") {
            Known::Is(node) => self.resolve(&node, 0).and_then(|node| timeout::parse(node.text()?)),
            Known::Absent | Known::Unknown => None,
        };
        PipelineJob { name: name.to_owned(), span: span.clone(), tags, tags_span, timeout_s }
    }

    /// The value of a key: the job's, else that of `default`.
    fn inherited(&self, job: &Map, key: &str) -> Known<Rc<Node>> {
        if let Some(entry) = find(job, key) {
            return Known::Is(Rc::clone(&entry.value));
        }
        let inherit = find(job, "inherit").and_then(|entry| entry.value.get("default").cloned());
        let inherits = inherit.is_none_or(|inherit| match &inherit.data {
            Data::Scalar(text) => text != "false",
            Data::List(items) => items.iter().any(|item| item.text() == Some(key)),
            _ => true,
        });
        if !inherits {
            return Known::Absent;
        }
        match self.config.get("default").and_then(|default| default.value.get(key).cloned()) {
            Some(node) => Known::Is(node),
            // There may be a default elsewhere.
            None if self.whole => Known::Absent,
            None => Known::Unknown,
        }
    }

    /// The node itself, or what it refers to; none when that can't be known.
    fn resolve(&mut self, node: &Rc<Node>, depth: usize) -> Option<Rc<Node>> {
        let Data::Reference(path) = &node.data else { return Some(Rc::clone(node)) };
        if depth >= NESTING {
            self.problem(&node.span, format!("`!reference` nests deeper than {NESTING} levels"), "too far");
            return None;
        }
        let (first, rest) = path.split_first()?;
        let base = self.expand(first, &node.span)?;
        let data = Data::Map((*base).clone());
        let mut found = Rc::new(Node { span: node.span.clone(), data });
        for key in rest {
            let Some(next) = found.get(key).cloned() else {
                if self.whole {
                    let message = format!("there is no `{}` to refer to", path.join("."));
                    self.problem(&node.span, message, "names nothing");
                }
                return None;
            };
            found = self.resolve(&next, depth + 1)?;
        }
        Some(found)
    }

    /// Adds the tags of a node; whether all of them are known.
    fn tags(&mut self, node: &Rc<Node>, depth: usize, found: &mut Vec<PipelineTag>) -> bool {
        self.visits += 1;
        let Some(resolved) = self.resolve(node, depth).filter(|_| self.visits <= MOST_VISITS) else {
            return false;
        };
        match &resolved.data {
            Data::Null => true,
            Data::Scalar(text) => {
                if !found.iter().any(|tag| tag.name == *text) {
                    found.push(PipelineTag { name: text.clone(), span: resolved.span.clone() });
                }
                !text.contains('$')
            }
            Data::List(items) if depth < NESTING => {
                items.iter().all(|item| self.tags(item, depth + 1, found))
            }
            Data::List(_) | Data::Map(_) | Data::Reference(_) => false,
        }
    }
}
