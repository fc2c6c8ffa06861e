//! Completion: what may stand at the cursor, best first.
//!
//! Everything offered comes from the schema and from the names of the Nest. What never lives here: what a thing means
//! (see `facts`).

mod conditions;
mod examples;
mod items;
mod names;
mod standing;
mod texts;
mod values;

use fly_std::{
    functions::Function,
    policy::Field,
    schema::{Attribute, Block, Constraint, Place},
};
use flyc::{
    compiler::Compiler,
    syntax::{self, Kind, Parse},
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
    /// An attribute, under the constraints of its block.
    Attribute(&'static Attribute, &'static [Constraint]),
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
            Self::Attribute(attribute, constraints) => facts::attribute(attribute, constraints),
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

    /// The block at the top of the file that the cursor is in.
    fn root(&self) -> Option<syntax::Block<'a>> {
        self.parse.blocks().find(|block| self.is_within(*block))
    }

    /// The innermost block that the cursor is in, as far as the tree tells.
    fn around(&self) -> Option<syntax::Block<'a>> {
        let mut around = self.root()?;
        while let Some(inner) = around.blocks().find(|block| self.is_within(*block)) {
            around = inner;
        }
        Some(around)
    }

    fn is_within(&self, block: syntax::Block<'a>) -> bool {
        let Some(open) = block.open() else { return false };
        let closed = block.node().tokens().last().is_some_and(|last| last.kind() == Kind::CloseBrace);
        let end = block.node().range().end();
        // What is not closed goes on until something else begins.
        open.range().end() <= self.offset && (self.offset < end || !closed)
    }

    /// The word that the block around the cursor is written with.
    fn block_word(&self) -> &'a str {
        self.around().and_then(|block| block.keyword()).map_or("", |word| word.text())
    }

    /// Whether more braces are closed than opened after the cursor, so that one must be missing before it.
    fn lacks_open(&self) -> bool {
        let blocks =
            self.cursor.frames.iter().filter(|frame| matches!(frame, Frame::Block(_) | Frame::Map { .. }));
        let mut open = blocks.count();
        for token in self.parse.tree().tokens().iter().filter(|token| token.start >= self.offset.into()) {
            match token.kind {
                Kind::OpenBrace => open += 1,
                Kind::CloseBrace if open == 0 => return true,
                Kind::CloseBrace => open -= 1,
                _ => {}
            }
        }
        false
    }

    /// The name of the attribute that is being written.
    fn statement(&self) -> Option<&'a str> {
        let block = self.around()?;
        let before = block.attributes().filter(|one| one.node().range().start() <= self.offset);
        before.last()?.name().map(|name| name.text())
    }

    /// The names before the cursor that dots join, as in `egg.resources.`, and where they begin; the word the cursor is in
    /// is not among them.
    fn dotted(&self) -> (Vec<&'a str>, TextSize) {
        let before = &self.parse.text()[..self.cursor.word.start().into()];
        let start = before
            .trim_end_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
            .len();
        let names = before[start..].strip_suffix('.').map(|names| names.split('.').collect());
        (names.unwrap_or_default(), TextSize::try_from(start).unwrap_or_default())
    }

    /// Whether the bracket that is open around the cursor is closed by this kind further on.
    fn is_closed(&self, kind: Kind) -> bool {
        let mut depth = 0_u32;
        let tokens = self.parse.tree().tokens();
        for token in tokens.iter().filter(|token| token.start >= self.offset.into()) {
            match token.kind {
                Kind::OpenBrace | Kind::OpenBracket | Kind::OpenParen => depth += 1,
                Kind::CloseBrace | Kind::CloseBracket | Kind::CloseParen if depth == 0 => {
                    return token.kind == kind;
                }
                Kind::CloseBrace | Kind::CloseBracket | Kind::CloseParen => depth -= 1,
                _ => {}
            }
        }
        false
    }

    /// What stands after the word on its line: what begins there, and what it is.
    fn next_token(&self) -> Option<(Kind, TextRange)> {
        let tokens = self.parse.tree().tokens();
        let text = self.parse.text();
        let from =
            tokens.partition_point(|token| token.start < self.cursor.word.end().max(self.offset).into());
        let range = |at: usize| {
            let end = tokens.get(at + 1).map_or(TextSize::of(&**text), |next| next.start.into());
            TextRange::new(tokens[at].start.into(), end)
        };
        // Within brackets a line's end means nothing.
        let in_brackets = matches!(
            self.cursor.frames.last(),
            Some(Frame::List { .. } | Frame::Call { .. } | Frame::Paren { .. })
        );
        if !in_brackets && self.ends_line(from) {
            return None;
        }
        let mut rest = (from..tokens.len()).map(|at| (tokens[at].kind, range(at)));
        rest.find(|(kind, range)| !kind.is_trivia() || !in_brackets && text[*range].contains('\n'))
            .filter(|(kind, _)| *kind != Kind::Whitespace && !kind.is_trivia())
    }

    /// Whether the cursor's line ends before the token at this place, which is the first that begins after the cursor: the
    /// cursor may be within the space that leads to it.
    fn ends_line(&self, next: usize) -> bool {
        let text = self.parse.text();
        let end = self.parse.tree().tokens().get(next).map_or(text.len(), |next| next.start as usize);
        let start = usize::from(self.cursor.word.end().max(self.offset));
        text[start.min(end)..end].contains('\n') && !matches!(self.cursor.slot, Slot::Text { .. })
    }

    /// What stands on the cursor's line before the word.
    fn line_before(&self) -> &'a str {
        let before = &self.parse.text()[..self.cursor.word.start().into()];
        before.rfind('\n').map_or(before, |at| &before[at + 1..])
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
        Slot::Label { word, content } => items::label(&scene, word, content),
        Slot::Key { ty } => items::keys(&scene, ty),
        Slot::Value { ty, attribute } => values::values(&scene, ty, attribute),
        Slot::Member { ty } => values::members(&scene, ty),
        Slot::Text { ty, attribute, content } => texts::in_text(&scene, ty, attribute, content),
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
        items::punctuation(scene, text, snippet)
    };
    let closes = |kind: Kind| scene.is_closed(kind);
    let next = scene.next_token().map(|(kind, _)| kind);
    let alone =
        next.is_none_or(|kind| matches!(kind, Kind::CloseBrace | Kind::CloseBracket | Kind::CloseParen));
    match scene.cursor.frames.last() {
        _ if !alone => Vec::new(),
        Some(Frame::List { .. }) if closes(Kind::CloseBracket) => vec![close(", ")],
        Some(Frame::List { .. }) => vec![close("]"), close(", ")],
        Some(Frame::Call { .. }) if closes(Kind::CloseParen) => Vec::new(),
        Some(Frame::Call { function, argument, .. }) => {
            let more = function.is_some_and(|function| function.param(argument + 1).is_some());
            let needed = function.is_some_and(|function| argument + 1 < function.params.len());
            match (needed, more) {
                (true, _) => vec![close(", ")],
                (false, true) => vec![close(")"), close(", ")],
                (false, false) => vec![close(")")],
            }
        }
        Some(Frame::Paren { .. }) if closes(Kind::CloseParen) => Vec::new(),
        Some(Frame::Paren { .. }) => vec![close(")")],
        Some(Frame::Map { .. }) if closes(Kind::CloseBrace) => vec![close(", ")],
        Some(Frame::Map { .. }) => vec![close(" }"), close(", ")],
        Some(Frame::Block(_)) | None if next.is_none() => items::items(scene),
        Some(Frame::Block(_)) | None => Vec::new(),
    }
}

/// An item of the list that replaces the word at the cursor.
fn item(scene: &Scene<'_>, label: &str, kind: CompletionKind, snippet: snippet::Snippet) -> Completion {
    Completion {
        label: label.to_owned(),
        kind,
        detail: String::new(),
        doc: Doc::None,
        range: scene.cursor.word,
        snippet: snippet.finish(),
        filter: None,
        echoes: false,
    }
}
