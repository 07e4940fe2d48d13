//! The rules by which something is a secret: names of fields, which count in texts, too, beginnings
//! of words, and the user's own rules.

use std::sync::Arc;

use super::secret_names::SecretNames;

/// The mark that stands where a secret was.
pub(super) const MARK: &str = "[redacted]";

/// Returns what a text becomes, or `None` if it stays as it is.
pub(super) type CustomRule = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The rules of a redactor.
#[derive(Clone)]
pub(super) struct Rules {
    pub(super) is_on: bool,
    pub(super) names: SecretNames,
    /// Words that begin with one of these are secret.
    pub(super) prefixes: Vec<String>,
    pub(super) custom: Vec<CustomRule>,
}

impl Default for Rules {
    fn default() -> Self {
        Self { is_on: true, names: SecretNames::default(), prefixes: Vec::new(), custom: Vec::new() }
    }
}
