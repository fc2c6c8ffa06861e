//! The page of all commands, made from what the program knows of its arguments.

use std::fmt::Write as _;

use clap::Command;

use super::veil;

/// How wide the texts are.
const WIDTH: usize = 100;

/// The page: every command with its help, and what every command knows said once.
pub fn reference() -> String {
    let mut root = program();
    let mut out = "# gosling's commands\n\nEvery command of `gosling`, as its `--help` has it. \
                   [Running gosling](../gosling.md) shows how they are used.\n"
        .to_owned();
    let global: Vec<String> =
        root.get_arguments().filter(|arg| arg.is_global_set()).map(|arg| arg.get_id().to_string()).collect();
    section(&mut out, &mut root, "gosling", &global, true);
    out
}

/// The program as clap has it, of which nothing depends on who asks.
pub fn program() -> Command {
    let mut root = veil::program().term_width(WIDTH).disable_help_subcommand(true);
    root.build();
    root
}

fn section(out: &mut String, command: &mut Command, path: &str, global: &[String], is_root: bool) {
    let mut shown = command.clone();
    if !is_root {
        shown = shown.mut_args(|arg| {
            let is_global = global.iter().any(|id| arg.get_id() == id.as_str());
            if is_global || arg.get_id() == "help" { arg.hide(true) } else { arg }
        });
    }
    let help = shown.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    let _ = write!(out, "\n## {path}\n\n```text\n{}\n```\n", help.join("\n").trim());
    for inner in command.get_subcommands_mut() {
        if !inner.is_hide_set() && inner.get_name() != "help" {
            let path = format!("{path} {}", inner.get_name());
            section(out, inner, &path, global, false);
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::{super::Cli, *};

    #[test]
    fn the_commands_make_sense() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example() {
        fn look(command: &Command, path: &str, without: &mut Vec<String>) {
            let example = command.get_after_help().is_some_and(|help| help.to_string().contains("Example: "));
            if !example {
                without.push(path.to_owned());
            }
            for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
                if inner.get_name() != "help" {
                    look(inner, &format!("{path} {}", inner.get_name()), without);
                }
            }
        }
        let mut without = Vec::new();
        look(&program(), "gosling", &mut without);
        assert_eq!(without, [] as [String; 0]);
    }
}
