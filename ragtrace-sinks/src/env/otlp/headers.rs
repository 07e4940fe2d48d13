//! Headers in a variable.

use crate::http::Key;
use crate::otlp::{Header, parse_pairs};

/// Reads headers as `OTEL_EXPORTER_OTLP_HEADERS` has them. Values may be credentials: no error shows one.
pub(super) fn headers(variable: &str, text: &str) -> Result<Vec<Header>, String> {
    let mut headers: Vec<Header> = Vec::new();
    for (name, value) in parse_pairs(text)? {
        if hyper::header::HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(format!("{name:?} is no name of a header"));
        }
        if value.is_empty() || value.bytes().any(|byte| !(b' '..=b'~').contains(&byte)) {
            return Err(format!("the value of the header `{name}` should be of ASCII characters, and not empty"));
        }
        headers.retain(|other| !other.name.eq_ignore_ascii_case(&name));
        headers.push(Header { value: Key::text(value).named(variable), name });
    }
    Ok(headers)
}
