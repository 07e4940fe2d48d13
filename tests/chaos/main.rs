//! The pipeline's promise, and attempts to break it.

mod oracle;
