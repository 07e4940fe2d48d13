//! The sink of evaluations in LLM Observability.

use std::borrow::Cow;

use ragtrace::Sink;
use ragtrace::sink::{Batch, BatchLimits, Delivered, Needs, SinkError};

use crate::datadog::evaluations;
use crate::datadog::settings::{Settings, Target, usable};
use crate::ml_app::MlApp;

/// A sink that sends scores to Datadog's LLM Observability.
///
/// [`DatadogLlmObsSink::evaluations`](crate::DatadogLlmObsSink::evaluations) creates it.
#[derive(Clone, Debug)]
pub struct DatadogEvaluationsSink {
    pub(super) name: Cow<'static, str>,
    pub(super) settings: Settings,
    pub(super) ml_app: Result<MlApp, String>,
}

impl DatadogEvaluationsSink {
    /// Sets the sink's name. The default is the name of the logs sink, with `-evaluations`.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    fn target(&self) -> Result<Target<'_>, SinkError> {
        if let Some(agent) = self.settings.through_agent(evaluations::AGENT_SUBDOMAIN, evaluations::PATH)? {
            return Ok(agent);
        }
        self.settings.require_llm_observability()?;
        self.settings.api(evaluations::PATH)
    }
}

impl Sink for DatadogEvaluationsSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn limits(&self) -> BatchLimits {
        evaluations::limits()
    }

    fn needs(&self) -> Needs {
        Needs::default().with_only_scores()
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        let target = self.target()?;
        let encoded = evaluations::encode(batch.records(), &self.settings, usable(&self.ml_app)?)?;
        if let Some(body) = encoded.body {
            self.settings.post(&target, &body).await?;
        }
        Ok(Delivered::unsent(encoded.unsent))
    }

    async fn check(&self) -> Result<String, SinkError> {
        let target = self.target()?;
        let works = self.settings.check().await?;
        Ok(format!("{works}, and evaluations go to {}", target.endpoint))
    }
}
