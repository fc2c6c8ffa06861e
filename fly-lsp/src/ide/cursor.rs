//! Where the cursor stands, told from the tokens alone: text that is being typed has no tree worth asking.
//!
//! What never lives here: what can be said about that place.

use fly_std::{
    Type,
    functions::{self, Function},
    schema::{self, Attribute, Block},
};
use flyc::{
    syntax::{Kind, Parse},
    text::{TextRange, TextSize},
};

/// The place of the cursor.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'p> {
    /// What is open around it, outermost first.
    pub(super) frames: Vec<Frame<'p>>,
    /// What stands or may stand here.
    pub(super) slot: Slot<'p>,
    /// The word the cursor is in or at the end of; empty when there is none.
    pub(super) word: TextRange,
    /// Every block that was met, which [`Frame::Block`] names by its index.
    pub(super) blocks: Vec<BlockInfo<'p>>,
}

/// A block on the way.
#[derive(Debug, Clone)]
pub(super) struct BlockInfo<'p> {
    /// What it may hold.
    pub(super) schema: Option<&'static Block>,
    /// The names written in it, and whether each begins a block. The one at the cursor is not among them.
    pub(super) names: Vec<(&'p str, bool)>,
}

/// Something that is open around the cursor.
#[derive(Debug, Clone, Copy)]
pub(super) enum Frame<'p> {
    /// A block, by its index.
    Block(usize),
    /// `{ … }` as a value.
    Map {
        /// What it holds.
        ty: Option<Type>,
        /// The key of the entry that is being written.
        key: Option<&'p str>,
    },
    /// `[ … ]`
    List {
        /// What it holds.
        ty: Option<Type>,
        /// The attribute whose value it is.
        attribute: Option<&'static Attribute>,
    },
    /// `name( … )`
    Call {
        /// What is called.
        name: &'p str,
        /// The function of that name in the tables.
        function: Option<&'static Function>,
        /// The argument at the cursor, from 0.
        argument: usize,
    },
    /// `( … )`
    Paren {
        /// What it comes to.
        ty: Option<Type>,
    },
}

/// What stands or may stand at the cursor.
#[derive(Debug, Clone, Copy)]
pub(super) enum Slot<'p> {
    /// The first word of an attribute or block.
    Item,
    /// What follows the first word: `=`, a label or `{`.
    AfterWord {
        /// The word.
        word: &'p str,
        /// Whether its label stands already.
        labelled: bool,
    },
    /// A value.
    Value {
        /// Of which type, if that is known.
        ty: Option<Type>,
        /// The attribute, when the schema knows it.
        attribute: Option<&'static Attribute>,
    },
    /// The name after a dot.
    Member {
        /// Of which type the whole value is, if that is known.
        ty: Option<Type>,
    },
    /// The inside of a string or heredoc.
    Text {
        /// Of which type the value is, if that is known.
        ty: Option<Type>,
        /// The attribute, when the schema knows it.
        attribute: Option<&'static Attribute>,
        /// The text between the quotes.
        content: TextRange,
    },
    /// The label of a block.
    Label {
        /// The keyword.
        word: &'p str,
        /// The text between the quotes.
        content: TextRange,
    },
    /// The key of a map.
    Key {
        /// What the map holds.
        ty: Option<Type>,
    },
    /// After a whole value, where an operator or the end of the line may follow.
    AfterValue,
    /// A comment.
    Comment,
}

/// How far the statement at hand has come.
#[derive(Debug, Clone, Copy)]
enum State<'p> {
    Start,
    Word { word: &'p str, labelled: bool },
    Value { attribute: Option<&'static Attribute>, ty: Option<Type>, last: Option<Kind>, word: &'p str },
}

struct Scanner<'p> {
    frames: Vec<(Frame<'p>, State<'p>)>,
    blocks: Vec<BlockInfo<'p>>,
    state: State<'p>,
}

impl<'p> Cursor<'p> {
    /// The place of an offset.
    pub(super) fn at(parse: &'p Parse, offset: TextSize) -> Self {
        let tokens = parse.tree().tokens();
        let text = parse.text();
        let end_of = |at: usize| tokens.get(at + 1).map_or(TextSize::of(&**text), |next| next.start.into());
        let mut scanner = Scanner { frames: Vec::new(), blocks: Vec::new(), state: State::Start };
        let mut found: Option<(Vec<Frame<'p>>, Slot<'p>, TextRange)> = None;
        for (at, token) in tokens.iter().enumerate() {
            let range = TextRange::new(token.start.into(), end_of(at));
            let next = Next { tokens, at, text };
            if found.is_none() && Self::holds(token.kind, range, offset) {
                let before = TextRange::new(range.start(), offset);
                if token.kind == Kind::Whitespace && text[before].contains('\n') {
                    scanner.line_end(&next);
                }
                let slot = scanner.slot(token.kind, range, offset);
                let word = match token.kind {
                    Kind::Ident | Kind::Number => range,
                    _ => TextRange::empty(offset),
                };
                found = Some((scanner.open(), slot, word));
            }
            let here = found.as_ref().is_some_and(|(.., word)| !word.is_empty() && *word == range);
            scanner.take(token.kind, &text[range], here, &next);
        }
        let (frames, slot, word) = found.unwrap_or_else(|| {
            let slot = scanner.slot(Kind::Whitespace, TextRange::empty(offset), offset);
            (scanner.open(), slot, TextRange::empty(offset))
        });
        Self { frames, slot, word, blocks: scanner.blocks }
    }

    /// Whether the cursor belongs to this token. A word holds its end as well, since it may be typed on; between two
    /// tokens that are no words it belongs to the second.
    fn holds(kind: Kind, range: TextRange, offset: TextSize) -> bool {
        match kind {
            Kind::Ident
            | Kind::Number
            | Kind::UnclosedString
            | Kind::UnclosedHeredoc
            | Kind::UnclosedComment
            | Kind::Comment
            | Kind::DocComment => range.contains_inclusive(offset),
            _ => range.contains(offset),
        }
    }

    /// The innermost block around the cursor.
    pub(super) fn block(&self) -> Option<&BlockInfo<'p>> {
        self.frames.iter().rev().find_map(|frame| match frame {
            Frame::Block(at) => self.blocks.get(*at),
            _ => None,
        })
    }

    /// The call whose argument the cursor is: its function and the argument.
    pub(super) fn call(&self) -> Option<(&'static Function, usize)> {
        match self.frames.last()? {
            Frame::Call { function, argument, .. } => Some(((*function)?, *argument)),
            _ => None,
        }
    }

    /// The innermost call around the cursor, however deep the cursor is in one of its arguments.
    pub(super) fn call_around(&self) -> Option<(&'static Function, usize)> {
        let inner = self.frames.iter().rev().take_while(|frame| !matches!(frame, Frame::Block(_)));
        inner.into_iter().find_map(|frame| match frame {
            Frame::Call { function, argument, .. } => Some(((*function)?, *argument)),
            _ => None,
        })
    }
}

/// The tokens after the one at hand.
struct Next<'a> {
    tokens: &'a [flyc::syntax::Token],
    at: usize,
    text: &'a str,
}

impl Next<'_> {
    /// Whether an attribute or block begins next.
    fn begins_item(&self) -> bool {
        let mut rest = self.tokens[self.at + 1..].iter().filter(|token| !token.kind.is_trivia());
        let first = rest.next().map(|token| token.kind);
        let second = rest.next().map(|token| token.kind);
        first == Some(Kind::Ident)
            && matches!(second, Some(Kind::Equals | Kind::OpenBrace | Kind::String) | None)
    }

    /// Whether `{` follows on the same line, with or without a label between.
    fn opens_block(&self) -> bool {
        let rest = &self.tokens[self.at + 1..];
        let text_of = |at: usize| {
            let end = rest.get(at + 1).map_or(self.text.len(), |next| next.start as usize);
            &self.text[rest[at].start as usize..end]
        };
        (0..rest.len())
            .take_while(|&at| rest[at].kind != Kind::Whitespace || !text_of(at).contains('\n'))
            .map(|at| rest[at])
            .filter(|token| !token.kind.is_trivia())
            .find(|token| !matches!(token.kind, Kind::Ident | Kind::String | Kind::Number | Kind::Minus))
            .is_some_and(|token| token.kind == Kind::OpenBrace)
    }
}

impl<'p> Scanner<'p> {
    fn open(&self) -> Vec<Frame<'p>> {
        self.frames.iter().map(|(frame, _)| *frame).collect()
    }

    /// The schema of the block around, and whether there is one.
    fn around(&self) -> Option<&BlockInfo<'p>> {
        match self.frames.last()?.0 {
            Frame::Block(at) => self.blocks.get(at),
            _ => None,
        }
    }

    /// What stands at the cursor, which is in this token.
    fn slot(&self, kind: Kind, range: TextRange, offset: TextSize) -> Slot<'p> {
        if kind.is_comment() && range.start() < offset {
            return Slot::Comment;
        }
        let in_text = range.start() < offset
            && matches!(kind, Kind::String | Kind::UnclosedString | Kind::Heredoc | Kind::UnclosedHeredoc);
        match self.state {
            State::Start => match self.frames.last() {
                Some((Frame::Map { ty, .. }, _)) => Slot::Key { ty: *ty },
                Some((Frame::List { ty, .. } | Frame::Paren { ty }, _)) => {
                    self.value(*ty, None, in_text, range, kind)
                }
                Some((Frame::Call { .. }, _)) => self.value(None, None, in_text, range, kind),
                Some((Frame::Block(_), _)) | None => Slot::Item,
            },
            State::Word { word, labelled } => {
                if in_text {
                    Slot::Label { word, content: content(range, kind) }
                } else {
                    Slot::AfterWord { word, labelled }
                }
            }
            State::Value { attribute, ty, last, .. } => match last {
                Some(Kind::Dot) => Slot::Member { ty },
                Some(last) if ends_value(last) && !(in_text) => Slot::AfterValue,
                _ => self.value(ty, attribute, in_text, range, kind),
            },
        }
    }

    #[allow(clippy::unused_self, reason = "one of the ways to a slot")]
    fn value(
        &self,
        ty: Option<Type>,
        attribute: Option<&'static Attribute>,
        in_text: bool,
        range: TextRange,
        kind: Kind,
    ) -> Slot<'p> {
        if !in_text {
            return Slot::Value { ty, attribute };
        }
        let content = content(range, kind);
        Slot::Text { ty, attribute, content }
    }

    /// Goes past a token. `here` says that the cursor is in it, so that its name is not taken for a written one.
    fn take(&mut self, kind: Kind, text: &'p str, here: bool, next: &Next<'_>) {
        if kind == Kind::Whitespace {
            if text.contains('\n') {
                self.line_end(next);
            }
            return;
        }
        if kind.is_trivia() {
            return;
        }
        match kind {
            Kind::OpenBrace => self.open_brace(),
            Kind::OpenBracket => {
                let ty = match self.expected() {
                    Some(Type::List(item)) => Some(*item),
                    _ => None,
                };
                let attribute = match self.state {
                    State::Value { attribute, last: None, .. } => attribute,
                    _ => None,
                };
                self.push(Frame::List { ty, attribute });
            }
            Kind::OpenParen => self.open_paren(),
            Kind::CloseBrace | Kind::CloseBracket | Kind::CloseParen => self.close(kind),
            Kind::Comma => self.comma(),
            Kind::Equals => self.equals(),
            Kind::Ident => self.ident(text, here, next),
            _ => self.other(kind),
        }
    }

    fn line_end(&mut self, next: &Next<'_>) {
        if !matches!(self.frames.last(), None | Some((Frame::Block(_) | Frame::Map { .. }, _))) {
            return;
        }
        let over = match self.state {
            State::Start => return,
            State::Word { .. } => true,
            State::Value { last, .. } => last.is_some_and(ends_value) || next.begins_item(),
        };
        if over {
            self.state = State::Start;
        }
    }

    /// The type of the value that may begin here.
    fn expected(&self) -> Option<Type> {
        match (self.state, self.frames.last()) {
            (State::Value { ty, .. }, _) => ty,
            (State::Start, Some((Frame::List { ty, .. } | Frame::Paren { ty }, _))) => *ty,
            _ => None,
        }
    }

    fn push(&mut self, frame: Frame<'p>) {
        self.frames.push((frame, self.state));
        self.state = State::Start;
    }

    fn open_brace(&mut self) {
        if let State::Word { word, .. } = self.state
            && matches!(self.frames.last(), None | Some((Frame::Block(_), _)))
        {
            let schema = match self.around() {
                None => schema::root(word).map(|root| root.block),
                Some(info) => info
                    .schema
                    .and_then(|schema| schema.child(word).map(|child| child.block).or(schema.free_blocks)),
            };
            self.blocks.push(BlockInfo { schema, names: Vec::new() });
            self.push(Frame::Block(self.blocks.len() - 1));
            return;
        }
        let ty = self.expected();
        self.push(Frame::Map { ty, key: None });
    }

    fn open_paren(&mut self) {
        let frame = match self.state {
            State::Value { last: Some(Kind::Ident), word, .. } => {
                Frame::Call { name: word, function: functions::describe(word), argument: 0 }
            }
            _ => Frame::Paren { ty: self.expected() },
        };
        self.push(frame);
    }

    fn close(&mut self, kind: Kind) {
        let matches = |frame: &Frame<'_>| match frame {
            Frame::Block(_) | Frame::Map { .. } => kind == Kind::CloseBrace,
            Frame::List { .. } => kind == Kind::CloseBracket,
            Frame::Call { .. } | Frame::Paren { .. } => kind == Kind::CloseParen,
        };
        let Some(at) = self.frames.iter().rposition(|(frame, _)| matches(frame)) else { return };
        let (frame, before) = self.frames[at];
        self.frames.truncate(at);
        self.state = match (frame, before) {
            (Frame::Block(_), _) => State::Start,
            (_, State::Value { attribute, ty, word, .. }) => {
                State::Value { attribute, ty, last: Some(kind), word }
            }
            // An element of a list or an argument is a value, too.
            _ => State::Value { attribute: None, ty: None, last: Some(kind), word: "" },
        };
    }

    fn comma(&mut self) {
        self.state = State::Start;
        if let Some((Frame::Call { argument, .. }, _)) = self.frames.last_mut() {
            *argument += 1;
        }
    }

    fn equals(&mut self) {
        let State::Word { word, .. } = self.state else { return self.other(Kind::Equals) };
        let (attribute, ty) = match self.frames.last_mut() {
            Some((Frame::Map { ty, key }, _)) => {
                *key = Some(word);
                let field = match ty {
                    Some(Type::Object(fields)) => fields.iter().find(|field| field.name == word),
                    _ => None,
                };
                let ty = match ty {
                    Some(Type::Map(item)) => Some(**item),
                    _ => field.map(|field| field.ty),
                };
                (field, ty)
            }
            _ => {
                let schema = self.around().and_then(|info| info.schema);
                let known = schema.and_then(|schema| schema.attribute(word));
                let free = schema.and_then(|schema| schema.free_attributes.as_ref());
                (known.or(free), known.or(free).map(|attribute| attribute.ty))
            }
        };
        self.state = State::Value { attribute, ty, last: None, word: "" };
    }

    fn ident(&mut self, text: &'p str, here: bool, next: &Next<'_>) {
        match self.state {
            State::Start => match self.frames.last() {
                None | Some((Frame::Block(_) | Frame::Map { .. }, _)) => {
                    if let Some((Frame::Block(at), _)) = self.frames.last()
                        && !here
                    {
                        let is_block = next.opens_block();
                        if let Some(info) = self.blocks.get_mut(*at) {
                            info.names.push((text, is_block));
                        }
                    }
                    self.state = State::Word { word: text, labelled: false };
                }
                _ => {
                    let ty = self.expected();
                    self.state = State::Value { attribute: None, ty, last: Some(Kind::Ident), word: text };
                }
            },
            State::Word { word, .. } => self.state = State::Word { word, labelled: true },
            State::Value { attribute, ty, last, .. } => {
                // After a dot the value goes on; `word` stays what it is only for the first name.
                let word = if last == Some(Kind::Dot) { "" } else { text };
                self.state = State::Value { attribute, ty, last: Some(Kind::Ident), word };
            }
        }
    }

    fn other(&mut self, kind: Kind) {
        self.state = match self.state {
            State::Start => match self.frames.last() {
                Some((Frame::List { .. } | Frame::Paren { .. } | Frame::Call { .. }, _)) => {
                    let ty = self.expected();
                    State::Value { attribute: None, ty, last: Some(kind), word: "" }
                }
                _ => State::Start,
            },
            State::Word { word, labelled } => {
                let label = matches!(kind, Kind::String | Kind::UnclosedString | Kind::Number | Kind::Minus);
                State::Word { word, labelled: labelled || label }
            }
            State::Value { attribute, ty, word, .. } => {
                let word = if kind == Kind::Dot { word } else { "" };
                let (attribute, ty) = match kind {
                    _ if ends_value(kind) || kind == Kind::Dot => (attribute, ty),
                    // What is compared is of any type, which need not be that of the whole.
                    _ if compares(kind) => (None, None),
                    Kind::And | Kind::Or | Kind::Not => (None, Some(Type::Bool)),
                    // The value goes on: it is no longer one of those the attribute begins with.
                    _ => (None, ty),
                };
                State::Value { attribute, ty, last: Some(kind), word }
            }
        };
    }
}

/// What is within the quotes of a string; of a heredoc its whole.
fn content(range: TextRange, kind: Kind) -> TextRange {
    let one = TextSize::from(1);
    match kind {
        Kind::String => TextRange::new(range.start() + one, range.end() - one),
        Kind::UnclosedString => TextRange::new(range.start() + one, range.end()),
        _ => range,
    }
}

/// Whether a token stands between two values that are compared.
const fn compares(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::EqualsEquals
            | Kind::NotEquals
            | Kind::Less
            | Kind::LessEquals
            | Kind::Greater
            | Kind::GreaterEquals
    )
}

/// Whether a value may be whole after this token.
const fn ends_value(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Ident
            | Kind::Number
            | Kind::String
            | Kind::UnclosedString
            | Kind::Heredoc
            | Kind::UnclosedHeredoc
            | Kind::CloseBrace
            | Kind::CloseBracket
            | Kind::CloseParen
    )
}
