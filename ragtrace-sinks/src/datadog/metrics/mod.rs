//! Encodes metrics of stages: counts and durations per minute.
//!
//! | metric | type | content, per stage and minute |
//! | --- | --- | --- |
//! | `ragtrace.stage.runs` | count | runs that ended, tagged `outcome:completed`, `failed` or `cancelled` |
//! | `ragtrace.stage.items` | count | the sum of `count` |
//! | `ragtrace.stage.cost` | count | the sum of `cost_usd`, in dollars |
//! | `ragtrace.stage.duration.p50` `.p95` `.p99` `.max` | gauge | durations in seconds, within 1% |
//!
//! The tags are `stage`, `kind`, `tenant`, `env`, `service`, `version`, and those that were set on
//! the sink. A finished request is counted as a run of its outermost stage.
//!
//! Datadog accepts points that are at most an hour old. Older ones, which a spool may have kept,
//! are left out and counted. Of points with the same series and second, Datadog keeps only the
//! last, so a batch that is sent twice counts once.
//!
//! All counts of a batch with the same minute and tags are one point. Other batches, and other
//! processes on the host, may have further parts of the same minute. Each batch puts its points at
//! a second of the minute that follows from its id. Since a minute has 60 seconds, two such batches
//! collide once in 60 times. If that is too often, a tag for each process in `DD_TAGS` keeps their
//! series apart.

mod series;
mod sums;

use std::time::Duration;

use ragtrace::Timestamp;
use ragtrace::sink::{Batch, SinkError};

use super::counts::Losses;
use super::settings::Settings;
use super::window::Limits;
use crate::http::Body;
use series::SeriesWriter;
use sums::sums;

/// The largest payload in bytes (Datadog API, "Submit metrics"), before and after compression.
const LONGEST: usize = 5_242_880;
const LONGEST_COMPRESSED: usize = 512_000;
/// The age limits of points.
const AGES: Limits =
    Limits { back: Duration::from_hours(1), ahead: Duration::from_mins(10), intake: "Datadog's metrics" };

/// A payload of minutes.
#[derive(Debug, Default)]
pub(super) struct Payload {
    /// `None` if the payload contains no point.
    pub(super) body: Option<Body>,
    pub(super) losses: Losses,
}

/// Encodes the minutes of a batch, to be sent at `now`.
///
/// # Errors
///
/// Returns an error if they are too many for one payload.
pub(super) fn encode(batch: &Batch, settings: &Settings, now: Timestamp) -> Result<Payload, SinkError> {
    let mut losses = Losses::default();
    let window = AGES.at(now);
    let mut writer = settings.begin();
    let mut series = SeriesWriter::new(batch, settings);
    writer.staged().extend_from_slice(br#"{"series":["#);
    for sum in sums(batch.minutes(), |minute| series.tags_of(minute)) {
        if window.has(series.time_of(&sum)) {
            series.write(writer.staged(), &sum);
            writer.settle();
        } else {
            losses.points_left_out += series::points_of(&sum);
        }
    }
    if series.is_empty() {
        return Ok(Payload { body: None, losses });
    }
    writer.staged().extend_from_slice(b"]}");
    let body = writer.finish().map_err(SinkError::retry)?;
    if body.uncompressed_len() > LONGEST || body.bytes().len() > LONGEST_COMPRESSED {
        let message =
            format!("more than {LONGEST} bytes of metrics for one request, or {LONGEST_COMPRESSED} compressed");
        return Err(SinkError::split(message));
    }
    Ok(Payload { body: Some(body), losses })
}
