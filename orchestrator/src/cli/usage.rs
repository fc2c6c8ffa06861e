//! Arguments that make no sense: what is said of them has nothing of the environment in it.

use std::{
    env,
    io::{self, Write},
    process,
};

use clap::{
    Command, CommandFactory, FromArgMatches,
    builder::{Resettable, StyledStr},
    error::{ContextKind, ContextValue, Error, ErrorKind},
};

use super::{Cli, veil};

/// The arguments of the process. Wrong ones end it with 2, and `--help` and `--version` with 0.
pub(super) fn parse() -> Cli {
    let mut program = veil::program();
    let parsed = program.try_get_matches_from_mut(env::args_os());
    let error = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => return cli,
        Err(error) => error.format(&mut program),
    };
    if error.use_stderr() {
        // Variables may stand in for arguments, and are none that somebody typed.
        let plain = without_variables(veil::program()).try_get_matches().err();
        let is_bare = |error: &Error| error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
        if let Some(help) = plain.filter(is_bare) {
            help.exit();
        }
    }
    let code = error.exit_code();
    let of_secrets = env::args_os().skip(1).any(|argument| argument == "secret");
    if told(veil::veiled(error, of_secrets)).print().is_err() {
        // Nobody listens; the exit code tells as well.
        let _ = io::stderr().flush();
    }
    process::exit(code)
}

fn without_variables(command: Command) -> Command {
    command.mut_args(|arg| arg.env(Resettable::Reset)).mut_subcommands(without_variables)
}

/// The error with the usage of its command as it always is. Clap's own names the arguments that have a value, also those that
/// have it from a variable.
fn told(mut error: Error) -> Error {
    let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) else { return error };
    let usage = usage.to_string();
    let mut root = Cli::command();
    root.build();
    // Behind `Usage:` and the program.
    let words: Vec<&str> = usage.split_whitespace().skip(2).collect();
    let (usage, commands) = usage_of(&mut root, &words);
    // Where nothing is near, everything there is.
    if error.kind() == ErrorKind::InvalidSubcommand && error.get(ContextKind::SuggestedSubcommand).is_none() {
        let tip = StyledStr::from(format!("the commands are {}", commands.join(", ")));
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
    error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
    error
}

/// The usage of the command that these words lead to, and the commands it has; the first word that is no command is an
/// argument.
fn usage_of(command: &mut Command, words: &[&str]) -> (StyledStr, Vec<String>) {
    if let Some((word, rest)) = words.split_first()
        && let Some(inner) = command.find_subcommand_mut(word)
    {
        return usage_of(inner, rest);
    }
    let inner = command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help");
    let inner = inner.map(|inner| inner.get_name().to_owned()).collect();
    (command.render_usage(), inner)
}
