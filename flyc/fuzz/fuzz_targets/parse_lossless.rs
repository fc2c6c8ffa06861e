//! The tree of any text is the text.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let parsed = flyc::syntax::parse(text.into());
    let tokens = parsed.tree().tokens();
    let ends = tokens.iter().skip(1).map(|token| token.start as usize).chain([text.len()]);
    let joined: String = tokens.iter().zip(ends).map(|(token, end)| &text[token.start as usize..end]).collect();
    assert_eq!(joined, text);
    for node in parsed.root().descendants() {
        assert!(parsed.root().text().len() >= node.text().len());
    }
});
