//! Headers in a variable.

use crate::http::Key;
use crate::otlp::{Header, parse_pairs};

/// Reads headers as `OTEL_EXPORTER_OTLP_HEADERS` has them. Values may be credentials: no error
/// shows one.
pub(super) fn headers(variable: &str, text: &str) -> Result<Vec<Header>, String> {
    let mut headers: Vec<Header> = Vec::new();
    for (at, (name, value)) in parse_pairs(text)?.into_iter().enumerate() {
        // A credential alone, or behind `Authorization:`, looks like a name by the `=` at its end.
        if hyper::header::HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(format!(
                "the name of header {} is none: expected `name=value`, with `=` between them and not `:`",
                at + 1
            ));
        }
        if value.bytes().all(|byte| byte == b'=') {
            return Err(format!("header {} has no value: expected `name=value`", at + 1));
        }
        if value.bytes().any(|byte| !(b' '..=b'~').contains(&byte)) {
            return Err(format!("the value of the header `{name}` should be of ASCII characters"));
        }
        headers.retain(|other| !other.name.eq_ignore_ascii_case(&name));
        headers.push(Header { value: Key::text(value).named(variable), name });
    }
    Ok(headers)
}
