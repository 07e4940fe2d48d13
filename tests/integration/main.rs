//! What the parts do together: stages, pipeline, SQLite and what is read back.

mod contexts;
mod delivery;
#[cfg(unix)]
mod forks;
mod handle;
mod items;
mod levels;
mod losses;
mod panics;
mod paths;
mod records;
mod scores;
mod settings;
mod sinks;
mod support;
