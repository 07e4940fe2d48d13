//! Sinks from the environment: which ones, and their customary settings.

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

/// Every backend there is, also those that this build leaves out, each with the feature that brings
/// it in.
const KNOWN: [&str; 5] = ["sqlite", "postgres", "datadog", "langsmith", "otlp"];

/// Builds the sinks that `RAGTRACE_SINKS` names, separated by commas; `sqlite` if it is not set,
/// none if it is empty.
///
/// | name | variables |
/// | --- | --- |
/// | `sqlite` | `RAGTRACE_SQLITE_PATH`: the file, `ragtrace.db` if not set |
/// | `postgres` | `DATABASE_URL`: the database; `RAGTRACE_POSTGRES_SCHEMA`: the schema, `ragtrace` if not set |
/// | `datadog` | `DD_API_KEY`, or `DD_API_KEY_FILE`: the key, or a file with it; `DD_SITE`: the site, `datadoghq.com` if not set; `DD_TAGS`: tags of everything; `DD_HOSTNAME`: the host's name, if the system's is not it |
/// | `langsmith` | `LANGSMITH_API_KEY`, or `LANGSMITH_API_KEY_FILE`: the key, or a file that has it; `LANGSMITH_ENDPOINT`: the URL, `https://api.smith.langchain.com` if not set, which ends in `/api/v1` for a server of your own; `LANGSMITH_PROJECT`: the project, `default` if not set; `LANGSMITH_WORKSPACE_ID`: the workspace of a key that is a whole organisation's. Each is read as `LANGCHAIN_…` too, as LangSmith's own clients do, and the project as `LANGCHAIN_SESSION`. `LANGSMITH_TRACING` is theirs: here, `RAGTRACE_SINKS` alone says where records go |
/// | `otlp` | `OTEL_EXPORTER_OTLP_ENDPOINT`: the URL, that of the profile if not set; `RAGTRACE_OTLP_PROFILE`: the backend, one of `collector` (if not set), `phoenix`, `langfuse`, `langsmith`, `mlflow`, `datadog` |
///
/// Datadog takes several sorts of things, each by a sink of its own. Logs are sent unless
/// `RAGTRACE_DATADOG_LOGS` is `false`, and metrics if `RAGTRACE_DATADOG_METRICS` is `true`. With
/// `DD_LLMOBS_ENABLED=true` runs and scores go to LLM Observability, as the application that
/// `DD_LLMOBS_ML_APP` or else the service names: through the Agent that `DD_TRACE_AGENT_URL`, or
/// `DD_AGENT_HOST` and `DD_TRACE_AGENT_PORT`, names, or straight there if none is named or
/// `DD_LLMOBS_AGENTLESS_ENABLED` is `true`; if that is `false`, through the Agent on this host.
/// `RAGTRACE_DATADOG_LOGS_URL` and `RAGTRACE_DATADOG_API_URL` name other hosts, such as a proxy's.
/// `DD_SERVICE`, `DD_ENV` and `DD_VERSION`, or `RAGTRACE_SERVICE` and so on, are for records of a
/// process that was set up without.
///
/// LangSmith gets runs by the sink `langsmith`, and scores by `langsmith-feedback`.
///
/// The sink `otlp` takes the variables of OpenTelemetry's exporters: `OTEL_EXPORTER_OTLP_ENDPOINT`,
/// `_HEADERS`, `_TIMEOUT` (in milliseconds, 10,000 if not set), `_COMPRESSION` (`gzip` if not set,
/// or `none`), `_CERTIFICATE`, `_CLIENT_CERTIFICATE` and `_CLIENT_KEY`, and those of one signal
/// before them (`OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, which is the whole URL, and so on).
/// `_PROTOCOL` may be `http/protobuf` alone. `RAGTRACE_OTLP_ENDPOINT`, `RAGTRACE_OTLP_HEADERS` and
/// so on go before them. With `RAGTRACE_OTLP_ENDPOINT`, no `OTEL_EXPORTER_OTLP_…` counts: an
/// exporter of the application's has them for something else, credentials too. Resources get
/// `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME`. Where the backend takes log records over
/// OTLP (`collector`, `datadog`), they are sent too, by a sink named `otlp-logs`, unless
/// `RAGTRACE_OTLP_LOGS` is `false` or `OTEL_LOGS_EXPORTER` is `none`. `OTEL_SDK_DISABLED` changes
/// nothing: `RAGTRACE_SINKS` alone says where records go.
///
/// | profile | variables of the backend's own, where those above say nothing |
/// | --- | --- |
/// | `phoenix` | `PHOENIX_COLLECTOR_ENDPOINT`, `PHOENIX_API_KEY` (or `_FILE`), `PHOENIX_PROJECT_NAME`, `PHOENIX_CLIENT_HEADERS` |
/// | `langfuse` | `LANGFUSE_BASE_URL` (or `LANGFUSE_HOST`), `LANGFUSE_PUBLIC_KEY`, `LANGFUSE_SECRET_KEY` (or `_FILE`) |
/// | `langsmith` | `LANGSMITH_ENDPOINT`, `LANGSMITH_API_KEY` (or `_FILE`), `LANGSMITH_PROJECT`, `LANGSMITH_WORKSPACE_ID` |
/// | `mlflow` | `MLFLOW_TRACKING_URI`, `MLFLOW_EXPERIMENT_ID` (`0` if not set), `MLFLOW_TRACKING_TOKEN`, or `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD` |
/// | `datadog` | `DD_SITE`, `DD_API_KEY` (or `_FILE`), `DD_LLMOBS_ML_APP` (or else `DD_SERVICE`) |
///
/// A key of the backend's goes to where the backend's own variable or the profile says, and to
/// `RAGTRACE_OTLP_ENDPOINT`. It is an error to have one beside a URL of another host in
/// `OTEL_EXPORTER_OTLP_ENDPOINT`, which may be a collector's that somebody else set.
///
/// Any other variable that is empty or blank counts as not set. Nothing is opened or connected yet.
///
/// # Errors
///
/// If a name is no backend's ([`ConfigError::is_unknown_sink`]), is given twice
/// ([`ConfigError::is_repeated_sink`]), its feature is not enabled
/// ([`ConfigError::is_missing_feature`]; the message says which to add), a variable that has to be
/// set is not ([`ConfigError::is_missing_variable`]), or one has a value that is of no use
/// ([`ConfigError::is_malformed_variable`]), such as a text that is not UTF-8, or a file of
/// SQLite's that would be in memory.
pub fn from_env() -> Result<Vec<BoxSink>, ConfigError> {
    from_os_lookup(|name| std::env::var_os(name))
}

/// Builds sinks from a lookup of variables instead of the environment, as [`from_env`] does.
///
/// # Errors
///
/// Those of [`from_env`].
pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Vec<BoxSink>, ConfigError> {
    from_os_lookup(|name| lookup(name).map(OsString::from))
}

fn from_os_lookup(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Vec<BoxSink>, ConfigError> {
    let variables = Variables::new(&lookup);
    let wanted = variables.raw_text(SINKS)?.unwrap_or_else(|| "sqlite".to_owned());
    let mut names = Vec::new();
    for name in wanted.split(',').map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty()) {
        if names.contains(&name) {
            // Each would deliver every record and count once more, into the same store.
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
            let message = format!("the sink `{known}` is not in this build: {advice}");
            Err(ConfigError::new(Kind::MissingFeature, message))
        }
        unknown => {
            let known = KNOWN.map(|name| format!("`{name}`")).join(", ");
            let message = format!("RAGTRACE_SINKS names {}, which is no sink: known are {known}", quoted(unknown));
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
        assert_eq!(error.to_string(), "RAGTRACE_SINKS: expected UTF-8, found a byte of none at position 2");
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
        assert_eq!(error, format!("RAGTRACE_SINKS names \"sqlit\", which is no sink: known are {known}"));
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
        assert_eq!(error, "the sink `sqlite` is not in this build: enable the feature `sqlite` of `ragtrace-sinks`");
    }
}
