//! Snippets in the editor's notation: text with places to fill in.
//!
//! What never lives here: which snippet is offered where.

use std::fmt::Write as _;

use fly_std::{
    Type,
    schema::{Attribute, Block, Child, Constraint, Label, Presence, Times},
};

/// How deeply the blocks that must be there are written out.
const DEPTH: usize = 3;

/// What is written where somebody has to choose: what fits the place, in Fly.
pub(super) trait Examples {
    /// A value of an attribute of a block that is written with this word.
    fn value(&self, block: &Block, word: &str, attribute: &Attribute) -> String;
    /// A label of a block.
    fn label(&self, block: &Block) -> Option<String>;
    /// Attributes that the schema does not ask for, but the place does.
    fn asked(&self, block: &Block, word: &str, attribute: &Attribute) -> bool;
}

/// What the tables of the language have, whatever the place.
pub(super) struct Ordinary;

impl Examples for Ordinary {
    fn value(&self, _: &Block, _: &str, attribute: &Attribute) -> String {
        example(attribute).to_owned()
    }

    fn label(&self, block: &Block) -> Option<String> {
        label_example(block).map(str::to_owned)
    }

    fn asked(&self, _: &Block, _: &str, _: &Attribute) -> bool {
        false
    }
}

/// A value to begin with.
pub(super) const fn example(attribute: &Attribute) -> &'static str {
    match attribute.presence {
        Presence::Default(value) => value,
        Presence::Required | Presence::Optional | Presence::Derived(_) => attribute.example,
    }
}

/// A label to begin with.
pub(super) const fn label_example(block: &Block) -> Option<&'static str> {
    match block.label {
        Label::None => None,
        Label::Name(_) => Some("my-name"),
        Label::Text(_) => Some("what it tells"),
        Label::Identifier(_) => Some("my_name"),
    }
}

/// A snippet that is being written.
#[derive(Debug, Default)]
pub(super) struct Snippet {
    text: String,
    places: u32,
}

impl Snippet {
    /// The text.
    pub(super) fn finish(mut self) -> String {
        self.text.push_str("$0");
        self.text
    }

    /// Plain text.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.text.push_str(&escaped(text));
        self
    }

    /// A place to fill in.
    pub(super) fn place(&mut self, example: &str) -> &mut Self {
        self.places += 1;
        let _ = write!(self.text, "${{{}:{}}}", self.places, escaped(example));
        self
    }

    /// A place where one of several words stands.
    fn choice<'a>(&mut self, words: impl Iterator<Item = &'a str>) -> &mut Self {
        self.places += 1;
        let words: Vec<_> = words.map(|word| escaped(word).replace(',', "\\,").replace('|', "\\|")).collect();
        let _ = write!(self.text, "${{{}|{}|}}", self.places, words.join(","));
        self
    }

    /// A value of a type: the example, in which what people change is a place.
    pub(super) fn value(&mut self, ty: &Type, example: &str) -> &mut Self {
        let inner = example.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        match ty {
            Type::Enum(variants) => {
                let first = inner.filter(|inner| variants.iter().any(|variant| variant.name == *inner));
                let rest = variants.iter().map(|variant| variant.name).filter(|name| Some(*name) != first);
                self.text("\"").choice(first.into_iter().chain(rest)).text("\"")
            }
            Type::Keyword(variants) => self.choice(variants.iter().map(|variant| variant.name)),
            Type::Bool => {
                let other = if example == "true" { "false" } else { "true" };
                self.choice([example, other].into_iter())
            }
            _ => match inner {
                Some(inner) if !inner.contains('"') => self.text("\"").place(inner).text("\""),
                _ => self.place(example),
            },
        }
    }

    /// `name = value`
    pub(super) fn attribute(&mut self, attribute: &Attribute, example: &str) -> &mut Self {
        self.text(attribute.name).text(" = ").value(&attribute.ty, example)
    }

    /// A block from its label on, with everything that must be in it. `word` is what it is written with.
    pub(super) fn block(
        &mut self,
        (block, word): (&Block, &str),
        indent: usize,
        label: bool,
        examples: &dyn Examples,
    ) -> &mut Self {
        if label && let Some(label) = examples.label(block) {
            self.text("\"").place(&label).text("\" ");
        }
        self.text("{\n");
        if !self.body((block, word), indent + 1, DEPTH, examples) {
            self.indent(indent + 1);
            self.places += 1;
            let _ = write!(self.text, "${}", self.places);
            self.text.push('\n');
        }
        self.indent(indent);
        self.text("}")
    }

    /// What must be in a block; whether there is anything.
    fn body(
        &mut self,
        (block, word): (&Block, &str),
        indent: usize,
        depth: usize,
        examples: &dyn Examples,
    ) -> bool {
        let mut some = false;
        let needed =
            |attribute: &&Attribute| is_needed(block, attribute) || examples.asked(block, word, attribute);
        for attribute in block.attributes.iter().filter(needed) {
            self.indent(indent);
            self.attribute(attribute, &examples.value(block, word, attribute)).text("\n");
            some = true;
        }
        let children = block.blocks.iter().filter(|child| depth > 0 && matches!(child.times, Times::Once));
        for Child { block, .. } in children {
            if some {
                self.text("\n");
            }
            self.indent(indent);
            self.text(block.name).text(" ");
            if let Some(label) = examples.label(block) {
                self.text("\"").place(&label).text("\" ");
            }
            self.text("{\n");
            self.body((block, block.name), indent + 1, depth - 1, examples);
            self.indent(indent);
            self.text("}\n");
            some = true;
        }
        some
    }

    fn indent(&mut self, depth: usize) {
        (0..depth).for_each(|_| self.text.push_str("  "));
    }
}

/// Whether a block without this attribute is wrong; of those of which one must be there, the first counts.
pub(super) fn is_needed(block: &Block, attribute: &Attribute) -> bool {
    let first = |constraint: &Constraint| match constraint {
        Constraint::ExactlyOneOf(names) => names.first() == Some(&attribute.name),
        Constraint::NotAbove(..) => false,
    };
    attribute.deprecated.is_none()
        && (attribute.presence == Presence::Required || block.constraints.iter().any(first))
}

/// Text in which the editor finds no place.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('$', "\\$").replace('}', "\\}")
}

/// The text that a snippet leaves when nothing is filled in.
pub(super) fn plain(snippet: &str) -> String {
    let mut text = String::with_capacity(snippet.len());
    let mut chars = snippet.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.extend(chars.next()),
            '$' if chars.peek() == Some(&'{') => {
                chars.next();
                while chars.next_if(char::is_ascii_digit).is_some() {}
                let choice = chars.next() == Some('|');
                let mut kept = true;
                while let Some(c) = chars.next() {
                    match c {
                        '\\' => {
                            let escaped = chars.next();
                            text.extend(escaped.filter(|_| kept));
                        }
                        '}' => break,
                        ',' | '|' if choice => kept = false,
                        c if kept => text.push(c),
                        _ => {}
                    }
                }
            }
            '$' => while chars.next_if(char::is_ascii_digit).is_some() {},
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_of_a_snippet() {
        assert_eq!(plain(r#"type = "${1|vm,serverless|}"$0"#), r#"type = "vm""#);
        assert_eq!(plain(r"a = ${1:\{ b = \$x \}} \$y$0"), "a = { b = $x } $y");
        let mut snippet = Snippet::default();
        snippet.text("${x}").place("${y}").text("\\");
        assert_eq!(plain(&snippet.finish()), "${x}${y}\\");
    }
}
