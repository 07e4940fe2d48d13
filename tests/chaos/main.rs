//! The pipeline's promise, and attempts to break it.

mod kill;
mod oracle;
mod process;
