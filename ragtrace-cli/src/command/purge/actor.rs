//! Who runs a purge, for the line of the audit.

use std::env;

/// Returns the name of the system's user and of the host, such as `alice@web-1`. The name is left
/// out if it contains the id that is erased, which must not stay in the audit.
pub(super) fn name(erased: &str) -> String {
    let host = hostname::get().ok().and_then(|host| host.into_string().ok()).unwrap_or_default();
    let name = ["LOGNAME", "USER", "USERNAME"].iter().find_map(|name| env::var(name).ok());
    let name = name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| "unknown".to_owned());
    let parts = [name, host].map(|part| if mentions(&part, erased) { String::new() } else { part });
    parts.join("@")
}

/// Returns `true` if a text contains the id, in any case.
pub(super) fn mentions(text: &str, id: &str) -> bool {
    text.to_lowercase().contains(&id.to_lowercase())
}
