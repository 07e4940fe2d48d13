//! Sinks from the environment: which ones, and their customary settings.

use std::error::Error;
use std::fmt;

use ragtrace::sink::BoxSink;

/// Every backend there is, also those that this build leaves out, each with the feature that brings
/// it in.
const KNOWN: [&str; 2] = ["sqlite", "postgres"];

/// The sinks that `RAGTRACE_SINKS` names, separated by commas; `sqlite` if it is not set, none if
/// it is empty.
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
/// A name that no backend has, one whose feature is not enabled (the message says which to add), or
/// a variable that has to be set and is not.
pub fn from_env() -> Result<Vec<BoxSink>, ConfigError> {
    from_lookup(|name| std::env::var(name).ok())
}

/// The same from any source of variables.
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
                ConfigError(
                    "RAGTRACE_SINKS names `postgres`: set DATABASE_URL to `postgres://user@host/database`".to_owned(),
                )
            })?;
            let sink = crate::PostgresSink::new(url);
            Ok(BoxSink::new(match set("RAGTRACE_POSTGRES_SCHEMA") {
                Some(schema) => sink.schema(schema),
                None => sink,
            }))
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
