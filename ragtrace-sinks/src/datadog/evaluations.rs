//! Encodes scores as evaluations of LLM Observability.
//!
//! A score of a span joins the span by its ids. A score of a whole trace joins the trace's root by
//! a tag that the root carries for this purpose. A score of neither becomes a dead letter with that
//! reason.

use ragtrace::__json::{Object, write_parts, write_whole};
use ragtrace::sink::{BatchLimits, SinkError};
use ragtrace::{Record, RecordScore, Value};

use super::llm_obs::ROOT_TAG;
use super::settings::Settings;
use crate::http::Body;
use crate::ml_app::MlApp;

pub(super) const PATH: &str = "/api/intake/llm-obs/v2/eval-metric";
pub(super) const AGENT_SUBDOMAIN: &str = "api";
/// The largest payload in bytes, as for spans.
const LONGEST: usize = 5 << 20;

pub(super) fn limits() -> BatchLimits {
    BatchLimits::default().with_records(1_000)
}

/// A payload of scores.
#[derive(Debug, Default)]
pub(super) struct Payload {
    /// `None` if the payload contains no score.
    pub(super) body: Option<Body>,
    /// The records that the payload does not contain: index and reason.
    pub(super) unsent: Vec<(usize, String)>,
}

/// Encodes scores. Other records are skipped.
///
/// # Errors
///
/// Returns an error if they are too large for one payload.
pub(super) fn encode(records: &[Record], settings: &Settings, ml_app: &MlApp) -> Result<Payload, SinkError> {
    let mut payload = Payload::default();
    let mut writer = settings.begin();
    writer.staged().extend_from_slice(br#"{"data":{"type":"evaluation_metric","attributes":{"metrics":["#);
    let mut number = 0;
    for (index, record) in records.iter().enumerate() {
        let Some(score) = record.score() else { continue };
        let out = writer.staged();
        let start = out.len();
        if number > 0 {
            out.push(b',');
        }
        match write(out, record, score, settings, ml_app) {
            Ok(()) => number += 1,
            Err(why) => {
                out.truncate(start);
                payload.unsent.push((index, why.to_owned()));
            }
        }
        writer.settle();
        if writer.uncompressed_len() + 16 > LONGEST {
            return Err(SinkError::split(format!("more than {LONGEST} bytes of evaluations for one request")));
        }
    }
    if number > 0 {
        writer.staged().extend_from_slice(b"]}}}");
        payload.body = Some(writer.finish().map_err(SinkError::retry)?);
    }
    Ok(payload)
}

fn write(
    out: &mut Vec<u8>,
    record: &Record,
    score: &RecordScore,
    settings: &Settings,
    ml_app: &MlApp,
) -> Result<(), &'static str> {
    let trace_id = record.trace_id().ok_or("it names no trace or span to judge")?.to_hex();
    let mut object = Object::open(out);
    object.text("ml_app", ml_app.as_str());
    write_whole(object.value("timestamp_ms"), record.timestamp().as_micros().div_euclid(1_000).max(0));
    // Datadog refuses a label with a dot.
    object.text("label", &score.name().replace('.', "_"));
    write_value(&mut object, score.value())?;
    let mut join = object.nested("join_on");
    if let Some(span_id) = record.span_id() {
        let mut span = join.nested("span");
        span.display("span_id", span_id.as_u64());
        span.text("trace_id", &trace_id);
        span.close();
    } else {
        let mut tag = join.nested("tag");
        tag.text("key", ROOT_TAG);
        tag.text("value", &trace_id);
        tag.close();
    }
    join.close();
    object.optional_text("reasoning", score.comment());
    write_tags(object.value("tags"), record, score, settings);
    object.close();
    Ok(())
}

fn write_value(object: &mut Object<'_>, value: &Value) -> Result<(), &'static str> {
    let named = |object: &mut Object<'_>, name| object.text("metric_type", name);
    match value {
        Value::Bool(flag) => {
            named(object, "boolean");
            object.boolean("boolean_value", *flag);
        }
        Value::Text(label) => {
            named(object, "categorical");
            object.text("categorical_value", label);
        }
        Value::Json(json) if json.starts_with('{') => {
            named(object, "json");
            object.value("json_value").extend_from_slice(json.as_bytes());
        }
        Value::Json(json) => {
            named(object, "categorical");
            object.text("categorical_value", json);
        }
        number => {
            let number = number.as_f64().filter(|number| number.is_finite());
            named(object, "score");
            object.float("score_value", number.ok_or("its value is not a finite number, a flag or a label")?);
        }
    }
    Ok(())
}

fn write_tags(out: &mut Vec<u8>, record: &Record, score: &RecordScore, settings: &Settings) {
    let tags = [
        ("by", score.by()),
        ("env", record.environment().or(settings.environment.as_deref())),
        ("service", record.service().or(settings.service.as_deref())),
        ("tenant_id", record.tenant_id()),
        ("version", record.version().or(settings.version.as_deref())),
    ];
    out.push(b'[');
    let given = tags.iter().filter_map(|(key, value)| value.map(|value| [key, ":", value]));
    for (index, parts) in
        given.chain(settings.tags.iter().filter(|tag| tag.contains(':')).map(|tag| ["", "", tag])).enumerate()
    {
        if index > 0 {
            out.push(b',');
        }
        write_parts(out, &parts);
    }
    out.push(b']');
}
