//! What git says of the folder that becomes a Nest. Nothing of it is fatal: it is told, with the command that mends it.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use url::Url;

/// The repository, as far as it matters.
#[derive(Debug, Default)]
pub(super) struct Git {
    /// Whether git can be asked.
    pub(super) installed: bool,
    /// Whether the folder lies in a repository.
    pub(super) repository: bool,
    /// The folder lies within the repository, and isn't its top.
    pub(super) below_top: bool,
    /// The URL of `origin`, if there is one.
    pub(super) origin: Option<String>,
    /// The branch, also one without a commit.
    pub(super) branch: Option<String>,
}

/// Runs git on a folder; what it printed, if it went well.
fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    // A hook of git's would have another repository be meant.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX"] {
        command.env_remove(name);
    }
    let output = command.arg("-C").arg(folder).args(arguments).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim_end_matches('\n').to_owned())
}

impl Git {
    /// Looks at a folder.
    pub(super) fn of(folder: &Path) -> Self {
        if git(folder, &["--version"]).is_none() {
            return Self::default();
        }
        let top = git(folder, &["rev-parse", "--show-prefix"]);
        Self {
            installed: true,
            repository: top.is_some(),
            below_top: top.is_some_and(|prefix| !prefix.is_empty()),
            origin: git(folder, &["remote", "get-url", "origin"]).filter(|url| !url.is_empty()),
            branch: git(folder, &["symbolic-ref", "--quiet", "--short", "HEAD"]),
        }
    }

    /// Makes a repository of the folder; whether it did.
    pub(super) fn init(folder: &Path, branch: &str) -> bool {
        git(folder, &["init", "--quiet", &format!("--initial-branch={branch}")]).is_some()
    }
}

/// The host of a repository's URL.
pub(super) fn host(url: &str) -> Option<String> {
    let host = match Url::parse(url) {
        Ok(url) if matches!(url.scheme(), "ssh" | "https" | "http") => url.host_str()?.to_owned(),
        // `git@host:path`
        _ => {
            let (before, _) = url.split_once(':').filter(|(before, _)| !before.contains('/'))?;
            before.rsplit('@').next()?.to_owned()
        }
    };
    fly_std::formats::fqdn::parse(&host).ok().map(|_| host)
}

/// Whether SSH leads there.
pub(super) fn is_ssh(url: &str) -> bool {
    url.starts_with("ssh://") || (!url.contains("://") && !url.starts_with('/') && host(url).is_some())
}

/// A URL without what may be a password in it.
pub(super) fn shown(url: &str) -> String {
    match Url::parse(url) {
        Ok(mut parsed)
            if parsed.password().is_some() || (parsed.scheme() != "ssh" && !parsed.username().is_empty()) =>
        {
            // Both fail only for URLs that can't have them.
            let _ = parsed.set_username("");
            let _ = parsed.set_password(None);
            parsed.to_string()
        }
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_understood_and_shown_without_passwords() {
        for (url, of, ssh, seen) in [
            (
                "git@gitlab.example.com:a/b.git",
                Some("gitlab.example.com"),
                true,
                "git@gitlab.example.com:a/b.git",
            ),
            (
                "ssh://git@gitlab.example.com:22/a.git",
                Some("gitlab.example.com"),
                true,
                "ssh://git@gitlab.example.com:22/a.git",
            ),
            ("https://me:hunter2@gitlab.com/a.git", Some("gitlab.com"), false, "https://gitlab.com/a.git"),
            ("https://glpat-x@gitlab.com/a.git", Some("gitlab.com"), false, "https://gitlab.com/a.git"),
            ("/srv/nest.git", None, false, "/srv/nest.git"),
            ("file:///srv/nest.git", None, false, "file:///srv/nest.git"),
        ] {
            assert_eq!(host(url).as_deref(), of, "{url}");
            assert_eq!(is_ssh(url), ssh, "{url}");
            assert_eq!(shown(url), seen, "{url}");
        }
    }
}
