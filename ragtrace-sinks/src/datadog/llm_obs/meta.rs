//! Writes a span's `meta` and `metrics`, which describe what the stage did.

use ragtrace::__json::{FieldValue, Object, write_float, write_text, write_whole};

use super::content::{beside_input_and_output, write_document_list, write_input, write_output};
use super::intake::{DEEPEST, Intake};
use super::kind::Kind;
use crate::datadog::attributes::{Shape, write_unsigned};
use crate::spans::{LINKS, Span, Usage, write_links};

/// The text that replaces input and output of a span that is too large.
const LEFT_OUT: &str = "[left out: the span would be over 5,000,000 bytes]";

/// Metrics whose meaning Datadog knows, and which it adds up (Datadog, "LLM Observability HTTP API"
/// and "LLM Observability Metrics"). The application cannot set any of them by a number of that
/// name, even if the sink does not write it: Datadog would count its cost twice.
const COUNTED: [&str; 16] = [
    "cache_read_input_cost",
    "cache_read_input_tokens",
    "cache_write_input_cost",
    "cache_write_input_tokens",
    "input_cost",
    "input_tokens",
    "non_cached_input_cost",
    "non_cached_input_tokens",
    "output_cost",
    "output_tokens",
    "reasoning_output_cost",
    "reasoning_output_tokens",
    "time_per_output_token",
    "time_to_first_token",
    "total_cost",
    "total_tokens",
];
const INPUT_DOCUMENTS: &str = "input_documents";
const OUTPUT_DOCUMENTS: &str = "output_documents";

/// The extent to which a span is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    Whole,
    WithoutContent,
}

pub(super) fn write_meta(mut meta: Object<'_>, span: &Span<'_>, intake: Intake, extent: Extent) {
    let kind = Kind::of(span.kind);
    match intake {
        Intake::Documented => meta.text("kind", kind.as_str()),
        Intake::Agent => {
            let mut of_span = meta.nested("span");
            of_span.text("kind", kind.as_str());
            of_span.close();
        }
    }
    if extent == Extent::Whole {
        write_input(&mut meta, span, kind);
        write_output(&mut meta, span, kind);
    } else {
        for name in ["input", "output"] {
            let mut left_out = meta.nested(name);
            left_out.text("value", LEFT_OUT);
            left_out.close();
        }
    }
    meta.optional_text("model_name", span.content.model);
    meta.optional_text("model_provider", span.content.provider.map(str::to_lowercase).as_deref());
    if let Some(error) = span.error() {
        let mut of_error = meta.nested("error");
        of_error.text("message", error.message());
        of_error.text("type", error.type_name());
        let sources = error.chain().iter().map(String::as_str);
        let stack: Vec<_> = sources.chain(span.record.stack_trace()).collect();
        if !stack.is_empty() {
            of_error.text("stack", &stack.join("\n"));
        }
        of_error.close();
    }
    write_metadata(meta.nested("metadata"), span, extent);
    meta.close();
}

/// Writes what has no member of its own.
fn write_metadata(mut metadata: Object<'_>, span: &Span<'_>, extent: Extent) {
    let content = &span.content;
    let numbers = [
        ("top_k", content.top_k),
        ("dimensions", content.dimensions),
        ("input_count", content.input_count),
        ("count", span.record.count()),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            write_unsigned(metadata.value(name), number);
        }
    }
    if let Some(score) = content.score {
        metadata.float("score", score);
    }
    write_links(&mut metadata, span.record);
    if extent == Extent::Whole {
        // If something else is the input or output, the documents are written here.
        let is_shown_as_output = content.output.is_none() || Kind::of(span.kind) == Kind::Retrieval;
        let documents = [
            (INPUT_DOCUMENTS, span.record.used(), content.input_or_query().is_none()),
            (OUTPUT_DOCUMENTS, span.record.generated(), is_shown_as_output),
        ];
        for (name, items, is_shown) in documents {
            if !is_shown && !items.is_empty() {
                write_document_list(metadata.value(name), items);
            }
        }
        for (name, value) in beside_input_and_output(span) {
            write_field(metadata.value(name), &value.into());
        }
        span.record.visit_context(|name, value| {
            if [INPUT_DOCUMENTS, LINKS, OUTPUT_DOCUMENTS].contains(&name) {
                write_field(metadata.value(&format!("field.{name}")), &value);
            } else if !crate::spans::is_reserved(name) {
                write_field(metadata.value(name), &value);
            }
        });
    }
    metadata.close();
}

/// Writes a value. JSON that is too deep becomes a string.
fn write_field(out: &mut Vec<u8>, value: &FieldValue<'_>) {
    match value {
        FieldValue::Null => out.extend_from_slice(b"null"),
        FieldValue::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        FieldValue::U64(number) => write_unsigned(out, *number),
        FieldValue::I64(number) => write_whole(out, *number),
        FieldValue::F64(number) => write_float(out, *number),
        FieldValue::Json(json) if Shape::of(json).levels <= DEEPEST => out.extend_from_slice(json.as_bytes()),
        FieldValue::Text(text) | FieldValue::Json(text) => write_text(out, text),
    }
}

/// Writes the numbers, each as a float under a name without dots, since Datadog drops a whole
/// request over one that is not. An application's number with the name of one of Datadog's metrics
/// gets the prefix `field_`. Of two names that differ only in dots, the first is written.
#[expect(clippy::cast_precision_loss, reason = "they are floats there")]
pub(super) fn write_metrics(mut metrics: Object<'_>, span: &Span<'_>) {
    let usage = &span.content.usage;
    let tokens = [
        ("input_tokens", usage.input_tokens),
        ("output_tokens", usage.output_tokens),
        ("total_tokens", usage.total_tokens()),
        ("non_cached_input_tokens", non_cached(usage)),
        ("cache_read_input_tokens", usage.cached_tokens),
        ("cache_write_input_tokens", usage.cache_write_tokens),
        ("reasoning_output_tokens", usage.reasoning_tokens),
    ];
    for (name, number) in tokens {
        if let Some(number) = number {
            write_unsigned(metrics.value(name), number);
        }
    }
    if let Some(cost) = usage.cost_usd {
        metrics.float("total_cost", cost);
    }
    if let Some(first) = span.first_item() {
        metrics.float("time_to_first_token", first.as_secs_f64());
    }
    let mut names = Vec::new();
    span.record.visit_metrics(|name, value| {
        let number = match value {
            FieldValue::U64(number) => number as f64,
            FieldValue::I64(number) => number as f64,
            FieldValue::F64(number) => number,
            _ => return,
        };
        if !number.is_finite() || crate::spans::is_reserved(name) {
            return;
        }
        let mut name = name.replace('.', "_");
        if COUNTED.contains(&&*name) {
            name.insert_str(0, "field_");
        }
        if !names.contains(&name) {
            write_float(metrics.value(&name), number);
            names.push(name);
        }
    });
    metrics.close();
}

/// Returns the input tokens that were neither read from nor written to a cache.
fn non_cached(usage: &Usage) -> Option<u64> {
    if usage.cached_tokens.is_none() && usage.cache_write_tokens.is_none() {
        return None;
    }
    let cached = usage.cached_tokens.unwrap_or(0).saturating_add(usage.cache_write_tokens.unwrap_or(0));
    usage.input_tokens.map(|all| all.saturating_sub(cached))
}
