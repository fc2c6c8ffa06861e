//! Completion: what may stand at the cursor, best first.
//!
//! Everything offered comes from the schema and from the names of the Nest. What never lives here: what a thing means
//! (see `facts`).

mod items;
mod values;

use fly_std::{
    functions::Function,
    policy::Field,
    schema::{Attribute, Block, Place},
};
use flyc::{
    compiler::Compiler,
    syntax::Parse,
    text::{TextRange, TextSize},
};

use super::{
    cursor::{Cursor, Frame, Slot},
    facts, snippet,
};

/// Something that may stand at the cursor.
#[derive(Debug, Clone)]
pub struct Completion {
    /// What it is called in the list.
    pub label: String,
    /// What it is.
    pub kind: CompletionKind,
    /// A few words beside the label: its type.
    pub detail: String,
    /// What it is.
    pub doc: Doc,
    /// What is replaced.
    pub range: TextRange,
    /// By what, in the notation of snippets.
    pub snippet: String,
    /// What the typed word is compared with, when it is not the label.
    pub filter: Option<String>,
    /// Whether it is the typed word itself, so that it is another with each letter.
    pub echoes: bool,
}

/// What a completion is, written out only when somebody reads it.
#[derive(Debug, Clone, Copy, Default)]
pub enum Doc {
    /// There is nothing to say.
    #[default]
    None,
    /// A sentence.
    Text(&'static str),
    /// An attribute.
    Attribute(&'static Attribute),
    /// A block.
    Block(&'static Block),
    /// A function.
    Function(&'static Function),
    /// A field of a condition.
    Field(&'static Field),
}

impl Doc {
    /// In Markdown; empty when there is nothing to say.
    pub fn markdown(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Text(text) => (*text).to_owned(),
            Self::Attribute(attribute) => facts::attribute(attribute),
            Self::Block(block) => facts::block(block),
            Self::Function(function) => facts::function(function),
            Self::Field(field) => facts::field(field),
        }
    }
}

impl Completion {
    /// The text for an editor that has no snippets.
    pub fn plain(&self) -> String {
        snippet::plain(&self.snippet)
    }
}

/// What a completion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CompletionKind {
    /// An attribute.
    Attribute,
    /// A block.
    Block,
    /// A value.
    Value,
    /// One of a closed set.
    Variant,
    /// A function.
    Function,
    /// A local, variable, profile or attribute by reference.
    Reference,
    /// An egg, bucket, job or Rift server.
    Entity,
    /// A field of a condition.
    Field,
    /// Punctuation that is missing.
    Punctuation,
}

/// What is asked about, put together once.
struct Scene<'a> {
    compiler: &'a Compiler,
    path: &'a str,
    parse: &'a Parse,
    cursor: Cursor<'a>,
    offset: TextSize,
}

impl<'a> Scene<'a> {
    /// The typed part of the word at the cursor.
    fn typed(&self) -> &'a str {
        let end = self.offset.min(self.cursor.word.end());
        &self.parse.text()[TextRange::new(self.cursor.word.start().min(end), end)]
    }

    /// How many blocks and other brackets are open.
    fn depth(&self) -> usize {
        self.cursor.frames.len()
    }

    /// The schema of the block around the cursor.
    fn schema(&self) -> Option<&'static Block> {
        self.cursor.block()?.schema
    }

    fn place(&self) -> Option<Place> {
        Place::of(self.path)
    }

    /// What stands on the cursor's line before the word.
    fn line_before(&self) -> &'a str {
        let before = &self.parse.text()[..self.cursor.word.start().into()];
        before.rfind('\n').map_or(before, |at| &before[at + 1..])
    }

    /// What stands on the cursor's line after the word.
    fn line_after(&self) -> &'a str {
        let after = &self.parse.text()[self.cursor.word.end().into()..];
        after.find('\n').map_or(after, |at| &after[..at])
    }
}

/// What may stand at an offset of a file, best first.
pub fn complete(compiler: &Compiler, path: &str, offset: TextSize) -> Vec<Completion> {
    let Some(parse) = compiler.parse(path) else { return Vec::new() };
    let offset = offset.min(TextSize::of(&**parse.text()));
    let cursor = Cursor::at(parse, offset);
    let scene = Scene { compiler, path, parse, cursor, offset };
    let mut found = match scene.cursor.slot {
        Slot::Comment => Vec::new(),
        Slot::Item => items::items(&scene),
        Slot::AfterWord { word, labelled } => items::after_word(&scene, word, labelled),
        Slot::Label { word } => items::label(&scene, word),
        Slot::Key { ty } => items::keys(&scene, ty),
        Slot::Value { ty, attribute } => values::values(&scene, ty, attribute),
        Slot::Member { base } => values::members(&scene, base),
        Slot::Text { ty, attribute, content } => values::in_text(&scene, ty, attribute, content),
        Slot::AfterValue => after_value(&scene),
    };
    let text = parse.text();
    let rank = |found: &Completion| {
        // What is typed so far of what would be replaced.
        let typed = text[TextRange::new(found.range.start().min(offset), offset)].to_lowercase();
        let label = found.filter.as_deref().unwrap_or(&found.label).to_lowercase();
        let label = label.trim_start_matches('"');
        if label.starts_with(&typed) { Some(0) } else { is_subsequence(&typed, label).then_some(1) }
    };
    found.retain(|found| rank(found).is_some());
    found.sort_by_key(rank);
    found
}

/// Whether the letters of a word stand in a text in this order.
fn is_subsequence(word: &str, text: &str) -> bool {
    let mut letters = text.chars();
    word.chars().all(|wanted| letters.any(|letter| letter == wanted))
}

/// What may follow a whole value: the end of what is open, or the next item on a line of its own.
fn after_value(scene: &Scene<'_>) -> Vec<Completion> {
    let close = |text: &str| {
        let mut snippet = snippet::Snippet::default();
        snippet.text(text);
        Completion {
            label: text.to_owned(),
            kind: CompletionKind::Punctuation,
            detail: String::new(),
            doc: Doc::None,
            range: TextRange::empty(scene.offset),
            snippet: snippet.finish(),
            filter: Some(String::new()),
            echoes: false,
        }
    };
    match scene.cursor.frames.last() {
        Some(Frame::List { .. }) => vec![close("]"), close(", ")],
        Some(Frame::Call { function, argument }) => {
            let more = function.is_some_and(|function| function.param(argument + 1).is_some());
            if more { vec![close(", "), close(")")] } else { vec![close(")")] }
        }
        Some(Frame::Paren { .. }) => vec![close(")")],
        Some(Frame::Map { .. }) => vec![close(" }"), close(", ")],
        Some(Frame::Block(_)) | None => items::items(scene),
    }
}
