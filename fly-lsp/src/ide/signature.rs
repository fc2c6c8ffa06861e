//! Signature help: the function whose arguments are being written, and which one it is.

use fly_std::functions::Function;
use flyc::{compiler::Compiler, text::TextSize};

use super::{cursor::Cursor, facts};

/// The call around the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The whole signature: `join(separator: string, list: list) → string`.
    pub label: String,
    /// What the function gives, in Markdown.
    pub doc: String,
    /// The range of each parameter in the label, in bytes.
    pub parameters: Vec<std::ops::Range<usize>>,
    /// The parameter at the cursor; none when there is none left.
    pub active: Option<usize>,
}

/// The call around an offset.
pub fn signature(compiler: &Compiler, path: &str, offset: TextSize) -> Option<Signature> {
    let cursor = Cursor::at(compiler.parse(path)?, offset);
    let (function, argument) = cursor.call_around()?;
    let label = function.signature();
    let parameters = parameters(function, &label);
    let last = parameters.len().checked_sub(1)?;
    let active = match function.rest {
        Some(_) => Some(argument.min(last)),
        None => (argument <= last).then_some(argument),
    };
    Some(Signature { doc: facts::function(function), parameters, active, label })
}

/// Where each parameter stands in the signature: between its commas.
fn parameters(function: &Function, label: &str) -> Vec<std::ops::Range<usize>> {
    let all = function.params.iter().chain(&function.rest);
    let mut from = label.find('(').map_or(0, |open| open + 1);
    all.filter_map(|param| {
        let start = from + label.get(from..)?.find(param.name)?;
        let end = label[start..].find([',', ')']).map_or(label.len(), |end| start + end);
        from = end;
        Some(start..end)
    })
    .collect()
}
