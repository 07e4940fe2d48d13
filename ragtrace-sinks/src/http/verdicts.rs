//! The meaning of statuses to a backend, as a table.

use std::ops::RangeInclusive;

use ragtrace::sink::SinkError;

use super::answer::Answer;

/// The meaning of a backend's statuses: the first row that has the status says it.
///
/// A status that is in no row means what [RFC 9110] and the pipeline's contract make of it:
///
/// | status | means |
/// | --- | --- |
/// | 2xx | accepted |
/// | 400, 422 | rejected: the pipeline looks for the record that is to blame |
/// | 408, 425, 429 | again later |
/// | 413 | split |
/// | 3xx | parked; the error says where the redirect points to, and it is not followed, since the key would go along |
/// | every other 4xx | parked, which loses nothing |
/// | 5xx | again later |
/// | any other | again later: the server is none, or not well |
///
/// [RFC 9110]: https://www.rfc-editor.org/rfc/rfc9110#section-15
#[derive(Clone, Copy, Debug)]
pub struct Verdicts(&'static [Row]);

/// A row of [`Verdicts`]: some statuses, what they mean, and what an operator can do about it.
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
    /// Makes a row of statuses that say that all arrived.
    pub const fn accepted(statuses: RangeInclusive<u16>) -> Self {
        Self { statuses, meaning: Meaning::Accepted, advice: "" }
    }

    /// Makes a row of statuses of what passes. The answer's `Retry-After` is heeded.
    pub const fn retry(statuses: RangeInclusive<u16>) -> Self {
        Self { statuses, meaning: Meaning::Retry, advice: "" }
    }

    /// Makes a row of statuses that ask for less at once.
    pub const fn split(statuses: RangeInclusive<u16>) -> Self {
        Self { statuses, meaning: Meaning::Split, advice: "" }
    }

    /// Makes a row of statuses that refuse the data.
    pub const fn rejected(statuses: RangeInclusive<u16>) -> Self {
        Self { statuses, meaning: Meaning::Rejected, advice: "" }
    }

    /// Makes a row of statuses over which an operator has to act.
    pub const fn park(statuses: RangeInclusive<u16>) -> Self {
        Self { statuses, meaning: Meaning::Park, advice: "" }
    }

    /// Sets what the error says to do, as a lower-case fragment: `check DD_API_KEY and DD_SITE`.
    pub const fn advise(mut self, advice: &'static str) -> Self {
        self.advice = advice;
        self
    }
}

impl Verdicts {
    /// Makes a table of rows, of which the first that has a status counts.
    pub const fn new(rows: &'static [Row]) -> Self {
        Self(rows)
    }

    /// Judges an answer.
    ///
    /// # Errors
    ///
    /// If its status does not mean that all arrived.
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

/// Returns what an operator can do about a status that the backend's table does not have.
fn advice_over(answer: &Answer) -> String {
    match answer.status() {
        300..=399 => match answer.location() {
            Some(location) => format!("it redirects to {location}: set the URL to where the backend is"),
            None => "it redirects: set the URL to where the backend is".to_owned(),
        },
        401 | 403 => "check the key, and what it may do".to_owned(),
        404 | 405 | 410 => "check the URL: there is nothing that takes this".to_owned(),
        407 => "check user and password of the proxy".to_owned(),
        _ => String::new(),
    }
}
