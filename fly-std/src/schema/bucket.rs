//! `eggsbucket`: one set of runners shared by several GitLab projects and groups.

use super::{
    Block, Child, Label,
    egg::{CLOUD, ENVIRONMENT, EXTENDS, RESOURCES, RUNNER, RUNNER_TYPE},
    gitlab::GITLAB,
    rift,
};

/// `eggsbucket "name" { … }`
pub static EGGSBUCKET: Block = Block {
    label: Label::Name("the bucket's name"),
    attributes: &[EXTENDS, RUNNER_TYPE],
    blocks: &[
        Child::optional(&CLOUD),
        Child::optional(&RESOURCES),
        Child::optional(&RUNNER),
        Child::once(&REPOSITORIES),
        Child::optional(&ENVIRONMENT),
        Child::optional(&rift::RIFT_REFERENCE),
        Child::never(&GITLAB, "each repository has its own; write it inside `repo`"),
    ],
    example: r#"eggsbucket "microservices" {
  type = "vm"

  repositories {
    repo "api" {
      gitlab {
        project_id = 12345
      }
    }

    repo "frontend" {
      gitlab {
        group_id = 789
      }
    }
  }
}"#,
    ..Block::new("eggsbucket", "Runners shared by several GitLab projects and groups.")
};

/// `repositories { … }`
static REPOSITORIES: Block = Block {
    blocks: &[Child::many(&REPO)],
    example: r#"repositories {
  repo "api" {
    gitlab {
      project_id = 12345
    }
  }
}"#,
    ..Block::new("repositories", "The projects and groups that share the runners.")
};

/// `repo "name" { … }`
static REPO: Block = Block {
    label: Label::Name("the repository's name"),
    blocks: &[Child::once(&GITLAB)],
    example: r#"repo "api" {
  gitlab {
    project_id = 12345
  }
}"#,
    ..Block::new("repo", "One GitLab project or group of the bucket.")
};
