//! Builds forms with files.

const BOUNDARY: &str = "a-boundary-of-the-tests";

/// A form that is being filled.
#[derive(Default)]
pub(crate) struct Form(Vec<u8>);

impl Form {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn media_type() -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }

    pub(crate) fn file(self, name: &str, bytes: &[u8]) -> Self {
        self.part(format!("form-data; name=\"files\"; filename=\"{name}\"").as_bytes(), bytes)
    }

    /// Adds a part with any `Content-Disposition`.
    pub(crate) fn part(mut self, disposition: &[u8], bytes: &[u8]) -> Self {
        self.0.extend_from_slice(format!("--{BOUNDARY}\r\nContent-Disposition: ").as_bytes());
        self.0.extend_from_slice(disposition);
        self.0.extend_from_slice(b"\r\nContent-Type: application/octet-stream\r\n\r\n");
        self.0.extend_from_slice(bytes);
        self.0.extend_from_slice(b"\r\n");
        self
    }

    /// Returns the form so far, without its end.
    pub(crate) fn open(self) -> Vec<u8> {
        self.0
    }

    pub(crate) fn close(mut self) -> Vec<u8> {
        self.0.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        self.0
    }
}
