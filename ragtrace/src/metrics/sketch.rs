//! A sketch of durations, from which percentiles can be read and which is small enough to be stored
//! every minute.
//!
//! Buckets grow by a constant factor, so a quantile is accurate within a constant relative error at
//! any scale (the idea of `DDSketch`: Masson, Rim and Lee, VLDB 2019). Sketches with the same
//! factor can be merged exactly.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;
use std::time::Duration;

use ragtrace_core::ParseError;

/// The relative error of a quantile.
const ERROR: f64 = 0.01;
/// The ratio of a bucket's upper bound to its lower bound.
const FACTOR: f64 = (1.0 + ERROR) / (1.0 - ERROR);

/// A histogram of durations from which quantiles can be read within 1%.
///
/// Durations have a resolution of one microsecond, and shorter ones count as one microsecond.
/// Sketches can be merged.
///
/// ```
/// use std::time::Duration;
/// use ragtrace::metrics::DurationSketch;
///
/// let mut sketch = DurationSketch::new();
/// (1..=100).for_each(|millis| sketch.add(Duration::from_millis(millis)));
/// let median = sketch.quantile(0.5).expect("durations were added");
/// assert!((49.0..=51.0).contains(&(median.as_secs_f64() * 1000.0)));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DurationSketch {
    /// The buckets that are not empty, in order, with their counts.
    buckets: Vec<(u16, u64)>,
}

impl DurationSketch {
    /// Creates an empty sketch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one duration.
    pub fn add(&mut self, duration: Duration) {
        self.add_to(bucket(duration), 1);
    }

    /// Adds all durations of another sketch.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, count) in &other.buckets {
            self.add_to(*bucket, *count);
        }
    }

    /// Adds one duration in nanoseconds. `hint` is the index to look at first, and is set to the
    /// index of the bucket.
    #[inline]
    pub(crate) fn add_with_hint(&mut self, nanos: u64, hint: &mut usize) {
        let number = bucket_of_nanos(nanos);
        match self.buckets.get_mut(*hint) {
            Some((bucket, count)) if *bucket == number => *count = count.saturating_add(1),
            _ => *hint = self.add_to(number, 1),
        }
    }

    /// Adds to a bucket and returns its index.
    fn add_to(&mut self, bucket: u16, more: u64) -> usize {
        match self.buckets.binary_search_by_key(&bucket, |(bucket, _)| *bucket) {
            Ok(index) => {
                self.buckets[index].1 = self.buckets[index].1.saturating_add(more);
                index
            }
            Err(index) => {
                self.buckets.insert(index, (bucket, more));
                index
            }
        }
    }

    /// Returns the number of durations.
    pub fn len(&self) -> u64 {
        self.buckets.iter().fold(0, |total, (_, count)| total.saturating_add(*count))
    }

    /// Returns `true` if the sketch contains no durations.
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// Returns the number of durations that are at most `limit`; those within 1% of it may or may
    /// not be counted.
    pub(crate) fn count_up_to(&self, limit: Duration) -> u64 {
        let last = bucket(limit);
        let within = |bucket: u16| bucket < last || (bucket == last && middle(bucket) <= limit);
        let counts = self.buckets.iter().filter(|(bucket, _)| within(*bucket)).map(|(_, count)| *count);
        counts.fold(0, u64::saturating_add)
    }

    /// Returns the quantile `q` (0 to 1) of the durations, within 1%, or `None` if the sketch is
    /// empty.
    ///
    /// A `q` outside of the range is clamped to it.
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

/// Returns the number of the bucket of a duration; bucket `n` holds durations up to `FACTOR^n`
/// microseconds.
#[inline]
fn bucket(duration: Duration) -> u16 {
    u64::try_from(duration.as_nanos()).map_or_else(|_| far_bucket(duration), bucket_of_nanos)
}

#[inline]
fn bucket_of_nanos(nanos: u64) -> u16 {
    if nanos <= 1_000 { 0 } else { near_bucket(nanos).unwrap_or_else(|| far_bucket(Duration::from_nanos(nanos))) }
}

/// The longest duration of each bucket in nanoseconds, for buckets up to about three hours.
static LONGEST: LazyLock<Vec<u64>> = LazyLock::new(|| {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some hours of nanoseconds")]
    (0..1_152).map(|bucket| (1e3 * FACTOR.powi(bucket)) as u64).collect()
});

/// Returns the bucket of a duration above one microsecond without computing a logarithm, because
/// this runs at the end of every run. Returns `None` for a duration beyond the buckets with known
/// bounds.
#[inline]
fn near_bucket(nanos: u64) -> Option<u16> {
    /// The number one in fixed point, with 16 bits after the binary point.
    const ONE: u64 = 1 << 16;
    /// The binary logarithm of a microsecond in nanoseconds, rounded down, and the number of
    /// buckets in a doubling, both in fixed point.
    const MICROSECOND: i64 = 653_118;
    const BUCKETS_A_DOUBLING: i64 = 2_271_229;
    // For 1 <= 1 + m < 2, its binary logarithm is close to m + 0.3465 m (1 - m): within 0.27 of a
    // bucket's width.
    let zeros = nanos.leading_zeros();
    let (whole, m) = (u64::from(63 - zeros), (nanos << zeros << 1) >> 48);
    let log = whole * ONE + m + ((((m * (ONE - m)) >> 16) * 22_708) >> 16);
    let buckets = ((log.cast_signed() - MICROSECOND) * BUCKETS_A_DOUBLING) >> 16;
    // So the bucket is this one or the next, and the bound tells which.
    let first = usize::try_from(((buckets - 17_695) >> 16) + 1).ok()?;
    let bucket = first + usize::from(nanos > *LONGEST.get(first)?);
    u16::try_from(bucket).ok()
}

#[cold]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 2,300 for the longest duration")]
fn far_bucket(duration: Duration) -> u16 {
    let micros = duration.as_secs_f64() * 1e6;
    (micros.ln() / FACTOR.ln()).ceil() as u16
}

/// Returns the duration that is within the relative error of every duration in the bucket.
fn middle(bucket: u16) -> Duration {
    let micros = 2.0 * FACTOR.powi(i32::from(bucket)) / (FACTOR + 1.0);
    Duration::try_from_secs_f64(micros / 1e6).unwrap_or(Duration::MAX)
}

impl fmt::Display for DurationSketch {
    /// Writes a JSON object from bucket to count: `{"231":4,"232":1}`.
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
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let malformed = || ParseError::new("a sketch of durations (a JSON object from bucket to count)", text);
        let json: serde_json::Value = serde_json::from_str(text).map_err(|_| malformed())?;
        let object = json.as_object().ok_or_else(malformed)?;
        let mut sketch = Self::new();
        for (bucket, count) in object {
            let (bucket, count) = bucket.parse().ok().zip(count.as_u64()).ok_or_else(malformed)?;
            sketch.add_to(bucket, count);
        }
        Ok(sketch)
    }
}

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
    fn a_bucket_found_without_a_logarithm_is_the_one_with_it() {
        let around = |nanos: u64| [nanos - 1, nanos, nanos + 1, nanos + nanos / 500];
        let bounds = LONGEST.iter().skip(1).flat_map(|longest| around(*longest));
        for nanos in (1_001..5_000).chain(bounds) {
            let duration = Duration::from_nanos(nanos);
            let (near, far) = (near_bucket(nanos), far_bucket(duration));
            match near {
                // Close to a bound, the logarithm may be rounded either way.
                Some(near) if LONGEST.iter().any(|longest| longest.abs_diff(nanos) <= 1) => {
                    assert!(near.abs_diff(far) <= 1, "{nanos}: {near}, {far}");
                }
                Some(near) => assert_eq!(near, far, "{nanos}"),
                None => assert!(nanos > *LONGEST.last().expect("not empty"), "{nanos}"),
            }
        }
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
