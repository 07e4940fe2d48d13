//! Attempts to break the pipeline's promises.

mod counts;
mod disk;
mod flush;
mod kill;
mod memory;
mod oracle;
mod otlp;
mod process;
mod sampling;
mod secrets;
mod self_reports;
mod start;
