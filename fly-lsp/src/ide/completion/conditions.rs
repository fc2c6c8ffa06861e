//! Completion inside a condition: fields, operators, values and the words between comparisons.
//!
//! What never lives here: what a condition means; it is read here only as far as one has come.

use fly_std::{
    clouds::Cloud,
    policy::{FIELDS, Field, FieldId, FieldType},
};
use flyc::text::{TextRange, TextSize};

use super::{Completion, CompletionKind, Doc, Scene, item, names};
use crate::ide::snippet::Snippet;

/// How far a condition has come before the cursor.
#[derive(Debug, Clone, Copy)]
enum State {
    /// A comparison begins.
    Field,
    /// A field stands.
    Operator(&'static Field),
    /// A value is to follow; in parentheses when it is one of several.
    Value(&'static Field, bool),
    /// `IN` stands.
    Open(&'static Field),
    /// A whole comparison stands.
    Word,
    /// A value of several stands.
    Comma,
    /// Something that is no condition.
    Unknown,
}

/// What may stand at the cursor, which is in a condition whose text is `content`.
pub(super) fn condition(scene: &Scene<'_>, content: TextRange) -> Vec<Completion> {
    let before = &scene.parse.text()[TextRange::new(content.start().min(scene.offset), scene.offset)];
    let after = &scene.parse.text()[TextRange::new(scene.offset, content.end().max(scene.offset))];
    let (state, open, start) = state(before);
    let start = content.start() + TextSize::try_from(start).unwrap_or_default();
    // What is left of the word the cursor is in.
    let rest = after.len()
        - after.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '%')).len();
    let end = scene.offset + TextSize::try_from(rest).unwrap_or_default();
    let typed = &scene.parse.text()[TextRange::new(start, scene.offset)];
    let goes_on = !after[rest..].trim().is_empty();
    let space =
        if typed.is_empty() && !before.is_empty() && !before.ends_with([' ', '(', '\n']) { " " } else { "" };
    let offer =
        |label: &str, kind: CompletionKind, detail: &str, doc: Doc, snippet: Snippet, end: TextSize| {
            Completion {
                detail: detail.to_owned(),
                doc,
                range: TextRange::new(start, end),
                ..item(scene, label, kind, snippet)
            }
        };
    let word = |text: &str, more: Option<&dyn Fn(&mut Snippet)>| {
        let mut snippet = Snippet::default();
        snippet.text(space).text(text);
        if let Some(more) = more.filter(|_| !goes_on) {
            snippet.text(" ");
            more(&mut snippet);
        }
        offer(text, CompletionKind::Punctuation, "", Doc::None, snippet, end)
    };
    match state {
        State::Field => FIELDS
            .iter()
            // What it is compared with stands already.
            .filter(|field| {
                let old = &scene.parse.text()[TextRange::new(start, end)];
                let old = FIELDS.iter().find(|field| field.name == old).filter(|_| goes_on);
                old.is_none_or(|old| old.ty == field.ty)
            })
            .map(|field| {
                let mut snippet = Snippet::default();
                snippet.text(space).text(field.name);
                if !goes_on {
                    comparison(scene, field, &mut snippet);
                }
                offer(field.name, CompletionKind::Field, &field.ty.keyword(), Doc::Field(field), snippet, end)
            })
            .collect(),
        State::Operator(field) => {
            let ordered: &[&str] = if field.ty.ordered() { &[">", ">=", "<", "<="] } else { &[] };
            let all = ordered.iter().chain(&["==", "!="]);
            let value = |snippet: &mut Snippet| value(scene, field, snippet);
            let mut found: Vec<_> = all.map(|operator| word(operator, Some(&value))).collect();
            let list = |snippet: &mut Snippet| {
                snippet.text("(");
                value(snippet);
                snippet.text(")");
            };
            found.push(word("IN", Some(&list)));
            found
        }
        State::Open(field) => {
            let mut snippet = Snippet::default();
            snippet.text(space).text("(");
            if !goes_on {
                value(scene, field, &mut snippet);
                snippet.text(")");
            }
            vec![offer("(", CompletionKind::Punctuation, "", Doc::None, snippet, scene.offset)]
        }
        // A value stands there already.
        State::Value(..) if typed.is_empty() && is_value(after) => Vec::new(),
        State::Value(field, _) => {
            let quote = if typed.starts_with('\'') { end_of_text(scene, content) } else { end };
            let all = values(scene, field);
            all.into_iter()
                .map(|(text, doc)| {
                    let mut snippet = Snippet::default();
                    snippet.text(space).text(&text);
                    let kind = if field.id == FieldId::Egg {
                        CompletionKind::Entity
                    } else {
                        CompletionKind::Variant
                    };
                    offer(&text, kind, "", doc, snippet, if text.starts_with('\'') { quote } else { end })
                })
                .collect()
        }
        State::Word => {
            let more = |snippet: &mut Snippet| {
                snippet.text(FIELDS[0].name);
                comparison(scene, &FIELDS[0], snippet);
            };
            let mut found = vec![word("AND", Some(&more)), word("OR", Some(&more))];
            if open > 0 {
                found.insert(0, Completion { filter: Some(String::new()), ..word(")", None) });
            }
            found
        }
        State::Comma => {
            let mut close = word(")", None);
            close.filter = Some(String::new());
            if goes_on { Vec::new() } else { vec![close] }
        }
        State::Unknown => Vec::new(),
    }
}

/// Whether a text begins with a value.
fn is_value(text: &str) -> bool {
    text.trim_start().starts_with(|c: char| c == '\'' || c.is_ascii_digit())
}

/// The operator and value after a field.
fn comparison(scene: &Scene<'_>, field: &'static Field, snippet: &mut Snippet) {
    snippet.text(if field.ty.ordered() { " > " } else { " == " });
    value(scene, field, snippet);
}

fn value(scene: &Scene<'_>, field: &'static Field, snippet: &mut Snippet) {
    let all = values(scene, field);
    snippet.place(all.first().map_or("'…'", |(text, _)| text.as_str()));
}

/// What a field is compared with, as it is written, and what it means.
fn values(scene: &Scene<'_>, field: &Field) -> Vec<(String, Doc)> {
    let plain = |text: &str| (text.to_owned(), Doc::None);
    let quoted = |text: &str| (format!("'{text}'"), Doc::None);
    match field.ty {
        FieldType::Enum(variants) => {
            variants.iter().map(|one| (format!("'{}'", one.name), Doc::Text(one.doc))).collect()
        }
        FieldType::Duration => ["1h", "24h", "30m", "7d"].map(plain).to_vec(),
        FieldType::Percent => ["80%", "90%", "50%"].map(plain).to_vec(),
        FieldType::Int => ["3", "1", "10"].map(plain).to_vec(),
        FieldType::String => match field.id {
            FieldId::Egg => names::eggs(scene).iter().map(|name| quoted(name)).collect(),
            FieldId::Region => {
                let all = Cloud::ALL.into_iter().flat_map(Cloud::regions);
                all.map(quoted).collect()
            }
            _ => vec![quoted(field.example.split('\'').nth(1).unwrap_or_default())],
        },
    }
}

/// The end of the text in `'…'` that the cursor is in: after its quote when there is one.
fn end_of_text(scene: &Scene<'_>, content: TextRange) -> TextSize {
    let after = &scene.parse.text()[TextRange::new(scene.offset, content.end().max(scene.offset))];
    let inside = after.find(['\'', ' ', ')', ',']).unwrap_or(after.len());
    let quote = usize::from(after[inside..].starts_with('\''));
    scene.offset + TextSize::try_from(inside + quote).unwrap_or_default()
}

/// How far a text has come, how many parentheses are open, and where the word at its end begins.
fn state(text: &str) -> (State, u32, usize) {
    let mut state = State::Field;
    let mut open = 0;
    let mut at = 0;
    loop {
        at += text[at..].len() - text[at..].trim_start().len();
        let rest = &text[at..];
        let Some(first) = rest.chars().next() else { return (state, open, at) };
        let length = match first {
            '\'' => rest[1..].find('\'').map_or(rest.len(), |end| end + 2),
            '(' | ')' | ',' => 1,
            '=' | '!' | '<' | '>' => 1 + usize::from(rest[1..].starts_with('=')),
            c if c.is_ascii_alphanumeric() || c == '_' => rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '%' | '.')))
                .unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let word = &rest[..length];
        let unclosed = first == '\'' && (word.len() == 1 || !word.ends_with('\''));
        if at + length == text.len() && (unclosed || first.is_ascii_alphanumeric() || first == '_') {
            // It is still being written.
            return (state, open, at);
        }
        let joins = ["AND", "OR", "NOT"].iter().any(|known| known.eq_ignore_ascii_case(word));
        state = match (state, word) {
            (State::Field, "(") => {
                open += 1;
                State::Field
            }
            (State::Field, _) if joins => State::Field,
            (State::Field, _) => {
                FIELDS.iter().find(|field| field.name == word).map_or(State::Unknown, State::Operator)
            }
            (State::Operator(field), "==" | "!=" | "<" | "<=" | ">" | ">=") => State::Value(field, false),
            (State::Operator(field), _) if word.eq_ignore_ascii_case("IN") => State::Open(field),
            (State::Operator(field), _) if word.eq_ignore_ascii_case("NOT") => State::Operator(field),
            (State::Open(field), "(") => State::Value(field, true),
            (State::Value(_, false), _) => State::Word,
            (State::Value(_, true), _) => State::Comma,
            (State::Comma, ")") => State::Word,
            (State::Comma, ",") => {
                last_list(text, at).map_or(State::Unknown, |field| State::Value(field, true))
            }
            (State::Word, ")") => {
                open = u32::saturating_sub(open, 1);
                State::Word
            }
            (State::Word, _) if joins => State::Field,
            _ => State::Unknown,
        };
        at += length;
    }
}

/// The field of the list that a comma at this place belongs to: the last that is named before it.
fn last_list(text: &str, at: usize) -> Option<&'static Field> {
    let before = &text[..text[..at].rfind('(')?];
    let words = before.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.rev().find_map(|word| FIELDS.iter().find(|field| field.name == word))
}
