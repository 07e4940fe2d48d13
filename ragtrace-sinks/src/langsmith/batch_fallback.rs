//! The body of `POST /runs/batch`, which servers take that know no multipart: one JSON object.

use std::io;

use ragtrace::__json::Object;

use super::cut::Cut;
use super::run::{Part, Run};
use crate::http::{Body, BodyWriter, Compression};

/// A body that is being written.
#[derive(Debug)]
pub(super) struct BatchBody<'a> {
    body: BodyWriter,
    cut: &'a Cut,
}

impl<'a> BatchBody<'a> {
    pub(super) fn begin(cut: &'a Cut) -> Self {
        let mut body = Compression::none().begin();
        body.staged().extend_from_slice(b"{\"post\":[");
        Self { body, cut }
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
            if let Some(content) = object.optional_value(part.name(), |out| run.write_part(part, out)) {
                let (out, start) = content;
                self.cut.apply(part, out, start);
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
