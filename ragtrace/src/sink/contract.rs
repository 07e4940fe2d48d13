//! The trait that a destination of records implements.

use std::future::Future;

use ragtrace_core::Level;

use super::{Batch, BatchLimits, Delivered, Needs, SinkError};

/// A destination of records.
///
/// Only [`name`](Self::name) and [`deliver`](Self::deliver) have to be written.
/// `ragtrace::testing::sink` tries a sink of your own with batches of every sort.
pub trait Sink: Send + Sync + 'static {
    /// Returns a short name for reports, warnings and the spool, such as `sqlite` or `datadog`: 1
    /// to 64 ASCII letters, digits, dots, dashes and underscores, and unique in an installation.
    /// Another name is an error of [`Builder::install`](crate::Builder::install).
    fn name(&self) -> &str;

    /// Returns when a batch is full, and how many may be under way at once.
    fn limits(&self) -> BatchLimits {
        BatchLimits::default()
    }

    /// Returns the least severe level that the sink takes, or `None` to take the builder's.
    ///
    /// The sinks that come with the crate have a method `level(self, Level)` that sets it and
    /// shadows this one: call `Sink::level(&sink)`.
    fn level(&self) -> Option<Level> {
        None
    }

    /// Returns what the sink needs of the pipeline besides records of its level.
    fn needs(&self) -> Needs {
        Needs::default()
    }

    /// Delivers one batch.
    ///
    /// The future runs on the pipeline's own thread, inside its tokio runtime: it must not block.
    /// One that panics is tried again; a batch over which it goes on to panic counts as
    /// [`SinkError::rejected`]. Stages that it runs there are not recorded.
    fn deliver(&self, batch: &Batch) -> impl Future<Output = Result<Delivered, SinkError>> + Send;

    /// Asks the backend whether it would take records now, without delivering any, and returns a
    /// line that says what works. The error says what to change.
    fn check(&self) -> impl Future<Output = Result<String, SinkError>> + Send {
        async { Ok("it has no check of its own".to_owned()) }
    }

    /// Lets go of connections, after the last batch.
    fn close(&self) -> impl Future<Output = ()> + Send {
        async {}
    }
}
