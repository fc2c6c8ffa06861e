//! `--var NAME=VALUE`

use std::{collections::BTreeMap, str::FromStr};

use clap::Args;
use smol_str::SmolStr;

use super::Failure;
use crate::compiler::Compiler;

/// Values of variables.
#[derive(Debug, Args)]
pub(super) struct Vars {
    /// Give a variable of nest.fly a value; may be given several times
    #[arg(long = "var", value_name = "NAME=VALUE")]
    given: Vec<Var>,
}

#[derive(Debug, Clone)]
struct Var {
    name: SmolStr,
    value: SmolStr,
}

impl FromStr for Var {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok(Self { name: name.into(), value: value.into() }),
            _ => Err("write NAME=VALUE, such as region=eu-central-1".to_owned()),
        }
    }
}

impl Vars {
    /// The values, by name.
    pub(super) fn values(&self) -> BTreeMap<SmolStr, SmolStr> {
        self.given.iter().map(|var| (var.name.clone(), var.value.clone())).collect()
    }

    /// Gives the values to a Nest, which must declare every one of them.
    pub(super) fn apply<'c>(&self, nests: impl IntoIterator<Item = &'c mut Compiler>) -> Result<(), Failure> {
        if self.given.is_empty() {
            return Ok(());
        }
        let mut values: BTreeMap<SmolStr, SmolStr> = BTreeMap::new();
        for var in &self.given {
            if values.insert(var.name.clone(), var.value.clone()).is_some() {
                let message = format!("the variable `{}` is given twice", var.name);
                return Err(Failure::usage(message, "give each variable one value"));
            }
        }
        for nest in nests {
            nest.set_variables(values.clone());
            let known: Vec<&str> = nest.variables().map(SmolStr::as_str).collect();
            if let Some(name) = values.keys().find(|name| !known.contains(&name.as_str())) {
                let help = match fly_std::formats::closest(name, known.iter().copied()) {
                    Some(nearest) => format!("did you mean `{nearest}`?"),
                    None if known.is_empty() => {
                        "declare it in `nest.fly` with `variable \"…\" { … }`".to_owned()
                    }
                    None => format!("the variables are {}", known.join(", ")),
                };
                return Err(Failure::usage(format!("this Nest has no variable `{name}`"), help));
            }
        }
        Ok(())
    }
}
