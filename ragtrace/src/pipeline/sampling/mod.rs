//! Which traces are shipped, whole or not at all.
//!
//! It promises: every process decides alike by a trace's id; an error or a slow stage keeps
//! its trace whatever the ratio says, so the records of other traces are held until their local
//! root ends, within bounds of count, bytes and age. Where records are durable, what is held is
//! written ahead to disk, so a process that is killed leaves it to the next one.
//!
//! It does not promise: a whole trace where the bounds are reached first, since the ratio
//! decides then; and the same decision in other processes about errors and slow stages.
//!
//! It comes after the counts of stages and requests and before the sinks, so that metrics are of
//! all traces.

mod decisions;
mod tail_sampler;
mod write_ahead;

pub(super) use tail_sampler::{KeptTrace, Sampled, TailSampler};
pub(super) use write_ahead::{DecidedTraces, WriteAhead};
