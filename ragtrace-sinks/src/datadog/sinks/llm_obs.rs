//! The sink of spans in LLM Observability.

use std::borrow::Cow;

use ragtrace::sink::{Batch, BatchLimits, Delivered, Needs, SinkError};
use ragtrace::{Sink, Timestamp};

use super::evaluations::DatadogEvaluationsSink;
use crate::datadog::counts::DatadogCounts;
use crate::datadog::llm_obs::{self, Intake};
use crate::datadog::settings::{Settings, Target, usable};
use crate::ml_app::MlApp;

/// The product that only one sink may fill. A profile of the OTLP sink fills it too.
const LLM_OBSERVABILITY: &str = "Datadog LLM Observability";

/// A sink that sends runs of stages to Datadog's LLM Observability.
///
/// [`DatadogSink::llm_observability`](crate::DatadogSink::llm_observability) creates it.
#[derive(Clone, Debug)]
pub struct DatadogLlmObsSink {
    pub(super) name: Cow<'static, str>,
    pub(super) evaluations_name: Cow<'static, str>,
    pub(super) settings: Settings,
    pub(super) ml_app: Result<MlApp, String>,
}

impl DatadogLlmObsSink {
    /// Sets the sink's name. The default is the name of the sink it was created from, with
    /// `-llmobs`.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Creates a sink with the same settings that sends scores as evaluations.
    pub fn evaluations(&self) -> DatadogEvaluationsSink {
        DatadogEvaluationsSink {
            name: self.evaluations_name.clone(),
            settings: self.settings.clone(),
            ml_app: self.ml_app.clone(),
        }
    }

    /// Returns the counts of what was cut or left out because of Datadog's limits.
    pub fn counts(&self) -> DatadogCounts {
        self.settings.counts.clone()
    }

    fn target(&self) -> Result<(Intake, Target<'_>), SinkError> {
        if let Some(agent) = self.settings.through_agent(Intake::AGENT_SUBDOMAIN, Intake::AGENT_PATH)? {
            return Ok((Intake::Agent, agent));
        }
        self.settings.require_llm_observability()?;
        Ok((Intake::Documented, self.settings.api(Intake::DOCUMENTED_PATH)?))
    }
}

impl Sink for DatadogLlmObsSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn limits(&self) -> BatchLimits {
        let is_through_agent = matches!(self.settings.agent, Ok(Some(_)));
        llm_obs::limits(if is_through_agent { Intake::Agent } else { Intake::Documented })
    }

    fn needs(&self) -> Needs {
        Needs::default().with_only_end_records().with_alone_in(LLM_OBSERVABILITY)
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        let (intake, target) = self.target()?;
        let ml_app = usable(&self.ml_app)?;
        let encoded = llm_obs::encode(batch.records(), &self.settings, ml_app, intake, Timestamp::now())?;
        if let Some(body) = encoded.body {
            self.settings.post(&target, &body).await?;
        }
        self.settings.counts.add(encoded.losses);
        Ok(Delivered::unsent(encoded.expired))
    }

    async fn check(&self) -> Result<String, SinkError> {
        let ml_app = usable(&self.ml_app)?;
        let (_, target) = self.target()?;
        let works = self.settings.check().await?;
        Ok(format!("{works}, and spans of {ml_app} go to {}", target.endpoint))
    }
}
