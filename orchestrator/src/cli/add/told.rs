//! What was added, for people and programs. The URIs of secrets are told, and never a value.

use std::fmt::Write as _;

use flyc::artifact::Repository;
use serde::Serialize;
use url::Url;

use super::super::{desk::Kept, text::Paint};

/// What was added.
#[derive(Debug, Serialize)]
pub(super) struct Made {
    pub(super) kind: &'static str,
    pub(super) name: String,
    /// Its file in the Nest.
    pub(super) file: String,
    /// Whether anything was written.
    pub(super) written: bool,
    /// The text of the file, when it wasn't.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    pub(super) webhooks: Vec<Webhook>,
    /// What is typed first, to be in the Nest; empty when one is there.
    #[serde(skip)]
    pub(super) enter: String,
    /// What is typed last, to have the commit where the service finds it; empty when the Nest has no remote.
    #[serde(skip)]
    pub(super) push: &'static str,
    /// How much was wrong in the Nest before.
    pub(super) errors_elsewhere: usize,
}

/// The webhook that a project or group needs.
#[derive(Debug, Serialize)]
pub(super) struct Webhook {
    /// The repository of a bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<String>,
    /// The GitLab server.
    server: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    project_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<u64>,
    /// Where GitLab sends it; none when nobody has said where `gosling serve` is.
    url: Option<String>,
    /// Where its secret is kept.
    secret: String,
    /// What became of the secret; none when nothing was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    kept: Option<Kept>,
    /// Where the token for GitLab's API has to be.
    api_token: String,
}

impl Webhook {
    pub(super) fn new(repository: &Repository, url: Option<&Url>, kept: Option<Kept>) -> Self {
        Self {
            repository: repository.name.clone(),
            server: repository.server.clone(),
            project_id: repository.project_id,
            group_id: repository.group_id,
            url: url.map(|url| format!("{}/webhooks/gitlab", url.as_str().trim_end_matches('/'))),
            secret: repository.webhook_secret.clone(),
            kept,
            api_token: repository.api_token_secret.clone(),
        }
    }

    /// Whose it is, in words.
    fn of(&self) -> String {
        match (self.project_id, self.group_id) {
            (Some(id), _) => format!("project {id} on {}", self.server),
            (None, Some(id)) => format!("group {id} on {}", self.server),
            (None, None) => self.server.clone(),
        }
    }
}

impl Made {
    /// For people.
    pub(super) fn table(&self, colour: bool) -> String {
        let mut out = String::new();
        let bold = |text: &str| Paint::Bold.on(text, colour);
        // Writing to a string fails for nobody.
        let _ = writeln!(out, "{} {}", Paint::Good.on("made", colour), self.file);
        for hook in &self.webhooks {
            let name = hook.repository.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
            let _ = writeln!(out, "\n{}", bold(&format!("Webhook of {name}{}", hook.of())));
            let url = hook.url.as_deref().unwrap_or("/webhooks/gitlab, at the URL of gosling serve");
            let _ = writeln!(out, "  URL        {url}");
            let kept = hook.kept.map(Kept::word).unwrap_or_default();
            let _ = writeln!(out, "  secret     {} ({kept})", hook.secret);
            let _ = writeln!(out, "  API token  {}", hook.api_token);
        }
        let of =
            |hook: &Webhook| hook.repository.as_ref().map(|name| format!(" (of {name})")).unwrap_or_default();
        let mut steps: Vec<(String, String)> = Vec::new();
        for hook in &self.webhooks {
            steps.push((
                format!("keep a token for GitLab's API{}", of(hook)),
                format!("gosling secret put {} < token", hook.api_token),
            ));
        }
        let commit = format!(
            "{}git add {} && git commit -m \"Add {} {}\"{}",
            self.enter, self.file, self.kind, self.name, self.push
        );
        steps.push(("deploy it".to_owned(), commit));
        if !self.webhooks.is_empty() {
            let what = "have GitLab send the webhook, once the Nest was read anew";
            steps.push((what.to_owned(), format!("gosling link {}", self.name)));
        }
        for hook in &self.webhooks {
            let what = format!(
                "or do so by hand{}: Settings > Webhooks, for job, pipeline and push events, with the secret from",
                of(hook)
            );
            let file = "webhook-secret.txt";
            steps.push((what, format!("gosling secret get {} --to {file}", hook.secret)));
        }
        let _ = writeln!(out, "\n{}", bold("Next"));
        for (what, command) in steps {
            let _ = writeln!(out, "  - {what}\n      {command}");
        }
        if self.errors_elsewhere > 0 {
            let _ = writeln!(
                out,
                "\n{} the Nest had {} before this, elsewhere: `gosling validate` shows more, and nothing is deployed until it is mended",
                Paint::Bad.on("note:", colour),
                if self.errors_elsewhere == 1 {
                    "an error".to_owned()
                } else {
                    format!("{} errors", self.errors_elsewhere)
                }
            );
        }
        out
    }
}
