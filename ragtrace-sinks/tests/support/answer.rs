//! The answers of a server, valid or broken.

/// An answer, and the manner in which it is given.
#[derive(Clone, Debug)]
pub struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) manner: Manner,
}

/// The manner in which an answer is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// The answer is complete, and the connection is kept.
    Well,
    /// The answer is complete, and the connection is closed at once, without notice in the answer.
    ThenCloses,
    /// The connection is reset before the first byte.
    ResetsAtOnce,
    /// The connection is reset after half of the body.
    ResetsInBody,
    /// Nothing is sent, and the connection stays open.
    HangsAtOnce,
    /// Half of the body is sent, and the connection stays open.
    HangsInBody,
    /// The answer is not HTTP.
    Garbage,
    /// Bytes are sent for as long as they are read.
    Endless,
}

impl Answer {
    /// Creates an answer with a status and without a body.
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), manner: Manner::Well }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets a JSON body.
    pub fn json(self, json: &serde_json::Value) -> Self {
        self.header("content-type", "application/json").body(json.to_string())
    }

    /// Resets the connection before the first byte of the answer.
    pub fn resets_at_once() -> Self {
        Self::status(200).given(Manner::ResetsAtOnce)
    }

    /// Resets the connection after the head and half of a body.
    pub fn resets_in_body(self) -> Self {
        self.given(Manner::ResetsInBody)
    }

    /// Makes the client wait for the head for ever.
    pub fn hangs_at_once() -> Self {
        Self::status(200).given(Manner::HangsAtOnce)
    }

    /// Makes the client wait for the second half of the body for ever.
    pub fn hangs_in_body(self) -> Self {
        self.given(Manner::HangsInBody)
    }

    /// Creates an answer that is not HTTP.
    pub fn garbage() -> Self {
        Self::status(200).given(Manner::Garbage)
    }

    /// Sends a body that does not end.
    pub fn endless(self) -> Self {
        self.given(Manner::Endless)
    }

    /// Closes the connection after the answer, although the answer does not say so.
    pub fn then_closes(self) -> Self {
        self.given(Manner::ThenCloses)
    }

    fn given(mut self, manner: Manner) -> Self {
        if self.body.is_empty() && matches!(manner, Manner::ResetsInBody | Manner::HangsInBody) {
            self.body = b"{\"errors\":[\"the second half of this never comes\"]}".to_vec();
        }
        self.manner = manner;
        self
    }
}
