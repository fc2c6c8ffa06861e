//! Phrases that several diagnostics share, so that all of them speak alike.

use fly_std::schema;

/// `did you mean …?` with the candidate that is nearest to what was written, if one is near.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    fly_std::formats::closest(word, candidates)
}

/// `` `a`, `b` and `c` ``
pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a str>, word: &str) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    fly_std::words::list(&names, word).unwrap_or_default()
}

/// The note that tells what an attribute is for.
pub(super) fn attribute_note(name: &str, attribute: &schema::Attribute) -> String {
    format!("`{name}` is {}", attribute.doc)
}

/// The words with which a block is named in a sentence.
pub(super) fn block_words(schema: &schema::Block, label: Option<&str>) -> String {
    match label {
        Some(label) => format!("{} \"{label}\"", schema.name),
        None => schema.name.to_owned(),
    }
}
