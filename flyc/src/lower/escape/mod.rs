//! Escaping by default: the kind of file a template makes decides how a value is written into it.
//!
//! Here live the [`Target`]s and the formatter that minijinja calls for every `{{ value }}`, so that a template author
//! can't forget to escape; one file a target holds its quoting rule. A value stays plain text whatever it contains:
//! only a fragment that a Rust function of `lower` already rendered passes through unchanged.
//!
//! Never here: templates, and knowledge of what a value means.

pub(super) mod hcl;
pub(super) mod shell;
pub(super) mod systemd;
pub(super) mod yaml;

use minijinja::{AutoEscape, Error, ErrorKind, Output, State, Value, value::ValueKind};

/// The kinds of file that templates make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// `OpenTofu`: a value becomes a quoted template string, a number, a bool or a list.
    Hcl,
    /// YAML: a value becomes a double-quoted scalar, a number or a bool.
    Yaml,
    /// A POSIX shell script: a value becomes one single-quoted word.
    Shell,
    /// A systemd unit: a value becomes one double-quoted word of a command line.
    Systemd,
}

impl Target {
    const ALL: [Self; 4] = [Self::Hcl, Self::Yaml, Self::Shell, Self::Systemd];

    const fn name(self) -> &'static str {
        match self {
            Self::Hcl => "hcl",
            Self::Yaml => "yaml",
            Self::Shell => "shell",
            Self::Systemd => "systemd",
        }
    }

    /// The target of a template, by the ending of its name; a template of an unknown kind has none, and then no value
    /// can be written in it.
    pub(super) fn of_template(name: &str) -> Option<Self> {
        match name.strip_suffix(".j2")?.rsplit_once('.')?.1 {
            "tf" | "rc" => Some(Self::Hcl),
            "yaml" => Some(Self::Yaml),
            "sh" => Some(Self::Shell),
            "service" => Some(Self::Systemd),
            _ => None,
        }
    }

    fn quote(self, text: &str) -> Result<String, Unrepresentable> {
        match self {
            Self::Hcl => hcl::quote(text),
            Self::Yaml => yaml::quote(text),
            Self::Shell => shell::quote(text),
            Self::Systemd => systemd::command_word(text),
        }
    }
}

/// Text that can't be written in a target in any way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub(super) struct Unrepresentable {
    reason: &'static str,
}

/// No target can hold a NUL.
const NUL: Unrepresentable = Unrepresentable { reason: "a NUL character can't be written in any artifact" };

impl From<Unrepresentable> for Error {
    fn from(error: Unrepresentable) -> Self {
        Self::new(ErrorKind::BadEscape, error.reason)
    }
}

/// What tells the formatter which target it writes; minijinja asks by the template's name.
pub(super) fn auto_escape(template: &str) -> AutoEscape {
    AutoEscape::Custom(Target::of_template(template).map_or("none", Target::name).into())
}

/// Writes a value of a template: every `{{ … }}` passes here.
pub(super) fn format(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    let AutoEscape::Custom(name) = state.auto_escape() else {
        return Err(Error::new(ErrorKind::BadEscape, "escaping must not be switched off"));
    };
    let Some(target) = Target::ALL.into_iter().find(|target| target.name() == name) else {
        return Err(Error::new(ErrorKind::BadEscape, "a template's name must tell what it makes"));
    };
    let text = written(target, value)?;
    Ok(out.write_str(&text)?)
}

/// A value as the target's text.
fn written(target: Target, value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::String if value.is_safe() => Ok(value.to_string()),
        ValueKind::String => Ok(target.quote(value.as_str().unwrap_or_default())?),
        // Jinja writes `True`.
        ValueKind::Bool => Ok(if value.is_true() { "true" } else { "false" }.to_owned()),
        ValueKind::Number => Ok(value.to_string()),
        ValueKind::Seq if target == Target::Hcl || target == Target::Yaml => {
            let items: Vec<_> =
                value.try_iter()?.map(|item| written(target, &item)).collect::<Result<_, _>>()?;
            Ok(format!("[{}]", items.join(", ")))
        }
        kind => Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("a value of kind {kind} can't be written here"),
        )),
    }
}

/// `|block(n)`: text as a YAML block literal, its lines indented by `n`.
pub(super) fn block(text: &str, indent: usize) -> Result<Value, Error> {
    Ok(Value::from_safe_string(yaml::block(text, indent)?))
}

/// `|environment`: text as the quoted assignment of a unit's `Environment=`.
pub(super) fn environment(text: &str) -> Result<Value, Error> {
    Ok(Value::from_safe_string(systemd::assignment(text)?))
}

/// `|line`: text as the rest of a unit's line, as in `Description=`.
pub(super) fn line(text: &str) -> Result<Value, Error> {
    Ok(Value::from_safe_string(systemd::line(text)?))
}

/// `|ident`: a name in an address of HCL, as in `aws_subnet.{{ name|ident }}.id`.
pub(super) fn ident(text: &str) -> Result<Value, Error> {
    if hcl::is_identifier(text) {
        return Ok(Value::from_safe_string(text.to_owned()));
    }
    Err(Error::new(ErrorKind::BadEscape, format!("{text:?} is no name of HCL")))
}

/// `|heredoc`: text within an HCL heredoc, where quotes and backslashes are plain and only templates are special.
pub(super) fn heredoc(text: &str) -> Result<Value, Error> {
    Ok(Value::from_safe_string(hcl::heredoc(text)?))
}

/// Whether a character should be seen as an escape and not as itself: control characters, marks that change the
/// direction or break of text, private use (which `lower` keeps for its own marks), and non-characters.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0xAD | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xE000..=0xF8FF | 0xFEFF
            | 0xFFF0..=0xFFFB | 0xFFFE..=0xFFFF | 0xE0000..=0xE0FFF | 0xF0000..)
}

#[cfg(test)]
mod tests;
