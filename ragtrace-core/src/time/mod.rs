//! Timestamps, as records carry them, and readings of the monotonic clock.
//!
//! Stages read only the monotonic clock. The wall time of a reading is computed from an [`Anchor`],
//! which is taken where the trace begins in this process. A change of the system's time therefore
//! never causes a negative duration, and two records of one trace are ordered as they happened.

mod clock;

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use clock::Calibration;

use crate::parse::ParseError;

/// A UTC time with microsecond precision.
///
/// A timestamp prints as RFC 3339 with six decimals and `Z`, so that text order is time order.
/// Times outside the years 0 to 9999 are printed as the nearest time within them.
///
/// # Examples
///
/// ```
/// use ragtrace::Timestamp;
///
/// let time: Timestamp = "2026-11-22T08:20:11Z".parse()?;
/// assert_eq!(time.to_string(), "2026-11-22T08:20:11.000000Z");
/// # Ok::<(), ragtrace::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// The times 0000-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z, in microseconds since 1970.
const PRINTABLE: (i64, i64) = (-62_167_219_200_000_000, 253_402_300_799_999_999);

impl Timestamp {
    /// Returns the current time of the system's clock.
    pub fn now() -> Self {
        Self::from(SystemTime::now())
    }

    /// Creates a timestamp from microseconds since 1970-01-01T00:00:00Z.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Returns the microseconds since 1970-01-01T00:00:00Z.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Adds a duration, saturating at the numeric bounds.
    pub fn plus(self, later: Duration) -> Self {
        Self(self.0.saturating_add(micros(later)))
    }

    /// Subtracts a duration, saturating at the numeric bounds.
    pub fn minus(self, earlier: Duration) -> Self {
        Self(self.0.saturating_sub(micros(earlier)))
    }

    /// Returns the time elapsed since `earlier`, or zero if `earlier` is later than this time.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Returns the 27 ASCII bytes of the RFC 3339 form.
    #[doc(hidden)]
    pub fn rfc3339(self) -> [u8; 27] {
        let clamped = self.0.clamp(PRINTABLE.0, PRINTABLE.1);
        let (days, micros) = (clamped.div_euclid(MICROS_PER_DAY), clamped.rem_euclid(MICROS_PER_DAY));
        let (year, month, day) = civil_from_days(days);
        let seconds = micros / 1_000_000;
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        let mut put = |at: usize, width: usize, mut number: i64| {
            for place in text[at..at + width].iter_mut().rev() {
                *place = b'0' + u8::try_from(number % 10).unwrap_or(0);
                number /= 10;
            }
        };
        put(0, 4, year);
        put(5, 2, month);
        put(8, 2, day);
        put(11, 2, seconds / 3_600);
        put(14, 2, seconds / 60 % 60);
        put(17, 2, seconds % 60);
        put(20, 6, micros % 1_000_000);
        text
    }
}

/// Returns the whole microseconds of a duration, saturating. Each request needs them, and 128-bit
/// arithmetic would be slower.
fn micros(duration: Duration) -> i64 {
    let seconds = i64::try_from(duration.as_secs()).ok();
    let of_seconds = seconds.and_then(|seconds| seconds.checked_mul(1_000_000));
    of_seconds.and_then(|micros| micros.checked_add(duration.subsec_micros().into())).unwrap_or(i64::MAX)
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self(0).plus(after),
            Err(before) => Self(0).minus(before.duration()),
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.rfc3339()).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = ParseError;

    /// Parses an RFC 3339 time in UTC (`Z` or `+00:00`), with or without decimals, or a date alone,
    /// which means its first instant.
    ///
    /// Digits after the sixth decimal are ignored.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        parse_rfc3339(text).ok_or_else(|| {
            let expected = "a time in UTC such as 2026-11-22T08:20:11Z, or a date such as 2026-11-22";
            ParseError::new(expected, text)
        })
    }
}

/// Parses the forms that `Timestamp::from_str` documents.
fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    let number = |range: std::ops::Range<usize>| {
        let digits = text.get(range).filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?;
        digits.parse::<i64>().ok()
    };
    let sign = |at: usize, allowed: &[u8]| text.as_bytes().get(at).is_some_and(|b| allowed.contains(b));
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let days = days_from_civil(year, month, day);
    if !sign(4, b"-") || !sign(7, b"-") || civil_from_days(days) != (year, month, day) {
        return None;
    }
    if text.len() == 10 {
        return Some(Timestamp(days * MICROS_PER_DAY));
    }
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let in_range = hour < 24 && minute < 60 && second < 60;
    if !in_range || !sign(10, b"Tt ") || !sign(13, b":") || !sign(16, b":") {
        return None;
    }
    let (fraction, zone) = match text.get(19..)?.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?),
        None => ("", text.get(19..)?),
    };
    let micros = match fraction {
        "" if text.as_bytes().get(19) == Some(&b'.') => return None,
        digits => format!("{digits:0<6.6}").parse::<i64>().ok()?,
    };
    matches!(zone, "Z" | "z" | "+00:00" | "-00:00").then_some(())?;
    let seconds = hour * 3_600 + minute * 60 + second;
    Some(Timestamp(days * MICROS_PER_DAY + seconds * 1_000_000 + micros))
}

/// Converts days since 1970-01-01 to year, month and day in the proleptic Gregorian calendar.
///
/// The computation uses eras of 400 years whose years begin in March, which makes the leap day the
/// last day of its year.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day_of_year - (153 * from_march + 2) / 5 + 1)
}

/// Converts year, month and day to days since 1970-01-01; see [`civil_from_days`].
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// A reading of the monotonic clock, in nanoseconds since the process's first reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticks(pub u64);

impl Ticks {
    /// Reads the clock.
    #[inline]
    pub fn now() -> Self {
        Self(clock::nanos())
    }

    /// Returns the time elapsed since `earlier`, or zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.nanos_since(earlier))
    }

    /// Returns the nanoseconds elapsed since `earlier`, or zero if `earlier` is later.
    #[inline]
    pub fn nanos_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Readings of the wall clock and the monotonic clock taken at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Anchor {
    pub(crate) wall: Timestamp,
    pub(crate) ticks: Ticks,
}

impl Anchor {
    /// Reads both clocks.
    pub fn now() -> Self {
        Self { wall: Timestamp::now(), ticks: Ticks::now() }
    }

    /// Converts a reading of the monotonic clock to wall time.
    pub fn wall_at(&self, ticks: Ticks) -> Timestamp {
        let micros = |nanos: u64| (nanos / 1_000).cast_signed();
        Timestamp(if ticks >= self.ticks {
            self.wall.0.saturating_add(micros(ticks.0 - self.ticks.0))
        } else {
            self.wall.0.saturating_sub(micros(self.ticks.0 - ticks.0))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_prints_as_rfc_3339_and_reads_back() {
        let cases = [
            (0, "1970-01-01T00:00:00.000000Z"),
            (1_582_934_400_000_001, "2020-02-29T00:00:00.000001Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (1_795_335_611_123_456, "2026-11-22T08:20:11.123456Z"),
            (PRINTABLE.0, "0000-01-01T00:00:00.000000Z"),
            (PRINTABLE.1, "9999-12-31T23:59:59.999999Z"),
        ];
        for (micros, text) in cases {
            assert_eq!(Timestamp::from_micros(micros).to_string(), text);
            assert_eq!(text.parse(), Ok(Timestamp::from_micros(micros)));
        }
        assert_eq!(Timestamp::from_micros(i64::MAX).to_string(), "9999-12-31T23:59:59.999999Z");
    }

    #[test]
    fn shorter_forms_are_read_and_nonsense_is_refused() {
        assert_eq!("2026-11-22".parse::<Timestamp>(), "2026-11-22T00:00:00.000000Z".parse());
        assert_eq!("2026-11-22T08:20:11Z".parse::<Timestamp>(), "2026-11-22T08:20:11.000000+00:00".parse());
        assert_eq!("2026-11-22 08:20:11.5Z".parse::<Timestamp>(), "2026-11-22T08:20:11.500000Z".parse());
        for text in [
            "",
            "yesterday",
            "2026-02-30",
            "2026-11-22T25:00:00Z",
            "2026-11-22T08:20:11",
            "2026-11-22T08:20:11.Z",
            "2026-11-22T08:20:11+02:00",
            "２026-11-22",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_anchor_reaches_both_ways() {
        let anchor = Anchor { wall: Timestamp::from_micros(1_000_000), ticks: Ticks(5_000_000) };
        assert_eq!(anchor.wall_at(Ticks(6_000_000)), Timestamp::from_micros(1_001_000));
        assert_eq!(anchor.wall_at(Ticks(4_000_000)), Timestamp::from_micros(999_000));
    }
}
