//! Reads variables, each as the type that it is meant to have.

use std::ffi::OsString;
#[cfg(feature = "http")]
use std::time::Duration;

use super::error::{ConfigError, Kind};
#[cfg(feature = "http")]
use crate::http::{Endpoint, Key};
#[cfg(feature = "http")]
use crate::quote::quoted;

/// The variables that a lookup function knows.
///
/// Except for [`raw_text`](Self::raw_text), a variable that is empty or blank counts as not set, as
/// OpenTelemetry specifies ("Environment Variable Specification", "Parsing empty value").
pub struct Variables<'a>(&'a dyn Fn(&str) -> Option<OsString>);

impl<'a> Variables<'a> {
    /// Creates a set of variables whose values `lookup` returns.
    pub fn new(lookup: &'a dyn Fn(&str) -> Option<OsString>) -> Self {
        Self(lookup)
    }

    /// Returns the value of a variable that is not empty, in any encoding.
    #[cfg(any(feature = "sqlite", feature = "postgres", feature = "http"))]
    pub fn path(&self, name: &str) -> Option<OsString> {
        (self.0)(name).filter(|value| value.to_str().is_none_or(|text| !text.trim().is_empty()))
    }

    /// Returns the text of a variable that is not empty.
    ///
    /// # Errors
    ///
    /// Returns an error if the value is not UTF-8.
    #[cfg(any(feature = "postgres", feature = "http"))]
    pub fn text(&self, name: &str) -> Result<Option<String>, ConfigError> {
        self.path(name).map(|value| utf8(name, value)).transpose()
    }

    /// Returns the text of a variable, which may be empty.
    ///
    /// # Errors
    ///
    /// Returns an error if the value is not UTF-8.
    pub fn raw_text(&self, name: &str) -> Result<Option<String>, ConfigError> {
        (self.0)(name).map(|value| utf8(name, value)).transpose()
    }
}

#[cfg(feature = "http")]
impl Variables<'_> {
    /// Returns the lookup function.
    pub(super) fn lookup(&self) -> &dyn Fn(&str) -> Option<OsString> {
        self.0
    }

    /// Returns the boolean in a variable: `true`, `1` or `yes`, or `false`, `0` or `no`, in any
    /// case.
    ///
    /// # Errors
    ///
    /// Returns an error if the value is anything else.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, ConfigError> {
        self.parse(name, |text| match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Ok(true),
            "false" | "0" | "no" => Ok(false),
            _ => Err(format!("expected `true` or `false`, found {}", quoted(text))),
        })
    }

    /// Returns the URL in a variable.
    ///
    /// # Errors
    ///
    /// Returns an error if the value is not a URL that requests can be sent to.
    pub fn url(&self, name: &str) -> Result<Option<Endpoint>, ConfigError> {
        self.parse(name, |text| text.parse::<Endpoint>().map_err(|error| error.to_string()))
    }

    /// Returns the duration in a variable, given as whole milliseconds, at least 1.
    ///
    /// # Errors
    ///
    /// Returns an error if the value is anything else.
    pub fn duration_ms(&self, name: &str) -> Result<Option<Duration>, ConfigError> {
        self.parse(name, |text| match text.parse::<u64>() {
            Ok(millis) if millis > 0 => Ok(Duration::from_millis(millis)),
            _ => Err(format!("expected whole milliseconds, at least 1, found {}", quoted(text))),
        })
    }

    /// Returns the key in the variable `name`, or in the file that the variable `file_name` names.
    ///
    /// # Errors
    ///
    /// Returns an error if both are set, since one of them would be outdated some day, or if the
    /// key is not UTF-8. The message does not show the key.
    pub fn key(&self, name: &str, file_name: &str) -> Result<Option<Key>, ConfigError> {
        match (self.path(name), self.path(file_name)) {
            (Some(_), Some(_)) => {
                Err(ConfigError::malformed(format!("{name} and {file_name} are both set: keep one of them")))
            }
            (Some(key), None) => match key.into_string() {
                Ok(text) => Ok(Some(Key::text(text).named(name))),
                Err(_) => Err(ConfigError::malformed(format!("{name}: expected a key of ASCII characters"))),
            },
            (None, file) => Ok(file.map(|path| Key::file(path).named(file_name))),
        }
    }

    /// Returns the trimmed text of a variable, parsed by `read`.
    ///
    /// # Errors
    ///
    /// Returns an error if the value is not UTF-8, or `read` fails. The message consists of the
    /// variable's name and the message of `read`.
    pub fn parse<T>(&self, name: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Result<Option<T>, ConfigError> {
        let parsed = self.text(name)?.map(|text| read(text.trim()));
        parsed.transpose().map_err(|message| ConfigError::malformed(format!("{name}: {message}")))
    }
}

/// Returns a value as text. The error says where the text is invalid, and shows nothing of it,
/// since it may be a password.
fn utf8(name: &str, value: OsString) -> Result<String, ConfigError> {
    value.into_string().map_err(|value| {
        let valid = str::from_utf8(value.as_encoded_bytes()).map_or_else(|error| error.valid_up_to(), str::len);
        let message = format!("{name}: expected UTF-8, found an invalid byte at position {}", valid + 1);
        ConfigError::new(Kind::MalformedVariable, message)
    })
}

#[cfg(all(test, feature = "http"))]
mod tests {
    use super::*;

    /// Calls `read` with variables of which only `V` is set, to `value`.
    fn with<T>(value: &str, read: impl FnOnce(&Variables<'_>) -> Result<T, ConfigError>) -> Result<T, String> {
        let lookup = |name: &str| (name == "V").then(|| OsString::from(value));
        read(&Variables::new(&lookup)).map_err(|error| {
            assert!(error.is_malformed_variable(), "{error}");
            error.to_string()
        })
    }

    #[test]
    fn a_flag_is_one_of_six_words_in_any_case() {
        for (text, is) in [("true", true), ("1", true), ("YES", true), ("False", false), (" 0 ", false), ("no", false)]
        {
            assert_eq!(with(text, |variables| variables.flag("V")), Ok(Some(is)), "{text:?}");
        }
        assert_eq!(with(" ", |variables| variables.flag("V")), Ok(None));
        let error = with("on", |variables| variables.flag("V"));
        assert_eq!(error, Err("V: expected `true` or `false`, found \"on\"".to_owned()));
    }

    #[test]
    fn a_time_is_whole_milliseconds() {
        let read = |text| with(text, |variables| variables.duration_ms("V"));
        assert_eq!(read("1500"), Ok(Some(Duration::from_millis(1500))));
        for bad in ["0", "-1", "1.5", "10s", "99999999999999999999"] {
            assert_eq!(read(bad), Err(format!("V: expected whole milliseconds, at least 1, found {bad:?}")));
        }
    }

    #[test]
    fn a_url_that_is_none_is_named_without_its_password() {
        let error = with("ftp://me:hunter2@host/", |variables| variables.url("V")).expect_err("no HTTP");
        assert!(error.starts_with("V: ") && !error.contains("hunter2"), "{error}");
        let url = with(" https://host/api ", |variables| variables.url("V")).expect("a URL").expect("set");
        assert_eq!(url.to_string(), "https://host/api");
    }

    #[test]
    fn a_key_is_in_a_variable_or_in_a_file_and_not_in_both() {
        let both = |_: &str| Some(OsString::from("hunter2"));
        let error = Variables::new(&both).key("DD_API_KEY", "DD_API_KEY_FILE").expect_err("twice");
        assert_eq!(error.to_string(), "DD_API_KEY and DD_API_KEY_FILE are both set: keep one of them");
        let neither = |_: &str| Some(OsString::from(" "));
        assert!(Variables::new(&neither).key("DD_API_KEY", "DD_API_KEY_FILE").expect("blank").is_none());
        let key = with("hunter2", |variables| variables.key("V", "V_FILE")).expect("a key").expect("set");
        assert!(!format!("{key:?}").contains("hunter2"));
    }
}
