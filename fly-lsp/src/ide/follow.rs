//! Names with dots that lead to attributes and blocks: `egg.resources.cpu` in an assert, and `self.cpu` beside it.
//!
//! They are no names of their author's, so they are followed and not changed. What never lives here: names that a Nest
//! gives (`locate`), and what the language's words mean (`facts`).

use std::sync::Arc;

use fly_std::schema::{self, Attribute as AttributeSchema, Block as Schema, Constraint};
use flyc::{
    compiler::Compiler,
    diag::Span,
    model::{EGG_SUBJECT, JOB_SUBJECT, definitions::NEST_FILE},
    syntax::{Block, Expr, NodeKind, Parse, literal},
    text::{TextRange, TextSize},
};
use rayon::prelude::*;

use super::locate::each_expression;

/// A word of a name with dots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// The word alone, without quotes.
    pub(super) range: TextRange,
    /// What it is one of.
    pub(super) root: Root,
    /// The words from the one after the root up to this one; none for the root itself.
    pub(super) path: Vec<String>,
}

/// What a name with dots begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    /// What the assert around it is about: `egg`, `job` or `nest`.
    Subject(&'static str),
    /// The block around it.
    Own,
}

/// What a word stands for in the language.
#[derive(Debug, Clone, Copy)]
pub(super) enum Meaning {
    /// A block.
    Block(&'static Schema),
    /// An attribute, under the constraints of its block.
    Attribute(&'static AttributeSchema, &'static [Constraint]),
    /// What a subject has besides: its type and what it is.
    Extra(&'static str, &'static str),
}

/// What an assert asks of a subject that stands in no attribute: the name, its type and what it is.
const EXTRAS: [(&str, &str, &str, &str); 6] = [
    ("egg", "name", "string", "The label of the egg or bucket."),
    ("egg", "kind", "string", "`\"egg\"` or `\"eggsbucket\"`."),
    ("job", "name", "string", "The label of the job."),
    ("nest", "eggs", "list", "The names of all eggs."),
    ("nest", "buckets", "list", "The names of all buckets."),
    ("nest", "jobs", "list", "The names of all jobs."),
];

/// The word at an offset.
pub(super) fn at(parse: &Parse, offset: TextSize) -> Option<Word> {
    words(parse, |range| range.contains_inclusive(offset)).into_iter().next()
}

/// The words of a file whose ranges are wanted.
fn words(parse: &Parse, wanted: impl Fn(TextRange) -> bool) -> Vec<Word> {
    let mut found: Vec<Word> = Vec::new();
    for block in parse.blocks() {
        let subject = subject_of(block);
        let mut visit = |expr: Expr<'_>, base: TextSize| {
            let Some((root, words)) = chain(expr) else { return };
            let root = match root.text() {
                "self" => Root::Own,
                word if subject == Some(word) => Root::Subject(subject.unwrap_or_default()),
                _ => return,
            };
            if words.is_empty() {
                // Not a name with dots: or the last of one.
                return;
            }
            let mut path = Vec::new();
            let mut add = |range: TextRange, path: &Vec<String>| {
                let word = Word { range: range + base, root, path: path.clone() };
                if wanted(word.range) && !found.contains(&word) {
                    found.push(word);
                }
            };
            if matches!(root, Root::Subject(_)) {
                add(expr_start(expr), &path);
            }
            for (name, range) in words {
                path.push(name);
                add(range, &path);
            }
        };
        let mut blocks = vec![block];
        while let Some(block) = blocks.pop() {
            blocks.extend(block.blocks());
            for value in block.attributes().filter_map(|attribute| attribute.value()) {
                each_expression(value, TextSize::from(0), &mut visit);
            }
        }
    }
    found
}

/// The word of what an assert is about; none for another block.
pub(super) fn subject_of(block: Block<'_>) -> Option<&'static str> {
    if !block.is("assert") {
        return None;
    }
    let over = block.attributes().find(|one| one.is("over"))?.value()?;
    schema::OVER.iter().map(|known| known.name).find(|known| *known == over.bare().text())
}

/// Where the leftmost name of an expression stands.
fn expr_start(expr: Expr<'_>) -> TextRange {
    let mut at = expr;
    while let Some(base) = at.operands().next().filter(|_| at.node().kind() != NodeKind::Name) {
        at = base;
    }
    at.range()
}

/// The first name of `a.b["c"]`, and what follows it.
fn chain(expr: Expr<'_>) -> Option<(Expr<'_>, Vec<(String, TextRange)>)> {
    let mut path = Vec::new();
    let mut at = expr;
    while at.node().kind() != NodeKind::Name {
        let mut operands = at.operands();
        let base = operands.next()?;
        let name = operands.next()?;
        match at.node().kind() {
            NodeKind::Field => path.push((name.text().to_owned(), name.range())),
            NodeKind::Index => {
                let text = name.literal()?;
                let written = literal::simple_string(text.kind(), text.text())?;
                let one = TextSize::from(1);
                path.push((
                    written.to_owned(),
                    TextRange::new(name.range().start() + one, name.range().end() - one),
                ));
            }
            _ => return None,
        }
        at = base;
    }
    path.reverse();
    Some((at, path))
}

impl Word {
    /// What it stands for; none when the language knows nothing of that name there.
    pub(super) fn meaning(&self, parse: &Parse) -> Option<Meaning> {
        match self.root {
            Root::Own => {
                let [name] = &self.path[..] else { return None };
                attribute(around(parse, self.range)?.1?, name)
            }
            Root::Subject(word) => {
                let mut block = match word {
                    "egg" => EGG_SUBJECT.block,
                    "job" => JOB_SUBJECT.block,
                    _ => schema::root(word)?.block,
                };
                let Some((last, way)) = self.path.split_last() else { return Some(Meaning::Block(block)) };
                if way.is_empty()
                    && let Some((.., ty, doc)) =
                        EXTRAS.iter().find(|(of, name, ..)| *of == word && name == last)
                {
                    return Some(Meaning::Extra(ty, doc));
                }
                for name in way {
                    block = block.child(name)?.block;
                }
                // Of the Nest a rule sees no more than what it is called and its edition.
                if word == "nest" && !matches!(last.as_str(), "name" | "edition") {
                    return None;
                }
                block.child(last).map(|child| Meaning::Block(child.block)).or_else(|| attribute(block, last))
            }
        }
    }

    /// Where it is given: the attribute beside it, or every place of the Nest that gives what the rule asks for.
    pub(super) fn definition(&self, compiler: &Compiler, path: &str) -> Vec<Span> {
        let Some(parse) = compiler.parse(path) else { return Vec::new() };
        let here = |range| vec![Span::new(Arc::from(path), range)];
        let Root::Subject(word) = self.root else {
            let own = around(parse, self.range).and_then(|(block, _)| {
                let wanted = self.path.first()?;
                block.attributes().find(|one| one.is(wanted))?.name()
            });
            return own.map_or_else(Vec::new, |name| here(name.range()));
        };
        let Some(last) = self.path.last() else {
            // The word is what `over` says.
            let rule = parse.blocks().find(|block| block.node().range().contains_range(self.range));
            let over = rule.and_then(|rule| rule.attributes().find(|one| one.is("over"))?.value());
            return over.map_or_else(Vec::new, |over| here(over.range()));
        };
        let is_told_by_keyword = EXTRAS.iter().any(|(of, name, ..)| *of == word && name == last);
        let paths: Vec<_> = compiler.paths().cloned().collect();
        let found = paths.into_par_iter().map_with(compiler.clone(), |compiler, path| {
            // A look at the text spares many a file.
            let text = compiler.text(&path);
            let may_give = text.is_some_and(|text| is_told_by_keyword || text.contains(last.as_str()));
            let parse = if may_give { compiler.parse(&path) } else { None };
            let ranges = parse.map(|parse| self.given(word, parse, &path)).unwrap_or_default();
            ranges.into_iter().map(move |range| Span::new(Arc::clone(&path), range)).collect::<Vec<_>>()
        });
        found.flatten_iter().collect()
    }

    /// Where a file gives what is asked of a subject.
    fn given(&self, word: &str, parse: &Parse, path: &str) -> Vec<TextRange> {
        let mut found = Vec::new();
        for block in parse.blocks() {
            let Some(keyword) = block.keyword() else { continue };
            let label = || block.labels().next().map(|label| label.range);
            let is_egg = matches!(keyword.text(), "egg" | "eggsbucket");
            match (word, keyword.text(), self.path.first().map(String::as_str)) {
                ("egg", _, Some("name")) if is_egg && self.path.len() == 1 => found.extend(label()),
                ("egg", _, Some("kind")) if is_egg && self.path.len() == 1 => found.push(keyword.range()),
                ("job", "job", Some("name")) if self.path.len() == 1 => found.extend(label()),
                ("nest", "egg", Some("eggs"))
                | ("nest", "eggsbucket", Some("buckets"))
                | ("nest", "job", Some("jobs")) => found.extend(label()),
                ("nest", "nest", _) if path == NEST_FILE => within(block, &self.path, &mut found),
                ("job", "job", _) | ("egg", "egg" | "profile", _) => within(block, &self.path, &mut found),
                ("egg", "eggsbucket", _) => {
                    within(block, &self.path, &mut found);
                    // Each repository of a bucket has a `gitlab` of its own.
                    let repositories = block.blocks().filter(|inner| inner.is("repositories"));
                    repositories
                        .flat_map(Block::blocks)
                        .for_each(|repository| within(repository, &self.path, &mut found));
                }
                _ => {}
            }
        }
        found
    }
}

/// Where a block gives what a path leads to.
fn within(block: Block<'_>, path: &[String], found: &mut Vec<TextRange>) {
    let Some((first, rest)) = path.split_first() else { return };
    for inner in block.blocks().filter(|inner| inner.is(first)) {
        if rest.is_empty() {
            found.extend(inner.keyword().map(|keyword| keyword.range()));
        } else {
            within(inner, rest, found);
        }
    }
    if rest.is_empty() {
        let given = block.attributes().filter(|one| one.is(first));
        found.extend(given.filter_map(|one| Some(one.name()?.range())));
    }
}

fn attribute(block: &'static Schema, name: &str) -> Option<Meaning> {
    let known = block.attribute(name).or(block.free_attributes.as_ref());
    known.map(|known| Meaning::Attribute(known, block.constraints))
}

/// The innermost block around a range, and what it may hold.
fn around(parse: &Parse, range: TextRange) -> Option<(Block<'_>, Option<&'static Schema>)> {
    let holds = |block: &Block<'_>| block.node().range().contains_range(range);
    let mut block = parse.blocks().find(holds)?;
    let word = |block: Block<'_>| block.keyword().map_or("", |keyword| keyword.text()).to_owned();
    let mut known = schema::root(&word(block)).map(|root| root.block);
    while let Some(inner) = block.blocks().find(holds) {
        known =
            known.and_then(|known| known.child(&word(inner)).map(|child| child.block).or(known.free_blocks));
        block = inner;
    }
    Some((block, known))
}

/// The places of the file where the same stands.
pub(super) fn same(parse: &Parse, word: &Word) -> Vec<TextRange> {
    let owner = |range| around(parse, range).map(|(block, _)| block.node().range());
    let own = (word.root == Root::Own).then(|| owner(word.range)).flatten();
    let mut found: Vec<TextRange> = words(parse, |_| true)
        .into_iter()
        .filter(|other| other.root == word.root && other.path == word.path)
        .filter(|other| word.root != Root::Own || owner(other.range) == own)
        .map(|other| other.range)
        .collect();
    found.sort_by_key(|range| range.start());
    found
}
