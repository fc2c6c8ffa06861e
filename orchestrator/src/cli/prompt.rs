//! Questions on a terminal. They go to standard error, so that standard output is the answer's alone.

use std::io::{self, IsTerminal};

use inquire::{
    Confirm, InquireError, Select, Text,
    ui::RenderConfig,
    validator::{StringValidator, Validation},
};

use super::{Failure, Global};

/// Whether somebody is there to be asked.
pub(super) fn somebody() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// How questions look.
fn look(global: &Global) -> RenderConfig<'static> {
    if global.colour(&io::stderr()) { RenderConfig::default_colored() } else { RenderConfig::empty() }
}

/// Yes or no; Enter is the default.
pub(super) fn confirm(global: &Global, question: &str, default: bool) -> Result<bool, Failure> {
    Confirm::new(question).with_default(default).with_render_config(look(global)).prompt().map_err(failed)
}

/// One of several, by its place.
pub(super) fn select(
    global: &Global,
    question: &str,
    help: &str,
    options: &[String],
    first: usize,
) -> Result<usize, Failure> {
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let select = Select::new(question, options).with_starting_cursor(first);
    let select = select.with_help_message(help).with_render_config(look(global));
    select.raw_prompt().map(|chosen| chosen.index).map_err(failed)
}

/// A line of text. `check` says what is wrong with one, and what to write instead.
pub(super) fn text(
    global: &Global,
    question: &str,
    help: &str,
    check: impl Fn(&str) -> Result<(), String> + Clone + 'static,
) -> Result<String, Failure> {
    let validator = move |line: &str| {
        Ok(match check(line.trim()) {
            Ok(()) => Validation::Valid,
            Err(wrong) => Validation::Invalid(wrong.into()),
        })
    };
    let validator: Box<dyn StringValidator> = Box::new(validator);
    let text = Text::new(question).with_help_message(help).with_validators(&[validator]);
    text.with_render_config(look(global)).prompt().map(|line| line.trim().to_owned()).map_err(failed)
}

fn failed(error: InquireError) -> Failure {
    match error {
        InquireError::OperationCanceled | InquireError::OperationInterrupted => Failure::Interrupted,
        InquireError::IO(error) => Failure::Io { what: "the terminal".to_owned(), error },
        error => Failure::Failed { message: error.to_string(), help: None },
    }
}
