//! Delivers a batch to the sink of a store, again after a temporary failure.

use std::time::Duration;

use ragtrace::sink::{Batch, BoxSink, Verdict};
use ragtrace::{Record, Sink};

use crate::output::{Failure, tell};

/// The pauses before further attempts.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(10),
    Duration::from_secs(20),
];

/// The outcome of a delivery.
pub(super) enum Outcome {
    /// The batch is stored, except for the records that the store refuses for good.
    Stored(Vec<(Record, String)>),
    /// Nothing is stored, because of a record among these that the store does not accept.
    Refused(Vec<Record>, String),
}

/// Delivers a batch.
pub(super) async fn deliver(sink: &BoxSink, batch: &Batch) -> Result<Outcome, Failure> {
    let mut pauses = PAUSES.into_iter();
    loop {
        let error = match sink.deliver(batch).await {
            Ok(delivered) => {
                let rejected = delivered.rejected().iter();
                let record = |(index, why): &(usize, String)| Some((batch.records().get(*index)?.clone(), why.clone()));
                return Ok(Outcome::Stored(rejected.filter_map(record).collect()));
            }
            Err(error) => error,
        };
        match (error.verdict(), pauses.next()) {
            (Verdict::Rejected | Verdict::Split, _) => {
                return Ok(Outcome::Refused(batch.records().to_vec(), error.reason()));
            }
            (Verdict::Retry, Some(pause)) => {
                tell(format_args!("{}; trying again", error.reason()));
                tokio::time::sleep(pause).await;
            }
            _ => return Err(Failure::new(error.reason())),
        }
    }
}
