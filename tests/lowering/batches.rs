//! Cases of a property that are tried many at a time, since starting what tries them costs more than the trying.
//!
//! A batch that fails is halved until the one case is left that fails, and proptest shrinks that one alone.

use std::sync::{
    OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use proptest::{
    prelude::{ProptestConfig, Rng as _},
    strategy::{Strategy, ValueTree},
    test_runner::{RngSeed, TestCaseError, TestRunner},
};

/// How many cases, and how many at a time.
pub(crate) struct Cases {
    number: u32,
    at_a_time: usize,
}

impl Default for Cases {
    fn default() -> Self {
        let number = match std::env::var_os("PROPTEST_CASES") {
            Some(_) => ProptestConfig::default().cases,
            None => 100,
        };
        Self { number, at_a_time: 25 }
    }
}

fn current<T: ValueTree>(cases: &[T]) -> Vec<T::Value> {
    cases.iter().map(ValueTree::current).collect()
}

/// What the cases of this run of the program are drawn from; the same for all properties.
fn seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    *SEED.get_or_init(|| match ProptestConfig::default().rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => TestRunner::new(ProptestConfig::default()).rng().next_u64(),
    })
}

/// How many properties have begun.
static BEGUN: AtomicUsize = AtomicUsize::new(0);

/// The property holds of every case that is drawn; `test` gets some of them and says what is wrong.
pub(crate) fn holds<S: Strategy>(cases: &Cases, strategy: S, test: impl Fn(&[S::Value]) -> Result<(), String>)
where
    S::Value: std::fmt::Debug,
{
    let config = ProptestConfig {
        failure_persistence: None,
        // Each step of shrinking starts OpenTofu anew.
        max_shrink_time: 30_000,
        max_shrink_iters: 5000,
        rng_seed: RngSeed::Fixed(seed()),
        ..ProptestConfig::default()
    };
    let mut runner = TestRunner::new(config);
    let mut left = usize::try_from(cases.number).unwrap();
    let mut batches: Vec<Vec<S::Tree>> = Vec::new();
    while left > 0 {
        let number = left.min(cases.at_a_time);
        batches.push((0..number).map(|_| strategy.new_tree(&mut runner).unwrap()).collect());
        left -= number;
    }
    // Properties share what is made of a batch. Two at a time begin at different ends, so that neither waits.
    if BEGUN.fetch_add(1, Ordering::Relaxed) % 2 == 1 {
        batches.reverse();
    }
    for mut batch in batches {
        let Err(wrong) = test(&current(&batch)) else { continue };
        while batch.len() > 1 {
            let half = batch.split_off(batch.len() / 2);
            if test(&current(&batch)).is_ok() {
                batch = half;
            }
        }
        if let Some(one) = batch.pop() {
            let alone = |case: S::Value| test(&[case]).map_err(TestCaseError::fail);
            if let Err(error) = runner.run_one(one, alone) {
                panic!("{error}\nPROPTEST_RNG_SEED={} draws the same cases", seed());
            }
        }
        panic!("only together: {wrong}");
    }
}
