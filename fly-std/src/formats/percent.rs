//! Percentages: `80%`, `12.5%`, from 0 to 100.

use super::FormatError;
use crate::value::Float;

/// The number before the `%`.
pub fn parse(text: &str) -> Result<Float, FormatError> {
    if text.is_empty() {
        return Err(FormatError::new("a percentage is missing here", 0..0));
    }
    let Some(number) = text.strip_suffix('%') else {
        let meant = text.trim().trim_end_matches('%').trim_end();
        let error = FormatError::whole("a percentage ends with `%`", text);
        return Err(match number_of(meant).filter(|n| in_range(*n)) {
            Some(_) => error.suggest(format!("{meant}%")),
            None => FormatError::whole("not a percentage", text),
        });
    };
    let value = number_of(number)
        .ok_or_else(|| FormatError::new(format!("`{number}` is not a number"), 0..number.len()))
        .map_err(|error| {
            let meant = number.trim();
            error.suggest_maybe(number_of(meant).map(|_| format!("{meant}%")))
        })?;
    if !in_range(value) {
        return Err(FormatError::whole("a percentage is 100% at most", text).suggest("100%"));
    }
    Float::new(value).ok_or_else(|| FormatError::whole("not a percentage", text))
}

/// The percentage in its canonical form, `12.5%`.
pub fn print(percent: Float) -> String {
    format!("{}%", percent.get())
}

/// Whether a number can be a percentage.
pub fn in_range(number: f64) -> bool {
    (0.0..=100.0).contains(&number)
}

/// Digits, or digits with a fraction: nothing else that `f64` would read, such as `1e2`, `inf` or `+5`.
fn number_of(text: &str) -> Option<f64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    (digits(whole) && digits(fraction)).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_percentages() {
        for (text, number) in
            [("0%", 0.0), ("80%", 80.0), ("12.5%", 12.5), ("100%", 100.0), ("100.0%", 100.0)]
        {
            assert_eq!(parse(text).map(Float::get), Ok(number), "{text}");
        }
        assert_eq!(Float::new(80.0).map(print).as_deref(), Some("80%"));
        assert_eq!(Float::new(12.5).map(print).as_deref(), Some("12.5%"));
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (text, message, range, suggestion) in [
            ("", "a percentage is missing here", 0..0, None),
            ("80", "a percentage ends with `%`", 0..2, Some("80%")),
            ("80 %", "`80 ` is not a number", 0..3, Some("80%")),
            ("101%", "a percentage is 100% at most", 0..4, Some("100%")),
            ("-1%", "`-1` is not a number", 0..2, None),
            ("1e1%", "`1e1` is not a number", 0..3, None),
            ("half", "not a percentage", 0..4, None),
            ("%", "`` is not a number", 0..0, None),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!((error.message.as_str(), error.range), (message, range), "{text}");
            assert_eq!(error.suggestion.as_deref(), suggestion, "{text}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(number in 0.0f64..=100.0) {
            let percent = Float::new(number).unwrap();
            prop_assert_eq!(parse(&print(percent)), Ok(percent));
        }

        #[test]
        fn never_panics_and_ranges_are_slices(text: String) {
            if let Err(error) = parse(&text) {
                prop_assert!(text.get(error.range).is_some());
            }
        }
    }
}
