//! Sizes of memory and storage: `512MiB`, `4GiB`, `20GB`.
//!
//! All units are binary: `1GB` is `1GiB` is 2^30 bytes, as in both clouds' consoles and APIs. Someone who asks
//! for 20 GB of disk gets the disk the cloud calls 20 GB.

use super::FormatError;

const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("TB", 1 << 40),
    ("GiB", 1 << 30),
    ("GB", 1 << 30),
    ("MiB", 1 << 20),
    ("MB", 1 << 20),
    ("KiB", 1 << 10),
    ("KB", 1 << 10),
    ("B", 1),
];

/// The number of bytes.
pub fn parse(text: &str) -> Result<u64, FormatError> {
    strict(text).map_err(|error| error.suggest_maybe(lenient(text).map(print)))
}

fn strict(text: &str) -> Result<u64, FormatError> {
    if text.is_empty() {
        return Err(FormatError::new("a size is missing here", 0..0));
    }
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if digits == 0 {
        return Err(FormatError::whole("not a size", text));
    }
    let (number, unit) = text.split_at(digits);
    if unit.is_empty() {
        return Err(FormatError::whole("the unit is missing: one of B, KiB, MiB, GiB, TiB", text));
    }
    let Some((_, length)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err(if unit.starts_with('.') {
            FormatError::whole("a size is a whole number and a unit", text)
        } else if unit.starts_with(char::is_whitespace) {
            FormatError::whole("a size is written without a space", text)
        } else {
            FormatError::new(
                format!("`{unit}` is not a unit of size: B, KiB, MiB, GiB, TiB"),
                digits..text.len(),
            )
        });
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(*length))
        .ok_or_else(|| FormatError::whole("more than can be counted", text))
}

/// The size in its canonical form: a whole number of the largest unit that fits, `4GiB`.
pub fn print(bytes: u64) -> String {
    UNITS
        .iter()
        .find(|(name, length)| {
            bytes > 0 && bytes.is_multiple_of(*length) && (name.contains('i') || *name == "B")
        })
        .map_or_else(|| "0B".to_owned(), |(name, length)| format!("{}{name}", bytes / length))
}

/// What someone may have meant: other spellings of units, spaces, any capitals, `1.5GiB`.
fn lenient(text: &str) -> Option<u64> {
    let folded: String = text.to_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
    let number = folded.len() - folded.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
    let (number, unit) = folded.split_at(number);
    let length = match unit {
        "b" | "byte" | "bytes" => 1,
        "k" | "ki" | "kb" | "kib" => 1 << 10,
        "m" | "mi" | "mb" | "mib" | "meg" | "megs" | "megabyte" | "megabytes" => 1 << 20,
        "g" | "gi" | "gb" | "gib" | "gig" | "gigs" | "gigabyte" | "gigabytes" => 1 << 30,
        "t" | "ti" | "tb" | "tib" | "terabyte" | "terabytes" => 1 << 40,
        _ => return None,
    };
    scaled(number, length)
}

/// A number with or without a fraction of up to three digits, times a unit, when that is whole.
pub(super) fn scaled(number: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || fraction.len() > 3 || !plain(whole) || !plain(fraction) {
        return None;
    }
    let thousandths: u64 = format!("{fraction:0<3}").parse().ok()?;
    let part = thousandths.checked_mul(unit)?;
    part.is_multiple_of(1000).then_some(())?;
    whole.parse::<u64>().ok()?.checked_mul(unit)?.checked_add(part / 1000)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_sizes() {
        for (text, bytes) in [
            ("0B", 0),
            ("7B", 7),
            ("512MiB", 512 << 20),
            ("4GiB", 4 << 30),
            ("20GB", 20 << 30),
            ("1KB", 1024),
            ("2TB", 2 << 40),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        assert_eq!(print(20 << 30), "20GiB");
        assert_eq!(print(1536 << 20), "1536MiB");
        assert_eq!(print(1025), "1025B");
        assert_eq!(print(0), "0B");
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (text, message, range, suggestion) in [
            ("", "a size is missing here", 0..0, None),
            ("4", "the unit is missing: one of B, KiB, MiB, GiB, TiB", 0..1, None),
            ("4 GiB", "a size is written without a space", 0..5, Some("4GiB")),
            ("4 gigs", "a size is written without a space", 0..6, Some("4GiB")),
            ("4gb", "`gb` is not a unit of size: B, KiB, MiB, GiB, TiB", 1..3, Some("4GiB")),
            ("1.5GiB", "a size is a whole number and a unit", 0..6, Some("1536MiB")),
            ("4m", "`m` is not a unit of size: B, KiB, MiB, GiB, TiB", 1..2, Some("4MiB")),
            ("much", "not a size", 0..4, None),
            ("99999999999TiB", "more than can be counted", 0..14, None),
            ("4ГБ", "`ГБ` is not a unit of size: B, KiB, MiB, GiB, TiB", 1..5, None),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.message, message, "{text}");
            assert_eq!(error.range, range, "{text}");
            assert_eq!(error.suggestion.as_deref(), suggestion, "{text}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(bytes: u64) {
            prop_assert_eq!(parse(&print(bytes)), Ok(bytes));
        }

        #[test]
        fn round_trip_of_round_numbers(count in 0u64..1_000_000, power in 0u32..5) {
            let bytes = count << (10 * power);
            prop_assert_eq!(parse(&print(bytes)), Ok(bytes));
        }

        #[test]
        fn never_panics_and_ranges_are_slices(text: String) {
            if let Err(error) = parse(&text) {
                prop_assert!(text.get(error.range).is_some());
            }
        }
    }
}
