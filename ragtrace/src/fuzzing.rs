//! Doors for the fuzz targets, which are built with `--cfg fuzzing`, to what the crate keeps to
//! itself.

use crate::redact::Redactor;
use crate::spool;

/// Reads a batch as the spool keeps it, and returns its bytes written anew, or what is wrong with
/// it.
pub fn rewrite_batch(bytes: &[u8]) -> Result<Vec<u8>, String> {
    spool::rewrite_batch(bytes)
}

/// Reads a line of the file of dead letters, and returns it written anew.
pub fn rewrite_dead_letter(line: &str) -> Option<String> {
    spool::rewrite_dead_letter(line)
}

/// Returns a text without its secrets, or `None` if it has none.
pub fn redacted(redactor: &Redactor, text: &str) -> Option<String> {
    redactor.redacted(text)
}

/// Returns whether a field of this name is secret.
pub fn is_secret(redactor: &Redactor, name: &str) -> bool {
    redactor.is_secret(name)
}
