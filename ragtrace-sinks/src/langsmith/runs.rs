//! The runs of a batch, and the bodies of requests with them, which depend on nothing but the batch
//! and the settings.

use std::io;

use ragtrace::sink::Batch;

use super::batch_fallback::BatchBody;
use super::cut::Cut;
use super::dotted_order::Places;
use super::metadata::OriginMembers;
use super::multipart::{Multipart, MultipartBody};
use super::run::{Common, Run};
use crate::http::{Body, Compression};
use crate::spans::Span;

/// The runs that ended in a batch.
#[derive(Debug)]
pub(super) struct Runs<'a> {
    batch: &'a Batch,
    common: &'a Common,
    ended: Vec<Span<'a>>,
}

impl<'a> Runs<'a> {
    /// Returns the runs of a batch.
    pub(super) fn of(batch: &'a Batch, common: &'a Common) -> Self {
        Self { batch, common, ended: batch.records().iter().filter_map(Span::of).collect() }
    }

    pub(super) fn number(&self) -> usize {
        self.ended.len()
    }

    /// Writes the body of `POST /runs/multipart`.
    pub(super) fn multipart(&self, compression: &Compression, cut: &Cut) -> io::Result<MultipartBody> {
        let mut body = Multipart::begin(compression, self.batch.id(), cut);
        self.each(|run| body.add_run(run));
        body.finish()
    }

    /// Writes the body of `POST /runs/batch`.
    pub(super) fn batch(&self, plain: &Compression, cut: &Cut) -> io::Result<Body> {
        let mut body = BatchBody::begin(plain, cut);
        self.each(|run| body.add_run(run));
        body.finish()
    }

    fn each(&self, mut add: impl FnMut(&Run<'_>)) {
        let (mut places, mut origin) = (Places::default(), OriginMembers::default());
        for span in &self.ended {
            origin.set(span.record.origin());
            let is_chat = span.content.input_messages().is_some();
            add(&Run { common: self.common, origin: &origin, span, place: places.of_span(span), is_chat });
        }
    }
}
