//! What `gosling init` did, for people and programs, and what comes next.

use std::{fmt::Write as _, path::Path};

use serde::Serialize;

use super::{
    super::{desk::Kept, text::Paint},
    git,
};
use crate::scaffold::Prefix;

/// What was done.
#[derive(Debug, Serialize)]
pub(super) struct Begun {
    pub(super) nest: String,
    pub(super) folder: String,
    pub(super) cloud: &'static str,
    pub(super) secret_backend: String,
    /// Files that are new.
    pub(super) made: Vec<&'static str>,
    /// Files that were there.
    pub(super) kept: Vec<&'static str>,
    pub(super) keys: Vec<Key>,
    pub(super) nest_url: Option<NestUrl>,
    pub(super) notes: Vec<Note>,
    /// Commands, in their order.
    pub(super) next: Vec<Step>,
}

/// A deploy key. Its public part is no secret.
#[derive(Debug, Serialize)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) title: String,
    pub(super) access: &'static str,
    pub(super) purpose: &'static str,
    #[serde(rename = "public_key")]
    pub(super) line: String,
    pub(super) private: String,
    pub(super) public: String,
    pub(super) kept: Kept,
}

/// Where the URL of the repository is kept; it may have a password in it.
#[derive(Debug, Serialize)]
pub(super) struct NestUrl {
    pub(super) secret: String,
    pub(super) kept: Kept,
    /// Whether the one that is kept is another than the one that is meant.
    pub(super) other: bool,
}

/// Something that is not as it should be, and what mends it.
#[derive(Debug, Serialize)]
pub(super) struct Note {
    what: String,
    command: String,
}

impl Note {
    pub(super) const fn new(what: String, command: String) -> Self {
        Self { what, command }
    }
}

/// Something to do.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    what: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
}

/// What the next steps depend on.
pub(super) struct Next<'a> {
    pub(super) url: Option<&'a str>,
    pub(super) folder: &'a Path,
    pub(super) data: &'a Path,
    pub(super) branch: &'a str,
    pub(super) prefix: &'a Prefix,
    pub(super) own_backend: bool,
}

/// A word for a shell.
pub(super) fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | ':' | '@');
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    flyc::lower::shell_word(text).unwrap_or_else(|| "FOLDER".to_owned())
}

/// What comes next.
pub(super) fn next(of: &Next<'_>) -> Vec<Step> {
    let step = |what, command: &str| Step { what, command: Some(command.to_owned()) };
    let folder = word(&of.folder.display().to_string());
    let backend = if of.own_backend {
        format!(" --secret-backend {}", word(of.prefix.as_str()))
    } else {
        String::new()
    };
    let nest = of.url.map_or_else(|| folder.clone(), |url| word(&git::shown(url)));
    let ssh = of.url.is_some_and(git::is_ssh);
    let key = if ssh {
        format!(
            " \\\n       --deploy-key {} --known-hosts known_hosts",
            of.prefix.text("deploy-keys/mothergoose-private")
        )
    } else {
        String::new()
    };
    let branch = if of.branch == "main" { String::new() } else { format!(" --branch {}", word(of.branch)) };
    let push =
        if of.url.is_some() { format!(" && git push -u origin {}", word(of.branch)) } else { String::new() };
    let enter = super::enter(of.folder);
    let path = if enter.is_empty() { String::new() } else { format!(" --path {folder}") };
    let mut steps = vec![Step {
        what: "give the keys to GitLab: Settings > Repository > Deploy keys of the Nest's project; `gosling link` does it too",
        command: None,
    }];
    steps.push(step(
        "say which runners there are",
        &format!("gosling add egg my-app --type vm --gitlab-project-id 12345{path}{backend}"),
    ));
    steps.push(step("commit it", &format!("{enter}git add . && git commit -m \"Begin the Nest\"{push}")));
    if ssh && let Some(host) = of.url.and_then(git::host) {
        steps.push(step(
            "know the server; compare what is printed with what it tells of itself",
            &format!("ssh-keyscan {host} > known_hosts"),
        ));
    }
    let data = word(&of.data.display().to_string());
    steps.push(step(
        "run it",
        &format!("gosling serve --data {data} --nest {nest}{branch}{key} \\\n       --url https://gosling.example.com"),
    ));
    steps
}

impl Begun {
    /// For people.
    pub(super) fn table(&self, colour: bool) -> String {
        let mut out = String::new();
        let bold = |text: &str| Paint::Bold.on(text, colour);
        // Writing to a string fails for nobody.
        let _ = writeln!(out, "{}", bold(&format!("The Nest `{}` in {}", self.nest, self.folder)));
        for file in &self.made {
            let _ = writeln!(out, "  {}   {file}", Paint::Good.on("made", colour));
        }
        for file in &self.kept {
            let _ = writeln!(out, "  {}  {file}", Paint::Dim.on("there", colour));
        }
        let _ = writeln!(out, "\n{}", bold("Deploy keys: these are the public parts, which are not secret"));
        for key in &self.keys {
            let _ = writeln!(out, "  {} ({}): {}", key.name, key.access, key.purpose);
            let _ = writeln!(out, "    {}", key.line);
            let _ = writeln!(out, "    private part: {} ({})", key.private, key.kept.word());
        }
        if let Some(url) = &self.nest_url {
            let _ = writeln!(out, "\nThe repository's URL: {} ({})", url.secret, url.kept.word());
        }
        for note in &self.notes {
            let _ = writeln!(out, "\n{} {}", Paint::Busy.on("note:", colour), note.what);
            let _ = writeln!(out, "      {}", note.command);
        }
        let _ = writeln!(out, "\n{}", bold("Next"));
        for (at, step) in self.next.iter().enumerate() {
            let _ = writeln!(out, "  {}. {}", at + 1, step.what);
            if let Some(command) = &step.command {
                let _ = writeln!(out, "     {command}");
            }
        }
        out
    }
}
