//! Rows of `stages`.

use ragtrace::{FieldDescriptor, FieldSource, StageDescriptor};
use serde_json::{Value as Json, json};

/// Returns this program's stages as a JSON array of rows of `stages`. The fields of each stage are
/// a string of JSON.
pub(crate) fn catalog() -> Json {
    let row = |stage: &StageDescriptor| {
        json!({
            "name": stage.name(), "kind": stage.kind().as_str(), "level": stage.level().as_str(),
            "target": stage.target(), "file": stage.file(), "line": stage.line(), "fields": fields(stage),
        })
    };
    ragtrace::stages().into_iter().map(row).collect()
}

/// Returns a stage's declared fields as a JSON array: `[{"name": "doc.name", "source": "fields",
/// "type": null}]`.
fn fields(stage: &StageDescriptor) -> String {
    let field = |field: &FieldDescriptor| {
        let source = match field.source() {
            FieldSource::Start => "fields",
            FieldSource::Ok => "ok",
            FieldSource::Err => "err",
            FieldSource::Record => "record",
            FieldSource::Used => "used",
            FieldSource::Generated => "generated",
            _ => "other",
        };
        json!({"name": field.name(), "source": source, "type": field.ty()})
    };
    stage.fields().iter().map(field).collect::<Json>().to_string()
}
