//! Snapshots of `full` over texts that are hard to draw.

#![allow(clippy::needless_raw_string_hashes, clippy::unicode_not_nfc, reason = "expect-test writes them")]

use expect_test::{Expect, expect};

use super::{BAD, boxes, sources, span};
use crate::diag::Diagnostic;

/// A finding at offsets of a file `a.fly`.
fn at(text: &str, start: usize, end: usize, label: &str, expected: &Expect) {
    let diagnostic = Diagnostic::new(&BAD, span("a.fly", start, end), "something is odd", label);
    expected.assert_eq(&boxes(&sources(&[("a.fly", text)]), &[diagnostic]));
}

#[test]
fn empty_file() {
    at(
        "",
        0,
        0,
        "",
        &expect![[r#"
        error[type-mismatch]: something is odd
           ╭─[ a.fly:1:1 ]
         1 │
           │ │
           │ ╰─ here
        ───╯ flyc explain type-mismatch
    "#]],
    );
}

#[test]
fn end_of_file_behind_the_last_line_break() {
    at(
        "a = 1\n",
        6,
        6,
        "a `}` is missing",
        &expect![[r#"
        error[type-mismatch]: something is odd
           ╭─[ a.fly:2:1 ]
         2 │
           │ │
           │ ╰─ a `}` is missing
        ───╯ flyc explain type-mismatch
    "#]],
    );
}

#[test]
fn end_of_file_without_a_line_break() {
    at(
        "egg {",
        5,
        5,
        "a `}` is missing",
        &expect![[r#"
        error[type-mismatch]: something is odd
           ╭─[ a.fly:1:6 ]
         1 │ egg {
           │      │
           │      ╰─ a `}` is missing
        ───╯ flyc explain type-mismatch
    "#]],
    );
}

#[test]
fn no_width_in_the_middle() {
    at(
        "a = 1",
        2,
        2,
        "",
        &expect![[r#"
            error[type-mismatch]: something is odd
               ╭─[ a.fly:1:3 ]
             1 │ a = 1
               │   │
               │   ╰─ here
            ───╯ flyc explain type-mismatch
        "#]],
    );
}

#[test]
fn tabs_and_crlf() {
    at(
        "x\r\n\ta\t= 1\r\ny\r\n",
        4,
        8,
        "this",
        &expect![[r#"
        error[type-mismatch]: something is odd
           ╭─[ a.fly:2:2 ]
         2 │     a  = 1
           │     ───┬─
           │        ╰─── this
        ───╯ flyc explain type-mismatch
    "#]],
    );
}

#[test]
fn wide_and_combining_characters() {
    let text = "a = \"日本 e\u{301}\" + b";
    at(
        text,
        text.find("+ b").expect("there"),
        text.len(),
        "this",
        &expect![[r#"
        error[type-mismatch]: something is odd
           ╭─[ a.fly:1:13 ]
         1 │ a = "日本 é" + b
           │              ─┬─
           │               ╰─── this
        ───╯ flyc explain type-mismatch
    "#]],
    );
}

#[test]
fn line_breaks_that_only_others_see() {
    let text = "# a\u{c}b\u{2028}c\rd\n\u{1b}[31mred = 1";
    at(
        text,
        text.find("red").expect("there"),
        text.len() - 4,
        "this",
        &expect![[r#"
        error[type-mismatch]: something is odd
           ╭─[ a.fly:2:6 ]
         2 │ ␛[31mred = 1
           │      ─┬─
           │       ╰─── this
        ───╯ flyc explain type-mismatch
    "#]],
    );
}

#[test]
fn several_lines() {
    let text = "a {\n  b = 1\n  c = 2\n  d = 3\n}\n";
    at(
        text,
        0,
        text.len(),
        "the whole block",
        &expect![[r#"
        error[type-mismatch]: something is odd
           ╭─[ a.fly:1:1 ]
         1 │ ╭─▶ a {
           ┆ ┆
         5 │ ├─▶ }
           │ │
           │ ╰─────── the whole block
        ───╯ flyc explain type-mismatch
    "#]],
    );
    at(
        text,
        0,
        text.len(),
        "",
        &expect![[r#"
            error[type-mismatch]: something is odd
               ╭─[ a.fly:1:1 ]
             1 │ a {
               │ ─┬─
               │  ╰─── here
            ───╯ flyc explain type-mismatch
        "#]],
    );
}

#[test]
fn very_many_lines() {
    let text = format!("a {{\n{}}}\n", "  b = 1\n".repeat(1000));
    at(
        &text,
        0,
        text.len(),
        "the whole block",
        &expect![[r#"
        error[type-mismatch]: something is odd
           ╭─[ a.fly:1:1 ]
         1 │ a {
           │ ─┬─
           │  ╰─── the whole block
        ───╯ flyc explain type-mismatch
    "#]],
    );
}

#[test]
fn very_long_line() {
    let text = format!("a = \"{}\"\n", "x".repeat(1_000_000));
    at(
        &text,
        4,
        text.len() - 1,
        "too long",
        &expect![[r#"
        error[type-mismatch]: something is odd
           ╭─[ a.fly:1:5 ]
           │ too long
        ───╯ flyc explain type-mismatch
    "#]],
    );
}

#[test]
fn file_nobody_can_read() {
    let diagnostic = Diagnostic::new(&BAD, span("b.fly", 0, 0), "`b.fly` can't be read", "no permission")
        .help("make it readable")
        .related(span("c.fly", 3, 5), "as this");
    expect![[r#"
        error[type-mismatch]: `b.fly` can't be read
           ╭─[ b.fly ]
           │ no permission
           │ note: c.fly: as this
           │ help: make it readable
        ───╯ flyc explain type-mismatch
    "#]]
    .assert_eq(&boxes(&sources(&[]), &[diagnostic]));
}

#[test]
fn related_places_before_after_and_far_away_in_the_same_file() {
    let text = format!("a = 1\nä = 2\nä = 3\n{}ä = 4\n", "\n".repeat(60));
    let place = |nth: usize| {
        let (start, part) = text.match_indices('ä').nth(nth).expect("there");
        span("a.fly", start, start + part.len())
    };
    let diagnostic = Diagnostic::new(&BAD, place(1), "`ä` is set again", "again")
        .related(place(0), "first here")
        .related(place(2), "and here")
        .note("one\ntwo `vault://a/b\nc`");
    expect![[r#"
        error[type-mismatch]: `ä` is set again
            ╭─[ a.fly:3:1 ]
          2 │ ä = 2
            │ ┬
            │ ╰── first here
          3 │ ä = 3
            │ ┬
            │ ╰── again
            │
            ├─[ a.fly:64:1 ]
         64 │ ä = 4
            │ ┬
            │ ╰── and here
            │ note: one
            │       two `vault://***MASKED***
            │       c`
        ────╯ flyc explain type-mismatch
    "#]]
    .assert_eq(&boxes(&sources(&[("a.fly", &text)]), &[diagnostic]));
}
