//! When something that failed is tried again, as data.

use std::{
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    time::Duration,
};

use super::Time;

/// How long to wait between attempts, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first failure.
    pub first: Duration,
    /// The longest wait.
    pub most: Duration,
    /// How many attempts there are in all.
    pub attempts: u32,
}

/// What becomes of something that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// It is tried again then.
    At(Time),
    /// It has been tried often enough; a person has to look.
    GiveUp,
}

impl Backoff {
    /// For messages of the queue: eight attempts in about a quarter of an hour.
    pub const MESSAGE: Self =
        Self { first: Duration::from_secs(2), most: Duration::from_mins(5), attempts: 8 };

    /// For deployments, of which each costs a run of OpenTofu. The longest wait leaves room for several attempts within
    /// the five minutes in which the resources of an ended runner must be gone.
    pub const DEPLOYMENT: Self =
        Self { first: Duration::from_secs(5), most: Duration::from_mins(1), attempts: u32::MAX };

    /// What comes after so many failures, of which the last was now.
    ///
    /// The wait doubles each time. Up to a quarter of it is taken off by `key`, so that what failed together isn't tried
    /// together again; the same key always gives the same wait.
    pub fn after(&self, failures: u32, key: &str, now: Time) -> Attempt {
        if failures >= self.attempts {
            return Attempt::GiveUp;
        }
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(30));
        let wait = self.first.saturating_mul(doubled).min(self.most);
        let part = BuildHasherDefault::<DefaultHasher>::default().hash_one((key, failures)) % 256;
        let off = wait / 4 * u32::try_from(part).unwrap_or(0) / 256;
        Attempt::At(now.plus(wait.saturating_sub(off)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn waits_grow_to_the_most_and_end(failures in 1_u32..40, key in "[a-z]{1,8}", now in 0_u64..1 << 50) {
            let now = Time::from_millis(now);
            let backoff = Backoff::MESSAGE;
            match backoff.after(failures, &key, now) {
                Attempt::GiveUp => prop_assert!(failures >= backoff.attempts),
                Attempt::At(then) => {
                    let whole = backoff.first.saturating_mul(1 << (failures - 1).min(20)).min(backoff.most);
                    prop_assert!(then.since(now) <= whole);
                    prop_assert!(then.since(now) + Duration::from_millis(1) >= whole * 3 / 4);
                    prop_assert_eq!(backoff.after(failures, &key, now), Attempt::At(then));
                }
            }
        }
    }
}
