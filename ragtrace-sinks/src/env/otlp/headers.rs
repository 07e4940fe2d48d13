//! Parses headers from a variable.

use crate::http::Key;
use crate::otlp::{Header, parse_pairs};

/// Parses headers as in `OTEL_EXPORTER_OTLP_HEADERS`. Values may be credentials, so errors show
/// none of them.
pub(super) fn headers(variable: &str, text: &str) -> Result<Vec<Header>, String> {
    let mut headers: Vec<Header> = Vec::new();
    for (at, (name, value)) in parse_pairs(text)?.into_iter().enumerate() {
        // A credential alone, or after `Authorization:`, looks like a name because of the `=` at
        // its end.
        if hyper::header::HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(format!(
                "the name of header {} is invalid: expected `name=value`, with `=` in between and not `:`",
                at + 1
            ));
        }
        if value.bytes().all(|byte| byte == b'=') {
            return Err(format!("header {} has no value: expected `name=value`", at + 1));
        }
        if value.bytes().any(|byte| !(b' '..=b'~').contains(&byte)) {
            return Err(format!("the value of the header `{name}` should consist of ASCII characters"));
        }
        headers.retain(|other| !other.name.eq_ignore_ascii_case(&name));
        headers.push(Header { value: Key::text(value).named(variable), name });
    }
    Ok(headers)
}
