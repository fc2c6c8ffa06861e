//! Tests of what is found.

use super::*;

fn knows(values: &[&str]) -> Masker {
    let masker = Masker::default();
    for value in values {
        masker.hide(value);
    }
    masker
}

#[test]
fn values_are_found_however_they_are_written() {
    let value = "pa\"ss/w\u{f6}rd+ \\1";
    let masker = knows(&[value]);
    let url = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string();
    let json = serde_json::to_string(value).unwrap();
    let forms = [
        value.to_owned(),
        url.clone(),
        url.to_lowercase(),
        url::form_urlencoded::byte_serialize(value.as_bytes()).collect(),
        json.trim_matches('"').to_owned(),
        format!("{json:?}"),
        serde_json::to_string(&format!("{json:?}")).unwrap(),
        r"pa\u0022ss\/w\u00f6rd+ \\1".to_owned(),
        r"pa\u{22}ss/w\xf6rd+ \x5c1".to_owned(),
        STANDARD.encode(value),
        URL_SAFE_NO_PAD.encode(value),
        STANDARD.encode(format!("user:{value}")),
        STANDARD.encode(format!("user1:{value}\n")),
        STANDARD.encode(format!("user12:{value}, and more")),
    ];
    for form in forms {
        let shown = masker.mask(&format!("before {form} after"));
        assert!(shown.starts_with("before ") && shown.ends_with(" after"), "{form}: {shown}");
        assert!(shown.contains(MASKED), "{form}: {shown}");
        assert!(shown.len() < 60, "{form}: {shown}");
    }
}

#[test]
fn the_rest_stays() {
    let masker = knows(&["abcdef", "efghij", "short"]);
    for (text, expected) in [
        ("", ""),
        ("nothing, 100 % of it, \\ and \u{1f511} \\ud83d", "nothing, 100 % of it, \\ and \u{1f511} \\ud83d"),
        ("short", "short"),
        ("xabcdefx", "x***MASKED***x"),
        // Two that share letters are both hidden.
        ("abcdefghij", "***MASKED***"),
        ("abcdef efghij", "***MASKED*** ***MASKED***"),
        ("`vault://secret/data/x/key`: no", "`vault://***MASKED***`: no"),
        ("see yc-lockbox://a/b, aws-sm://c/d.", "see yc-lockbox://***MASKED***, aws-sm://***MASKED***."),
        ("vault://***MASKED***", "vault://***MASKED***"),
        ("{\"uri\":\"vault://a/b\",\"n\":1}", "{\"uri\":\"vault://***MASKED***\",\"n\":1}"),
        ("\"{\\\"uri\\\":\\\"vault://a/b\\\"}\"", "\"{\\\"uri\\\":\\\"vault://***MASKED***\\\"}\""),
        ("vault%3A%2F%2Fa%2Fb", "vault%3A%2F%2F***MASKED***"),
        ("https://x/y", "https://x/y"),
        ("token glrt-t1_abcDEF123456 here", "token ***MASKED*** here"),
        ("https://oauth2:glpat-abcdefGHIJKL_-xyz@host/", "https://oauth2:***MASKED***@host/"),
        ("a runner's token begins with glrt-", "a runner's token begins with glrt-"),
    ] {
        assert_eq!(masker.mask(text), expected, "{text}");
    }
}

#[test]
fn what_looks_like_a_secret_is_hidden_though_nobody_knows_it() {
    let masker = Masker::default();
    let own = format!("gosling-{}", "aB3_-".repeat(9).get(..43).unwrap_or_default());
    for (text, expected) in [
        ("https://bot:hunter22@host/a: no", "https://bot:***MASKED***@host/a: no"),
        ("`ftp://u:p%40ss@host:21`", "`ftp://u:***MASKED***@host:21`"),
        ("ssh://git@host:22/a", "ssh://git@host:22/a"),
        ("http://host:80/a@b", "http://host:80/a@b"),
        ("vault://a/b", "vault://a/b"),
        ("glrt-abcdefgh1 at vault://a/b", "***MASKED*** at vault://a/b"),
        (own.as_str(), "***MASKED***"),
        (
            "gosling-of-the-nest-of-the-team-of-birds-01-a-b-c",
            "gosling-of-the-nest-of-the-team-of-birds-01-a-b-c",
        ),
    ] {
        assert_eq!(masker.mask_values(text), expected, "{text}");
    }
}

#[test]
fn a_line_of_a_key_is_hidden_by_itself() {
    let masker = knows(&["-----BEGIN KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\nc2hvcnQ=\n-----END KEY-----\n"]);
    assert_eq!(masker.mask("line 2: b3BlbnNzaC1rZXktdjEAAAAA"), "line 2: ***MASKED***");
    assert_eq!(masker.mask("c2hvcnQ="), "c2hvcnQ=");
}

#[test]
fn nothing_is_shown_of_what_is_known() {
    assert_eq!(format!("{:?}", knows(&["abcdef"])), "Masker");
}

/// Each value that comes has its patterns looked for with those of a few others, and not all of them built anew.
#[test]
fn a_thousand_that_come_one_by_one_are_few_searches() {
    let values: Vec<String> = (0..1000).map(|n| format!("value-{n}-{}", n * 7919)).collect();
    let one_by_one = Masker::default();
    for value in &values {
        one_by_one.hide(value);
    }
    let at_once = Masker::default();
    at_once.hide_all(values.iter().map(String::as_str));
    let sizes = |masker: &Masker| -> Vec<usize> {
        let known = masker.0.read().unwrap_or_else(PoisonError::into_inner);
        known.parts.iter().flatten().map(|part| part.patterns.len()).collect()
    };
    let several = sizes(&one_by_one);
    assert!(several.is_sorted_by(|a, b| a > b) && several.len() <= 16, "{several:?}");
    assert_eq!(sizes(&at_once), [several.iter().sum::<usize>()]);
    for value in &values {
        for masker in [&one_by_one, &at_once] {
            assert_eq!(masker.mask(&format!("a {value}.")), "a ***MASKED***.");
        }
    }
    // What is known already changes nothing.
    one_by_one.hide(&values[500]);
    assert_eq!(sizes(&one_by_one), several);
}
