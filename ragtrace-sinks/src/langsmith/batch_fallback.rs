//! The body of `POST /runs/batch`, for servers without a multipart endpoint: one JSON object.

use std::io;

use ragtrace::__json::Object;

use super::cut::Cut;
use super::run::{Part, Run};
use crate::http::{Body, BodyWriter, Compression};

/// A body that is being written.
#[derive(Debug)]
pub(super) struct BatchBody<'a> {
    body: BodyWriter,
    /// The content of one part.
    part: Vec<u8>,
    cut: &'a Cut,
}

impl<'a> BatchBody<'a> {
    pub(super) fn begin(plain: &Compression, cut: &'a Cut) -> Self {
        let mut body = plain.begin();
        body.staged().extend_from_slice(b"{\"post\":[");
        Self { body, part: Vec::new(), cut }
    }

    /// Adds a run.
    pub(super) fn add_run(&mut self, run: &Run<'_>) {
        let out = self.body.staged();
        if out.last() == Some(&b'}') {
            out.push(b',');
        }
        let mut object = Object::open(out);
        run.write_main(&mut object);
        for part in Part::ALL {
            run.write_part(part, &mut self.part);
            if !self.part.is_empty() {
                self.cut.apply(part, &mut self.part);
                object.value(part.name()).append(&mut self.part);
            }
        }
        object.close();
        self.body.settle();
    }

    /// Ends the body.
    pub(super) fn finish(mut self) -> io::Result<Body> {
        self.body.staged().extend_from_slice(b"],\"patch\":[]}");
        self.body.finish()
    }
}
