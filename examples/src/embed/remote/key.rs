//! The key of a service.

use std::fmt;

use hyper::header::HeaderValue;

use crate::embed::EmbedError;

/// A secret that is shown nowhere.
#[derive(Clone)]
pub struct ApiKey {
    secret: String,
    /// The name of the variable that it comes from.
    variable: String,
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey(of {})", self.variable)
    }
}

impl ApiKey {
    /// Creates a key that errors refer to by the name of its variable. White space around it, as
    /// files leave it, is removed.
    pub fn new(secret: &str, variable: impl Into<String>) -> Self {
        Self { secret: secret.trim().to_owned(), variable: variable.into() }
    }

    /// Reads the key from an environment variable. Returns `None` if it is not set, or empty.
    pub fn from_variable(variable: &str) -> Result<Option<Self>, EmbedError> {
        match std::env::var(variable) {
            Ok(secret) if secret.trim().is_empty() => Ok(None),
            Ok(secret) => Ok(Some(Self::new(&secret, variable))),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => Err(Self::unfit(variable)),
        }
    }

    fn unfit(variable: &str) -> EmbedError {
        EmbedError::new(format!("the key in {variable} has characters that no key has; set it anew"))
    }

    /// Returns the value of the header `authorization`.
    pub(super) fn header(&self) -> Result<HeaderValue, EmbedError> {
        let value = HeaderValue::try_from(format!("Bearer {}", self.secret));
        let mut value = value.map_err(|_| Self::unfit(&self.variable))?;
        // It is left out of what HTTP libraries print.
        value.set_sensitive(true);
        Ok(value)
    }

    /// Returns the text without the key.
    pub(super) fn mask(&self, text: &str) -> String {
        if self.secret.is_empty() { text.to_owned() } else { text.replace(&self.secret, "[key]") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_shown_nowhere() {
        let key = ApiKey::new(" sk-secret\n", "OPENAI_API_KEY");
        assert_eq!(format!("{key:?}"), "ApiKey(of OPENAI_API_KEY)");
        assert_eq!(key.mask("you sent sk-secret"), "you sent [key]");
        let header = key.header().expect("a header");
        assert_eq!((header.as_bytes(), format!("{header:?}").as_str()), (&b"Bearer sk-secret"[..], "Sensitive"));
        let error = ApiKey::new("sk\u{7}secret", "KEY").header().expect_err("no header");
        assert_eq!(error.to_string(), "the key in KEY has characters that no key has; set it anew");
    }
}
