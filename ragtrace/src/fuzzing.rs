//! Access to private functions for the fuzz targets, which are built with `--cfg fuzzing`.

use crate::redact::Redactor;
use crate::spool;

/// Decodes a batch from the spool's encoding and returns it encoded again, or an error that
/// describes what is wrong with the bytes.
pub fn rewrite_batch(bytes: &[u8]) -> Result<Vec<u8>, String> {
    spool::rewrite_batch(bytes)
}

/// Parses a line of the dead letter file and returns it written again.
pub fn rewrite_dead_letter(line: &str) -> Option<String> {
    spool::rewrite_dead_letter(line)
}

/// Returns the text without its secrets, or `None` if it contains none.
pub fn redacted(redactor: &Redactor, text: &str) -> Option<String> {
    redactor.redacted(text)
}

/// Returns `true` if the value of a field with this name is secret.
pub fn is_secret(redactor: &Redactor, name: &str) -> bool {
    redactor.is_secret(name)
}
