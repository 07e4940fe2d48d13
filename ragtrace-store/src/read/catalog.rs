//! The stages that programs declare.

use serde_json::{Value as Json, json};

/// A stage as a program had it linked in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogStage {
    /// The service; empty if it has no name.
    pub service: String,
    /// The stage's name.
    pub name: String,
    /// The stage's kind.
    pub kind: String,
    /// The level of its started and completed records.
    pub level: String,
    /// The logger of its records.
    pub target: String,
    /// The source file that declares it.
    pub file: String,
    /// The line in that file.
    pub line: i64,
    /// The fields it declares, as a JSON array of `{name, source, type}`.
    pub fields: String,
    /// When a program with it last connected.
    pub last_seen_at: String,
}

impl CatalogStage {
    /// One JSON object of all of it.
    pub fn to_json(&self) -> String {
        let fields: Json = serde_json::from_str(&self.fields).unwrap_or_default();
        let stage = json!({
            "service": self.service, "name": self.name, "kind": self.kind, "level": self.level, "target": self.target,
            "file": self.file, "line": self.line, "fields": fields, "last_seen_at": self.last_seen_at,
        });
        stage.to_string()
    }
}
