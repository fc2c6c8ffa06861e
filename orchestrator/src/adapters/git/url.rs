//! Which URLs and branches git is given: none that it would take for an option or for a program to start.

use crate::ports::git::GitError;

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
