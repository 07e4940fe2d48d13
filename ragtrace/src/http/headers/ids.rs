//! `X-Trace-ID` and `X-Request-ID`, which no specification has.

use http::HeaderMap;

use super::names::{X_REQUEST_ID, X_TRACE_ID};
use super::value;
use crate::TraceId;

/// The most characters of a request's id.
const MOST_CHARACTERS: usize = 128;

/// Returns the trace that the header names: a UUID or 32 hex digits, not all zero.
pub(super) fn trace_id(headers: &HeaderMap) -> Option<TraceId> {
    let value = value::only(headers, &X_TRACE_ID).filter(|value| matches!(value.len(), 32 | 36))?;
    str::from_utf8(value).ok()?.parse().ok()
}

/// Returns the request's id that the header names, if it is of letters, digits and the signs that ids have, so that it
/// means nothing to a shell, a page or a query.
pub(super) fn request_id(headers: &HeaderMap) -> Option<&str> {
    let value = value::only(headers, &X_REQUEST_ID)?;
    let is_id = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@~".contains(byte);
    let is_valid = (1..=MOST_CHARACTERS).contains(&value.len()) && value.iter().all(is_id);
    is_valid.then(|| str::from_utf8(value).ok()).flatten()
}
