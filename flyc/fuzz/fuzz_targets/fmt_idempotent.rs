//! Formatting a second time changes nothing.
#![no_main]

use flyc::{format::format, syntax::parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let once = format(&parse(text.into()));
    let twice = format(&parse(once.as_str().into()));
    assert_eq!(once, twice);
});
