//! `gitlab`: which project or group runners serve, and where their secrets are kept.

use super::{Attribute, Block, Constraint};
use crate::types::Type;

/// `gitlab { … }` in an egg or in a `repo` of an eggsbucket.
pub(super) static GITLAB: Block = Block {
    attributes: &[
        Attribute::optional("server", Type::Fqdn, "the host name of the GitLab server", "\"gitlab.com\"")
            .derived("the Nest's `gitlab.server`, else `gitlab.com`"),
        Attribute::optional(
            "project_id",
            Type::int(1, i64::MAX),
            "the number of the one project the runners serve",
            "12345",
        ),
        Attribute::optional(
            "group_id",
            Type::int(1, i64::MAX),
            "the number of the group whose projects, present and future, the runners serve",
            "789",
        ),
        Attribute::optional(
            "api_token_secret",
            Type::Secret,
            "where the token is kept that registers runners and webhooks with the GitLab API",
            "\"yc-lockbox://gitlab/gitlab.com/my-app/api-token\"",
        )
        .derived("`{backend}://gitlab/{server}/{egg}/api-token`, in the secret store of the egg's cloud; for a `repo` of a bucket `{bucket}/{repo}` stands for `{egg}`"),
        Attribute::optional(
            "token_secret",
            Type::Secret,
            "where the token is kept that runners sign in to GitLab with",
            "\"yc-lockbox://gitlab/gitlab.com/my-app/runner-token\"",
        )
        .derived("`{backend}://gitlab/{server}/{egg}/runner-token`, in the secret store of the egg's cloud; for a `repo` of a bucket `{bucket}/{repo}` stands for `{egg}`"),
        Attribute::optional(
            "webhook_secret",
            Type::Secret,
            "where the token is kept that proves a webhook came from GitLab",
            "\"yc-lockbox://gitlab/gitlab.com/my-app/webhook-secret\"",
        )
        .derived(
            "`{backend}://gitlab/{server}/{egg}/webhook-secret`, in the secret store of the egg's cloud; for a `repo` of a bucket `{bucket}/{repo}` stands for `{egg}`",
        ),
    ],
    constraints: &[Constraint::ExactlyOneOf(&["project_id", "group_id"])],
    example: r#"gitlab {
  server     = "gitlab.com"
  project_id = 12345
}"#,
    ..Block::new("gitlab", "The GitLab project or group that runners serve.")
};
