//! Stages as programs declare them.

use ragtrace::Timestamp;
use serde_json::Value as Json;

use crate::error::StoreError;
use crate::object::Object;

/// A stage of the catalog, as declared by a program that has written to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogStage {
    service: String,
    name: String,
    kind: String,
    level: String,
    target: String,
    file: String,
    line: u32,
    fields: Json,
    last_seen_at: Timestamp,
}

/// The columns of `stages`, the same for every backend.
pub(crate) struct CatalogColumns {
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) level: String,
    pub(crate) target: String,
    pub(crate) file: String,
    pub(crate) line: i64,
    pub(crate) fields: String,
    pub(crate) last_seen_at: String,
}

impl TryFrom<CatalogColumns> for CatalogStage {
    type Error = StoreError;

    fn try_from(row: CatalogColumns) -> Result<Self, StoreError> {
        let unreadable = || StoreError::unreadable_row("stages");
        Ok(Self {
            line: u32::try_from(row.line).map_err(|_| unreadable())?,
            fields: serde_json::from_str(&row.fields).map_err(|_| unreadable())?,
            last_seen_at: row.last_seen_at.parse().map_err(|_| unreadable())?,
            service: row.service,
            name: row.name,
            kind: row.kind,
            level: row.level,
            target: row.target,
            file: row.file,
        })
    }
}

impl CatalogStage {
    /// Returns the service that the program belongs to, or `None` if it has no name.
    pub fn service(&self) -> Option<&str> {
        Some(self.service.as_str()).filter(|service| !service.is_empty())
    }

    /// Returns the stage's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the stage's kind, such as `retrieve`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Returns the level of the stage's started and completed records, such as `INFO`.
    pub fn level(&self) -> &str {
        &self.level
    }

    /// Returns the logger of the stage's records.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Returns the source file that declares the stage.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Returns the line of the source file that declares the stage, from 1.
    pub fn line(&self) -> u32 {
        self.line
    }

    /// Returns the fields that the stage declares, as a JSON array of `{name, source, type}`.
    pub fn fields_json(&self) -> String {
        self.fields.to_string()
    }

    /// Returns when a program with this stage last connected.
    pub fn last_seen_at(&self) -> Timestamp {
        self.last_seen_at
    }

    /// Returns the stage as one JSON object.
    pub fn to_json(&self) -> String {
        Object::new()
            .with("service", self.service.as_str())
            .with("name", self.name.as_str())
            .with("kind", self.kind.as_str())
            .with("level", self.level.as_str())
            .with("target", self.target.as_str())
            .with("file", self.file.as_str())
            .with("line", self.line)
            .with("fields", self.fields.clone())
            .with("last_seen_at", self.last_seen_at.to_string())
            .close()
    }
}
