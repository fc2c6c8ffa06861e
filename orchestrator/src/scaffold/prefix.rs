//! Where secrets are kept that nobody has named: a backend, or a place in one.

use std::str::FromStr;

use fly_std::formats::{SecretBackend, SecretUri, closest, secret_uri};

/// What stands before the names of secrets: `vault://`, or `vault://team/gosling`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// The whole of a backend.
    pub fn of(backend: SecretBackend) -> Self {
        Self(format!("{}://", backend.scheme()))
    }

    /// The secret of this name.
    pub fn uri(&self, name: &str) -> Option<SecretUri> {
        secret_uri::parse(&self.text(name)).ok()
    }

    /// The URI of the secret of this name, as it is written.
    pub fn text(&self, name: &str) -> String {
        let between = if self.0.ends_with("://") { "" } else { "/" };
        format!("{}{between}{name}", self.0)
    }

    /// As it is given to `--secret-backend`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Prefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim_end_matches('/');
        let scheme = |name: &str| match name {
            "lockbox" => Some(SecretBackend::YcLockbox),
            name => SecretBackend::from_scheme(name),
        };
        let text_of = |backend: SecretBackend| format!("{}://", backend.scheme());
        let whole = match text.strip_suffix(':').unwrap_or(text) {
            name if scheme(name).is_some() => scheme(name).map(text_of).unwrap_or_default(),
            _ => text.to_owned(),
        };
        let prefix = Self(whole);
        match secret_uri::parse(&prefix.text("deploy-keys/mothergoose-private")) {
            Ok(_) => Ok(prefix),
            Err(error) => {
                let known = ["lockbox", "yc-lockbox", "aws-sm", "vault"];
                // What has more than a scheme may be a secret that was pasted; it isn't repeated.
                let nearest = (!text.contains("://")).then(|| closest(text, known)).flatten();
                Err(nearest.map_or_else(
                    || {
                        format!(
                            "{}; write lockbox, aws-sm, vault, or the beginning of a URI: vault://team",
                            error.message
                        )
                    },
                    |name| format!("there is no such backend; did you mean `{name}`?"),
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backends_and_places_in_them_are_read() {
        for (text, wanted) in [
            ("lockbox", "yc-lockbox://nest/repo-url"),
            ("yc-lockbox", "yc-lockbox://nest/repo-url"),
            ("vault://", "vault://nest/repo-url"),
            ("aws-sm", "aws-sm://nest/repo-url"),
            ("vault://team/gosling/", "vault://team/gosling/nest/repo-url"),
        ] {
            let prefix: Prefix = text.parse().unwrap();
            assert_eq!(prefix.uri("nest/repo-url").unwrap().uri(), wanted, "{text}");
        }
        for wrong in ["", "valt", "https://x", "vault://a//b", "vault://a b", "gcp"] {
            assert!(wrong.parse::<Prefix>().is_err(), "{wrong}");
        }
        assert!("valt".parse::<Prefix>().unwrap_err().contains("`vault`"));
    }
}
