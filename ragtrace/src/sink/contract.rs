//! The trait that every destination of records implements.

use std::future::Future;

use ragtrace_core::Level;

use super::{Batch, BatchLimits, Delivered, Needs, SinkError};

/// A destination for records, such as a database, a file or an observability service.
///
/// Only [`name`](Self::name) and [`deliver`](Self::deliver) have to be implemented. The [module's
/// documentation](crate::sink) says what the pipeline does for a sink. `ragtrace::testing::sink`
/// tests an implementation with batches of every kind.
///
/// ```
/// use ragtrace::Sink;
/// use ragtrace::sink::{Batch, Delivered, SinkError};
///
/// struct Stdout;
///
/// impl Sink for Stdout {
///     fn name(&self) -> &str {
///         "stdout"
///     }
///
///     async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
///         for record in batch.records() {
///             println!("{} {}", record.timestamp(), record.message());
///         }
///         Ok(Delivered::all())
///     }
/// }
///
/// let builder = ragtrace::builder().sink(Stdout);
/// # drop(builder);
/// ```
pub trait Sink: Send + Sync + 'static {
    /// Returns a short name, such as `sqlite` or `datadog`, which identifies the sink in reports,
    /// warnings and the spool.
    ///
    /// It consists of 1 to 64 ASCII letters, digits, dots, dashes and underscores, and is unique
    /// among the installed sinks. Any other name makes
    /// [`Builder::install`](crate::Builder::install) fail.
    fn name(&self) -> &str;

    /// Returns the limits at which a batch is closed, and the number of batches in flight;
    /// [`BatchLimits::default`] by default.
    fn limits(&self) -> BatchLimits {
        BatchLimits::default()
    }

    /// Returns the least severe level that the sink takes, or `None` for the builder's level.
    ///
    /// The sinks of these crates also have a method `level(self, Level)`, which sets the level and
    /// shadows this one. To call this one, write `Sink::level(&sink)`.
    fn level(&self) -> Option<Level> {
        None
    }

    /// Returns what the sink needs from the pipeline besides records of its level; nothing by
    /// default.
    fn needs(&self) -> Needs {
        Needs::default()
    }

    /// Delivers one batch.
    ///
    /// The future runs on the pipeline's worker thread, inside of its tokio runtime, so it must not
    /// block. A batch whose delivery panics is tried again; after the third panic it is treated as
    /// [`SinkError::rejected`]. Stages that run inside of the future are not recorded.
    fn deliver(&self, batch: &Batch) -> impl Future<Output = Result<Delivered, SinkError>> + Send;

    /// Asks the backend whether it would accept records now, without delivering any, and returns a
    /// line that says what works.
    ///
    /// The error says what to change. By default, nothing is checked and the line says so.
    fn check(&self) -> impl Future<Output = Result<String, SinkError>> + Send {
        async { Ok("this sink has no check".to_owned()) }
    }

    /// Closes connections, after the last batch; does nothing by default.
    fn close(&self) -> impl Future<Output = ()> + Send {
        async {}
    }
}
