//! The name of an application in Datadog's LLM Observability, for a body or a header.

use std::fmt;
use std::str::FromStr;

use crate::quote::quoted;

/// The longest name in characters (Datadog, "LLM Observability HTTP API": 193).
const LONGEST: usize = 193;

/// An application's name: at most 193 lower-case letters, digits, and `_ - : . /`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MlApp(String);

impl MlApp {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MlApp {
    type Err = String;

    /// Parses a name in any case.
    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.trim().to_lowercase();
        let is_allowed = |sign: char| {
            sign.is_ascii_digit() || (sign.is_alphabetic() && !sign.is_uppercase()) || "_-:./".contains(sign)
        };
        if !name.is_empty() && name.chars().count() <= LONGEST && name.chars().all(is_allowed) {
            return Ok(Self(name));
        }
        Err(format!(
            "an application's name in LLM Observability has 1 to {LONGEST} letters, digits and characters of `_-:./`, found {}",
            quoted(text)
        ))
    }
}

impl fmt::Display for MlApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
