//! Credentials in files: found wherever they stand, and never said.

use flyc::{
    compiler::Compiler,
    render::{OutputFormat, Report, render},
};
use proptest::{prelude::*, sample::select};

use crate::{cases, told};

/// A random token; the prefixes are written in halves, so that no scanner takes them for a leak.
fn token() -> impl Strategy<Value = String> {
    let shape = |prefix: [&'static str; 2], body: &str| {
        let body = proptest::string::string_regex(body).unwrap();
        body.prop_map(move |body| prefix.concat() + &body).boxed()
    };
    let any = vec![
        shape(["gl", "pat-"], "[A-Za-z0-9]{20}"),
        shape(["gl", "rt-"], "[A-Za-z0-9_]{20,30}[a-z]"),
        shape(["gl", "dt-"], "[A-Za-z0-9]{20}"),
        shape(["AK", "IA"], "[A-Z0-9]{16}"),
        shape(["AS", "IA"], "[A-Z0-9]{16}"),
        shape(["gh", "p_"], "[A-Za-z0-9]{36}"),
        shape(["xo", "xb-"], "[0-9]{10}-[A-Za-z0-9]{20}"),
        shape(["ey", "J"], "[A-Za-z0-9]{20}\\.eyJ[A-Za-z0-9_]{30}\\.[A-Za-z0-9_]{40}"),
        shape(["-----BEGIN PRIVATE", " KEY-----\\n"], "[A-Za-z0-9+/]{64}\\\\n-----END PRIVATE KEY-----"),
    ];
    let filler = |text: &String| {
        let lower = text.to_lowercase();
        let characters: std::collections::BTreeSet<char> = lower.chars().rev().take(16).collect();
        characters.len() < 5
            || ["xxxx", "your", "abcdefgh", "1234567890"].iter().any(|word| lower.contains(word))
    };
    proptest::strategy::Union::new(any).prop_filter("a filler", move |text| !filler(text))
}

/// A file with a token in it.
fn file(template: &str, token: &str) -> String {
    let hole = template.replace('@', token);
    format!(
        "{}\negg \"a\" {{\n  type = \"vm\"\n  gitlab {{\n    project_id = 1\n  }}\n{}\n}}\n",
        if hole.starts_with("locals") { hole.as_str() } else { "" },
        if hole.starts_with("locals") { "" } else { hole.as_str() },
    )
}

/// Where a text can stand, some of them with a mistake beside it.
const PLACES: [&str; 12] = [
    "locals {\n  a = \"@\"\n}",
    "locals {\n  a = [{ b = \"@\" }, \"$${x} @ é\"]\n}",
    "locals {\n  a = upper(\"@\", 1)\n}",
    "environment {\n  A = \"@\"\n}",
    "environment {\n  A = \"curl -H 'X: @' ${nobody}\"\n}",
    "environment {\n  A = <<-EOT\n    é @\n  EOT\n}",
    "cloud {\n  region = \"@\"\n}",
    "cloud {\n  provider = \"@\"\n}",
    "runner {\n  tags = [\"@\", 5]\n}",
    "runner {\n  timeout = \"@\"\n}",
    "runner {\n  image = \"@\" nonsense\n}",
    "rift {\n  name = \"@\"\n}",
];

const FORMATS: [OutputFormat; 8] = [
    OutputFormat::Full,
    OutputFormat::Concise,
    OutputFormat::Json,
    OutputFormat::Jsonl,
    OutputFormat::Gitlab,
    OutputFormat::Sarif,
    OutputFormat::Junit,
    OutputFormat::Github,
];

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn property_credentials_are_found_and_never_said(token in token(), place in select(&PLACES[..])) {
        let text = file(place, &token);
        let compiler = Compiler::new([("Eggs/a/config.fly", text.as_str())]);
        let found = compiler.check();
        let about = found.iter().filter(|found| found.kind.hides_text).count();
        prop_assert_eq!(about, place.matches('@').count(), "{}\n{}", text, told(&found));
        // What would give it away, on one line.
        let telling: String = token.rsplit("-----\\n").next().unwrap_or(&token).chars().take(24).collect();
        let telling = telling.as_str();
        for diagnostic in &found {
            prop_assert!(!format!("{diagnostic:?}").contains(telling), "{diagnostic:?}");
        }
        let report = Report { diagnostics: &found, sources: &compiler };
        for format in FORMATS {
            let mut out = Vec::new();
            render(format, &report, true, &mut out).unwrap();
            let out = String::from_utf8(out).unwrap();
            prop_assert!(!out.contains(telling), "{format:?}: {out}");
        }
    }

    #[test]
    fn property_words_are_no_credentials(
        words in prop::collection::vec("[a-z]{2,9}|[A-Z][a-z]{1,8}|[0-9]{1,4}", 1..6),
        joint in select(&["-", "_", " ", ".", "/", ":"][..]),
        place in select(&["locals {\n  a = \"@\"\n}", "environment {\n  API_TOKEN = \"@\"\n}"][..]),
    ) {
        let text = file(place, &words.join(joint));
        let found = Compiler::new([("Eggs/a/config.fly", text.as_str())]).check();
        let about = found.iter().filter(|found| found.kind.hides_text).count();
        prop_assert_eq!(about, 0, "{}\n{}", text, told(&found));
    }
}
