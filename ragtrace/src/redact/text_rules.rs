//! What counts as a secret in a text: names before values, and beginnings of words.

use super::secret_names::SecretNames;

/// The mark that stands where a secret was.
pub(super) const MARK: &str = "[redacted]";

/// The user's part of the rules for texts.
#[derive(Clone, Debug, Default)]
pub(super) struct TextRules {
    pub(super) names: SecretNames,
    /// Words that begin with one of these are secret.
    pub(super) prefixes: Vec<String>,
}
