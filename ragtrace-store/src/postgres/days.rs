//! Days, whose partitions rows go to.

use std::ops::Range;

use ragtrace::Timestamp;

/// Times before 2015 and from 2100 on are a clock's or a program's mistake: such a row goes to the
/// nearest day of these, so that nobody can make any number of partitions, and its context says
/// what the record said.
const SENSIBLE: (i64, i64) = (1_420_070_400_000_000, 4_102_444_799_999_999);

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// How many days have their partitions made ahead of need, today included.
const AHEAD: i64 = 3;

/// Returns a time in microseconds, moved to where times are believed.
pub(super) fn sensible(micros: i64) -> i64 {
    micros.clamp(SENSIBLE.0, SENSIBLE.1)
}

/// Returns the day, counted from 1970, of a time in microseconds.
pub(super) fn day_of(micros: i64) -> i64 {
    micros.div_euclid(MICROS_PER_DAY)
}

/// Returns today and the days to come that need their partitions now.
pub(super) fn coming() -> Range<i64> {
    let today = day_of(Timestamp::now().as_micros());
    today..today + AHEAD
}
