//! `gosling get`: one thing, or one field of it.

use std::{fmt::Write as _, process::ExitCode};

use clap::{Args, Subcommand};
use fly_std::formats::closest;
use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

use super::{
    Failure, Global,
    api::{Access, Api},
    one_thread,
    operate::of_egg,
    output::{Output, json, yaml},
    print, runners,
    text::{Paint, clean},
};

#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Example: gosling get egg web --field gitlab.project_id"
)]
pub(super) struct Get {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// An egg, a bucket, or a job of the Nest as jobs/NAME
    #[command(after_help = "Example: gosling get egg web --field gitlab.project_id")]
    Egg {
        /// Its name
        name: String,
        #[command(flatten)]
        how: How,
    },
    /// A runner
    #[command(after_help = "Example: gosling get runner web-1 --field state")]
    Runner {
        /// Its id
        id: String,
        #[command(flatten)]
        how: How,
    },
    /// A plan of an egg
    #[command(
        after_help = "Example: gosling get plan web 0199e7f2-6f0c-7cc1-a0c5-1b2f3d4e5f60 --field status"
    )]
    Plan {
        /// The egg
        egg: String,
        /// Its id, as `gosling list plans` shows it
        id: String,
        #[command(flatten)]
        how: How,
    },
}

#[derive(Debug, Args)]
struct How {
    #[command(flatten)]
    access: Access,
    #[arg(
        long,
        value_name = "PATH",
        help = "Only this field: its name, or a path such as gitlab.project_id or repositories.0.place"
    )]
    field: Option<String>,
}

impl Get {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode, Failure> {
        let (found, how): (Value, How) = one_thread()?.block_on(async {
            match self.what {
                What::Egg { name, how } => {
                    let api = how.access.open()?;
                    let egg = of_egg(&api, &name, api.get(&["eggs", &name], &[]).await).await?;
                    Ok::<_, Failure>((egg, how))
                }
                What::Runner { id, how } => Ok((runners::known(&how.access.open()?, &id).await?, how)),
                What::Plan { egg, id, how } => Ok((plan(&how.access.open()?, &egg, &id).await?, how)),
            }
        })?;
        let Some(field) = &how.field else {
            return global.show(&found, |colour| render(&found, colour));
        };
        let value = field_of(&found, field)?;
        let text = match (global.output(), value) {
            (Output::Table, Value::String(text)) => format!("{}\n", clean(text)),
            (Output::Table | Output::Json, value) => json(value, matches!(global.output(), Output::Json))?,
            (Output::Yaml, value) => yaml(value)?,
        };
        print(text.as_bytes())
    }
}

/// A plan of an egg.
async fn plan(api: &Api, egg: &str, id: &str) -> Result<Value, Failure> {
    match of_egg(api, egg, api.get(&["eggs", egg, "plans", id], &[]).await).await {
        Err(Failure::NotFound { message, .. }) if !message.starts_with("the egg ") => {
            Err(Failure::NotFound {
                message: format!("{} has no plan `{}`", clean(egg), clean(id)),
                help: format!("`gosling list plans {}` shows them", clean(egg)),
            })
        }
        answer => answer,
    }
}

/// The value at a path. A step that isn't there is told with the nearest that is.
fn field_of<'a>(whole: &'a Value, path: &str) -> Result<&'a Value, Failure> {
    let mut value = whole;
    let mut walked = String::new();
    for step in path.split('.') {
        let next = match value {
            Value::Object(fields) => fields.get(step),
            Value::Array(items) => step.parse().ok().and_then(|at: usize| items.get(at)),
            _ => None,
        };
        let Some(next) = next else { return Err(no_field(whole, value, path, &walked, step)) };
        value = next;
        walked = if walked.is_empty() { step.to_owned() } else { format!("{walked}.{step}") };
    }
    Ok(value)
}

fn no_field(whole: &Value, value: &Value, path: &str, walked: &str, step: &str) -> Failure {
    let at = |step: &str| if walked.is_empty() { step.to_owned() } else { format!("{walked}.{step}") };
    let help = match value {
        Value::Object(fields) => {
            let mut all = Vec::new();
            paths(whole, "", &mut all);
            let names = || fields.keys().map(String::as_str);
            let near = closest(step, names()).map(at);
            // What was meant may stand deeper, or higher.
            let near = near.or_else(|| closest(path, all.iter().map(String::as_str)).map(ToOwned::to_owned));
            let near = near.or_else(|| {
                let tail = format!(".{step}");
                all.iter().find(|path| path.ends_with(&tail)).cloned()
            });
            match near {
                Some(near) => format!("did you mean `{}`?", clean(&near)),
                None => format!(
                    "there is {}",
                    names().map(at).map(|name| format!("`{}`", clean(&name))).collect::<Vec<_>>().join(", ")
                ),
            }
        }
        Value::Array(items) if items.is_empty() => format!("`{walked}` is empty"),
        Value::Array(items) => {
            format!("`{walked}` has {} to {}", at("0"), at(&(items.len() - 1).to_string()))
        }
        _ => format!("`{walked}` is {} and has no fields", clean(&value.to_string())),
    };
    Failure::NotFound { message: format!("there is no field `{}`", clean(path)), help }
}

/// Every path there is.
fn paths(value: &Value, at: &str, all: &mut Vec<String>) {
    let mut go = |step: &str, value: &Value| {
        let path = if at.is_empty() { step.to_owned() } else { format!("{at}.{step}") };
        paths(value, &path, all);
        all.push(path);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| go(name, value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(at, value)| go(&at.to_string(), value)),
        _ => {}
    }
}

/// It for people: a line for each field, those of a part further in.
fn render(value: &Value, colour: bool) -> String {
    let mut out = String::new();
    fields(&mut out, value, 0, colour);
    out
}

fn fields(out: &mut String, value: &Value, depth: usize, colour: bool) {
    let Value::Object(fields_of) = value else { return };
    let width = fields_of.keys().map(|name| name.width()).max().unwrap_or_default();
    for (name, value) in fields_of {
        let shown = match value {
            Value::Object(fields) if fields.is_empty() => Some("none".to_owned()),
            Value::Object(_) => None,
            Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => None,
            Value::Array(items) if items.is_empty() => Some("none".to_owned()),
            Value::Array(items) => Some(items.iter().map(plain).collect::<Vec<_>>().join(", ")),
            Value::String(text) if text.contains('\n') => None,
            value => Some(plain(value)),
        };
        let pad = " ".repeat(depth * 2);
        let label = Paint::Dim.on(&clean(name), colour);
        let Some(shown) = shown else {
            let _ = writeln!(out, "{pad}{label}");
            match value {
                Value::Array(items) => {
                    for (at, item) in items.iter().enumerate() {
                        if at > 0 {
                            out.push('\n');
                        }
                        fields(out, item, depth + 1, colour);
                    }
                }
                Value::String(text) => {
                    for line in text.lines() {
                        let _ = writeln!(out, "{}", format!("{pad}  {}", clean(line)).trim_end());
                    }
                }
                value => fields(out, value, depth + 1, colour),
            }
            continue;
        };
        let gap = " ".repeat(width - name.width());
        let _ = writeln!(out, "{}", format!("{pad}{label}{gap}  {shown}").trim_end());
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => clean(text),
        value => clean(&value.to_string()),
    }
}
