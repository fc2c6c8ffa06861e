//! Functions that take or make text.

use smol_str::SmolStr;

use super::{CallError, Function, Kind, MAX_ITEMS, MAX_TEXT, Param, Returns, Text, list, mismatch, text};
use crate::value::Value;

const TEXT: Param = Param::new("text", &[Kind::String]);
const STRING: Returns = Returns::Kind(Kind::String);

pub(super) const UPPER: Function = Function {
    name: "upper",
    params: &[TEXT],
    rest: None,
    doc: "the text in capitals",
    example: ("upper(\"abc\")", "\"ABC\""),
    result: STRING,
    call: |arguments| Ok(Value::String(text(arguments, 0)?.to_uppercase().into())),
};

pub(super) const LOWER: Function = Function {
    name: "lower",
    params: &[TEXT],
    rest: None,
    doc: "the text in small letters",
    example: ("lower(\"ABC\")", "\"abc\""),
    result: STRING,
    call: |arguments| Ok(Value::String(text(arguments, 0)?.to_lowercase().into())),
};

pub(super) const TRIM: Function = Function {
    name: "trim",
    params: &[TEXT],
    rest: None,
    doc: "the text without white space at its beginning and end",
    example: ("trim(\"  a b \")", "\"a b\""),
    result: STRING,
    call: |arguments| Ok(Value::String(text(arguments, 0)?.trim().into())),
};

pub(super) const JOIN: Function = Function {
    name: "join",
    params: &[Param::new("separator", &[Kind::String]), Param::new("list", &[Kind::List])],
    rest: None,
    doc: "the list's values as one text, with the separator between them",
    example: ("join(\", \", [\"a\", \"b\"])", "\"a, b\""),
    result: STRING,
    call: join,
};

fn join(arguments: &[Value]) -> Result<Value, CallError> {
    let separator = text(arguments, 0)?;
    let mut joined = Text::default();
    for (index, value) in list(arguments, 1)?.iter().enumerate() {
        if index > 0 {
            joined.push(separator)?;
        }
        joined.push(&printed(value, 1)?)?;
    }
    Ok(joined.into_value())
}

/// A value inside a text; a secret never becomes text.
fn printed(value: &Value, argument: usize) -> Result<SmolStr, CallError> {
    value.to_text().ok_or_else(|| {
        CallError::argument(argument, format!("{} cannot become part of a text", value.noun()))
    })
}

pub(super) const SPLIT: Function = Function {
    name: "split",
    params: &[Param::new("separator", &[Kind::String]), TEXT],
    rest: None,
    doc: "the list of the parts of the text that stand between the separators",
    example: ("split(\",\", \"a,b\")", "[\"a\", \"b\"]"),
    result: Returns::Strings,
    call: split,
};

fn split(arguments: &[Value]) -> Result<Value, CallError> {
    let (separator, whole) = (text(arguments, 0)?, text(arguments, 1)?);
    if separator.is_empty() {
        return Err(CallError::argument(0, "the separator is empty"));
    }
    let parts: Vec<_> =
        whole.split(separator).take(MAX_ITEMS + 1).map(|part| Value::String(SmolStr::new(part))).collect();
    Ok(Value::List(parts))
}

pub(super) const REPLACE: Function = Function {
    name: "replace",
    params: &[TEXT, Param::new("from", &[Kind::String]), Param::new("to", &[Kind::String])],
    rest: None,
    doc: "the text with every `from` in it turned into `to`",
    example: ("replace(\"a-b-c\", \"-\", \"_\")", "\"a_b_c\""),
    result: STRING,
    call: replace,
};

fn replace(arguments: &[Value]) -> Result<Value, CallError> {
    let (whole, from, to) = (text(arguments, 0)?, text(arguments, 1)?, text(arguments, 2)?);
    if from.is_empty() {
        return Err(CallError::argument(1, "the text to look for is empty"));
    }
    let mut replaced = Text::default();
    for (index, part) in whole.split(from).enumerate() {
        if index > 0 {
            replaced.push(to)?;
        }
        replaced.push(part)?;
    }
    Ok(replaced.into_value())
}

pub(super) const FORMAT: Function = Function {
    name: "format",
    params: &[Param::new("template", &[Kind::String])],
    rest: Some(Param::new("values", Kind::SCALARS)),
    doc: "the template with each `%s` turned into the next value, each `%d` into the next whole number, and `%%` into `%`",
    example: ("format(\"%s-%d\", \"app\", 2)", "\"app-2\""),
    result: STRING,
    call: format_text,
};

fn format_text(arguments: &[Value]) -> Result<Value, CallError> {
    let template = text(arguments, 0)?;
    let mut values = arguments.iter().enumerate().skip(1);
    let mut result = Text::default();
    let mut parts = template.split('%');
    result.push(parts.next().unwrap_or_default())?;
    while let Some(part) = parts.next() {
        let Some(verb) = part.chars().next() else {
            // `%%`: the part between the two is empty, and what follows the second is plain text. At the very end
            // a lone `%` leaves one empty part and nothing after it.
            let Some(after) = parts.next() else {
                return Err(CallError::argument(0, "a lone `%` stands at the end; `%%` is a percent sign"));
            };
            result.push("%")?;
            result.push(after)?;
            continue;
        };
        if verb != 's' && verb != 'd' {
            return Err(CallError::argument(0, format!("`%{verb}` is not `%s`, `%d` or `%%`")));
        }
        let (index, value) = values.next().ok_or_else(|| {
            CallError::argument(0, format!("there is no value for `%{verb}` number {}", arguments.len()))
        })?;
        if verb == 'd' && value.as_int().is_none() {
            return Err(CallError::argument(
                index,
                format!("`%d` wants a whole number, found {}", value.noun()),
            ));
        }
        result.push(&printed(value, index)?)?;
        result.push(&part[1..])?;
    }
    match values.next() {
        Some((index, _)) => Err(CallError::argument(index, "the template has no place for this value")),
        None => Ok(result.into_value()),
    }
}

pub(super) const STARTSWITH: Function = Function {
    name: "startswith",
    params: &[TEXT, Param::new("prefix", &[Kind::String])],
    rest: None,
    doc: "whether the text begins with the prefix",
    example: ("startswith(\"prod-eu\", \"prod-\")", "true"),
    result: Returns::Kind(Kind::Bool),
    call: |arguments| Ok(Value::Bool(text(arguments, 0)?.starts_with(text(arguments, 1)?))),
};

pub(super) const ENDSWITH: Function = Function {
    name: "endswith",
    params: &[TEXT, Param::new("suffix", &[Kind::String])],
    rest: None,
    doc: "whether the text ends with the suffix",
    example: ("endswith(\"prod-eu\", \"-eu\")", "true"),
    result: Returns::Kind(Kind::Bool),
    call: |arguments| Ok(Value::Bool(text(arguments, 0)?.ends_with(text(arguments, 1)?))),
};

pub(super) const BASE64ENCODE: Function = Function {
    name: "base64encode",
    params: &[TEXT],
    rest: None,
    doc: "the text's UTF-8 bytes in Base64, with padding",
    example: ("base64encode(\"hello\")", "\"aGVsbG8=\""),
    result: STRING,
    call: base64encode,
};

fn base64encode(arguments: &[Value]) -> Result<Value, CallError> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes = text(arguments, 0)?.as_bytes();
    if bytes.len().div_ceil(3) * 4 > MAX_TEXT {
        return Err(CallError::whole("this comes to more than 1 MiB of text"));
    }
    let mut encoded = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for position in 0..4 {
            if position <= chunk.len() {
                let digit = bits >> (18 - 6 * position) & 63;
                encoded.push(char::from(DIGITS[digit as usize]));
            } else {
                encoded.push('=');
            }
        }
    }
    Ok(Value::String(encoded.into()))
}

pub(super) const JSONENCODE: Function = Function {
    name: "jsonencode",
    params: &[Param::new("value", Kind::ALL)],
    rest: None,
    doc: "the value as JSON on one line; durations, sizes and percentages become strings",
    example: ("jsonencode({ a = [1, true] })", "\"{\\\"a\\\":[1,true]}\""),
    result: STRING,
    call: |arguments| {
        let mut json = Text::default();
        write_json(arguments.first().ok_or_else(|| mismatch(0))?, &mut json)?;
        Ok(json.into_value())
    },
};

fn write_json(value: &Value, json: &mut Text) -> Result<(), CallError> {
    match value {
        Value::Int(_) | Value::Float(_) | Value::Bool(_) => json.push(&printed(value, 0)?),
        Value::String(_) | Value::Duration(_) | Value::Size(_) | Value::Percent(_) | Value::Condition(_) => {
            json.push(&quoted(&printed(value, 0)?))
        }
        Value::Secret(_) => Err(CallError::argument(0, "a secret cannot become part of a text")),
        Value::List(values) => {
            json.push("[")?;
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    json.push(",")?;
                }
                write_json(value, json)?;
            }
            json.push("]")
        }
        Value::Map(entries) => {
            json.push("{")?;
            for (index, (name, value)) in entries.iter().enumerate() {
                if index > 0 {
                    json.push(",")?;
                }
                json.push(&quoted(name))?;
                json.push(":")?;
                write_json(value, json)?;
            }
            json.push("}")
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
