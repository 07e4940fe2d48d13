//! Sinks behind a pointer, which forward every method of the trait to the sink.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use ragtrace_core::Level;

use super::{Batch, BatchLimits, Delivered, Needs, Sink, SinkError};

/// A boxed sink of any type.
pub struct BoxSink(Box<dyn DynSink>);

impl BoxSink {
    /// Boxes a sink.
    pub fn new(sink: impl Sink) -> Self {
        Self(Box::new(sink))
    }
}

impl fmt::Debug for BoxSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BoxSink").field(&self.0.name()).finish()
    }
}

impl Sink for BoxSink {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn limits(&self) -> BatchLimits {
        self.0.limits()
    }

    fn level(&self) -> Option<Level> {
        self.0.level()
    }

    fn needs(&self) -> Needs {
        self.0.needs()
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        self.0.deliver(batch).await
    }

    async fn check(&self) -> Result<String, SinkError> {
        self.0.check().await
    }

    async fn close(&self) {
        self.0.close().await;
    }
}

impl<S: Sink> Sink for Arc<S> {
    fn name(&self) -> &str {
        S::name(self)
    }

    fn limits(&self) -> BatchLimits {
        S::limits(self)
    }

    fn level(&self) -> Option<Level> {
        S::level(self)
    }

    fn needs(&self) -> Needs {
        S::needs(self)
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        S::deliver(self, batch).await
    }

    async fn check(&self) -> Result<String, SinkError> {
        S::check(self).await
    }

    async fn close(&self) {
        S::close(self).await;
    }
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The object-safe form of [`Sink`].
trait DynSink: Send + Sync {
    fn name(&self) -> &str;
    fn limits(&self) -> BatchLimits;
    fn level(&self) -> Option<Level>;
    fn needs(&self) -> Needs;
    fn deliver<'a>(&'a self, batch: &'a Batch) -> Boxed<'a, Result<Delivered, SinkError>>;
    fn check(&self) -> Boxed<'_, Result<String, SinkError>>;
    fn close(&self) -> Boxed<'_, ()>;
}

impl<S: Sink> DynSink for S {
    fn name(&self) -> &str {
        Sink::name(self)
    }

    fn limits(&self) -> BatchLimits {
        Sink::limits(self)
    }

    fn level(&self) -> Option<Level> {
        Sink::level(self)
    }

    fn needs(&self) -> Needs {
        Sink::needs(self)
    }

    fn deliver<'a>(&'a self, batch: &'a Batch) -> Boxed<'a, Result<Delivered, SinkError>> {
        Box::pin(Sink::deliver(self, batch))
    }

    fn check(&self) -> Boxed<'_, Result<String, SinkError>> {
        Box::pin(Sink::check(self))
    }

    fn close(&self) -> Boxed<'_, ()> {
        Box::pin(Sink::close(self))
    }
}
