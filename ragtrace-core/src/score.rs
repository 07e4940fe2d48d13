//! Scores of traces and spans, often given long after these have ended.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::context::{Request, current};
use crate::dispatch;
use crate::entry::{self, ScoreEntry, score_field};
use crate::id::{SpanId, TraceId};
use crate::level::Level;
use crate::queue::Admission;
use crate::value::{FieldBuffer, Value};

/// A score of a trace or a span: a user's thumb up, the verdict of a judge model, or the result of
/// a check in code.
///
/// Inside a stage a score applies to the current run, and inside a request without a stage to the
/// trace. In other places, and at any later time, [`trace`](Self::trace) sets the trace, and
/// [`span`](Self::span) a run in it.
///
/// A score is stored as a record with [`Event::Score`](crate::Event::Score). It passes every level
/// filter and sampler, even if the other records of its trace do not. Its user and tenant are those
/// of the context in which it is recorded. A store refuses a score for a trace that belongs to
/// another tenant, and gives a score without a tenant the tenant of its trace.
///
/// # Examples
///
/// ```
/// use ragtrace::{RequestContext, Score, TraceId};
///
/// # async fn judge(_: &str) -> f64 { 0.83 }
/// # async fn answer(question: &str) -> (String, Option<TraceId>) {
/// // Where the answer is produced:
/// let answer = format!("I know nothing about {question}");
/// Score::number("faithfulness", judge(&answer).await).by("llm").record();
/// let trace = RequestContext::current().map(|request| request.trace_id());
/// # (answer, trace)
/// # }
/// # fn feedback(trace: TraceId) {
/// // Where the user's feedback arrives, with the trace id that was sent with the answer:
/// Score::flag("helpful", true).trace(trace).by("human").comment("exactly what I needed").record();
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a score is not recorded until `record()` is called"]
pub struct Score {
    name: Cow<'static, str>,
    value: Value,
    by: Option<Cow<'static, str>>,
    comment: Option<String>,
    trace_id: Option<TraceId>,
    span_id: Option<SpanId>,
    tenant_id: Option<String>,
}

/// The maximum length of a name in characters.
const LONGEST_NAME: usize = 64;
/// The permitted judges.
const JUDGES: [&str; 3] = ["human", "llm", "code"];

impl Score {
    /// Creates a numeric score, such as `faithfulness` from 0 to 1 or a number of stars.
    pub fn number(name: impl Into<Cow<'static, str>>, number: impl Into<f64>) -> Self {
        Self::new(name.into(), Value::F64(number.into()))
    }

    /// Creates a score that is true or false, such as a thumb up or a passed check.
    pub fn flag(name: impl Into<Cow<'static, str>>, flag: bool) -> Self {
        Self::new(name.into(), Value::Bool(flag))
    }

    /// Creates a score that is a word, such as `friendly` for `tone`.
    pub fn label(name: impl Into<Cow<'static, str>>, label: impl Into<Cow<'static, str>>) -> Self {
        Self::new(name.into(), Value::Text(label.into()))
    }

    fn new(name: Cow<'static, str>, value: Value) -> Self {
        Self { name, value, by: None, comment: None, trace_id: None, span_id: None, tenant_id: None }
    }

    /// Sets the trace to score. The score applies to the trace as a whole unless
    /// [`span`](Self::span) sets a run.
    pub fn trace(mut self, id: TraceId) -> Self {
        self.trace_id = Some(id);
        self
    }

    /// Sets the run to score. It belongs to the current trace unless [`trace`](Self::trace) sets
    /// another.
    pub fn span(mut self, id: SpanId) -> Self {
        self.span_id = Some(id);
        self
    }

    /// Sets the kind of judge: `human`, `llm` or `code`; none by default. A score with any other
    /// judge is not recorded.
    pub fn by(mut self, judge: impl Into<Cow<'static, str>>) -> Self {
        self.by = Some(judge.into());
        self
    }

    /// Sets a comment that gives the reason for the score.
    pub fn comment(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
        self
    }

    /// Sets the tenant that the trace belongs to. Defaults to the tenant of the current context.
    pub fn tenant(mut self, id: impl Into<String>) -> Self {
        self.tenant_id = Some(id.into());
        self
    }

    /// Records the score, and returns `true` if it was accepted for delivery.
    ///
    /// Returns `false` if no telemetry is installed, if the queue is full (which is counted, as for
    /// any record), or if [`try_record`](Self::try_record) would return an error. Delivery happens
    /// later: a score that a sink or a store refuses becomes a dead letter.
    #[expect(clippy::must_use_candidate, reason = "most callers need not know if the score was recorded")]
    pub fn record(self) -> bool {
        self.try_record().unwrap_or(false)
    }

    /// Records the score as [`record`](Self::record) does, or returns an error if the score is
    /// invalid.
    ///
    /// # Errors
    ///
    /// Returns an error if
    ///
    /// - the name does not have 1 to 64 characters, contains a control character, or is only white
    ///   space,
    /// - the number is not finite,
    /// - the judge is not `human`, `llm` or `code`,
    /// - no trace is set and there is no current one. This is checked only if telemetry is
    ///   installed.
    ///
    /// # Examples
    ///
    /// ```
    /// use ragtrace::{Score, TraceId};
    ///
    /// let score = Score::number("faithfulness", f64::NAN).trace(TraceId::new());
    /// let error = score.try_record().unwrap_err();
    /// assert_eq!(error.to_string(), "the score `faithfulness` is NaN: give a finite number");
    /// ```
    pub fn try_record(self) -> Result<bool, ScoreError> {
        self.check()?;
        if !dispatch::is_enabled() || !dispatch::is_enabled_here() {
            return Ok(false);
        }
        let (request, span) = self.subject().ok_or_else(|| ScoreError::without_trace(&self.name))?;
        let Some(recipient) = dispatch::recipient(&request) else { return Ok(false) };
        let mut fields = FieldBuffer::begin();
        fields.set(score_field::NAME, &*self.name);
        fields.set(score_field::VALUE, &self.value);
        fields.set(score_field::BY, &self.by.as_deref());
        fields.set(score_field::COMMENT, &self.comment);
        let head = entry::score(&ScoreEntry { span, at: request.now() });
        Ok(dispatch::send(recipient, &request, Admission::Droppable(Level::Info), head, &fields))
    }

    fn check(&self) -> Result<(), ScoreError> {
        let Self { name, value, by, .. } = self;
        let is_blank = name.chars().all(char::is_whitespace);
        if is_blank || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(ScoreError::name(name));
        }
        if let Value::F64(number) = value
            && !number.is_finite()
        {
            return Err(ScoreError(format!("the score `{name}` is {number}: give a finite number")));
        }
        match by.as_deref() {
            Some(judge) if !JUDGES.contains(&judge) => Err(ScoreError(format!(
                "the score `{name}` has the judge {:?}: use `human`, `llm` or `code`",
                beginning(judge)
            ))),
            _ => Ok(()),
        }
    }

    /// Returns the request and the run that the score belongs to, or `None` without a trace.
    fn subject(&self) -> Option<(Arc<Request>, Option<SpanId>)> {
        let around = current::request();
        let (request, span) = match (self.trace_id, around) {
            (None, around) => {
                let request = around?;
                // Outside of a stage, the current span may be a span of another process.
                let inside = current::span().filter(|span| request.remote_parent != Some(*span));
                (request, self.span_id.or(inside))
            }
            (Some(trace_id), Some(around)) if around.trace_id == trace_id => (around, self.span_id),
            (Some(trace_id), Some(around)) => (Arc::new(around.judging(trace_id)), self.span_id),
            (Some(trace_id), None) => (Arc::new(Request::new(trace_id)), self.span_id),
        };
        let tenant_id = self.tenant_id.as_deref();
        if tenant_id.is_none() || tenant_id == request.tenant_id.as_deref() {
            return Some((request, span));
        }
        Some((Arc::new(request.with_tenant(tenant_id)), span))
    }
}

/// An error returned for a score that cannot be recorded. Its message says what to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScoreError(String);

impl ScoreError {
    fn name(name: &str) -> Self {
        let expected = format!("1 to {LONGEST_NAME} characters, none of them a control character");
        Self(format!("invalid score name {:?}: give one of {expected}", beginning(name)))
    }

    fn without_trace(name: &str) -> Self {
        Self(format!("the score `{name}` has no trace: set one with `.trace(…)`, or record it inside a request"))
    }
}

/// Returns the beginning of a text that an error message shows.
fn beginning(text: &str) -> &str {
    text.char_indices().nth(LONGEST_NAME).map_or(text, |(end, _)| &text[..end])
}

impl fmt::Display for ScoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ScoreError {}
