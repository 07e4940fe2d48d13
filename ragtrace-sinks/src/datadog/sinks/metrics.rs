//! The sink of metrics.

use std::borrow::Cow;

use ragtrace::sink::{Batch, Delivered, Needs, SinkError};
use ragtrace::{Sink, Timestamp};

use crate::datadog::counts::DatadogCounts;
use crate::datadog::metrics;
use crate::datadog::settings::{Settings, Target};

/// A sink that sends counts and durations of stages to Datadog, per minute.
///
/// [`DatadogSink::metrics`](crate::DatadogSink::metrics) creates it.
#[derive(Clone, Debug)]
pub struct DatadogMetricsSink {
    pub(super) name: Cow<'static, str>,
    pub(super) settings: Settings,
}

impl DatadogMetricsSink {
    /// Sets the sink's name. The default is the name of the sink it was created from, with
    /// `-metrics`.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Returns the counts of what was cut or left out because of Datadog's limits.
    pub fn counts(&self) -> DatadogCounts {
        self.settings.counts.clone()
    }

    fn target(&self) -> Result<Target<'_>, SinkError> {
        self.settings.api("/api/v2/series")
    }
}

impl Sink for DatadogMetricsSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn needs(&self) -> Needs {
        Needs::default().with_only_counts()
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        let metrics::Payload { body, losses } = metrics::encode(batch, &self.settings, Timestamp::now())?;
        if let Some(body) = body {
            self.settings.post(&self.target()?, &body).await?;
        }
        self.settings.counts.add(losses);
        Ok(Delivered::all())
    }

    async fn check(&self) -> Result<String, SinkError> {
        let target = self.target()?.endpoint;
        Ok(format!("{}, and metrics go to {target}", self.settings.validate().await?))
    }
}
