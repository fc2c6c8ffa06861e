//! Credentials written out in a file. What is found is never repeated, neither by this rule nor by what others told of
//! the same text.
//!
//! Every string and heredoc of the tree is looked at, labels and keys of maps too, by the shapes of tokens and by the
//! names values stand under. What never lives here: what a credential looks like; that is `fly-std`'s.

use fly_std::credentials::{self, ASSIGNED_NOUN, Credential};

use super::FileScope;
use crate::{
    diag::{Diagnostic, declare_diagnostic},
    syntax::{Expr, Kind, NodeKind, NodeRef, TokenRef},
    text::{TextRange, TextSize},
};

declare_diagnostic! { pub PLAIN_SECRET = "plain-secret", Error, "a credential written out in a file", hides_text: true }

/// How much of a credential gives it away.
const TELLING: usize = 10;

/// How long a credential is at least, with its quotes.
const SHORTEST: usize = 10;

/// A credential in a file.
struct Found<'p> {
    range: TextRange,
    noun: &'static str,
    /// What it stands under.
    name: Option<&'p str>,
}

/// Comes after the rules about the same file, so that it can mend what they told.
pub(super) fn check(scope: &FileScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let mut found = Vec::new();
    visit(scope.parse.root(), None, &mut found);
    if found.is_empty() {
        return;
    }
    let texts: Vec<&str> = found.iter().map(|credential| &scope.parse.text()[credential.range]).collect();
    // What was told of a credential itself is settled when it goes; elsewhere its value may have been repeated.
    diagnostics.retain(|told| {
        let mut about = found.iter().zip(&texts).filter(|(credential, _)| meets(told, credential));
        told.kind.hides_text || !about.any(|(_, text)| repeats(told, text))
    });
    for told in &mut *diagnostics {
        for text in &texts {
            scrub(told, text);
        }
    }
    found
        .retain(|credential| !diagnostics.iter().any(|told| told.kind.hides_text && meets(told, credential)));
    diagnostics.extend(found.iter().map(|credential| tell(scope, credential)));
}

fn meets(told: &Diagnostic, found: &Found<'_>) -> bool {
    told.span.range.intersect(found.range).is_some_and(|both| !both.is_empty())
}

fn tell(scope: &FileScope<'_>, found: &Found<'_>) -> Diagnostic {
    let message = match found.name {
        Some(name) => format!("`{}` holds {}", credentials::mask(name), found.noun),
        None => format!("this text holds {}", found.noun),
    };
    Diagnostic::new(&PLAIN_SECRET, scope.span(found.range), message, "written out here")
        .note(
            "whoever can read the Nest or its history can use it, so one that was committed is to be revoked",
        )
        .help(
            "keep it in a secret store, and write its URI as the value of an attribute or of a variable in \
             `environment`: `yc-lockbox://<id>/<key>`, `aws-sm://<name>/<key>` or `vault://<path>/<key>`",
        )
}

/// Looks at a node and all within it; `name` is what the values in it stand under.
fn visit<'p>(node: NodeRef<'p>, name: Option<&'p str>, found: &mut Vec<Found<'p>>) {
    let mut name = name;
    match node.kind() {
        NodeKind::Attribute | NodeKind::Entry => {
            name = node.tokens().next().map(|token| token.text().trim_matches('"'));
        }
        NodeKind::Block => name = None,
        // It names a secret, and holds none.
        NodeKind::Call
            if Expr::cast(node).and_then(Expr::name).is_some_and(|name| name.text() == "secret") =>
        {
            return;
        }
        _ => {}
    }
    let strings = node.tokens().filter(|token| is_text(token.kind()));
    strings.for_each(|token| look(node, token, name, found));
    node.children().for_each(|child| visit(child, name, found));
}

const fn is_text(kind: Kind) -> bool {
    matches!(kind, Kind::String | Kind::Heredoc | Kind::UnclosedString | Kind::UnclosedHeredoc)
}

fn look<'p>(node: NodeRef<'p>, token: TokenRef<'p>, name: Option<&'p str>, found: &mut Vec<Found<'p>>) {
    let text = token.text();
    // Most strings are shorter than any credential.
    if text.len() < SHORTEST {
        return;
    }
    let mut here = credentials::find(text);
    let mut add = |credential: Credential| {
        let apart = |known: &Credential| {
            known.range.end <= credential.range.start || credential.range.end <= known.range.start
        };
        if here.iter().all(apart) {
            here.push(credential);
        }
    };
    credentials::find_assigned(text).into_iter().for_each(&mut add);
    if node.kind() == NodeKind::Literal
        && let Some(name) = name
        && let Some(value) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'))
        && credentials::is_secret_value(name, value)
    {
        add(Credential { range: 1..text.len() - 1, noun: ASSIGNED_NOUN });
    }
    let start = token.range().start();
    found.extend(here.into_iter().map(|credential| Found {
        range: TextRange::new(start + size(credential.range.start), start + size(credential.range.end)),
        noun: credential.noun,
        name,
    }));
}

fn size(bytes: usize) -> TextSize {
    TextSize::new(u32::try_from(bytes).unwrap_or(u32::MAX))
}

/// The beginning of a credential that must not be said.
fn telling(secret: &str) -> &str {
    &secret[..secret.floor_char_boundary(TELLING)]
}

/// Whether something of a credential is said, in whatever case.
fn repeats(told: &Diagnostic, secret: &str) -> bool {
    let telling = telling(secret).to_ascii_lowercase();
    let says = |text: &str| text.to_ascii_lowercase().contains(&telling);
    says(&told.message)
        || says(&told.label)
        || told.notes.iter().any(|note| says(note))
        || told.related.iter().any(|related| says(&related.message))
        || told.help.iter().any(|help| says(&help.text) || help.edits.iter().any(|edit| says(&edit.text)))
}

/// Takes a credential out of what is said.
fn scrub(told: &mut Diagnostic, secret: &str) {
    if !repeats(told, secret) {
        return;
    }
    let texts = [&mut told.message, &mut told.label].into_iter().chain(&mut told.notes);
    let texts = texts.chain(told.related.iter_mut().map(|related| &mut related.message));
    for text in texts.chain(told.help.as_mut().map(|help| &mut help.text)) {
        *text = without(text, secret);
    }
    if let Some(help) = &mut told.help {
        help.edits
            .retain(|edit| !edit.text.to_ascii_lowercase().contains(&telling(secret).to_ascii_lowercase()));
    }
}

/// The text with a credential, or as much of its beginning as stands there, replaced.
fn without(text: &str, secret: &str) -> String {
    let (lower, secret) = (text.to_ascii_lowercase(), secret.to_ascii_lowercase());
    let telling = telling(&secret);
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    while let Some(at) = lower[from..].find(telling) {
        let at = from + at;
        let said =
            lower[at..].bytes().zip(secret.bytes()).take_while(|(said, secret)| said == secret).count();
        out.push_str(&text[from..at]);
        out.push_str("***MASKED***");
        from = text.ceil_char_boundary(at + said);
    }
    out.push_str(&text[from..]);
    out
}

/// Takes what looks like a credential out of what is said of the names of other files.
pub(super) fn scrub_shapes(told: &mut Diagnostic) {
    let texts = [&mut told.message, &mut told.label].into_iter().chain(&mut told.notes);
    let texts = texts.chain(told.related.iter_mut().map(|related| &mut related.message));
    for text in texts.chain(told.help.as_mut().map(|help| &mut help.text)) {
        if let std::borrow::Cow::Owned(masked) = credentials::mask(text) {
            *text = masked;
        }
    }
}
