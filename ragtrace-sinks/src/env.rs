//! Sinks from the environment: which ones, and their customary settings.

use std::error::Error;
use std::fmt;

use ragtrace::sink::BoxSink;

/// Every backend there is, also those that this build leaves out, each with the feature that brings
/// it in.
const KNOWN: [&str; 2] = ["sqlite", "postgres"];

/// Builds the sinks that `RAGTRACE_SINKS` names, separated by commas; `sqlite` if it is not set,
/// none if it is empty.
///
/// | name | variables |
/// | --- | --- |
/// | `sqlite` | `RAGTRACE_SQLITE_PATH`: the file, `ragtrace.db` if not set |
/// | `postgres` | `DATABASE_URL`: the database; `RAGTRACE_POSTGRES_SCHEMA`: the schema, `ragtrace` if not set |
///
/// Nothing is opened or connected yet.
///
/// # Errors
///
/// If a name is no backend's ([`ConfigError::is_unknown_sink`]), its feature is not enabled
/// ([`ConfigError::is_missing_feature`]; the message says which to add), or a variable that has to
/// be set is not ([`ConfigError::is_missing_variable`]).
pub fn from_env() -> Result<Vec<BoxSink>, ConfigError> {
    from_lookup(|name| std::env::var(name).ok())
}

/// Builds sinks from a lookup of variables instead of the environment, as [`from_env`] does.
///
/// # Errors
///
/// Those of [`from_env`].
pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Vec<BoxSink>, ConfigError> {
    let wanted = lookup("RAGTRACE_SINKS").unwrap_or_else(|| "sqlite".to_owned());
    let names = wanted.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| sink(name, &lookup)).collect()
}

#[cfg_attr(
    not(any(feature = "sqlite", feature = "postgres")),
    expect(unused_variables, reason = "no backend of this build has settings")
)]
fn sink(name: &str, lookup: &impl Fn(&str) -> Option<String>) -> Result<BoxSink, ConfigError> {
    match name {
        #[cfg(feature = "sqlite")]
        "sqlite" => {
            let path = lookup("RAGTRACE_SQLITE_PATH").filter(|path| !path.is_empty());
            Ok(BoxSink::new(crate::SqliteSink::new(path.as_deref().unwrap_or("ragtrace.db"))))
        }
        #[cfg(feature = "postgres")]
        "postgres" => {
            let set = |name: &str| lookup(name).filter(|value| !value.is_empty());
            let url = set("DATABASE_URL").ok_or_else(|| {
                let message = "RAGTRACE_SINKS names `postgres`: set DATABASE_URL to `postgres://user@host/database`";
                ConfigError::new(Kind::MissingVariable, message)
            })?;
            let sink = crate::PostgresSink::new(url);
            Ok(BoxSink::new(match set("RAGTRACE_POSTGRES_SCHEMA") {
                Some(schema) => sink.schema(schema),
                None => sink,
            }))
        }
        known if KNOWN.contains(&known) => {
            let advice = format!("enable the feature `{known}` of `ragtrace-sinks`");
            let message = format!("the sink `{known}` is not in this build: {advice}");
            Err(ConfigError::new(Kind::MissingFeature, message))
        }
        unknown => {
            let known = KNOWN.map(|name| format!("`{name}`")).join(", ");
            let message = format!("RAGTRACE_SINKS names {unknown:?}, which is no sink: known are {known}");
            Err(ConfigError::new(Kind::UnknownSink, message))
        }
    }
}

/// An error of building sinks from the environment. The message says what to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    kind: Kind,
    message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    UnknownSink,
    MissingFeature,
    MissingVariable,
}

impl ConfigError {
    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// Returns `true` if `RAGTRACE_SINKS` has a name that is no backend's.
    pub fn is_unknown_sink(&self) -> bool {
        self.kind == Kind::UnknownSink
    }

    /// Returns `true` if `RAGTRACE_SINKS` names a backend whose feature is not enabled.
    pub fn is_missing_feature(&self) -> bool {
        self.kind == Kind::MissingFeature
    }

    /// Returns `true` if a variable that a sink needs is not set, or is empty.
    pub fn is_missing_variable(&self) -> bool {
        self.kind == Kind::MissingVariable
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for ConfigError {}

#[cfg(test)]
mod tests {
    use ragtrace::Sink;

    use super::*;

    fn names(sinks: Option<&str>) -> Result<Vec<String>, String> {
        let sinks = from_lookup(|name| sinks.filter(|_| name == "RAGTRACE_SINKS").map(str::to_owned));
        sinks.map(|all| all.iter().map(|sink| sink.name().to_owned()).collect()).map_err(|error| error.to_string())
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn sinks_are_named_with_commas_and_sqlite_is_the_default() {
        assert_eq!(names(None), Ok(vec!["sqlite".to_owned()]));
        assert_eq!(names(Some(" sqlite , ")), Ok(vec!["sqlite".to_owned()]));
        assert_eq!(names(Some("")), Ok(vec![]));
    }

    /// Returns the answers of an error's predicates, in the order of the kinds.
    fn predicates(sinks: &str) -> [bool; 3] {
        let error =
            from_lookup(|name| (name == "RAGTRACE_SINKS").then(|| sinks.to_owned())).expect_err("no such sinks");
        [error.is_unknown_sink(), error.is_missing_feature(), error.is_missing_variable()]
    }

    #[test]
    fn an_error_says_by_its_predicates_what_is_wrong() {
        assert_eq!(predicates("sqlit"), [true, false, false]);
        #[cfg(not(feature = "sqlite"))]
        assert_eq!(predicates("sqlite"), [false, true, false]);
        #[cfg(not(feature = "postgres"))]
        assert_eq!(predicates("postgres"), [false, true, false]);
        #[cfg(feature = "postgres")]
        assert_eq!(predicates("postgres"), [false, false, true]);
    }

    #[test]
    fn a_name_that_no_sink_has_lists_those_that_are() {
        let error = names(Some("sqlit")).expect_err("unknown");
        assert_eq!(error, "RAGTRACE_SINKS names \"sqlit\", which is no sink: known are `sqlite`, `postgres`");
    }

    #[cfg(not(feature = "sqlite"))]
    #[test]
    fn a_sink_that_is_left_out_says_which_feature_brings_it() {
        let error = names(None).expect_err("left out");
        assert_eq!(error, "the sink `sqlite` is not in this build: enable the feature `sqlite` of `ragtrace-sinks`");
    }
}
