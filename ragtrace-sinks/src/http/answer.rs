//! An answer, and the words in which an operator reads of it.

use std::fmt::{self, Write};
use std::time::SystemTime;

use hyper::body::Bytes;
use hyper::header::{HeaderMap, LOCATION};
use hyper::http::{StatusCode, Uri};
use ragtrace::sink::SinkError;

use super::endpoint::shown;
use super::retry_after::retry_after;
use super::secrets::Secrets;

/// An answer of a server, as far as it was read.
pub struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The method and the URL of the request, as they may be shown.
    pub(super) sent: String,
    pub(super) secrets: Secrets,
}

impl Answer {
    /// The bytes that are read of an answer, at most: 64 KiB.
    pub const LONGEST: usize = 64 * 1024;
    /// The characters of an answer that an error shows, at most.
    const SHOWN: usize = 200;

    /// Returns the status.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Returns the value of a header that is a text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the beginning of the body, [`LONGEST`](Self::LONGEST) bytes of it at most.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Reports that the request may succeed later, and after how long the server would have it
    /// again.
    pub fn retry(&self, advice: &str) -> SinkError {
        self.after(SinkError::retry(self.reason(advice)))
    }

    /// Reports that the server wants less at once.
    pub fn split(&self, advice: &str) -> SinkError {
        SinkError::split(self.reason(advice))
    }

    /// Reports that there is bad data in what was sent.
    pub fn rejected(&self, advice: &str) -> SinkError {
        SinkError::rejected(self.reason(advice))
    }

    /// Reports that an operator has to act, as `advice` says.
    pub fn park(&self, advice: &str) -> SinkError {
        self.after(SinkError::park(self.reason(advice)))
    }

    fn after(&self, error: SinkError) -> SinkError {
        match retry_after(&self.headers, SystemTime::now()) {
            Some(wait) => error.after(wait),
            None => error,
        }
    }

    /// Returns method, URL, status, advice and the beginning of the answer, without a secret.
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

    /// Returns where the answer says to go instead, as it may be shown.
    pub(super) fn location(&self) -> Option<String> {
        let uri: Uri = self.header(LOCATION.as_str())?.parse().ok()?;
        Some(self.secrets.mask(shown(&uri)))
    }

    /// Returns the beginning of the answer in one line of characters that can be shown.
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
