//! The sink of feedback in LangSmith.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use ragtrace::sink::{Batch, BatchLimits, Delivered, Needs, SinkError};
use ragtrace::uuid::Uuid;
use ragtrace::{Record, Sink, Timestamp};

use super::connection::Connection;
use super::cut::Cut;
use super::feedback::{Feedback, Judged};
use super::info::Info;
use super::multipart::Multipart;
use super::taken::Taken;
use super::verdict::judge;
use crate::http::{Answer, Body};

/// The default time that a score waits for its run to arrive. Later scores wait too, and a run that
/// the sampler excluded never arrives.
const WAIT: Duration = Duration::from_secs(30);

/// A sink that sends scores to LangSmith as feedback.
///
/// [`LangSmithSink::feedback`](super::LangSmithSink::feedback) creates it.
#[derive(Debug)]
pub struct LangSmithFeedbackSink {
    name: Cow<'static, str>,
    in_flight: usize,
    connection: Connection,
    wait: Duration,
    taken: Taken,
}

/// The answer to feedback that was sent alone.
enum Alone {
    Taken,
    /// The run does not exist, according to this answer.
    Missing(Answer),
    /// The feedback will never be accepted, for this reason.
    Refused(String),
}

/// The outcome of a batch's feedback.
#[derive(Default)]
struct Sent<'a> {
    taken: Vec<Uuid>,
    missing: Vec<(Feedback<'a>, Answer)>,
    /// The scores that will never be accepted: index and reason.
    refused: Vec<(usize, String)>,
}

impl LangSmithFeedbackSink {
    pub(super) fn new(name: String, in_flight: usize, connection: Connection) -> Self {
        Self { name: name.into(), in_flight, connection, wait: WAIT, taken: Taken::default() }
    }

    /// Sets the sink's name. The default is the name of the sink of runs with `-feedback`.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets how long a score from outside a stage waits for its run to arrive, before it becomes a
    /// dead letter. The default is 30 seconds.
    ///
    /// The time begins when the score is recorded. After an outage it begins anew, once LangSmith
    /// accepts feedback and runs again and the runs that had to wait are delivered.
    pub fn wait_for_runs(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Sends feedback as the parts of one request. Returns `false` if the server has no such
    /// endpoint.
    async fn send_together(&self, batch: Uuid, all: &[Feedback<'_>], info: &Info) -> Result<bool, SinkError> {
        if all.len() > info.runs {
            return Err(SinkError::split(format!("LangSmith accepts {} scores at once", info.runs)));
        }
        let cut = Cut::nothing();
        let mut body = Multipart::begin(self.connection.compression(info), batch, &cut);
        for feedback in all {
            body.add_feedback(feedback.record.id(), |out| feedback.write(out, feedback.run()));
        }
        let body = body.finish().map_err(SinkError::retry)?;
        let Some(request) = self.connection.multipart(&body, info)? else {
            return Err(SinkError::split(format!("LangSmith accepts {} bytes at once", info.bytes)));
        };
        let answer = self.connection.send(&request).await?;
        if answer.status() == 404 {
            return Ok(false);
        }
        judge(&answer).map(|()| true)
    }

    /// Sends feedback in a request of its own.
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
            return Ok(Alone::Refused(format!("LangSmith accepts {} bytes at once", info.bytes)));
        };
        let answer = self.connection.send(&request).await?;
        match answer.status() {
            404 => Ok(Alone::Missing(answer)),
            400 | 422 => Ok(Alone::Refused(answer.reason(""))),
            _ => judge(&answer).map(|()| Alone::Taken),
        }
    }

    /// Sends the feedback that was not accepted yet.
    async fn send<'a>(&self, batch: &'a Batch, sent: &mut Sent<'a>) -> Result<(), SinkError> {
        let mut all = Feedback::all_of(batch);
        all.retain(|feedback| !self.taken.contains(feedback.record.id()));
        if all.is_empty() {
            return Ok(());
        }
        let info = self.connection.info().await;
        let has_place = |feedback: &Feedback<'_>| matches!(feedback.judged, Judged::Known { .. });
        let goes_beside = info.takes_feedback_in_multipart();
        let (together, mut alone): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|feedback| goes_beside && has_place(feedback));
        if !together.is_empty() {
            if self.send_together(batch.id(), &together, &info).await? {
                sent.taken.extend(together.iter().map(|feedback| feedback.record.id()));
            } else {
                self.connection.note_without_multipart();
                alone.extend(together);
            }
        }
        for feedback in alone {
            match self.send_alone(&feedback, &info).await? {
                Alone::Taken => sent.taken.push(feedback.record.id()),
                Alone::Missing(answer) => sent.missing.push((feedback, answer)),
                Alone::Refused(why) => sent.refused.push((feedback.index, why)),
            }
        }
        Ok(())
    }

    /// Judges the outcome of a batch.
    async fn judge(&self, sent: &mut Sent<'_>) -> Result<Delivered, SinkError> {
        let health = &self.connection.health;
        if !sent.taken.is_empty() {
            health.note_langsmith();
        }
        if !sent.missing.is_empty() {
            self.connection.require_langsmith().await?;
        }
        if !sent.taken.is_empty() || !sent.missing.is_empty() {
            health.feedback.note(&Ok(()), Instant::now());
        }
        if let Some((_, answer)) = sent.missing.iter().find(|(feedback, _)| self.is_early(feedback.record)) {
            return Err(SinkError::retry(answer.reason("its run has not arrived")));
        }
        let why = |answer: &Answer| answer.reason("LangSmith does not know the run that the score is about");
        let unknown = sent.missing.iter().map(|(feedback, answer)| (feedback.index, why(answer)));
        if sent.refused.is_empty() {
            // The sampler may have excluded their runs, which is no fault of LangSmith's.
            return Ok(Delivered::unsent(unknown));
        }
        Ok(Delivered::partly(unknown.chain(sent.refused.drain(..))))
    }

    /// Returns `true` if the run of a score may still arrive.
    fn is_early(&self, record: &Record) -> bool {
        let (now, recorded) = (Timestamp::now(), record.timestamp());
        // If the clock was set back, a score from the future does not wait until then.
        let age = now.since(recorded).max(recorded.since(now));
        age < self.wait || !self.connection.health.is_settled(self.wait, Instant::now())
    }
}

impl Sink for LangSmithFeedbackSink {
    fn name(&self) -> &str {
        &self.name
    }

    /// Returns limits of 100 records, which LangSmith accepts at once unless it says otherwise.
    fn limits(&self) -> BatchLimits {
        BatchLimits::default().with_records(100).with_bytes(4 << 20).with_in_flight(self.in_flight)
    }

    fn needs(&self) -> Needs {
        Needs::default().with_only_scores().with_ancestry()
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        let mut sent = Sent::default();
        let delivered = match self.send(batch, &mut sent).await {
            Ok(()) => self.judge(&mut sent).await,
            Err(error) => {
                let answer = Err(error);
                self.connection.health.feedback.note(&answer, Instant::now());
                answer
            }
        };
        match delivered {
            Ok(_) => self.taken.forget(batch.records().iter().map(Record::id)),
            Err(_) => self.taken.keep(sent.taken),
        }
        delivered
    }

    /// Asks for the server's limits, and checks that the key may read.
    async fn check(&self) -> Result<String, SinkError> {
        let info = self.connection.check().await?;
        let version = info.version.as_deref().unwrap_or("of unknown version");
        Ok(format!(
            "LangSmith {version} at {} accepts the key: scores go there as feedback",
            self.connection.settings.shown()
        ))
    }
}
