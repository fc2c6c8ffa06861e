//! Strings as the types that are written as one: formats, closed sets, secrets, conditions.

use fly_std::{Entities, Type, Value, formats};

use super::{
    blocks::Checker,
    condition, messages,
    values::{Place, TYPE_MISMATCH, Want, clip},
};
use crate::{
    diag::{Declaration, Diagnostic, declare_diagnostic},
    text::TextRange,
};

declare_diagnostic! { pub UNKNOWN_VALUE = "unknown-value", Error, "a string that is none of the allowed ones" }
declare_diagnostic! { pub BAD_FORMAT = "bad-format", Error, "a string that does not have the form the attribute wants" }
declare_diagnostic! { pub BAD_CRON = "bad-cron", Error, "a schedule that is no cron expression" }
declare_diagnostic! { pub BAD_SECRET_URI = "bad-secret-uri", Error, "a secret's URI that Fly can't read", hides_text: true }

impl Checker<'_> {
    /// A string as the type wants it.
    pub(super) fn string(
        &mut self,
        text: &str,
        place: &Place<'_>,
        token: TextRange,
        want: Want<'_>,
    ) -> Option<Value> {
        if let Some(at) = text.find('\0') {
            let range = place.range(at..at + 1);
            let message = format!("{} holds the character NUL", want.subject());
            self.diagnostics.push(
                Diagnostic::new(&BAD_FORMAT, self.span(range), message, "not a character of text")
                    .note("neither a shell nor an environment variable can hold it")
                    .help("remove it"),
            );
            return None;
        }
        let plain = || Some(Value::String(text.into()));
        let of = |result: Result<(), formats::FormatError>| result.map(|()| Value::String(text.into()));
        let (kind, result): (&'static Declaration, Result<Value, formats::FormatError>) = match want.ty {
            Type::String if formats::is_secret_uri_like(text) => {
                self.diagnostics.push(self.secret_flow(token, want));
                return None;
            }
            // A local may hold a secret, and is one then, wherever it goes.
            Type::Any if formats::is_secret_uri_like(text) => (
                &BAD_SECRET_URI,
                formats::secret_uri::parse(text).map(|secret| Value::Secret(Box::new(secret))),
            ),
            Type::String | Type::Script | Type::Any | Type::Entity(Entities::EggOrBucket) => return plain(),
            Type::Enum(variants) => {
                if variants.iter().any(|variant| variant.name == text) {
                    return plain();
                }
                self.unknown_value(text, token, variants, want);
                return None;
            }
            Type::Condition => {
                return self.condition(text, place, token, want);
            }
            Type::EnvValue if !formats::is_secret_uri_like(text) => return plain(),
            Type::EnvValue | Type::Secret => (
                &BAD_SECRET_URI,
                formats::secret_uri::parse(text).map(|secret| Value::Secret(Box::new(secret))),
            ),
            Type::Cron => (&BAD_CRON, of(formats::cron::parse(text).map(drop))),
            Type::Timezone => (&BAD_FORMAT, of(formats::timezone::parse(text).map(drop))),
            Type::Fqdn => (&BAD_FORMAT, of(formats::fqdn::parse(text).map(drop))),
            Type::Url => (&BAD_FORMAT, of(formats::url::parse(text).map(drop))),
            Type::Email => (&BAD_FORMAT, of(formats::email::parse(text).map(drop))),
            Type::Image => (&BAD_FORMAT, of(formats::image::parse(text).map(drop))),
            Type::Name => (&BAD_FORMAT, of(formats::name::parse(text).map(drop))),
            Type::Duration { .. } => (&TYPE_MISMATCH, formats::duration::parse(text).map(Value::Duration)),
            Type::Size { .. } => (&TYPE_MISMATCH, formats::size::parse(text).map(Value::Size)),
            Type::Percent => (&TYPE_MISMATCH, formats::percent::parse(text).map(Value::Percent)),
            Type::Keyword(variants) => return self.keyword(text, token, variants, want),
            Type::Int { .. }
            | Type::Float
            | Type::Bool
            | Type::List(_)
            | Type::Map(_)
            | Type::Object(_)
            | Type::TypeName
            | Type::Profile
            | Type::Predicate => {
                self.string_for_other(text, token, want);
                return None;
            }
        };
        match result {
            // A size or duration read from a string has limits like one written as such.
            Ok(value @ (Value::Duration(_) | Value::Size(_) | Value::Percent(_))) => {
                self.fit(value, token, want)
            }
            Ok(value) => Some(value),
            Err(error) => {
                self.bad_string(kind, text, &error, place, token, want);
                None
            }
        }
    }

    fn bad_string(
        &mut self,
        kind: &'static Declaration,
        text: &str,
        error: &formats::FormatError,
        place: &Place<'_>,
        token: TextRange,
        want: Want<'_>,
    ) {
        let found = if *kind == TYPE_MISMATCH {
            "a string".to_owned()
        } else if text.is_empty() {
            "an empty string".to_owned()
        } else if want.ty == Type::Secret || want.ty == Type::EnvValue {
            // The text may be a secret somebody pasted: it is never repeated.
            "another text".to_owned()
        } else {
            format!("`{}`", clip(text))
        };
        let message = format!("{} wants {}, found {found}", want.subject(), want.ty.noun());
        let range = place.range(error.range.clone());
        let label = if *kind == TYPE_MISMATCH && error.message.is_empty() {
            format!("not {}", want.ty.noun())
        } else {
            error.message.clone()
        };
        let mut diagnostic = Diagnostic::new(kind, self.span(range), message, label).note(want.note());
        diagnostic = match &error.suggestion {
            Some(suggestion) if want.ty != Type::Secret && want.ty != Type::EnvValue => {
                let unit = matches!(want.ty, Type::Duration { .. } | Type::Size { .. } | Type::Percent);
                let written = if unit { suggestion.clone() } else { format!("\"{suggestion}\"") };
                diagnostic.fix(format!("write `{written}`"), token, written)
            }
            _ if matches!(want.ty, Type::Secret | Type::EnvValue) => diagnostic
                .help("write `yc-lockbox://<id>/<key>`, `aws-sm://<name>/<key>` or `vault://<path>/<key>`"),
            _ => diagnostic.help(format!("write `{}`", want.written())),
        };
        self.diagnostics.push(diagnostic);
    }

    fn unknown_value(
        &mut self,
        text: &str,
        token: TextRange,
        variants: &'static [fly_std::Variant],
        want: Want<'_>,
    ) {
        let message = format!("{} wants {}, found `\"{}\"`", want.subject(), want.ty.noun(), clip(text));
        let nearest = messages::nearest(text, variants.iter().map(|variant| variant.name));
        let diagnostic =
            Diagnostic::new(&UNKNOWN_VALUE, self.span(token), message, "none of these").note(want.note());
        self.diagnostics.push(match nearest {
            Some(name) => diagnostic.fix(format!("did you mean `\"{name}\"`?"), token, format!("\"{name}\"")),
            None => diagnostic.help(format!("write `{}`", want.written())),
        });
    }

    /// A word of the language.
    pub(super) fn keyword(
        &mut self,
        word: &str,
        range: TextRange,
        variants: &'static [fly_std::Variant],
        want: Want<'_>,
    ) -> Option<Value> {
        if variants.iter().any(|variant| variant.name == word) {
            return Some(Value::String(word.into()));
        }
        let message = format!("{} wants {}, found `{}`", want.subject(), want.ty.noun(), clip(word));
        let nearest = messages::nearest(word, variants.iter().map(|variant| variant.name));
        let diagnostic =
            Diagnostic::new(&UNKNOWN_VALUE, self.span(range), message, "none of these").note(want.note());
        self.diagnostics.push(match nearest {
            Some(name) => diagnostic.fix(format!("did you mean `{name}`?"), range, name),
            None => diagnostic.help(format!("write `{}`", want.written())),
        });
        None
    }

    /// A string where something else belongs; perhaps only its quotes are too much.
    fn string_for_other(&mut self, text: &str, token: TextRange, want: Want<'_>) {
        let bare = match want.ty {
            Type::Int { .. } => text.parse::<i64>().is_ok(),
            Type::Float => text.parse::<f64>().is_ok_and(f64::is_finite),
            Type::Bool => matches!(text, "true" | "false"),
            _ => false,
        };
        let diagnostic = self.mismatch_diagnostic(token, "a string", want);
        self.diagnostics.push(match want.ty {
            _ if bare => diagnostic.safe_fix(format!("write it without quotes: `{text}`"), token, text),
            Type::List(Type::String | Type::Name | Type::Email | Type::Entity(_)) => {
                let written = format!("[{}]", &self.parse.text()[token]);
                diagnostic.safe_fix("write a list, even of one element", token, written)
            }
            _ => diagnostic,
        });
    }

    fn condition(
        &mut self,
        text: &str,
        place: &Place<'_>,
        token: TextRange,
        want: Want<'_>,
    ) -> Option<Value> {
        let findings = match condition::check(text) {
            Ok(condition) => return Some(Value::Condition(Box::new(condition))),
            Err(findings) => findings,
        };
        for finding in findings {
            let range = if text.is_empty() { token } else { place.range(finding.range) };
            let mut diagnostic =
                Diagnostic::new(finding.kind, self.span(range), finding.message, finding.label);
            diagnostic.notes.push(finding.note.unwrap_or_else(|| want.note()));
            diagnostic = match (finding.help, finding.replacement) {
                (Some(help), Some(replacement)) if !matches!(place, Place::Whole(_)) => {
                    diagnostic.fix(help, range, replacement)
                }
                (Some(help), _) => diagnostic.help(help),
                (None, _) => diagnostic,
            };
            self.diagnostics.push(diagnostic);
        }
        None
    }
}
