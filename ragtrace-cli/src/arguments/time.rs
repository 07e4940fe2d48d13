//! Parses times from the command line: an age such as `24h`, or an instant.

use std::time::Duration;

use ragtrace::Timestamp;

/// The year 0, the earliest instant that prints with a year of four digits.
const YEAR_0: Timestamp = Timestamp::from_micros(-62_167_219_200_000_000);

/// Parses an age such as `90m`, an RFC 3339 instant (in UTC if it names no zone), or a date.
pub(crate) fn parse(text: &str) -> Result<Timestamp, String> {
    if let Some(ago) = ago(text) {
        let time = Timestamp::now().minus(ago);
        return (time >= YEAR_0).then_some(time).ok_or_else(|| "the time is before the year 0".to_owned());
    }
    instant(text).ok_or_else(|| {
        "give an age such as 30s, 90m, 24h, 7d or 2w, or a time such as 2026-11-22T08:20:11Z or 2026-11-22".to_owned()
    })
}

/// Checks that `since` is before `until`.
pub(crate) fn check_window(since: Option<Timestamp>, until: Option<Timestamp>) -> Result<(), String> {
    match (since, until) {
        (Some(since), Some(until)) if since >= until => {
            Err(format!("`--since` ({since}) must be before `--until` ({until})"))
        }
        _ => Ok(()),
    }
}

/// Returns the duration of an age such as `90m`, saturating if the number is too large.
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
    let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| Duration::from_secs(number.parse().unwrap_or(u64::MAX).saturating_mul(seconds)))
}

/// Parses a date, or a date and a time of day with or without seconds and a zone.
fn instant(text: &str) -> Option<Timestamp> {
    let Some((date, time)) = text.split_once(['T', 't', ' ']) else { return text.parse().ok() };
    let time = time.strip_suffix(['Z', 'z']).unwrap_or(time);
    let is_utc = time.len() < text.len() - date.len() - 1;
    let (time, east) = match time.rfind(['+', '-']).filter(|_| !is_utc) {
        Some(at) => (&time[..at], offset(&time[at..])?),
        None => (time, 0),
    };
    let time = if time.len() == 5 { format!("{time}:00") } else { time.to_owned() };
    // A leap second follows second 59 of its minute (RFC 3339, section 5.7).
    let leap = time.get(5..8) == Some(":60");
    let time = if leap { format!("{}:59{}", &time[..5], &time[8..]) } else { time };
    let at: Timestamp = format!("{date}T{time}Z").parse().ok()?;
    let at = at.as_micros() + i64::from(leap) * 1_000_000 - east * 60_000_000;
    Some(Timestamp::from_micros(at))
}

/// Parses a zone such as `+02:00` into minutes east of UTC.
fn offset(text: &str) -> Option<i64> {
    let (sign, text) = text.split_at_checked(1)?;
    let (hours, minutes) = text.split_once(':').or_else(|| text.split_at_checked(2))?;
    let number = |text: &str, below: i64| -> Option<i64> {
        let is_number = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        let number: i64 = is_number.then(|| text.parse().ok())??;
        (number < below).then_some(number)
    };
    let east = number(hours, 24)? * 60 + number(minutes, 60)?;
    Some(if sign == "-" { -east } else { east })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_a_number_and_a_unit() {
        assert_eq!(ago("90m"), Some(Duration::from_mins(90)));
        assert_eq!(ago("7d"), Some(Duration::from_hours(7 * 24)));
        for not in ["", "h", "+5m", "-5m", "5", "1.5h", "5 m", "5é"] {
            assert_eq!(ago(not), None, "{not:?}");
            assert!(parse(not).is_err_and(|why| why.starts_with("give an age")), "{not:?}");
        }
        for long in ["99999999999999999999d", "18446744073709551615w", "99999999999d", "9223372036854775s", "3000000d"]
        {
            assert_eq!(parse(long), Err("the time is before the year 0".to_owned()), "{long}");
        }
        assert!(parse("700000d").is_ok());
    }

    #[test]
    fn an_instant_may_name_its_zone_and_is_in_utc_otherwise() {
        let expected = parse("2026-11-22T08:20:11Z").expect("a time");
        for same in [
            "2026-11-22T10:20:11+02:00",
            "2026-11-22 08:20:11",
            "2026-11-22t08:20:11z",
            "2026-11-22T03:50:11-04:30",
            "2026-11-22T08:20:11.000",
            "2026-11-22T08:20:11-00:00",
            "2026-11-22T10:20:11+0200",
        ] {
            assert_eq!(parse(same), Ok(expected), "{same}");
        }
        assert_eq!(parse("2026-11-22 08:20"), parse("2026-11-22T08:20:00Z"));
        assert_eq!(parse("2016-12-31T23:59:60Z"), parse("2017-01-01T00:00:00Z"), "a leap second");
        assert!(parse("1969-12-31").expect("a date") < Timestamp::from_micros(0));
        assert_eq!(parse("1970-01-01"), Ok(Timestamp::from_micros(0)));
        for not in [
            "2026-02-30",
            "2026-11-22T24:00:00Z",
            "2026-11-22T08:60:00Z",
            "2026-11-22T08:20:61Z",
            "yesterday",
            "1732264811",
            "2026-11-22T08:20:11+25:00",
            "2026-11-22T08:20:11+2:00",
            "2026-11-22T08:20:11Z+02:00",
            "2026-11-22T",
            "22.11.2026",
            "2026-11-22T08:20:11é",
            "T08:20:11Z",
            "２０２６-11-22",
        ] {
            assert!(parse(not).is_err(), "{not}");
        }
    }

    #[test]
    fn a_window_ends_after_it_begins() {
        let (one, two) = (Some(Timestamp::from_micros(1)), Some(Timestamp::from_micros(2)));
        assert!(check_window(one, two).is_ok() && check_window(None, one).is_ok() && check_window(two, None).is_ok());
        assert!(check_window(two, one).is_err() && check_window(one, one).is_err());
    }
}
