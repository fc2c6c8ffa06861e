//! E-mail addresses, as the crate `email_address` reads RFC 5321 and 5322.

use std::ops::Range;

use email_address::{EmailAddress, Error, Options};
use smol_str::SmolStr;

use super::{FormatError, describe, find_char};

/// The address.
pub fn parse(text: &str) -> Result<SmolStr, FormatError> {
    if text.is_empty() {
        return Err(FormatError::new("an e-mail address is missing here", 0..0));
    }
    if let Some((range, c)) = find_char(text, |c| c.is_whitespace() || c.is_control()) {
        let meant = text.trim();
        return Err(FormatError::new(format!("{} has no place in an e-mail address", describe(c)), range)
            .suggest_maybe((meant != text && parse(meant).is_ok()).then(|| meant.to_owned())));
    }
    let options = Options::default().without_display_text().without_domain_literal().with_required_tld();
    match EmailAddress::parse_with_options(text, options) {
        Ok(_) => Ok(SmolStr::new(text)),
        Err(error) => {
            let (message, range) = explain(&error, text);
            Err(FormatError::new(message, range))
        }
    }
}

fn explain(error: &Error, text: &str) -> (&'static str, Range<usize>) {
    let at = text.rfind('@').unwrap_or(text.len());
    let local = 0..at;
    let domain = (at + 1).min(text.len())..text.len();
    match error {
        Error::MissingSeparator => ("the `@` is missing", 0..text.len()),
        Error::LocalPartEmpty => ("nothing stands before the `@`", 0..text.len()),
        Error::LocalPartTooLong => ("more than 64 characters stand before the `@`", local),
        Error::UnbalancedQuotes => ("the quotes before the `@` are not closed", local),
        Error::DomainEmpty => ("nothing stands after the `@`", 0..text.len()),
        Error::DomainTooLong | Error::SubDomainTooLong => ("the host name after the `@` is too long", domain),
        Error::SubDomainEmpty | Error::DomainInvalidSeparator => ("a part of the host name is empty", domain),
        Error::DomainTooFew => ("the host name after the `@` has no dot", domain),
        Error::InvalidIPAddress | Error::UnsupportedDomainLiteral => {
            ("a host name is wanted after the `@`", domain)
        }
        Error::InvalidCharacter
        | Error::InvalidComment
        | Error::UnsupportedDisplayName
        | Error::MissingDisplayName
        | Error::MissingEndBracket => ("not an e-mail address", 0..text.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses() {
        for text in ["ops@example.com", "first.last+tag@mail.example.co.uk"] {
            assert_eq!(parse(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (text, message, range) in [
            ("", "an e-mail address is missing here", 0..0),
            ("ops", "the `@` is missing", 0..3),
            ("@example.com", "nothing stands before the `@`", 0..12),
            ("ops@", "nothing stands after the `@`", 0..4),
            ("ops@example", "the host name after the `@` has no dot", 4..11),
            ("ops @example.com", "a space has no place in an e-mail address", 3..4),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!((error.message.as_str(), error.range), (message, range), "{text}");
        }
        assert_eq!(parse(" ops@example.com").unwrap_err().suggestion.as_deref(), Some("ops@example.com"));
        assert!(parse("Ops <ops@example.com>").is_err());
    }
}
