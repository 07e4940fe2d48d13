//! The delivery to one sink: its batches in memory and on disk, and the reactions to its outcomes.
//!
//! The module promises that a sink that is down affects no other, and that every record is counted
//! in one place at a time: `pending` while its batch is in memory, `spooled` while the batch is
//! only on disk. Batches beyond half of the memory limits go to disk, if there is one; records
//! beyond the whole limits are dropped, counted and reported.
//!
//! It does not promise unlimited room. A delivery drops records instead of holding up the queue,
//! because otherwise all sinks would lose the records that one sink or its disk cannot take.
//!
//! A [`SinkDelivery`] is a state machine without a thread: the worker gives it records, the time
//! and outcomes, and sends the batches that it hands out. So it behaves the same in a test with an
//! artificial clock. Its state is in `sink_delivery`; each of the other files handles one kind of
//! event.

mod accept;
mod answer;
mod backoff;
mod batcher;
mod outgoing;
mod send;
mod shutdown;
mod sink_delivery;
mod spooling;
#[cfg(test)]
mod tests;

pub(super) use outgoing::SpoolLink;
pub(super) use sink_delivery::{DeliveryInput, SinkDelivery};
