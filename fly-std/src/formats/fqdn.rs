//! Host names, with or without a port: `gitlab.com`, `gitlab.internal:8443`.
//!
//! An IPv4 address and `localhost` count as host names; any other name must have a dot.

use std::{net::Ipv4Addr, ops::Range};

use smol_str::SmolStr;

use super::{FormatError, describe, find_char};

/// A host name and its port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fqdn {
    /// The name, as written.
    pub host: SmolStr,
    /// The port, when one is written.
    pub port: Option<u16>,
}

/// The host name and its port.
pub fn parse(text: &str) -> Result<Fqdn, FormatError> {
    if text.is_empty() {
        return Err(FormatError::new("a host name is missing here", 0..0));
    }
    if let Some(scheme) = text.find("://") {
        let rest = &text[scheme + 3..];
        let meant = rest.split('/').next().unwrap_or(rest);
        return Err(FormatError::new("a host name is wanted here, without a scheme", 0..scheme + 3)
            .suggest_maybe(parse(meant).is_ok().then(|| meant.to_owned())));
    }
    if let Some(slash) = text.find('/') {
        return Err(FormatError::new("a host name is wanted here, without a path", slash..text.len())
            .suggest_maybe(parse(&text[..slash]).is_ok().then(|| text[..slash].to_owned())));
    }
    let (host, port) = match text.split_once(':') {
        None => (text, None),
        Some((host, port)) => {
            let range = host.len() + 1..text.len();
            let number =
                (port.bytes().all(|b| b.is_ascii_digit())).then(|| port.parse::<u16>().ok()).flatten();
            match number.filter(|port| *port > 0) {
                Some(number) => (host, Some(number)),
                None if port.is_empty() => {
                    return Err(FormatError::new("the port is missing", host.len()..text.len()).suggest(host));
                }
                None => return Err(FormatError::new("a port is a number from 1 to 65535", range)),
            }
        }
    };
    check_host(host)?;
    Ok(Fqdn { host: SmolStr::new(host), port })
}

fn check_host(host: &str) -> Result<(), FormatError> {
    if host.is_empty() {
        return Err(FormatError::new("the host name is missing", 0..0));
    }
    if let Some((range, c)) = find_char(host, |c| !c.is_ascii_alphanumeric() && c != '-' && c != '.') {
        return Err(FormatError::new(format!("{} has no place in a host name", describe(c)), range));
    }
    if host.len() > 253 {
        return Err(FormatError::new("a host name has 253 characters at most", 253..host.len()));
    }
    if let Some(without) = host.strip_suffix('.') {
        return Err(FormatError::new("a host name ends without a dot", without.len()..host.len())
            .suggest_maybe(check_host(without).is_ok().then(|| without.to_owned())));
    }
    let mut start = 0;
    for label in host.split('.') {
        let range = start..start + label.len();
        start = range.end + 1;
        check_label(label, range)?;
    }
    let numeric = host.split('.').all(|label| label.bytes().all(|b| b.is_ascii_digit()));
    if numeric && host.parse::<Ipv4Addr>().is_err() {
        return Err(FormatError::new("neither a host name nor an IPv4 address", 0..host.len()));
    }
    if !host.contains('.') && host != "localhost" {
        return Err(FormatError::new(
            "a fully qualified host name has a dot, such as `gitlab.company.com`",
            0..host.len(),
        )
        .suggest_maybe((host == "gitlab").then(|| "gitlab.com".to_owned())));
    }
    Ok(())
}

fn check_label(label: &str, range: Range<usize>) -> Result<(), FormatError> {
    if label.is_empty() {
        // The dot with nothing before it.
        return Err(FormatError::new("a part of the host name is empty", range.start..range.start + 1));
    }
    if label.len() > 63 {
        return Err(FormatError::new("a part of a host name has 63 characters at most", range));
    }
    if label.starts_with('-') || label.ends_with('-') {
        return Err(FormatError::new("a part of a host name neither begins nor ends with `-`", range));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_host_names() {
        for (text, host, port) in [
            ("gitlab.com", "gitlab.com", None),
            ("gitlab.internal.com:8443", "gitlab.internal.com", Some(8443)),
            ("localhost:8080", "localhost", Some(8080)),
            ("10.0.0.1", "10.0.0.1", None),
            ("1st.example.com", "1st.example.com", None),
        ] {
            assert_eq!(parse(text), Ok(Fqdn { host: host.into(), port }), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (text, message, range, suggestion) in [
            ("", "a host name is missing here", 0..0, None),
            (
                "https://gitlab.com/x",
                "a host name is wanted here, without a scheme",
                0..8,
                Some("gitlab.com"),
            ),
            ("gitlab.com/group", "a host name is wanted here, without a path", 10..16, Some("gitlab.com")),
            ("git lab.com", "a space has no place in a host name", 3..4, None),
            ("gitlab..com", "a part of the host name is empty", 7..8, None),
            ("gitlab.com.", "a host name ends without a dot", 10..11, Some("gitlab.com")),
            ("-gitlab.com", "a part of a host name neither begins nor ends with `-`", 0..7, None),
            ("gitlab.com:0", "a port is a number from 1 to 65535", 11..12, None),
            ("gitlab.com:99999", "a port is a number from 1 to 65535", 11..16, None),
            ("gitlab.com:", "the port is missing", 10..11, Some("gitlab.com")),
            ("1.2.3", "neither a host name nor an IPv4 address", 0..5, None),
            (
                "gitlab",
                "a fully qualified host name has a dot, such as `gitlab.company.com`",
                0..6,
                Some("gitlab.com"),
            ),
            ("гитлаб.рф", "`г` has no place in a host name", 0..2, None),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!((error.message.as_str(), error.range), (message, range), "{text}");
            assert_eq!(error.suggestion.as_deref(), suggestion, "{text}");
        }
    }

    proptest! {
        #[test]
        fn ranges_are_slices(text in "[a-z0-9.:/é-]{0,20}") {
            if let Err(error) = parse(&text) {
                prop_assert!(text.get(error.range).is_some());
            }
        }
    }
}
