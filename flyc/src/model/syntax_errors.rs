//! The words for mistakes in a text's form.

use std::sync::Arc;

use crate::{
    diag::{Diagnostic, Span, declare_diagnostic},
    syntax::{Expected, NESTING_LIMIT, Parse, SyntaxError, SyntaxErrorKind},
    text::{TextRange, TextSize},
};

declare_diagnostic! { pub SYNTAX_ERROR = "syntax-error", Error, "something has no place here, or something is missing" }
declare_diagnostic! { pub UNCLOSED = "unclosed", Error, "a bracket, string, heredoc or comment that is never closed" }
declare_diagnostic! { pub STRAY_BRACE = "stray-brace", Error, "a `}` that closes nothing" }
declare_diagnostic! { pub TOO_DEEP = "too-deep", Error, "nested more deeply than Fly reads" }
declare_diagnostic! { pub BAD_ESCAPE = "bad-escape", Error, "an escape in a string that Fly does not know" }

/// The diagnostics of a file's form.
pub(super) fn diagnostics(path: &Arc<str>, parse: &Parse) -> Vec<Diagnostic> {
    parse.errors().iter().map(|error| diagnostic(path, parse, error)).collect()
}

fn diagnostic(path: &Arc<str>, parse: &Parse, error: &SyntaxError) -> Diagnostic {
    let text = &parse.text()[error.range];
    let at = |range| Span::new(path.clone(), range);
    let end = TextRange::empty(error.range.end());
    match error.kind {
        SyntaxErrorKind::Missing(expected) => missing(at(error.range), parse, expected),
        SyntaxErrorKind::Unexpected => unexpected(at(error.range), text),
        SyntaxErrorKind::StrayClose => Diagnostic::new(
            &STRAY_BRACE,
            at(error.range),
            "this `}` closes nothing",
            "it has no `{`",
        )
        .fix("remove it, or add the `{` it belongs to", error.range, ""),
        SyntaxErrorKind::UnclosedString => Diagnostic::new(
            &UNCLOSED,
            at(error.range),
            "this string is never closed",
            "the line ends before a second `\"`",
        )
        .note("a string stands on one line; write `\\n` for a line end in it, or a heredoc `<<EOT` for a longer text")
        .fix("add a `\"` where the string ends", end, "\""),
        SyntaxErrorKind::UnclosedHeredoc => {
            let marker = text.lines().next().unwrap_or("").trim_start_matches('<').trim_start_matches('-').trim();
            let length = u32::try_from(text.find(['\n', '\r']).unwrap_or(text.len())).unwrap_or(0);
            let first = TextRange::at(error.range.start(), TextSize::new(length));
            Diagnostic::new(
                &UNCLOSED,
                at(first),
                format!("this heredoc is never closed: no line holds `{marker}` alone"),
                "begins here and takes the rest of the file",
            )
            .fix(
                format!("write `{marker}` on a line of its own where the text ends"),
                end,
                format!("{}{marker}\n", if text.ends_with('\n') { "" } else { "\n" }),
            )
        }
        SyntaxErrorKind::UnclosedComment => Diagnostic::new(
            &UNCLOSED,
            at(error.range),
            "this comment is never closed",
            "begins here and takes the rest of the file",
        )
        .help("write `*/` where the comment ends"),
        SyntaxErrorKind::TooDeep => Diagnostic::new(
            &TOO_DEEP,
            at(error.range),
            format!("nested more than {NESTING_LIMIT} levels deep"),
            "Fly reads no further than this",
        )
        .help("name parts of the value in `locals { … }` and put them together here"),
    }
}

fn missing(span: Span, parse: &Parse, expected: Expected) -> Diagnostic {
    let range = span.range;
    let here = TextRange::empty(range.end());
    let close = |what: &'static str, closer: &'static str| {
        let message = format!("this {what} is never closed");
        Diagnostic::new(&UNCLOSED, span.clone(), message, format!("a `{closer}` is missing"))
            .help(format!("add `{closer}` where it ends"))
    };
    match expected {
        Expected::Value => {
            Diagnostic::new(&SYNTAX_ERROR, span, "a value is missing here", "a value belongs here")
                .help("write a value, such as `2`, `\"text\"`, `10m` or `[\"a\", \"b\"]`")
        }
        Expected::EqualsOrBrace => {
            let name = &parse.text()[range];
            let after = parse.text()[usize::from(range.end())..].split('\n').next().unwrap_or("").trim();
            let meant = ["=>", ":=", "+=", "==", ":"].into_iter().find(|sign| after.starts_with(sign));
            if let Some(sign) = meant {
                let message = format!("`{name}` is followed by `{sign}`, where Fly writes `=`");
                let value = after[sign.len()..].trim();
                return Diagnostic::new(&SYNTAX_ERROR, span, message, "not followed by `=`")
                    .help(format!("write `{name} = {value}`"));
            }
            if after.starts_with(|c: char| c == '"' || c.is_ascii_digit()) {
                let message = format!("a `=` is missing after `{name}`");
                return Diagnostic::new(&SYNTAX_ERROR, span, message, "its value follows without a `=`")
                    .safe_fix(format!("write `{name} = {after}`"), here, " =");
            }
            Diagnostic::new(
                &SYNTAX_ERROR,
                span,
                format!("`{name}` is followed by neither `=` nor `{{`"),
                "an attribute or a block?",
            )
            .help(format!("write `{name} = …` for an attribute, or `{name} {{ … }}` for a block"))
        }
        Expected::Equals => Diagnostic::new(&SYNTAX_ERROR, span, "a `=` is missing after this key", "")
            .help("write `key = value` for each entry of a map"),
        Expected::OpenBrace => Diagnostic::new(&SYNTAX_ERROR, span, "a `{` is missing here", "").fix(
            "open the block with `{`",
            here,
            " {",
        ),
        Expected::CloseBrace => close("`{`", "}"),
        Expected::CloseBracket => close("list", "]"),
        Expected::CloseParen => close("`(`", ")"),
        Expected::Comma => Diagnostic::new(&SYNTAX_ERROR, span, "a `,` is missing here", "").safe_fix(
            "write `,` between two values",
            here,
            ",",
        ),
        Expected::Colon => Diagnostic::new(
            &SYNTAX_ERROR,
            span,
            "a `:` is missing here",
            "the value for `false` belongs here",
        )
        .help("write both values: `condition ? yes : no`"),
        Expected::Name => Diagnostic::new(&SYNTAX_ERROR, span, "a name is missing after this `.`", "")
            .help("write the name of the field, such as `local.region`"),
    }
}

fn unexpected(span: Span, text: &str) -> Diagnostic {
    let shown: String = text.chars().take(40).collect();
    let shown = if shown.len() < text.len() { format!("{shown}…") } else { shown };
    let diagnostic =
        Diagnostic::new(&SYNTAX_ERROR, span, format!("`{shown}` has no place here"), "not expected here");
    let inside = text.trim_matches(['\'', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}']);
    let unit = text.split_whitespace().next().unwrap_or("");
    if inside.len() < text.len() {
        diagnostic.help(format!("strings stand in double quotes: write `\"{inside}\"`"))
    } else if matches!(
        unit,
        "B" | "KB" | "KiB" | "MB" | "MiB" | "GB" | "GiB" | "TB" | "TiB" | "s" | "m" | "h" | "d" | "w"
    ) {
        diagnostic.help("a unit stands right behind its number: write `4GiB` or `10m`")
    } else if text.starts_with(',') {
        diagnostic.help("a list of values stands in square brackets: `[1, 2]`")
    } else if text.contains('=') || text.contains('{') {
        diagnostic.help("begin a new line for each attribute and block")
    } else if text.starts_with(';') {
        diagnostic.help("attributes end with their line; remove the `;`")
    } else {
        diagnostic.help("a line holds one attribute `name = value`, or begins or ends a block `name { … }`")
    }
}
