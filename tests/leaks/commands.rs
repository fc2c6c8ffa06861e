//! Every command of `gosling`, and how each is used rightly.

use clap::Command;

/// The commands that do something, by their words; hidden ones are the program's own business.
pub(crate) fn leaves() -> Vec<Vec<String>> {
    fn look(command: &Command, path: &[String], all: &mut Vec<Vec<String>>) {
        let inner =
            command.get_subcommands().filter(|inner| inner.get_name() != "help" && !inner.is_hide_set());
        let before = all.len();
        for inner in inner {
            look(inner, &[path, &[inner.get_name().to_owned()]].concat(), all);
        }
        // `gosling runner` does something by itself as well.
        if all.len() == before || !command.is_subcommand_required_set() && path == ["runner"] {
            all.push(path.to_vec());
        }
    }
    let mut all = Vec::new();
    look(&orchestrator::cli::program(), &[], &mut all);
    all
}

/// How it is used.
pub(crate) struct Usage {
    /// What follows its words.
    pub(crate) arguments: Vec<String>,
    /// Whether it asks `gosling serve`.
    pub(crate) asks: bool,
    /// Whether it reads a value.
    pub(crate) reads: bool,
    /// Whether it ends by itself, whatever is wrong; what doesn't is ended after a second.
    pub(crate) ends: bool,
}

/// How a command is used. `name` is that of an egg, or of what it is about; `uri` that of a secret of this case; `folder` of a
/// Nest, `data` of a service.
pub(crate) fn usage(words: &[String], name: &str, uri: &str, folder: &str, data: &str) -> Usage {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (mut asks, mut reads, mut ends) = (true, false, true);
    let arguments: Vec<&str> = match words.as_slice() {
        ["status" | "logs" | "link" | "plan"]
        | ["list", "eggs" | "runners" | "jobs"]
        | ["runner", "list"] => {
            if matches!(words[..], ["plan"]) {
                vec![name]
            } else {
                vec![]
            }
        }
        ["list", "plans"]
        | ["get", "egg" | "runner"]
        | ["pause" | "resume" | "rollback" | "rotate-tokens"] => vec![name],
        ["get", "plan"] => vec![name, "00000000-0000-7000-8000-000000000000"],
        ["why", "job"] => vec!["7"],
        ["queue", "list"] => vec![],
        ["queue", "replay"] => vec![name],
        ["unlink"] => vec![name, "--yes"],
        ["runner", "drain"] => vec![name],
        ["runner", "terminate"] => vec![name, "--yes"],
        ["secret", "put"] => {
            reads = true;
            vec![uri]
        }
        ["secret", "rotate"] => {
            reads = true;
            vec![uri]
        }
        ["secret", "versions"] => vec![uri],
        ["secret", "audit"] => vec![],
        others => {
            asks = false;
            match others {
                ["init"] => vec!["--path", folder, "--cloud", "local", "--yes", "--data", data],
                ["add", "egg"] => {
                    vec![
                        name,
                        "--path",
                        folder,
                        "--type",
                        "vm",
                        "--gitlab-project-id",
                        "5",
                        "--yes",
                        "--data",
                        data,
                    ]
                }
                ["add", "bucket"] => {
                    vec![
                        name,
                        "--path",
                        folder,
                        "--type",
                        "vm",
                        "--repo",
                        "api=project:7",
                        "--yes",
                        "--data",
                        data,
                    ]
                }
                ["add", "job"] => {
                    vec![
                        name,
                        "--path",
                        folder,
                        "--schedule",
                        "0 2 * * *",
                        "--script",
                        "true",
                        "--yes",
                        "--data",
                        data,
                    ]
                }
                ["validate"] => vec![folder],
                ["serve"] => {
                    ends = false;
                    vec!["--nest", folder, "--data", data, "--listen", "127.0.0.1:0"]
                }
                ["token"] => vec![name, "--data", data],
                ["secret", "get"] => vec![uri, "--to", "taken", "--data", data],
                ["secret", "remove"] => vec![uri, "--yes", "--data", data],
                ["export"] => vec!["out.jsonl", "--data", data],
                ["import"] => vec!["given/export.jsonl", "--data", data],
                ["runner"] => {
                    ends = false;
                    vec!["--config", "given/runner.json", "--folder", "runner"]
                }
                ["power"] => {
                    ends = false;
                    vec!["--cloud", "yandex", "--instance", name, "--state", "running"]
                }
                ["man"] => vec!["pages"],
                ["completions"] => vec!["bash"],
                new => {
                    panic!("`gosling {}` is new: tell tests/leaks/commands.rs how it is used", new.join(" "))
                }
            }
        }
    };
    Usage { arguments: arguments.into_iter().map(str::to_owned).collect(), asks, reads, ends }
}

#[test]
fn every_command_is_known() {
    let all = leaves();
    assert!(all.len() > 35, "{all:?}");
    for words in all {
        usage(&words, "name", "vault://a/b", "nest", "data");
    }
}
