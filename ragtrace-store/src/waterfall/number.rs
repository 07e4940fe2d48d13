//! Formats numbers for people.

use std::time::Duration;

/// Formats a duration with three significant digits below a minute, and two units above.
pub(super) fn duration(duration: Duration) -> String {
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

/// Formats US dollars, with as many decimals as a small amount needs, up to six.
pub(super) fn cost(usd: f64) -> String {
    if usd == 0.0 || usd.abs() >= 1.0 {
        return format!("${usd:.2}");
    }
    let shown = format!("${usd:.6}");
    let trimmed = shown.trim_end_matches('0');
    if trimmed.len() < 5 { shown[..5].to_owned() } else { trimmed.to_owned() }
}

/// Formats a number with commas between its thousands.
pub(super) fn grouped(number: u64) -> String {
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
