//! An expression becomes what it comes to. Never here: evaluation, which is the compiler's.

use fly_std::Value;

use super::{
    ActionKind, Candidate,
    draft::{Draft, replace},
    site::Asked,
};

/// The longest value that is written out.
const LONGEST: usize = 2000;

pub(super) fn candidates(asked: &Asked<'_>, found: &mut Vec<Candidate>) {
    let Some(site) = asked.site(asked.range) else { return };
    let plain = site.value.literal().is_some_and(|token| !token.text().contains("${"));
    let typed = site.attribute.name().and_then(|name| asked.typed_attribute(name.range()));
    let Some(value) = typed.and_then(|typed| typed.value.as_ref()).filter(|_| !plain) else { return };
    // What is sensitive is written nowhere.
    let sensitive =
        typed.and_then(|typed| typed.flow.as_deref()).is_some_and(|flow| flow.sensitive.is_some());
    let Some(text) = written(value).filter(|text| !sensitive && text.len() <= LONGEST) else { return };
    if text == site.value.text() {
        return;
    }
    let title = if text.len() > 40 {
        "write the value instead".to_owned()
    } else {
        format!("write its value `{text}`")
    };
    if let Some(draft) = Draft::of(asked.compiler, asked.path, &[replace(site.value.range(), &text)]) {
        found.push(Candidate::rewrite(ActionKind::Rewrite, title, draft));
    }
}

/// A value as Fly text; a secret has none.
fn written(value: &Value) -> Option<String> {
    Some(match value {
        Value::String(_) | Value::Condition(_) => quoted(value.as_str()?),
        Value::Secret(_) => return None,
        Value::List(values) => {
            let items: Option<Vec<String>> = values.iter().map(written).collect();
            format!("[{}]", items?.join(", "))
        }
        Value::Map(entries) => {
            let entries = entries.iter().map(|(name, value)| {
                let is_plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                    && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
                let key = if is_plain { name.to_string() } else { quoted(name) };
                Some(format!("{key} = {}", written(value)?))
            });
            format!("{{ {} }}", entries.collect::<Option<Vec<String>>>()?.join(", "))
        }
        Value::Float(number) if number.get().fract() == 0.0 => format!("{:.1}", number.get()),
        value => value.to_text()?.to_string(),
    })
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out.push('"');
    out.replace("${", "$${")
}
