//! Variables: values set for the whole Nest, by `--var`, by `nest { variables { … } }` or by their defaults.
//!
//! What never lives here: whether anybody uses them.

use std::{collections::BTreeMap, sync::Arc};

use fly_std::{Type, Value, schema};
use smol_str::SmolStr;

use super::{
    blocks::{Checker, MISSING_ATTRIBUTE},
    definitions::NEST_FILE,
    flow::holds_secret,
    ir::TypedBlock,
    messages,
    references::{Own, UNKNOWN_NAME},
    strings::UNKNOWN_VALUE,
    values::{TYPE_MISMATCH, Want},
};
use crate::{
    db::{Db, Nest, parse},
    diag::Diagnostic,
    syntax::{Attribute, Block, Expr, NodeKind, Parse, parse_expression},
    text::TextRange,
};

/// A variable and the value it has now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// What its values are.
    pub ty: Type,
    /// Its value; absent when it has none or a wrong one.
    pub value: Option<Value>,
    /// Whether the value is a secret.
    pub sensitive: bool,
}

/// Every variable of the Nest.
#[salsa::tracked(returns(ref))]
pub fn variables(db: &dyn Db, nest: Nest) -> Arc<BTreeMap<SmolStr, Variable>> {
    let Some(file) = nest.find(db, NEST_FILE) else { return Arc::default() };
    let mut checker = Checker::new(db, file.path(db).clone(), parse(db, file));
    let mut variables = BTreeMap::new();
    for block in checker.parse.blocks().filter(|block| block.is("variable")) {
        let Some(label) = block.labels().next() else { continue };
        let variable = checker.variable(block, label.name);
        variables.entry(SmolStr::new(label.name)).or_insert(variable);
    }
    Arc::new(variables)
}

/// One variable, so that a file depends only on those it uses.
#[allow(clippy::needless_pass_by_value, reason = "salsa keeps the name")]
#[salsa::tracked(returns(ref))]
pub fn variable(db: &dyn Db, nest: Nest, name: SmolStr) -> Option<Variable> {
    variables(db, nest).get(&name).cloned()
}

/// The value of an attribute of a block.
fn attribute<'p>(block: Block<'p>, name: &str) -> Option<Expr<'p>> {
    let mut attributes = block.attributes().filter(|attribute| attribute.is(name) && !attribute.is_damaged());
    attributes.find_map(Attribute::value)
}

/// The value that `nest { variables { … } }` gives a variable.
fn given<'p>(parse: &'p Parse, name: &str) -> Option<Expr<'p>> {
    let nests = parse.blocks().filter(|block| block.is("nest"));
    let mut blocks = nests.flat_map(Block::blocks).filter(|block| block.is("variables"));
    blocks.find_map(|block| attribute(block, name))
}

/// The type that a `variable` block declares; `None` when what it says is no type.
fn declared(block: Block<'_>) -> Option<Type> {
    match attribute(block, "type") {
        Some(expr) => Type::parse(expr.text().trim_matches('"')),
        None => Some(match attribute(block, "default").map(|expr| expr.node().kind()) {
            None => Type::String,
            Some(_) => Type::Any,
        }),
    }
}

fn want(schema: &'static schema::Block, name: &'static str, ty: Type) -> Option<Want<'static>> {
    schema.attribute(name).map(|attribute| Want { attribute, name, ty, inner: false })
}

impl<'p> Checker<'p> {
    /// The type of what stands in an attribute of a block about variables, in place of any.
    pub(super) fn variable_type(&self, schema: &'static schema::Block, name: &str) -> Option<Type> {
        let (block, _) = self.own.block?;
        if std::ptr::eq(schema, &raw const schema::VARIABLE) {
            return match name {
                "default" => declared(block),
                "allowed" => declared(block).map(Type::list_of),
                _ => None,
            };
        }
        if std::ptr::eq(schema, &raw const schema::VARIABLES) {
            let declaration = self
                .parse
                .blocks()
                .filter(|block| block.is("variable"))
                .find(|block| block.labels().next().is_some_and(|label| label.name == name))?;
            return declared(declaration);
        }
        None
    }

    /// The variable that a block declares; what is wrong with it is told by [`Self::variable_block`].
    fn variable(&mut self, block: Block<'p>, name: &str) -> Variable {
        let sensitive = attribute(block, "sensitive").is_some_and(|expr| expr.text() == "true");
        let Some(ty) = declared(block) else {
            return Variable { ty: Type::Any, value: None, sensitive };
        };
        self.own = Own::of(block, &schema::VARIABLE);
        self.standalone = true;
        let value = match self.outside_value(name, ty) {
            Some(value) => value.ok(),
            None => {
                let expr = given(self.parse, name).or_else(|| attribute(block, "default"));
                let want = want(&schema::VARIABLE, "default", ty);
                expr.zip(want).and_then(|(expr, want)| self.value(expr, want))
            }
        };
        self.standalone = false;
        let value = value.filter(|value| {
            let allowed = self.allowed(block, ty);
            allowed.is_none_or(|allowed| allowed.contains(value))
        });
        Variable { ty, value, sensitive }
    }

    fn allowed(&mut self, block: Block<'p>, ty: Type) -> Option<Vec<Value>> {
        let expr = attribute(block, "allowed")?;
        let want = want(&schema::VARIABLE, "allowed", Type::list_of(ty))?;
        self.standalone = true;
        let value = self.value(expr, want);
        self.standalone = false;
        match value {
            Some(Value::List(values)) => Some(values),
            _ => None,
        }
    }

    /// The value that `--var` gives a variable; `Err` holds what is wrong with it.
    fn outside_value(&mut self, name: &str, ty: Type) -> Option<Result<Value, String>> {
        let nest = Nest::try_get(self.db)?;
        let text = nest.variables(self.db).get(name)?;
        let want = want(&schema::VARIABLE, "default", ty)?;
        let plain = matches!(
            ty,
            Type::String
                | Type::Any
                | Type::Cron
                | Type::Timezone
                | Type::Fqdn
                | Type::Url
                | Type::Email
                | Type::Image
                | Type::Name
                | Type::Secret
                | Type::Duration { .. }
                | Type::Size { .. }
                | Type::Percent
        );
        // Texts come as they are; whatever else is written as in a file.
        let quoted = plain.then(|| {
            let escaped =
                text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace("${", "$${");
            format!("\"{escaped}\"")
        });
        let written: Arc<str> = quoted.unwrap_or_else(|| text.to_string()).into();
        let parse = parse_expression(written);
        let mut inner = Checker::new(self.db, self.path.clone(), &parse);
        inner.standalone = true;
        let expr = Expr::of(&parse).filter(|_| parse.errors().is_empty());
        let value = expr.and_then(|expr| inner.value(expr, want));
        Some(value.ok_or_else(|| {
            let told = inner.diagnostics.into_iter().next();
            told.map_or_else(|| format!("`--var {name}` can't be read"), |told| told.label)
        }))
    }

    /// What is wrong with the value of a variable, after the types of what is written have been told.
    pub(super) fn variable_block(&mut self, block: Block<'p>, typed: &TypedBlock) {
        let Some(name) = typed.label.clone() else { return };
        let Some(ty) = declared(block) else { return };
        let header = typed.label_range.unwrap_or(typed.header);
        let sensitive = typed.value("sensitive") == Some(&Value::Bool(true));
        let outside = self.outside_value(&name, ty);
        if let Some(Err(label)) = &outside {
            self.report(
                Diagnostic::new(
                    &TYPE_MISMATCH,
                    self.span(header),
                    format!("`--var {name}=…` wants {}", ty.noun()),
                    label.clone(),
                )
                .note("the value was given on the command line")
                .help("give another value with `--var`, or none"),
            );
            return;
        }
        let given = given(self.parse, &name);
        if outside.is_none() && given.is_none() && typed.attribute("default").is_none() && !typed.damaged {
            self.report(
                Diagnostic::new(
                    &MISSING_ATTRIBUTE,
                    self.span(header),
                    format!("the variable `{name}` has no value"),
                    "no value",
                )
                .note("its value is its `default`, unless `nest.fly` or `--var` gives another")
                .help(format!("give a `default`, or run with `--var {name}=…`")),
            );
            return;
        }
        let from = self.diagnostics.len();
        let allowed = self.allowed(block, ty);
        // What is wrong with the list itself has been told.
        self.diagnostics.truncate(from);
        let Some(allowed) = allowed else { return };
        let shown = |value: &Value| match value.to_text() {
            _ if sensitive || holds_secret(value) => "a secret".to_owned(),
            Some(text) => format!("`{text}`"),
            None => value.noun().to_owned(),
        };
        let list = allowed.iter().map(shown).collect::<Vec<_>>().join(", ");
        let check = |this: &mut Self, value: &Value, range: TextRange, from: &str| {
            if !allowed.contains(value) {
                let message = format!("`{name}` is not allowed to be {}{from}", shown(value));
                this.report(
                    Diagnostic::new(&UNKNOWN_VALUE, this.span(range), message, "not one of `allowed`")
                        .note(format!("`allowed` has {list}"))
                        .help("use one of these, or add it to `allowed`"),
                );
            }
        };
        if let Some(attribute) = typed.attribute("default")
            && let Some(value) = &attribute.value
        {
            check(self, value, attribute.range, "");
        }
        if let Some(Ok(value)) = &outside {
            check(self, value, header, ", as `--var` says");
        } else if let Some(expr) = given
            && let Some(want) = want(&schema::VARIABLE, "default", ty)
        {
            let from = self.diagnostics.len();
            self.standalone = true;
            let value = self.value(expr, want);
            self.standalone = false;
            // What is wrong with it has been told.
            self.diagnostics.truncate(from);
            if let Some(value) = value {
                check(self, &value, expr.range(), "");
            }
        }
    }

    /// A name in `nest { variables { … } }` that no variable has.
    pub(super) fn undeclared_variable(&mut self, name: &str, range: TextRange) {
        let declared = self
            .parse
            .blocks()
            .filter(|block| block.is("variable"))
            .filter_map(|block| block.labels().next());
        let names: Vec<&str> = declared.map(|label| label.name).collect();
        if names.contains(&name) {
            return;
        }
        let diagnostic = Diagnostic::new(
            &UNKNOWN_NAME,
            self.span(range),
            format!("there is no variable `{name}`"),
            "not declared",
        );
        let diagnostic = match messages::nearest(name, names) {
            Some(nearest) => diagnostic.fix(format!("did you mean `{nearest}`?"), range, nearest),
            None => diagnostic.help(format!("add `variable \"{name}\" {{ … }}`, or remove the value")),
        };
        self.report(diagnostic);
    }

    /// The name of a type, such as `list<string>`.
    pub(super) fn type_name(&mut self, expr: Expr<'_>, want: Want<'_>) -> Option<Value> {
        let text = expr.text().trim_matches('"');
        if Type::parse(text).is_some() {
            return Some(Value::String(text.split_whitespace().collect::<String>().into()));
        }
        let names = fly_std::TYPE_NAMES.iter().map(|(name, _)| *name);
        let mut diagnostic = Diagnostic::new(
            &TYPE_MISMATCH,
            self.span(expr.range()),
            format!("{} wants the name of a type, found `{}`", want.subject(), super::values::clip(text)),
            "not a type",
        )
        .note(format!(
            "the types are {}, and `list<…>` and `map<…>` of them",
            messages::list(names.clone(), "and")
        ));
        let called = matches!(expr.node().kind(), NodeKind::Call)
            .then(|| text.replace('(', "<").replace(')', ">").replace("number", "int"));
        let meant = match text {
            "number" | "integer" => Some("int"),
            "str" | "text" => Some("string"),
            "boolean" => Some("bool"),
            _ => messages::nearest(text, names),
        };
        let meant = called.filter(|text| Type::parse(text).is_some()).or_else(|| meant.map(str::to_owned));
        diagnostic = match meant {
            Some(meant) => diagnostic.fix(format!("write `{meant}`"), expr.range(), meant),
            None => diagnostic.help("write `type = string`, or one of the others"),
        };
        self.diagnostics.push(diagnostic);
        None
    }
}
