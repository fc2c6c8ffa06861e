//! What becomes of GitLab jobs, as users meet it: `flyc simulate`, `flyc test` and `flyc check --ci`, of
//! one Nest.

mod check_ci;
mod expectations;
mod simulate;

use super::harness::{Nest, nest};

const APP: &str = r#"egg "my-app" {
  type = "vm"

  runner {
    tags = ["docker", "linux"]
  }

  gitlab {
    project_id = 1
  }
}
"#;

const SHOP: &str = r#"eggsbucket "shop" {
  type = "serverless"

  runner {
    tags         = ["docker", "gpu"]
    run_untagged = true
    protected    = true
  }

  repositories {
    repo "api" {
      gitlab {
        project_id = 1
      }
    }

    repo "all" {
      gitlab {
        server   = "git.example.com"
        group_id = 789
      }
    }
  }
}
"#;

fn fleet(more: &[(&str, &str)]) -> Nest {
    let mut files = vec![("Eggs/my-app/config.fly", APP), ("Eggs/shop/config.fly", SHOP)];
    files.extend_from_slice(more);
    nest(&files)
}
