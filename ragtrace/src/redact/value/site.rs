//! Where a value stands, and what was read of it.

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

/// Where a value stands.
#[derive(Clone, Copy, Debug)]
pub(in crate::redact) struct Site {
    /// Where the name begins.
    pub(in crate::redact) name_start: usize,
    /// Where the sign ends.
    pub(in crate::redact) from: usize,
    pub(in crate::redact) sign: Sign,
    pub(in crate::redact) is_name_quoted: bool,
    pub(in crate::redact) certainty: Certainty,
}

/// How many bytes of a text may be looked at in vain.
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
    /// The secret, or `None` if the value says none.
    pub(super) secret: Option<Range<usize>>,
    pub(super) read_to: usize,
}

impl Reading {
    pub(super) fn nothing(read_to: usize) -> Self {
        Self { secret: None, read_to }
    }
}
