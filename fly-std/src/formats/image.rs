//! Container image references: `registry.example.com:5000/team/app:1.2@sha256:…`.

use std::ops::Range;

use smol_str::SmolStr;

use super::{FormatError, describe, find_char};

/// A container image reference, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Image {
    /// The registry's host and port, when one is written.
    pub registry: Option<SmolStr>,
    /// The repository's path within the registry.
    pub path: SmolStr,
    /// What follows `:`.
    pub tag: Option<SmolStr>,
    /// What follows `@`, such as `sha256:…`.
    pub digest: Option<SmolStr>,
}

/// The parts of the reference.
pub fn parse(text: &str) -> Result<Image, FormatError> {
    if text.is_empty() {
        return Err(FormatError::new("a container image is missing here", 0..0));
    }
    if let Some((range, c)) = find_char(text, |c| !c.is_ascii_graphic()) {
        return Err(FormatError::new(format!("{} has no place in an image reference", describe(c)), range));
    }
    if let Some(scheme) = text.find("://") {
        let rest = &text[scheme + 3..];
        return Err(FormatError::new("an image reference has no scheme", 0..scheme + 3)
            .suggest_maybe(parse(rest).is_ok().then(|| rest.to_owned())));
    }
    let (before_digest, digest) = match text.split_once('@') {
        Some((before, digest)) => (before, Some(digest)),
        None => (text, None),
    };
    if let Some(digest) = digest {
        check_digest(digest, before_digest.len() + 1..text.len())?;
    }
    let name_start = before_digest.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match before_digest[name_start..].find(':') {
        Some(colon) => {
            let colon = name_start + colon;
            (&before_digest[..colon], Some(&before_digest[colon + 1..]))
        }
        None => (before_digest, None),
    };
    if let Some(tag) = tag {
        check_tag(tag, name.len() + 1..before_digest.len())?;
    }
    // The first part is a registry when it looks like a host: `a.b/…`, `host:5000/…`, `localhost/…`.
    let (registry, path) = match name.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (Some(host), path),
        _ => (None, name),
    };
    if let Some(registry) = registry
        && registry != "localhost"
    {
        let host = registry.split(':').next().unwrap_or(registry);
        if host.contains('.') || host == "localhost" {
            super::fqdn::parse(registry).map_err(|error| FormatError::new(error.message, error.range))?;
        } else if registry.split_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_err()) {
            return Err(FormatError::new("not a registry's host name and port", 0..registry.len()));
        }
    }
    check_path(text, path, name.len() - path.len())?;
    Ok(Image {
        registry: registry.map(SmolStr::new),
        path: SmolStr::new(path),
        tag: tag.map(SmolStr::new),
        digest: digest.map(SmolStr::new),
    })
}

fn check_path(text: &str, path: &str, start: usize) -> Result<(), FormatError> {
    let mut start = start;
    for part in path.split('/') {
        let range = start..start + part.len();
        start = range.end + 1;
        if part.is_empty() {
            return Err(FormatError::new("a part of the image's name is empty", 0..text.len()));
        }
        if let Some((wrong, c)) = find_char(part, |c| !matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '-')) {
            let wrong = range.start + wrong.start..range.start + wrong.end;
            return Err(if c.is_ascii_uppercase() {
                FormatError::new("an image's name is in lower case", range.clone()).suggest(format!(
                    "{}{}{}",
                    &text[..range.start],
                    part.to_ascii_lowercase(),
                    &text[range.end..]
                ))
            } else {
                FormatError::new(format!("{} has no place in an image's name", describe(c)), wrong)
            });
        }
        let edge = |c: Option<char>| c.is_some_and(|c| !c.is_ascii_alphanumeric());
        if edge(part.chars().next()) || edge(part.chars().next_back()) {
            return Err(FormatError::new(
                "a part of an image's name begins and ends with a letter or digit",
                range,
            ));
        }
    }
    Ok(())
}

fn check_tag(tag: &str, range: Range<usize>) -> Result<(), FormatError> {
    if tag.is_empty() {
        return Err(FormatError::new("the tag is missing after `:`", range.start - 1..range.end));
    }
    let plain = tag.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
    if !plain || tag.starts_with(['.', '-']) || tag.len() > 128 {
        return Err(FormatError::new("a tag is letters, digits, `_`, `.` and `-`, at most 128", range));
    }
    Ok(())
}

fn check_digest(digest: &str, range: Range<usize>) -> Result<(), FormatError> {
    let length = match digest.split_once(':') {
        Some(("sha256", hex)) => Some((hex, 64)),
        Some(("sha512", hex)) => Some((hex, 128)),
        _ => None,
    };
    match length {
        Some((hex, length))
            if hex.len() == length && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) =>
        {
            Ok(())
        }
        Some((_, length)) => {
            Err(FormatError::new(format!("this digest has {length} digits 0 to 9 and a to f"), range))
        }
        None => Err(FormatError::new("a digest begins with `sha256:` or `sha512:`", range)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_images() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (text, registry, path, tag, with_digest) in [
            ("debian", None, "debian", None, false),
            ("debian:12-slim", None, "debian", Some("12-slim"), false),
            (
                "cr.yandex/polar-gosling/mothergoose:latest",
                Some("cr.yandex"),
                "polar-gosling/mothergoose",
                Some("latest"),
                false,
            ),
            ("localhost:5000/app", Some("localhost:5000"), "app", None, false),
            ("registry:5000/app:1", Some("registry:5000"), "app", Some("1"), false),
            ("team/app", None, "team/app", None, false),
            ("team/app:1", None, "team/app", Some("1"), true),
        ] {
            let text = if with_digest { format!("{text}@{digest}") } else { text.to_owned() };
            assert_eq!(
                parse(&text),
                Ok(Image {
                    registry: registry.map(SmolStr::new),
                    path: path.into(),
                    tag: tag.map(SmolStr::new),
                    digest: with_digest.then(|| SmolStr::new(&digest)),
                }),
                "{text}"
            );
        }
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (text, message, range, suggestion) in [
            ("", "a container image is missing here", 0..0, None),
            ("my image", "a space has no place in an image reference", 2..3, None),
            ("https://cr.yandex/app", "an image reference has no scheme", 0..8, Some("cr.yandex/app")),
            ("team/App:1", "an image's name is in lower case", 5..8, Some("team/app:1")),
            ("app:", "the tag is missing after `:`", 3..4, None),
            ("app:a b", "a space has no place in an image reference", 5..6, None),
            ("app:.x", "a tag is letters, digits, `_`, `.` and `-`, at most 128", 4..6, None),
            ("app@md5:00", "a digest begins with `sha256:` or `sha512:`", 4..10, None),
            ("app@sha256:00", "this digest has 64 digits 0 to 9 and a to f", 4..13, None),
            ("a//b", "a part of the image's name is empty", 0..4, None),
            ("a/-b", "a part of an image's name begins and ends with a letter or digit", 2..4, None),
            ("a+b", "`+` has no place in an image's name", 1..2, None),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!((error.message.as_str(), error.range), (message, range), "{text}");
            assert_eq!(error.suggestion.as_deref(), suggestion, "{text}");
        }
    }

    proptest! {
        #[test]
        fn ranges_are_slices(text in "[a-zA-Z0-9.:/@é_-]{0,20}") {
            if let Err(error) = parse(&text) {
                prop_assert!(text.get(error.range).is_some());
            }
        }
    }
}
