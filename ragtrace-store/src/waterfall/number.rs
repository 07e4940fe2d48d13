//! Formats numbers for people. The functions are public, so that what is shown beside a waterfall
//! looks like it.

use std::time::Duration;

/// Formats a duration with three significant digits below a minute, and two units above: `84.1ms`,
/// `1.42s`, `2m 05s`.
pub fn format_duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    let whole = duration.as_secs();
    if seconds < 0.000_999_5 {
        format!("{}µs", duration.as_micros())
    } else if seconds < 0.999_5 {
        three_digits(seconds * 1_000.0, "ms")
    } else if seconds < 59.95 {
        three_digits(seconds, "s")
    } else if whole < 3_600 {
        format!("{}m {:02}s", whole / 60, whole % 60)
    } else {
        format!("{}h {:02}m", whole / 3_600, whole / 60 % 60)
    }
}

fn three_digits(number: f64, unit: &str) -> String {
    let decimals = usize::from(number < 9.995) + usize::from(number < 99.95);
    format!("{number:.decimals$}{unit}")
}

/// Formats US dollars, with as many decimals as a small amount needs, up to six: `$0.0021`.
pub fn format_cost(usd: f64) -> String {
    if usd == 0.0 || usd.abs() >= 1.0 {
        return format!("${usd:.2}");
    }
    let shown = format!("${usd:.6}");
    let trimmed = shown.trim_end_matches('0');
    if trimmed.len() < 5 { shown[..5].to_owned() } else { trimmed.to_owned() }
}

/// Formats a number with commas between its thousands: `1,280`.
pub fn format_count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Formats a score with at most three decimals, or in exponent form if it is very large or small.
pub fn format_score(number: f64) -> String {
    let magnitude = number.abs();
    if magnitude >= 1e9 || (magnitude > 0.0 && magnitude < 0.001) {
        return format!("{number:.2e}");
    }
    let shown = format!("{number:.3}");
    shown.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_has_as_many_digits_as_tell_something() {
        for (of, shown) in [
            (0.83, "0.83"),
            (4.0, "4"),
            (0.1 + 0.2, "0.3"),
            (100.0, "100"),
            (-0.5, "-0.5"),
            (0.0, "0"),
            (1e-9, "1.00e-9"),
        ] {
            assert_eq!(format_score(of), shown);
        }
        assert_eq!(
            (format_score(1e300), format_score(123_456.789_1)),
            ("1.00e300".to_owned(), "123456.789".to_owned())
        );
    }
}
