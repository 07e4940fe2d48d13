//! Parses spans in the JSON that Protobuf's libraries write for OTLP's messages: bytes in base64,
//! 64-bit numbers as strings or as numbers, members in snake case, empty members left out or null.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use crate::arrived::{Arrived, Status};

/// Parses a span.
pub(super) fn span(json: &Json) -> Arrived {
    Arrived {
        trace_id: id(&json["trace_id"], 16).expect("a trace id"),
        span_id: id(&json["span_id"], 8).expect("a span id"),
        parent_span_id: id(&json["parent_span_id"], 8),
        name: json["name"].as_str().expect("a name").to_owned(),
        start: nanos(&json["start_time_unix_nano"]),
        end: nanos(&json["end_time_unix_nano"]),
        status: status(&json["status"]),
        attributes: attributes(&json["attributes"]),
        events: list(&json["events"])
            .map(|event| (event["name"].as_str().unwrap_or_default().to_owned(), attributes(&event["attributes"])))
            .collect(),
    }
}

/// Returns the members of a list, or none if it is left out.
pub(super) fn list(json: &Json) -> impl Iterator<Item = &Json> {
    json.as_array().into_iter().flatten()
}

/// Parses an id with this number of bytes, in hexadecimal digits or in base64, into hexadecimal
/// digits.
fn id(json: &Json, bytes: usize) -> Option<String> {
    let text = json.as_str().filter(|text| !text.is_empty())?;
    if text.len() == bytes * 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(text.to_ascii_lowercase());
    }
    let decoded = STANDARD.decode(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(decoded.len(), bytes, "{text}");
    Some(decoded.iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}")))
}

fn nanos(json: &Json) -> u64 {
    json.as_u64().or_else(|| json.as_str()?.parse().ok()).unwrap_or_else(|| panic!("{json} is no time"))
}

fn status(json: &Json) -> Status {
    let message = || json["message"].as_str().unwrap_or_default().to_owned();
    match &json["code"] {
        Json::String(code) if code == "STATUS_CODE_ERROR" => Status::Error(message()),
        Json::String(code) if code == "STATUS_CODE_OK" => Status::Ok,
        Json::Number(code) if code.as_u64() == Some(2) => Status::Error(message()),
        Json::Number(code) if code.as_u64() == Some(1) => Status::Ok,
        _ => Status::Unset,
    }
}

pub(super) fn attributes(json: &Json) -> BTreeMap<String, Json> {
    list(json).map(|pair| (pair["key"].as_str().expect("a key").to_owned(), value(&pair["value"]))).collect()
}

/// Parses an `AnyValue`, which has one member, named after its type.
fn value(json: &Json) -> Json {
    let Some((name, value)) = json.as_object().into_iter().flatten().find(|(_, value)| !value.is_null()) else {
        return Json::Null;
    };
    match (name.as_str(), value) {
        // Integers are strings in Protobuf's JSON.
        ("int_value", Json::String(digits)) => Json::from(digits.parse::<i64>().expect("a number")),
        ("array_value", list_value) => list(&list_value["values"]).map(self::value).collect(),
        ("kvlist_value", pairs) => attributes(&pairs["values"]).into_iter().collect(),
        _ => value.clone(),
    }
}
