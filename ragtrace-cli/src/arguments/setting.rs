//! Settings that come from an argument, or else from the environment. An empty variable counts as
//! not set.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::output::Failure;

const DEFAULT_STORE: &str = "sqlite:ragtrace.db";

/// Returns the store's URL: the argument, else `RAGTRACE_STORE`, else the default.
pub(crate) fn store(argument: Option<&str>) -> Result<String, Failure> {
    if let Some(url) = argument {
        return Ok(url.to_owned());
    }
    let Some(url) = variable("RAGTRACE_STORE") else { return Ok(DEFAULT_STORE.to_owned()) };
    let not_text = "RAGTRACE_STORE is not valid UTF-8: set it to a URL that is, or pass `--store URL`";
    url.into_string().map_err(|_| Failure::new(not_text))
}

/// Returns the spool's folder: the argument, else `RAGTRACE_SPOOL`.
pub(crate) fn spool(argument: Option<PathBuf>) -> Option<PathBuf> {
    argument.or_else(|| variable("RAGTRACE_SPOOL").map(PathBuf::from))
}

/// Returns `true` if the environment names sinks.
pub(crate) fn has_sinks() -> bool {
    variable("RAGTRACE_SINKS").is_some()
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| value.to_str().is_none_or(|value| !value.trim().is_empty()))
}
