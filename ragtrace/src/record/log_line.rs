//! The record of a log line, from its entry.

use std::borrow::Cow;

use ragtrace_core::entry::LogLine;
use ragtrace_core::id::{random, record_id};
use ragtrace_core::time::Anchor;
use ragtrace_core::value::encoding::DecodedFields;
use ragtrace_core::{Event, FieldSource};

use super::chunk_builder::ChunkBuilder;
use super::parts::{Extras, OwnedSubject, RecordParts};

impl ChunkBuilder {
    /// Adds the record of a log line that belongs to no request. Its time on the clock of stages becomes that on the wall by
    /// `anchor`.
    pub(crate) fn add_log_line(&mut self, line: &LogLine, fields: &[u64], anchor: Anchor) {
        let descriptor = line.descriptor;
        for (index, value) in DecodedFields(fields) {
            let Some(field) = descriptor.fields().get(usize::from(index)) else { continue };
            let name = Cow::Borrowed(field.name());
            if field.source() != FieldSource::Start && value.is_number() {
                self.add_metric(name, value);
            } else {
                self.add_context(name, value);
            }
        }
        let timestamp = anchor.wall_at(line.at);
        let subject = OwnedSubject {
            logger: Cow::Borrowed(descriptor.target()),
            message: Some(Cow::Borrowed(descriptor.message())),
            source: Some((Cow::Borrowed(descriptor.file()), descriptor.line())),
            ..OwnedSubject::default()
        };
        let extras = Extras { id: Some(record_id(timestamp, random())), subject, ..Extras::default() };
        let parts = RecordParts::new(timestamp, Event::Log, descriptor.level(), None);
        self.add(RecordParts { extras: Some(Box::new(extras)), span_id: line.span, ..parts });
    }
}
