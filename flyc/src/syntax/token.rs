//! Tokens: what the lexer makes of a text. They tile it: joined, they are the text.

use logos::{Lexer, Logos};

/// What a token is.
#[derive(Logos, Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[logos(extras = Patience)]
pub enum Kind {
    // A pattern may not repeat anything beyond ASCII: without optimization that takes stack for each letter.
    /// Spaces, tabs, line ends and a byte order mark.
    #[regex("[ \t\r\n]+")]
    #[token("\u{feff}")]
    Whitespace,
    /// `# …` or `// …`, without the line end.
    #[token("#", line_comment)]
    #[token("//", line_comment)]
    Comment,
    /// `/// …`, documentation of what follows.
    #[token("///", doc_comment)]
    DocComment,
    /// `/* … */`
    #[token("/*", block_comment)]
    BlockComment,
    /// `/* …` to the end of the file.
    UnclosedComment,

    /// A name.
    #[regex("[A-Za-z_][A-Za-z0-9_]*")]
    Ident,
    /// A number, with or without a unit: `2`, `1_000`, `1.5`, `10m`, `4GiB`, `80%`.
    #[regex("[0-9][0-9A-Za-z_]*", number)]
    Number,
    /// `"…"`
    #[token("\"", string)]
    String,
    /// `"…` to the end of the line.
    UnclosedString,
    /// `<<EOT … EOT` or `<<-EOT … EOT`
    #[regex("<<-?[A-Za-z_][A-Za-z0-9_]*", heredoc)]
    Heredoc,
    /// A heredoc whose end marker never comes.
    UnclosedHeredoc,

    /// `{`
    #[token("{")]
    OpenBrace,
    /// `}`
    #[token("}")]
    CloseBrace,
    /// `[`
    #[token("[")]
    OpenBracket,
    /// `]`
    #[token("]")]
    CloseBracket,
    /// `(`
    #[token("(")]
    OpenParen,
    /// `)`
    #[token(")")]
    CloseParen,
    /// `=`
    #[token("=")]
    Equals,
    /// `,`
    #[token(",")]
    Comma,
    /// `.`
    #[token(".")]
    Dot,
    /// `:`
    #[token(":")]
    Colon,
    /// `?`
    #[token("?")]
    Question,
    /// `+`
    #[token("+")]
    Plus,
    /// `-`
    #[token("-")]
    Minus,
    /// `*`
    #[token("*")]
    Star,
    /// `/`
    #[token("/")]
    Slash,
    /// `%`
    #[token("%")]
    Percent,
    /// `==`
    #[token("==")]
    EqualsEquals,
    /// `!=`
    #[token("!=")]
    NotEquals,
    /// `<`
    #[token("<")]
    Less,
    /// `<=`
    #[token("<=")]
    LessEquals,
    /// `>`
    #[token(">")]
    Greater,
    /// `>=`
    #[token(">=")]
    GreaterEquals,
    /// `&&`
    #[token("&&")]
    And,
    /// `||`
    #[token("||")]
    Or,
    /// `!`
    #[token("!")]
    Not,
    /// Anything else.
    Unknown,

    /// In the parser's stream only: the `{` that an unclosed string before it swallowed.
    VirtualOpen,
    /// In the parser's stream only: a `}` that the indentation says is missing here.
    VirtualClose,
    /// In the parser's stream only: a `}` that the indentation says is one too many.
    StrayClose,
    /// In the parser's stream only: a token nested deeper than the limit.
    TooDeep,
}

impl Kind {
    /// Whether the token has no meaning to the grammar.
    pub const fn is_trivia(self) -> bool {
        matches!(
            self,
            Self::Whitespace | Self::Comment | Self::DocComment | Self::BlockComment | Self::UnclosedComment
        )
    }

    /// Whether the token is a comment.
    pub const fn is_comment(self) -> bool {
        self.is_trivia() && !matches!(self, Self::Whitespace)
    }
}

/// One token: what it is and where it begins; it ends where the next one begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its first byte.
    pub start: u32,
}

/// The tokens of a text, in order and without gaps.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(text.len() / 4 + 1);
    let mut lexer = Kind::lexer(text);
    while let Some(kind) = lexer.next() {
        let start = u32::try_from(lexer.span().start).unwrap_or(u32::MAX);
        let kind = kind.unwrap_or(Kind::Unknown);
        // A run of unknown characters is one token, so that it is one error.
        if kind == Kind::Unknown && tokens.last().is_some_and(|last: &Token| last.kind == Kind::Unknown) {
            continue;
        }
        tokens.push(Token { kind, start });
    }
    tokens
}

/// Takes a comment to the end of its line.
fn line_comment(lexer: &mut Lexer<'_, Kind>) {
    let rest = lexer.remainder();
    lexer.bump(rest.find('\n').unwrap_or(rest.len()));
}

/// `///` documents, `////…` is a rule drawn with slashes.
fn doc_comment(lexer: &mut Lexer<'_, Kind>) -> Kind {
    let kind = if lexer.remainder().starts_with('/') { Kind::Comment } else { Kind::DocComment };
    line_comment(lexer);
    kind
}

fn block_comment(lexer: &mut Lexer<'_, Kind>) -> Kind {
    if let Some(end) = lexer.remainder().find("*/") {
        lexer.bump(end + 2);
        Kind::BlockComment
    } else {
        lexer.bump(lexer.remainder().len());
        Kind::UnclosedComment
    }
}

/// Takes the fraction and the percent sign of a number, where they belong to it.
fn number(lexer: &mut Lexer<'_, Kind>) {
    let rest = lexer.remainder().as_bytes();
    let mut length = 0;
    if rest.first() == Some(&b'.') && rest.get(1).is_some_and(u8::is_ascii_digit) {
        length = 1 + rest[1..].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
    }
    // `5%` is a percentage; in `5%2` and `5%(a)` the sign is an operator.
    if rest.get(length) == Some(&b'%')
        && !rest.get(length + 1).is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'('))
    {
        length += 1;
    }
    lexer.bump(length);
}

/// Takes a string to its closing quote, or to the end of the line when there is none.
fn string(lexer: &mut Lexer<'_, Kind>) -> Kind {
    let (length, kind) = match closing_quote(lexer.remainder(), &mut lexer.extras) {
        Ok(end) => (end + 1, Kind::String),
        Err(end) => (lexer.remainder()[..end].trim_end_matches('\r').len(), Kind::UnclosedString),
    };
    lexer.bump(length);
    kind
}

/// The offset of the quote that closes a string whose inside begins `text`; otherwise that of the line's end.
///
/// Quotes inside `${…}` belong to the interpolation, if that is closed on the line; a `${` that is not closed is
/// text as far as the lexer is concerned.
fn closing_quote(text: &str, patience: &mut Patience) -> Result<usize, usize> {
    let bytes = text.as_bytes();
    let (mut at, mut interpolates) = (0, true);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return Ok(at),
            b'\n' => return Err(at),
            b'\\' if bytes.get(at + 1).is_some_and(|next| *next != b'\n') => at += 1,
            b'$' if bytes[at..].starts_with(b"$${") => at += 2,
            b'$' if interpolates && bytes.get(at + 1) == Some(&b'{') => {
                // After one that is not closed, none is looked for.
                match patience.interpolation(&text[at + 2..]) {
                    Some(length) => at += 1 + length,
                    None => interpolates = false,
                }
            }
            _ => {}
        }
        at += 1;
    }
    Err(text.len())
}

/// How many more bytes are read in search of the ends of interpolations that have none. Each string looks for one to
/// the end of its line, so without a limit a long line of many strings would take the square of its length.
#[derive(Debug, Clone, Copy)]
pub struct Patience(usize);

impl Default for Patience {
    fn default() -> Self {
        Self(1 << 20)
    }
}

impl Patience {
    /// The length of an interpolation on one line.
    fn interpolation(&mut self, text: &str) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let found = interpolation(text, false);
        if let Err(read) = found {
            self.0 = self.0.saturating_sub(read);
        }
        found.ok()
    }
}

/// The length of an interpolation up to and including its `}`, given the text after its `${`; it may span `lines`.
/// Otherwise how far its end was looked for.
pub(super) fn interpolation(text: &str, lines: bool) -> Result<usize, usize> {
    let bytes = text.as_bytes();
    let (mut depth, mut in_string, mut at) = (0_usize, false, 0);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\n' if in_string || !lines => return Err(at + 1),
            b'\\' if in_string && bytes.get(at + 1) != Some(&b'\n') => at += 1,
            b'"' => in_string = !in_string,
            b'{' if !in_string => depth += 1,
            b'}' if !in_string && depth == 0 => return Ok(at + 1),
            b'}' if !in_string => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    Err(at)
}

/// Takes a heredoc to the line that holds its end marker alone, without that line's end.
fn heredoc(lexer: &mut Lexer<'_, Kind>) -> Kind {
    let marker = lexer.slice().trim_start_matches("<<").trim_start_matches('-');
    let rest = lexer.remainder();
    let mut start = match rest.find('\n') {
        // Something other than the marker on the first line is junk, but the heredoc still begins.
        Some(end) => end + 1,
        None => rest.len(),
    };
    while start < rest.len() {
        let end = rest[start..].find('\n').map_or(rest.len(), |length| start + length);
        let line = &rest[start..end];
        if line.trim() == marker {
            lexer.bump(start + line.trim_end().len());
            return Kind::Heredoc;
        }
        start = end + 1;
    }
    lexer.bump(rest.len());
    Kind::UnclosedHeredoc
}
