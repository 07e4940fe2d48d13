//! What arguments leave out and the environment has: where a variable that is empty is one that is
//! not set.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::output::Failure;

const DEFAULT_STORE: &str = "sqlite:ragtrace.db";

/// Returns the store's URL: of the argument, of `RAGTRACE_STORE`, or the default.
pub(crate) fn store(argument: Option<&str>) -> Result<String, Failure> {
    if let Some(url) = argument {
        return Ok(url.to_owned());
    }
    let Some(url) = variable("RAGTRACE_STORE") else { return Ok(DEFAULT_STORE.to_owned()) };
    let not_text = "RAGTRACE_STORE is not valid UTF-8: name the store by a URL that is, or by `--store`";
    url.into_string().map_err(|_| Failure::new(not_text))
}

/// Returns the spool's folder: of the argument, or of `RAGTRACE_SPOOL`.
pub(crate) fn spool(argument: Option<PathBuf>) -> Option<PathBuf> {
    argument.or_else(|| variable("RAGTRACE_SPOOL").map(PathBuf::from))
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| value.to_str().is_none_or(|value| !value.trim().is_empty()))
}
