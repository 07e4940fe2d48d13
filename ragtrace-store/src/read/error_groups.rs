//! Errors grouped by what they are about.

use std::collections::{HashMap, HashSet};

use ragtrace::{Timestamp, TraceId};
use uuid::Uuid;

use super::position::Position;
use super::template::template;
use crate::error::StoreError;
use crate::object::Object;

/// The groups of the errors that a filter selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorGroups {
    groups: Vec<ErrorGroup>,
    truncated: bool,
}

/// Errors of one stage and one type whose messages differ only in numbers, ids, quoted texts and
/// paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorGroup {
    stage: Option<String>,
    error_type: Option<String>,
    message: String,
    count: u64,
    users: u64,
    first_seen: Timestamp,
    last_seen: Timestamp,
    example: Option<TraceId>,
}

/// An error, in the same columns for every backend.
pub(crate) struct ErrorColumns {
    pub(crate) id: String,
    pub(crate) timestamp: String,
    pub(crate) stage: Option<String>,
    pub(crate) error_type: Option<String>,
    pub(crate) message: String,
    pub(crate) user_id: Option<String>,
    pub(crate) trace_id: Option<String>,
}

/// An error to be grouped.
pub(crate) struct GroupedError {
    position: Position,
    stage: Option<String>,
    error_type: Option<String>,
    message: String,
    user_id: Option<String>,
    trace_id: Option<TraceId>,
}

impl TryFrom<ErrorColumns> for GroupedError {
    type Error = StoreError;

    fn try_from(row: ErrorColumns) -> Result<Self, StoreError> {
        let (timestamp, id) = (row.timestamp.parse().ok(), Uuid::try_parse(&row.id).ok());
        let (Some(timestamp), Some(id)) = (timestamp, id) else { return Err(StoreError::unreadable_row("logs")) };
        Ok(Self {
            position: Position { timestamp, id, number: 0 },
            stage: row.stage,
            error_type: row.error_type,
            message: row.message,
            user_id: row.user_id,
            trace_id: row.trace_id.and_then(|id| id.parse().ok()),
        })
    }
}

impl GroupedError {
    pub(crate) fn position(&self) -> Position {
        self.position
    }
}

/// The stage, the type and the template of a group.
type Key = (Option<String>, Option<String>, String);

/// Groups errors, which are newest first. The largest group comes first; of groups of the same size
/// the one that was seen last.
pub(crate) fn group(errors: Vec<GroupedError>, truncated: bool) -> ErrorGroups {
    let mut groups: HashMap<Key, (ErrorGroup, HashSet<String>)> = HashMap::new();
    // Errors often have the same message, which needs to be looked at only once.
    let mut templates: HashMap<String, String> = HashMap::new();
    for error in errors {
        let message = templates.entry(error.message).or_insert_with_key(|message| template(message)).clone();
        let at = error.position.timestamp;
        let key = (error.stage, error.error_type, message);
        let (group, users) = groups.entry(key).or_insert_with_key(|(stage, error_type, message)| {
            let group = ErrorGroup {
                stage: stage.clone(),
                error_type: error_type.clone(),
                message: message.clone(),
                count: 0,
                users: 0,
                first_seen: at,
                last_seen: at,
                example: None,
            };
            (group, HashSet::new())
        });
        group.count += 1;
        group.first_seen = at.min(group.first_seen);
        group.last_seen = at.max(group.last_seen);
        group.example = group.example.or(error.trace_id);
        users.extend(error.user_id);
    }
    let counted = groups.into_values().map(|(group, users)| ErrorGroup { users: users.len() as u64, ..group });
    let mut groups: Vec<ErrorGroup> = counted.collect();
    groups.sort_by(|one, other| {
        let size = other.count.cmp(&one.count).then(other.last_seen.cmp(&one.last_seen));
        let name = |group: &ErrorGroup| (group.stage.clone(), group.error_type.clone(), group.message.clone());
        size.then_with(|| name(one).cmp(&name(other)))
    });
    ErrorGroups { groups, truncated }
}

impl ErrorGroups {
    /// Returns the groups, largest first.
    pub fn groups(&self) -> &[ErrorGroup] {
        &self.groups
    }

    /// Returns `true` if more than 100,000 errors match, of which only the newest are grouped.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }
}

impl ErrorGroup {
    /// Returns the stage in which the errors occurred, or `None` for log lines outside of stages.
    pub fn stage(&self) -> Option<&str> {
        self.stage.as_deref()
    }

    /// Returns the errors' type, or `None` for log lines.
    pub fn error_type(&self) -> Option<&str> {
        self.error_type.as_deref()
    }

    /// Returns the errors' message with placeholders: `<number>`, `<id>`, `<text>` for quoted
    /// texts, and `<path>` for paths and URLs. Only the first 1,000 characters are considered.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the number of errors.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns the number of users that had such an error.
    pub fn users(&self) -> u64 {
        self.users
    }

    /// Returns the time of the first of the errors.
    pub fn first_seen(&self) -> Timestamp {
        self.first_seen
    }

    /// Returns the time of the last of the errors.
    pub fn last_seen(&self) -> Timestamp {
        self.last_seen
    }

    /// Returns the newest trace with such an error, or `None` if none of the errors belongs to a
    /// trace.
    pub fn example(&self) -> Option<TraceId> {
        self.example
    }

    /// Returns the group as one JSON object: `{stage, error_type, message, count, users,
    /// first_seen, last_seen, example}`.
    pub fn to_json(&self) -> String {
        Object::new()
            .with("stage", self.stage())
            .with("error_type", self.error_type())
            .with("message", self.message())
            .with("count", self.count)
            .with("users", self.users)
            .with("first_seen", self.first_seen.to_string())
            .with("last_seen", self.last_seen.to_string())
            .with("example", self.example.map(|id| id.to_string()))
            .close()
    }
}
