//! The place of a value, and the result of reading it.

use std::ops::Range;

use crate::redact::secret_names::Certainty;

/// The sign between a name and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::redact) enum Sign {
    /// `password: …`
    Colon,
    /// `password=…`
    Equals,
    /// `("password", …)`
    Comma,
    /// `--password …`, `PASSWORD '…'`
    Space,
    /// `<password>…`
    Element,
}

/// The place of a value.
#[derive(Clone, Copy, Debug)]
pub(in crate::redact) struct Site {
    /// The index at which the name begins.
    pub(in crate::redact) name_start: usize,
    /// The index at which the sign ends.
    pub(in crate::redact) from: usize,
    pub(in crate::redact) sign: Sign,
    pub(in crate::redact) is_name_quoted: bool,
    pub(in crate::redact) certainty: Certainty,
}

/// The number of bytes of a text that may still be read without result.
#[derive(Debug)]
pub(in crate::redact) struct Lookahead {
    pub(super) left: usize,
}

impl Lookahead {
    pub(in crate::redact) fn for_text(text: &str) -> Self {
        Self { left: 16 * text.len() + 65_536 }
    }

    pub(super) fn spend(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
    }
}

/// A value, and how far it was read.
pub(super) struct Reading {
    /// The range of the secret, or `None` if the value is not one.
    pub(super) secret: Option<Range<usize>>,
    pub(super) read_to: usize,
}

impl Reading {
    pub(super) fn nothing(read_to: usize) -> Self {
        Self { secret: None, read_to }
    }
}
