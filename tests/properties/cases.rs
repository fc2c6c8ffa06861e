//! How many cases a random test draws.

use proptest::prelude::ProptestConfig;

/// So many cases, or `PROPTEST_CASES`.
pub(crate) fn cases(number: u32) -> ProptestConfig {
    let cases = match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default().cases,
        None => number,
    };
    // A draw with no place for what is tested is drawn again.
    let max_global_rejects = cases.saturating_mul(20);
    ProptestConfig { cases, max_global_rejects, failure_persistence: None, ..ProptestConfig::default() }
}
