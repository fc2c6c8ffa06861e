//! The parser's stream: the tokens that matter, with what the grammar must know about the space between them.
//!
//! Here brackets are paired before the grammar sees them. That decides three things a grammar can't: which line
//! ends separate attributes (those outside brackets), where an unclosed bracket must have ended (before the next
//! line that begins an attribute or block), and which tokens are nested too deeply. Only when a file's braces do
//! not pair is its indentation asked where one is missing or one too many.

use super::{
    NESTING_LIMIT,
    token::{Kind, Token},
};

/// One token as the grammar sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tok {
    pub(super) kind: Kind,
    /// A line end that separates attributes stands before it.
    pub(super) newline: bool,
    /// It begins an attribute or block although a `[`, `(` or map is still open.
    pub(super) resync: bool,
    /// It belongs to the name before it: `-app` of `egg.my-app`, `<string>` of `list<string>`.
    pub(super) joined: bool,
    /// Its index among all tokens; for a virtual one, that of the token it stands before.
    pub(super) token: u32,
}

/// The tokens that matter.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) tokens: Vec<Tok>,
    /// The first token nested too deeply.
    pub(super) too_deep: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Block,
    Map,
    Bracket,
    Paren,
}

impl Stream {
    /// The stream of a file.
    pub(super) fn of_file(text: &str, tokens: &[Token]) -> Self {
        let significant = significant(text, tokens);
        let (mut stream, balance) = pair(text, tokens, &significant, None);
        if balance != Balance::Even {
            let (repaired, after) = pair(text, tokens, &significant, Some(balance));
            // Where the indentation says nothing, asking it makes things worse.
            if !(balance == Balance::Unclosed && after == Balance::Excess) {
                stream = repaired;
            }
        }
        super::joined::mark(text, tokens, &mut stream.tokens);
        stream
    }

    /// The stream of a single expression: no line end separates anything.
    pub(super) fn of_expression(text: &str, tokens: &[Token]) -> Self {
        let mut stream = Self::of_file(text, tokens);
        for token in &mut stream.tokens {
            token.newline = false;
            token.resync = false;
        }
        stream
    }
}

/// A token that is not trivia, and whether it is the first of its line.
struct Significant {
    index: u32,
    kind: Kind,
    first_of_line: bool,
}

fn significant(text: &str, tokens: &[Token]) -> Vec<Significant> {
    let mut result = Vec::with_capacity(tokens.len() / 2 + 1);
    let mut first_of_line = true;
    for (index, token) in tokens.iter().enumerate() {
        if token.kind.is_trivia() {
            let end = tokens.get(index + 1).map_or(text.len(), |next| next.start as usize);
            first_of_line |= text.as_bytes()[token.start as usize..end].contains(&b'\n');
            continue;
        }
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        result.push(Significant { index, kind: token.kind, first_of_line });
        first_of_line = false;
    }
    result
}

/// Whether the braces of a file pair.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Balance {
    Even,
    Unclosed,
    Excess,
}

impl Open {
    const fn is_brace(self) -> bool {
        matches!(self, Self::Block | Self::Map)
    }
}

struct Frame {
    open: Open,
    /// The nesting just outside.
    outer: u32,
    /// The indentation of the line that opened it.
    indent: usize,
    /// The first token of that line.
    line: usize,
}

fn pair(text: &str, tokens: &[Token], all: &[Significant], repair: Option<Balance>) -> (Stream, Balance) {
    let mut stream = Vec::with_capacity(all.len());
    let mut frames: Vec<Frame> = Vec::new();
    let (mut depth, mut line_indent, mut braces) = (0_u32, 0_usize, 0_usize);
    let (mut excess, mut too_deep) = (false, None);
    // The line the pass is at, and whether a `}` stood for a `]` or `)` on it.
    let (mut line, mut mismatch) = (0_usize, false);
    // The last token of a block's header whose `{` is missing.
    let mut unopened = None;

    for (at, token) in all.iter().enumerate() {
        let previous = at.checked_sub(1).map(|before| all[before].kind);
        let next = |n: usize| all.get(at + n).map(|next| (next.kind, next.first_of_line));
        let begins_item = token.first_of_line && begins_item(token.kind, &next);
        let mut resync = false;
        let mut kind = token.kind;
        if token.first_of_line {
            line = at;
            resync = std::mem::take(&mut mismatch);
        }

        if token.first_of_line && repair.is_some() {
            line_indent = indent(text, tokens[token.index as usize].start as usize);
        }
        let unopened_map = begins_item
            && frames.last().is_some_and(|frame| frame.open == Open::Bracket)
            && closes_on_its_line(&all[at..]);
        if unopened_map {
            // `name = "x" },` in a list: the `{` is what is missing.
            braces += 1;
            frames.push(Frame { open: Open::Map, outer: depth, indent: line_indent, line });
            depth += 1;
            stream.push(Tok {
                kind: Kind::VirtualOpen,
                newline: false,
                resync: false,
                joined: false,
                token: token.index,
            });
        }
        if begins_item {
            // An open `[` or `(` cannot hold an attribute, nor a map a block.
            let is_attribute = matches!(next(1), Some((Kind::Equals, _)));
            while let Some(frame) = frames.last() {
                let holds = match frame.open {
                    Open::Block => true,
                    Open::Map => is_attribute,
                    Open::Bracket | Open::Paren => false,
                };
                if holds {
                    break;
                }
                resync = true;
                braces -= usize::from(frame.open.is_brace());
                frames.pop();
            }
        }
        if repair == Some(Balance::Unclosed)
            && token.first_of_line
            && (begins_item || kind == Kind::CloseBrace)
        {
            while let Some(frame) = frames.last() {
                let outdented = if kind == Kind::CloseBrace {
                    line_indent < frame.indent
                } else {
                    line_indent <= frame.indent
                };
                if frame.open != Open::Block || !outdented {
                    break;
                }
                frames.pop();
                braces -= 1;
                stream.push(Tok {
                    kind: Kind::VirtualClose,
                    newline: false,
                    resync: false,
                    joined: false,
                    token: token.index,
                });
            }
        }
        if repair == Some(Balance::Excess) && token.first_of_line && kind == Kind::Ident {
            unopened = unopened_header(text, tokens, &all[at..], line_indent).map(|last| at + last);
        }
        // A map that an element or the end of a list stands in was never closed.
        let ended = match kind {
            Kind::OpenBrace => {
                let element = matches!(previous, Some(Kind::Comma | Kind::UnclosedString));
                usize::from(element && ends_with(&frames, &[Open::Bracket, Open::Map]))
            }
            Kind::CloseBracket => {
                let maps = frames.iter().rev().take_while(|frame| frame.open == Open::Map).count();
                let list = frames.iter().rev().nth(maps).is_some_and(|frame| frame.open == Open::Bracket);
                if list { maps } else { 0 }
            }
            _ => 0,
        };
        for _ in 0..ended {
            depth = frames.pop().map_or(depth, |frame| frame.outer);
            braces -= 1;
            let virtual_close = Tok {
                kind: Kind::VirtualClose,
                newline: false,
                resync: false,
                joined: false,
                token: token.index,
            };
            stream.push(virtual_close);
        }
        depth = depth_after(depth, token, &frames);

        let newline =
            token.first_of_line && (resync || frames.last().is_none_or(|frame| frame.open.is_brace()));
        match kind {
            Kind::OpenBrace => {
                let open = if matches!(previous, Some(Kind::Ident | Kind::String | Kind::Number)) {
                    Open::Block
                } else {
                    Open::Map
                };
                braces += 1;
                frames.push(Frame { open, outer: depth, indent: line_indent, line });
                depth += 1;
            }
            Kind::OpenBracket | Kind::OpenParen => {
                let open = if kind == Kind::OpenParen { Open::Paren } else { Open::Bracket };
                frames.push(Frame { open, outer: depth, indent: line_indent, line });
                depth += 1;
            }
            Kind::CloseBrace => {
                let stray = repair == Some(Balance::Excess)
                    && !excess
                    && token.first_of_line
                    && (frames.last().is_none_or(|frame| line_indent > frame.indent)
                        || goes_on_deeper(text, tokens, all.get(at + 1), line_indent));
                let in_list = repair == Some(Balance::Excess)
                    && !excess
                    && token.first_of_line
                    && matches!(frames.last().map(|frame| frame.open), Some(Open::Bracket | Open::Paren));
                if closes_bracket(&frames, line) {
                    // `["a", "b"}`: the wrong bracket, and the end of the list all the same.
                    kind = Kind::Unknown;
                    depth = frames.pop().map_or(0, |frame| frame.outer) + 1;
                    mismatch = true;
                } else if in_list {
                    // Nothing in the list ends here, so the list goes on.
                    kind = Kind::Unknown;
                    excess = true;
                } else if stray || braces == 0 {
                    kind = Kind::StrayClose;
                    excess = true;
                } else {
                    // Brackets still open inside end here too.
                    while let Some(frame) = frames.pop() {
                        depth = frame.outer + 1;
                        if frame.open.is_brace() {
                            break;
                        }
                    }
                    braces -= 1;
                }
            }
            Kind::CloseBracket | Kind::CloseParen => {
                let wanted = if kind == Kind::CloseParen { Open::Paren } else { Open::Bracket };
                if frames.last().is_some_and(|frame| frame.open == wanted) {
                    // One more than before: `a[0][0]` nests to the left.
                    depth = frames.pop().map_or(0, |frame| frame.outer) + 1;
                }
            }
            _ => {}
        }
        if depth > NESTING_LIMIT {
            too_deep.get_or_insert(token.index);
            kind = Kind::TooDeep;
        }
        stream.push(Tok { kind, newline, resync, joined: false, token: token.index });
        if unopened == Some(at) {
            unopened = None;
            braces += 1;
            frames.push(Frame { open: Open::Block, outer: depth, indent: line_indent, line });
            depth += 1;
            stream.push(Tok {
                kind: Kind::VirtualOpen,
                newline: false,
                resync: false,
                joined: false,
                token: token.index + 1,
            });
        }
        if kind == Kind::UnclosedString
            && previous == Some(Kind::Ident)
            && ends_with_brace(text, tokens, token)
        {
            // `egg "my-app {`: the quote is what is missing, the block is there.
            braces += 1;
            frames.push(Frame { open: Open::Block, outer: depth, indent: line_indent, line });
            depth += 1;
            stream.push(Tok {
                kind: Kind::VirtualOpen,
                newline: false,
                resync: false,
                joined: false,
                token: token.index + 1,
            });
        }
    }

    let balance = if excess {
        Balance::Excess
    } else if frames.iter().any(|frame| frame.open == Open::Block) {
        Balance::Unclosed
    } else {
        Balance::Even
    };
    (Stream { tokens: stream, too_deep }, balance)
}

/// Operators nest to the left, each one level; a line end or a comma goes back to the bracket's own level.
fn depth_after(depth: u32, token: &Significant, frames: &[Frame]) -> u32 {
    let base = frames.last().map_or(0, |frame| frame.outer + 1);
    match token.kind {
        Kind::Comma => base,
        _ if token.first_of_line && frames.last().is_none_or(|frame| frame.open.is_brace()) => base,
        Kind::Dot
        | Kind::Question
        | Kind::Plus
        | Kind::Minus
        | Kind::Star
        | Kind::Slash
        | Kind::Percent
        | Kind::EqualsEquals
        | Kind::NotEquals
        | Kind::Less
        | Kind::LessEquals
        | Kind::Greater
        | Kind::GreaterEquals
        | Kind::And
        | Kind::Or
        | Kind::Not => depth + 1,
        _ => depth,
    }
}

fn ends_with(frames: &[Frame], open: &[Open]) -> bool {
    frames.len() >= open.len()
        && frames[frames.len() - open.len()..].iter().map(|frame| frame.open).eq(open.iter().copied())
}

/// Whether the lines after a `}` are indented more than it, so that it can't have been their block's end.
fn goes_on_deeper(text: &str, tokens: &[Token], next: Option<&Significant>, line_indent: usize) -> bool {
    next.is_some_and(|next| {
        next.first_of_line
            && next.kind != Kind::CloseBrace
            && indent(text, tokens[next.index as usize].start as usize) > line_indent
    })
}

/// The last token of a line that is a word and perhaps labels with deeper lines below it: a header without its `{`.
fn unopened_header(text: &str, tokens: &[Token], line: &[Significant], line_indent: usize) -> Option<usize> {
    let labels = line
        .iter()
        .skip(1)
        .take_while(|token| !token.first_of_line && matches!(token.kind, Kind::String | Kind::Ident));
    let last = labels.count();
    goes_on_deeper(text, tokens, line.get(last + 1), line_indent).then_some(last)
}

/// Whether a line has a `}` for which it has no `{`.
fn closes_on_its_line(line: &[Significant]) -> bool {
    let rest = line.iter().enumerate().take_while(|(at, token)| *at == 0 || !token.first_of_line);
    let mut open = 0_usize;
    for (_, token) in rest {
        match token.kind {
            Kind::OpenBrace => open += 1,
            Kind::CloseBrace if open == 0 => return true,
            Kind::CloseBrace => open -= 1,
            _ => {}
        }
    }
    false
}

fn begins_item(kind: Kind, next: &dyn Fn(usize) -> Option<(Kind, bool)>) -> bool {
    kind == Kind::Ident
        && match next(1) {
            Some((Kind::Equals | Kind::OpenBrace, false)) => true,
            Some((Kind::String | Kind::Ident, false)) => matches!(next(2), Some((Kind::OpenBrace, false))),
            _ => false,
        }
}

/// Whether a `}` stands for the `]` or `)` of a bracket that was opened on its line, in a block that was not.
fn closes_bracket(frames: &[Frame], line: usize) -> bool {
    let bracket = frames.last().is_some_and(|frame| !frame.open.is_brace() && frame.line == line);
    let brace = frames.iter().rev().take(8).find(|frame| frame.open.is_brace());
    bracket && brace.is_some_and(|frame| frame.line != line)
}

fn ends_with_brace(text: &str, tokens: &[Token], token: &Significant) -> bool {
    let end = tokens.get(token.index as usize + 1).map_or(text.len(), |next| next.start as usize);
    text[tokens[token.index as usize].start as usize..end].trim_end().ends_with('{')
}

/// How far the line of an offset is indented, in bytes.
fn indent(text: &str, offset: usize) -> usize {
    let line = text[..offset].rfind('\n').map_or(0, |end| end + 1);
    text.as_bytes()[line..offset].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}
