//! The sink of feedback in LangSmith.

use std::borrow::Cow;

use ragtrace::sink::{Batch, BatchLimits, Delivered, Needs, SinkError};
use ragtrace::uuid::Uuid;
use ragtrace::{Sink, Timestamp};

use super::connection::Connection;
use super::cut::Cut;
use super::feedback::{Feedback, Judged, is_early};
use super::info::Info;
use super::multipart::Multipart;
use super::taken::Taken;
use super::verdict::judge;
use crate::http::{Answer, Body};

/// Sends scores to LangSmith as feedback: see [`LangSmithSink::feedback`](super::LangSmithSink::feedback).
#[derive(Debug)]
pub struct LangSmithFeedbackSink {
    name: Cow<'static, str>,
    in_flight: usize,
    connection: Connection,
    taken: Taken,
}

/// LangSmith's answer to feedback that went alone.
enum Alone {
    Taken,
    /// Its run is not there, as this answer says.
    Missing(Answer),
    /// It is never taken, and why.
    Refused(String),
}

impl LangSmithFeedbackSink {
    pub(super) fn new(name: String, in_flight: usize, connection: Connection) -> Self {
        Self { name: name.into(), in_flight, connection, taken: Taken::default() }
    }

    /// Sets the sink's name; that of the sink of runs and `-feedback` unless set.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sends feedback as the parts of one request; false if the server has no such endpoint.
    async fn send_together(&self, batch: Uuid, all: &[Feedback<'_>], info: &Info) -> Result<bool, SinkError> {
        if all.len() > info.runs {
            return Err(SinkError::split(format!("LangSmith takes {} scores at once", info.runs)));
        }
        let cut = Cut::nothing();
        let mut body = Multipart::begin(self.connection.compression(info), batch, &cut);
        for feedback in all {
            body.add_feedback(feedback.record.id(), |out| feedback.write(out, feedback.run()));
        }
        let body = body.finish().map_err(SinkError::retry)?;
        let Some(request) = self.connection.multipart(&body, info)? else {
            return Err(SinkError::split(format!("LangSmith takes {} bytes at once", info.bytes)));
        };
        let answer = self.connection.send(&request).await?;
        if answer.status() == 404 {
            return Ok(false);
        }
        judge(&answer).map(|()| true)
    }

    /// Sends feedback that goes alone.
    async fn send_alone(&self, feedback: &Feedback<'_>, info: &Info) -> Result<Alone, SinkError> {
        match (self.post(feedback, feedback.run(), info).await?, feedback.otherwise()) {
            (Alone::Missing(_), Some(root)) => self.post(feedback, root, info).await,
            (answer, _) => Ok(answer),
        }
    }

    async fn post(&self, feedback: &Feedback<'_>, run: (Uuid, Option<Uuid>), info: &Info) -> Result<Alone, SinkError> {
        let mut json = Vec::new();
        feedback.write(&mut json, run);
        let Some(request) = self.connection.json("/feedback", &Body::plain(json), info)? else {
            return Ok(Alone::Refused(format!("LangSmith takes {} bytes at once", info.bytes)));
        };
        let answer = self.connection.send(&request).await?;
        match answer.status() {
            404 => Ok(Alone::Missing(answer)),
            400 | 422 => Ok(Alone::Refused(answer.reason(""))),
            _ => judge(&answer).map(|()| Alone::Taken),
        }
    }

    /// Sends what has not been taken yet, and notes what is.
    async fn send(&self, batch: &Batch, taken: &mut Vec<Uuid>) -> Result<Delivered, SinkError> {
        let mut all = Feedback::all_of(batch);
        if all.is_empty() {
            return Ok(Delivered::all());
        }
        let info = self.connection.info().await;
        all.retain(|feedback| !self.taken.contains(feedback.record.id()));
        let has_place = |feedback: &Feedback<'_>| matches!(feedback.judged, Judged::Known { .. });
        let goes_beside = info.takes_feedback_in_multipart();
        let (together, mut alone): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|feedback| goes_beside && has_place(feedback));
        if !together.is_empty() {
            if self.send_together(batch.id(), &together, &info).await? {
                taken.extend(together.iter().map(|feedback| feedback.record.id()));
            } else {
                self.connection.note_without_multipart();
                alone.extend(together);
            }
        }
        let (mut missing, mut refused) = (Vec::new(), Vec::new());
        for feedback in &alone {
            match self.send_alone(feedback, &info).await? {
                Alone::Taken => taken.push(feedback.record.id()),
                Alone::Missing(answer) => missing.push((feedback, answer)),
                Alone::Refused(why) => refused.push((feedback.index, why)),
            }
        }
        Self::judge_missing(&missing, refused)
    }

    /// Returns the answer to a batch of which LangSmith has no runs for some feedback, and refused other.
    fn judge_missing(
        missing: &[(&Feedback<'_>, Answer)],
        mut refused: Vec<(usize, String)>,
    ) -> Result<Delivered, SinkError> {
        let now = Timestamp::now();
        if let Some((_, answer)) = missing.iter().find(|(feedback, _)| is_early(feedback.record, now)) {
            return Err(SinkError::retry(answer.reason("its run has not arrived")));
        }
        let why = |answer: &Answer| answer.reason("LangSmith does not know the run that the score is about");
        let unknown = missing.iter().map(|(feedback, answer)| (feedback.index, why(answer)));
        if refused.is_empty() {
            // Their runs may have been left out by a sampler, which says nothing of LangSmith.
            return Ok(Delivered::unsent(unknown));
        }
        refused.extend(unknown);
        Ok(Delivered::partly(refused))
    }
}

impl Sink for LangSmithFeedbackSink {
    fn name(&self) -> &str {
        &self.name
    }

    /// Returns batches of 100, which LangSmith takes at once unless it says otherwise.
    fn limits(&self) -> BatchLimits {
        BatchLimits::default().with_records(100).with_bytes(4 << 20).with_in_flight(self.in_flight)
    }

    fn needs(&self) -> Needs {
        Needs::default().with_only_scores().with_ancestry()
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        let mut taken = Vec::new();
        let delivered = self.send(batch, &mut taken).await;
        match delivered {
            Ok(_) => self.taken.forget(batch.records().iter().map(ragtrace::Record::id)),
            Err(_) => self.taken.keep(taken),
        }
        delivered
    }

    /// Asks for the server's limits, and whether the key may read.
    async fn check(&self) -> Result<String, SinkError> {
        let info = self.connection.check().await?;
        let version = info.version.as_deref().unwrap_or("of unknown version");
        Ok(format!(
            "LangSmith {version} at {} takes the key: scores go there as feedback",
            self.connection.settings.shown()
        ))
    }
}
