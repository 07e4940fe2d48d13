//! Writes one span.

use ragtrace::__json::{Object, write_parts, write_whole};

use super::intake::{Intake, ROOT_TAG};
use super::meta::{Extent, write_meta, write_metrics};
use crate::datadog::settings::Settings;
use crate::ml_app::MlApp;
use crate::spans::{Outcome, Span};

/// The longest value of a tag, in characters.
const LONGEST_TAG: usize = 256;

/// Writes the spans of one application.
pub(super) struct SpanWriter<'a> {
    pub(super) settings: &'a Settings,
    pub(super) ml_app: &'a MlApp,
    pub(super) intake: Intake,
}

impl SpanWriter<'_> {
    pub(super) fn write(&self, out: &mut Vec<u8>, span: &Span<'_>, extent: Extent) {
        let mut object = Object::open(out);
        // Datadog refuses an empty name.
        object.text("name", if span.name.is_empty() { "stage" } else { span.name });
        write_decimal(object.value("span_id"), span.span_id.as_u64());
        let trace_id = span.trace_id.to_hex();
        object.text("trace_id", &trace_id);
        // A caller in another process may not have sent a span to this product, and a tree whose
        // root is missing is not shown.
        let parent = span.parent_span_id().filter(|_| !span.record.is_local_root());
        match parent {
            Some(parent) => write_decimal(object.value("parent_id"), parent.as_u64()),
            None => object.text("parent_id", "undefined"),
        }
        object.unsigned("start_ns", span.start_nanos());
        object.unsigned("duration", u64::try_from(span.duration.as_nanos()).unwrap_or(u64::MAX).min(i64::MAX as u64));
        object.text("status", if span.outcome == Outcome::Failed { "error" } else { "ok" });
        write_meta(object.nested("meta"), span, self.intake, extent);
        write_metrics(object.nested("metrics"), span);
        object.optional_text("session_id", span.record.session_id());
        match self.intake {
            Intake::Documented => {
                object.optional_text("service", self.service(span));
                object.text("apm_trace_id", &trace_id);
            }
            Intake::Agent => {
                let mut internal = object.nested("_dd");
                write_decimal(internal.value("span_id"), span.span_id.as_u64());
                internal.text("trace_id", &trace_id);
                internal.text("apm_trace_id", &trace_id);
                internal.close();
            }
        }
        if extent == Extent::WithoutContent {
            let out = object.value("collection_errors");
            out.extend_from_slice(br#"["dropped_io"]"#);
        }
        self.write_tags(object.value("tags"), span, Some(&*trace_id).filter(|_| parent.is_none()));
        object.close();
    }

    fn service<'s>(&'s self, span: &Span<'s>) -> Option<&'s str> {
        span.record.service().or(self.settings.service.as_deref())
    }

    /// Writes tags in the order of their keys, and then those that were set on the sink.
    fn write_tags(&self, out: &mut Vec<u8>, span: &Span<'_>, root_of: Option<&str>) {
        let Self { settings, ml_app, intake } = self;
        let record = span.record;
        let is_error = span.outcome == Outcome::Failed;
        let is_cancelled = span.outcome == Outcome::Cancelled;
        let tags = [
            ("env", record.environment().or(settings.environment.as_deref())),
            ("error", Some(if is_error { "1" } else { "0" })),
            ("error_type", span.error().map(ragtrace::ErrorInfo::type_name).filter(|_| is_error)),
            ("language", Some("rust")),
            ("ml_app", Some(ml_app.as_str())),
            ("outcome", is_cancelled.then_some("cancelled")),
            ("request_id", record.request_id()),
            ("request_type", record.request_type()),
            (ROOT_TAG, root_of),
            ("service", self.service(span)),
            ("session_id", record.session_id()),
            ("source", (*intake == Intake::Agent).then_some("integration")),
            ("stage_kind", Some(span.kind.as_str())),
            ("tenant_id", record.tenant_id()),
            ("user_id", record.user_id()),
            ("version", record.version().or(settings.version.as_deref())),
        ];
        out.push(b'[');
        let mut is_first = true;
        let mut write = |parts: &[&str]| {
            if !std::mem::replace(&mut is_first, false) {
                out.push(b',');
            }
            write_parts(out, parts);
        };
        for (key, value) in tags {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                write(&[key, ":", beginning(value)]);
            }
        }
        // A tag without a value does not count as a tag here.
        for tag in settings.tags.iter().filter(|tag| tag.contains(':')) {
            write(&[beginning(tag)]);
        }
        out.push(b']');
    }
}

fn beginning(text: &str) -> &str {
    match text.char_indices().nth(LONGEST_TAG) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// Writes a number as a string of decimal digits.
fn write_decimal(out: &mut Vec<u8>, number: u64) {
    out.push(b'"');
    write_whole(out, number);
    out.push(b'"');
}
