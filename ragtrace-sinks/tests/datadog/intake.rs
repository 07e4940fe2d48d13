//! A strict intake: it answers 400 or 413, with the reason, if a request exceeds a limit that
//! Datadog documents, that its clients respect, or beyond which it is known to lose data.

use std::collections::HashSet;
use std::time::{SystemTime, UNIX_EPOCH};

use ragtrace_sinks_support::{Answer, Received};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Value, json};

pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef";

type Checked = Result<(), String>;

macro_rules! require {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(format!($($message)+));
        }
    };
}

/// Answers a request.
pub(crate) fn answer(request: &Received) -> Answer {
    let path = request.path();
    let (proxied, path) = match path.strip_prefix("/evp_proxy/v2") {
        Some(path) => (true, path),
        None => (false, path),
    };
    if path == "/info" {
        return Answer::status(200)
            .json(&json!({"version": "7.70.0", "endpoints": ["/v0.4/traces", "/evp_proxy/v2/"]}));
    }
    if proxied && request.header("dd-api-key").is_some() {
        return refusal(400, "the Agent's own key would be replaced");
    }
    if !proxied && request.header("dd-api-key") != Some(KEY) {
        return refusal(403, "no such key");
    }
    if request.method == "GET" && path == "/api/v1/validate" {
        return Answer::status(200).json(&json!({"valid": true}));
    }
    if request.method != "POST" {
        return refusal(405, "POST it");
    }
    if request.header("content-type") != Some("application/json") {
        return refusal(415, "JSON alone");
    }
    let subdomain = request.header("x-datadog-evp-subdomain");
    let (longest, checked): (usize, Checked) = match (path, subdomain) {
        ("/api/v2/logs", None) => (5_000_000, logs(&request.body)),
        ("/api/v2/series", None) if request.raw_body.len() > 512_000 => return refusal(413, "compressed, too large"),
        ("/api/v2/series", None) => (5_242_880, series(&request.body)),
        ("/api/intake/llm-obs/v1/trace/spans", None) => (5 << 20, spans(&request.body)),
        ("/api/v2/llmobs", Some("llmobs-intake")) => (5 << 20, events(&request.body)),
        ("/api/intake/llm-obs/v2/eval-metric", None | Some("api")) => (5 << 20, evaluations(&request.body)),
        _ => return refusal(404, "nothing is here"),
    };
    if request.body.len() > longest {
        return refusal(413, "too large");
    }
    match checked.and_then(|()| no_name_twice(&request.body)) {
        Ok(()) if path == "/api/v2/series" => Answer::status(202).json(&json!({"errors": []})),
        Ok(()) if path == "/api/v2/logs" => Answer::status(202).json(&json!({})),
        Ok(()) => Answer::status(202),
        Err(why) => refusal(400, &why),
    }
}

fn refusal(status: u16, why: &str) -> Answer {
    Answer::status(status).json(&json!({"errors": [{"status": status.to_string(), "detail": why}]}))
}

fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis()).expect("a time")
}

fn parsed<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| format!("no JSON of this shape: {error}"))
}

fn logs(body: &[u8]) -> Checked {
    let entries: Vec<&RawValue> = parsed(body)?;
    require!((1..=1_000).contains(&entries.len()), "{} entries", entries.len());
    for entry in entries {
        require!(entry.get().len() <= 1_000_000, "an entry of {} bytes is cut", entry.get().len());
        log_entry(&parsed(entry.get().as_bytes())?)?;
    }
    Ok(())
}

fn log_entry(entry: &Value) -> Checked {
    for name in ["message", "ddsource", "ddtags", "status"] {
        require!(entry[name].is_string(), "no {name} in {entry}");
    }
    let is_known = ["debug", "info", "warn", "error"].contains(&entry["status"].as_str().unwrap_or_default());
    require!(is_known, "the status {} is unknown", entry["status"]);
    tags(entry["ddtags"].as_str().unwrap_or_default())?;
    let time = entry["timestamp"].as_i64().ok_or("no timestamp")?;
    let (hour, now) = (3_600_000, now_ms());
    require!((now - 18 * hour..=now + 2 * hour).contains(&time), "the timestamp {time} is too far from {now}");
    let of_digits = |name: &str, digits: fn(&char) -> bool| match &entry[name] {
        Value::Null => true,
        id => id.as_str().is_some_and(|id| !id.is_empty() && id.chars().all(|digit| digits(&digit))),
    };
    require!(of_digits("dd.trace_id", |digit| matches!(digit, '0'..='9' | 'a'..='f')), "dd.trace_id: {entry}");
    require!(entry["dd.trace_id"].as_str().is_none_or(|id| id.len() == 32), "dd.trace_id: {entry}");
    require!(of_digits("dd.span_id", char::is_ascii_digit), "dd.span_id: {entry}");
    require!(entry["dd.span_id"].as_str().is_none_or(|id| id.parse::<u64>().is_ok()), "dd.span_id: {entry}");
    let mut attributes = 0;
    attribute(entry, 0, &mut attributes)?;
    require!(attributes < 256, "{attributes} attributes");
    let facets =
        ["stage", "kind", "logger.name", "logger.thread_name", "tenant_id", "request_id", "session_id", "usr.id"];
    let values = facets.iter().map(|name| &entry[*name]).chain([&entry["error"]["kind"]]);
    for value in values.filter_map(Value::as_str) {
        require!(value.chars().count() < 1_024, "a facet of {} characters", value.chars().count());
    }
    Ok(())
}

/// Checks keys and levels, where a dot begins a level, and counts values.
fn attribute(value: &Value, levels: usize, count: &mut usize) -> Checked {
    require!(levels < 10, "{levels} levels");
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                require!(!name.is_empty() && name.chars().count() < 50, "the key {name:?}");
                attribute(value, levels + 1 + name.matches('.').count(), count)?;
            }
        }
        Value::Array(values) => {
            for value in values {
                attribute(value, levels + 1, count)?;
            }
        }
        _ => *count += 1,
    }
    Ok(())
}

fn tags(text: &str) -> Checked {
    let all: Vec<&str> = text.split(',').filter(|tag| !tag.is_empty()).collect();
    require!(all.len() <= 100, "{} tags", all.len());
    for tag in all {
        let is_plain =
            |sign: char| (sign.is_alphanumeric() && sign.to_lowercase().eq([sign])) || "_-:./".contains(sign);
        require!(tag.chars().count() <= 256, "a tag of {} characters", tag.chars().count());
        require!(tag.chars().all(is_plain) && tag.starts_with(char::is_alphabetic), "the tag {tag:?}");
    }
    Ok(())
}

/// Fails if an object at any depth has a name twice, since readers disagree about such objects.
fn no_name_twice(json: &[u8]) -> Checked {
    parsed::<Unique>(json).map(|Unique| ())
}

/// Any JSON in which no object has a name twice.
struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

macro_rules! take_any {
    ($($visit:ident: $of_type:ty),+) => {
        $(fn $visit<E>(self, _: $of_type) -> Result<Self, E> {
            Ok(self)
        })+
    };
}

impl<'de> Visitor<'de> for Unique {
    type Value = Self;

    take_any!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut names = HashSet::new();
        while let Some((name, Self)) = map.next_entry::<String, Self>()? {
            if let Some(repeated) = names.replace(name) {
                return Err(serde::de::Error::custom(format!("{repeated} is there twice")));
            }
        }
        Ok(self)
    }
}

fn series(body: &[u8]) -> Checked {
    let payload: Value = parsed(body)?;
    let all = payload["series"].as_array().ok_or("no series")?;
    require!(!all.is_empty(), "no series");
    let mut points_seen = HashSet::new();
    for series in all {
        only(series, &["metric", "type", "interval", "unit", "points", "resources", "tags"])?;
        let name = series["metric"].as_str().ok_or("no metric")?;
        require!(name.len() <= 200 && name.starts_with(|sign: char| sign.is_ascii_alphabetic()), "the metric {name}");
        let of_type = series["type"].as_u64().ok_or("no type")?;
        require!((1..=3).contains(&of_type), "the type {of_type}");
        require!(
            of_type == 3 || series["interval"].as_u64().is_some_and(|seconds| seconds > 0),
            "no interval: {series}"
        );
        for point in series["points"].as_array().ok_or("no points")? {
            only(point, &["timestamp", "value"])?;
            let (time, now) = (point["timestamp"].as_i64().ok_or("no timestamp")?, now_ms() / 1_000);
            require!((now - 3_600..=now + 600).contains(&time), "a point {} s from now", time - now);
            require!(point["value"].is_number(), "no value: {point}");
            let known = format!("{name} {} {} {time}", series["resources"], series["tags"]);
            require!(points_seen.insert(known), "a point takes the place of another: {series}");
        }
        for resource in series["resources"].as_array().into_iter().flatten() {
            only(resource, &["type", "name"])?;
            require!(resource["type"] == "host" && resource["name"].is_string(), "the resource {resource}");
        }
        let given: Vec<_> =
            series["tags"].as_array().ok_or("no tags")?.iter().map(|tag| tag.as_str().unwrap_or(",")).collect();
        given.iter().try_for_each(|tag| tags(tag))?;
    }
    Ok(())
}

fn only(object: &Value, names: &[&str]) -> Checked {
    let members = object.as_object().ok_or_else(|| format!("no object: {object}"))?;
    match members.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(format!("unknown member {name:?}")),
        None => Ok(()),
    }
}

fn spans(body: &[u8]) -> Checked {
    let payload: Value = parsed(body)?;
    require!(payload["data"]["type"] == "span", "the type {}", payload["data"]["type"]);
    let attributes = &payload["data"]["attributes"];
    only(attributes, &["ml_app", "spans", "tags", "session_id"])?;
    ml_app(&attributes["ml_app"])?;
    let all = attributes["spans"].as_array().ok_or("no spans")?;
    require!(!all.is_empty(), "no spans");
    require!(all.len() == 1 || body.len() <= 1_000_000, "{} spans in {} bytes are lost", all.len(), body.len());
    all.iter().try_for_each(|each| span(each, &each["meta"]["kind"]))
}

fn events(body: &[u8]) -> Checked {
    let all: Vec<&RawValue> = parsed(body)?;
    require!(!all.is_empty(), "no events");
    for event in all {
        require!(event.get().len() <= 5_000_100, "an event of {} bytes is lost", event.get().len());
        let event: Value = parsed(event.get().as_bytes())?;
        only(&event, &["_dd.stage", "_dd.tracer_version", "event_type", "spans"])?;
        require!(event["_dd.stage"] == "raw" && event["event_type"] == "span", "{event}");
        let spans = event["spans"].as_array().ok_or("no spans")?;
        require!(spans.len() == 1, "{} spans in an event", spans.len());
        span(&spans[0], &spans[0]["meta"]["span"]["kind"])?;
        require!(spans[0]["_dd"]["span_id"] == spans[0]["span_id"], "{event}");
    }
    Ok(())
}

fn ml_app(name: &Value) -> Checked {
    let name = name.as_str().ok_or("no ml_app")?;
    let is_allowed = |sign: char| (sign.is_alphanumeric() && !sign.is_uppercase()) || "_-:./".contains(sign);
    require!((1..=193).contains(&name.chars().count()) && name.chars().all(is_allowed), "the ml_app {name:?}");
    Ok(())
}

fn span(span: &Value, kind: &Value) -> Checked {
    for name in ["name", "span_id", "trace_id", "parent_id", "status"] {
        require!(span[name].as_str().is_some_and(|text| !text.is_empty()), "no {name}: {span}");
    }
    require!(["ok", "error"].contains(&span["status"].as_str().unwrap_or_default()), "the status {}", span["status"]);
    let start = span["start_ns"].as_i64().ok_or("no start_ns")?;
    require!(now_ms() - start / 1_000_000 < 24 * 3_600_000, "a span of {start} is too old");
    require!(span["duration"].as_i64().is_some_and(|duration| duration >= 0), "no duration: {span}");
    let kind = kind.as_str().ok_or("no kind")?;
    let kinds = ["agent", "workflow", "llm", "tool", "task", "embedding", "retrieval"];
    require!(kinds.contains(&kind), "the kind {kind}");
    let meta = &span["meta"];
    let names =
        ["kind", "span", "input", "output", "error", "metadata", "model_name", "model_provider", "tool_definitions"];
    only(meta, &names)?;
    for side in ["input", "output"] {
        let given = &meta[side];
        require!(given.is_null() || given.is_object(), "the {side} {given}");
        require!(given["value"].is_null() || given["value"].is_string(), "the {side} {given}");
        require!(given["messages"].is_null() || kind == "llm", "messages of a {kind}");
        let has_documents = kind == "retrieval" && side == "output" || kind == "embedding" && side == "input";
        require!(given["documents"].is_null() || has_documents, "documents of a {kind}'s {side}");
        for message in given["messages"].as_array().into_iter().flatten() {
            only(message, &["role", "content", "tool_calls", "tool_results"])?;
            require!(message["content"].is_null() || message["content"].is_string(), "the message {message}");
            for call in message["tool_calls"].as_array().into_iter().flatten() {
                only(call, &["name", "arguments", "tool_id", "type"])?;
                require!(call["arguments"].is_null() || call["arguments"].is_object(), "the call {call}");
            }
        }
        for document in given["documents"].as_array().into_iter().flatten() {
            only(document, &["text", "name", "id", "score", "metadata"])?;
        }
    }
    let provider = &meta["model_provider"];
    require!(provider.as_str().is_none_or(|name| name == name.to_lowercase()), "the provider {provider}");
    for (name, value) in span["metrics"].as_object().ok_or("no metrics")? {
        require!(!name.contains('.'), "the dot in {name} drops everything");
        require!(value.is_number(), "the metric {name}: {value}");
    }
    for tag in span["tags"].as_array().ok_or("no tags")? {
        require!(tag.as_str().is_some_and(|tag| tag.contains(':')), "the tag {tag}");
    }
    require!(depth(span) <= 12, "{} levels", depth(span));
    Ok(())
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn evaluations(body: &[u8]) -> Checked {
    let payload: Value = parsed(body)?;
    require!(payload["data"]["type"] == "evaluation_metric", "the type {}", payload["data"]["type"]);
    let all = payload["data"]["attributes"]["metrics"].as_array().ok_or("no metrics")?;
    require!(!all.is_empty(), "no metrics");
    for metric in all {
        ml_app(&metric["ml_app"])?;
        require!(metric["timestamp_ms"].as_u64().is_some(), "no timestamp_ms: {metric}");
        require!(metric["label"].as_str().is_some_and(|label| !label.contains('.')), "the label {}", metric["label"]);
        let of_type = metric["metric_type"].as_str().unwrap_or_default();
        let value = &metric[format!("{of_type}_value")];
        let fits = match of_type {
            "score" => value.is_number(),
            "boolean" => value.is_boolean(),
            "categorical" => value.is_string(),
            "json" => value.is_object(),
            _ => false,
        };
        require!(fits, "the value of {metric}");
        let tag = &metric["join_on"]["tag"];
        if !tag.is_null() {
            require!(tag["key"].is_string() && tag["value"].is_string(), "the tag of {metric}");
            continue;
        }
        let span = &metric["join_on"]["span"];
        require!(span["span_id"].as_str().is_some_and(|id| id.parse::<u64>().is_ok()), "the span of {metric}");
        require!(span["trace_id"].as_str().is_some_and(|id| id.len() == 32), "the trace of {metric}");
    }
    Ok(())
}
