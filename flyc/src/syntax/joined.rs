//! Names of more than one token: `egg.my-app`, `list<string>`.
//!
//! Elsewhere `-` is an operator and `<` a comparison; here the word before them tells. What never lives here: what
//! the names stand for.

use super::{
    stream::Tok,
    token::{Kind, Token},
};

/// The words after whose `.` a name may hold `-`, as labels may.
const LABELLED: [&str; 5] = ["egg", "bucket", "job", "profile", "rift"];
/// The types that say what they hold.
const GENERIC: [&str; 2] = ["list", "map"];

/// Marks the tokens that belong to the name before them.
pub(super) fn mark(text: &str, tokens: &[Token], stream: &mut [Tok]) {
    for at in 1..stream.len() {
        let before = stream[at - 1];
        match stream[at].kind {
            Kind::Dot if before.kind == Kind::Ident && LABELLED.contains(&word(text, tokens, before)) => {
                dashes(stream, at + 2);
            }
            Kind::Less if before.kind == Kind::Ident && !before.joined => {
                if GENERIC.contains(&word(text, tokens, before))
                    && let Some(end) = generic(stream, at)
                {
                    stream[at..end].iter_mut().for_each(|token| token.joined = true);
                }
            }
            _ => {}
        }
    }
}

fn word<'t>(text: &'t str, tokens: &[Token], of: Tok) -> &'t str {
    let start = |at: usize| tokens.get(at).map_or(text.len(), |token| token.start as usize);
    let at = of.token as usize;
    text.get(start(at)..start(at + 1)).unwrap_or("")
}

/// `-app-2` behind a name, with nothing in between.
fn dashes(stream: &mut [Tok], mut at: usize) {
    let touches = |stream: &[Tok], at: usize| {
        at > 0 && at < stream.len() && stream[at].token == stream[at - 1].token + 1
    };
    while touches(stream, at)
        && touches(stream, at + 1)
        && stream[at].kind == Kind::Minus
        && matches!(stream[at + 1].kind, Kind::Ident | Kind::Number)
    {
        stream[at].joined = true;
        stream[at + 1].joined = true;
        at += 2;
    }
}

/// Where `<…>` ends that begins here; `None` when it is a comparison.
fn generic(stream: &[Tok], from: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in stream.iter().enumerate().skip(from) {
        match token.kind {
            _ if token.newline => return None,
            Kind::Less => depth += 1,
            Kind::Greater => depth -= 1,
            Kind::Ident => {}
            _ => return None,
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}
