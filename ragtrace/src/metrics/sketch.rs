//! A sketch of durations: enough to read percentiles from, small enough to store every minute.
//!
//! Buckets grow by a constant factor, so a quantile is right within a relative error, whatever the scale (the idea of
//! `DDSketch`: Masson, Rim and Lee, VLDB 2019). Sketches of the same factor add up exactly.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The relative error of a quantile.
const ERROR: f64 = 0.01;
/// A bucket's upper bound over its lower one.
const FACTOR: f64 = (1.0 + ERROR) / (1.0 - ERROR);

/// How many durations fell in which bucket. Durations count in microseconds, and at least one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DurationSketch {
    /// Buckets that are not empty, in order, with their counts.
    buckets: Vec<(u16, u64)>,
}

impl DurationSketch {
    /// A sketch of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one duration.
    pub fn add(&mut self, duration: Duration) {
        self.add_to(bucket(duration), 1);
    }

    /// Adds all of another sketch.
    pub fn merge(&mut self, other: &Self) {
        other.buckets.iter().for_each(|(bucket, count)| self.add_to(*bucket, *count));
    }

    fn add_to(&mut self, bucket: u16, more: u64) {
        match self.buckets.binary_search_by_key(&bucket, |(bucket, _)| *bucket) {
            Ok(at) => self.buckets[at].1 = self.buckets[at].1.saturating_add(more),
            Err(at) => self.buckets.insert(at, (bucket, more)),
        }
    }

    /// How many durations were added.
    pub fn len(&self) -> u64 {
        self.buckets.iter().fold(0, |total, (_, count)| total.saturating_add(*count))
    }

    /// Whether none was added.
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// How many durations are at most `limit`; those within 1% of it may count either way.
    pub(crate) fn count_up_to(&self, limit: Duration) -> u64 {
        let last = bucket(limit);
        let within = |bucket: u16| bucket < last || (bucket == last && middle(bucket) <= limit);
        let counts = self.buckets.iter().filter(|(bucket, _)| within(*bucket)).map(|(_, count)| *count);
        counts.fold(0, u64::saturating_add)
    }

    /// The duration that `q` (0 to 1) of all are at most, within 1%; `None` for an empty sketch.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank")]
    pub fn quantile(&self, q: f64) -> Option<Duration> {
        let rank = (q.clamp(0.0, 1.0) * self.len() as f64).ceil().max(1.0) as u64;
        let mut seen = 0u64;
        let reached = self.buckets.iter().find(|(_, count)| {
            seen = seen.saturating_add(*count);
            seen >= rank
        });
        reached.map(|(bucket, _)| middle(*bucket))
    }
}

/// The number of the bucket that a duration falls in: those up to `FACTOR^n` microseconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 2,300 for the longest duration")]
fn bucket(duration: Duration) -> u16 {
    if duration <= Duration::from_micros(1) {
        return 0;
    }
    let micros = duration.as_secs_f64() * 1e6;
    (micros.ln() / FACTOR.ln()).ceil() as u16
}

/// The duration that is within the error of every one in the bucket.
fn middle(bucket: u16) -> Duration {
    let micros = 2.0 * FACTOR.powi(i32::from(bucket)) / (FACTOR + 1.0);
    Duration::try_from_secs_f64(micros / 1e6).unwrap_or(Duration::MAX)
}

impl fmt::Display for DurationSketch {
    /// A JSON object from bucket to count: `{"231":4,"232":1}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, (bucket, count)) in self.buckets.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}\"{bucket}\":{count}")?;
        }
        f.write_str("}")
    }
}

impl FromStr for DurationSketch {
    type Err = ParseSketchError;

    fn from_str(text: &str) -> Result<Self, ParseSketchError> {
        let json: serde_json::Value = serde_json::from_str(text).map_err(|_| ParseSketchError(()))?;
        let object = json.as_object().ok_or(ParseSketchError(()))?;
        let mut sketch = Self::new();
        for (bucket, count) in object {
            let (bucket, count) = bucket.parse().ok().zip(count.as_u64()).ok_or(ParseSketchError(()))?;
            sketch.add_to(bucket, count);
        }
        Ok(sketch)
    }
}

/// A text that is not a sketch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseSketchError(());

impl fmt::Display for ParseSketchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a sketch of durations: expected a JSON object from bucket to count")
    }
}

impl std::error::Error for ParseSketchError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_within_a_hundredth() {
        let mut sketch = DurationSketch::new();
        (1..=10_000).for_each(|micros| sketch.add(Duration::from_micros(micros)));
        for (q, expected) in [(0.5, 5_000.0), (0.95, 9_500.0), (0.99, 9_900.0), (1.0, 10_000.0)] {
            let micros = sketch.quantile(q).expect("not empty").as_secs_f64() * 1e6;
            assert!((micros / expected - 1.0).abs() < 0.011, "{q}: {micros}");
        }
        assert_eq!(DurationSketch::new().quantile(0.5), None);
    }

    #[test]
    fn parts_add_up_to_the_whole_and_survive_being_written() {
        let (mut all, mut odd, mut even) = (DurationSketch::new(), DurationSketch::new(), DurationSketch::new());
        for millis in 0..500 {
            let duration = Duration::from_millis(millis * millis);
            all.add(duration);
            if millis % 2 == 0 { even.add(duration) } else { odd.add(duration) }
        }
        even.merge(&odd.to_string().parse().expect("what was written is read"));
        assert_eq!(even, all);
        assert!("[1]".parse::<DurationSketch>().is_err());
    }

    #[test]
    fn the_longest_duration_has_a_bucket() {
        let mut sketch = DurationSketch::new();
        sketch.add(Duration::MAX);
        sketch.add(Duration::ZERO);
        assert_eq!(sketch.len(), 2);
        assert!(sketch.quantile(1.0) > Some(Duration::from_secs(1 << 60)));
    }
}
