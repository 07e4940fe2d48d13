//! The header of a project, which says where in a backend spans go.

use crate::ml_app::MlApp;
use crate::quote::quoted;

/// The header, and the function that validates a name for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProjectHeader {
    pub(crate) name: &'static str,
    /// Returns a name as the header has it, or a message that says what is wrong with it.
    pub(crate) read: fn(&str) -> Result<String, String>,
}

impl ProjectHeader {
    /// Returns a header for any name on one line.
    pub(super) const fn any(name: &'static str) -> Self {
        Self { name, read: in_header }
    }

    /// Returns a header for the name of an application in Datadog's LLM Observability.
    pub(super) const fn ml_app(name: &'static str) -> Self {
        Self { name, read: |text| in_header(text.parse::<MlApp>()?.as_str()) }
    }
}

/// Returns a trimmed text, if it is valid in a header.
pub(crate) fn in_header(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Ok(name.to_owned());
    }
    Err(format!("expected one line of ASCII, since it goes into a header, found {}", quoted(name)))
}
