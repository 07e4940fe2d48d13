//! Replaying dead letters.

use std::collections::HashSet;
use std::io;

use uuid::Uuid;

use super::dead_letter::{DeadLetter, DeadLetters};
use crate::redact::Redactor;
use crate::sink::{Batch, Sink, deliver_guarded};

/// The result of a replay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplayReport {
    /// The number of letters that were delivered and removed.
    pub delivered: usize,
    /// The number of letters that stay, because they were refused again or belong to other sinks.
    pub kept: usize,
    /// The distinct reasons for new refusals.
    pub reasons: Vec<String>,
}

impl DeadLetters {
    /// Delivers to `sink` the records that it refused before, once the cause has been removed.
    ///
    /// Delivered letters are removed from the file. Each letter is delivered alone, in a batch
    /// whose id is derived from its record, so a sink that stores the ids of its batches stores a
    /// record only once, even if there are two letters of the record, or if an interrupted replay
    /// is repeated.
    ///
    /// # Errors
    ///
    /// Returns an error if the letters cannot be read or rewritten.
    pub async fn replay(&self, sink: &impl Sink) -> io::Result<ReplayReport> {
        let letters = self.read()?;
        let (ours, others): (Vec<_>, Vec<_>) = letters.into_iter().partition(|letter| letter.sink == sink.name());
        let mut arrived = HashSet::new();
        let mut reasons = Vec::new();
        for letter in &ours {
            match deliver(sink, letter).await {
                Ok(()) => drop(arrived.insert(letter.record.id())),
                Err(why) => reasons.push(why),
            }
        }
        reasons.sort();
        reasons.dedup();
        let delivered = self.retain(|letter| !(letter.sink == sink.name() && arrived.contains(&letter.record.id())))?;
        Ok(ReplayReport { delivered, kept: ours.len() + others.len() - delivered, reasons })
    }
}

/// Delivers a letter, or returns the reason for which it is refused again.
async fn deliver(sink: &impl Sink, letter: &DeadLetter) -> Result<(), String> {
    let id = Uuid::new_v5(&letter.record.id(), b"replay");
    let batch = Batch::new(id, [letter.record.clone()]);
    let why = match deliver_guarded(sink, &batch).await {
        Ok(delivered) => delivered.rejected().first().map(|(_, why)| why.clone()),
        Err(error) => Some(error.reason()),
    };
    // The reason is shown to a person, and must not contain a password.
    let redacted = |mut why: String| {
        Redactor::new().redact(&mut why);
        why
    };
    why.map_or(Ok(()), |why| Err(redacted(why)))
}
