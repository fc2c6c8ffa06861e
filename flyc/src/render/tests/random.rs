//! Random reports over random texts: no format panics, and positions are those a slow count gives.

use clap::ValueEnum;
use proptest::prelude::*;

use super::{BAD, ODD, OutputFormat, Report, render, sources, span};
use crate::diag::Diagnostic;

/// Texts of characters that are hard to count or to draw.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\r\n"),
        Just("\n"),
        Just("\r"),
        Just("\t"),
        Just("a"),
        Just(" "),
        Just("ä"),
        Just("日"),
        Just("e\u{301}"),
        Just("👩\u{200d}🚀"),
        Just("\u{2028}"),
        Just("\u{85}"),
        Just("\0"),
        Just("\u{1b}[1m"),
        Just("\u{feff}"),
        Just("\u{202e}"),
        Just("vault://a/b"),
        Just("\"x\""),
        Just("]]>"),
        Just("%"),
        Just("\u{ffff}"),
        Just("\u{1}0:1"),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// A finding anywhere, even outside the text, in the middle of a character or in a file nobody has.
fn finding() -> impl Strategy<Value = Diagnostic> {
    let place = || {
        (prop_oneof![Just("a.fly"), Just("b/ä b.fly"), Just("gone.fly")], 0..120_usize, 0..60_usize)
            .prop_map(|(file, start, length)| span(file, start, start + length))
    };
    (any::<bool>(), place(), text(), text(), proptest::collection::vec((place(), text()), 0..12), text())
        .prop_map(|(bad, place, message, label, related, note)| {
            let mut finding =
                Diagnostic::new(if bad { &BAD } else { &ODD }, place, message, label).note(&note).help(note);
            for (place, message) in related {
                finding = finding.related(place, message);
            }
            finding
        })
}

/// The place of an offset, counted slowly.
fn slow_position(text: &str, offset: usize) -> (u64, u64) {
    let before = &text[..offset];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line as u64, column as u64)
}

proptest! {
    #[test]
    fn no_format_panics(a in text(), b in text(), found in proptest::collection::vec(finding(), 0..4)) {
        let sources = sources(&[("a.fly", &a), ("b/ä b.fly", &b)]);
        let report = Report { diagnostics: &found, sources: &sources };
        for format in OutputFormat::value_variants() {
            for colour in [false, true] {
                let mut out = Vec::new();
                render(*format, &report, colour, &mut out).expect("memory takes everything");
                let out = String::from_utf8(out).expect("output is UTF-8");
                if !colour {
                    prop_assert!(!out.contains('\x1b'));
                }
                if !matches!(format, OutputFormat::Full) {
                    prop_assert!(!out.contains("://a/b"), "{}", out);
                }
                if matches!(format, OutputFormat::Full | OutputFormat::Concise) {
                    let clean = !out.contains(['\u{202e}', '\u{1}']) && !out.contains('\r');
                    prop_assert!(clean, "{:?}", out);
                }
                if *format == OutputFormat::Concise {
                    prop_assert_eq!(out.lines().count(), found.len());
                }
            }
        }
    }

    #[test]
    fn json_offsets_are_right(a in text(), found in proptest::collection::vec(finding(), 0..4)) {
        let sources = sources(&[("a.fly", &a)]);
        let mut out = Vec::new();
        render(OutputFormat::Json, &Report { diagnostics: &found, sources: &sources }, false, &mut out).expect("memory");
        let entries: Vec<serde_json::Value> = serde_json::from_slice(&out).expect("JSON");
        prop_assert_eq!(entries.len(), found.len());
        for (entry, finding) in entries.iter().zip(&found) {
            if entry["file"] != "a.fly" {
                continue;
            }
            for (edge, asked) in [("start", finding.span.range.start()), ("end", finding.span.range.end())] {
                let number = |key: &str| entry[edge][key].as_u64().expect("a number");
                let offset = usize::try_from(number("offset")).expect("small");
                prop_assert!(a.is_char_boundary(offset));
                let asked = usize::from(asked).min(a.len());
                if a.is_char_boundary(asked) {
                    prop_assert_eq!(offset, asked);
                }
                prop_assert_eq!((number("line"), number("column")), slow_position(&a, offset));
            }
        }
    }
}
