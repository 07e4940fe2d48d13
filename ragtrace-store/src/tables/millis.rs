//! Durations as the tables and JSON have them.

use std::time::Duration;

/// Returns a duration in milliseconds: one division of a whole number, so that the shortest decimal
/// form has no more digits than there are.
#[expect(clippy::cast_precision_loss, reason = "exact up to 104 days")]
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_nanos() as f64 / 1e6
}
