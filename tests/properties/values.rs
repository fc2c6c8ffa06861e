//! Valid values of every type. Each comes with what it must mean, so that the compiler is never asked twice.

use std::collections::BTreeSet;

use fly_std::{
    Entities, Float, SizeUnit, Type, Value,
    formats::{SecretBackend, SecretUri, duration, size},
    policy,
    schema::Presence,
};
use flyc::model::compile_condition;
use proptest::{collection::vec, prelude::*, sample::select};

/// A value as Fly text, and what it means.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) source: String,
    pub(crate) value: Value,
}

pub(crate) fn parenthesized(written: Written) -> Written {
    Written { source: format!("({})", written.source), ..written }
}

/// A valid value of a type.
pub(crate) fn value(ty: Type) -> BoxedStrategy<Written> {
    let text = |text: BoxedStrategy<String>| text.prop_map(|text| quoted(&text)).boxed();
    match ty {
        Type::String => text(words()),
        Type::EnvValue => prop_oneof![3 => text(words()), 1 => secret()].boxed(),
        Type::Script => text(
            select(vec!["make test", "echo \"$HOME\"", "a\nb\n", "x='y' && echo ${NAME} \\", ""])
                .prop_map(str::to_owned)
                .boxed(),
        )
        .prop_map(|written| Written { source: written.source.replace("$${", "${"), ..written })
        .boxed(),
        Type::Int { min, max } => (min..=max)
            .prop_flat_map(move |n| {
                let near = n.clamp(min, min.saturating_add(1000).min(max));
                select(vec![n, near, min, max])
            })
            .prop_flat_map(|n| {
                let plain = n.to_string();
                let spread = if n >= 1000 { format!("{}_{:03}", n / 1000, n % 1000) } else { plain.clone() };
                select(vec![plain, spread]).prop_map(move |source| Written { source, value: Value::Int(n) })
            })
            .boxed(),
        Type::Float => (0_u32..10_000, 0_u32..100)
            .prop_map(|(whole, part)| number(&format!("{whole}.{part:02}"), Value::Float))
            .boxed(),
        Type::Bool => {
            any::<bool>().prop_map(|b| Written { source: b.to_string(), value: Value::Bool(b) }).boxed()
        }
        Type::Duration { min, max, bare } => (0..=max - min, 0..4_u8)
            .prop_map(move |(more, form)| {
                let seconds = min + if form % 2 == 0 { more % 100_000.min(max - min + 1) } else { more };
                let source = match form {
                    0 => format!("\"{}\"", duration::print(seconds)),
                    1 if bare => seconds.to_string(),
                    2 => format!("{seconds}s"),
                    _ => duration::print(seconds),
                };
                Written { source, value: Value::Duration(seconds) }
            })
            .boxed(),
        Type::Size { min, max, bare } => (0..=(max - min) >> 20, 0..4_u8)
            .prop_map(move |(more, form)| {
                let unit = SizeUnit::bytes(bare);
                let bytes = min + ((if form % 2 == 0 { more % 4096 } else { more }) << 20);
                let source = match form {
                    0 => format!("\"{}\"", size::print(bytes)),
                    1 if bytes.is_multiple_of(unit) => (bytes / unit).to_string(),
                    2 => format!("{}MiB", bytes >> 20),
                    _ => size::print(bytes),
                };
                let bytes = if form == 2 { bytes >> 20 << 20 } else { bytes };
                Written { source, value: Value::Size(bytes) }
            })
            .prop_filter(
                "within the limits",
                move |w| matches!(w.value, Value::Size(bytes) if (min..=max).contains(&bytes)),
            )
            .boxed(),
        Type::Percent => (0..=100_u8, 0..4_u8)
            .prop_map(|(n, form)| {
                let source = match form {
                    0 => format!("\"{n}%\""),
                    1 => n.to_string(),
                    2 if n < 100 => return number_as(&format!("{n}.5"), &format!("{n}.5%"), Value::Percent),
                    _ => format!("{n}%"),
                };
                number_as(&n.to_string(), &source, Value::Percent)
            })
            .boxed(),
        Type::Cron => text(
            prop_oneof![
                (0..60_u8, 0..24_u8).prop_map(|(minute, hour)| format!("{minute} {hour} * * *")),
                select(vec!["0 2 * * 1-5", "*/15 * * * *", "0 0 1 * *", "30 6,18 * * MON"])
                    .prop_map(str::to_owned),
            ]
            .boxed(),
        ),
        Type::Timezone => {
            text(select(vec!["Europe/Berlin", "UTC", "Asia/Tokyo"]).prop_map(str::to_owned).boxed())
        }
        Type::Fqdn => text(host().boxed()),
        Type::Url => {
            text((host(), "(/[a-z0-9]{1,6}){0,3}").prop_map(|(h, p)| format!("https://{h}{p}")).boxed())
        }
        Type::Email => text(("[a-z]{1,8}", host()).prop_map(|(who, host)| format!("{who}@{host}")).boxed()),
        Type::Image => text("[a-z]{1,8}(/[a-z]{1,8})?:[0-9]{1,3}".boxed()),
        Type::Name => text(name().boxed()),
        Type::Secret => secret(),
        Type::Condition => condition()
            .prop_map(|text| {
                let value = Value::Condition(Box::new(compile_condition(&text).unwrap()));
                Written { source: format!("\"{text}\""), value }
            })
            .boxed(),
        Type::Enum(variants) => {
            let names: Vec<&str> = variants.iter().map(|variant| variant.name).collect();
            text(select(names).prop_map(str::to_owned).boxed())
        }
        Type::List(item) => {
            (vec(value(*item), 0..4), 0..4_u8).prop_map(|(items, form)| list(&items, form)).boxed()
        }
        Type::Map(item) => vec(("[a-z_][a-z0-9_]{0,6}", value(*item)), 0..4)
            .prop_map(|entries| map(distinct(entries)))
            .boxed(),
        Type::Object(fields) => {
            let fields: Vec<_> = fields
                .iter()
                .map(|field| {
                    let made = value(field.ty).prop_map(|written| (field.name.to_owned(), written));
                    if field.presence == Presence::Required {
                        made.prop_map(Some).boxed()
                    } else {
                        prop::option::of(made).boxed()
                    }
                })
                .collect();
            fields.prop_map(|entries| map(entries.into_iter().flatten().collect())).boxed()
        }
        // Real names are given when the file is whole.
        Type::Entity(Entities::EggOrBucket) => Just(quoted("egg")).boxed(),
        Type::Keyword(variants) => select(variants.iter().map(|variant| variant.name).collect::<Vec<_>>())
            .prop_map(|word| Written { source: word.to_owned(), value: Value::String(word.into()) })
            .boxed(),
        Type::TypeName => select(vec!["string", "list<string>", "map<list<size>>"])
            .prop_map(|name| Written { source: name.to_owned(), value: Value::String(name.into()) })
            .boxed(),
        Type::Profile => {
            Just(Written { source: "profile.base".to_owned(), value: Value::String("base".into()) }).boxed()
        }
        Type::Predicate => select(vec!["true", "1 < 2 || false", "! false", "1 == 1 ? true : false"])
            .prop_map(|text| Written { source: text.to_owned(), value: Value::String(text.into()) })
            .boxed(),
        Type::Any => prop_oneof![
            value(Type::Bool),
            value(Type::String),
            value(Type::int(0, i64::MAX)),
            value(Type::duration(1, 1000)).prop_map(bare),
            value(Type::List(&Type::Bool)),
            value(Type::Map(&Type::Float)),
        ]
        .boxed(),
    }
}

/// A duration of a local is one only without quotes.
fn bare(written: Written) -> Written {
    Written { source: written.source.replace('"', ""), ..written }
}

fn number(source: &str, of: fn(Float) -> Value) -> Written {
    number_as(source, source, of)
}

fn number_as(digits: &str, source: &str, of: fn(Float) -> Value) -> Written {
    let float = digits.parse().ok().and_then(Float::new).unwrap();
    Written { source: source.to_owned(), value: of(float) }
}

fn list(items: &[Written], form: u8) -> Written {
    let sources: Vec<&str> = items.iter().map(|item| item.source.as_str()).collect();
    let comma = if items.is_empty() { "" } else { "," };
    let source = match form {
        0 => format!("[{}{comma}]", sources.join(",")),
        1 => format!("[\n{}{comma} # last\n]", sources.join(",  # one\n")),
        2 => format!("[ {} ]", sources.join(" , /* and */ ")),
        _ => format!("[{}]", sources.join(", ")),
    };
    Written { source, value: Value::List(items.iter().map(|item| item.value.clone()).collect()) }
}

fn distinct(mut entries: Vec<(String, Written)>) -> Vec<(String, Written)> {
    let mut names = BTreeSet::new();
    entries.retain(|(name, _)| names.insert(name.clone()));
    entries
}

fn map(entries: Vec<(String, Written)>) -> Written {
    let sources: Vec<_> = entries.iter().map(|(name, value)| format!("{name} = {}", value.source)).collect();
    Written {
        source: format!("{{ {} }}", sources.join(", ")),
        value: Value::Map(entries.into_iter().map(|(name, w)| (name.into(), w.value)).collect()),
    }
}

pub(crate) fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9][a-zA-Z0-9_-]{0,12}"
}

fn host() -> impl Strategy<Value = String> {
    "[a-z]([a-z0-9]{0,6}[a-z0-9])?\\.(com|io|example)"
}

fn words() -> BoxedStrategy<String> {
    prop_oneof![
        "[a-z][a-z0-9 ./_-]{0,12}",
        "\\PC{0,12}",
        select(vec![
            "",
            "${x}",
            "$${",
            "$",
            "\"quoted\"",
            "a\\b",
            "two\nlines",
            "t\ta\r",
            "é🦊",
            "# no",
            "}",
            "\u{feff}"
        ])
        .prop_map(str::to_owned),
    ]
    .prop_filter("no secret", |text| !fly_std::formats::is_secret_uri_like(text))
    .boxed()
}

/// Text as a string literal.
pub(crate) fn quoted(text: &str) -> Written {
    let mut source = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => source.push_str("\\\""),
            '\\' => source.push_str("\\\\"),
            '\n' => source.push_str("\\n"),
            '\r' => source.push_str("\\r"),
            '\t' => source.push_str("\\t"),
            c if c.is_control() => source.extend(c.escape_unicode()),
            c => source.push(c),
        }
    }
    let source = source.replace("${", "$${") + "\"";
    Written { source, value: Value::String(text.into()) }
}

fn secret() -> BoxedStrategy<Written> {
    (select(SecretBackend::ALL.to_vec()), "[a-z0-9.-]{1,8}", "[a-z0-9.-]{1,8}(/[a-z0-9.-]{1,5}){0,2}")
        .prop_map(|(backend, first, rest)| {
            let source = format!("\"{}://{first}/{rest}\"", backend.scheme());
            let (id, key) = match (backend, rest.rsplit_once('/')) {
                (SecretBackend::Vault, Some((path, key))) => (format!("{first}/{path}"), key.to_owned()),
                _ => (first, rest),
            };
            Written {
                source,
                value: Value::Secret(Box::new(SecretUri { backend, id: id.into(), key: key.into() })),
            }
        })
        .boxed()
}

fn condition() -> impl Strategy<Value = String> {
    let examples: Vec<&str> = policy::FIELDS.iter().map(|field| field.example).collect();
    let leaf = select(examples).prop_map(str::to_owned);
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(|parts| parts.join(" AND ")),
            vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" OR "))),
            inner.prop_map(|part| format!("NOT ({part})")),
        ]
    })
}

/// A heredoc, its common indent removed or not.
pub(crate) fn heredoc(verbatim: bool) -> BoxedStrategy<Written> {
    let line = prop_oneof!["[a-z$\"'{}#\\\\ ]{0,12}", Just("echo ${X}".to_owned()), Just(String::new())];
    (vec(line, 0..5), any::<bool>())
        .prop_map(move |(lines, indented)| {
            let lines: Vec<String> = lines.iter().map(|line| line.trim().to_owned()).collect();
            let text: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
            let (open, indent) = if indented { ("<<-EOT", "    ") } else { ("<<EOT", "") };
            let mut source = format!("{open}\n");
            for line in &lines {
                let line = if verbatim { line.clone() } else { line.replace("${", "$${") };
                if !line.is_empty() {
                    source.push_str(indent);
                }
                source.push_str(&line);
                source.push('\n');
            }
            source.push_str("EOT");
            Written { source, value: Value::String(text.into()) }
        })
        .boxed()
}
