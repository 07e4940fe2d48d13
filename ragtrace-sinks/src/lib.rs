//! Where ragtrace's records go, and the store they are read back from.

#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteSink, Synchronous};
