//! Names: letters, digits, `-` and `_`, beginning with a letter or digit, at most 63 characters.

use smol_str::SmolStr;

use super::{FormatError, describe, find_char};

/// The most characters a name may have: the limit of DNS labels and of both clouds' resource names.
pub const MAX_LENGTH: usize = 63;

/// The name.
pub fn parse(text: &str) -> Result<SmolStr, FormatError> {
    check(text).map_err(|error| error.suggest_maybe(meant(text)))?;
    Ok(SmolStr::new(text))
}

fn check(text: &str) -> Result<(), FormatError> {
    if text.is_empty() {
        return Err(FormatError::new("a name is missing here", 0..0));
    }
    if let Some((range, c)) = find_char(text, |c| !c.is_ascii_alphanumeric() && c != '-' && c != '_') {
        return Err(FormatError::new(
            format!("{} has no place in a name: letters a to z, digits, `-` and `_`", describe(c)),
            range,
        ));
    }
    if text.starts_with(['-', '_']) {
        return Err(FormatError::new("a name begins with a letter or digit", 0..1));
    }
    if text.len() > MAX_LENGTH {
        return Err(FormatError::new(
            format!("a name has {MAX_LENGTH} characters at most; this one has {}", text.len()),
            MAX_LENGTH..text.len(),
        ));
    }
    Ok(())
}

/// The nearest name: other characters become `-`.
fn meant(text: &str) -> Option<String> {
    // The URI of a secret would be told in another form.
    if text.contains("://") {
        return None;
    }
    let mut name = String::new();
    for c in text.trim().chars() {
        if c.is_ascii_alphanumeric() || c == '_' || c == '-' {
            name.push(c);
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    let name: String = name.trim_matches(['-', '_']).chars().take(MAX_LENGTH).collect();
    (check(&name).is_ok() && name != text).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names() {
        for text in ["a", "my-app", "EggsBucket2", "0_x", &"a".repeat(63)] {
            assert!(parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (text, range, suggestion) in [
            ("", 0..0, None),
            ("my app", 2..3, Some("my-app")),
            ("-app", 0..1, Some("app")),
            ("_app", 0..1, Some("app")),
            ("a.b", 1..2, Some("a-b")),
            ("яйцо", 0..2, None),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.range, range, "{text}");
            assert_eq!(error.suggestion.as_deref(), suggestion, "{text}");
        }
        let long = "a".repeat(64);
        assert_eq!(parse(&long).unwrap_err().range, 63..64);
    }
}
