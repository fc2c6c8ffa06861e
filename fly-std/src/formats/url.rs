//! Absolute `http` and `https` URLs, as the WHATWG URL standard reads them.

use ::url::{ParseError, Url};

use super::{FormatError, describe, find_char};

/// The URL.
pub fn parse(text: &str) -> Result<Url, FormatError> {
    if text.is_empty() {
        return Err(FormatError::new("a URL is missing here", 0..0));
    }
    if let Some((range, c)) = find_char(text, |c| c.is_whitespace() || c.is_control()) {
        return Err(FormatError::new(format!("{} has no place in a URL", describe(c)), range));
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        let meant = format!("https://{text}");
        return Err(FormatError::whole("a URL begins with `https://` or `http://`", text).suggest_maybe(
            (!text.contains(':') && text.contains('.') && Url::parse(&meant).is_ok()).then_some(meant),
        ));
    };
    if scheme != "http" && scheme != "https" {
        return Err(FormatError::new("a URL begins with `https://` or `http://`", 0..scheme.len())
            .suggest(format!("https://{rest}")));
    }
    let start = scheme.len() + 3;
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    if authority == 0 {
        return Err(FormatError::new("the host name is missing", 0..text.len()));
    }
    if let Some(at) = rest[..authority].rfind('@') {
        return Err(FormatError::new("a user name or password has no place in a URL", start..start + at + 1)
            .suggest(format!("{scheme}://{}", &rest[at + 1..])));
    }
    let host = start..start + authority;
    Url::parse(text).map_err(|error| match error {
        ParseError::EmptyHost => FormatError::new("the host name is missing", host),
        ParseError::InvalidPort => FormatError::new("the port is not a number from 0 to 65535", host),
        ParseError::InvalidIpv4Address | ParseError::InvalidIpv6Address => {
            FormatError::new("not an IP address", host)
        }
        ParseError::IdnaError | ParseError::InvalidDomainCharacter => {
            FormatError::new("not a host name", host)
        }
        _ => FormatError::whole("not a URL", text),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_urls() {
        for text in
            ["https://gitlab.com", "http://localhost:8080/path?x=1#y", "https://registry-1.docker.io/v2/"]
        {
            assert!(parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (text, message, range, suggestion) in [
            ("", "a URL is missing here", 0..0, None),
            ("gitlab.com", "a URL begins with `https://` or `http://`", 0..10, Some("https://gitlab.com")),
            (
                "ftp://gitlab.com",
                "a URL begins with `https://` or `http://`",
                0..3,
                Some("https://gitlab.com"),
            ),
            ("https://", "the host name is missing", 0..8, None),
            ("https:///x", "the host name is missing", 0..10, None),
            ("https://a b", "a space has no place in a URL", 9..10, None),
            (
                "https://me:pw@host.io/x",
                "a user name or password has no place in a URL",
                8..14,
                Some("https://host.io/x"),
            ),
            ("https://host.io:99999", "the port is not a number from 0 to 65535", 8..21, None),
            ("mailto:x@y.z", "a URL begins with `https://` or `http://`", 0..12, None),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!((error.message.as_str(), error.range), (message, range), "{text}");
            assert_eq!(error.suggestion.as_deref(), suggestion, "{text}");
        }
    }

    proptest! {
        #[test]
        fn ranges_are_slices(text in "(https?://|ftp://)?\\PC{0,12}") {
            if let Err(error) = parse(&text) {
                prop_assert!(text.get(error.range).is_some());
            }
        }
    }
}
