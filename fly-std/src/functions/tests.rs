//! Each function on its edge cases.

use smol_str::SmolStr;

use super::*;
use crate::{formats::secret_uri, value::Float};

fn s(text: &str) -> Value {
    Value::String(SmolStr::new(text))
}

fn l(values: &[Value]) -> Value {
    Value::List(values.to_vec())
}

fn m(entries: &[(&str, Value)]) -> Value {
    Value::Map(entries.iter().map(|(name, value)| (SmolStr::new(name), value.clone())).collect())
}

fn f(number: f64) -> Value {
    Value::Float(Float::new(number).unwrap())
}

const fn i(number: i64) -> Value {
    Value::Int(number)
}

fn secret() -> Value {
    Value::Secret(Box::new(secret_uri::parse("vault://hidden/key").unwrap()))
}

fn call(name: &str, arguments: &[Value]) -> Result<Value, CallError> {
    find(name).unwrap().evaluate(arguments)
}

#[track_caller]
fn gives(name: &str, arguments: &[Value], value: Value) {
    assert_eq!(call(name, arguments), Ok(value), "{name}({arguments:?})");
}

#[track_caller]
fn fails(name: &str, arguments: &[Value], argument: Option<usize>, message: &str) {
    let error = call(name, arguments).unwrap_err();
    assert_eq!((error.argument, error.message.as_str()), (argument, message), "{name}({arguments:?})");
}

#[test]
fn text_functions() {
    gives("upper", &[s("straße")], s("STRASSE"));
    gives("lower", &[s("ÄB")], s("äb"));
    gives("trim", &[s(" \n a \t")], s("a"));
    gives("trim", &[s("")], s(""));
    gives("join", &[s(","), l(&[])], s(""));
    gives("join", &[s(","), l(&[s("a"), i(1), Value::Duration(90)])], s("a,1,1m30s"));
    fails("join", &[s(","), l(&[secret()])], Some(1), "a secret cannot become part of a text");
    fails("join", &[s(","), l(&[l(&[])])], Some(1), "a list cannot become part of a text");
    gives("split", &[s(","), s("")], l(&[s("")]));
    gives("split", &[s(","), s("a,,b")], l(&[s("a"), s(""), s("b")]));
    fails("split", &[s(""), s("a")], Some(0), "the separator is empty");
    gives("replace", &[s("aaa"), s("aa"), s("b")], s("ba"));
    fails("replace", &[s("a"), s(""), s("b")], Some(1), "the text to look for is empty");
    gives("startswith", &[s("abc"), s("")], Value::Bool(true));
    gives("startswith", &[s("abc"), s("bc")], Value::Bool(false));
    gives("endswith", &[s("abc"), s("bc")], Value::Bool(true));
    fails("upper", &[i(1)], Some(0), "`text` wants a string, found a whole number");
    fails("upper", &[], None, "`upper` wants 1 argument, found 0");
    fails("upper", &[s("a"), s("b")], None, "`upper` wants 1 argument, found 2");
    fails("concat", &[], None, "`concat` wants at least 1 argument, found 0");
}

#[test]
fn format_fills_its_template() {
    gives("format", &[s("")], s(""));
    gives("format", &[s("%s/%d"), s("a"), i(-1)], s("a/-1"));
    gives("format", &[s("%s%s"), s("é"), Value::Size(4 << 30)], s("é4GiB"));
    gives("format", &[s("100%%")], s("100%"));
    gives("format", &[s("%%s")], s("%s"));
    gives("format", &[s("%%%s%%é"), i(1)], s("%1%é"));
    fails("format", &[s("5%")], Some(0), "a lone `%` stands at the end; `%%` is a percent sign");
    fails("format", &[s("%é")], Some(0), "`%é` is not `%s`, `%d` or `%%`");
    fails("format", &[s("%s")], Some(0), "there is no value for `%s` number 1");
    fails("format", &[s("a"), i(1)], Some(1), "the template has no place for this value");
    fails("format", &[s("%d"), s("x")], Some(1), "`%d` wants a whole number, found a string");
    assert_eq!(call("format", &[s("%s"), secret()]).unwrap_err().argument, Some(1));
}

#[test]
fn encodings() {
    for (plain, encoded) in [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foobar", "Zm9vYmFy"),
        ("é?>", "w6k/Pg=="),
    ] {
        gives("base64encode", &[s(plain)], s(encoded));
    }
    let value = m(&[
        ("a\"", l(&[i(1), f(1.5), Value::Bool(true)])),
        ("t", Value::Duration(600)),
        ("p", Value::Percent(Float::new(80.0).unwrap())),
        ("x", s("\n\u{1}")),
    ]);
    gives("jsonencode", &[value], s(r#"{"a\"":[1,1.5,true],"t":"10m","p":"80%","x":"\n\u0001"}"#));
    fails("jsonencode", &[l(&[secret()])], Some(0), "a secret cannot become part of a text");
}

#[test]
fn collection_functions() {
    gives("concat", &[l(&[])], l(&[]));
    gives("concat", &[l(&[i(1)]), l(&[]), l(&[i(2)])], l(&[i(1), i(2)]));
    gives("length", &[s("é")], i(1));
    gives("length", &[l(&[])], i(0));
    gives("length", &[m(&[("a", i(1))])], i(1));
    gives("contains", &[s("abc"), s("b")], Value::Bool(true));
    gives("contains", &[l(&[i(1)]), i(2)], Value::Bool(false));
    gives("contains", &[m(&[("a", i(1))]), s("a")], Value::Bool(true));
    assert_eq!(call("contains", &[s("abc"), i(1)]).unwrap_err().argument, Some(1));
    gives("keys", &[m(&[("b", i(1)), ("a", i(2))])], l(&[s("b"), s("a")]));
    gives("values", &[m(&[("b", i(1)), ("a", i(2))])], l(&[i(1), i(2)]));
    gives(
        "merge",
        &[m(&[("a", i(1)), ("b", i(2))]), m(&[("a", i(3)), ("c", i(4))])],
        m(&[("a", i(3)), ("b", i(2)), ("c", i(4))]),
    );
    gives("coalesce", &[s(""), l(&[]), m(&[]), i(0)], i(0));
    gives("coalesce", &[s(""), s("")], s(""));
    gives("distinct", &[l(&[i(2), i(1), i(2)])], l(&[i(2), i(1)]));
    gives("sort", &[l(&[])], l(&[]));
    gives("sort", &[l(&[i(2), f(1.5), i(1)])], l(&[i(1), f(1.5), i(2)]));
    gives("sort", &[l(&[s("b"), s("B"), s("a")])], l(&[s("B"), s("a"), s("b")]));
    fails("sort", &[l(&[s("a"), i(1)])], Some(0), "a string and a whole number have no order between them");
    fails("sort", &[l(&[secret()])], Some(0), "a secret and a secret have no order between them");
    gives("slice", &[l(&[i(1), i(2), i(3)]), i(1), i(3)], l(&[i(2), i(3)]));
    gives("slice", &[l(&[i(1)]), i(1), i(1)], l(&[]));
    fails("slice", &[l(&[i(1)]), i(0), i(2)], Some(2), "`2` is not a place in this list (0 to 1)");
    fails("slice", &[l(&[i(1)]), i(-1), i(1)], Some(1), "`-1` is not a place in this list (0 to 1)");
    fails("slice", &[l(&[i(1)]), i(1), i(0)], Some(1), "`from` is after `to`");
}

#[test]
fn number_functions() {
    gives("min", &[i(3), i(1)], i(1));
    gives("max", &[i(3), f(3.5)], f(3.5));
    gives("max", &[Value::Duration(600), Value::Duration(3600)], Value::Duration(3600));
    fails("min", &[i(1), Value::Size(1)], Some(1), "a whole number and a size have no order between them");
    assert_eq!(call("min", &[s("a")]).unwrap_err().argument, Some(0));
    gives("abs", &[i(-3)], i(3));
    gives("abs", &[f(-1.5)], f(1.5));
    fails("abs", &[i(i64::MIN)], Some(0), "more than can be counted");
    gives("ceil", &[f(1.2)], i(2));
    gives("ceil", &[f(-1.2)], i(-1));
    gives("floor", &[f(-1.2)], i(-2));
    gives("floor", &[i(7)], i(7));
    fails("ceil", &[f(1e300)], Some(0), "more than can be counted");
    fails("floor", &[f(9_223_372_036_854_775_808.0)], Some(0), "more than can be counted");
}

#[test]
fn results_stay_small() {
    let large = s(&"x".repeat(MAX_TEXT));
    let message = "this comes to more than 1 MiB of text";
    fails("replace", &[large.clone(), s("x"), s("xx")], None, message);
    fails("format", &[s("%s%s"), large.clone(), s("y")], None, message);
    fails("join", &[s(""), l(&[large.clone(), large.clone()])], None, message);
    fails("base64encode", std::slice::from_ref(&large), None, message);
    fails("jsonencode", std::slice::from_ref(&large), None, message);
    fails("upper", &[s(&"ŉ".repeat(MAX_TEXT / 2))], None, "more than 1 MiB of text");
    fails("split", &[s("x"), large], None, "more than 65536 values");
    let many = l(&vec![i(0); MAX_ITEMS - 1]);
    fails("concat", &[many.clone(), many], None, "this comes to more than 65536 values");
    let mut deep = i(0);
    for _ in 0..=MAX_DEPTH {
        deep = l(&[deep]);
    }
    fails("jsonencode", &[deep], Some(0), "nested more than 64 deep");
}

#[test]
fn the_table_is_whole() {
    for name in "upper lower trim join split replace format concat length contains keys values merge coalesce min max \
                 abs ceil floor distinct sort slice startswith endswith base64encode jsonencode"
        .split_whitespace()
    {
        assert!(find(name).is_some(), "{name}");
    }
    let mut names: Vec<_> = FUNCTIONS.iter().map(|function| function.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), FUNCTIONS.len());
    for function in FUNCTIONS {
        assert!(!function.doc.is_empty() && !function.doc.ends_with('.'), "{}", function.name);
        assert!(function.example.0.starts_with(&format!("{}(", function.name)), "{}", function.name);
        // Without arguments, called past the checks: still no panic.
        assert!((function.call)(&[]).is_err() || function.name == "concat" || function.name == "merge");
    }
    assert_eq!(find("join").unwrap().signature(), "join(separator: string, list: list) -> string");
    // Only described: they can't be called without the compiler.
    for name in ["file", "secret"] {
        assert!(find(name).is_none());
        assert!(describe(name).is_some_and(|function| function.evaluate(&[s("a"), s("b"), s("c")]).is_err()));
    }
}

#[test]
fn kinds_match_values() {
    for (kind, value) in [
        (Kind::String, s("")),
        (Kind::Int, i(0)),
        (Kind::Float, f(0.5)),
        (Kind::Duration, Value::Duration(0)),
        (Kind::Size, Value::Size(0)),
        (Kind::Secret, secret()),
        (Kind::List, l(&[])),
        (Kind::Map, m(&[])),
    ] {
        assert_eq!(Kind::of(&value), kind);
        assert_eq!(kind.noun(), value.noun());
    }
}
