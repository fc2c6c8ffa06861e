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

/// More options than this are not told one by one: `--help` has them with what they do.
const MOST_OPTIONS: usize = 12;

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
    let Told { usage, commands, options } = usage_of(&mut root, &words);
    // Where nothing is near, everything there is.
    if error.kind() == ErrorKind::InvalidSubcommand && error.get(ContextKind::SuggestedSubcommand).is_none() {
        let tip = StyledStr::from(format!("the commands are {}", commands.join(", ")));
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
    // Clap's own tip would have an option that there is not taken for a name.
    if error.kind() == ErrorKind::UnknownArgument && is_of_no_use(&error) {
        error.remove(ContextKind::Suggested);
        if (1..=MOST_OPTIONS).contains(&options.len()) {
            let tip = StyledStr::from(format!("the options are {}", options.join(", ")));
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
        }
    }
    error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
    error
}

/// Whether it is about an option, and tells of none that is near: its only tip is that the option might be a name.
fn is_of_no_use(error: &Error) -> bool {
    let is_option = matches!(error.get(ContextKind::InvalidArg), Some(ContextValue::String(name)) if name.starts_with('-'));
    let tips = match error.get(ContextKind::Suggested) {
        Some(ContextValue::StyledStrs(tips)) => tips.as_slice(),
        _ => &[],
    };
    let is_near = error.get(ContextKind::SuggestedArg).is_some();
    is_option && !is_near && tips.iter().all(|tip| tip.to_string().starts_with("to pass "))
}

/// What a command has.
struct Told {
    usage: StyledStr,
    commands: Vec<String>,
    options: Vec<String>,
}

/// What the command has that these words lead to; the first word that is no command is an argument.
fn usage_of(command: &mut Command, words: &[&str]) -> Told {
    if let Some((word, rest)) = words.split_first()
        && let Some(inner) = command.find_subcommand_mut(word)
    {
        return usage_of(inner, rest);
    }
    let inner = command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help");
    let commands = inner.map(|inner| inner.get_name().to_owned()).collect();
    let root = Cli::command();
    let everywhere: Vec<_> = root.get_arguments().map(clap::Arg::get_id).collect();
    let options =
        command.get_arguments().filter(|arg| !arg.is_hide_set() && !everywhere.contains(&arg.get_id()));
    let options =
        options.filter_map(|arg| arg.get_long()).filter(|long| !matches!(*long, "help" | "version"));
    let options = options.map(|long| format!("--{long}")).collect();
    Told { usage: command.render_usage(), commands, options }
}
