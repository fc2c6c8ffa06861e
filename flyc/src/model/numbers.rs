//! Numbers and their units.

use fly_std::{Float, Value, formats};

use super::blocks::Checker;
use crate::{
    diag::{Diagnostic, declare_diagnostic},
    text::TextRange,
};

declare_diagnostic! { pub BAD_NUMBER = "bad-number", Error, "a number or unit that Fly does not know" }

impl Checker<'_> {
    /// The value of a number, with its unit.
    pub(super) fn number(&mut self, text: &str, range: TextRange) -> Option<Value> {
        match number(text) {
            Ok(value) => Some(value),
            Err((label, suggestion)) => {
                let mut diagnostic = Diagnostic::new(
                    &BAD_NUMBER,
                    self.span(range),
                    format!("`{text}` is not a number that Fly knows"),
                    label,
                )
                .note("durations end in w, d, h, m or s; sizes in KiB, MiB, GiB or TiB; percentages in %");
                if let Some(suggestion) = suggestion {
                    diagnostic = diagnostic.fix(format!("write `{suggestion}`"), range, suggestion);
                } else {
                    diagnostic =
                        diagnostic.help("write a number such as `2`, `1_000`, `1.5`, `10m`, `4GiB` or `80%`");
                }
                self.diagnostics.push(diagnostic);
                None
            }
        }
    }
}

/// The value of a number's text; otherwise what is wrong with it and what was probably meant.
fn number(text: &str) -> Result<Value, (String, Option<String>)> {
    let bytes = text.as_bytes();
    let plain = bytes.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'_' | b'.'));
    if let Some(digits) = text.strip_suffix('%') {
        return match formats::percent::parse(&text.replace('_', "")) {
            Ok(percent) => Ok(Value::Percent(percent)),
            Err(error) if digits.is_empty() => Err((error.message, None)),
            Err(error) => Err((error.message, error.suggestion)),
        };
    }
    if plain {
        if text.ends_with('_') || text.contains("__") || text.contains("_.") || text.contains("._") {
            return Err(("`_` stands between digits".to_owned(), Some(tidy(text))));
        }
        let digits = text.replace('_', "");
        if digits.contains('.') {
            return digits
                .parse()
                .ok()
                .and_then(Float::new)
                .map(Value::Float)
                .ok_or_else(|| ("too large".to_owned(), None));
        }
        return digits.parse().map(Value::Int).map_err(|_| (format!("larger than {}", i64::MAX), None));
    }
    // What remains ends in a unit; sizes are told from durations by their `B`.
    let tidy = text.replace('_', "");
    let size = tidy.ends_with(['B', 'b']) || tidy.ends_with(['K', 'M', 'G', 'T', 'i']);
    if size {
        formats::size::parse(&tidy).map(Value::Size).map_err(|error| (error.message, error.suggestion))
    } else {
        formats::duration::parse(&tidy)
            .map(Value::Duration)
            .map_err(|error| (error.message, error.suggestion))
    }
}

/// A number with its underscores where they belong.
fn tidy(text: &str) -> String {
    text.split('.')
        .map(|half| half.split('_').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_"))
        .collect::<Vec<_>>()
        .join(".")
}
