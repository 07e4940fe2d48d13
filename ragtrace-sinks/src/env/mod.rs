//! Builds sinks from the environment, with the variables that each backend customarily has.

#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod databases;
#[cfg(feature = "datadog")]
mod datadog;
mod error;
#[cfg(feature = "langsmith")]
mod langsmith;
#[cfg(feature = "otlp")]
mod otlp;
mod variables;

use std::ffi::OsString;

use ragtrace::sink::BoxSink;

pub use error::ConfigError;
use error::Kind;
pub use variables::Variables;

use crate::quote::quoted;

/// The names of all backends, including those that this build leaves out. Each is also the name of
/// the feature that enables it.
const KNOWN: [&str; 5] = ["sqlite", "postgres", "datadog", "langsmith", "otlp"];

/// Builds the sinks that the environment variable `RAGTRACE_SINKS` names.
///
/// `RAGTRACE_SINKS` is a list of names separated by commas. The default is `sqlite`; an empty value
/// means no sinks. Nothing is opened or connected yet.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # fn main() -> Result<(), ragtrace_sinks::ConfigError> {
/// use ragtrace_sinks::from_lookup;
///
/// // Like `from_env`, but with a map in place of the environment.
/// let sinks = from_lookup(|name| match name {
///     "RAGTRACE_SINKS" => Some("sqlite".to_owned()),
///     "RAGTRACE_SQLITE_PATH" => Some("logs.db".to_owned()),
///     _ => None,
/// })?;
/// let builder = ragtrace::builder().sinks(sinks);
/// # let _ = builder;
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sqlite"))]
/// # fn main() {}
/// ```
///
/// | name | variables |
/// | --- | --- |
/// | `sqlite` | `RAGTRACE_SQLITE_PATH`: the file (default `ragtrace.db`) |
/// | `postgres` | `DATABASE_URL`: the database (required); `RAGTRACE_POSTGRES_SCHEMA`: the schema (default `ragtrace`) |
/// | `datadog` | `DD_API_KEY`, or `DD_API_KEY_FILE`: the key, or a file with it; `DD_SITE`: the site (default `datadoghq.com`); `DD_TAGS`: tags for everything that is sent; `DD_HOSTNAME`: the host name (default: the system's) |
/// | `langsmith` | `LANGSMITH_API_KEY`, or `LANGSMITH_API_KEY_FILE`: the key, or a file with it; `LANGSMITH_ENDPOINT`: the URL (default `https://api.smith.langchain.com`), which ends in `/api/v1` for a self-hosted server; `LANGSMITH_PROJECT`: the project (default `default`); `LANGSMITH_WORKSPACE_ID`: the workspace, for a key of a whole organisation. Each is read as `LANGCHAIN_…` too, as LangSmith's own clients do, and the project as `LANGCHAIN_SESSION`. `LANGSMITH_TRACING` is ignored, since `RAGTRACE_SINKS` alone says where records go |
/// | `otlp` | `OTEL_EXPORTER_OTLP_ENDPOINT`: the URL (default: the profile's); `RAGTRACE_OTLP_PROFILE`: the backend, one of `collector` (default), `phoenix`, `langfuse`, `langsmith`, `mlflow`, `datadog` |
///
/// Any other variable that is empty or blank counts as not set.
///
/// # Datadog
///
/// Each kind of data has a sink of its own. Logs are sent unless `RAGTRACE_DATADOG_LOGS` is
/// `false`, and metrics if `RAGTRACE_DATADOG_METRICS` is `true`.
///
/// If `DD_LLMOBS_ENABLED` is `true`, runs and scores go to LLM Observability. The application's
/// name is `DD_LLMOBS_ML_APP`, or else the service. They go through an Agent if
/// `DD_TRACE_AGENT_URL`, or `DD_AGENT_HOST` and `DD_TRACE_AGENT_PORT`, name one, and directly to
/// Datadog if none is named or `DD_LLMOBS_AGENTLESS_ENABLED` is `true`. If that variable is
/// `false`, they go through the named Agent or the one on this host.
///
/// `RAGTRACE_DATADOG_LOGS_URL` and `RAGTRACE_DATADOG_API_URL` replace Datadog's hosts, for example
/// by a proxy. `DD_SERVICE`, `DD_ENV` and `DD_VERSION`, or `RAGTRACE_SERVICE` and so on, apply to
/// records of a process that was set up without these values.
///
/// # LangSmith
///
/// Runs go through the sink `langsmith`, and scores through `langsmith-feedback`.
///
/// # OTLP
///
/// The sink `otlp` reads the variables of OpenTelemetry's exporters: `OTEL_EXPORTER_OTLP_ENDPOINT`,
/// `_HEADERS`, `_TIMEOUT` (in milliseconds, default 10,000), `_COMPRESSION` (`gzip`, the default,
/// or `none`), `_CERTIFICATE`, `_CLIENT_CERTIFICATE` and `_CLIENT_KEY`. Variables of a single
/// signal take precedence, such as `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, which is the whole URL.
/// `_PROTOCOL` may only be `http/protobuf`.
///
/// `RAGTRACE_OTLP_ENDPOINT`, `RAGTRACE_OTLP_HEADERS` and so on take precedence over both. If
/// `RAGTRACE_OTLP_ENDPOINT` is set, all `OTEL_EXPORTER_OTLP_…` variables are ignored, since the
/// application's own exporter has them for another backend, including credentials.
///
/// Resources get the attributes in `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME`. If the
/// backend accepts log records over OTLP (`collector` and `datadog`), they are sent too, by a sink
/// named `otlp-logs`, unless `RAGTRACE_OTLP_LOGS` is `false` or `OTEL_LOGS_EXPORTER` is `none`.
/// `OTEL_SDK_DISABLED` is ignored, since `RAGTRACE_SINKS` alone says where records go.
///
/// A profile also reads the variables of its backend, which apply where the ones above are not set:
///
/// | profile | variables |
/// | --- | --- |
/// | `phoenix` | `PHOENIX_COLLECTOR_ENDPOINT`, `PHOENIX_API_KEY` (or `_FILE`), `PHOENIX_PROJECT_NAME`, `PHOENIX_CLIENT_HEADERS` |
/// | `langfuse` | `LANGFUSE_BASE_URL` (or `LANGFUSE_HOST`), `LANGFUSE_PUBLIC_KEY`, `LANGFUSE_SECRET_KEY` (or `_FILE`) |
/// | `langsmith` | `LANGSMITH_ENDPOINT`, `LANGSMITH_API_KEY` (or `_FILE`), `LANGSMITH_PROJECT`, `LANGSMITH_WORKSPACE_ID` |
/// | `mlflow` | `MLFLOW_TRACKING_URI`, `MLFLOW_EXPERIMENT_ID` (default `0`), `MLFLOW_TRACKING_TOKEN`, or `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD` |
/// | `datadog` | `DD_SITE`, `DD_API_KEY` (or `_FILE`), `DD_LLMOBS_ML_APP` (or else `DD_SERVICE`) |
///
/// A backend's key is only sent to the URL in the backend's own variable, to the profile's URL, or
/// to `RAGTRACE_OTLP_ENDPOINT`. Setting it together with another host in
/// `OTEL_EXPORTER_OTLP_ENDPOINT` is an error, since that may be a collector which somebody else has
/// set.
///
/// # Errors
///
/// Returns an error
///
/// - if a name is not a backend's ([`ConfigError::is_unknown_sink`]),
/// - if a name is given twice ([`ConfigError::is_repeated_sink`]),
/// - if the backend's feature is not enabled ([`ConfigError::is_missing_feature`]; the message
///   names the feature),
/// - if a required variable is not set ([`ConfigError::is_missing_variable`]),
/// - if a variable has an invalid value ([`ConfigError::is_malformed_variable`]), such as text that
///   is not UTF-8, or a SQLite path that means a database in memory.
pub fn from_env() -> Result<Vec<BoxSink>, ConfigError> {
    from_os_lookup(|name| std::env::var_os(name))
}

/// Builds sinks like [`from_env`], from a lookup of variables in place of the environment.
///
/// # Errors
///
/// Returns the errors of [`from_env`].
pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Vec<BoxSink>, ConfigError> {
    from_os_lookup(|name| lookup(name).map(OsString::from))
}

fn from_os_lookup(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Vec<BoxSink>, ConfigError> {
    let variables = Variables::new(&lookup);
    let wanted = variables.raw_text(SINKS)?.unwrap_or_else(|| "sqlite".to_owned());
    let mut names = Vec::new();
    for name in wanted.split(',').map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty()) {
        if names.contains(&name) {
            // Each of the two would deliver every record, and add every count, to the same store.
            let message = format!("{SINKS} names `{name}` twice: name each sink once");
            return Err(ConfigError::new(Kind::RepeatedSink, message));
        }
        names.push(name);
    }
    let mut sinks = Vec::new();
    for name in &names {
        sinks.extend(sinks_of(name, &variables)?);
    }
    Ok(sinks)
}

const SINKS: &str = "RAGTRACE_SINKS";

#[cfg_attr(
    not(any(feature = "sqlite", feature = "postgres", feature = "http")),
    expect(unused_variables, reason = "no backend of this build has settings")
)]
fn sinks_of(name: &str, variables: &Variables<'_>) -> Result<Vec<BoxSink>, ConfigError> {
    match name {
        #[cfg(feature = "sqlite")]
        "sqlite" => databases::sqlite(variables).map(|sink| vec![sink]),
        #[cfg(feature = "postgres")]
        "postgres" => databases::postgres(variables).map(|sink| vec![sink]),
        #[cfg(feature = "datadog")]
        "datadog" => datadog::datadog(variables),
        #[cfg(feature = "langsmith")]
        "langsmith" => langsmith::langsmith(variables),
        #[cfg(feature = "otlp")]
        "otlp" => otlp::otlp(variables),
        known if KNOWN.contains(&known) => {
            let advice = format!("enable the feature `{known}` of `ragtrace-sinks`");
            let message = format!("the sink `{known}` is not compiled in: {advice}");
            Err(ConfigError::new(Kind::MissingFeature, message))
        }
        unknown => {
            let known = KNOWN.map(|name| format!("`{name}`")).join(", ");
            let message =
                format!("RAGTRACE_SINKS names {}, which is not a sink: the sinks are {known}", quoted(unknown));
            Err(ConfigError::new(Kind::UnknownSink, message))
        }
    }
}

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

    #[cfg(feature = "sqlite")]
    #[test]
    fn a_sink_that_is_named_twice_is_refused_however_it_is_written() {
        for twice in ["sqlite,sqlite", "sqlite, SQLite ,", " ,sqlite,\tsqlite\n", "sqlite,,sqlite"] {
            let error = refused(&[("RAGTRACE_SINKS", twice)]);
            assert_eq!(predicates(&error), [false, true, false, false, false], "{twice:?}: {error}");
            assert_eq!(error.to_string(), "RAGTRACE_SINKS names `sqlite` twice: name each sink once");
        }
        for once in ["SQLITE", " sqlite ", "sqlite,", ",sqlite,, "] {
            assert_eq!(names(Some(once)), Ok(vec!["sqlite".to_owned()]), "{once:?}");
        }
        assert_eq!(names(Some(" , ,")), Ok(vec![]));
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn a_file_in_memory_is_refused_and_an_empty_path_is_none() {
        let in_memory = [
            ":memory:",
            " :memory: ",
            ":MEMORY:",
            "sqlite::memory:",
            "sqlite://:memory:",
            "file::memory:",
            "file::memory:?cache=shared",
            "file:x?mode=memory",
            "file:x?cache=shared&mode=memory",
            "file:",
            "FILE::memory:",
        ];
        for path in in_memory {
            let error = refused(&[("RAGTRACE_SQLITE_PATH", path)]);
            assert!(
                error.is_malformed_variable() && error.to_string().starts_with("RAGTRACE_SQLITE_PATH: "),
                "{error}"
            );
        }
        for path in ["", " ", "\t\n", "memory", "./:memory:x", "a/file:b.db", "x?mode=memory"] {
            let sinks = from_lookup(|name| (name == "RAGTRACE_SQLITE_PATH").then(|| path.to_owned()));
            assert_eq!(sinks.map(|all| all.len()), Ok(1), "{path:?}");
        }
    }

    #[cfg(all(unix, feature = "sqlite"))]
    #[test]
    fn a_path_need_not_be_utf_8_and_everything_else_must() {
        use std::os::unix::ffi::OsStringExt;
        let with = |variable: &'static str| {
            from_os_lookup(move |name| (name == variable).then(|| OsString::from_vec(b"a\xff.db".to_vec())))
        };
        assert_eq!(with("RAGTRACE_SQLITE_PATH").map(|all| all.len()), Ok(1));
        let error = with("RAGTRACE_SINKS").expect_err("no text");
        assert!(error.is_malformed_variable(), "{error}");
        assert_eq!(error.to_string(), "RAGTRACE_SINKS: expected UTF-8, found an invalid byte at position 2");
        #[cfg(feature = "postgres")]
        for variable in ["DATABASE_URL", "RAGTRACE_POSTGRES_SCHEMA"] {
            let error = from_os_lookup(|name| match name {
                "RAGTRACE_SINKS" => Some("postgres".into()),
                _ if name == variable => Some(OsString::from_vec(vec![0xff])),
                _ => Some("postgres://u@h/d".into()),
            });
            let error = error.expect_err("no text");
            assert!(error.is_malformed_variable() && error.to_string().starts_with(variable), "{error}");
        }
    }

    #[cfg(all(unix, feature = "otlp"))]
    #[test]
    fn a_secret_that_is_not_utf_8_is_not_shown() {
        use std::os::unix::ffi::OsStringExt;
        for (profile, secret, beside) in [
            ("collector", "OTEL_EXPORTER_OTLP_HEADERS", ""),
            ("collector", "OTEL_EXPORTER_OTLP_ENDPOINT", ""),
            ("phoenix", "PHOENIX_CLIENT_HEADERS", ""),
            ("phoenix", "PHOENIX_API_KEY", ""),
            ("langfuse", "LANGFUSE_SECRET_KEY", "LANGFUSE_PUBLIC_KEY"),
            ("mlflow", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_USERNAME"),
            ("mlflow", "MLFLOW_TRACKING_TOKEN", ""),
        ] {
            let lookup = |name: &str| match name {
                "RAGTRACE_SINKS" => Some("otlp".into()),
                "RAGTRACE_OTLP_PROFILE" => Some(profile.into()),
                _ if name == secret => Some(OsString::from_vec(b"hunter2\xff".to_vec())),
                _ => (name == beside).then(|| "public".into()),
            };
            let error = from_os_lookup(lookup).expect_err(secret);
            assert!(error.is_malformed_variable(), "{error}");
            let error = error.to_string();
            assert!(error.starts_with(&format!("{secret}: expected ")) && !error.contains("hunter2"), "{error}");
        }
    }

    fn refused(set: &[(&str, &str)]) -> ConfigError {
        let lookup = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        from_lookup(lookup).expect_err("no such sinks")
    }

    /// Returns the answers of an error's predicates, in the order of the kinds.
    fn predicates(error: &ConfigError) -> [bool; 5] {
        [
            error.is_unknown_sink(),
            error.is_repeated_sink(),
            error.is_missing_feature(),
            error.is_missing_variable(),
            error.is_malformed_variable(),
        ]
    }

    #[test]
    fn an_error_says_by_its_predicates_what_is_wrong() {
        let of = |sinks| predicates(&refused(&[("RAGTRACE_SINKS", sinks)]));
        assert_eq!(of("sqlit"), [true, false, false, false, false]);
        #[cfg(not(feature = "sqlite"))]
        assert_eq!(of("sqlite"), [false, false, true, false, false]);
        #[cfg(not(feature = "postgres"))]
        assert_eq!(of("postgres"), [false, false, true, false, false]);
        #[cfg(feature = "postgres")]
        assert_eq!(of("postgres"), [false, false, false, true, false]);
        #[cfg(feature = "postgres")]
        let blank = refused(&[("RAGTRACE_SINKS", "postgres"), ("DATABASE_URL", " ")]);
        #[cfg(feature = "postgres")]
        assert!(blank.is_missing_variable());
    }

    #[test]
    fn a_name_that_no_sink_has_lists_those_that_are() {
        let error = names(Some("sqlit")).expect_err("unknown");
        let known = "`sqlite`, `postgres`, `datadog`, `langsmith`, `otlp`";
        assert_eq!(error, format!("RAGTRACE_SINKS names \"sqlit\", which is not a sink: the sinks are {known}"));
    }

    #[test]
    fn a_url_in_the_place_of_a_name_is_not_shown() {
        for url in ["postgres://me:hunter2@host/db", "postgres://me:hunter2,3@host/db", "sqlite:x?key=hunter2"] {
            let error = names(Some(url)).expect_err("unknown");
            assert!(error.starts_with("RAGTRACE_SINKS names a text of ") && !error.contains("hunter2"), "{error}");
        }
    }

    #[cfg(not(feature = "sqlite"))]
    #[test]
    fn a_sink_that_is_left_out_says_which_feature_brings_it() {
        let error = names(None).expect_err("left out");
        assert_eq!(error, "the sink `sqlite` is not compiled in: enable the feature `sqlite` of `ragtrace-sinks`");
    }
}
