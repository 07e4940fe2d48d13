//! Builds the sinks for LangSmith from their variables.

use ragtrace::sink::BoxSink;

use super::error::{ConfigError, Kind};
use super::variables::Variables;
use crate::LangSmithSink;

/// Builds the sinks for LangSmith.
pub(super) fn langsmith(variables: &Variables<'_>) -> Result<Vec<BoxSink>, ConfigError> {
    let key = match variables.key("LANGSMITH_API_KEY", "LANGSMITH_API_KEY_FILE")? {
        Some(key) => Some(key),
        None => variables.key("LANGCHAIN_API_KEY", "LANGCHAIN_API_KEY_FILE")?,
    };
    let key = key.ok_or_else(|| {
        let message =
            "RAGTRACE_SINKS names `langsmith`: set LANGSMITH_API_KEY, or LANGSMITH_API_KEY_FILE to a file that contains it";
        ConfigError::new(Kind::MissingVariable, message)
    })?;
    let client = LangSmithSink::client().variables(variables.lookup()).build();
    if let Some(fault) = client.fault() {
        return Err(ConfigError::malformed(fault.to_owned()));
    }
    let mut sink = LangSmithSink::new(key).with_client(client);
    for name in ["LANGSMITH_ENDPOINT", "LANGCHAIN_ENDPOINT"] {
        // The URL is parsed here, so that a malformed one is reported at the start.
        if let Some(url) = variables.url(name)? {
            sink = sink.with_endpoint(url);
            break;
        }
    }
    if let Some(project) = first(variables, &["LANGSMITH_PROJECT", "LANGCHAIN_PROJECT", "LANGCHAIN_SESSION"])? {
        sink = sink.project(project);
    }
    if let Some(id) = first(variables, &["LANGSMITH_WORKSPACE_ID", "LANGCHAIN_WORKSPACE_ID"])? {
        sink = sink.workspace_id(id);
    }
    let feedback = BoxSink::new(sink.feedback());
    Ok(vec![BoxSink::new(sink), feedback])
}

/// Returns the text of the first of these variables that is not empty.
fn first(variables: &Variables<'_>, names: &[&str]) -> Result<Option<String>, ConfigError> {
    for name in names {
        if let Some(text) = variables.parse(name, |text| Ok(text.to_owned()))? {
            return Ok(Some(text));
        }
    }
    Ok(None)
}
