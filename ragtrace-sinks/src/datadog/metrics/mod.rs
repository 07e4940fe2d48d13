//! Metrics of stages: counts and durations by the minute.
//!
//! | metric | type | is, a stage and minute |
//! | --- | --- | --- |
//! | `ragtrace.stage.runs` | count | runs that ended, tagged `outcome:completed`, `failed` or `cancelled` |
//! | `ragtrace.stage.items` | count | the sum of `count` |
//! | `ragtrace.stage.cost` | count | the sum of `cost_usd`, in dollars |
//! | `ragtrace.stage.duration.p50` `.p95` `.p99` `.max` | gauge | durations, in seconds, within 1% |
//!
//! Tags: `stage`, `kind`, `tenant`, `env`, `service`, `version`, and those that were set. A finished
//! request is a run of its outermost stage, whose series has it.
//!
//! A point is an hour old at most when it arrives, so what a spool kept for longer is left out, and
//! counted. Datadog keeps one point of a series a second, and the last that came: a batch sent twice
//! counts once. The parts of a minute, and the processes of a host, each have another second of it,
//! which follows from the batch's id.

mod series;

use std::time::Duration;

use ragtrace::Timestamp;
use ragtrace::sink::{Batch, SinkError};

use super::settings::Settings;
use super::window::Limits;
use crate::http::Body;
use series::SeriesWriter;

/// Bytes of a payload (Datadog API, "Submit metrics"): uncompressed, and compressed.
const LONGEST: usize = 5_242_880;
const LONGEST_COMPRESSED: usize = 512_000;
/// How old points may be.
const AGES: Limits =
    Limits { back: Duration::from_hours(1), ahead: Duration::from_mins(10), intake: "Datadog's metrics" };

/// Encodes the minutes of a batch as they are to be sent at `now`; `None` if there is nothing to send.
///
/// # Errors
///
/// If they are too many for one payload.
pub(super) fn encode(batch: &Batch, settings: &Settings, now: Timestamp) -> Result<Option<Body>, SinkError> {
    let window = AGES.at(now);
    let mut writer = settings.begin();
    let mut series = SeriesWriter::new(batch, settings);
    writer.staged().extend_from_slice(br#"{"series":["#);
    for minute in batch.minutes() {
        if window.has(series.time_of(minute)) {
            series.write(writer.staged(), minute);
            writer.settle();
        } else {
            settings.counts.add_points_left_out(series::points_of(minute));
        }
    }
    if series.is_empty() {
        return Ok(None);
    }
    writer.staged().extend_from_slice(b"]}");
    let body = writer.finish().map_err(SinkError::retry)?;
    if body.uncompressed_len() > LONGEST || body.bytes().len() > LONGEST_COMPRESSED {
        let message =
            format!("more than {LONGEST} bytes of metrics for one request, or {LONGEST_COMPRESSED} compressed");
        return Err(SinkError::split(message));
    }
    Ok(Some(body))
}
