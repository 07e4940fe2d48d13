//! Dead letters, tried once more.

use std::collections::HashSet;
use std::io;

use uuid::Uuid;

use super::{DeadLetter, DeadLetters};
use crate::sink::{Batch, Sink};

/// What a replay achieved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Replayed {
    /// Letters that arrived and are gone.
    pub delivered: usize,
    /// Letters that stay: refused again, or for other sinks.
    pub kept: usize,
    /// Why letters were refused again, each reason once.
    pub reasons: Vec<String>,
}

impl DeadLetters {
    /// Delivers to `sink` what it refused before, once its fault is mended. What arrives goes from the file. A batch's id
    /// follows from its letters, so a replay that was interrupted repeats nothing at a sink with a ledger.
    ///
    /// # Errors
    ///
    /// If the letters cannot be read or rewritten.
    pub async fn replay(&self, sink: &impl Sink) -> io::Result<Replayed> {
        let letters = self.read()?;
        let (ours, others): (Vec<_>, Vec<_>) = letters.into_iter().partition(|letter| letter.sink == sink.name());
        let mut arrived = HashSet::new();
        let mut reasons = Vec::new();
        // Small batches: one that is bad again costs its neighbours a try each.
        for group in ours.chunks(sink.limits().records.clamp(1, 100)) {
            if deliver(sink, group, &mut arrived).await.is_err() && group.len() > 1 {
                for letter in group {
                    reasons.extend(deliver(sink, std::slice::from_ref(letter), &mut arrived).await.err());
                }
            }
        }
        reasons.sort();
        reasons.dedup();
        let delivered = self.retain(|letter| !(letter.sink == sink.name() && arrived.contains(&letter.record.id())))?;
        Ok(Replayed { delivered, kept: ours.len() + others.len() - delivered, reasons })
    }
}

/// Delivers letters as one batch, and notes those that arrived.
async fn deliver(sink: &impl Sink, letters: &[DeadLetter], arrived: &mut HashSet<Uuid>) -> Result<(), String> {
    let ids: String = letters.iter().map(|letter| letter.record.id().to_string()).collect();
    let records: Vec<_> = letters.iter().map(|letter| letter.record.clone()).collect();
    let batch = Batch::new(Uuid::new_v5(&Uuid::NAMESPACE_OID, ids.as_bytes()), records);
    let delivered = sink.deliver(&batch).await.map_err(|error| error.to_string())?;
    let is_rejected = |index: usize| delivered.rejected().iter().any(|(rejected, _)| *rejected == index);
    let taken = letters.iter().enumerate().filter(|(index, _)| !is_rejected(*index));
    arrived.extend(taken.map(|(_, letter)| letter.record.id()));
    delivered.rejected().first().map_or(Ok(()), |(_, why)| Err(why.clone()))
}
