//! The body of `POST /runs/multipart`: runs in parts, and feedback.

use std::io;

use ragtrace::__json::{Object, write_whole};
use ragtrace::uuid::Uuid;

use super::cut::Cut;
use super::run::{Part, Run};
use crate::http::{Body, BodyWriter, Compression};

/// A body that is being written.
#[derive(Debug)]
pub(super) struct Multipart<'a> {
    body: BodyWriter,
    boundary: String,
    /// The content of one part, whose length is written before it.
    part: Vec<u8>,
    /// The number of bytes in the contents so far.
    content_length: usize,
    cut: &'a Cut,
}

/// A finished body.
#[derive(Debug)]
pub(super) struct MultipartBody {
    pub(super) body: Body,
    pub(super) content_type: String,
    /// The number of bytes in the contents of all parts, which LangSmith's clients send as
    /// `X-Pre-Compressed-Size`.
    pub(super) content_length: usize,
}

impl<'a> Multipart<'a> {
    /// Begins the body of a batch. The boundary between parts contains the batch's id, which no
    /// record's text contains.
    pub(super) fn begin(compression: &Compression, batch: Uuid, cut: &'a Cut) -> Self {
        let boundary = format!("ragtrace-{}", batch.as_simple());
        Self { body: compression.begin(), boundary, part: Vec::with_capacity(1 << 10), content_length: 0, cut }
    }

    /// Adds a run.
    pub(super) fn add_run(&mut self, run: &Run<'_>) {
        let id = run.place.run_id;
        let mut main = Object::open(&mut self.part);
        run.write_main(&mut main);
        main.close();
        self.end_part("post.", id, "");
        for part in Part::ALL {
            run.write_part(part, &mut self.part);
            if !self.part.is_empty() {
                self.cut.apply(part, &mut self.part);
                self.end_part("post.", id, part.name());
            }
        }
        self.body.settle();
    }

    /// Adds feedback, whose JSON is written by `write`.
    pub(super) fn add_feedback(&mut self, id: Uuid, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.part);
        self.end_part("feedback.", id, "");
        self.body.settle();
    }

    /// Writes the part with the current content (RFC 7578), and the headers that LangSmith
    /// requires.
    fn end_part(&mut self, kind: &str, id: Uuid, name: &str) {
        let (out, content) = (self.body.staged(), &mut self.part);
        out.reserve(256 + content.len());
        out.extend_from_slice(b"--");
        out.extend_from_slice(self.boundary.as_bytes());
        out.extend_from_slice(b"\r\nContent-Disposition: form-data; name=\"");
        out.extend_from_slice(kind.as_bytes());
        out.extend_from_slice(id.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
        if !name.is_empty() {
            out.push(b'.');
            out.extend_from_slice(name.as_bytes());
        }
        out.extend_from_slice(b"\"\r\nContent-Type: application/json\r\nContent-Length: ");
        write_whole(out, content.len());
        out.extend_from_slice(b"\r\n\r\n");
        out.extend_from_slice(content);
        out.extend_from_slice(b"\r\n");
        self.content_length += content.len();
        content.clear();
    }

    /// Ends the body.
    pub(super) fn finish(mut self) -> io::Result<MultipartBody> {
        let end = format!("--{}--\r\n", self.boundary);
        self.body.staged().extend_from_slice(end.as_bytes());
        let content_type = format!("multipart/form-data; boundary={}", self.boundary);
        Ok(MultipartBody { body: self.body.finish()?, content_type, content_length: self.content_length })
    }
}
