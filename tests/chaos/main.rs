//! The pipeline's promise, and attempts to break it.

mod disk;
mod flush;
mod kill;
mod memory;
mod oracle;
mod process;
