//! What each stage logs, as JSON Schema (draft 2020-12).

use serde_json::{Map, Value, json};

use super::{FieldDescriptor, FieldSource, StageDescriptor, stages};
use crate::event::Event;

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// What the stages of this program log: a JSON Schema whose `$defs` has one schema for each name in the catalog, which
/// records in their canonical JSON satisfy (`Record::to_json`).
///
/// A name that is declared twice has the schema of the first one. A field whose type is not written (in `fields`, `ok`
/// and `err`) may hold a number, a text or a truth value.
pub fn stages_schema() -> String {
    let mut stages = stages();
    stages.dedup_by_key(|stage| stage.name());
    let names: Vec<_> = stages.iter().map(|stage| stage.name()).collect();
    let definitions: Map<_, _> = stages.iter().map(|stage| (stage.name().to_owned(), schema(stage))).collect();
    let schema = json!({
        "$schema": DRAFT,
        "title": "What the stages log",
        "oneOf": names.iter().map(|name| json!({"$ref": format!("#/$defs/{name}")})).collect::<Vec<_>>(),
        "$defs": definitions,
    });
    schema.to_string()
}

impl StageDescriptor {
    /// What the stage logs: a JSON Schema that its records in their canonical JSON satisfy.
    pub fn json_schema(&self) -> String {
        let mut schema = schema(self);
        if let Value::Object(schema) = &mut schema {
            schema.insert("$schema".to_owned(), json!(DRAFT));
        }
        schema.to_string()
    }
}

fn schema(stage: &StageDescriptor) -> Value {
    let events = [Event::Started, Event::Completed, Event::Failed, Event::Cancelled];
    let number = json!({"type": "number", "minimum": 0});
    let mut metrics = Map::from_iter([
        ("duration_ms".to_owned(), number.clone()),
        ("busy_ms".to_owned(), number.clone()),
        ("first_item_ms".to_owned(), number),
        ("count".to_owned(), json!({"type": "integer", "minimum": 0})),
    ]);
    // What says so when there were too many fields.
    let mut context = Map::from_iter([("ragtrace.truncated".to_owned(), json!({"type": "string"}))]);
    for field in stage.fields() {
        let kind = Kind::of(field);
        // Numbers of a start describe what is worked on; numbers of a result are measured.
        let is_start = field.source() == FieldSource::Start;
        let name = || field.name().to_owned();
        if is_start || kind != Kind::Number {
            context.insert(name(), kind.schema(is_start));
        }
        if !is_start && matches!(kind, Kind::Number | Kind::Any) {
            metrics.entry(name()).or_insert_with(|| json!({"type": ["number", "null"]}));
        }
    }
    json!({
        "title": stage.name(),
        "description": format!("declared at {}:{}", stage.file(), stage.line()),
        "type": "object",
        "required": ["stage", "kind", "logger", "event"],
        "properties": {
            "stage": {"const": stage.name()},
            "kind": {"const": stage.kind().as_str()},
            "logger": {"const": stage.target()},
            "event": {"enum": events.map(Event::as_str)},
            "context": {"type": "object", "properties": context, "additionalProperties": false},
            "metrics": {"type": "object", "properties": metrics, "additionalProperties": false},
        },
    })
}

/// What a field's written type says of its values.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Number,
    Text,
    Bool,
    /// No type is written, or one that only its crate knows.
    Any,
}

impl Kind {
    fn of(field: &FieldDescriptor) -> Self {
        let Some(ty) = field.ty() else {
            return if field.name() == "cost_usd" { Self::Number } else { Self::Any };
        };
        let ty = ty.strip_prefix("Option<").and_then(|inner| inner.strip_suffix('>')).unwrap_or(ty);
        match ty.trim_start_matches('&').trim_start_matches("'static ") {
            "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" | "isize" | "f32" | "f64" => {
                Self::Number
            }
            "str" | "String" | "char" => Self::Text,
            "bool" => Self::Bool,
            _ => Self::Any,
        }
    }

    /// `numbers` says whether what has no written type may be a number in this place.
    fn schema(self, numbers: bool) -> Value {
        match self {
            Self::Number => json!({"type": ["number", "null"]}),
            Self::Text => json!({"type": "string"}),
            Self::Bool => json!({"type": "boolean"}),
            Self::Any if numbers => json!({"type": ["string", "number", "boolean", "null"]}),
            Self::Any => json!({"type": ["string", "boolean"]}),
        }
    }
}
