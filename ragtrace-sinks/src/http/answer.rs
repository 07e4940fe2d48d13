//! An answer, and its description for an operator.

use std::fmt::{self, Write};
use std::time::SystemTime;

use hyper::body::Bytes;
use hyper::header::{HeaderMap, LOCATION};
use hyper::http::{StatusCode, Uri};
use ragtrace::sink::SinkError;

use super::endpoint::shown;
use super::retry_after::retry_after;
use super::secrets::Secrets;

/// A server's answer, as far as it was read.
pub struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The method and URL of the request, without secrets.
    pub(super) sent: String,
    pub(super) secrets: Secrets,
}

impl Answer {
    /// The largest number of bytes that are read of an answer: 64 KiB.
    pub const LONGEST: usize = 64 * 1024;
    /// The largest number of an answer's characters that an error shows.
    const SHOWN: usize = 200;

    /// Returns the HTTP status.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Returns the value of a header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the beginning of the body, at most [`LONGEST`](Self::LONGEST) bytes.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns a retryable error, with the time that the server asks to wait.
    pub fn retry(&self, advice: &str) -> SinkError {
        self.after(SinkError::retry(self.reason(advice)))
    }

    /// Returns the error of a request that is too large for the server.
    pub fn split(&self, advice: &str) -> SinkError {
        SinkError::split(self.reason(advice))
    }

    /// Returns the error of a request that contains bad data.
    pub fn rejected(&self, advice: &str) -> SinkError {
        SinkError::rejected(self.reason(advice))
    }

    /// Returns the error of a problem that an operator has to fix, as `advice` says.
    pub fn park(&self, advice: &str) -> SinkError {
        self.after(SinkError::park(self.reason(advice)))
    }

    fn after(&self, error: SinkError) -> SinkError {
        match retry_after(&self.headers, SystemTime::now()) {
            Some(wait) => error.after(wait),
            None => error,
        }
    }

    /// Returns method, URL, status, advice and the beginning of the answer, without secrets.
    pub fn reason(&self, advice: &str) -> String {
        let mut reason = format!("{}: {}", self.sent, self.status.as_str());
        if let Some(words) = self.status.canonical_reason() {
            write!(reason, " {words}").expect("writing to a text cannot fail");
        }
        if !advice.is_empty() {
            write!(reason, ": {advice}").expect("writing to a text cannot fail");
        }
        let quote = self.quote();
        if !quote.is_empty() {
            write!(reason, " (answer: {quote})").expect("writing to a text cannot fail");
        }
        reason
    }

    /// Returns the location that the answer redirects to, without secrets.
    pub(super) fn location(&self) -> Option<String> {
        let uri: Uri = self.header(LOCATION.as_str())?.parse().ok()?;
        Some(self.secrets.mask(shown(&uri)))
    }

    /// Returns the beginning of the answer on one line of printable characters.
    fn quote(&self) -> String {
        let body = self.secrets.mask(String::from_utf8_lossy(&self.body));
        let mut quote = String::new();
        let mut shown = 0;
        for word in body.split(|sign: char| sign.is_whitespace() || sign.is_control()).filter(|word| !word.is_empty()) {
            if shown > 0 {
                quote.push(' ');
                shown += 1;
            }
            for sign in word.chars() {
                if shown >= Self::SHOWN {
                    quote.push('…');
                    return quote;
                }
                quote.push(sign);
                shown += 1;
            }
        }
        quote
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({})", self.reason(""))
    }
}
