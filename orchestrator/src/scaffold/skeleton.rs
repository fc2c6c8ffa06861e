//! The files of a new Nest.

use flyc::artifact::Provider;

/// What is known of a Nest that is begun.
#[derive(Debug, Clone)]
pub struct NewNest {
    /// Its name.
    pub name: String,
    /// Where it is installed.
    pub cloud: Provider,
    /// The GitLab server of its repository.
    pub server: Option<String>,
    /// The number of its project there.
    pub project_id: Option<u64>,
    /// The branch that counts.
    pub branch: String,
}

/// The files, by their paths in the Nest.
pub fn skeleton(nest: &NewNest) -> Vec<(&'static str, String)> {
    vec![
        ("nest.fly", nest_fly(nest)),
        ("MG/config.fly", mothergoose(nest.cloud)),
        ("UF/config.fly", include_str!("skeleton/uglyfox.fly").to_owned()),
        ("Eggs/.gitkeep", String::new()),
        ("Jobs/.gitkeep", String::new()),
        (".gitignore", include_str!("skeleton/gitignore").to_owned()),
        (".pre-commit-config.yaml", include_str!("skeleton/pre-commit.yaml").to_owned()),
        (".gitlab-ci.yml", include_str!("skeleton/gitlab-ci.yml").to_owned()),
        ("README.md", include_str!("skeleton/README.md").replace("{name}", &nest.name)),
    ]
}

fn nest_fly(nest: &NewNest) -> String {
    let server = nest.server.as_ref().map(|server| format!("    server     = \"{server}\"\n"));
    let project = nest.project_id.map(|project| format!("    project_id = {project}\n"));
    let text = format!(
        "# What holds for the whole Nest.\nnest {{\n  edition = {}\n  name    = \"{}\"\n\n  gitlab {{\n{}{}    branch = \"{}\"\n  }}\n}}\n",
        fly_std::DEFAULT_EDITION,
        nest.name,
        server.unwrap_or_default(),
        project.unwrap_or_default(),
        nest.branch,
    );
    flyc::format::format(&flyc::syntax::parse(text.into()))
}

fn mothergoose(cloud: Provider) -> String {
    format!(
        "# The system that runs the fleet. Everything that is not said here has a default.\n\
         mothergoose {{\n  cloud {{\n    provider = \"{}\"\n  }}\n}}\n",
        cloud.name()
    )
}

#[cfg(test)]
mod tests {
    use flyc::compiler::Compiler;

    use super::*;

    #[test]
    fn every_new_nest_checks_and_is_formatted() {
        for cloud in Provider::ALL {
            for server in [None, Some("gitlab.example.com".to_owned())] {
                let nest = NewNest {
                    name: "birds".to_owned(),
                    cloud,
                    project_id: server.is_some().then_some(42),
                    server,
                    branch: "main".to_owned(),
                };
                let files = skeleton(&nest);
                let fly = files.iter().filter(|(path, _)| path.strip_suffix(".fly").is_some());
                let compiler = Compiler::new(fly.clone().map(|(path, text)| (*path, text.as_str())));
                assert_eq!(compiler.check(), [], "{cloud:?}");
                for (path, text) in fly {
                    let formatted = flyc::format::format(&flyc::syntax::parse(text.as_str().into()));
                    assert_eq!(*text, formatted, "{path}");
                }
            }
        }
    }
}
