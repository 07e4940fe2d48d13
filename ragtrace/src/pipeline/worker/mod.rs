//! The worker: a thread with a runtime of its own, so that programs without a runtime work, and a
//! saturated or stopped runtime of the application does not stop delivery.
//!
//! The worker promises to do one small step after another and never to wait for a sink or a disk.
//! It drains the queue in slices, gives the records to the deliveries, starts attempts that are
//! due, and handles their answers. A flush and a shutdown are answered within their time.
//!
//! A panic on its thread, which nothing in the application should cause, ends the deliveries but
//! not the counts: remaining records go to disk or are counted as dropped, and flushes are
//! answered.
//!
//! It does not promise that a sink whose future blocks the thread delays nothing else.
//!
//! Its state is in `state`; each of the other files is one of its tasks, and `run` is the loop.

mod attempts;
mod config;
mod dispatch;
mod drain;
mod flush;
mod outlive;
mod pending;
mod run;
mod shutdown;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use config::{Command, SpoolSettings, WorkerConfig};
pub(crate) use run::start;
