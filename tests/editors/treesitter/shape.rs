//! What both parsers must see alike: one tree that either's can be brought to. What never lives here: errors.

use std::{fmt::Write, ops::Range};

use flyc::{
    syntax::{Attribute, Block, Expr, Item, Kind, NodeKind, Parse, TokenRef, literal, parse_expression},
    text::{TextRange, TextSize},
};

use super::cst::Cst;

/// A piece of a file: what it is and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    kind: &'static str,
    range: Range<usize>,
    within: Vec<Shape>,
}

impl Shape {
    fn new(kind: &'static str, range: impl Into<Range<usize>>, within: Vec<Self>) -> Self {
        Self { kind, range: range.into(), within }
    }

    /// The tree with the text of each piece, to be read.
    pub(super) fn told(&self, text: &str) -> String {
        let mut told = String::new();
        self.tell(text, 0, &mut told);
        told
    }

    fn tell(&self, text: &str, level: usize, told: &mut String) {
        let own = text.get(self.range.clone()).unwrap_or("?").lines().next().unwrap_or("");
        let indent = "  ".repeat(level);
        writeln!(told, "{indent}{} {:?} {own}", self.kind, self.range).expect("a string takes everything");
        self.within.iter().for_each(|inner| inner.tell(text, level + 1, told));
    }
}

/// A file as flyc sees it, when nothing is wrong with its form.
pub(super) fn of_flyc(parse: &Parse) -> Shape {
    Shape::new("file", 0..parse.text().len(), parse.items().map(item).collect())
}

fn item(item: Item<'_>) -> Shape {
    match item {
        Item::Block(found) => block(found),
        Item::Attribute(found) => attribute(found),
        Item::Junk(node) => panic!("junk without an error: {:?}", node.text()),
    }
}

fn block(block: Block<'_>) -> Shape {
    let mut within = vec![token("name", block.keyword())];
    within.extend(block.labels().map(|label| Shape::new("label", label.range, Vec::new())));
    within.extend(block.items().map(item));
    Shape::new("block", block.node().range(), within)
}

fn attribute(attribute: Attribute<'_>) -> Shape {
    let within =
        vec![token("name", attribute.name()), expression(attribute.value().expect("there is a value"))];
    let range = within[0].range.start..within[1].range.end;
    Shape::new("attribute", range, within)
}

fn token(kind: &'static str, token: Option<TokenRef<'_>>) -> Shape {
    Shape::new(kind, token.expect("it is there").range(), Vec::new())
}

fn expression(expr: Expr<'_>) -> Shape {
    let within = || expr.operands().map(expression).collect();
    let (kind, within) = match expr.node().kind() {
        NodeKind::Literal => {
            let token = expr.literal().expect("it has a token");
            match token.kind() {
                Kind::Number => ("number", Vec::new()),
                Kind::Heredoc => ("heredoc", interpolations(token)),
                _ => ("string", interpolations(token)),
            }
        }
        NodeKind::Name => ("name", Vec::new()),
        NodeKind::Field => ("field", within()),
        NodeKind::Index => ("index", within()),
        NodeKind::Call => {
            let mut all = vec![token("name", expr.name())];
            all.extend(expr.operands().map(expression));
            ("call", all)
        }
        NodeKind::Unary => ("unary", within()),
        NodeKind::Binary => ("binary", within()),
        NodeKind::Conditional => ("conditional", within()),
        NodeKind::Paren => ("paren", within()),
        NodeKind::List => ("list", within()),
        NodeKind::Map => {
            let entry = |entry: flyc::syntax::Entry<'_>| {
                let value = expression(entry.value.expect("there is a value"));
                let range = usize::from(entry.key.range().start())..value.range.end;
                Shape::new("entry", range, vec![token("name", Some(entry.key)), value])
            };
            ("map", expr.entries().map(entry).collect())
        }
        other => panic!("{other:?} is no expression"),
    };
    Shape::new(kind, expr.range(), within)
}

/// Where `${…}` stands in a text, with an expression in it: anything else is text to an editor, for in a script it
/// belongs to the shell.
fn interpolations(token: TokenRef<'_>) -> Vec<Shape> {
    let content = literal::content(token.kind(), token.text(), token.range().start(), false);
    let parts = content.parts.into_iter().filter_map(|part| match part {
        literal::Part::Interpolation(range) => Some(range),
        literal::Part::Text(_) => None,
    });
    let offset = token.range().start();
    let text = token.text();
    parts
        .filter(|range| {
            let inside = TextRange::new(range.start() - offset, range.end() - offset);
            is_expression(&text[inside])
        })
        .map(|range| {
            let around = TextRange::new(range.start() - TextSize::new(2), range.end() + TextSize::new(1));
            Shape::new("interpolation", around, Vec::new())
        })
        .collect()
}

/// Whether a text is an expression without types or strings that only seem closed.
fn is_expression(text: &str) -> bool {
    let parsed = parse_expression(text.into());
    let tokens = parsed.tree().tokens();
    let ends = tokens.iter().skip(1).map(|token| token.start as usize).chain([text.len()]);
    let is_plain = |(kind, text): (Kind, &str)| match kind {
        // An interpolation inside that is closed by what stands outside.
        Kind::String => {
            let content = literal::content(kind, text, TextSize::new(0), false);
            content.errors.iter().all(|error| error.kind != literal::ContentErrorKind::UnclosedInterpolation)
        }
        _ => true,
    };
    let names = parsed.root().descendants().filter(|node| node.kind() == NodeKind::Name);
    parsed.errors().is_empty()
        && tokens
            .iter()
            .zip(ends)
            .all(|(token, end)| is_plain((token.kind, &text[token.start as usize..end])))
        && names.into_iter().all(|name| !name.text().contains('<'))
}

/// A file as tree-sitter sees it, when nothing is wrong with it.
pub(super) fn of_tree_sitter(root: &Cst, text: &str) -> Shape {
    Shape::new(
        "file",
        0..text.len(),
        root.children.iter().filter(|node| !is_comment(node)).map(node).collect(),
    )
}

fn is_comment(node: &Cst) -> bool {
    matches!(node.kind.as_str(), "comment" | "doc_comment")
}

fn node(from: &Cst) -> Shape {
    let children = || from.children.iter().filter(|child| !is_comment(child));
    let all = || children().map(node).collect::<Vec<_>>();
    // Words of more than one token are one word to flyc.
    let (kind, within) = match from.kind.as_str() {
        "attribute" => ("attribute", all()),
        "block" => {
            let mut within: Vec<Shape> = from.named("type").map(node).collect();
            within.extend(
                from.named("label").map(|label| Shape::new("label", label.range.clone(), Vec::new())),
            );
            for body in from.named("body") {
                within.extend(body.children.iter().filter(|child| !is_comment(child)).map(node));
            }
            ("block", within)
        }
        "identifier" | "boolean" | "generic_type" => ("name", Vec::new()),
        "number" => ("number", Vec::new()),
        "string" | "heredoc" => {
            let bodies = children().flat_map(|child| match child.kind.as_str() {
                "heredoc_body" => child.children.iter().collect(),
                _ => vec![child],
            });
            let within = bodies
                .filter(|part| part.kind == "interpolation")
                .map(|part| Shape::new("interpolation", part.range.clone(), Vec::new()))
                .collect();
            (if from.kind == "string" { "string" } else { "heredoc" }, within)
        }
        "field_expression" => ("field", all()),
        "index_expression" => ("index", all()),
        "call_expression" => {
            let mut within: Vec<Shape> = from.named("function").map(node).collect();
            for arguments in from.named("arguments") {
                within.extend(arguments.children.iter().filter(|child| !is_comment(child)).map(node));
            }
            ("call", within)
        }
        "unary_expression" => ("unary", all()),
        "binary_expression" => ("binary", all()),
        "conditional_expression" => ("conditional", all()),
        "parenthesized_expression" => ("paren", all()),
        "list" => ("list", all()),
        "map" => ("map", all()),
        "entry" => {
            let mut within = all();
            // A key is a word, whatever stands in its quotes.
            within[0] = Shape::new("name", within[0].range.clone(), Vec::new());
            ("entry", within)
        }
        other => panic!("{other} has no place in a valid file"),
    };
    Shape::new(kind, from.range.clone(), within)
}
