//! A batch that is given to a sink as the pipeline would, with what becomes of each record.

use std::sync::Arc;
use std::time::Duration;

use crate::sink::{Batch, Delivered, Sink, SinkError, Verdict};

/// Calls of the sink under test.
pub(super) struct Attempts<S> {
    pub(super) sink: Arc<S>,
    pub(super) timeout: Duration,
}

impl<S: Sink> Attempts<S> {
    /// Runs a call of the sink to its end, or says why it has none.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        what: &str,
        call: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, String> {
        // A task of its own, as in the pipeline, turns a panic into an answer.
        match tokio::time::timeout(self.timeout, tokio::spawn(call)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(panic)) => Err(format!("`{what}` panicked: {panic}")),
            Err(_) => Err(format!("`{what}` did not return within {:?}", self.timeout)),
        }
    }

    /// Delivers a batch, its parts where the sink asks for them, and adds what is wrong to
    /// `faults`.
    pub(super) async fn deliver(&self, batch: &Batch, faults: &mut Vec<String>) {
        let mut rest = vec![batch.clone()];
        while let Some(batch) = rest.pop() {
            match self.attempt(&batch).await {
                Ok(Ok(delivered)) => check_answer(&batch, &delivered, faults),
                Ok(Err(error)) => match error.verdict() {
                    Verdict::Split | Verdict::Rejected if batch.records().len() > 1 => rest.extend(batch.split()),
                    _ => faults.push(refusal(&batch, &line(&error))),
                },
                Err(why) => faults.push(refusal(&batch, &why)),
            }
        }
    }

    /// Asks the sink once.
    pub(super) async fn attempt(&self, batch: &Batch) -> Result<Result<Delivered, SinkError>, String> {
        let (sink, batch) = (Arc::clone(&self.sink), batch.clone());
        self.call("deliver", async move { sink.deliver(&batch).await }).await
    }
}

/// Says in a line what a sink answered.
pub(super) fn line(error: &SinkError) -> String {
    format!("{:?}: {}", error.verdict(), error.reason())
}

fn check_answer(batch: &Batch, delivered: &Delivered, faults: &mut Vec<String>) {
    for (index, why) in delivered.rejected() {
        faults.push(match batch.records().get(*index) {
            Some(record) => format!("record {index} is refused ({why}): {}", shortened(&record.to_json())),
            None => format!("record {index} is refused, and the batch has only {}", batch.records().len()),
        });
    }
}

fn refusal(batch: &Batch, why: &str) -> String {
    match batch.records() {
        [] => format!("a batch without records is refused ({why})"),
        [record] => format!("a record is refused ({why}): {}", shortened(&record.to_json())),
        records => format!("a batch of {} records is refused ({why})", records.len()),
    }
}

/// The beginning of a text that is long.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 400;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
