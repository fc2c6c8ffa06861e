//! Values.

use super::Printer;
use crate::syntax::{Expr, NodeKind, NodeRef};

impl Printer<'_> {
    /// A value as it is printed at this level of indentation, without the indentation of its first line.
    pub(super) fn expr(&self, expr: Expr<'_>, level: usize) -> String {
        let node = expr.node();
        let several_lines = node.text().contains('\n');
        match node.kind() {
            NodeKind::List | NodeKind::Map | NodeKind::Call if several_lines => self.lines(expr, level),
            // A comment has its place, and a line that was broken has its reason.
            _ if several_lines || self.has_comment(node.token_range()) => node.text().to_owned(),
            NodeKind::List => {
                format!("[{}]", self.joined(expr, level))
            }
            NodeKind::Map => {
                let entries: Vec<String> = node
                    .children()
                    .filter(|child| child.kind() == NodeKind::Entry)
                    .map(|entry| self.entry(entry, level))
                    .collect();
                if entries.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", entries.join(", ")) }
            }
            NodeKind::Call => {
                let name = expr.name().map_or("", |name| name.text());
                format!("{name}({})", self.joined(expr, level))
            }
            NodeKind::Paren => format!("({})", self.joined(expr, level)),
            NodeKind::Unary => {
                let operator = expr.operator().map_or("", |operator| operator.text());
                format!("{operator}{}", self.joined(expr, level))
            }
            NodeKind::Binary => {
                let operator = expr.operator().map_or("", |operator| operator.text());
                let operands: Vec<String> =
                    expr.operands().map(|operand| self.expr(operand, level)).collect();
                operands.join(&format!(" {operator} "))
            }
            NodeKind::Conditional => {
                let parts: Vec<String> = expr.operands().map(|operand| self.expr(operand, level)).collect();
                match parts.as_slice() {
                    [condition, yes, no] => format!("{condition} ? {yes} : {no}"),
                    _ => node.text().to_owned(),
                }
            }
            NodeKind::Field => {
                let parts: Vec<String> = expr.operands().map(|operand| self.expr(operand, level)).collect();
                parts.join(".")
            }
            NodeKind::Index => {
                let parts: Vec<String> = expr.operands().map(|operand| self.expr(operand, level)).collect();
                match parts.as_slice() {
                    [base, index] => format!("{base}[{index}]"),
                    _ => node.text().to_owned(),
                }
            }
            // `list<string>` is one word.
            NodeKind::Name => node.text().split_whitespace().collect(),
            NodeKind::Literal
            | NodeKind::File
            | NodeKind::Block
            | NodeKind::Attribute
            | NodeKind::Entry
            | NodeKind::Error
            | NodeKind::Missing(_) => node.text().to_owned(),
        }
    }

    fn joined(&self, expr: Expr<'_>, level: usize) -> String {
        let parts: Vec<String> = expr.operands().map(|operand| self.expr(operand, level)).collect();
        parts.join(", ")
    }

    fn entry(&self, entry: NodeRef<'_>, level: usize) -> String {
        let key = entry.tokens().next().map_or("", |key| key.text());
        let value =
            entry.children().find_map(Expr::cast).map_or_else(String::new, |value| self.expr(value, level));
        format!("{key} = {value}")
    }

    /// A list, map or call with one element a line.
    fn lines(&self, expr: Expr<'_>, level: usize) -> String {
        let node = expr.node();
        let tokens = node.token_range();
        let (name, open, close, separator) = match node.kind() {
            NodeKind::List => ("", '[', ']', ","),
            NodeKind::Map => ("", '{', '}', ""),
            _ => (expr.name().map_or("", |name| name.text()), '(', ')', ","),
        };
        let elements: Vec<NodeRef<'_>> = node
            .children()
            .filter(|child| child.kind() == NodeKind::Entry || Expr::cast(*child).is_some())
            .collect();
        let inside = if name.is_empty() { tokens.start + 1 } else { tokens.start + 2 };
        let mut at = inside;
        let mut lines: Vec<Line> = Vec::new();
        for element in elements {
            let range = element.token_range();
            let blank = self.comment_lines(at..range.start.max(at), &mut lines);
            let (key, text) = match Expr::cast(element) {
                Some(value) => (String::new(), self.expr(value, level + 1)),
                None => {
                    let key = element.tokens().next().map_or("", |key| key.text()).to_owned();
                    let value = element.children().find_map(Expr::cast);
                    // A comment inside an entry has its place.
                    match value
                        .filter(|value| !self.has_comment(range.start..value.node().token_range().start))
                    {
                        Some(value) => (key, self.expr(value, level + 1)),
                        None => (String::new(), element.text().to_owned()),
                    }
                }
            };
            lines.push(Line {
                key,
                text,
                separator,
                blank,
                trailing: Vec::new(),
                to_line_end: false,
                is_comment: false,
            });
            at = range.end.max(at);
        }
        self.comment_lines(at..tokens.end.saturating_sub(1).max(at), &mut lines);
        if lines.is_empty() {
            return format!("{name}{open}{close}");
        }
        let mut out = format!("{name}{open}\n");
        print_lines(&lines, level, &mut out);
        out.push_str(&"  ".repeat(level));
        out.push(close);
        out
    }

    /// Adds the comments of a gap as lines, or behind the line before; whether an empty line comes after them.
    fn comment_lines(&self, tokens: std::ops::Range<usize>, lines: &mut Vec<Line>) -> bool {
        let gap = self.gap(tokens);
        for comment in gap.comments {
            match lines.last_mut() {
                Some(last) if comment.trailing && !last.to_line_end && !last.is_comment => {
                    last.to_line_end = comment.to_line_end;
                    last.trailing.push(comment.text);
                }
                _ => lines.push(Line {
                    key: String::new(),
                    text: comment.text,
                    separator: "",
                    blank: comment.blank,
                    trailing: Vec::new(),
                    to_line_end: comment.to_line_end,
                    is_comment: true,
                }),
            }
        }
        gap.blank
    }
}

/// One line of a list, map or call.
struct Line {
    /// The key of an entry, which is followed by `=`.
    key: String,
    text: String,
    separator: &'static str,
    blank: bool,
    trailing: Vec<String>,
    /// A comment ends the line.
    to_line_end: bool,
    /// There is nothing but a comment.
    is_comment: bool,
}

fn print_lines(lines: &[Line], level: usize, out: &mut String) {
    let widths = key_widths(lines);
    for (at, line) in lines.iter().enumerate() {
        if line.blank && at > 0 {
            out.push('\n');
        }
        out.push_str(&"  ".repeat(level + 1));
        if !line.key.is_empty() {
            out.push_str(&line.key);
            out.push_str(&" ".repeat(widths[at] - line.key.chars().count()));
            out.push_str(" = ");
        }
        out.push_str(&line.text);
        out.push_str(line.separator);
        for comment in &line.trailing {
            out.push_str("  ");
            out.push_str(comment);
        }
        out.push('\n');
    }
}

/// How wide the key of each line is printed: keys of consecutive lines are aligned.
fn key_widths(lines: &[Line]) -> Vec<usize> {
    let own = |line: &Line| line.key.chars().count();
    let mut widths: Vec<usize> = lines.iter().map(own).collect();
    let mut start = 0;
    while start < lines.len() {
        let aligned = |line: &&Line| !line.key.is_empty() && !line.text.contains('\n');
        let run = lines[start..]
            .iter()
            .take_while(aligned)
            .enumerate()
            .take_while(|(at, line)| *at == 0 || !line.blank);
        let end = start + run.count();
        let width = lines[start..end].iter().map(own).max().unwrap_or(0);
        widths[start..end].fill(width);
        start = end.max(start + 1);
    }
    widths
}
