//! JSON Schemas (draft 2020-12) of the records that stages write.

use std::fmt::{self, Display};

use serde_json::{Value, json};

use super::{FieldDescriptor, FieldSource, StageDescriptor, stages};
use crate::event::Event;

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Returns a JSON Schema of the records that this program's stages write.
///
/// Its `$defs` contains one schema for each stage name in the catalog. Records in their canonical
/// JSON form (`Record::to_json`) satisfy it. If two stages have one name, the schema describes the
/// first. A field without a written type, as in `fields`, `ok` and `err`, may contain a number, a
/// string, a boolean or a structured value.
pub fn stages_schema() -> String {
    let mut stages = stages();
    stages.dedup_by_key(|stage| stage.name());
    let names: Vec<_> = stages.iter().map(|stage| stage.name()).collect();
    let definitions = stages.iter().fold(Object::default(), |all, stage| all.with(stage.name(), schema(stage)));
    let one_of: Value = names.iter().map(|name| json!({"$ref": format!("#/$defs/{name}")})).collect();
    let schema = Object::default()
        .with("$schema", json!(DRAFT))
        .with("title", json!("Records of stages"))
        .with("oneOf", one_of)
        .with("$defs", definitions);
    schema.to_string()
}

impl StageDescriptor {
    /// Returns a JSON Schema of the records that this stage writes. Records in their canonical JSON
    /// form satisfy it.
    pub fn json_schema(&self) -> String {
        schema(self).with("$schema", json!(DRAFT)).to_string()
    }
}

fn schema(stage: &StageDescriptor) -> Object {
    let events = [Event::Started, Event::Completed, Event::Failed, Event::Cancelled];
    let number = |kind: &str| Object::default().with("type", json!(kind)).with("minimum", 0);
    let mut metrics = Object::default()
        .with("duration_ms", number("number"))
        .with("busy_ms", number("number"))
        .with("first_item_ms", number("number"))
        .with("count", number("integer"));
    // Present if the stage had too many fields.
    let mut context = Object::default().with("ragtrace.truncated", json!({"type": "string"}));
    let (mut used, mut generated) = (Vec::new(), Vec::new());
    for field in stage.fields() {
        match field.source() {
            FieldSource::Used => used.push(field.name()),
            FieldSource::Generated => generated.push(field.name()),
            _ => {}
        }
    }
    // Present if there were too many items, or if some could not be read.
    for (items, direction) in [(&used, "used"), (&generated, "generated")] {
        if items.is_empty() {
            continue;
        }
        let dropped = json!({"type": "integer", "minimum": 0});
        context = context.with(&format!("ragtrace.{direction}_unreadable"), json!({"type": "string"}));
        if direction == "used" {
            context = context.with("ragtrace.used_dropped", dropped);
        } else {
            metrics = metrics.with("ragtrace.generated_dropped", dropped);
        }
    }
    for field in stage.fields().iter().filter(|field| !field.is_of_items()) {
        let kind = Kind::of(field);
        // Numbers that are read at the start describe the input and go to `context`; numbers from
        // the result are metrics.
        let is_start = field.source() == FieldSource::Start;
        if is_start || kind != Kind::Number {
            context = context.with(field.name(), kind.schema(is_start));
        }
        if !is_start && matches!(kind, Kind::Number | Kind::Any) && !metrics.has(field.name()) {
            metrics = metrics.with(field.name(), json!({"type": ["number", "null"]}));
        }
    }
    let part = |properties: Object| {
        let part = Object::default().with("type", json!("object")).with("properties", properties);
        part.with("additionalProperties", false)
    };
    let properties = Object::default()
        .with("stage", json!({"const": stage.name()}))
        .with("kind", json!({"const": stage.kind().as_str()}))
        .with("logger", json!({"const": stage.target()}))
        .with("event", json!({"enum": events.map(Event::as_str)}))
        .with("context", part(context))
        .with("metrics", part(metrics));
    let properties = [("used", used), ("generated", generated)]
        .into_iter()
        .filter(|(_, types)| !types.is_empty())
        .fold(properties, |properties, (direction, types)| properties.with(direction, items(&types)));
    Object::default()
        .with("title", json!(stage.name()))
        .with("description", json!(format!("declared at {}:{}", stage.file(), stage.line())))
        .with("type", json!("object"))
        .with("required", json!(["stage", "kind", "logger", "event"]))
        .with("properties", properties)
}

/// Returns the schema of items of the given types.
fn items(types: &[&str]) -> Value {
    let text = json!({"type": "string"});
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "required": ["type", "id"],
            "properties": {
                "type": {"enum": types},
                "id": text,
                "score": {"type": "number"},
                "content": text,
                "source": text,
                "derived_from": text,
            },
            "additionalProperties": false,
        },
    })
}

/// A JSON object that keeps the order of its members, for human readers; `serde_json`'s map sorts
/// them. A repeated member replaces the value of the first.
#[derive(Default)]
struct Object(Vec<(String, String)>);

impl Object {
    fn with(mut self, name: &str, json: impl Display) -> Self {
        let json = json.to_string();
        match self.0.iter_mut().find(|(member, _)| member == name) {
            Some((_, value)) => *value = json,
            None => self.0.push((name.to_owned(), json)),
        }
        self
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(member, _)| member == name)
    }
}

impl Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (at, (name, json)) in self.0.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            write!(f, "{comma}{}:{json}", Value::from(name.as_str()))?;
        }
        f.write_str("}")
    }
}

/// The kind of values that a field's written type allows.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Number,
    Text,
    Bool,
    /// No type is written, or it is not a standard type.
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

    /// Returns the schema of values of this kind. For `Any`, `numbers` tells if numbers are allowed
    /// in this place.
    fn schema(self, numbers: bool) -> Value {
        match self {
            Self::Number => json!({"type": ["number", "null"]}),
            Self::Text => json!({"type": "string"}),
            Self::Bool => json!({"type": "boolean"}),
            Self::Any if numbers => json!({"type": ["string", "number", "boolean", "null", "object", "array"]}),
            Self::Any => json!({"type": ["string", "boolean", "object", "array"]}),
        }
    }
}
