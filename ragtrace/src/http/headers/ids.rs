//! `X-Trace-ID` and `X-Request-ID`, which no specification defines.

use http::HeaderMap;

use super::names::{X_REQUEST_ID, X_TRACE_ID};
use super::value;
use crate::TraceId;

/// The maximum length of a request id in characters.
const MOST_CHARACTERS: usize = 128;

/// Returns the trace id in the header: a UUID or 32 hex digits, not all zero.
pub(in crate::http) fn trace_id(headers: &HeaderMap) -> Option<TraceId> {
    read_trace_id(value::only(headers, &X_TRACE_ID)?)
}

/// Returns the request id in the header, if it consists of letters, digits and the punctuation
/// common in ids, so that it has no special meaning in a shell, a page or a query.
pub(super) fn request_id(headers: &HeaderMap) -> Option<&str> {
    read_request_id(value::only(headers, &X_REQUEST_ID)?)
}

fn read_trace_id(value: &[u8]) -> Option<TraceId> {
    // The length is checked first, because a parse error would copy the value.
    let value = Some(value).filter(|value| matches!(value.len(), 32 | 36))?;
    str::from_utf8(value).ok()?.parse().ok()
}

fn read_request_id(value: &[u8]) -> Option<&str> {
    let is_id = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@~".contains(byte);
    let is_valid = (1..=MOST_CHARACTERS).contains(&value.len()) && value.iter().all(is_id);
    is_valid.then(|| str::from_utf8(value).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_with_a_byte_that_no_header_may_have_is_none() {
        let (trace, request) = (b"0af7651916cd43dd8448eb211c80319c", b"req-0123456789abcdef");
        assert!(read_trace_id(trace).is_some() && read_request_id(request).is_some());
        for byte in [b'\r', b'\n', 0, b'\t', 0x1b, 0x7f, 0x80, 0xff] {
            for at in [0, 9, 19] {
                let (mut trace, mut request) = (*trace, *request);
                (trace[at], request[at]) = (byte, byte);
                assert_eq!((read_trace_id(&trace), read_request_id(&request)), (None, None), "{byte:#x} at {at}");
            }
        }
    }
}
