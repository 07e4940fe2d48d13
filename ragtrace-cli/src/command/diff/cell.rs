//! The cells of a comparison: two values, and by how much they differ.

use std::time::Duration;

use ragtrace_store::{format_cost, format_count, format_duration};

/// The largest change that is written as a percentage. A larger one is written as a multiple.
const MOST_PERCENT: f64 = 999.5;

/// Formats a duration, or `-` where there is none.
pub(super) fn duration(duration: Option<Duration>) -> String {
    duration.map_or_else(|| "-".to_owned(), format_duration)
}

/// Formats the difference between two durations, such as `+220ms`; empty if one is missing.
pub(super) fn difference(before: Option<Duration>, after: Option<Duration>) -> String {
    match (before, after) {
        (Some(before), Some(after)) if after > before => format!("+{}", format_duration(after.saturating_sub(before))),
        (Some(before), Some(after)) if after < before => format!("-{}", format_duration(before.saturating_sub(after))),
        _ => String::new(),
    }
}

/// Formats the change from one duration to another as a share, such as `+12%` or `×14`; empty if
/// one is missing, or if it rounds to nothing.
pub(super) fn share(before: Option<Duration>, after: Option<Duration>) -> String {
    let (Some(before), Some(after)) = (before, after) else { return String::new() };
    let (before, after) = (before.as_secs_f64(), after.as_secs_f64());
    let percent = (after - before) / before * 100.0;
    match percent {
        _ if !percent.is_finite() || percent.abs() < 0.5 => String::new(),
        _ if percent > MOST_PERCENT => format!("×{:.0}", (after / before).min(9_999.0)),
        _ => format!("{percent:+.0}%"),
    }
}

/// Formats two counts: one of them if they are equal, else `128→130`.
pub(super) fn counts(before: Option<u64>, after: Option<u64>) -> String {
    both(before.map(format_count), after.map(format_count))
}

/// Formats two costs: one of them if they are equal, else `$0.01→$0.02`.
pub(super) fn costs(before: Option<f64>, after: Option<f64>) -> String {
    both(before.map(format_cost), after.map(format_cost))
}

/// Joins two texts by an arrow, or returns one of them if they are equal.
pub(super) fn both(before: Option<String>, after: Option<String>) -> String {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    match (before, after) {
        (None, None) => String::new(),
        (before, after) if before == after => or_none(before),
        (before, after) => format!("{}→{}", or_none(before), or_none(after)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_written_as_a_difference_and_as_a_share() {
        let ms = |ms: u64| Some(Duration::from_millis(ms));
        for (before, after, differs, part) in [
            (ms(100), ms(112), "+12.0ms", "+12%"),
            (ms(2_000), ms(500), "-1.50s", "-75%"),
            (ms(100), ms(100), "", ""),
            (ms(1_000), ms(1_004), "+4.00ms", ""),
            (ms(10), ms(140), "+130ms", "×14"),
            (ms(0), ms(5), "+5.00ms", ""),
            (ms(1), ms(86_400_000), "+23h 59m", "×9999"),
            (None, ms(5), "", ""),
            (ms(5), None, "", ""),
        ] {
            assert_eq!((difference(before, after).as_str(), share(before, after).as_str()), (differs, part));
        }
        assert_eq!(counts(Some(1_280), Some(1_280)), "1,280");
        assert_eq!(counts(Some(3), None), "3→-");
        assert_eq!(costs(None, Some(0.5)), "-→$0.50");
        assert_eq!(costs(None, None), "");
    }
}
