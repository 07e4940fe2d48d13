//! Times as people give them: a while ago, or an instant.

use std::time::Duration;

use ragtrace::Timestamp;

/// Reads `90m` (ago), or an instant in UTC as RFC 3339, or a date.
pub(crate) fn parse(text: &str) -> Result<Timestamp, String> {
    match ago(text) {
        Some(ago) => Ok(Timestamp::now().minus(ago)),
        None => text.parse().map_err(|_| {
            "give a while such as 30s, 90m, 24h, 7d or 2w, or a time in UTC such as 2026-11-22T08:20:11Z or 2026-11-22"
                .to_owned()
        }),
    }
}

fn ago(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return None,
    };
    let number = &text[..text.len() - 1];
    let number = number.bytes().all(|b| b.is_ascii_digit()).then(|| number.parse::<u64>().ok())??;
    number.checked_mul(seconds).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_while_is_a_number_and_a_unit() {
        assert_eq!(ago("90m"), Some(Duration::from_mins(90)));
        assert_eq!(ago("7d"), Some(Duration::from_hours(7 * 24)));
        for not in ["", "h", "+5m", "-5m", "5", "1.5h", "5 m", "99999999999999999999d", "18446744073709551615w", "5é"]
        {
            assert_eq!(ago(not), None, "{not:?}");
        }
    }
}
