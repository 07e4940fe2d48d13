//! Sinks from the environment: which ones, and their customary settings.

use std::error::Error;
use std::fmt;

use ragtrace::sink::BoxSink;

/// Every backend there is, also those that this build leaves out, each with the feature that brings it in.
const KNOWN: [&str; 1] = ["sqlite"];

/// The sinks that `RAGTRACE_SINKS` names, separated by commas; `sqlite` if it is not set, none if it is empty.
///
/// | name | variables |
/// | --- | --- |
/// | `sqlite` | `RAGTRACE_SQLITE_PATH`: the file, `ragtrace.db` if not set |
///
/// Nothing is opened or connected yet.
///
/// # Errors
///
/// A name that no backend has, or one whose feature is not enabled: the message says which to add.
pub fn from_env() -> Result<Vec<BoxSink>, ConfigError> {
    from_lookup(|name| std::env::var(name).ok())
}

/// The same from any source of variables.
pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Vec<BoxSink>, ConfigError> {
    let wanted = lookup("RAGTRACE_SINKS").unwrap_or_else(|| "sqlite".to_owned());
    let names = wanted.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| sink(name, &lookup)).collect()
}

#[cfg_attr(not(feature = "sqlite"), expect(unused_variables, reason = "no backend of this build has settings"))]
fn sink(name: &str, lookup: &impl Fn(&str) -> Option<String>) -> Result<BoxSink, ConfigError> {
    match name {
        #[cfg(feature = "sqlite")]
        "sqlite" => {
            let path = lookup("RAGTRACE_SQLITE_PATH").filter(|path| !path.is_empty());
            Ok(BoxSink::new(crate::SqliteSink::new(path.as_deref().unwrap_or("ragtrace.db"))))
        }
        known if KNOWN.contains(&known) => Err(ConfigError(format!(
            "the sink `{known}` is not in this build: enable the feature `{known}` of `ragtrace-sinks`"
        ))),
        unknown => {
            let known = KNOWN.map(|name| format!("`{name}`")).join(", ");
            Err(ConfigError(format!("RAGTRACE_SINKS names {unknown:?}, which is no sink: known are {known}")))
        }
    }
}

/// The environment asks for what there is not. The message says what to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for ConfigError {}
