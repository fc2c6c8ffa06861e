//! Calls of functions.

use fly_std::{
    Value, formats,
    functions::{self, Function},
};

use super::{blocks::Checker, messages};
use crate::{
    diag::{Diagnostic, declare_diagnostic},
    syntax::Expr,
    text::TextRange,
};

declare_diagnostic! { pub UNKNOWN_FUNCTION = "unknown-function", Error, "a function that Fly does not have" }
declare_diagnostic! { pub BAD_CALL = "bad-call", Error, "a call whose arguments the function does not take" }

impl Checker<'_> {
    pub(super) fn call(&mut self, expr: Expr<'_>) -> Option<Value> {
        let name = expr.name()?;
        let arguments: Vec<_> = expr.operands().collect();
        if name.text() == "secret" {
            return self.secret(expr, &arguments);
        }
        if name.text() == "file" {
            return self.file_call(expr, &arguments);
        }
        let Some(function) = functions::find(name.text()) else {
            self.unknown_function(name.text(), name.range());
            return None;
        };
        let values: Vec<_> = arguments.iter().map(|argument| self.eval(*argument)).collect();
        let values = values.into_iter().collect::<Option<Vec<_>>>()?;
        match function.evaluate(&values) {
            Ok(value) => Some(value),
            Err(error) => {
                let range =
                    error.argument.and_then(|at| arguments.get(at)).map_or(expr.range(), |a| a.range());
                self.bad_call(function, range, &error.message);
                None
            }
        }
    }

    fn bad_call(&mut self, function: &'static Function, range: TextRange, message: &str) {
        self.diagnostics.push(
            Diagnostic::new(&BAD_CALL, self.span(range), message, "not what it takes")
                .note(format!("`{}`: {}", function.signature(), function.doc))
                .help(format!("write a call such as `{}`", function.example.0)),
        );
    }

    fn unknown_function(&mut self, name: &str, range: TextRange) {
        let names = functions::described().map(|function| function.name);
        let mut diagnostic = Diagnostic::new(
            &UNKNOWN_FUNCTION,
            self.span(range),
            format!("there is no function `{name}`"),
            "not a function",
        );
        diagnostic = match messages::nearest(name, names.clone()) {
            Some(nearest) => diagnostic.fix(format!("did you mean `{nearest}`?"), range, nearest),
            None => diagnostic.help(format!("the functions are {}", messages::list(names, "and"))),
        };
        self.diagnostics.push(diagnostic);
    }

    /// `secret(backend, name, key)`
    fn secret(&mut self, expr: Expr<'_>, arguments: &[Expr<'_>]) -> Option<Value> {
        let values: Vec<_> = arguments.iter().map(|argument| self.eval(*argument)).collect();
        let values = values.into_iter().collect::<Option<Vec<_>>>()?;
        let parts: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
        let [backend, name, key] = parts[..] else {
            self.problem(
                &BAD_CALL,
                expr.range(),
                "`secret` wants three strings: the backend, the secret's name and the key",
                "not what it takes",
            );
            return None;
        };
        match formats::secret_uri::parse(&format!("{backend}://{name}/{key}")) {
            Ok(secret) => Some(Value::Secret(Box::new(secret))),
            Err(error) => {
                let range = arguments.first().map_or(expr.range(), |first| first.range());
                self.problem(&super::BAD_SECRET_URI, range, "these do not name a secret", &error.message);
                None
            }
        }
    }
}
