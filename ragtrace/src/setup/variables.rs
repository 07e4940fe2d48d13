//! Settings from variables: ours, then those of backends and of OpenTelemetry that say the same.

use std::path::PathBuf;
use std::str::FromStr;

use ragtrace_core::{Level, ParseError};

use super::SetupError;
use crate::console::Console;
use crate::spool::Durability;

/// What variables say.
#[derive(Debug, Default)]
pub(super) struct Variables {
    pub(super) service: Option<String>,
    pub(super) environment: Option<String>,
    pub(super) version: Option<String>,
    pub(super) level: Option<Level>,
    pub(super) console: Option<Console>,
    pub(super) spool: Option<PathBuf>,
    pub(super) spool_bytes: Option<u64>,
    pub(super) durability: Option<Durability>,
    /// What is of no use, though no reason to fail: a variable of somebody else's.
    pub(super) warning: Option<String>,
}

impl Variables {
    /// Reads the variables that `lookup` knows.
    pub(super) fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SetupError> {
        let set = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let attributes = set(ATTRIBUTES).map_or(Some(Vec::new()), |text| resource_attributes(&text));
        let warning = attributes
            .is_none()
            .then(|| format!("{ATTRIBUTES} is passed over: it should be `key=value` pairs with commas between them"));
        let attributes = attributes.unwrap_or_default();
        let attribute = |name: &str| {
            let last = attributes.iter().rev().find(|(key, _)| key == name);
            last.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
        };
        let first = |names: [&str; 2]| names.into_iter().find_map(set);
        Ok(Self {
            service: first(["RAGTRACE_SERVICE", "DD_SERVICE"])
                .or_else(|| set("OTEL_SERVICE_NAME"))
                .or_else(|| attribute("service.name")),
            environment: first(["RAGTRACE_ENV", "DD_ENV"])
                .or_else(|| attribute("deployment.environment.name"))
                // Its name until version 1.27 of the semantic conventions.
                .or_else(|| attribute("deployment.environment")),
            version: first(["RAGTRACE_VERSION", "DD_VERSION"]).or_else(|| attribute("service.version")),
            level: set("RAGTRACE_LOG").map(|text| read("RAGTRACE_LOG", &text, level)).transpose()?,
            console: parsed(set, "RAGTRACE_CONSOLE")?,
            spool: set("RAGTRACE_SPOOL").map(PathBuf::from),
            spool_bytes: set("RAGTRACE_SPOOL_BYTES")
                .map(|text| read("RAGTRACE_SPOOL_BYTES", &text, number_of_bytes))
                .transpose()?,
            durability: parsed(set, "RAGTRACE_DURABILITY")?,
            warning,
        })
    }
}

fn parsed<T: FromStr<Err = ParseError>>(
    set: impl Fn(&str) -> Option<String>,
    name: &str,
) -> Result<Option<T>, SetupError> {
    set(name).map(|text| read(name, &text, str::parse)).transpose()
}

fn read<T>(name: &str, text: &str, parse: impl FnOnce(&str) -> Result<T, ParseError>) -> Result<T, SetupError> {
    parse(text).map_err(|error| SetupError::setting(format!("{name}: {error}")))
}

fn level(text: &str) -> Result<Level, ParseError> {
    const EXPECTED: &str =
        "one level for everything (trace, debug, info, warn or error), and no directives such as target=level";
    if text.contains(['=', ',']) { Err(ParseError::new(EXPECTED, text)) } else { text.parse() }
}

fn number_of_bytes(text: &str) -> Result<u64, ParseError> {
    text.parse().map_err(|_| ParseError::new("a number of bytes", text))
}

const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";

/// The pairs in such a variable, or `None` if it is malformed, which has all of it passed over
/// (OpenTelemetry, "Resource SDK", section "Specifying resource information via an environment
/// variable").
fn resource_attributes(text: &str) -> Option<Vec<(String, String)>> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (key, value) = pair.split_once('=')?;
            Some((percent_decoded(key.trim())?, percent_decoded(value.trim())?))
        })
        .collect()
}

/// The text with its percent-encoded bytes as they were (RFC 3986, section 2.1), or `None` if it is
/// malformed.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let decoded = if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
            is_hex.then(|| u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()).flatten()?
        } else {
            byte
        };
        bytes.push(decoded);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resource_attributes_are_pairs_with_encoded_bytes_or_nothing_at_all() {
        let read = |text| {
            resource_attributes(text)
                .map(|pairs| pairs.into_iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>())
        };
        assert_eq!(read(" a = b%2Cc ,d=e%3Df=g,").as_deref(), Some(&["a=b,c".to_owned(), "d=e=f=g".to_owned()][..]));
        assert_eq!(read("").as_deref(), Some(&[][..]));
        for malformed in ["a", "a=b,c", "a=%", "a=%2", "a=%+1", "a=%zz", "a=%ff"] {
            assert_eq!(read(malformed), None, "{malformed}");
        }
    }
}
