//! The arguments, and what is told of them when they are wrong: without the values that variables have, and without what may be
//! a secret that was put in a wrong place.

use clap::{
    Command, CommandFactory, Error,
    error::{ContextKind, ContextValue},
};

use super::Cli;
use crate::{logging::mask_values, ports::secrets::MASKED};

/// The program, whose help shows no value that a variable has just now.
pub(super) fn program() -> Command {
    quiet(Cli::command())
}

fn quiet(command: Command) -> Command {
    command.mut_args(|arg| arg.hide_env_values(true)).mut_subcommands(quiet)
}

/// What of the arguments an error repeats, made harmless. What is given to `gosling secret` may be the value itself.
pub(super) fn veiled(mut error: Error, of_secrets: bool) -> Error {
    let told: Vec<(ContextKind, String)> = error
        .context()
        .filter_map(|(kind, value)| match (kind, value) {
            (
                ContextKind::InvalidArg | ContextKind::InvalidValue | ContextKind::InvalidSubcommand,
                ContextValue::String(text),
            ) => Some((kind, text.clone())),
            _ => None,
        })
        .collect();
    for (kind, text) in told {
        let harmless = if of_secrets && kind != ContextKind::InvalidValue && !is_word(kind, &text) {
            MASKED.to_owned()
        } else {
            without_password(&mask_values(&text))
        };
        if harmless != text {
            error.insert(kind, ContextValue::String(harmless));
            // Tips repeat it, and so does the argument that would come last.
            for repeats in [ContextKind::Suggested, ContextKind::TrailingArg] {
                error.remove(repeats);
            }
        }
    }
    error
}

/// Whether it is an option or what stands for a value in its usage, or the name of a command; and not what is given to one.
fn is_word(kind: ContextKind, text: &str) -> bool {
    let lower = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    let place = |text: &str| {
        text.starts_with('<')
            && text.ends_with('>')
            && text.bytes().all(|b| b.is_ascii_uppercase() || b"<>=._|".contains(&b))
    };
    if kind == ContextKind::InvalidSubcommand {
        return text.len() <= 12 && lower(text);
    }
    let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
    let option = name.strip_prefix("--").is_some_and(|name| name.len() <= 16 && lower(name));
    (option && (rest.is_empty() || place(rest))) || place(text)
}

/// A text that may be a URL, without what would be its name and password however it was written.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{MASKED}@{host}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(arguments: &[&str]) -> String {
        let mut program = program();
        let arguments = std::iter::once("gosling").chain(arguments.iter().copied());
        let error = program.try_get_matches_from_mut(arguments).err();
        let error = error.map(|error| veiled(error.format(&mut program), true));
        error.map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_may_be_a_secret_is_not_repeated() {
        let uri = "vault://a/b";
        for arguments in [
            &["secret", "versions", uri, "Hunter 22"][..],
            &["secret", "versions", uri, "--value=Hunter 22"],
            &["secret", "versions", uri, "-pHunter 22"],
            &["secret", "versions", uri, "-----Hunter 22"],
            &["secret", "versions", uri, "<Hunter22>"],
            &["secret", "put", uri, "--value", "Hunter 22"],
            &["secret", "Hunter 22"],
            &["status", "--api", "http://me:Hunter 22@:x"],
            &["serve", "--nest", "/nest", "--gitlab", "host=ftp://me:Hunter 22@host"],
            &["serve", "--nest", "/nest", "--url", "https://me:Hunter/22@host"],
        ] {
            let told = told(arguments);
            assert!(told.starts_with("error: "), "{arguments:?}: {told}");
            assert!(!told.contains("Hunter") && !told.contains("22"), "{arguments:?}: {told}");
        }
        assert!(told(&["secret", "pat"]).contains("pat"), "a slip is repeated");
        assert!(told(&["secret", "put", uri, "--vale"]).contains("--vale"), "so is an option");
    }
}
