//! Names in statements.

/// Quotes a name for a statement, so that it means itself whatever is in it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
