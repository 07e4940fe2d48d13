//! Builds the sinks of databases from their variables.

use ragtrace::sink::BoxSink;

use super::error::{ConfigError, Kind};
use super::variables::Variables;

/// Builds the sink of a SQLite file.
#[cfg(feature = "sqlite")]
pub(super) fn sqlite(variables: &Variables<'_>) -> Result<BoxSink, ConfigError> {
    const PATH: &str = "RAGTRACE_SQLITE_PATH";
    let path = variables.path(PATH).unwrap_or_else(|| "ragtrace.db".into());
    if path.to_str().is_some_and(is_in_memory) {
        let message = format!(
            "{PATH}: {} is a database in memory, which nobody can read: set the path of a file",
            // A parameter may be a key, so it is not shown.
            path.display().to_string().split('?').next().unwrap_or_default()
        );
        return Err(ConfigError::new(Kind::MalformedVariable, message));
    }
    Ok(BoxSink::new(crate::SqliteSink::new(path)))
}

/// Builds the sink of a PostgreSQL database.
#[cfg(feature = "postgres")]
pub(super) fn postgres(variables: &Variables<'_>) -> Result<BoxSink, ConfigError> {
    let url = variables.text("DATABASE_URL")?.ok_or_else(|| {
        let message = "RAGTRACE_SINKS names `postgres`: set DATABASE_URL to `postgres://user@host/database`";
        ConfigError::new(Kind::MissingVariable, message)
    })?;
    let sink = crate::PostgresSink::new(url);
    Ok(BoxSink::new(match variables.text("RAGTRACE_POSTGRES_SCHEMA")? {
        Some(schema) => sink.schema(schema),
        None => sink,
    }))
}

/// Returns `true` if SQLite would keep the database of this name in memory (SQLite, "In-Memory
/// Databases" and "Uniform Resource Identifiers").
#[cfg(feature = "sqlite")]
fn is_in_memory(path: &str) -> bool {
    let path = path.trim().to_ascii_lowercase();
    let path = path.strip_prefix("sqlite:").unwrap_or(&path);
    let path = path.strip_prefix("//").unwrap_or(path);
    let is_uri = path.starts_with("file:");
    let (name, query) = path.split_once('?').unwrap_or((path, ""));
    let name = name.strip_prefix("file:").unwrap_or(name).trim_start_matches("//");
    name == ":memory:" || (is_uri && (name.is_empty() || query.split('&').any(|part| part == "mode=memory")))
}
