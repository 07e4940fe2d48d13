//! One sink's part of the pipeline: its batches in memory and on disk, and what its answers mean.
//!
//! It promises: a sink that is down touches no other. Every record is counted in one place at
//! a time: `pending` while its batch is in memory, `spooled` while the batch is on disk alone. What
//! is over half of the memory limits goes to disk, if there is one; what is over all of them is
//! dropped, counted and reported.
//!
//! It does not promise: room. A delivery does not hold up the queue instead of dropping: what
//! one sink or its disk cannot take would be lost to all sinks then.
//!
//! A [`SinkDelivery`] is a state machine without a thread: the worker gives it records, time and
//! answers, and sends off what it hands out. So it is the same in a test with made-up time. Its
//! state is in `sink_delivery`; each of the files above that adds one of the things that happen to
//! it.

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
