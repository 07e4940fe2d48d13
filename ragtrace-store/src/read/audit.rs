//! The lines that erasures leave.

use ragtrace::Timestamp;
use serde_json::Value as Json;

use crate::error::StoreError;
use crate::object::Object;

/// A line of the audit: what was done to the store by hand. Every purge leaves one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    at: Timestamp,
    action: String,
    actor: Option<String>,
    subject_hash: String,
    reference: Option<String>,
    details: Json,
}

/// The columns of `audit`, the same for every backend.
pub(crate) struct AuditColumns {
    pub(crate) at: String,
    pub(crate) action: String,
    pub(crate) actor: Option<String>,
    pub(crate) subject_hash: String,
    pub(crate) reference: Option<String>,
    pub(crate) details: String,
}

impl TryFrom<AuditColumns> for AuditEntry {
    type Error = StoreError;

    fn try_from(row: AuditColumns) -> Result<Self, StoreError> {
        let unreadable = || StoreError::unreadable_row("audit");
        Ok(Self {
            at: row.at.parse().map_err(|_| unreadable())?,
            details: serde_json::from_str(&row.details).map_err(|_| unreadable())?,
            action: row.action,
            actor: row.actor,
            subject_hash: row.subject_hash,
            reference: row.reference,
        })
    }
}

impl AuditEntry {
    /// Returns when it was done.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Returns the action: `purge`.
    pub fn action(&self) -> &str {
        &self.action
    }

    /// Returns who did it, if the caller said so.
    pub fn actor(&self) -> Option<&str> {
        self.actor.as_deref()
    }

    /// Returns the SHA-256 of the erased user's id, in 64 hex digits. The id itself is not kept.
    pub fn subject_hash(&self) -> &str {
        &self.subject_hash
    }

    /// Returns the reference that the caller gave, such as the number of a ticket.
    pub fn reference(&self) -> Option<&str> {
        self.reference.as_deref()
    }

    /// Returns how much was removed, as a JSON object: `{logs, archived, requests, scores}`, and
    /// the counts that the caller added.
    pub fn details_json(&self) -> String {
        self.details.to_string()
    }

    /// Returns the line as one JSON object: `{at, action, actor, subject_hash, reference,
    /// details}`.
    pub fn to_json(&self) -> String {
        Object::new()
            .with("at", self.at.to_string())
            .with("action", self.action.as_str())
            .with("actor", self.actor.as_deref())
            .with("subject_hash", self.subject_hash.as_str())
            .with("reference", self.reference.as_deref())
            .with("details", self.details.clone())
            .close()
    }
}
