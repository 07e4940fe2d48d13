//! Rounds instants down to the start of a minute, an hour or a day.

/// Returns the last multiple of `step` that is not after `micros`, or the smallest instant if that
/// multiple would be before it.
pub(crate) fn floor(micros: i64, step: i64) -> i64 {
    micros.saturating_sub(micros.rem_euclid(step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_rounded_down_also_at_both_ends_of_time() {
        for (micros, floored) in [(0, 0), (59, 0), (60, 60), (-1, -60), (-60, -60), (i64::MIN, i64::MIN)] {
            assert_eq!(floor(micros, 60), floored, "{micros}");
        }
        assert_eq!(floor(i64::MAX, 60), i64::MAX / 60 * 60);
    }
}
