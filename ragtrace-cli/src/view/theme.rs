//! The colours that a visitor wants: light, dark, or those of the system.

use axum::http::HeaderMap;

use super::cookie::cookie;

/// The cookie that holds the choice, which is not a secret.
const THEME: &str = "ragtrace_theme";

/// The colours that a visitor wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Theme {
    /// Those of the system.
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        match cookie(headers, THEME) {
            Some("light") => Self::Light,
            Some("dark") => Self::Dark,
            _ => Self::System,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}
