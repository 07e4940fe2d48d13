//! A sink's answer to a batch.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ragtrace_core::guard::{contain, dispose};

/// A batch that arrived, perhaps without some of its records.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Delivered {
    rejected: Vec<(usize, String)>,
    is_unsent: bool,
    /// How many were refused besides, nobody knows which, and why.
    unnamed: Option<(u64, String)>,
}

impl Delivered {
    /// Makes the answer to a batch of which every record arrived.
    pub fn all() -> Self {
        Self::default()
    }

    /// Makes the answer to a batch of which these records were refused for good: their index in the
    /// batch, and why.
    pub fn partly(rejected: impl IntoIterator<Item = (usize, String)>) -> Self {
        Self { rejected: rejected.into_iter().collect(), ..Self::default() }
    }

    /// Makes the answer to a batch of which these records were not sent, since the backend takes
    /// none such: their index in the batch, and why, as for their age. They become dead letters.
    /// However many they are, that says nothing of the backend, while records that it refused
    /// itself park the sink when there is nothing else for long.
    pub fn unsent(records: impl IntoIterator<Item = (usize, String)>) -> Self {
        let rejected: Vec<_> = records.into_iter().collect();
        Self { is_unsent: !rejected.is_empty(), rejected, ..Self::default() }
    }

    /// Makes the answer to a batch that arrived but for so many records, of which the backend does
    /// not say which they are: they count as dropped. With 0 records the reason is a warning of the
    /// backend's, which an operator is told.
    pub fn all_but(records: u64, why: impl Into<String>) -> Self {
        Self { unnamed: Some((records, why.into())), ..Self::default() }
    }

    /// Returns how many records were refused without being named, and why.
    pub fn unnamed(&self) -> Option<(u64, &str)> {
        self.unnamed.as_ref().map(|(records, why)| (*records, why.as_str()))
    }

    /// Returns true if no record was refused by the backend itself.
    pub(crate) fn is_unsent(&self) -> bool {
        self.is_unsent
    }

    /// Returns the records that were refused: their index in the batch, and why.
    pub fn rejected(&self) -> &[(usize, String)] {
        &self.rejected
    }

    /// Changes the reasons, so that they may be shown.
    pub(crate) fn map_reasons(mut self, mut change: impl FnMut(&mut String)) -> Self {
        self.rejected.iter_mut().map(|(_, why)| why).for_each(&mut change);
        self.unnamed.iter_mut().map(|(_, why)| why).for_each(change);
        self
    }
}

/// An error that is returned when a batch did not arrive. Its [`Verdict`] says what the pipeline
/// does next.
///
/// It is made of a text or of another error, which it shows as its own and whose sources it keeps:
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

/// The pipeline's next step after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Sends it again, later.
    Retry,
    /// Sends it in parts, since it is too large.
    Split,
    /// Sends it in parts, to find the record or count that the backend cannot take.
    Rejected,
    /// Waits until an operator has acted, with a probe now and then.
    Park,
    /// Sends nothing any more: the sink is at its end.
    Closed,
}

impl SinkError {
    /// Reports something that passes: the backend is down, slow or busy.
    pub fn retry(why: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Verdict::Retry, why.into())
    }

    /// Reports that the batch is too large for the backend.
    pub fn split(why: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Verdict::Split, why.into())
    }

    /// Reports that the backend will never take this batch as it is: there is bad data in it.
    pub fn rejected(why: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Verdict::Rejected, why.into())
    }

    /// Reports that nothing can be delivered before an operator acts: bad credentials, a missing
    /// folder, a newer schema.
    pub fn park(why: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Verdict::Park, why.into())
    }

    /// Reports that the sink cannot go on, whatever it is given.
    pub fn closed(why: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Verdict::Closed, why.into())
    }

    /// Reports that the sink panicked: perhaps over something that passes, perhaps over a record.
    pub(crate) fn panicked(why: &str) -> Self {
        Self { is_panic: true, ..Self::retry(Reason(format!("the sink panicked: {why}"))) }
    }

    /// Sets how long the backend asks to wait before the next attempt (`Retry-After`).
    pub fn after(mut self, delay: Duration) -> Self {
        self.after = Some(delay);
        self
    }

    /// Returns what the pipeline does.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Returns how long the backend asked to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.after
    }

    /// Returns the message and those of all sources, each after a colon: what reports and dead
    /// letters say. A source that the message before it ends with already is left out.
    ///
    /// Of more than 64 sources the rest is left out, with a mark: an error may be its own source.
    pub fn reason(&self) -> String {
        reason_of(&*self.why)
    }

    pub(crate) fn is_panic(&self) -> bool {
        self.is_panic
    }

    /// Puts all of its reason into the message and changes that, so that it may be shown.
    pub(crate) fn map_reason(self, change: impl FnOnce(&mut String)) -> Self {
        let mut message = self.reason();
        change(&mut message);
        Self { why: Arc::new(Reason(message)), ..self }
    }

    /// Puts all of its reason into the message and lets go of the error that the sink made, whose
    /// methods and destructor may panic.
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

/// Returns an error's message and those of its sources.
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

/// A reason in words of ours.
#[derive(Debug)]
struct Reason(String);

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Reason {}
