//! Which URLs and branches git is given: none that it would take for an option or for a program to start.

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::{logging, ports::git::GitError};

/// How a repository is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Ssh,
    Https,
    Folder,
}

/// The protocols git may speak, whatever the repository's redirects and submodules ask for.
pub(super) const PROTOCOLS: &str = "ssh:https:file";

pub(super) fn kind(url: &str) -> Result<Kind, GitError> {
    let plain = !url.chars().any(char::is_control) && !url.starts_with('-');
    let before_slash = url.split('/').next().unwrap_or_default();
    let found = if !plain {
        None
    } else if url.starts_with("ssh://") {
        Some(Kind::Ssh)
    } else if url.starts_with("https://") {
        Some(Kind::Https)
    } else if url.starts_with('/') || url.starts_with("file:///") {
        Some(Kind::Folder)
    } else if let Some((host, path)) = before_slash.split_once(':')
        && !host.is_empty()
        && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '@'))
        && !path.starts_with(':')
        && !(path.is_empty() && url[before_slash.len()..].starts_with("//"))
    {
        Some(Kind::Ssh)
    } else {
        None
    };
    // The URL may have a password in it, so it isn't shown.
    found.ok_or_else(|| {
        GitError::Missing(
            "the URL of the Nest's repository is none that can be fetched from; write `ssh://…`, `git@host:path`, \
             `https://…` or the absolute path of a folder"
                .to_owned(),
        )
    })
}

/// A URL without its name and password, and the environment by which git shows them to that server all the same: everybody on
/// this machine sees arguments, of git and of the programs that it starts.
pub(super) fn without_password(url: &str) -> (String, Vec<(&'static str, String)>) {
    let Ok(mut parsed) = Url::parse(url) else { return (url.to_owned(), Vec::new()) };
    if parsed.username().is_empty() && parsed.password().is_none() {
        return (url.to_owned(), Vec::new());
    }
    let mut shown: Vec<u8> = percent_decode_str(parsed.username()).collect();
    shown.push(b':');
    if let Some(password) = parsed.password() {
        shown.extend(percent_decode_str(password));
        logging::hide(password);
        logging::hide(&percent_decode_str(password).decode_utf8_lossy());
    }
    let basic = STANDARD.encode(shown);
    logging::hide(&basic);
    // A URL of https can have neither.
    let _ = parsed.set_username("");
    let _ = parsed.set_password(None);
    let server = parsed.origin().ascii_serialization();
    let header = vec![
        ("GIT_CONFIG_COUNT", "1".to_owned()),
        ("GIT_CONFIG_KEY_0", format!("http.{server}/.extraHeader")),
        ("GIT_CONFIG_VALUE_0", format!("Authorization: Basic {basic}")),
    ];
    (parsed.into(), header)
}

/// As much of git's rules for names as keeps a branch from being something else.
pub(super) fn branch(name: &str) -> Result<(), GitError> {
    let forbidden = |c: char| {
        c.is_control() || c.is_whitespace() || matches!(c, ':' | '^' | '~' | '?' | '*' | '[' | '\\')
    };
    let plain = !name.is_empty()
        && !name.starts_with(['-', '/', '+'])
        && !name.contains("..")
        && !name.contains(forbidden);
    if plain { Ok(()) } else { Err(GitError::Missing(format!("`{name}` is no name of a branch"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_shown_to_the_server_alone() {
        let (url, environment) = without_password("https://bot:p%40ss%2Fword@host.example.com:8443/a/b.git");
        assert_eq!(url, "https://host.example.com:8443/a/b.git");
        let value =
            |name| environment.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        assert_eq!(value("GIT_CONFIG_KEY_0"), Some("http.https://host.example.com:8443/.extraHeader"));
        let basic = STANDARD.encode("bot:p@ss/word");
        assert_eq!(value("GIT_CONFIG_VALUE_0"), Some(format!("Authorization: Basic {basic}").as_str()));
        for url in ["https://host/a.git", "/srv/nest"] {
            assert_eq!(without_password(url), (url.to_owned(), Vec::new()));
        }
    }

    #[test]
    fn what_git_would_take_for_something_else_is_refused() {
        for (url, wanted) in [
            ("ssh://git@host:2222/a/b.git", Some(Kind::Ssh)),
            ("git@host.example.com:a/b.git", Some(Kind::Ssh)),
            ("host:b", Some(Kind::Ssh)),
            ("https://host/a.git", Some(Kind::Https)),
            ("/srv/nest", Some(Kind::Folder)),
            ("file:///srv/nest", Some(Kind::Folder)),
            ("ext::sh -c id", None),
            ("fd::17", None),
            ("host::a/b", None),
            ("--upload-pack=id", None),
            ("-oProxyCommand=id:a", None),
            ("http://host/a", None),
            ("git://host/a", None),
            ("nest", None),
            ("", None),
            ("/srv/a\nb", None),
        ] {
            assert_eq!(kind(url).ok(), wanted, "{url:?}");
        }
        for (name, good) in
            [("main", true), ("feature/x", true), ("-x", false), ("a:b", false), ("a..b", false), ("", false)]
        {
            assert_eq!(branch(name).is_ok(), good, "{name:?}");
        }
    }
}
