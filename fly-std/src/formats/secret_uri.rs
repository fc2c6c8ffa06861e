//! Secret URIs: `yc-lockbox://id/key`, `aws-sm://name/key`, `vault://path/key`.
//!
//! A URI says where a secret is kept; the value itself never enters the compiler. Even the URI is not printed
//! outside the file it stands in: `Debug` and [`SecretUri::masked`] show the backend only, and no error here
//! repeats the text.

use std::{fmt, ops::Range};

use smol_str::SmolStr;

use super::{FormatError, closest, describe, find_char};

/// Where secrets can be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SecretBackend {
    /// Yandex Lockbox.
    YcLockbox,
    /// AWS Secrets Manager.
    AwsSm,
    /// `HashiCorp` Vault or `OpenBao`.
    Vault,
}

impl SecretBackend {
    /// Every backend.
    pub const ALL: [Self; 3] = [Self::YcLockbox, Self::AwsSm, Self::Vault];

    /// What stands before `://`.
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::YcLockbox => "yc-lockbox",
            Self::AwsSm => "aws-sm",
            Self::Vault => "vault",
        }
    }

    /// One sentence for hover and completion.
    pub const fn doc(self) -> &'static str {
        match self {
            Self::YcLockbox => {
                "Yandex Lockbox: `yc-lockbox://<id>/<key>`; the first segment is the secret's id."
            }
            Self::AwsSm => {
                "AWS Secrets Manager: `aws-sm://<name>/<key>`; the first segment is the secret's name."
            }
            Self::Vault => "Vault: `vault://<path>/<key>`; the last segment is the key.",
        }
    }

    /// The form of its URIs, for messages.
    pub const fn form(self) -> &'static str {
        match self {
            Self::YcLockbox => "yc-lockbox://<id>/<key>",
            Self::AwsSm => "aws-sm://<name>/<key>",
            Self::Vault => "vault://<path>/<key>",
        }
    }

    /// The backend with this scheme.
    pub fn from_scheme(scheme: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|backend| backend.scheme() == scheme)
    }
}

/// A reference to a secret.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SecretUri {
    /// Where it is kept.
    pub backend: SecretBackend,
    /// The secret's id (Lockbox), name (Secrets Manager) or path (Vault).
    pub id: SmolStr,
    /// The key within the secret.
    pub key: SmolStr,
}

impl SecretUri {
    /// The URI, exactly as it was parsed. Only for the place that fetches the secret.
    pub fn uri(&self) -> String {
        format!("{}://{}/{}", self.backend.scheme(), self.id, self.key)
    }

    /// What may be shown anywhere: `yc-lockbox://***MASKED***`.
    pub fn masked(&self) -> String {
        format!("{}://***MASKED***", self.backend.scheme())
    }
}

impl fmt::Debug for SecretUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// Whether a text means to be a secret URI: it begins with one of the schemes and `://`.
pub fn is_secret_uri_like(text: &str) -> bool {
    SecretBackend::ALL
        .into_iter()
        .any(|backend| text.strip_prefix(backend.scheme()).is_some_and(|rest| rest.starts_with("://")))
}

/// The parts of the URI.
///
/// For Lockbox and Secrets Manager the first segment is the id and the rest the key; for Vault the last segment
/// is the key and the rest the path.
pub fn parse(text: &str) -> Result<SecretUri, FormatError> {
    if text.is_empty() {
        return Err(FormatError::new("a secret URI is missing here", 0..0));
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(missing_scheme(text));
    };
    let Some(backend) = SecretBackend::from_scheme(scheme) else {
        let meant = closest(scheme, SecretBackend::ALL.map(SecretBackend::scheme));
        return Err(FormatError::new(
            "not a place secrets are kept: yc-lockbox, aws-sm or vault",
            if scheme.is_empty() { 0..3 } else { 0..scheme.len() },
        )
        .suggest_maybe(meant.map(|meant| format!("{meant}://{rest}")).filter(|text| parse(text).is_ok())));
    };
    let start = scheme.len() + 3;
    if let Some((range, c)) = find_char(rest, |c| c.is_whitespace() || c.is_control()) {
        return Err(FormatError::new(
            format!("{} has no place in a secret URI", describe(c)),
            shift(range, start),
        ));
    }
    if rest.is_empty() {
        return Err(FormatError::whole(
            format!("nothing follows `://`; the form is `{}`", backend.form()),
            text,
        ));
    }
    let mut at = start;
    for segment in rest.split('/') {
        if segment.is_empty() {
            // An empty segment has no bytes of its own: the slash beside it is marked.
            let slash = if at < text.len() { at..at + 1 } else { at - 1..at };
            return Err(FormatError::new("a segment of the path is empty", slash)
                .suggest_maybe(without_empty_segments(backend, rest)));
        }
        at += segment.len() + 1;
    }
    let parts = match backend {
        SecretBackend::YcLockbox | SecretBackend::AwsSm => rest.split_once('/'),
        SecretBackend::Vault => rest.rsplit_once('/'),
    };
    let Some((id, key)) = parts else {
        return Err(FormatError::new(
            format!("the key is missing; the form is `{}`", backend.form()),
            start..text.len(),
        ));
    };
    Ok(SecretUri { backend, id: SmolStr::new(id), key: SmolStr::new(key) })
}

fn missing_scheme(text: &str) -> FormatError {
    let error = FormatError::whole("a secret is given by its URI, such as `yc-lockbox://<id>/<key>`", text);
    // `yc-lockbox:/id/key` and `yc-lockbox:id/key` are slips in `://`.
    let meant = text.split_once(':').and_then(|(scheme, rest)| {
        SecretBackend::from_scheme(scheme)
            .map(|backend| format!("{}://{}", backend.scheme(), rest.trim_start_matches('/')))
    });
    match meant {
        Some(meant) => {
            let colon = text.find(':').unwrap_or(text.len());
            let slashes = text[colon + 1..].len() - text[colon + 1..].trim_start_matches('/').len();
            FormatError::new("`://` stands between the scheme and the rest", colon..colon + 1 + slashes)
                .suggest_maybe(parse(&meant).is_ok().then_some(meant))
        }
        None => error,
    }
}

fn without_empty_segments(backend: SecretBackend, rest: &str) -> Option<String> {
    let segments: Vec<_> = rest.split('/').filter(|segment| !segment.is_empty()).collect();
    let text = format!("{}://{}", backend.scheme(), segments.join("/"));
    (segments.len() > 1 && parse(&text).is_ok()).then_some(text)
}

fn shift(range: Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_secret_uris() {
        for (text, backend, id, key) in [
            ("yc-lockbox://gitlab-tokens/runner", SecretBackend::YcLockbox, "gitlab-tokens", "runner"),
            (
                "yc-lockbox://gitlab/gitlab.com/my-app/api-token",
                SecretBackend::YcLockbox,
                "gitlab",
                "gitlab.com/my-app/api-token",
            ),
            ("aws-sm://gitlab/runner-token", SecretBackend::AwsSm, "gitlab", "runner-token"),
            ("vault://gitlab/runner-token", SecretBackend::Vault, "gitlab", "runner-token"),
            ("vault://secret/data/gitlab/token", SecretBackend::Vault, "secret/data/gitlab", "token"),
        ] {
            let uri = parse(text).unwrap();
            assert_eq!((uri.backend, uri.id.as_str(), uri.key.as_str()), (backend, id, key), "{text}");
            assert_eq!(uri.uri(), text);
            assert!(is_secret_uri_like(text));
        }
        assert!(!is_secret_uri_like("vault:x"));
        assert!(!is_secret_uri_like("https://x/y"));
    }

    #[test]
    fn nothing_is_shown_of_a_secret_but_its_backend() {
        let uri = parse("yc-lockbox://tokens/key").unwrap();
        assert_eq!(format!("{uri:?}"), "yc-lockbox://***MASKED***");
        assert_eq!(uri.masked(), "yc-lockbox://***MASKED***");
        assert_eq!(format!("{:?}", crate::Value::Secret(Box::new(uri))), "Secret(yc-lockbox://***MASKED***)");
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (text, message, range, suggestion) in [
            ("", "a secret URI is missing here", 0..0, None),
            ("hunter2", "a secret is given by its URI, such as `yc-lockbox://<id>/<key>`", 0..7, None),
            ("vault:/a/b", "`://` stands between the scheme and the rest", 5..7, Some("vault://a/b")),
            ("vault:a/b", "`://` stands between the scheme and the rest", 5..6, Some("vault://a/b")),
            (
                "yc-lockbx://a/b",
                "not a place secrets are kept: yc-lockbox, aws-sm or vault",
                0..9,
                Some("yc-lockbox://a/b"),
            ),
            (
                "VAULT://a/b",
                "not a place secrets are kept: yc-lockbox, aws-sm or vault",
                0..5,
                Some("vault://a/b"),
            ),
            ("https://a/b", "not a place secrets are kept: yc-lockbox, aws-sm or vault", 0..5, None),
            ("://a/b", "not a place secrets are kept: yc-lockbox, aws-sm or vault", 0..3, None),
            ("vault://", "nothing follows `://`; the form is `vault://<path>/<key>`", 0..8, None),
            ("vault://a", "the key is missing; the form is `vault://<path>/<key>`", 8..9, None),
            ("aws-sm://a/", "a segment of the path is empty", 10..11, None),
            ("aws-sm:///b", "a segment of the path is empty", 9..10, None),
            ("aws-sm://a//b", "a segment of the path is empty", 11..12, Some("aws-sm://a/b")),
            ("vault://a b/c", "a space has no place in a secret URI", 9..10, None),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!((error.message.as_str(), error.range), (message, range), "{text}");
            assert_eq!(error.suggestion.as_deref(), suggestion, "{text}");
        }
    }

    fn segment() -> impl Strategy<Value = String> {
        "[a-zA-Z0-9._@:é-]{1,12}"
    }

    proptest! {
        #[test]
        fn property_4b_secret_uri_parts(
            backend in prop::sample::select(SecretBackend::ALL.to_vec()),
            one in segment(),
            many in prop::collection::vec(segment(), 1..5),
        ) {
            let many = many.join("/");
            let (id, key) = match backend {
                SecretBackend::YcLockbox | SecretBackend::AwsSm => (one, many),
                SecretBackend::Vault => (many, one),
            };
            let text = format!("{}://{id}/{key}", backend.scheme());
            let uri = parse(&text).unwrap();
            prop_assert_eq!(uri.backend, backend);
            prop_assert_eq!(uri.id.as_str(), id);
            prop_assert_eq!(uri.key.as_str(), key);
            prop_assert_eq!(uri.uri(), text);
        }

        #[test]
        fn never_panics_and_ranges_are_slices(text in "(yc-lockbox|aws-sm|vault|valt)?(:|:/|://)?[a-z/ é]{0,10}") {
            if let Err(error) = parse(&text) {
                prop_assert!(text.get(error.range).is_some());
            }
        }
    }
}
