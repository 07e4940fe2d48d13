//! Writes a score of a trace or of one of its runs into a store.

use std::error::Error;
use std::fmt;

use ragtrace::sink::Batch;
use ragtrace::{Record, Score, Sink, SpanId, Timestamp, TraceId};
use ragtrace_store as store;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::output::Failure;

/// A score that is not written yet.
#[derive(Clone, Debug)]
pub(crate) struct NewScore {
    pub(crate) trace: TraceId,
    pub(crate) span: Option<SpanId>,
    pub(crate) name: String,
    pub(crate) value: ScoreValue,
    /// The judge: `human`, `llm` or `code`.
    pub(crate) by: &'static str,
    pub(crate) comment: Option<String>,
    /// The tenant of the trace. Without it the store takes the one that it knows.
    pub(crate) tenant: Option<String>,
    /// The user who gives the score.
    pub(crate) user: Option<String>,
}

/// The value of a score.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ScoreValue {
    Number(f64),
    Flag(bool),
    Label(String),
}

/// The reason why a score is not written.
#[derive(Debug)]
pub(crate) enum Unwritten {
    /// The score itself cannot be used.
    Invalid(String),
    /// The store refuses it, as that of a trace of another tenant.
    Refused(String),
    /// The store cannot be written.
    Failed(String),
}

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Invalid(why) | Self::Refused(why) | Self::Failed(why)) = self;
        f.write_str(why)
    }
}

impl Error for Unwritten {}

impl NewScore {
    /// Writes the score into the store at `url`, and returns its record.
    pub(crate) async fn write(&self, url: &str) -> Result<Record, Unwritten> {
        let record = self.record().map_err(Unwritten::Invalid)?;
        let sink = store::sink(url).map_err(|error| Unwritten::Failed(Failure::from(error).to_string()))?;
        let written = sink.deliver(&Batch::new(record.id(), [record.clone()])).await;
        sink.close().await;
        let written = written.map_err(|error| Unwritten::Failed(error.reason()))?;
        match written.rejected().first() {
            Some((_, why)) => Err(Unwritten::Refused(why.clone())),
            None => Ok(record),
        }
    }

    /// Returns the score's record. The library's rules for scores are checked on the way.
    fn record(&self) -> Result<Record, String> {
        let name = self.name.clone();
        let (score, value) = match &self.value {
            ScoreValue::Number(number) => (Score::number(name, *number), Json::from(*number)),
            ScoreValue::Flag(flag) => (Score::flag(name, *flag), Json::from(*flag)),
            ScoreValue::Label(label) => (Score::label(name, label.clone()), Json::from(label.clone())),
        };
        // No pipeline is installed in this program, so nothing is recorded here.
        score.trace(self.trace).by(self.by).try_record().map_err(|error| error.to_string())?;
        let mut score = json!({"name": self.name, "value": value, "by": self.by});
        if let Some(comment) = &self.comment {
            score["comment"] = comment.as_str().into();
        }
        let mut record = json!({
            "id": Uuid::now_v7().to_string(), "timestamp": Timestamp::now().to_string(), "level": "INFO",
            "logger": "score", "message": format!("{}_scored", self.name), "event": "score",
            "trace_id": self.trace.to_string(), "instance": Uuid::now_v7().to_string(), "score": score,
        });
        let span = self.span.map(|span| span.to_string());
        for (name, text) in [("span_id", &span), ("tenant_id", &self.tenant), ("user_id", &self.user)] {
            if let Some(text) = text {
                record[name] = text.as_str().into();
            }
        }
        Record::from_json(&record.to_string()).map_err(|error| error.to_string())
    }
}
