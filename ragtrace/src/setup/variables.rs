//! Settings from environment variables: the `RAGTRACE_*` variables first, then the equivalent ones
//! of Datadog and OpenTelemetry.

use std::cell::RefCell;
use std::ffi::OsString;
use std::path::PathBuf;

use ragtrace_core::ParseError;

use super::SetupError;
use crate::console::Console;
use crate::record::Levels;
use crate::spool::Durability;

/// The settings that variables contain.
#[derive(Debug, Default)]
pub(super) struct Variables {
    pub(super) service: Option<String>,
    pub(super) environment: Option<String>,
    pub(super) version: Option<String>,
    pub(super) levels: Option<Levels>,
    pub(super) console: Option<Console>,
    pub(super) spool: Option<PathBuf>,
    pub(super) spool_bytes: Option<u64>,
    pub(super) durability: Option<Durability>,
    /// Warnings about malformed variables of other systems, which are ignored.
    pub(super) warnings: Vec<String>,
}

impl Variables {
    /// Reads the variables that `lookup` knows. A variable that is empty or blank counts as unset.
    pub(super) fn read(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, SetupError> {
        let ours = |name: &str| text(&lookup, name).map_err(SetupError::setting);
        let warnings = RefCell::new(Vec::new());
        let warn = |warning: String| warnings.borrow_mut().push(format!("{warning}; the variable is ignored"));
        let theirs = |name: &str| text(&lookup, name).unwrap_or_else(|why| (warn(why), None).1);
        let attributes = theirs(ATTRIBUTES).and_then(|text| {
            let pairs = resource_attributes(&text);
            if pairs.is_none() {
                warn(format!("{ATTRIBUTES}: expected `key=value` pairs separated by commas"));
            }
            pairs
        });
        let attributes = attributes.unwrap_or_default();
        let attribute = |name: &str| {
            let last = attributes.iter().rev().find(|(key, _)| key == name);
            last.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
        };
        let variables = Self {
            service: ours("RAGTRACE_SERVICE")?
                .or_else(|| theirs("DD_SERVICE"))
                .or_else(|| theirs("OTEL_SERVICE_NAME"))
                .or_else(|| attribute("service.name")),
            environment: ours("RAGTRACE_ENV")?
                .or_else(|| theirs("DD_ENV"))
                .or_else(|| attribute("deployment.environment.name"))
                // The attribute's name until version 1.27 of the semantic conventions.
                .or_else(|| attribute("deployment.environment")),
            version: ours("RAGTRACE_VERSION")?
                .or_else(|| theirs("DD_VERSION"))
                .or_else(|| attribute("service.version")),
            levels: read("RAGTRACE_LOG", ours, str::parse)?,
            console: read("RAGTRACE_CONSOLE", ours, str::parse)?,
            spool: set(&lookup, "RAGTRACE_SPOOL").map(PathBuf::from),
            spool_bytes: read("RAGTRACE_SPOOL_BYTES", ours, number_of_bytes)?,
            durability: read("RAGTRACE_DURABILITY", ours, str::parse)?,
            warnings: Vec::new(),
        };
        Ok(Self { warnings: warnings.into_inner(), ..variables })
    }
}

/// Returns the value of a variable that is set and not blank.
fn set(lookup: impl Fn(&str) -> Option<OsString>, name: &str) -> Option<OsString> {
    lookup(name).filter(|value| value.to_str().is_none_or(|text| !text.trim().is_empty()))
}

/// Returns the value of a variable as text, or an error with the position of the first byte that is
/// not UTF-8. The error shows no part of the value, which may be a password that was meant for
/// another variable.
fn text(lookup: impl Fn(&str) -> Option<OsString>, name: &str) -> Result<Option<String>, String> {
    let value = set(lookup, name).map(OsString::into_string).transpose();
    value.map_err(|value| {
        let valid = str::from_utf8(value.as_encoded_bytes()).map_or_else(|error| error.valid_up_to(), str::len);
        format!("{name}: expected UTF-8, found an invalid byte at position {}", valid + 1)
    })
}

fn read<T>(
    name: &str,
    ours: impl Fn(&str) -> Result<Option<String>, SetupError>,
    parse: impl FnOnce(&str) -> Result<T, ParseError>,
) -> Result<Option<T>, SetupError> {
    let parsed = ours(name)?.map(|text| parse(text.trim())).transpose();
    parsed.map_err(|error| SetupError::setting(format!("{name}: {error}")))
}

fn number_of_bytes(text: &str) -> Result<u64, ParseError> {
    text.parse().map_err(|_| ParseError::new("a number of bytes", text))
}

const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";

/// Returns the key-value pairs in `OTEL_RESOURCE_ATTRIBUTES`, or `None` if any pair is malformed,
/// which invalidates the whole variable (OpenTelemetry, "Resource SDK", section "Specifying
/// resource information via an environment variable").
fn resource_attributes(text: &str) -> Option<Vec<(String, String)>> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (key, value) = pair.split_once('=')?;
            Some((percent_decoded(key.trim())?, percent_decoded(value.trim())?))
        })
        .collect()
}

/// Returns the text with its percent-encoded bytes decoded (RFC 3986, section 2.1), or `None` if it
/// is malformed.
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
