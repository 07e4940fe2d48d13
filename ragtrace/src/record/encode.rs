//! A record's canonical JSON, written by hand: it is what the worker does most.

use std::time::Duration;

use super::chunk::named_words;
use super::{ErrorInfo, NamedValue, Record};
use crate::record::json::{self, Object};
use crate::stage::StageDescriptor;

impl Record {
    /// Appends the canonical JSON to `out`, without a line's end. Parts that are absent are left out.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        let parts = self.parts();
        let mut object = Object::open(out);
        object.uuid("id", parts.id);
        object.ascii("timestamp", &parts.timestamp.rfc3339());
        object.text("level", parts.level.as_str());
        object.text("logger", self.logger());
        match (self.own_message(), self.stage()) {
            (Some(message), _) => object.text("message", message),
            (None, Some(stage)) => object.text_of_two("message", stage, self.event().ending()),
            (None, None) => object.text("message", self.event().as_str()),
        }
        object.text("event", parts.event.as_str());
        object.optional_text("stage", self.stage());
        object.optional_text("kind", self.kind().map(crate::StageKind::as_str));
        if let Some(trace_id) = self.trace_id() {
            object.uuid("trace_id", trace_id.as_uuid());
        }
        if let Some(span_id) = parts.span_id {
            object.hex("span_id", span_id.as_u64());
            match parts.parent_span_id {
                Some(parent) => object.hex("parent_span_id", parent.as_u64()),
                None => object.null("parent_span_id"),
            }
        }
        if parts.local_root {
            object.boolean("local_root", true);
        }
        object.optional_text("request_id", self.request_id());
        object.optional_text("user_id", self.user_id());
        object.optional_text("tenant_id", self.tenant_id());
        object.optional_text("request_type", self.request_type());
        object.optional_text("service", self.service());
        object.optional_text("environment", self.environment());
        object.optional_text("version", self.version());
        object.optional_text("host", self.host());
        object.uuid("instance", self.instance());
        object.optional_text("thread", self.thread());
        if parts.fields.has_context() {
            self.write_context(object.nested("context"));
        }
        if self.has_metrics() {
            self.write_metrics(object.nested("metrics"));
        }
        if let Some(error) = self.error() {
            write_error(object.nested("error"), error);
        }
        object.optional_text("stack_trace", self.stack_trace());
        if let Some((file, line)) = self.source() {
            let mut source = object.nested("source");
            source.text("file", file);
            source.unsigned("line", u64::from(line));
            source.close();
        }
        object.close();
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
        parts.duration.get().is_some()
            || parts.busy.get().is_some()
            || parts.count.is_some()
            || parts.fields.has_metrics()
    }

    fn write_context(&self, object: Object<'_>) {
        match self.chunk.words_of(self.parts()) {
            Some((stage, context, _)) => write_words(object, stage, context),
            None => write_fields(object, self.context_fields()),
        }
    }

    fn write_metrics(&self, mut object: Object<'_>) {
        let parts = self.parts();
        for (name, duration) in [("duration_ms", self.duration()), ("busy_ms", self.busy())] {
            if let Some(duration) = duration {
                object.float(name, millis(duration));
            }
        }
        if let Some(count) = parts.count {
            object.unsigned("count", count);
        }
        match self.chunk.words_of(parts) {
            Some((stage, _, metrics)) => write_words(object, stage, metrics),
            None => write_fields(object, self.metrics_fields()),
        }
    }
}

/// One division of a whole number, so that the shortest decimal form has no more digits than there are.
#[expect(clippy::cast_precision_loss, reason = "exact up to 104 days")]
pub(super) fn millis(duration: Duration) -> f64 {
    duration.as_nanos() as f64 / 1e6
}

fn write_words(mut object: Object<'_>, stage: &'static StageDescriptor, words: &[u64]) {
    for (name, value) in named_words(stage, words) {
        object.raw_field(name, value);
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
    object.text("type", &error.type_name);
    object.text("message", &error.message);
    object.texts("chain", &error.chain);
    object.close();
}
