//! Whatever a value holds, the text it is written to gives back that very value.

use hcl_edit::expr::Expression;
use proptest::prelude::*;
use saphyr::{LoadableYamlNode, Yaml};

use super::*;

/// Pieces that mean something somewhere, between any other text.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("${".to_owned()),
        Just("%{".to_owned()),
        Just("$".to_owned()),
        Just("%".to_owned()),
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("${file(\"/etc/passwd\")}".to_owned()),
        Just("%{ for x in y ~}".to_owned()),
        Just("$(rm -rf /)".to_owned()),
        Just("`id`".to_owned()),
        Just("\"".to_owned()),
        Just("'".to_owned()),
        Just("\\".to_owned()),
        Just("\n".to_owned()),
        Just("\r".to_owned()),
        Just("\t".to_owned()),
        Just(" ".to_owned()),
        Just(": ".to_owned()),
        Just("- ".to_owned()),
        Just("#".to_owned()),
        Just("!!str".to_owned()),
        Just("&a *a".to_owned()),
        Just("---\n".to_owned()),
        Just("%i %%".to_owned()),
        Just("{{ x }}{% raw %}".to_owned()),
        Just("\u{E000}cloud\u{E001}".to_owned()),
        Just("\u{85}\u{2028}\u{feff}\u{202e}\u{7f}\u{1b}".to_owned()),
        "\\PC{0,6}",
        "[a-z]{0,4}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Any characters at all, but NUL.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        hostile(),
        prop::collection::vec(any::<char>(), 0..24)
            .prop_map(|chars| { chars.into_iter().filter(|c| *c != '\0').collect() })
    ]
}

/// Renders one value by a template of the kind, as real templates are rendered.
fn rendered(template: &str, value: &str) -> String {
    let mut environment = minijinja::Environment::empty();
    environment.set_auto_escape_callback(auto_escape);
    environment.set_formatter(format);
    environment.add_filter("block", block);
    let (name, source) = template.split_once('|').unwrap();
    environment.add_template_owned(name.to_owned(), source.to_owned()).unwrap();
    environment.get_template(name).unwrap().render(minijinja::context! { value => value }).unwrap()
}

/// The character of the next hexadecimal digits.
fn numbered(chars: &mut std::str::Chars<'_>, digits: usize) -> char {
    let digits: String = chars.take(digits).collect();
    char::from_u32(u32::from_str_radix(&digits, 16).unwrap()).unwrap()
}

/// How systemd reads one double-quoted word, by its manual: C escapes, then `%%`, then on command lines `$$`.
fn systemd_word(word: &str, command: bool) -> String {
    let inner = word.strip_prefix('"').and_then(|word| word.strip_suffix('"')).unwrap();
    let mut plain = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        assert!(c != '"' && c != '\n', "the word ends where it should not: {word}");
        if c != '\\' {
            plain.push(c);
            continue;
        }
        plain.push(match chars.next().unwrap() {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            c @ ('"' | '\\') => c,
            'x' => numbered(&mut chars, 2),
            'u' => numbered(&mut chars, 4),
            'U' => numbered(&mut chars, 8),
            other => panic!("systemd knows no \\{other}"),
        });
    }
    let undouble = |text: &str, mark: char| {
        let mut plain = String::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c == mark {
                assert_eq!(chars.next(), Some(mark), "a single {mark} in {word}");
            }
            plain.push(c);
        }
        plain
    };
    let plain = undouble(&plain, '%');
    if command { undouble(&plain, '$') } else { plain }
}

/// How a POSIX shell reads single quotes and escaped quotes between them.
fn shell_word(word: &str) -> String {
    let mut plain = String::new();
    let mut rest = word;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("\\'") {
            plain.push('\'');
            rest = after;
        } else {
            let (inner, after) = rest.strip_prefix('\'').unwrap().split_once('\'').unwrap();
            plain.push_str(inner);
            rest = after;
        }
    }
    plain
}

/// The plain string an expression is.
fn hcl_string(expression: &Expression) -> &str {
    expression.as_str().unwrap_or_else(|| panic!("{expression:?} is not a plain string"))
}

proptest! {
    #[test]
    fn hcl_gives_back_the_value(text in any_text()) {
        let body: hcl_edit::structure::Body =
            rendered("x.tf.j2|a = {{ value }}\nb {\n  c = [{{ value }}, 1]\n}\n", &text).parse().unwrap();
        prop_assert_eq!(hcl_string(&body.get_attribute("a").unwrap().value), &text);
        let list = body.get_blocks("b").next().unwrap().body.get_attribute("c").unwrap().value.as_array().unwrap();
        prop_assert_eq!(hcl_string(list.get(0).unwrap()), &text);
    }

    #[test]
    fn yaml_gives_back_the_value(text in any_text()) {
        let documents = Yaml::load_from_str(&rendered("x.yaml.j2|a: {{ value }}\nb:\n  - {{ value }}\n", &text)).unwrap();
        prop_assert_eq!(documents.len(), 1);
        prop_assert_eq!(documents[0].as_mapping_get("a").unwrap().as_str(), Some(text.as_str()));
        prop_assert_eq!(documents[0].as_mapping_get("b").unwrap().as_vec().unwrap()[0].as_str(), Some(text.as_str()));
    }

    #[test]
    fn a_yaml_block_gives_back_the_value(text in any_text(), end in "\n{0,2}") {
        let text = text + &end;
        let documents = Yaml::load_from_str(&rendered("x.yaml.j2|a:\n  b: {{ value|block(4) }}\n  c: 1\n", &text)).unwrap();
        prop_assert_eq!(documents.len(), 1);
        let a = documents[0].as_mapping_get("a").unwrap();
        prop_assert_eq!(a.as_mapping_get("b").unwrap().as_str(), Some(text.as_str()));
        prop_assert_eq!(a.as_mapping_get("c").unwrap().as_integer(), Some(1));
    }

    #[test]
    fn systemd_gives_back_the_value(text in any_text()) {
        prop_assert_eq!(systemd_word(&rendered("x.service.j2|{{ value }}", &text), true), text.as_str());
        prop_assert_eq!(systemd_word(&systemd::assignment(&text).unwrap(), false), text.as_str());
        if let Ok(line) = systemd::line(&text) {
            prop_assert!(!line.contains('\n'));
            prop_assert_eq!(line.replace("%%", "%"), text.as_str());
        }
    }

    #[test]
    fn shell_gives_back_the_value(text in any_text()) {
        prop_assert_eq!(shell_word(&rendered("x.sh.j2|{{ value }}", &text)), text);
    }

    #[test]
    fn a_heredoc_gives_back_the_value_or_refuses(text in any_text()) {
        if let Ok(lines) = hcl::heredoc(&text) {
            prop_assume!(!text.split('\n').any(|line| line.trim() == "END_OF_TEXT"));
            let body: hcl_edit::structure::Body = std::format!("a = <<END_OF_TEXT\n{lines}\nEND_OF_TEXT\n").parse().unwrap();
            let value = &body.get_attribute("a").unwrap().value;
            let template = value.as_heredoc_template().unwrap();
            let plain: String = template.template.iter().map(|element| element.as_literal().unwrap().as_str()).collect();
            prop_assert_eq!(plain, text + "\n");
        }
    }
}

#[test]
fn a_nul_is_refused_everywhere() {
    for target in Target::ALL {
        assert_eq!(target.quote("a\0b"), Err(NUL), "{target:?}");
    }
    assert_eq!(yaml::block("a\0b\n", 2), Err(NUL));
    assert_eq!(hcl::heredoc("a\0b"), Err(NUL));
    assert_eq!(systemd::line("a\0b"), Err(NUL));
}

#[test]
fn plain_values_read_like_written_by_hand() {
    assert_eq!(hcl::quote("debian-12").unwrap(), "\"debian-12\"");
    assert_eq!(hcl::quote("${a} 100% $5").unwrap(), "\"$${a} 100% $5\"");
    assert_eq!(shell::quote("it's").unwrap(), r"'it'\''s'");
    assert_eq!(systemd::command_word("100% $HOME").unwrap(), "\"100%% $$HOME\"");
    assert_eq!(systemd::assignment("A=$HOME").unwrap(), "\"A=$HOME\"");
    assert_eq!(yaml::block("a\n\n  b\n", 2).unwrap(), "|\n  a\n\n    b");
}

#[test]
fn a_template_of_an_unknown_kind_can_hold_no_value() {
    let mut environment = minijinja::Environment::empty();
    environment.set_auto_escape_callback(auto_escape);
    environment.set_formatter(format);
    environment.add_template("x.txt", "{{ value }}").unwrap();
    assert!(environment.get_template("x.txt").unwrap().render(minijinja::context! { value => "a" }).is_err());
}
