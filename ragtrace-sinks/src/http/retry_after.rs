//! The time that a server asks to wait.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::header::{HeaderMap, RETRY_AFTER};

/// The longest wait. If a server asks for more, it is tried again after this time.
const LONGEST: Duration = Duration::from_hours(1);
/// Datadog's header with the seconds until a rate limit is lifted.
const RATE_LIMIT_RESET: &str = "x-ratelimit-reset";
/// The number of seconds from which on a value is a time and not a duration, since some servers
/// send the time of the reset.
const IS_A_TIME: u64 = 1_000_000_000;

/// Returns the time that an answer asks to wait from `now` on, at most an hour. It comes from
/// `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3), else from `X-RateLimit-Reset`.
/// Returns `None` if the value is invalid or already over.
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let asked = text(RETRY_AFTER.as_str()).and_then(|text| seconds(text, now).or_else(|| date(text, now)));
    let asked = asked.or_else(|| text(RATE_LIMIT_RESET).and_then(|text| seconds(text, now)));
    asked.map(|wait| wait.min(LONGEST)).filter(|wait| !wait.is_zero())
}

fn seconds(text: &str, now: SystemTime) -> Option<Duration> {
    // Fractions are not part of the specification, but some servers send them.
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let seconds = whole.parse::<u64>().unwrap_or(u64::MAX);
    if seconds >= IS_A_TIME
        && let Some(at) = UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
    {
        return at.duration_since(now).ok();
    }
    let up = u64::from(fraction.bytes().any(|byte| byte != b'0'));
    Some(Duration::from_secs(seconds.saturating_add(up)))
}

fn date(text: &str, now: SystemTime) -> Option<Duration> {
    httpdate::parse_http_date(text).ok()?.duration_since(now).ok()
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderName;

    use super::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT, the specification's example.
    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(784_111_777)
    }

    fn of(name: &'static str, value: &str) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(name), value.parse().expect("a value"));
        retry_after(&headers, now()).map(|wait| wait.as_secs())
    }

    #[test]
    fn a_wait_is_seconds_or_a_date_of_any_of_the_three_forms() {
        assert_eq!(of("retry-after", "120"), Some(120));
        assert_eq!(of("retry-after", " 1.5 "), Some(2));
        assert_eq!(of("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"), Some(30));
        assert_eq!(of("retry-after", "Sunday, 06-Nov-94 08:50:07 GMT"), Some(30));
        assert_eq!(of("retry-after", "Sun Nov  6 08:50:07 1994"), Some(30));
        assert_eq!(of("x-ratelimit-reset", "17"), Some(17));
        assert_eq!(of("x-ratelimit-reset", "1784111777"), Some(3600));
    }

    #[test]
    fn a_wait_is_bounded_and_what_is_none_is_passed_over() {
        assert_eq!(of("retry-after", "86400"), Some(3600));
        assert_eq!(of("retry-after", "999999999999999999999999"), Some(3600));
        assert_eq!(of("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT"), Some(3600));
        for none in ["0", "-5", "soon", "", "1e3", "Sat, 05 Nov 1994 08:49:37 GMT", "1.", ".5", "NaN"] {
            assert_eq!(of("retry-after", none), None, "{none:?}");
        }
    }

    #[test]
    fn retry_after_goes_before_the_reset_of_a_limit() {
        let mut headers = HeaderMap::new();
        headers.insert("x-ratelimit-reset", "60".parse().expect("a value"));
        headers.insert("retry-after", "5".parse().expect("a value"));
        assert_eq!(retry_after(&headers, now()), Some(Duration::from_secs(5)));
        headers.insert("retry-after", "soon".parse().expect("a value"));
        assert_eq!(retry_after(&headers, now()), Some(Duration::from_mins(1)));
    }
}
