//! Calls of the sink under test, made as the pipeline would make them, and what happens to each
//! record.

use std::sync::Arc;
use std::time::Duration;

use crate::sink::{Batch, Delivered, Sink, SinkError, Verdict};

/// The sink under test, and the timeout of a call.
pub(super) struct Attempts<S> {
    pub(super) sink: Arc<S>,
    pub(super) timeout: Duration,
}

impl<S: Sink> Attempts<S> {
    /// Runs a call of the sink to its end, or returns why it did not end.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        what: &str,
        call: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, String> {
        // As in the pipeline, a task of its own turns a panic into an error.
        match tokio::time::timeout(self.timeout, tokio::spawn(call)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(panic)) => Err(format!("`{what}` panicked: {panic}")),
            Err(_) => Err(format!("`{what}` did not return within {:?}", self.timeout)),
        }
    }

    /// Delivers a batch, or its parts if the sink asks to split it, and adds everything that is
    /// wrong to `faults`.
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

    /// Makes one attempt to deliver a batch.
    pub(super) async fn attempt(&self, batch: &Batch) -> Result<Result<Delivered, SinkError>, String> {
        let (sink, batch) = (Arc::clone(&self.sink), batch.clone());
        self.call("deliver", async move { sink.deliver(&batch).await }).await
    }
}

/// Describes an error of the sink in one line.
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

/// Returns the beginning of a long text.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 400;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
