//! Quotes names for statements.

/// Quotes a name for a statement, so that no character in it has a meaning of its own.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
