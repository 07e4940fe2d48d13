//! The parts together: stages, pipeline, SQLite, and reading back.

mod contexts;
mod delivery;
#[cfg(unix)]
mod forks;
mod handle;
mod items;
mod levels;
mod losses;
mod monitoring;
mod panics;
mod paths;
mod records;
mod scores;
mod settings;
mod sinks;
mod support;
