//! What git and SSH complain of, as a [`GitError`]: one line, without this machine's paths and without passwords.

use std::{path::Path, process::ExitStatus};

use crate::ports::git::GitError;

/// What a line comes to.
type Meaning = fn(String) -> GitError;

/// What stands in a complaint, and what it means. The first that is found counts.
const MEANINGS: &[(&str, Meaning)] = &[
    ("host key verification failed", GitError::HostKey),
    ("remote host identification has changed", GitError::HostKey),
    ("host key is known for", GitError::HostKey),
    // A link of a local folder is refused by the system, not by a server.
    ("permission denied (", GitError::Refused),
    ("authentication failed", GitError::Refused),
    ("could not read username", GitError::Refused),
    ("could not read password", GitError::Refused),
    ("access denied", GitError::Refused),
    ("returned error: 401", GitError::Refused),
    ("returned error: 403", GitError::Refused),
    ("load key", GitError::Refused),
    (NO_BRANCH, no_branch),
    ("does not appear to be a git repository", GitError::Missing),
    ("could not be found", GitError::Missing),
    ("returned error: 404", GitError::Missing),
    ("repository not found", GitError::Missing),
    ("not a valid object name", GitError::Missing),
    ("not a tree object", GitError::Missing),
    ("failed to unpack tree object", GitError::Missing),
    ("could not resolve host", GitError::Away),
    ("connection refused", GitError::Away),
    ("connection timed out", GitError::Away),
    ("operation timed out", GitError::Away),
    ("connection reset", GitError::Away),
    ("connection closed", GitError::Away),
    ("network is unreachable", GitError::Away),
    ("no route to host", GitError::Away),
    ("failed to connect", GitError::Away),
    ("returned error: 429", GitError::Away),
    ("returned error: 5", GitError::Away),
    ("operation too slow", GitError::Away),
    ("remote end hung up", GitError::Away),
    ("early eof", GitError::Away),
    ("kex_exchange_identification", GitError::Away),
];

const NO_BRANCH: &str = "couldn't find remote ref";

/// What a repository says that is empty, or whose branch has another name.
fn no_branch(line: String) -> GitError {
    GitError::Missing(
        line + "; nothing is committed there yet, or `gosling serve --branch` names another branch",
    )
}

/// Said after another line that tells more.
const EMPTY_WORDS: &[&str] =
    &["could not read from remote repository", "please make sure", "and the repository exists", "@@@@"];

pub(super) fn read(complaint: &str, status: ExitStatus, repository: Option<&Path>) -> GitError {
    let lines: Vec<String> =
        complaint.lines().map(|line| plain(line, repository)).filter(|line| says(line)).collect();
    let found = MEANINGS.iter().find_map(|(words, meaning)| {
        let line = lines.iter().find(|line| line.to_lowercase().contains(words))?;
        Some(meaning(line.clone()))
    });
    found.unwrap_or_else(|| match lines.last() {
        Some(line) => GitError::Wrong(line.clone()),
        None => GitError::Wrong(format!("it ended with {status} and said nothing")),
    })
}

fn says(line: &str) -> bool {
    let line = line.to_lowercase();
    !line.is_empty() && !EMPTY_WORDS.iter().any(|words| line.contains(words))
}

/// A line without what git puts before it, without the path of the mirror, and without what a URL says between `//` and `@`.
fn plain(line: &str, repository: Option<&Path>) -> String {
    let mut line = line.trim();
    for prefix in ["remote:", "fatal:", "error:"] {
        line = line.strip_prefix(prefix).unwrap_or(line).trim_start();
    }
    let mut line = flyc::render::one_line(line);
    if let Some(folder) = repository.and_then(Path::parent).and_then(Path::to_str) {
        line = line.replace(folder, "…");
    }
    let mut told = String::new();
    let mut rest = line.as_str();
    while let Some((before, after)) = rest.split_once("://") {
        let authority = after.split(['/', ' ', '\'', '"']).next().unwrap_or_default();
        let password = authority.rfind('@').map_or(0, |at| at + 1);
        told.push_str(before);
        told.push_str("://");
        rest = &after[password..];
    }
    told.push_str(rest);
    told
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn told(complaint: &str) -> GitError {
        read(complaint, ExitStatus::from_raw(128 << 8), Some(Path::new("/var/lib/gosling/nest/repo.git")))
    }

    #[test]
    fn complaints_are_told_apart() {
        let text =
            told("git@h: Permission denied (publickey).\r\nfatal: Could not read from remote repository.\n");
        assert!(
            matches!(&text, GitError::Refused(line) if line == "git@h: Permission denied (publickey)."),
            "{text:?}"
        );
        let text = told("fatal: couldn't find remote ref refs/heads/trunk\n");
        assert!(
            matches!(&text, GitError::Missing(line)
                if line.starts_with("couldn't find remote ref refs/heads/trunk; ") && line.contains("--branch")),
            "{text:?}"
        );
        assert!(matches!(told("ssh: connect to host h port 22: Connection refused\n"), GitError::Away(_)));
        assert!(matches!(told("Host key verification failed.\n"), GitError::HostKey(_)));
        let text =
            told("fatal: Unable to create '/var/lib/gosling/nest/repo.git/shallow.lock': File exists.\n");
        assert!(
            matches!(&text, GitError::Wrong(line) if line == "Unable to create '…/repo.git/shallow.lock': File exists."),
            "{text:?}"
        );
        let text = told(
            "fatal: unable to access 'https://bot:glpat-1@h/a/': The requested URL returned error: 403\n",
        );
        assert!(
            matches!(&text, GitError::Refused(line) if line == "unable to access 'https://h/a/': The requested URL returned error: 403"),
            "{text:?}"
        );
        assert!(matches!(told(""), GitError::Wrong(_)));
    }
}
