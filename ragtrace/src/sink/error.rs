//! A sink's answer to a batch.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A batch that arrived, perhaps without some of its records.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Delivered {
    rejected: Vec<(usize, String)>,
}

impl Delivered {
    /// Makes the answer to a batch of which every record arrived.
    pub fn all() -> Self {
        Self::default()
    }

    /// Makes the answer to a batch of which these records were refused for good: their index in the
    /// batch, and why.
    pub fn partly(rejected: impl IntoIterator<Item = (usize, String)>) -> Self {
        Self { rejected: rejected.into_iter().collect() }
    }

    /// Returns the records that were refused: their index in the batch, and why.
    pub fn rejected(&self) -> &[(usize, String)] {
        &self.rejected
    }

    /// Changes the reasons, so that they may be shown.
    pub(crate) fn map_reasons(mut self, mut change: impl FnMut(&mut String)) -> Self {
        self.rejected.iter_mut().for_each(|(_, why)| change(why));
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
    /// Sends its halves, since it is too large.
    Split,
    /// Sends its halves, to find the record that the backend cannot take.
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
    pub(crate) fn panicked(why: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let why = Reason { message: "the sink panicked".to_owned(), source: Some(why.into()) };
        Self { is_panic: true, ..Self::retry(why) }
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
    pub fn reason(&self) -> String {
        let mut reason = self.why.to_string();
        let mut source = self.why.source();
        while let Some(error) = source {
            let message = error.to_string();
            if !reason.ends_with(&message) {
                reason.push_str(": ");
                reason.push_str(&message);
            }
            source = error.source();
        }
        reason
    }

    pub(crate) fn is_panic(&self) -> bool {
        self.is_panic
    }

    /// Puts all of its reason into the message and changes that, so that it may be shown.
    pub(crate) fn map_reason(self, change: impl FnOnce(&mut String)) -> Self {
        let mut message = self.reason();
        change(&mut message);
        Self { why: Arc::new(Reason { message, source: None }), ..self }
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

/// A reason in words of ours.
#[derive(Debug)]
struct Reason {
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Reason {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| -> &(dyn Error + 'static) { source })
    }
}
