//! IANA time zone names, from the database of 2025b, older names included.

use std::sync::LazyLock;

use super::{FormatError, closest};

/// One name a line, sorted by byte.
static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| include_str!("timezones.txt").lines().collect());

/// Every name, sorted; for completion.
pub fn names() -> &'static [&'static str] {
    &NAMES
}

/// The name of the time zone.
pub fn parse(text: &str) -> Result<&'static str, FormatError> {
    if text.is_empty() {
        return Err(FormatError::new("a time zone is missing here", 0..0));
    }
    if let Ok(index) = NAMES.binary_search(&text) {
        return Ok(NAMES[index]);
    }
    // `berlin` means `Europe/Berlin`.
    let city = text.replace(' ', "_");
    let meant = NAMES
        .iter()
        .copied()
        .find(|name| name.eq_ignore_ascii_case(&city))
        .or_else(|| {
            NAMES
                .iter()
                .copied()
                .find(|name| name.rsplit('/').next().is_some_and(|n| n.eq_ignore_ascii_case(&city)))
        })
        .or_else(|| closest(text, NAMES.iter().copied()));
    Err(FormatError::whole("not a time zone of the IANA database", text)
        .suggest_maybe(meant.map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted() {
        assert!(NAMES.is_sorted());
        assert!(NAMES.len() > 500);
    }

    #[test]
    fn reads_time_zones() {
        for text in [
            "UTC",
            "Europe/Berlin",
            "Europe/Moscow",
            "America/Argentina/Buenos_Aires",
            "Europe/Kyiv",
            "Asia/Calcutta",
        ] {
            assert_eq!(parse(text), Ok(text));
        }
    }

    #[test]
    fn says_what_was_meant() {
        for (text, suggestion) in [
            ("", None),
            ("europe/berlin", Some("Europe/Berlin")),
            ("berlin", Some("Europe/Berlin")),
            ("New York", Some("America/New_York")),
            ("Europe/Berln", Some("Europe/Berlin")),
            ("the moon and back again", None),
        ] {
            assert_eq!(parse(text).unwrap_err().suggestion.as_deref(), suggestion, "{text}");
        }
    }
}
