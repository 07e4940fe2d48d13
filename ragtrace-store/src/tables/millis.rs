//! Durations in the form that tables and JSON use.

use std::time::Duration;

/// Returns a duration in milliseconds. It is computed by one division of an integer, so that the
/// shortest decimal form has no superfluous digits.
#[expect(clippy::cast_precision_loss, reason = "exact up to 104 days")]
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_nanos() as f64 / 1e6
}
