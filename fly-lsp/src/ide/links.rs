//! Document links: files of the Nest that a text names, and pages on the web.
//!
//! What never lives here: looking for files; what the compiler knows of them decides.

use flyc::{
    compiler::Compiler,
    model::read_places,
    syntax::{Kind, Parse},
    text::{TextRange, TextSize},
};

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkTarget {
    /// A file, by its path relative to the Nest's root.
    File(String),
    /// A page on the web.
    Page(String),
}

/// A text that leads somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The text.
    pub range: TextRange,
    /// Where to.
    pub target: LinkTarget,
}

/// The links of a file, by position.
pub fn links(compiler: &Compiler, path: &str) -> Vec<Link> {
    let Some(parse) = compiler.parse(path) else { return Vec::new() };
    let assets = compiler.nest().assets(compiler.database());
    // What leads out of the Nest, or is not there, is no place to go to.
    let can_be_read =
        |path: &str| assets.get(path).is_none_or(|asset| asset.content(compiler.database()).is_ok());
    let files = read_places(parse).into_iter().filter(|(_, path)| can_be_read(path));
    let mut found: Vec<Link> =
        files.map(|(range, path)| Link { range, target: LinkTarget::File(path.into()) }).collect();
    pages(parse, &mut found);
    found.sort_by_key(|link| link.range.start());
    found
}

/// The addresses of pages in strings and comments.
fn pages(parse: &Parse, found: &mut Vec<Link>) {
    let (tokens, text) = (parse.tree().tokens(), parse.text());
    for (at, token) in tokens.iter().enumerate() {
        if !token.kind.is_comment() && !matches!(token.kind, Kind::String | Kind::Heredoc) {
            continue;
        }
        let end = tokens.get(at + 1).map_or(text.len(), |next| next.start as usize);
        let start = token.start as usize;
        for (offset, address) in addresses(&text[start..end]) {
            let size = |at: usize| TextSize::try_from(at).unwrap_or_default();
            let range = TextRange::at(size(start + offset), TextSize::of(address));
            found.push(Link { range, target: LinkTarget::Page(address.to_owned()) });
        }
    }
}

/// The web addresses in a text, each with its offset. One with a part that is filled in later leads nowhere yet.
fn addresses(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices("://").filter_map(|(colon, _)| {
        let scheme = ["https", "http"].into_iter().find(|scheme| text[..colon].ends_with(scheme))?;
        let start = colon - scheme.len();
        if text[..start]
            .ends_with(|before: char| before.is_ascii_alphanumeric() || matches!(before, '+' | '-'))
        {
            return None;
        }
        let rest = &text[start..];
        let ends = |c: char| {
            c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '`' | '<' | '>' | '\\' | '|')
        };
        let address = &rest[..rest.find(ends).unwrap_or(rest.len())];
        let address = address.trim_end_matches(['.', ',', ';', ':', '!', '?']);
        // A bracket around the address is none of its own.
        let address = address
            .strip_suffix(')')
            .filter(|inner| inner.matches('(').count() <= inner.matches(')').count())
            .unwrap_or(address)
            .trim_end_matches(['.', ',']);
        let host = &address[(scheme.len() + 3).min(address.len())..];
        let known = host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
            && !address.contains(['$', '{', '}', '*']);
        known.then_some((start, address))
    })
}
