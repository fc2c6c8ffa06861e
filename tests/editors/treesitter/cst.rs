//! What `tree-sitter parse` prints, as trees again. What never lives here: what the nodes mean.

use std::{ops::Range, str::FromStr};

/// A text as tree-sitter sees it.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    pub(super) root: Cst,
    /// The first thing that is wrong: a piece that was not understood, or nothing where something is missing.
    pub(super) mistake: Option<Range<usize>>,
}

/// A node of tree-sitter's tree that has a name.
#[derive(Debug, Clone)]
pub(super) struct Cst {
    pub(super) kind: String,
    pub(super) field: Option<String>,
    /// Where it stands, in bytes.
    pub(super) range: Range<usize>,
    pub(super) children: Vec<Cst>,
}

impl Tree {
    /// The trees of some texts, in their order, from what the program printed about them.
    pub(super) fn read(printed: &str, texts: &[&str]) -> Vec<Self> {
        let mut trees: Vec<Self> = Vec::with_capacity(texts.len());
        let mut lines = printed.lines().peekable();
        while let Some(line) = lines.next() {
            if line.starts_with('(') {
                let mut tree = line.to_owned();
                while let Some(more) = lines.next_if(|line| line.starts_with(' ')) {
                    tree.push_str(more);
                }
                let text = texts.get(trees.len()).expect("a tree a text");
                let root = Reader { rest: &tree, starts: line_starts(text) }.node(None);
                trees.push(Self { root, mistake: None });
            } else if let Some((_, mistake)) = line.rsplit_once("\t(") {
                // Behind a tree stands a line about the file, with what is wrong: `(MISSING "}" [0, 6] - [0, 6])`.
                let at = mistake.rfind(" - ").and_then(|end| mistake[..end].rfind('[')).expect("a range");
                let text = texts[trees.len() - 1];
                let mut reader = Reader { rest: &mistake[at..], starts: line_starts(text) };
                trees.last_mut().expect("a tree stands before it").mistake = Some(reader.range());
            }
        }
        assert_eq!(trees.len(), texts.len(), "a tree a text");
        trees
    }
}

impl Cst {
    /// The nodes within that stand under a name.
    pub(super) fn named<'a>(&'a self, field: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.field.as_deref() == Some(field))
    }
}

/// Where each line of a text begins.
pub(super) fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

struct Reader<'a> {
    rest: &'a str,
    starts: Vec<usize>,
}

impl Reader<'_> {
    /// `(kind [row, column] - [row, column] field: (…) …)`
    fn node(&mut self, field: Option<String>) -> Cst {
        self.expect("(");
        let kind = self.until(|c| c == ' ');
        let range = self.range();
        let mut children = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.starts_with(')') {
                self.expect(")");
                return Cst { kind, field, range, children };
            }
            let name = (!self.rest.starts_with('(')).then(|| {
                let name = self.until(|c| c == ':');
                self.expect(": ");
                name
            });
            children.push(self.node(name));
        }
    }

    /// `[row, column] - [row, column]`
    fn range(&mut self) -> Range<usize> {
        let start = self.point();
        self.expect(" - ");
        start..self.point()
    }

    /// `[row, column]`
    fn point(&mut self) -> usize {
        self.rest = self.rest.trim_start();
        self.expect("[");
        let row: usize = self.number();
        self.expect(", ");
        let column: usize = self.number();
        self.expect("]");
        self.starts.get(row).expect("the text has the line") + column
    }

    fn number<N: FromStr>(&mut self) -> N {
        self.until(|c| !c.is_ascii_digit()).parse().ok().expect("a number")
    }

    fn until(&mut self, end: impl Fn(char) -> bool) -> String {
        let at = self.rest.find(end).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(at);
        self.rest = rest;
        taken.to_owned()
    }

    fn expect(&mut self, text: &str) {
        self.rest = self.rest.strip_prefix(text).unwrap_or_else(|| panic!("no {text:?} at {:?}", self.rest));
    }
}
