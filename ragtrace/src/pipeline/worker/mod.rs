//! The worker: one thread of ours with its own runtime, so that a program without one works too,
//! and a saturated or stopped one does not stop delivery.
//!
//! It promises: it does one small thing after another and waits for no sink and no disk. It
//! drains the queue in slices, gives the records to the deliveries, starts what is due, and takes
//! in the answers. A flush and a shutdown are answered within their time.
//!
//! A panic on its thread, which nothing of the application's should lead to, ends the deliveries
//! and not the account: what is left goes to disk or is counted as dropped, and flushes are
//! answered.
//!
//! It does not promise: that a sink whose future blocks the thread holds up nobody.
//!
//! Its state is in `state`; each of the files above that is one thing that it does, up to `run`,
//! which is the loop.

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
