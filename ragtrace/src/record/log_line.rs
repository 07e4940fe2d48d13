//! The record of a log line.

use std::borrow::Cow;
use std::sync::Arc;

use ragtrace_core::context::Request;
use ragtrace_core::entry::{DecodedLogFields, LogField, LogFieldWords, LogLine};
use ragtrace_core::id::{random, record_id};
use ragtrace_core::time::Anchor;
use ragtrace_core::{Event, FieldSource, StageDescriptor, Value};

use super::chunk_builder::ChunkBuilder;
use super::filter::RecordFilter;
use super::parts::{ChunkIndex, Extras, OwnedSubject, RecordParts};

/// The target of lines that come through the crate `log`. Their fields hold their place in the
/// source code, which is known only at run time.
const OF_LOG: &str = "log";

/// A log line, and the place where it was written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoggedLine<'a> {
    pub(crate) line: LogLine,
    pub(crate) fields: LogFieldWords<'a>,
    /// Converts a time on the monotonic clock of stages to the time of day.
    pub(crate) anchor: Anchor,
    pub(crate) request: Option<&'a Arc<Request>>,
    pub(crate) thread: Option<&'a Arc<str>>,
    /// The stage that the line was written in.
    pub(crate) stage: Option<&'static StageDescriptor>,
}

impl LoggedLine<'_> {
    /// Returns `true` if `filter` takes the record of this line.
    pub(crate) fn is_taken(&self, filter: RecordFilter) -> bool {
        let descriptor = self.line.descriptor;
        let own_target = descriptor.target();
        let is_by_target = own_target == OF_LOG && filter.log_lines().is_by_target();
        let fields = is_by_target.then(|| DecodedLogFields::new(self.fields)).into_iter().flatten();
        let given = fields.take_while(|field| field.is_own).find_map(|field| match field.value {
            Value::Text(target) if field.declared.name() == "log.target" => Some(target),
            _ => None,
        });
        filter.takes(descriptor.level(), Event::Log, || given.as_deref().unwrap_or(own_target))
    }
}

impl ChunkBuilder {
    /// Adds the record of a log line. Of fields with the same name the first one counts: the line's
    /// own fields come before those of the spans around it.
    pub(crate) fn add_log_line(&mut self, logged: LoggedLine<'_>) {
        let LoggedLine { line, fields, anchor, request, thread, stage } = logged;
        let descriptor = line.descriptor;
        let timestamp = anchor.wall_at(line.at);
        let mut subject = OwnedSubject {
            logger: Cow::Borrowed(descriptor.target()),
            message: Some(Cow::Borrowed(descriptor.message())),
            stage: stage.map(|stage| Cow::Borrowed(stage.name())),
            kind: stage.map(StageDescriptor::kind),
            source: Some((Cow::Borrowed(descriptor.file()), descriptor.line())),
        };
        let mut has_message = false;
        for LogField { declared: field, value, is_own } in DecodedLogFields::new(fields) {
            let name = field.name();
            if is_own && name == "message" && !std::mem::replace(&mut has_message, true) {
                subject.message = Some(Cow::Owned(value.to_string()));
            } else if is_own && descriptor.target() == OF_LOG && name.starts_with("log.") {
                describe(&mut subject, name, value);
            } else if field.source() != FieldSource::Start && value.is_number() {
                self.add_metric(Cow::Borrowed(name), value);
            } else if self.earlier_value(name, false).is_none() {
                self.add_context(Cow::Borrowed(name), value);
            }
        }
        let (request, thread) = (
            request.map_or(ChunkIndex::NONE, |request| self.request_index(request)),
            thread.map_or(ChunkIndex::NONE, |thread| self.thread_index(thread)),
        );
        let extras = Extras { id: Some(record_id(timestamp, random())), subject, ..Extras::default() };
        let parts = RecordParts::new(timestamp, Event::Log, descriptor.level(), None);
        self.add(RecordParts { extras: Some(Box::new(extras)), span_id: line.span, request, thread, ..parts });
    }
}

/// Moves a field that describes the place of a line of the crate `log` into the record's subject.
fn describe(subject: &mut OwnedSubject, name: &str, value: Value) {
    match (name, value) {
        ("log.target", Value::Text(target)) => subject.logger = target,
        ("log.file", Value::Text(file)) => {
            let line = subject.source.as_ref().map_or(0, |(_, line)| *line);
            subject.source = Some((file, line));
        }
        ("log.line", value) => {
            let line = value.as_u64().and_then(|line| u32::try_from(line).ok());
            if let (Some(line), Some(source)) = (line, &mut subject.source) {
                source.1 = line;
            }
        }
        _ => {}
    }
}
