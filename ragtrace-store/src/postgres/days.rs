//! Days, each of which has a partition of `logs`.

use std::ops::Range;

use ragtrace::Timestamp;

/// The range of plausible times: 2015 to 2099. A time outside is a mistake of a clock or a program.
/// Its row goes to the nearest plausible day, so that nobody can create any number of partitions,
/// and its context keeps the original time.
const SENSIBLE: (i64, i64) = (1_420_070_400_000_000, 4_102_444_799_999_999);

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// The number of days, today included, whose partitions are made ahead of need.
const AHEAD: i64 = 3;

/// Returns a time in microseconds, moved into the range of plausible times.
pub(super) fn sensible(micros: i64) -> i64 {
    micros.clamp(SENSIBLE.0, SENSIBLE.1)
}

/// Returns the day of a time in microseconds, counted from 1970.
pub(super) fn day_of(micros: i64) -> i64 {
    micros.div_euclid(MICROS_PER_DAY)
}

/// Returns today and the following days that need their partitions now.
pub(super) fn coming() -> Range<i64> {
    let today = day_of(Timestamp::now().as_micros());
    today..today + AHEAD
}
