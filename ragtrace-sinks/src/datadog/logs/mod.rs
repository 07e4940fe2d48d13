//! Encodes records for the logs intake, version 2: a list with one entry per record.
//!
//! The intake accepts every payload made here: it has at most 5 MB and 1,000 entries, none of them
//! over 1 MB, older than 18 hours, or more than two hours in the future. [`encode`] reports the
//! records that are excluded for their age. Texts of an entry that is too long are cut, and
//! counted.

mod entry;
mod fragments;

use std::time::Duration;

use ragtrace::sink::{BatchLimits, SinkError};
use ragtrace::{Record, Timestamp};

use super::counts::Losses;
use super::settings::Settings;
use super::window::Limits;
use crate::http::Body;
use fragments::Fragments;

/// The largest number of entries of a payload (Datadog, "Send logs").
const MOST_ENTRIES: usize = 1_000;
/// The largest payload: 5 MB.
const LONGEST: usize = 5_000_000;
/// The largest batch, as an estimate of the records' canonical JSON. Entries are somewhat longer,
/// so payloads have about 4 MB at most, and few batches have to be split.
const AIM: usize = 3 << 20;

/// The age limits of logs (Datadog, "Send logs": 18 hours in the past, 2 in the future).
const AGES: Limits =
    Limits { back: Duration::from_hours(18), ahead: Duration::from_hours(2), intake: "Datadog's logs" };

pub(super) fn limits() -> BatchLimits {
    BatchLimits::default().with_records(MOST_ENTRIES).with_bytes(AIM).with_in_flight(4)
}

/// A payload of records.
#[derive(Debug, Default)]
pub(super) struct Payload {
    /// `None` if the payload contains no record.
    pub(super) body: Option<Body>,
    /// The records that are too old or too far in the future for the payload: index and reason.
    pub(super) expired: Vec<(usize, String)>,
    pub(super) losses: Losses,
}

/// Encodes records, to be sent at `now`.
///
/// # Errors
///
/// Returns an error if they are too many or too large for one payload.
pub(super) fn encode(records: &[Record], settings: &Settings, now: Timestamp) -> Result<Payload, SinkError> {
    let window = AGES.at(now);
    let mut payload = Payload::default();
    let mut fragments = Fragments::new(settings);
    let mut writer = settings.begin();
    let mut entries = 0;
    for (index, record) in records.iter().enumerate() {
        if let Some(why) = window.refusal(record.timestamp()) {
            payload.expired.push((index, why));
            continue;
        }
        let out = writer.staged();
        out.push(if entries == 0 { b'[' } else { b',' });
        entry::write(out, record, &mut fragments, &mut payload.losses);
        writer.settle();
        entries += 1;
        if entries > MOST_ENTRIES || writer.uncompressed_len() >= LONGEST {
            let message = format!("more than {MOST_ENTRIES} entries or {LONGEST} bytes of logs for one request");
            return Err(SinkError::split(message));
        }
    }
    if entries > 0 {
        writer.staged().push(b']');
        payload.body = Some(writer.finish().map_err(SinkError::retry)?);
    }
    Ok(payload)
}
