//! Metrics of stages: counts and durations by the minute.
//!
//! | metric | type | is, a stage and minute |
//! | --- | --- | --- |
//! | `ragtrace.stage.runs` | count | runs that ended, tagged `outcome:completed`, `failed` or `cancelled` |
//! | `ragtrace.stage.items` | count | the sum of `count` |
//! | `ragtrace.stage.cost` | count | the sum of `cost_usd`, in dollars |
//! | `ragtrace.stage.duration.p50` `.p95` `.p99` `.max` | gauge | durations, in seconds, within 1% |
//!
//! Tags: `stage`, `kind`, `tenant`, `env`, `service`, `version`, and those that were set. A
//! finished request is a run of its outermost stage, whose series has it.
//!
//! A point is an hour old at most when it arrives, so what a spool kept for longer is left out, and
//! counted. Datadog keeps one point of a series a second, and the last that came: a batch sent
//! twice counts once. What a batch has of one minute and the same tags is one point. Batches with
//! parts of one minute, and processes of one host, have points at another second of it each, which
//! follows from the batch's id: 59 times of 60, that is, since a minute has no more seconds. Where
//! that is too few, `DD_TAGS` with a tag for each process keeps their series apart.

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

/// Bytes of a payload (Datadog API, "Submit metrics"): uncompressed, and compressed.
const LONGEST: usize = 5_242_880;
const LONGEST_COMPRESSED: usize = 512_000;
/// How old points may be.
const AGES: Limits =
    Limits { back: Duration::from_hours(1), ahead: Duration::from_mins(10), intake: "Datadog's metrics" };

/// Minutes as a payload.
#[derive(Debug, Default)]
pub(super) struct Payload {
    /// `None` if no point is in it.
    pub(super) body: Option<Body>,
    pub(super) losses: Losses,
}

/// Encodes the minutes of a batch as they are to be sent at `now`.
///
/// # Errors
///
/// If they are too many for one payload.
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
