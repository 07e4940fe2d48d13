//! Records what of a document could not be read.

use crate::document::{Loss, LossKind};

/// The largest number of losses of a document that have a record each.
const RECORDS: usize = 20;

/// Returns the number of losses of a kind, or `None` if there are none.
pub(super) fn count(losses: &[Loss], kind: LossKind) -> Option<usize> {
    Some(losses.iter().filter(|loss| loss.kind == kind).count()).filter(|count| *count > 0)
}

/// Returns the losses as one text for a record, or `None` if there are none.
pub(super) fn list(losses: &[Loss]) -> Option<String> {
    let listed = losses.iter().take(RECORDS).map(Loss::to_string).collect::<Vec<_>>().join("; ");
    (!listed.is_empty()).then_some(listed)
}

/// Makes a WARN record for each loss of the document `doc`, up to a number that a reader looks at,
/// and one for the rest.
pub(super) fn warn(doc: &str, losses: &[Loss]) {
    for loss in losses.iter().take(RECORDS) {
        tracing::warn!(doc, page = loss.page, loss = loss.kind.name(), "{loss}");
    }
    let rest = losses.len().saturating_sub(RECORDS);
    if rest > 0 {
        tracing::warn!(doc, losses = rest, "{rest} more losses of this document have no record of their own");
    }
}
