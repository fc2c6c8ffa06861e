//! Names of runners: they stand in the cloud, so they keep to what every cloud takes.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use super::RunnerId;

/// The longest id a generated module takes.
const LONGEST: usize = 54;

/// The id of the runner with this number of an egg. Numbers are given once, so ids are never given again.
///
/// An egg's name may have letters an id can't have, and be longer; then a digest of the whole name keeps two eggs apart.
pub fn runner_id(egg: &str, number: u64) -> RunnerId {
    let number = number.to_string();
    let plain = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' };
    let shown: String = egg.to_ascii_lowercase().chars().map(plain).collect();
    let shown = shown.trim_matches('-');
    if shown == egg && shown.len() + 1 + number.len() <= LONGEST {
        return RunnerId::new(format!("{shown}-{number}"));
    }
    let digest = BuildHasherDefault::<DefaultHasher>::default().hash_one(egg);
    let digest = format!("{digest:016x}");
    let digest = &digest[..8];
    let room = LONGEST - number.len() - digest.len() - 2;
    let shown = shown.get(..room.min(shown.len())).unwrap_or_default().trim_end_matches('-');
    let shown = if shown.is_empty() { "egg" } else { shown };
    RunnerId::new(format!("{shown}-{digest}-{number}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ids_are_what_modules_take_and_differ(
            a in "[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}",
            b in "[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}",
            n: u64,
        ) {
            let (one, other) = (runner_id(&a, n), runner_id(&b, n));
            let id = one.as_str();
            prop_assert!((1..=LONGEST).contains(&id.len()), "{id}");
            prop_assert!(id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{id}");
            prop_assert!(!id.starts_with('-') && !id.ends_with('-'), "{id}");
            prop_assert_eq!(a == b, one == other);
        }
    }
}
