//! Wrong use of any command: it ends with 2 and names the nearest that is right, whatever the environment says.

use std::{
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use clap::{Arg, ArgAction};

use super::{COMMANDS, Known};
use crate::command;

/// A line that makes no sense, and one of which its answer has to have something.
struct Wrong {
    line: Vec<String>,
    near: String,
}

fn value_of(argument: &Arg) -> String {
    argument.get_possible_values().first().map_or_else(|| "1".to_owned(), |value| value.get_name().to_owned())
}

/// The least that a command needs.
fn needed(known: &Known) -> Vec<String> {
    let mut line: Vec<String> = known.path.split_whitespace().map(str::to_owned).collect();
    for argument in known.clap.get_arguments().filter(|argument| argument.is_required_set()) {
        line.extend(argument.get_long().map(|name| format!("--{name}")));
        line.push(value_of(argument));
    }
    line
}

/// A word with its last but one letter left out.
fn misspelt(word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    letters.remove(letters.len().saturating_sub(2));
    letters.into_iter().collect()
}

/// Every wrong use that a command's own table of arguments suggests.
fn wrong_uses(known: &Known, all: &mut Vec<Wrong>) {
    let words = || known.path.split_whitespace().map(str::to_owned);
    let usage = format!("Usage: gosling {}", known.path).trim_end().to_owned();
    let mut add = |line: Vec<String>, near: String| all.push(Wrong { line, near });
    for inner in known.clap.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        let name = inner.get_name();
        if name.len() > 3 && name != "help" {
            add(words().chain([misspelt(name)]).collect(), format!("'{name}'"));
        }
    }
    let own = |argument: &&Arg| !argument.is_hide_set() && argument.get_id() != "help";
    for argument in known.clap.get_arguments().filter(own) {
        let long = argument.get_long();
        if let Some(name) = long.filter(|name| name.len() > 3) {
            let mut line = needed(known);
            line.push(format!("--{}", misspelt(name)));
            add(line, format!("'--{name}'"));
        }
        // Colour, the log and the like are the same for all: once is enough.
        if argument.is_global_set() && !known.path.is_empty() {
            continue;
        }
        if argument.get_action().takes_values() && !argument.get_possible_values().is_empty() {
            let mut line: Vec<String> = words().collect();
            line.extend(long.map(|name| format!("--{name}")));
            line.push("zzz".to_owned());
            add(line, "possible values: ".to_owned());
        }
        if let Some(name) = long.filter(|_| matches!(argument.get_action(), ArgAction::Set)) {
            let is_optional = argument.get_num_args().is_some_and(|range| range.min_values() == 0);
            if !is_optional {
                let mut line = needed(known);
                line.push(format!("--{name}"));
                add(line, format!("--{name} <"));
            }
        }
    }
    let positionals = || known.clap.get_positionals().filter(|argument| !argument.is_hide_set());
    if known.is_leaf && positionals().any(Arg::is_required_set) {
        add(words().collect(), usage.clone());
    }
    let takes_all = positionals().any(|argument| matches!(argument.get_action(), ArgAction::Append));
    let hides_one = known.clap.get_positionals().any(Arg::is_hide_set);
    if known.is_leaf && !takes_all && !hides_one {
        let mut line = needed(known);
        let given = positionals().filter(|argument| argument.is_required_set()).count();
        line.extend((given..=positionals().count()).map(|_| "1".to_owned()));
        add(line, usage);
    }
}

#[test]
fn wrong_use_of_any_command_names_the_nearest_that_is_right() {
    let mut all = Vec::new();
    for known in &*COMMANDS {
        wrong_uses(known, &mut all);
    }
    assert!(all.len() > 300, "{}", all.len());
    let folder = tempfile::tempdir().unwrap();
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(wrong) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    found.lock().unwrap().extend(objection(folder.path(), wrong));
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    assert!(found.is_empty(), "{} of {}:\n{}", found.len(), all.len(), found.join("\n"));
}

/// What is not as it should be in the answer to wrong use.
fn objection(folder: &Path, wrong: &Wrong) -> Option<String> {
    let mut command = command(folder, &[]);
    // Variables stand in for arguments, and nobody has typed those.
    command.env("GOSLING_API", "http://127.0.0.1:1").env("GOSLING_TOKEN_FILE", "token");
    command.env("GOSLING_DATA", "data").env("PORT", "1").env("GOSLING_FOLDER", "folder");
    let output = command.args(&wrong.line).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let line = wrong.line.join(" ");
    if output.status.code() != Some(2) {
        return Some(format!("gosling {line}: ended with {:?}: {said}", output.status.code()));
    }
    if !said.contains(&wrong.near) {
        return Some(format!("gosling {line}: `{}` is not in {said}", wrong.near));
    }
    let usage = said.lines().find(|line| line.starts_with("Usage: ")).unwrap_or_default();
    if ["--api", "--token-file", "--data", "--port", "--folder"].iter().any(|name| usage.contains(name)) {
        return Some(format!("gosling {line}: what variables say is in its usage: {usage}"));
    }
    if !output.stdout.is_empty() {
        return Some(format!("gosling {line}: something is on standard output"));
    }
    None
}
