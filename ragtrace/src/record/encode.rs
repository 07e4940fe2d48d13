//! A record's canonical JSON, written by hand: it is what the worker does most.

use ragtrace_core::context::Request;
use ragtrace_core::json::{self, Object};
use ragtrace_core::value::encoding::{EncodedFields, field_id};
use ragtrace_core::{ErrorInfo, Event, Level, StageDescriptor};

use super::fields::named_words;
use super::parts::Subject;
use super::pieces::{self, Common, Of};
use super::{Marks, Maybe, NamedValue, Origin, Record};

impl Record {
    /// Appends the canonical JSON to `out`, without a line's end. Parts that are absent are left out.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        let parts = self.parts();
        let is_written = match parts.subject() {
            Subject::Stage(stage) => {
                let (event, level, request, thread) = (parts.event, parts.level, self.request(), self.thread_name());
                let (origin, timestamp) = (&self.chunk.origin, parts.timestamp);
                let of = Of { stage, event, level, timestamp, request, origin, thread };
                pieces::with(of, |common| self.write_with_pieces(out, &common))
            }
            Subject::Other(_) => false,
        };
        if !is_written {
            self.write_all(out);
        }
    }

    /// What a stage's record has in common with others comes from `common`.
    fn write_with_pieces(&self, out: &mut Vec<u8>, common: &Common<'_>) {
        let parts = self.parts();
        let mut object = Object::open(out);
        object.uuid("id", self.id());
        object.ascii("timestamp", &common.timestamp);
        object.fragment(&common.stage.head);
        if let Some(request) = common.request {
            object.fragment(&request.trace);
        }
        self.write_run(&mut object);
        if let Some(request) = common.request {
            object.fragment(&request.ids);
        }
        object.fragment(common.origin);
        object.fragment(common.thread);
        match self.chunk.words_of(parts) {
            Some((_, context, metrics)) => {
                let names = &common.stage.names;
                if parts.fields.has_context() {
                    write_words(object.nested("context"), names, context);
                }
                if self.has_metrics() {
                    let mut object = object.nested("metrics");
                    self.write_own_metrics(&mut object);
                    write_words(object, names, metrics);
                }
            }
            None => self.write_fields(&mut object),
        }
        self.write_failure(&mut object);
        object.fragment(&common.stage.source);
        object.close();
    }

    fn write_all(&self, out: &mut Vec<u8>) {
        let parts = self.parts();
        let mut object = Object::open(out);
        object.uuid("id", self.id());
        object.ascii("timestamp", &parts.timestamp.rfc3339());
        match parts.subject() {
            Subject::Stage(stage) => write_subject(&mut object, stage, parts.event, parts.level),
            Subject::Other(_) => self.write_other(&mut object),
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
        self.write_failure(&mut object);
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
        if parts.marks.has(Marks::LOCAL_ROOT) {
            object.boolean("local_root", true);
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

    fn write_failure(&self, object: &mut Object<'_>) {
        if let Some(error) = self.error() {
            write_error(object.nested("error"), error);
        }
        object.optional_text("stack_trace", self.stack_trace());
    }

    /// The `context` part of the canonical JSON, or `None` if the record has none.
    pub fn context_json(&self) -> Option<String> {
        self.parts().fields.has_context().then(|| json::text_of(|object| self.write_context(object)))
    }

    /// The `metrics` part of the canonical JSON, or `None` if the record has none.
    pub fn metrics_json(&self) -> Option<String> {
        self.has_metrics().then(|| json::text_of(|object| self.write_metrics(object)))
    }

    /// The `error` part of the canonical JSON, or `None` if the record has none.
    pub fn error_json(&self) -> Option<String> {
        self.error().map(|error| json::text_of(|object| write_error(object, error)))
    }

    fn has_metrics(&self) -> bool {
        let parts = self.parts();
        parts.duration != Maybe::NONE
            || parts.busy != Maybe::NONE
            || parts.count != Maybe::NONE
            || parts.fields.has_metrics()
    }

    fn write_own_metrics(&self, object: &mut Object<'_>) {
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
        match self.chunk.words_of(self.parts()) {
            Some((stage, context, _)) => write_named(object, stage, context),
            None => write_fields(object, self.context_fields()),
        }
    }

    fn write_metrics(&self, mut object: Object<'_>) {
        self.write_own_metrics(&mut object);
        match self.chunk.words_of(self.parts()) {
            Some((stage, _, metrics)) => write_named(object, stage, metrics),
            None => write_fields(object, self.metrics_fields()),
        }
    }
}

/// What a record is about, from `level` to `kind`.
pub(super) fn write_subject(object: &mut Object<'_>, stage: &StageDescriptor, event: Event, level: Level) {
    object.text("level", level.as_str());
    object.text("logger", stage.target());
    object.text_of_two("message", stage.name(), event.ending());
    object.text("event", event.as_str());
    object.text("stage", stage.name());
    object.text("kind", stage.kind().as_str());
}

/// Whose it is, from `request_id` to `request_type`.
pub(super) fn write_request(object: &mut Object<'_>, request: &Request) {
    object.optional_text("request_id", request.request_id.as_deref());
    object.optional_text("user_id", request.user_id.as_deref());
    object.optional_text("tenant_id", request.tenant_id.as_deref());
    object.optional_text("session_id", request.session_id.as_deref());
    object.optional_text("request_type", request.request_type.as_deref());
}

/// Where it comes from, from `service` to `instance`.
pub(super) fn write_origin(object: &mut Object<'_>, origin: &Origin) {
    object.optional_text("service", origin.service.as_deref());
    object.optional_text("environment", origin.environment.as_deref());
    object.optional_text("version", origin.version.as_deref());
    object.optional_text("host", origin.host.as_deref());
    object.uuid("instance", origin.instance);
}

/// What declares it.
pub(super) fn write_source(object: &mut Object<'_>, file: &str, line: u32) {
    let mut source = object.nested("source");
    source.text("file", file);
    source.unsigned("line", u64::from(line));
    source.close();
}

/// Fields as the stage wrote them, whose `names` are written already.
fn write_words(mut object: Object<'_>, names: &[Vec<u8>], words: &[u64]) {
    for field in EncodedFields(words) {
        let key = match field.name {
            field_id::FIRST_ITEM => &b"first_item_ms\":"[..],
            index => match names.get(usize::from(index)) {
                Some(key) => key,
                None => continue,
            },
        };
        object.encoded_field(key, field.value);
    }
    object.close();
}

/// The same without anything that is written already.
fn write_named(mut object: Object<'_>, stage: &'static StageDescriptor, words: &[u64]) {
    for (name, value) in named_words(stage, words) {
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
    use crate::record::{Draft, Parts, Sealed, Sizes, Words};
    use crate::{FieldDescriptor, SpanId, TraceId};
    use ragtrace_core::Timestamp;
    use ragtrace_core::value::FieldBuffer;

    static STAGE: StageDescriptor = StageDescriptor::new("a \"stage\"", "test").with_fields(&[
        FieldDescriptor::start("text"),
        FieldDescriptor::start("a \"name\""),
        FieldDescriptor::ok("number"),
    ]);

    /// A record of `STAGE` with its fields as words, among others.
    fn record(second: i64, request: Option<&Arc<Request>>, event: Event, text: &str) -> Record {
        let service = Some("a\tservice".to_owned());
        let origin = Origin { service, environment: None, version: None, host: None, instance: Uuid::nil() };
        let mut draft = Draft::new(Arc::new(origin));
        let (mut context, mut metrics) = (FieldBuffer::begin(), Vec::new());
        context.set(0, text);
        context.set(1, &true);
        let words = context.to_encoded();
        drop(context);
        for number in [1.5, f64::NAN] {
            let mut slots = FieldBuffer::begin();
            slots.set(2, &number);
            metrics.extend(slots.to_encoded());
        }
        let sizes = Sizes::of(&STAGE, &[&words[..], &metrics].concat(), |_, _| true);
        let (context, metrics) = (draft.lay(&words), draft.lay(&metrics));
        let (request, thread) = (request.map(|request| draft.request(request)), draft.thread(&Arc::from("a thread")));
        let timestamp = Timestamp::from_micros(second * 1_000_000 + 7);
        let words = Words { context, metrics, sizes };
        let Sealed { fields, size, memory, marks } = draft.seal_words(&STAGE, words, false);
        let parts = Parts::new(timestamp, event, Level::Warn, Some(&STAGE));
        let span_id = Some(SpanId::new());
        let request = request.unwrap_or(parts.request);
        let count = Maybe::of(3);
        let parts = Parts { span_id, count, fields, request, thread, size, memory, marks, ..parts };
        // Not the first of its chunk, whose place is zero.
        draft.push(|| parts.clone());
        draft.push(|| parts);
        draft.finish().pop().expect("a record")
    }

    #[test]
    fn what_is_written_from_pieces_is_what_is_written_without_them() {
        let mut request = Request::new(TraceId::new());
        request.user_id = Some("al\\ice".into());
        let requests = [Arc::new(request), Arc::new(Request::new(TraceId::new()))];
        let requests = [Some(&requests[0]), None, Some(&requests[1]), Some(&requests[1])];
        let long = "long ".repeat(20_000);
        for second in [-1, 0, 1_700_000_000, 253_402_300_799, 253_402_300_800, i64::MAX / 2_000_000] {
            for (request, text) in requests.into_iter().zip(["", "short", "with \"quotes\" and ü", &long]) {
                for event in [Event::Started, Event::Completed] {
                    let record = record(second, request, event, text);
                    let (mut all, mut with_pieces) = (Vec::new(), Vec::new());
                    record.write_all(&mut all);
                    record.write_json(&mut with_pieces);
                    let json: serde_json::Value = serde_json::from_slice(&with_pieces).expect("JSON");
                    assert_eq!(String::from_utf8(with_pieces), String::from_utf8(all));
                    for (part, alone) in [("context", record.context_json()), ("metrics", record.metrics_json())] {
                        assert_eq!(alone.and_then(|alone| serde_json::from_str(&alone).ok()), Some(json[part].clone()));
                    }
                    assert_eq!(record.field("text").and_then(crate::Value::as_str), Some(text));
                    assert_eq!(record.alone().to_json(), record.to_json());
                }
            }
        }
    }
}
