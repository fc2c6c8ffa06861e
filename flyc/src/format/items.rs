//! Files, blocks and attributes.

use super::{Comment, Gap, Printer};
use crate::{
    syntax::{Attribute, Block, Item, Kind, NodeRef},
    text::TextRange,
};

/// One thing on lines of its own.
struct Element<'p> {
    content: Content<'p>,
    /// An empty line stands before it.
    blank: bool,
    /// The comments behind it on its line.
    trailing: Vec<Comment>,
}

enum Content<'p> {
    Comment(String),
    /// The name and value of an attribute; the value may have several lines.
    Attribute {
        name: &'p str,
        value: String,
    },
    Block(Block<'p>),
    /// Text that is printed as it stands, with its own indentation when it is `at_margin`.
    Verbatim {
        text: String,
        at_margin: bool,
    },
}

impl Content<'_> {
    fn is_block(&self) -> bool {
        matches!(self, Self::Block(_))
    }
}

impl<'p> Printer<'p> {
    pub(super) fn file(&mut self) {
        let parsed = self.parsed;
        let elements = self.elements(parsed.items(), 0, parsed.tree().tokens().len(), 0, None).0;
        self.print(&elements, 0);
    }

    /// The elements among the tokens `start..end`, and the comments on the line of what stands before them.
    fn elements(
        &self,
        items: impl Iterator<Item = Item<'p>>,
        start: usize,
        end: usize,
        level: usize,
        header: Option<()>,
    ) -> (Vec<Element<'p>>, Vec<Comment>) {
        let mut elements: Vec<Element<'p>> = Vec::new();
        let mut behind_header = Vec::new();
        let mut at = start;
        for item in items {
            let range = item.node().token_range();
            let gap = self.gap(at..range.start.max(at));
            let blank = gap.blank;
            Self::comments(gap, &mut elements, header.map(|()| &mut behind_header));
            elements.push(Element { content: self.content(item, level), blank, trailing: Vec::new() });
            at = range.end.max(at);
        }
        let gap = self.gap(at..end.max(at));
        Self::comments(gap, &mut elements, header.map(|()| &mut behind_header));
        spread(&mut elements);
        (elements, behind_header)
    }

    /// Puts comments behind the element before them or on lines of their own.
    fn comments(gap: Gap, elements: &mut Vec<Element<'p>>, mut header: Option<&mut Vec<Comment>>) {
        for comment in gap.comments {
            let before = elements.last_mut().map(|last| &mut last.trailing).or(header.as_deref_mut());
            match before {
                Some(trailing) if comment.trailing => trailing.push(comment),
                _ => elements.push(Element {
                    blank: comment.blank,
                    content: Content::Comment(comment.text),
                    trailing: Vec::new(),
                }),
            }
        }
    }

    fn content(&self, item: Item<'p>, level: usize) -> Content<'p> {
        match item {
            Item::Attribute(attribute) => self.attribute(attribute, level),
            Item::Block(block) if self.keeps(block) => self.verbatim(block.node()),
            Item::Block(block) => Content::Block(block),
            Item::Junk(node) => self.verbatim(node),
        }
    }

    /// Whether a block is printed as it stands.
    fn keeps(&self, block: Block<'p>) -> bool {
        let header_end = block.open().map_or(0, |open| open.index());
        let start = block.node().token_range().start;
        let damaged = if self.unbalanced {
            let range = block.node().range();
            // They are in order of position.
            let errors = self.parsed.errors();
            let from = errors.partition_point(|error| error.range.start() < range.start());
            let mut inside = errors[from..].iter().take_while(|error| error.range.start() <= range.end());
            inside.any(|error| range.contains_range(error.range))
        } else {
            block.is_damaged()
        };
        // A comment between the labels stays with them, unless it has lines of its own.
        let header = start..header_end.max(start);
        damaged || (self.has_comment(header) && self.header(block).contains('\n'))
    }

    fn verbatim(&self, node: NodeRef<'p>) -> Content<'p> {
        let range = node.range();
        let text = self.parsed.text();
        let before = &text[..usize::from(range.start())];
        let margin = before.trim_end_matches([' ', '\t']);
        // Where brackets do not pair, the indentation is part of what was written.
        let at_margin = self.unbalanced && (margin.is_empty() || margin.ends_with('\n'));
        let lead = &before[margin.len()..];
        let lead = if at_margin { lead } else { "" };
        Content::Verbatim { text: format!("{lead}{}", node.text()), at_margin }
    }

    fn attribute(&self, attribute: Attribute<'p>, level: usize) -> Content<'p> {
        let (Some(name), Some(value)) = (attribute.name(), attribute.value()) else {
            return self.verbatim(attribute.node());
        };
        let between = name.index()..value.node().token_range().start;
        let after = value.node().token_range().end..attribute.node().token_range().end;
        if attribute.is_damaged() || self.has_comment(between) || self.has_comment(after) {
            return self.verbatim(attribute.node());
        }
        Content::Attribute { name: name.text(), value: self.expr(value, level) }
    }

    fn print(&mut self, elements: &[Element<'p>], level: usize) {
        let mut at = 0;
        while let Some(element) = elements.get(at) {
            if element.blank && at > 0 {
                self.out.push('\n');
            }
            if matches!(&element.content, Content::Attribute { value, .. } if !value.contains('\n')) {
                let run = run(&elements[at..]);
                self.print_run(&elements[at..at + run], level);
                at += run;
                continue;
            }
            self.print_element(element, level);
            at += 1;
        }
    }

    /// Attributes on consecutive lines, their `=` and their comments aligned.
    fn print_run(&mut self, elements: &[Element<'p>], level: usize) {
        let attributes = || {
            elements.iter().filter_map(|element| match &element.content {
                Content::Attribute { name, value } => Some((*name, value.as_str(), &element.trailing)),
                _ => None,
            })
        };
        let names = attributes().map(|(name, ..)| name.chars().count()).max().unwrap_or(0);
        let commented = attributes().filter(|(.., trailing)| !trailing.is_empty());
        let values = commented.map(|(_, value, _)| value.chars().count()).max().unwrap_or(0);
        for (name, value, trailing) in attributes() {
            self.indent(level);
            self.out.push_str(name);
            self.out.extend(std::iter::repeat_n(' ', names - name.chars().count()));
            self.out.push_str(" = ");
            self.out.push_str(value);
            if !trailing.is_empty() {
                self.out.extend(std::iter::repeat_n(' ', values - value.chars().count()));
            }
            self.behind(trailing, level);
        }
    }

    fn print_element(&mut self, element: &Element<'p>, level: usize) {
        match &element.content {
            Content::Comment(text) => {
                self.indent(level);
                self.out.push_str(text);
            }
            Content::Attribute { name, value } => {
                self.indent(level);
                self.out.push_str(name);
                self.out.push_str(" = ");
                self.out.push_str(value);
            }
            Content::Block(block) => self.block(*block, level),
            Content::Verbatim { text, at_margin } => {
                if !at_margin {
                    self.indent(level);
                }
                self.out.push_str(text);
            }
        }
        self.behind(&element.trailing, level);
    }

    /// What stands before the `{` of a block, as written.
    fn header(&self, block: Block<'p>) -> &'p str {
        let start = block.node().range().start();
        let end = block.open().map_or(start, |open| open.range().start());
        self.parsed.text()[TextRange::new(start, end.max(start))].trim_end()
    }

    fn block(&mut self, block: Block<'p>, level: usize) {
        self.indent(level);
        let mut brace = " {";
        let range = block.node().token_range();
        let open = block.open().map_or(range.start, |open| open.index());
        if self.has_comment(range.start..open) {
            let header = self.header(block).to_owned();
            self.out.push_str(&header);
            let mut before = self.parsed.tree().tokens()[range.start..open].iter().rev();
            let last = before.find(|token| token.kind != Kind::Whitespace);
            // A comment that runs to the end of its line must not take the brace with it.
            if last.is_some_and(|token| matches!(token.kind, Kind::Comment | Kind::DocComment)) {
                self.out.push('\n');
                self.indent(level);
                brace = "{";
            }
        } else {
            self.out.push_str(block.keyword().map_or("", |keyword| keyword.text()));
            for label in block.labels() {
                self.out.push(' ');
                self.out.push_str(&self.parsed.text()[label.range]);
            }
        }
        let (elements, header) =
            self.elements(block.items(), open + 1, range.end.saturating_sub(1), level + 1, Some(()));
        if elements.is_empty() && header.is_empty() {
            self.out.push_str(brace);
            self.out.push('}');
            return;
        }
        self.out.push_str(brace);
        self.behind(&header, level + 1);
        self.print(&elements, level + 1);
        self.indent(level);
        self.out.push('}');
    }

    /// The comments at the end of a line, and the end of the line.
    fn behind(&mut self, comments: &[Comment], level: usize) {
        for (at, comment) in comments.iter().enumerate() {
            self.out.push_str("  ");
            self.out.push_str(&comment.text);
            if comment.to_line_end && at + 1 < comments.len() {
                self.out.push('\n');
                self.indent(level);
            }
        }
        self.out.push('\n');
    }
}

/// How many attributes stand on consecutive lines.
fn run(elements: &[Element<'_>]) -> usize {
    let more = elements.iter().skip(1).take_while(|element| {
        !element.blank
            && matches!(&element.content, Content::Attribute { value, .. } if !value.contains('\n'))
    });
    1 + more.count()
}

/// Sets the empty lines: one around blocks, none at the beginning, elsewhere where they were.
fn spread(elements: &mut [Element<'_>]) {
    for at in 1..elements.len() {
        if elements[at - 1].content.is_block() {
            elements[at].blank = true;
        }
        if !elements[at].content.is_block() {
            continue;
        }
        // Comments directly above a block belong to it.
        let mut first = at;
        while !elements[first].blank
            && first > 0
            && matches!(elements[first - 1].content, Content::Comment(_))
        {
            first -= 1;
        }
        elements[first].blank = true;
    }
    if let Some(first) = elements.first_mut() {
        first.blank = false;
    }
}
