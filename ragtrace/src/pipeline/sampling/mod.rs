//! Decides which traces are delivered. A trace is delivered as a whole or not at all.
//!
//! The module promises that every process makes the same decision from a trace id; and that an
//! error or a slow stage keeps its trace whatever the ratio says, so the records of other traces
//! are held until their local root ends, within limits of number, bytes and age. With durable
//! records, the held records are written ahead to disk, so a process that is killed leaves them to
//! the next one.
//!
//! It does not promise whole traces if the limits are reached first, because the ratio then
//! decides; nor that all processes decide alike about errors and slow stages.
//!
//! Sampling follows the counting of stages and requests and precedes the sinks, so metrics cover
//! all traces.

mod decisions;
mod tail_sampler;
mod write_ahead;

pub(super) use tail_sampler::{KeptTrace, Sampled, TailSampler};
pub(super) use write_ahead::{DecidedTraces, WriteAhead};
