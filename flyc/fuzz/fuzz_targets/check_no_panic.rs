//! No text makes the check panic, and what it says points into the text.
#![no_main]

use flyc::compiler::Compiler;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for path in ["nest.fly", "Eggs/a/config.fly", "Jobs/a.fly", "UF/config.fly", "MG/config.fly"] {
        for diagnostic in Compiler::new([(path, text)]).check_file(path) {
            assert!(text.get(std::ops::Range::<usize>::from(diagnostic.span.range)).is_some());
        }
    }
});
