//! Parses durations from the command line.

use std::time::Duration;

/// The units and their lengths in seconds. `ms` comes before `s`, which it ends with.
const UNITS: [(&str, f64); 6] =
    [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3_600.0), ("d", 86_400.0), ("w", 604_800.0)];

/// Parses a duration such as `250ms`, `1.5s`, `10m` or `2h`.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let read = || {
        let (number, unit) = UNITS.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))?;
        let is_number = number.starts_with(|first: char| first.is_ascii_digit())
            && number.ends_with(|last: char| last.is_ascii_digit())
            && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let number: f64 = is_number.then(|| number.parse().ok())??;
        Duration::try_from_secs_f64(number * unit).ok()
    };
    read().ok_or_else(|| "give a number and a unit (ms, s, m, h, d or w), such as 250ms, 1.5s or 10m".to_owned())
}

/// Formats a duration with the two largest of its units, such as `2h 5m` or `340ms`.
pub(crate) fn short(duration: Duration) -> String {
    const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    let seconds = duration.as_secs();
    let Some(largest) = UNITS.iter().position(|(_, length)| seconds >= *length) else {
        return format!("{}ms", duration.subsec_millis());
    };
    let (unit, length) = UNITS[largest];
    let first = format!("{}{unit}", seconds / length);
    match UNITS.get(largest + 1) {
        Some((unit, smaller)) if seconds % length >= *smaller => {
            format!("{first} {}{unit}", seconds % length / smaller)
        }
        _ => first,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        for (text, millis) in
            [("250ms", 250), ("1.5s", 1_500), ("10m", 600_000), ("2h", 7_200_000), ("0s", 0), ("1w", 604_800_000)]
        {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for not in ["", "5", "ms", "-1s", "+1s", "1e3s", ".5s", "5.s", "1.2.3s", "5 m", "NaNs", "infs", "5é", "９s"] {
            assert!(parse(not).is_err(), "{not}");
        }
        assert!(parse("99999999999999999999999w").is_err());
    }

    #[test]
    fn a_duration_is_shown_with_its_two_largest_units() {
        let shown = |seconds| short(Duration::from_secs(seconds));
        assert_eq!(short(Duration::from_millis(340)), "340ms");
        assert_eq!(
            [1, 60, 61, 3_599, 3_600, 7_500, 90_061].map(shown),
            ["1s", "1m", "1m 1s", "59m 59s", "1h", "2h 5m", "1d 1h"]
        );
    }
}
