//! The outcome of a delivery.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ragtrace_core::guard::{contain, dispose};

/// The successful outcome of a delivery, in which some records may have been refused.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Delivered {
    rejected: Vec<(usize, String)>,
    is_unsent: bool,
    /// The number of records that were refused without being identified, and the reason.
    unnamed: Option<(u64, String)>,
}

impl Delivered {
    /// Returns the outcome of a batch in which every record was delivered.
    pub fn all() -> Self {
        Self::default()
    }

    /// Returns the outcome of a batch in which the backend refused some records for good, each
    /// given by its index in the batch and the reason.
    ///
    /// Refused records become dead letters.
    pub fn partly(rejected: impl IntoIterator<Item = (usize, String)>) -> Self {
        Self { rejected: rejected.into_iter().collect(), ..Self::default() }
    }

    /// Returns the outcome of a batch in which some records were not sent, because the backend does
    /// not accept such records, for example because of their age.
    ///
    /// Each is given by its index in the batch and the reason.
    ///
    /// The records become dead letters. Unlike records that the backend itself refuses
    /// ([`Verdict::Rejected`]), they never park the sink, however many they are.
    pub fn unsent(records: impl IntoIterator<Item = (usize, String)>) -> Self {
        let rejected: Vec<_> = records.into_iter().collect();
        Self { is_unsent: !rejected.is_empty(), rejected, ..Self::default() }
    }

    /// Returns the outcome of a batch in which the backend refused a number of records without
    /// identifying them; they count as dropped.
    ///
    /// With 0 records, `why` is a warning of the backend, which is passed on to the operator.
    pub fn all_but(records: u64, why: impl Into<String>) -> Self {
        Self { unnamed: Some((records, why.into())), ..Self::default() }
    }

    /// Returns the number of refused records that were not identified, and the reason.
    pub fn unnamed(&self) -> Option<(u64, &str)> {
        self.unnamed.as_ref().map(|(records, why)| (*records, why.as_str()))
    }

    /// Returns `true` if the backend itself refused no record.
    pub(crate) fn is_unsent(&self) -> bool {
        self.is_unsent
    }

    /// Returns the refused records, each with its index in the batch and the reason.
    pub fn rejected(&self) -> &[(usize, String)] {
        &self.rejected
    }

    /// Changes the reasons, for example to redact them.
    pub(crate) fn map_reasons(mut self, mut change: impl FnMut(&mut String)) -> Self {
        self.rejected.iter_mut().map(|(_, why)| why).for_each(&mut change);
        self.unnamed.iter_mut().map(|(_, why)| why).for_each(change);
        self
    }
}

/// An error returned by a sink when a batch was not delivered.
///
/// Its [`Verdict`] decides what the pipeline does next. The error is created from a text or from
/// another error, whose message and sources it keeps:
///
/// ```
/// use std::error::Error;
/// use ragtrace::sink::{SinkError, Verdict};
///
/// # let number = "x".parse::<u32>();
/// # #[derive(Debug)]
/// # struct Refused(std::num::ParseIntError);
/// # impl std::fmt::Display for Refused {
/// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("the answer is malformed") }
/// # }
/// # impl Error for Refused { fn source(&self) -> Option<&(dyn Error + 'static)> { Some(&self.0) } }
/// # let error = Refused(number.unwrap_err());
/// let error = SinkError::retry(error);
/// assert_eq!(error.verdict(), Verdict::Retry);
/// assert_eq!(error.to_string(), "the answer is malformed");
/// assert_eq!(error.source().unwrap().to_string(), "invalid digit found in string");
/// assert_eq!(error.reason(), "the answer is malformed: invalid digit found in string");
/// ```
#[derive(Debug, Clone)]
pub struct SinkError {
    verdict: Verdict,
    why: Arc<dyn Error + Send + Sync>,
    after: Option<Duration>,
    is_panic: bool,
}

/// The pipeline's reaction to a [`SinkError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Sends the batch again later: after random pauses of at first up to 0.2 seconds, then up to a
    /// minute.
    Retry,
    /// Sends the batch in halves, because it is too large. A single record that is too large
    /// becomes a dead letter.
    Split,
    /// Sends the batch in halves, to find the record or metric that the backend does not accept.
    /// The record becomes a dead letter. If 8 in a row are refused and nothing is accepted in
    /// between, the backend is probably misconfigured, and the sink is parked instead.
    Rejected,
    /// Waits until an operator has acted, and tries the batch again every 30 seconds.
    Park,
    /// Sends nothing more, because the sink has ended.
    Closed,
}

impl SinkError {
    /// Creates an error for a temporary failure: the backend is down, slow or busy.
    pub fn retry(why: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Verdict::Retry, why.into())
    }

    /// Creates an error for a batch that is too large for the backend.
    pub fn split(why: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Verdict::Split, why.into())
    }

    /// Creates an error for a batch that the backend will never accept as it is, because of bad
    /// data in it.
    pub fn rejected(why: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Verdict::Rejected, why.into())
    }

    /// Creates an error for a failure that lasts until an operator acts, such as bad credentials, a
    /// missing folder or a newer schema.
    pub fn park(why: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Verdict::Park, why.into())
    }

    /// Creates an error for a sink that cannot continue, whatever it is given.
    pub fn closed(why: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Verdict::Closed, why.into())
    }

    /// Creates an error for a sink that panicked, either for a temporary reason or because of a
    /// record.
    pub(crate) fn panicked(why: &str) -> Self {
        Self { is_panic: true, ..Self::retry(Reason(format!("the sink panicked: {why}"))) }
    }

    /// Sets how long the backend asks to wait before the next attempt (`Retry-After`).
    ///
    /// The pipeline respects it after [`retry`](Self::retry) and [`park`](Self::park), up to one
    /// hour.
    pub fn after(mut self, delay: Duration) -> Self {
        self.after = Some(delay);
        self
    }

    /// Returns the pipeline's reaction to the error.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Returns how long the backend asked to wait before the next attempt, or `None` if it did not
    /// ask.
    pub fn retry_after(&self) -> Option<Duration> {
        self.after
    }

    /// Returns the messages of the error and its sources, separated by colons.
    ///
    /// Reports and dead letters show this text.
    ///
    /// A source whose message the previous one already ends with is left out. Sources beyond the
    /// 64th are replaced by a mark, because an error may be its own source.
    pub fn reason(&self) -> String {
        reason_of(&*self.why)
    }

    pub(crate) fn is_panic(&self) -> bool {
        self.is_panic
    }

    /// Turns the full reason into the message and changes it, for example to redact it.
    pub(crate) fn map_reason(self, change: impl FnOnce(&mut String)) -> Self {
        let mut message = self.reason();
        change(&mut message);
        Self { why: Arc::new(Reason(message)), ..self }
    }

    /// Turns the full reason into the message and drops the sink's own error, whose methods and
    /// destructor may panic.
    pub(crate) fn detached(self) -> Self {
        let Self { verdict, why, after, is_panic } = self;
        let message = contain(|| reason_of(&*why)).unwrap_or_else(|payload| {
            dispose(payload);
            "its reason cannot be told, since that panics".to_owned()
        });
        if let Err(payload) = contain(|| drop(why)) {
            dispose(payload);
        }
        Self { verdict, why: Arc::new(Reason(message)), after, is_panic }
    }

    fn new(verdict: Verdict, why: Box<dyn Error + Send + Sync>) -> Self {
        Self { verdict, why: Arc::from(why), after: None, is_panic: false }
    }
}

impl fmt::Display for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)
    }
}

impl Error for SinkError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.why.source()
    }
}

/// Returns the messages of an error and its sources.
fn reason_of(error: &dyn Error) -> String {
    const LONGEST: usize = 64;
    let mut reason = error.to_string();
    let mut sources = std::iter::successors(error.source(), |&error| error.source());
    for error in sources.by_ref().take(LONGEST) {
        let message = error.to_string();
        if !reason.ends_with(&message) {
            reason.push_str(": ");
            reason.push_str(&message);
        }
    }
    if sources.next().is_some() {
        reason.push_str(": …");
    }
    reason
}

/// A reason given as text.
#[derive(Debug)]
struct Reason(String);

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Reason {}
