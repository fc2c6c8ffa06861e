//! Words put together for a sentence. What never lives here: what the sentence says.

/// `a`, `a or b`, `a, b or c`; none when there is nothing to list.
pub fn list<T: AsRef<str>>(items: &[T], word: &str) -> Option<String> {
    let (last, rest) = items.split_last()?;
    let last = last.as_ref();
    if rest.is_empty() {
        return Some(last.to_owned());
    }
    let rest: Vec<&str> = rest.iter().map(AsRef::as_ref).collect();
    Some(format!("{} {word} {last}", rest.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::list;

    #[test]
    fn the_word_stands_before_the_last() {
        assert_eq!(list::<&str>(&[], "or"), None);
        assert_eq!(list(&["a"], "or").as_deref(), Some("a"));
        assert_eq!(list(&["a", "b"], "or").as_deref(), Some("a or b"));
        assert_eq!(list(&["a", "b", "c"], "and").as_deref(), Some("a, b and c"));
    }
}
