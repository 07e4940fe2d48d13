//! A table of the meaning of HTTP statuses for a backend.

use std::ops::RangeInclusive;

use ragtrace::sink::SinkError;

use super::answer::Answer;

/// The meaning of a backend's HTTP statuses. The first row with the status decides.
///
/// A status without a row has the meaning that follows from [RFC 9110] and the pipeline's contract:
///
/// | status | meaning |
/// | --- | --- |
/// | 2xx | accepted |
/// | 400, 422 | rejected: the pipeline looks for the bad record |
/// | 408, 425, 429 | retried |
/// | 413 | split |
/// | 3xx | parked; the error names the location, and it is not followed, since the key would go along |
/// | every other 4xx | parked, which loses nothing |
/// | 5xx | retried |
/// | any other | retried, since the server is faulty |
///
/// [RFC 9110]: https://www.rfc-editor.org/rfc/rfc9110#section-15
#[derive(Clone, Copy, Debug)]
pub struct Verdicts(&'static [Row]);

/// A row of [`Verdicts`]: a range of statuses, their meaning, and advice for an operator.
#[derive(Clone, Debug)]
pub struct Row {
    statuses: RangeInclusive<u16>,
    meaning: Meaning,
    advice: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Accepted,
    Retry,
    Split,
    Rejected,
    Park,
}

impl Row {
    /// Creates a row of statuses that mean that everything has arrived.
    pub const fn accepted(statuses: RangeInclusive<u16>) -> Self {
        Self { statuses, meaning: Meaning::Accepted, advice: "" }
    }

    /// Creates a row of statuses of temporary failures. The answer's `Retry-After` is respected.
    pub const fn retry(statuses: RangeInclusive<u16>) -> Self {
        Self { statuses, meaning: Meaning::Retry, advice: "" }
    }

    /// Creates a row of statuses that mean that a request is too large.
    pub const fn split(statuses: RangeInclusive<u16>) -> Self {
        Self { statuses, meaning: Meaning::Split, advice: "" }
    }

    /// Creates a row of statuses that refuse the data.
    pub const fn rejected(statuses: RangeInclusive<u16>) -> Self {
        Self { statuses, meaning: Meaning::Rejected, advice: "" }
    }

    /// Creates a row of statuses that need an operator.
    pub const fn park(statuses: RangeInclusive<u16>) -> Self {
        Self { statuses, meaning: Meaning::Park, advice: "" }
    }

    /// Sets the error's advice, as a lower-case fragment: `check DD_API_KEY and DD_SITE`.
    pub const fn advise(mut self, advice: &'static str) -> Self {
        self.advice = advice;
        self
    }
}

impl Verdicts {
    /// Creates a table of rows. The first row with a status decides.
    pub const fn new(rows: &'static [Row]) -> Self {
        Self(rows)
    }

    /// Judges an answer.
    ///
    /// # Errors
    ///
    /// Returns an error unless the status means that everything has arrived.
    pub fn judge(&self, answer: &Answer) -> Result<(), SinkError> {
        let status = answer.status();
        let row = self.0.iter().find(|row| row.statuses.contains(&status));
        let (meaning, advice) = match row {
            Some(row) => (row.meaning, row.advice.to_owned()),
            None => (customary(status), advice_over(answer)),
        };
        match meaning {
            Meaning::Accepted => Ok(()),
            Meaning::Retry => Err(answer.retry(&advice)),
            Meaning::Split => Err(answer.split(&advice)),
            Meaning::Rejected => Err(answer.rejected(&advice)),
            Meaning::Park => Err(answer.park(&advice)),
        }
    }
}

fn customary(status: u16) -> Meaning {
    match status {
        200..=299 => Meaning::Accepted,
        400 | 422 => Meaning::Rejected,
        408 | 425 | 429 => Meaning::Retry,
        413 => Meaning::Split,
        300..=499 => Meaning::Park,
        _ => Meaning::Retry,
    }
}

/// Returns advice about a status that is not in the backend's table.
fn advice_over(answer: &Answer) -> String {
    match answer.status() {
        300..=399 => match answer.location() {
            Some(location) => format!("it redirects to {location}: set the URL to the backend itself"),
            None => "it redirects: set the URL to the backend itself".to_owned(),
        },
        401 | 403 => "check the key and its permissions".to_owned(),
        404 | 405 | 410 => "check the URL: nothing there accepts this request".to_owned(),
        407 => "check the proxy's user and password".to_owned(),
        _ => String::new(),
    }
}
