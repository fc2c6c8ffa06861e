//! Files of any form, without a meaning: every kind of expression in every place, laid out in every way that the language
//! allows and in some that it does not. What never lives here: attributes and blocks that Fly knows, which are
//! `properties/generate`'s.

use proptest::{collection::vec, prelude::*, sample::select};

/// A file of attributes and blocks.
pub(super) fn file() -> impl Strategy<Value = String> {
    let leaf = (name(), line_space(), line_space(), expression(), end())
        .prop_map(|(name, one, two, value, end)| format!("{name}{one}={two}{value}{end}"))
        .boxed();
    let item = leaf.prop_recursive(3, 12, 4, |inner| {
        let header =
            (name(), vec((line_space(), label()), 0..3), select(vec![" ", "", "\n", " /* { */ ", " # {\n"]));
        let body = (space(), vec((inner.clone(), space()), 0..4), space());
        let block = (header, body, end()).prop_map(|((name, labels, before), (space, items, last), end)| {
            let labels: String = labels.iter().flat_map(|(space, label)| [*space, label.as_str()]).collect();
            let items: String = items.iter().flat_map(|(item, space)| [item.as_str(), *space]).collect();
            format!("{name}{labels}{before}{{{space}{items}{last}}}{end}")
        });
        prop_oneof![3 => inner, 2 => block]
    });
    vec((space(), item), 0..4)
        .prop_map(|items| items.iter().flat_map(|(space, item)| [*space, item.as_str()]).collect())
}

/// An expression.
fn expression() -> BoxedStrategy<String> {
    let leaf =
        prop_oneof![3 => name().prop_map(str::to_owned), 2 => number(), 2 => string(), 1 => reference()];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let elements = |open: &'static str, close: &'static str| {
            (vec((space(), inner.clone(), space()), 0..4), any::<bool>()).prop_map(move |(all, trailing)| {
                let all: Vec<String> = all.iter().map(|(a, value, b)| format!("{a}{value}{b}")).collect();
                let comma = if trailing && !all.is_empty() { "," } else { "" };
                format!("{open}{}{comma}{close}", all.join(","))
            })
        };
        let key = prop_oneof![name().prop_map(str::to_owned), string()];
        let entry = (key, line_space(), select(vec!["=", ":"]), line_space(), inner.clone())
            .prop_map(|(key, a, sign, b, value)| format!("{key}{a}{sign}{b}{value}"));
        let separator = select(vec![",", ", ", "\n", ",\n", "\n,\n", " # c\n", " /* \n */ "]);
        let map = (vec((space(), entry, separator), 0..4), any::<bool>()).prop_map(|(all, trailing)| {
            let mut text = String::from("{");
            for (at, (space, entry, separator)) in all.iter().enumerate() {
                text.extend([*space, entry.as_str()]);
                if trailing || at + 1 < all.len() {
                    text.push_str(separator);
                }
            }
            text + "}"
        });
        let operator = select(vec![
            "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", ".", " ",
        ]);
        let binary = (inner.clone(), line_space(), operator, space(), inner.clone())
            .prop_map(|(left, a, sign, b, right)| format!("{left}{a}{sign}{b}{right}"));
        let conditional = (inner.clone(), inner.clone(), inner.clone(), space(), line_space())
            .prop_map(|(test, yes, no, a, b)| format!("{test}{b}?{a}{yes}{a}:{a}{no}"));
        prop_oneof![
            3 => binary,
            1 => (select(vec!["-", "!", "- ", "!!"]), inner.clone()).prop_map(|(sign, value)| format!("{sign}{value}")),
            1 => conditional,
            1 => (space(), inner.clone(), space()).prop_map(|(a, value, b)| format!("({a}{value}{b})")),
            2 => elements("[", "]"),
            1 => (name(), elements("(", ")")).prop_map(|(name, arguments)| format!("{name}{arguments}")),
            1 => (inner.clone(), line_space(), name()).prop_map(|(value, a, name)| format!("{value}{a}.{name}")),
            1 => (inner.clone(), space(), inner).prop_map(|(value, a, index)| format!("{value}[{a}{index}{a}]")),
            2 => map,
        ]
    })
    .boxed()
}

fn name() -> impl Strategy<Value = &'static str> {
    select(vec![
        "a",
        "_b",
        "C9",
        "local",
        "var",
        "self",
        "egg",
        "bucket",
        "job",
        "profile",
        "rift",
        "list",
        "map",
        "true",
        "false",
        "environment",
    ])
}

fn reference() -> impl Strategy<Value = String> {
    let words = select(vec!["egg", "bucket", "job", "profile", "rift", "local", "list", "a"]);
    let names = select(vec![".my-app", ".team-2.x", ".a-1.5-b", " . x-y", ".a -b", ".a- b", ".-a", "-x"]);
    let fixed = select(vec![
        "list<string>",
        "map<list<int>>",
        "list < a > b",
        "list<a",
        "list<>",
        "list<a b>",
        "map<a>=b",
        "set<a>",
        "5.x",
        "\"a\".b",
        "1.5.2",
    ]);
    prop_oneof![
        (words, names).prop_map(|(word, name)| format!("{word}{name}")),
        fixed.prop_map(str::to_owned)
    ]
}

fn number() -> impl Strategy<Value = String> {
    let fixed = select(vec![
        "0", "1_000", "1.5", "30s", "1h30m", "4GiB", "80%", "5%2", "5 % 2", "5%(2)", "1.5%", "9x.1",
    ]);
    fixed.prop_map(str::to_owned)
}

fn label() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => string(),
        1 => select(vec!["my-app", "a", "-a", "a1", "--a", "app-2"]).prop_map(str::to_owned),
    ]
}

fn string() -> impl Strategy<Value = String> {
    let fixed = select(vec![
        "a",
        " ",
        "é🦊",
        "\\n",
        "\\\"",
        "\\\\",
        "\\u{1F98A}",
        "\\u{d800}",
        "\\u0041",
        "\\q",
        "$",
        "$$",
        "$${",
        "$$${",
        "${a}",
        "${ local.a }",
        "${}",
        "${",
        "${\"x\"}",
        "${a ? \"b\" : [1, {c = 2}]}",
        "${\"in ${b}\"}",
        "${a:-b}",
        "${a # b}",
        "${egg.my-app}",
        "${\"${\"}",
        "${a /* b */}",
        "${max(1, 2)[0].x + -1 % 2}",
        "${{a = 1}}",
        "${a.b}-${c}",
        "}",
        "{",
        "#",
        "//",
        "/*",
        "'",
        "${a b}",
        "${list<string>}",
        "${1 << 2}",
        "${a b \"c\"}",
        "${a:-${b}}",
        "${a /* } */}",
        "${a /* b}",
        "${/* a */}",
        "${[a, // b]}",
        "${{a = b // c} }",
        "${{a = b /* c */, d = 1}}",
        "${\"${a // b}\" # c}",
        "${a // {b} \"}\" c}",
        "${egg /* a */ . /* b */ my-app}",
        "${a //}",
    ]);
    let piece = prop_oneof![8 => fixed.prop_map(str::to_owned), 1 => commented()].boxed();
    let heredoc = (
        select(vec!["<<EOT", "<<-EOT", "<<_e9", "<<EOT junk ${"]),
        vec(vec(piece.clone(), 0..4), 0..4),
        select(vec!["", "  ", "\t"]),
        select(vec!["", " ", "\r", "x"]),
    );
    let heredoc = heredoc.prop_map(|(open, lines, before, after)| {
        let lines: String = lines.into_iter().map(|pieces| pieces.concat() + "\n").collect();
        let marker = if open == "<<_e9" { "_e9" } else { "EOT" };
        format!("{open}\n{lines}{before}{marker}{after}\n")
    });
    prop_oneof![4 => vec(piece, 0..5).prop_map(|pieces| format!("\"{}\"", pieces.concat())), 1 => heredoc]
}

/// An interpolation with comments in it, most of which are whole.
fn commented() -> impl Strategy<Value = String> {
    let space = || select(vec!["", " ", "", " /* a */ ", "/**/", " /* {} */", " /* \"}\" */ "]);
    let value = || select(vec!["a", "f(\"A\")", "-1", "(b)", "[1, /* c */ 2]", "local /* . */ .x", "\"}\""]);
    let operator = select(vec!["", "+", "/", "?a:", "&&", "*", "<"]);
    let end = select(vec!["", "", " // c", "# {}", " /// \"}\"", " /* c */ // d /*", " // \\", " /", "/*"]);
    (space(), value(), space(), operator, space(), value(), space(), end).prop_map(
        |(a, left, b, sign, c, right, d, end)| {
            let right = if sign.is_empty() { "" } else { right };
            format!("${{{a}{left}{b}{sign}{c}{right}{d}{end}}}")
        },
    )
}

/// What may stand between the tokens of a line.
fn line_space() -> impl Strategy<Value = &'static str> {
    prop_oneof![30 => select(vec![" ", "", "  ", "\t", " /* a */ ", "\r", "\u{feff}"]), 1 => select(vec!["\n", "/*\n*/"])]
}

/// What may stand between brackets and elements.
fn space() -> impl Strategy<Value = &'static str> {
    select(vec![" ", "", "", "\n", "\n  ", " # c\n", " // \"\n", "\n/// doc\n", " /* \n */ ", "\r\n"])
}

/// What may stand behind an item.
fn end() -> impl Strategy<Value = &'static str> {
    prop_oneof![20 => select(vec!["\n", "\n", "\r\n", " # c\n", ",", ", ", " /*\n*/ ", ",\n"]), 1 => select(vec!["", " ", ";", ";\n", ",,", "\n,\n", " = "])]
}
