//! Writing a record's canonical JSON. It is written by hand, because it is the greatest part of the
//! worker's work.

use ragtrace_core::json::{self, Object};
use ragtrace_core::value::encoding::{EncodedFields, field_id};
use ragtrace_core::{ErrorInfo, SpanLink, StageDescriptor};

use super::accessors::Record;
use super::fields::{NamedValue, named_fields};
use super::fragments::{FragmentKey, RecordFragments, with_fragments};
use super::item::RecordItem;
use super::parts::{OptionalU64, RecordFlags, Subject};
use super::sections::{write_origin, write_request, write_source, write_subject};

impl Record {
    /// Appends the canonical JSON to `out`, without a line break. Absent parts are left out.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        let parts = self.parts();
        let is_written = match parts.subject() {
            Subject::Stage(stage) if self.given_message().is_none() => {
                let (event, level, request, thread) = (parts.event, parts.level, self.request(), self.thread_name());
                let (origin, timestamp) = (&self.chunk.origin, parts.timestamp);
                let key = FragmentKey { stage, event, level, timestamp, request, origin, thread };
                with_fragments(key, |fragments| self.write_with_fragments(out, &fragments))
            }
            _ => false,
        };
        if !is_written {
            self.write_all(out);
        }
    }

    /// Writes a stage's record, taking the parts that it shares with other records from
    /// `fragments`.
    fn write_with_fragments(&self, out: &mut Vec<u8>, fragments: &RecordFragments<'_>) {
        let parts = self.parts();
        let mut object = Object::open(out);
        object.uuid("id", self.id());
        object.ascii("timestamp", &fragments.timestamp);
        object.fragment(&fragments.stage.head);
        if let Some(request) = fragments.request {
            object.fragment(&request.trace);
        }
        self.write_run(&mut object);
        if let Some(request) = fragments.request {
            object.fragment(&request.ids);
        }
        object.fragment(fragments.origin);
        object.fragment(fragments.thread);
        match self.chunk.encoded_of(parts) {
            Some((_, context, metrics)) => {
                let names = &fragments.stage.names;
                if parts.fields.has_context() {
                    write_encoded(object.nested("context"), names, context);
                }
                if self.has_metrics() {
                    let mut object = object.nested("metrics");
                    self.write_run_metrics(&mut object);
                    write_encoded(object, names, metrics);
                }
            }
            None => self.write_fields(&mut object),
        }
        self.write_extras(&mut object);
        object.fragment(&fragments.stage.source);
        object.close();
    }

    fn write_all(&self, out: &mut Vec<u8>) {
        let parts = self.parts();
        let mut object = Object::open(out);
        object.uuid("id", self.id());
        object.ascii("timestamp", &parts.timestamp.rfc3339());
        match parts.subject() {
            Subject::Stage(stage) if self.given_message().is_none() => {
                write_subject(&mut object, stage, parts.event, parts.level);
            }
            _ => self.write_other(&mut object),
        }
        if let Some(request) = self.request() {
            object.uuid("trace_id", request.trace_id.as_uuid());
        }
        self.write_run(&mut object);
        if let Some(request) = self.request() {
            write_request(&mut object, request);
        }
        write_origin(&mut object, self.origin());
        object.optional_text("thread", self.thread());
        self.write_fields(&mut object);
        self.write_extras(&mut object);
        if let Some((file, line)) = self.source() {
            write_source(&mut object, file, line);
        }
        object.close();
    }

    fn write_other(&self, object: &mut Object<'_>) {
        object.text("level", self.level().as_str());
        object.text("logger", self.logger());
        object.text("message", &self.message());
        object.text("event", self.event().as_str());
        object.optional_text("stage", self.stage());
        object.optional_text("kind", self.kind().map(crate::StageKind::as_str));
    }

    fn write_run(&self, object: &mut Object<'_>) {
        let parts = self.parts();
        if let Some(span_id) = parts.span_id {
            object.hex("span_id", span_id.as_u64());
            match parts.parent_span_id {
                Some(parent) => object.hex("parent_span_id", parent.as_u64()),
                None => object.null("parent_span_id"),
            }
        }
        if parts.flags.has(RecordFlags::LOCAL_ROOT) {
            object.boolean("local_root", true);
            if !self.links().is_empty() {
                object.list("links", self.links(), write_link);
            }
        }
    }

    fn write_fields(&self, object: &mut Object<'_>) {
        if self.parts().fields.has_context() {
            self.write_context(object.nested("context"));
        }
        if self.has_metrics() {
            self.write_metrics(object.nested("metrics"));
        }
    }

    /// Writes the parts that only some records have.
    fn write_extras(&self, object: &mut Object<'_>) {
        if self.parts().extras.is_none() {
            return;
        }
        for (name, items) in [("used", self.used()), ("generated", self.generated())] {
            if !items.is_empty() {
                object.list(name, items, write_item);
            }
        }
        if !self.path().is_empty() {
            object.list("path", self.path(), |out, step| {
                let (span_id, start) = (step.span_id.as_u64(), step.start.as_micros());
                let detached = if step.is_detached { ",true" } else { "" };
                out.extend_from_slice(format!("[\"{span_id:016x}\",{start}{detached}]").as_bytes());
            });
        }
        if let Some(score) = self.score() {
            score.write(object.nested("score"));
        }
        self.write_failure(object);
    }

    fn write_failure(&self, object: &mut Object<'_>) {
        if let Some(error) = self.error() {
            write_error(object.nested("error"), error);
        }
        object.optional_text("stack_trace", self.stack_trace());
    }

    /// Returns the `context` object of the canonical JSON, or `None` if the record has none.
    pub fn context_json(&self) -> Option<String> {
        self.parts().fields.has_context().then(|| json::text_of(|object| self.write_context(object)))
    }

    /// Returns the `metrics` object of the canonical JSON, or `None` if the record has none.
    pub fn metrics_json(&self) -> Option<String> {
        self.has_metrics().then(|| json::text_of(|object| self.write_metrics(object)))
    }

    /// Returns the `error` object of the canonical JSON, or `None` if the record has none.
    pub fn error_json(&self) -> Option<String> {
        self.error().map(|error| json::text_of(|object| write_error(object, error)))
    }

    /// Returns the `links` array of the canonical JSON, or `None` if the record has no links.
    pub fn links_json(&self) -> Option<String> {
        list_text(self.links(), write_link)
    }

    /// Returns the `used` array of the canonical JSON, or `None` if the stage used no items.
    pub fn used_json(&self) -> Option<String> {
        list_text(self.used(), write_item)
    }

    /// Returns the `generated` array of the canonical JSON, or `None` if the stage generated no
    /// items.
    pub fn generated_json(&self) -> Option<String> {
        list_text(self.generated(), write_item)
    }

    fn has_metrics(&self) -> bool {
        let parts = self.parts();
        parts.duration != OptionalU64::NONE
            || parts.busy != OptionalU64::NONE
            || parts.count != OptionalU64::NONE
            || parts.fields.has_metrics()
    }

    fn write_run_metrics(&self, object: &mut Object<'_>) {
        for (name, duration) in [("duration_ms", self.duration()), ("busy_ms", self.busy())] {
            if let Some(duration) = duration {
                object.millis(name, duration);
            }
        }
        if let Some(count) = self.count() {
            object.unsigned("count", count);
        }
    }

    fn write_context(&self, object: Object<'_>) {
        match self.chunk.encoded_of(self.parts()) {
            Some((stage, context, _)) => write_named(object, stage, context),
            None => write_fields(object, self.context_fields()),
        }
    }

    fn write_metrics(&self, mut object: Object<'_>) {
        self.write_run_metrics(&mut object);
        match self.chunk.encoded_of(self.parts()) {
            Some((stage, _, metrics)) => write_named(object, stage, metrics),
            None => write_fields(object, self.metrics_fields()),
        }
    }
}

/// Returns a JSON array, or `None` if there is nothing in it.
fn list_text<T>(values: &[T], mut write: impl FnMut(&mut Vec<u8>, &T)) -> Option<String> {
    let mut out = Vec::with_capacity(128);
    for (index, value) in values.iter().enumerate() {
        out.push(if index == 0 { b'[' } else { b',' });
        write(&mut out, value);
    }
    out.push(b']');
    String::from_utf8(out).ok().filter(|_| !values.is_empty())
}

fn write_link(out: &mut Vec<u8>, link: &SpanLink) {
    let mut object = Object::open(out);
    object.uuid("trace_id", link.trace_id.as_uuid());
    object.hex("span_id", link.span_id.as_u64());
    object.close();
}

fn write_item(out: &mut Vec<u8>, item: &RecordItem) {
    item.write(Object::open(out));
}

/// Writes encoded fields whose `names` are already in their JSON form.
fn write_encoded(mut object: Object<'_>, names: &[Vec<u8>], encoded: &[u64]) {
    for field in EncodedFields(encoded) {
        match names.get(usize::from(field.name)) {
            Some(key) => object.encoded_field(key, field.value),
            None => {
                if let Some(name) = field_id::name(field.name) {
                    object.encoded_named(name, field.value);
                }
            }
        }
    }
    object.close();
}

/// Writes encoded fields with their names.
fn write_named(mut object: Object<'_>, stage: &'static StageDescriptor, encoded: &[u64]) {
    for (name, value) in named_fields(stage, encoded) {
        object.encoded_named(name, value);
    }
    object.close();
}

fn write_fields(mut object: Object<'_>, fields: &[NamedValue]) {
    for (name, value) in fields {
        object.field(name, value);
    }
    object.close();
}

fn write_error(mut object: Object<'_>, error: &ErrorInfo) {
    object.text("type", error.type_name());
    object.text("message", error.message());
    object.texts("chain", error.chain());
    object.close();
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use uuid::Uuid;

    use super::*;
    use crate::record::{ChunkBuilder, EncodedRanges, FieldSizes, Origin, RecordParts, SealedFields};
    use crate::{FieldDescriptor, SpanId, TraceId};
    use ragtrace_core::context::Request;
    use ragtrace_core::value::FieldBuffer;
    use ragtrace_core::{Event, Level, Timestamp};

    static STAGE: StageDescriptor = StageDescriptor::new("a \"stage\"", "test").with_fields(&[
        FieldDescriptor::start("text"),
        FieldDescriptor::start("a \"name\""),
        FieldDescriptor::ok("number"),
    ]);

    /// Returns a record of `STAGE` with encoded fields, in a chunk with others.
    fn record(second: i64, request: Option<&Arc<Request>>, event: Event, text: &str) -> Record {
        let service = Some("a\tservice".to_owned());
        let origin = Origin { service, environment: None, version: None, host: None, instance: Uuid::nil() };
        let mut builder = ChunkBuilder::new(Arc::new(origin));
        let (mut context, mut metrics) = (FieldBuffer::begin(), Vec::new());
        context.set(0, text);
        context.set(1, &true);
        let encoded = context.to_encoded();
        drop(context);
        for number in [1.5, f64::NAN] {
            let mut buffer = FieldBuffer::begin();
            buffer.set(2, &number);
            metrics.extend(buffer.to_encoded());
        }
        let sizes = FieldSizes::of(&STAGE, &[&encoded[..], &metrics].concat(), |_, _| true);
        let (context, metrics) = (builder.append_encoded(&encoded), builder.append_encoded(&metrics));
        let request = request.map(|request| builder.request_index(request));
        let thread = builder.thread_index(&Arc::from("a thread"));
        let timestamp = Timestamp::from_micros(second * 1_000_000 + 7);
        let ranges = EncodedRanges { context, metrics, sizes };
        let SealedFields { fields, size, memory, flags } = builder.seal_encoded(&STAGE, ranges, false);
        let parts = RecordParts::new(timestamp, event, Level::Warn, Some(&STAGE));
        let span_id = Some(SpanId::new());
        let request = request.unwrap_or(parts.request);
        let count = OptionalU64::some(3);
        let parts = RecordParts { span_id, count, fields, request, thread, size, memory, flags, ..parts };
        // A record that is not the first of its chunk, where all indices are zero.
        builder.push(|| parts.clone());
        builder.push(|| parts);
        builder.finish().pop().expect("a record")
    }

    #[test]
    fn a_record_written_from_cached_fragments_is_the_one_written_without_them() {
        let mut request = Request::new(TraceId::new());
        request.user_id = Some("al\\ice".into());
        let requests = [Arc::new(request), Arc::new(Request::new(TraceId::new()))];
        let requests = [Some(&requests[0]), None, Some(&requests[1]), Some(&requests[1])];
        let long = "long ".repeat(20_000);
        for second in [-1, 0, 1_700_000_000, 253_402_300_799, 253_402_300_800, i64::MAX / 2_000_000] {
            for (request, text) in requests.into_iter().zip(["", "short", "with \"quotes\" and ü", &long]) {
                for event in [Event::Started, Event::Completed] {
                    let record = record(second, request, event, text);
                    let (mut all, mut with_fragments) = (Vec::new(), Vec::new());
                    record.write_all(&mut all);
                    record.write_json(&mut with_fragments);
                    let json: serde_json::Value = serde_json::from_slice(&with_fragments).expect("JSON");
                    assert_eq!(String::from_utf8(with_fragments), String::from_utf8(all));
                    for (part, alone) in [("context", record.context_json()), ("metrics", record.metrics_json())] {
                        assert_eq!(alone.and_then(|alone| serde_json::from_str(&alone).ok()), Some(json[part].clone()));
                    }
                    assert_eq!(record.field("text").and_then(crate::Value::as_str), Some(text));
                    assert_eq!(record.detached().to_json(), record.to_json());
                }
            }
        }
    }
}
