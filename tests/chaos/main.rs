//! Attempts to break the pipeline's promises.
//!
//! The tests need Unix: they limit file sizes, remove permissions, and count blocks on disk.

#![cfg(unix)]

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
