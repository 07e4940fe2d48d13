//! The pipeline's promise, and attempts to break it.

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
